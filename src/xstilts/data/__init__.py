"""Rows, from one of three places behind one interface.

    load("xnli", "test", "de", source="mini", limit=500)

The source is one of

- "mini": the embedded synthetic benchmark, with its dials "mini:difficulty=3" (`synthetic.dials`);
- "hub": Hugging Face datasets;
- "real": the list of the real rows, without the rows (`listed`);
- a path: a folder of parquet files in the Hub's layout, <task>/<configuration>/<split>.parquet.

What the Hub does not have (CCGbank, own translations) may lie in such a folder, too: XSTILTS_OWN
names it, and what it has of a task and language goes before the Hub's. Whatever the place, a task's
`read` sees the Hub's columns, and labels arrive as the table's label ids."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from filelock import FileLock

from xstilts import files, settings, synthetic
from xstilts.data import local, sources
from xstilts.data.layout import SPLITS
from xstilts.data.local import unlabelled as unlabelled
from xstilts.data.rows import Rows, labels_of, read
from xstilts.data.sources import at_hand as at_hand
from xstilts.data.sources import can_change as can_change
from xstilts.data.sources import endless as endless
from xstilts.data.sources import has_dials as has_dials
from xstilts.data.sources import is_folder as is_folder
from xstilts.data.sources import rows_are as rows_are
from xstilts.data.unchanged import looked_at_once as looked_at_once
from xstilts.data.unchanged import while_unchanged
from xstilts.errors import UserError
from xstilts.synthetic import dials
from xstilts.tasks.table import TASKS, Task, task


def _at(row: Task, language: str, source: str) -> tuple:
    """The module and the source that have the task's rows in a language."""
    if row.own:
        return local, str(settings.targets())
    own = settings.own_rows() if source == "hub" else ""
    if own and language in local.languages(row, own):
        return local, own
    return sources.module(source), source


def check_source(source: str) -> None:
    """UserError if `source` has unknown dials, or is neither a known word nor a folder with at
    least one task's rows."""
    sources.module(source).check(source)


@while_unchanged(256)
def languages(name: str, source: str, split: str = "") -> tuple[str, ...]:
    """Languages in which the source has rows of the task (in that split), sorted; empty if it has
    none."""
    row = task(name)
    if row.own:
        found = set(local.languages(row, str(settings.targets())))
    else:
        found = set(sources.module(source).languages(row, source))
    if source == "hub" and not row.own and (own := settings.own_rows()):
        found |= set(local.languages(row, own))
    return tuple(
        language
        for language in sorted(found)
        if not split or _has_split(name, split, language, source)
    )


def _has_split(name: str, split: str, language: str, source: str) -> bool:
    """Whether the source has the split."""
    module, place = _at(task(name), language, source)
    return module.has_split(task(name), split, language, place)


@while_unchanged(64)
def load(name: str, split: str, language: str, source: str, limit: int = 0, draw: str = "") -> Rows:
    """Rows of the task's kind (see `columns`), at most `limit` of them (0 = all); `dropped` counts
    the unusable ones.

    The rows of a capped split are a fixed sample that depends on the split's size alone, so
    parallel test sets stay parallel and every seed of a study sees the same rows. Another `draw` is
    another sample."""
    row = labelled(name, source)
    if split not in SPLITS:
        raise UserError(f"unknown split {split!r}; known: {', '.join(SPLITS)}")
    if language not in languages(name, source):
        there = ", ".join(languages(name, source)) or "none"
        raise UserError(
            f"{source}: no rows of {row.title} in {language!r}; there are: {there}"
            + (f". {row.obtain}" if row.obtain else "")
        )
    module, (at, place) = row.module, _at(row, language, source)
    blocks = at.blocks(row, split, language, place, 0 if draw else limit)
    places = [
        (which, number) for which, block in enumerate(blocks) for number in range(len(block.items))
    ]
    total = len(places)
    if limit and len(places) > limit and not module.capped:
        lots = random.Random(" ".join(filter(None, (split, str(len(places)), draw))))
        chosen = lots.sample(range(len(places)), limit)
        places = [places[i] for i in sorted(chosen)]
    rows = read(blocks, places)
    rows.total = total
    if not rows:
        raise UserError(f"{blocks[0].where}: no usable {split} rows of {row.title}")
    if module.LANGUAGE:
        rows = Rows.of([{**item, "language": language} for item in rows], rows.dropped, rows.total)
    if module.capped:
        part, total = module.capped(rows, limit)
        rows = Rows.of(part, rows.dropped, total)
    if split == "test" and len(rows) > 1 and len(labels := _labels(row, rows)) == 1:
        if not limit:
            raise UserError(
                f"{blocks[0].where}: every row of {row.title} has the label {labels.pop()}; that "
                "is a placeholder, which cannot be scored"
            )
        # a few rows may have one label by chance: all are judged
        load(name, split, language, source)
    return rows


@while_unchanged(256)
def size(name: str, split: str, language: str, source: str) -> int:
    """How many rows the split has, usable or not."""
    module, place = _at(task(name), language, source)
    return module.size(task(name), split, language, place)


def leaves_out(name: str, language: str, source: str, limit: int) -> bool:
    """Whether a limit may leave training rows out, so that it matters which are drawn. Real rows
    are not counted for that."""
    if endless(source):
        return 0 < limit < synthetic.size(name, language, "train")
    return limit > 0


