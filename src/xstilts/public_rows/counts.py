"""What can be told of rows without showing one: how many, how long, which labels, which script.

count(folder)                     # a row a file of the folder
overlap(folder)                   # a row a target and language: test rows among training rows"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cache
from pathlib import Path

import pandas as pd

from xstilts import data
from xstilts.data import parquet
from xstilts.data.overlap import Seen
from xstilts.public_rows.rows import Shape
from xstilts.public_rows.sources import Table, tables
from xstilts.tasks.languages import MASAKHANE_NAMES, SCRIPTS, TREEBANKS, UD_NAMES
from xstilts.tasks.table import TASKS, training_task

# columns that have what is read; the English side of a translation is left out
TEXTS = {
    *("premise", "hypothesis", "question1", "question2", "sentence1", "sentence2", "ctx"),
    *("context", "question", "tokens", "sentence", "source_sentence", "endings", "choices"),
    *("choice1", "choice2", "answer0", "answer1", "answer2", "answer3"),
}
MOST_LABELS = 20  # the rest are counted together
LABELS = ("label", "answerKey", "ner_tags", "pos_tags", "upos", "tags")
# how Unicode begins the names of a script's letters
LETTERS = {"Han": ("CJK",), "Japanese": ("CJK", "HIRAGANA", "KATAKANA")}
COLUMNS = ["file", "rows", "same text", "characters", "longest tenth", "labels", "in its script"]


def count(folder: Path) -> pd.DataFrame:
    """Of each file: rows; those whose text is that of a row before them; characters of a row on
    average, and which a tenth of the rows exceed; how often each label is; the share of letters
    that are of the language's script. UserError where a file cannot be read."""
    return pd.DataFrame([_counted(folder, table) for table in tables()], columns=COLUMNS)


def overlap(folder: Path) -> pd.DataFrame:
    """Of each target and language that the folder has: test rows as they are read, those that are
    among the English training rows exactly, and those that are but for case, marks and spaces."""
    found, place = [], str(folder)
    for target in TASKS.values():
        trained = training_task(target)
        if (
            target.role != "target"
            or target.untrained
            or "en" not in data.languages(trained.name, place)
        ):
            continue
        seen = Seen(data.load(trained.name, "train", "en", place), target.kind)
        for code in data.languages(target.name, place, "test"):
            rows = data.load(target.name, "test", code, place)
            found.append([target.title, trained.title, code, len(rows), *seen.overlap(rows)])
    columns = ["target", "trained on", "language", "rows", "the same", "but for case and marks"]
    return pd.DataFrame(found, columns=columns)


def language(table: Table) -> str:
    """ISO 639 code; English where the configuration names no language."""
    configuration, split = table.path.split("/")[1:]
    if split == "candidates_en":
        return "en"
    known = {"Afrikaans": "af"}
    for names in (UD_NAMES, MASAKHANE_NAMES, TREEBANKS):
        known |= {name: code for code, name in names.items()}
    last = configuration.split(".")[-1]
    return known.get(configuration, last if len(last) == 2 else "en")


def _counted(folder: Path, table: Table) -> list:
    path = folder / table.name
    items = parquet.items(parquet.read(path), path)
    texts = [_text(item) for item in items]
    lengths = pd.Series([len(text) for text in texts])
    return [
        table.path,
        len(items),
        len(items) - len({*texts}) if any(texts) else 0,  # a file of ids has none
        round(lengths.mean(), 1),
        int(lengths.quantile(0.9)),
        "; ".join(f"{name} {number}" for name, number in _fewer(_labels(table, items))),
        round(_in_script(Counter("".join(texts)), language(table)), 3),
    ]


def _text(item: dict) -> str:
    found = [item[name] for name in item if name in TEXTS]
    if "choice1" in item:  # COPA asks with a word: cause or effect
        found.remove(item["question"])
    return "".join(strings(found))


def strings(value: str | dict | list) -> list[str]:
    """All texts in a column of a row: a text, a list, or the options of a choice."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return strings(value["text"])
    return [text for part in value for text in strings(part)]


def _labels(table: Table, items: list[dict]) -> list[tuple[str, int]]:
    """The most frequent first."""
    if "answers" in table.columns:
        answered = sum(bool(item["answers"]["text"]) for item in items)
        pairs = [("answered", answered), ("not answered", len(items) - answered)]
        return [(name, number) for name, number in pairs if number]
    for column in LABELS:
        if column in table.columns:
            names = names_of(table.columns[column])
            values = [item[column] for item in items]
            flat = [
                one for value in values for one in (value if isinstance(value, list) else [value])
            ]
            found = Counter(names[one] if names else str(one) for one in flat)
            return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    return []


def _fewer(found: list[tuple[str, int]]) -> list[tuple[str, int]]:
    rest = found[MOST_LABELS:]
    others = [(f"{len(rest)} others", sum(number for _, number in rest))] if rest else []
    return found[:MOST_LABELS] + others


def names_of(shape: Shape) -> tuple[str, ...]:
    """Of a column of labels, or of lists of them; none for others."""
    inner = shape[0] if isinstance(shape, list) else shape
    return inner if isinstance(inner, tuple) else ()


def _in_script(letters: Counter, language: str) -> float:
    """NaN where there are no letters."""
    script = next((name for name, codes in SCRIPTS.items() if language in codes.split()), "Latin")
    begins = LETTERS.get(script, (script.upper(),))
    found = {sign: number for sign, number in letters.items() if sign.isalpha()}
    own = sum(number for sign, number in found.items() if _name(sign).startswith(begins))
    return own / sum(found.values()) if found else float("nan")


@cache
def _name(sign: str) -> str:
    return unicodedata.name(sign, "")
