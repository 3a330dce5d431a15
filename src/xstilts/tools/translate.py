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
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts import data
from xstilts.errors import UserError
from xstilts.tasks import columns
from xstilts.tasks.kinds import Part
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


class Lost(Exception):
    """The answer did not come through."""


@dataclass(frozen=True)
class _Text:
    """A text in sentences; where it has an answer that must be found again, the sentence that has
    it between marks, and the marks."""

    sentences: list[str]
    place: int = 0
    marks: tuple[str, str] | None = None


def _plan(text: str, answer: tuple[int, int] | None) -> _Text:
    if not answer:
        return _Text([text[start:end] for start, end in units(text)] or [text])
    # blanks are in no sentence
    start, end = answer
    spans = units(text, (start, end))
    sentences = [text[first:last] for first, last in spans]
    for place, (first, last) in enumerate(spans):
        if first <= start and end <= last:
            found = marked(sentences[place], start - first, end - first)
            if found:
                sentences[place], marks = found
                return _Text(sentences, place, marks)
    raise Lost


def _translated(plan: _Text, joiner: str, memo: dict[str, str]) -> Part:
    sentences = [memo[sentence] for sentence in plan.sentences]
    if not plan.marks:
        return joiner.join(sentences), None
    found = unmarked(sentences[plan.place], plan.marks)
    if not found:
        raise Lost
    sentences[plan.place], start, end = found
    offset = sum(len(sentence) + len(joiner) for sentence in sentences[: plan.place])
    return joiner.join(sentences), (offset + start, offset + end)


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
    kind cannot be translated: labels of words do not survive it."""
    row = task(name)
    if not row.module.TRANSLATED:
        known = [each.name for each in TASKS.values() if each.module.TRANSLATED]
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
            _write(place, row, _chunk(english[start : start + CHUNK], row, language, translator))
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


def _chunk(rows: Sequence[dict], task: Task, language: str, translator: Translator) -> list[dict]:
    plans: list[list[_Text]] = []
    for row in rows:
        try:
            kept = task.module.kept(row)
            texts = enumerate(task.module.texts(row))
            plans.append([_plan(text, kept.get(number)) for number, text in texts])
        except Lost:
            plans.append([])
    sentences = list(
        dict.fromkeys(sentence for plan in plans for part in plan for sentence in part.sentences)
    )
    memo = dict(zip(sentences, translator(sentences, language), strict=True))
    joiner, found = "" if language in UNSPACED else " ", []
    for row, plan in zip(rows, plans, strict=True):
        try:
            if plan:
                parts = [_translated(part, joiner, memo) for part in plan]
                found.append(task.module.with_texts(row, parts))
        except Lost:
            pass
    return found


def _write(path: Path, row: Task, rows: list[dict]) -> None:
    # labels go by name: their ids are the table's own affair
    by_name = row.module.LABELS == "name"
    types = {
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "numbers": pa.list_(pa.int64()),
        "label": pa.string() if by_name else pa.int64(),
    }
    schema = [(name, types[what]) for name, what in row.module.TRANSLATED.items()]
    if by_name:
        rows = [{**item, "label": row.labels[item["label"]]} for item in rows]
    unfinished = path.with_suffix(f".{os.getpid()}")
    pq.write_table(pa.Table.from_pylist(rows, schema=pa.schema(schema)), unfinished)
    os.replace(unfinished, path)
