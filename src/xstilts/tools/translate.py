"""Machine translation of training rows into other languages: a step of its own, before a study that
trains on them.

    xstilts translate squad --to fi,hu --data ~/rows                       # M2M100
    xstilts translate mnli --to fi --data ~/rows --model Helsinki-NLP/opus-mt-en-fi

Rows go to <data>/translated/<task>/<language>/<split>.parquet, where the local source finds them.
Texts are translated a sentence at a time, each different sentence once. An answer inside a context
is put between marks; where these come back as one pair the answer is what stands between them, and
where not, the row is dropped and counted. An interrupted translation goes on where it stopped.
The Hub has XNLI, PAWS-X, SQuAD (in MLQA) and NLI in 26 languages translated: those are used as they
are (see the task table)."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts import data
from xstilts.errors import UserError
from xstilts.tasks import columns
from xstilts.tasks.table import TASKS, Task, task
from xstilts.tools.translation_model import Translator, pinned

LANGUAGE = re.compile(r"[A-Za-z][A-Za-z_-]{0,30}")
MARKS = (("[", "]"), ("{", "}"), ("«", "»"))  # the first pair that the text itself does not have
UNSPACED = ("zh", "ja", "th")
CHUNK = 1000  # rows a file while it is being made


def units(text: str, keep: tuple[int, int] = (0, 0)) -> list[tuple[int, int]]:
    """Beginnings and ends of the sentences; those that `keep` (an answer) touches are one."""
    found: list[tuple[int, int]] = []
    for start, end in columns.sentences(text):
        if found and found[-1][1] > keep[0] and start < keep[1] and keep[1] > keep[0]:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found


def marked(text: str, start: int, end: int) -> tuple[str, tuple[str, str]] | None:
    """The text with marks around [start, end), and the marks; None if it uses all marks itself."""
    for left, right in MARKS:
        if left not in text and right not in text:
            return f"{text[:start]}{left}{text[start:end]}{right}{text[end:]}", (left, right)
    return None


def unmarked(text: str, marks: tuple[str, str]) -> tuple[str, int, int] | None:
    """The text without its marks and where the answer stands; None unless there is one pair with
    something in it."""
    left, right = marks
    if text.count(left) != 1 or text.count(right) != 1:
        return None
    before, _, rest = text.partition(left)
    inside, found, after = rest.partition(right)
    answer = inside[slice(*columns.inner(inside))]
    if not found or not answer:
        return None
    return f"{before}{answer}{after}", len(before), len(before) + len(answer)


def _texts(row: dict, kind: str) -> list[str]:
    """What is to be translated, as whole texts."""
    return {
        "classify": lambda: list(row["texts"]),
        "choice": lambda: [row["context"], *row["choices"]],
        "span": lambda: [row["question"]],
    }[kind]()


class Lost(Exception):
    """The answer did not come through."""


def _plan(row: dict, kind: str) -> tuple[list[list[str]], tuple[int, tuple[str, str]] | None]:
    """The sentences of each text; of a context with an answer also which sentence has the marks,
    and the marks."""
    parts = [
        [text[start:end] for start, end in units(text)] or [text] for text in _texts(row, kind)
    ]
    if kind != "span":
        return parts, None
    context = row["context"]
    if not row["answers"]:
        return [*parts, [context[start:end] for start, end in units(context)]], None
    # blanks are in no sentence
    start, end = (row["starts"][0] + edge for edge in columns.inner(row["answers"][0]))
    spans = units(context, (start, end))
    place = next(
        (number for number, span in enumerate(spans) if span[0] <= start and end <= span[1]), None
    )
    found = (
        marked(context[slice(*spans[place])], start - spans[place][0], end - spans[place][0])
        if place is not None
        else None
    )
    if not found:
        raise Lost
    sentences = [context[first:last] for first, last in spans]
    sentences[place] = found[0]
    return [*parts, sentences], (place, found[1])


def _translated(row: dict, kind: str, language: str, plan, memo: dict[str, str]) -> dict:
    parts, answer = plan
    joiner = "" if language in UNSPACED else " "
    parts = [[memo[sentence] for sentence in part] for part in parts]
    if kind == "classify":
        return {"texts": [joiner.join(part) for part in parts], "label": row["label"]}
    if kind == "choice":
        context, *choices = (joiner.join(part) for part in parts)
        return {"context": context, "choices": choices, "label": row["label"]}
    question, sentences = joiner.join(parts[0]), parts[1]
    answers, starts = [], []
    if answer:
        place, marks = answer
        found = unmarked(sentences[place], marks)
        if not found:
            raise Lost
        sentences[place], start, end = found
        offset = sum(len(sentence) + len(joiner) for sentence in sentences[:place])
        answers, starts = [sentences[place][start:end]], [offset + start]
    return {
        "id": row["id"],
        "question": question,
        "context": joiner.join(sentences),
        "answers": answers,
        "starts": starts,
    }


def translate(
    name: str,
    languages: Sequence[str],
    source: str,
    out: Path,
    translator: Translator,
    model: str,
    rows: int = 0,
    splits: Sequence[str] = ("train", "validation"),
) -> dict[str, dict]:
    """Translates a task's English rows (`rows` of each split, 0 = all) into each language. Returns,
    by file below `out`, what went in, what came out and what was lost. UserError for a task whose
    labels stand at words."""
    row = task(name)
    if row.kind not in ("classify", "choice", "span"):
        known = [
            each.name for each in TASKS.values() if each.kind in ("classify", "choice", "span")
        ]
        raise UserError(
            f"{row.title} cannot be translated: labels of words do not survive it; known: "
            f"{', '.join(known)}"
        )
    for language in languages:
        if not LANGUAGE.fullmatch(language):  # it becomes a folder's name
            raise UserError(
                f"unknown language {ascii(language)}: languages are codes such as fi or swh_Latn"
            )
        if len(languages) > 1:
            # a model that lacks one says so before it has translated into another for hours
            translator([], language)
    found = {}
    for language in languages:
        for split in splits:
            path = out / "translated" / name / language / f"{split}.parquet"
            origin = {
                "model": pinned(model),
                "from": data.fingerprint(name, split, ("en",), source),
                "rows": rows,
            }
            found[path.relative_to(out).as_posix()] = _file(
                row, split, language, source, path, translator, origin
            )
    return found


def _file(
    row: Task,
    split: str,
    language: str,
    source: str,
    path: Path,
    translator: Translator,
    origin: dict,
) -> dict:
    report, parts = path.with_suffix(".json"), path.with_suffix(".parts")
    if path.is_file() and report.is_file():
        told = json.loads(report.read_text())
        if {key: told.get(key) for key in origin} == origin:
            return told
    started = parts / "origin.json"
    if parts.is_dir() and (not started.is_file() or json.loads(started.read_text()) != origin):
        shutil.rmtree(parts)  # begun with other rows or another model
    parts.mkdir(parents=True, exist_ok=True)
    started.write_text(json.dumps(origin))
    english = data.load(row.name, split, "en", source, origin["rows"])
    for start in range(0, len(english), CHUNK):
        place = parts / f"{start:09d}.parquet"
        if not place.is_file():
            _write(
                place, row, _chunk(english[start : start + CHUNK], row.kind, language, translator)
            )
            print(
                f"translated  {row.name} {split} {language}  {min(start + CHUNK, len(english))} "
                f"of {len(english)}",
                flush=True,
            )
    table = pa.concat_tables([pq.read_table(place) for place in sorted(parts.glob("*.parquet"))])
    if not len(table):
        raise UserError(
            f"{path}: no row of {row.title} came through the translation: {len(english)} lost"
        )
    unfinished = path.with_suffix(f".{os.getpid()}")
    pq.write_table(table, unfinished)
    os.replace(unfinished, path)
    told = origin | {
        "english": len(english),
        "translated": len(table),
        "lost": len(english) - len(table),
        "licence": "; ".join(sorted({each.licence for each in row.sources})),
    }
    report.write_text(json.dumps(told, indent=1))
    shutil.rmtree(parts)
    print(
        f"translated  {row.name} {split} {language}: {len(table)} rows, {told['lost']} lost "
        "their answer",
        flush=True,
    )
    return told


def _chunk(rows: Sequence[dict], kind: str, language: str, translator: Translator) -> list[dict]:
    plans: list = []
    for row in rows:
        try:
            plans.append(_plan(row, kind))
        except Lost:
            plans.append(None)
    sentences = list(
        dict.fromkeys(sentence for plan in plans if plan for part in plan[0] for sentence in part)
    )
    memo = dict(zip(sentences, translator(sentences, language), strict=True))
    found = []
    for row, plan in zip(rows, plans, strict=True):
        try:
            if plan:
                found.append(_translated(row, kind, language, plan, memo))
        except Lost:
            pass
    return found


def _write(path: Path, row: Task, rows: list[dict]) -> None:
    # labels go by name: their ids are the table's own affair
    texts, by_name = pa.list_(pa.string()), row.kind == "classify"
    types = {
        "texts": texts,
        "choices": texts,
        "answers": texts,
        "starts": pa.list_(pa.int64()),
        "label": pa.string() if by_name else pa.int64(),
    }
    schema = [(name, types.get(name, pa.string())) for name in columns.TRANSLATED[row.kind]]
    if by_name:
        rows = [{**item, "label": row.labels[item["label"]]} for item in rows]
    unfinished = path.with_suffix(f".{os.getpid()}")
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(schema)), unfinished)
    os.replace(unfinished, path)
