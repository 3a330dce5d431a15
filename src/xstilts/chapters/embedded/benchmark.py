"""What the page about the embedded synthetic benchmark shows, as tables: its world, its sentences,
its tasks, its dials.

tables.show(sentences(("en", "ar", "zh")))
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path

import pandas as pd
from babel import Locale

from xstilts import settings, synthetic
from xstilts.chapters.embedded import shortcut_readers
from xstilts.data import kept, labelled, load
from xstilts.synthetic import wording, world
from xstilts.synthetic.dials import LEVELS, Dials
from xstilts.synthetic.dials import name as source_of
from xstilts.synthetic.tables import load as words_of
from xstilts.synthetic.wording import Fact
from xstilts.tasks.table import TASKS


def named(language: str) -> str:
    """Its English name and code."""
    return f"{Locale('en').languages[language]} ({language})"


def the_world() -> pd.DataFrame:
    """A row a class of values: what people have of it, how many values each split may use, and some
    of them."""
    english, found = words_of("en"), []
    for kind, pools in world.POOLS.items():
        has = ", ".join(relation for relation, its in world.RELATIONS.items() if its == kind)
        shown = [
            code if kind in ("age", *world.SENTENCES) else wording.word(english, kind, code)
            for code in pools["test"]
        ]
        found.append(
            {
                "class": kind,
                "relations of people": has or "–",
                **{split: len(pools[split]) for split in world.SPLITS},
                "in test": ", ".join(shown[:6]) + (" …" if len(shown) > 6 else ""),
            }
        )
    names = {split: sum(map(len, world.NAMES[split].values())) for split in world.SPLITS}
    found.append(
        {
            "class": "name",
            "relations of people": "–",
            **names,
            "in test": ", ".join(world.NAMES["test"]["women"]) + " …",
        }
    )
    return pd.DataFrame(found)


def sentences(languages: Iterable[str]) -> pd.DataFrame:
    """Ten sentences side by side: a row a language, a column a sentence, the English one above
    it."""

    def said(words: dict) -> list[str]:
        told, events = words["causes"], words["events"]
        cause, effect = (wording.fill(words, half, p="Rita") for half in told["pairs"]["headache"])
        reason = told["reason"].format(a=cause, b=effect)
        return [
            wording.say(words, Fact("Rita", "lives", "JP"), 0),
            wording.say(words, Fact("Arthur", "speaks", "zu"), 0),
            wording.say(words, Fact("Rita", "job", "photographer"), 1),
            wording.say(words, Fact("Arthur", "animal", "turtle"), 2),
            wording.say(words, Fact("Rita", "month", "8"), 0),
            wording.ask(words, "Arthur", "food", 1),
            wording.fill(
                words,
                words["pairs"]["compare"][1].replace("{c}", words["pairs"]["converse"]["age"][0]),
                p="Rita",
                q="Greta",
            ),
            wording.fill(
                words,
                events["visit"],
                o=events["days"][1],
                p="Arthur",
                x=wording.word(words, "city", "Lisbon"),
            ),
            reason if words["spaces"] else "".join(reason.split()),
            wording.fill(
                words,
                words["place"]["city_in"],
                x=wording.word(words, "city", "Accra"),
                y=wording.word(words, "country", "GH"),
            ),
        ]

    ordered = sorted(languages, key=lambda language: (language != "en", language))
    return pd.DataFrame(
        [[named(language), *said(words_of(language))] for language in ordered],
        columns=["language", *map(str, range(1, 11))],
    )


def examples(role: str, language: str, source: str) -> pd.DataFrame:
    """The first test row of each task, in English and in another language. The African sets are
    left out: they are rows of XNLI, UDPOS and PAN-X. BUCC's and Tatoeba's other side is English."""
    found = []
    for task in TASKS.values():
        if task.role != role or task.name not in synthetic.TASKS or task.name in synthetic.AFRICAN:
            continue
        task = labelled(task.name, source)
        ours = task.module.named(load(task.name, "test", language, source, 1)[0], task)
        english = (
            ours | {"sentence": "–"}
            if task.untrained
            else task.module.named(load(task.name, "test", "en", source, 1)[0], task)
        )
        found += [
            {
                "task": task.title if not number else "",
                "part": part,
                "English": english[part],
                named(language): text,
            }
            for number, (part, text) in enumerate(ours.items())
            if part != "in English"
        ]
        if task.untrained:
            found[-1]["English"] = ours["in English"]
    return pd.DataFrame(found)


def levels(dials: Dials) -> pd.DataFrame:
    """An English test row of each intermediate task at each difficulty: the first one that is not
    the same at two of them."""
    rows = []
    for name in synthetic.INTERMEDIATE:
        sources = [source_of(replace(dials, difficulty=level, noise=0.0)) for level in LEVELS]
        examples = [
            [
                " ‖ ".join(TASKS[name].module.named(row, labelled(name, source)).values())
                for row in load(name, "test", "en", source, 20)
            ]
            for source in sources
        ]
        place = next(
            (
                place
                for place, some in enumerate(zip(*examples, strict=True))
                if len(set(some)) == len(LEVELS)
            ),
            0,
        )
        rows += [
            {
                "task": TASKS[name].title if level == LEVELS[0] else "",
                "difficulty": level,
                "example": some[place],
            }
            for level, some in zip(LEVELS, examples, strict=True)
        ]
    return pd.DataFrame(rows)


def translations(
    languages: Iterable[str], amounts: Iterable[float], rows: int = 60
) -> pd.DataFrame:
    """A row a language and amount of noise: a training premise of MNLI, and the chrF of so many
    rows of each task."""
    made = synthetic.FINGERPRINT

    def quality(language: str, amount: float) -> float:
        return kept(
            f"translation-{made}-{language}-{amount}-{rows}",
            lambda: synthetic.translation_quality(language, amount, rows),
        )

    return pd.DataFrame(
        [
            {
                "language": named(language),
                "noise": amount,
                "premise": synthetic.rows("mnli", language, "train", 3, Dials(noise=amount))[2][
                    "premise"
                ],
                "chrF": quality(language, amount),
            }
            for language in languages
            if language != "en"
            for amount in amounts
        ]
    )


def shortcuts(source: str, rows: int = 500) -> pd.DataFrame:
    """A row a task and reader that does not read: its score in English, beside chance."""
    readers = sha256(Path(shortcut_readers.__file__).read_bytes()).hexdigest()[:12]
    known, found = (
        f"shortcuts-{readers}-{synthetic.FINGERPRINT}-{source.replace(':', '-')}-{rows}",
        [],
    )
    for name in synthetic.TASKS:
        task = TASKS[name]
        if (
            name not in (*synthetic.AFRICAN, "xquad", "mlqa") and not task.untrained
        ):  # xquad, mlqa: squad's rows
            scores = kept(
                f"{known}-{name}",
                partial(shortcut_readers.scores, name, source, test=rows),
            )
            for number, (reader, value) in enumerate(scores.items()):
                found.append(
                    {
                        "task": task.title if not number else "",
                        "metric": task.metric,
                        "reader": reader,
                        "score": value,
                        "chance": shortcut_readers.chance(name, source, test=rows),
                        "n": rows,
                    }
                )
    return pd.DataFrame(found)


def learned() -> pd.DataFrame:
    """What tests/benchmarks/learnable.py wrote into book/learnable.jsonl: one training a row."""
    lines = [
        json.loads(line)
        for line in (settings.project() / "book" / "learnable.jsonl").read_text().splitlines()
    ]
    return pd.DataFrame(
        [
            {
                "task": TASKS[line["task"]].title,
                "encoder": line["encoder"],
                "difficulty": line["difficulty"],
                "steps": line["steps"],
                "seed": line["seed"],
                "metric": line["metric"],
                "n": line["n"],
                "English": line["English"],
                "chance": line["chance"],
                "best shortcut": line["shortcut"],
                "zero-shot": sum(line["languages"].values()) / len(line["languages"])
                if line["languages"]
                else None,
                "above chance": f"{line['above']} of {len(line['languages'])}"
                if line["languages"]
                else "–",
            }
            for line in sorted(
                lines,
                key=lambda line: (
                    list(TASKS).index(line["task"]),
                    line["encoder"],
                    line["difficulty"],
                    line["seed"],
                ),
            )
        ]
    )