def pool(name: str, split: str, language: str, source: str, limit: int) -> Rows:
    """The rows whose texts are searched when `limit` rows are scored. That is the whole split, so
    that a search is as hard whatever part is scored. The benchmark makes as many rows as are asked
    for: there the scored rows are searched."""
    return load(name, split, language, source, limit if endless(source) else 0)


def candidates(name: str, source: str) -> Rows:
    """The rows of the file of all texts that are searched (Mewsli-X's entities); none where the
    source has no such file."""
    row = task(name)
    module, place = _at(row, languages(name, source)[0], source)
    blocks = module.candidates(row, place) if module is local else []
    return read(
        blocks,
        [
            (which, number)
            for which, block in enumerate(blocks)
            for number in range(len(block.items))
        ],
    )


def _labels(row: Task, rows: Rows) -> set[int]:
    """The labels of rows that have one of the task's; of the others none."""
    if row.module.LABELS == "list":
        return {label for item in rows for label in item["tags"]}
    return {item["label"] for item in rows} if row.module.LABELS else set()


@while_unchanged(64)
def labelled(name: str, source: str) -> Task:
    """The task with its labels. Of an open set they are those of the source's English training
    rows, the most frequent first; what only other rows have can be neither learned nor
    predicted."""
    row = task(name)
    if not row.open_labels or "en" not in languages(name, source):
        return row
    module, place = _at(row, "en", source)
    counts = Counter(
        label
        for block in module.blocks(row, "train", "en", place, 0)
        for number in range(len(block.items))
        for label in labels_of(block, number)
    )
    return dataclasses.replace(
        row, labels=tuple(sorted(counts, key=lambda label: (-counts[label], label)))
    )


@while_unchanged(256)
def fingerprint(name: str, split: str, languages: tuple[str, ...], source: str) -> str:
    """Identifies a task's rows by their content, not by where they lie. `limit` is not in it: it is
    in the recipe."""
    parts = []
    for language in languages:
        module, place = _at(task(name), language, source)
        parts.append(module.fingerprint(task(name), split, language, place))
    if (how := task(name).module.READ) and can_change(source):
        parts.append(how)
    return hashlib.sha256("\n".join([name, split, *parts]).encode()).hexdigest()[:16]


def scored_fingerprints(
    name: str, split: str, languages: tuple[str, ...], source: str
) -> tuple[str, ...]:
    """Of all rows that a score reads: the scored ones, those that its threshold is tuned on, and
    the unlabelled ones of a person's own target."""
    row, found = task(name), [fingerprint(name, split, languages, source)]
    if row.module.TUNED:
        found.append(fingerprint(name, "validation", languages, source))
    if more := unlabelled.fingerprint(row):
        found.append(more)
    return tuple(found)


@while_unchanged(1024)
def split_found(name: str, split: str, language: str, source: str) -> str:
    """What the source calls the split that stands for ours: a table of scores says which rows were
    scored."""
    module, place = _at(task(name), language, source)
    return module.split_found(task(name), split, language, place)


@while_unchanged(8)
def texts_fingerprint(source: str) -> str:
    """Identifies all the texts of a source: what a trimmed vocabulary depends on."""
    return sources.module(source).texts_fingerprint(source)


def texts(source: str) -> Iterator[str]:
    """Every text of the source. Only for sources that fit on a disk at hand."""
    return sources.module(source).texts(source)


def words(source: str) -> list[str]:
    """Every different whitespace-separated word of the source's texts, sorted: what its vocabulary
    is made of."""
    return kept(
        f"words-{texts_fingerprint(source)}",
        lambda: sorted({word for text in texts(source) for word in re.split("[ \t\r\n]+", text)}),
    )


def kept(name: str, make: Callable[[], Any]) -> Any:
    """What `make` returns (JSON), made once and kept in the cache. All that it depends on is to be
    in the name."""
    path = settings.cache() / f"{name}.kept"
    with contextlib.suppress(OSError, ValueError, RecursionError):  # none, or a damaged one
        with files.opened(path) as file:
            checksum, text = file.read().decode().split("\n", 1)
        if hashlib.sha256(text.encode()).hexdigest() == checksum:
            return json.loads(text)
    text = json.dumps(make())
    checksum = hashlib.sha256(text.encode()).hexdigest()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):  # one unfinished file at most, whoever is killed
            path.with_suffix(".new").write_text(f"{checksum}\n{text}")
            os.replace(path.with_suffix(".new"), path)
    except OSError as error:
        print(f"{path} is not kept ({error.strerror}): it will be made again", flush=True)
    return json.loads(text)


def available(source: str) -> list[str]:
    """Names of the tasks that the source has rows of."""
    return [name for name in TASKS if languages(name, source)]


def where(source: str) -> str:
    """How pages and tables call the source."""
    return sources.module(source).title(source)


def as_target(source: str, name: str) -> str:
    """The source as a target is trained and scored on it. Difficulty and noise change intermediate
    tasks alone: XNLI trains on the same MNLI rows, whatever they are for MNLI as an intermediate
    task. A person's own target has a folder of its own."""
    if task(name).own:
        return str(settings.targets())
    return dials.name(dials.Dials(seed=dials.parse(source).seed)) if has_dials(source) else source
