"""The rows of the study on real rows by their list alone: "real".

    languages(TASKS["xnli"], "real")     # as the folder of rows has them

The rows are not in the project. Their list (book/real_rows.csv) is: which task has which language
and split, what the split is called there, how many rows it has, and a digest of its files. From it
every run of the study has its key, so that its records are found and shown where no row is. Nothing
can be trained: for that `data` names the folder (`xstilts fetch FOLDER --public` makes it).

    write("~/rows")                      # makes the list anew from a folder"""

from __future__ import annotations

import csv
import io
from collections.abc import Hashable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, NoReturn

from xstilts import files, settings
from xstilts.data import local, parquet
from xstilts.data.layout import SPLITS
from xstilts.data.rows import Block
from xstilts.errors import UserError
from xstilts.tasks.table import TASKS, Task

NAME, FILE = "real", "real_rows.csv"
CAN_CHANGE, ENDLESS, AT_HAND = True, False, False
COLUMNS = ["task", "language", "split", "found", "rows", "fingerprint"]
TEXTS = "all texts"  # in the place of a task: what a vocabulary of all texts depends on


class Entry(NamedTuple):
    found: str  # what the folder calls the split
    rows: int
    fingerprint: str


def path() -> Path:
    """Where the list is."""
    return settings.project() / "book" / FILE


def check(source: str) -> None:
    """UserError where the list cannot be read."""
    _entries()


def title(source: str) -> str:
    """How pages and tables call the source."""
    return "real rows (capped subsets; validation rows stand in for many training splits)"


def state(row: Task, source: str) -> Hashable:
    """A value that changes when the list changes."""
    return parquet.stamp(path())


def languages(row: Task, source: str) -> list[str]:
    """The languages in which the folder has any rows of the task."""
    return sorted({language for name, language, _ in _entries() if name == row.name})


def has_split(row: Task, split: str, language: str, source: str) -> bool:
    return (row.name, language, split) in _entries()


def split_found(row: Task, split: str, language: str, source: str) -> str:
    return _entry(row, split, language).found


def fingerprint(row: Task, split: str, language: str, source: str) -> str:
    """What `local.fingerprint` says of the folder."""
    return _entry(row, split, language).fingerprint


def texts_fingerprint(source: str) -> str:
    return _entries()[TEXTS, "", ""].fingerprint


def blocks(row: Task, split: str, language: str, source: str, limit: int) -> list[Block]:
    _not_here()


def texts(source: str) -> Iterator[str]:
    _not_here()


def _not_here() -> NoReturn:
    raise UserError(
        f"data {NAME!r} is the list of the real rows, and the rows themselves are not in the "
        "project: `xstilts fetch ~/rows --public` fetches them, then say `-p data ~/rows`"
    )


def _entry(row: Task, split: str, language: str) -> Entry:
    found = _entries().get((row.name, language, split))
    if not found:
        there = ", ".join(languages(row, NAME)) or "none"
        raise UserError(
            f"the list of real rows has no {split} rows of {row.title} in {language!r}; languages: "
            f"{there}"
        )
    return found


def _entries() -> dict[tuple[str, str, str], Entry]:
    return _read(path(), parquet.stamp(path()))


@lru_cache(maxsize=2)
def _read(where: Path, changed: Hashable) -> dict[tuple[str, str, str], Entry]:
    try:
        rows = list(csv.DictReader(io.StringIO(where.read_text(encoding="utf-8"))))
        found = {
            (row["task"], row["language"], row["split"]): Entry(
                row["found"], int(row["rows"]), row["fingerprint"]
            )
            for row in rows
        }
        found[TEXTS, "", ""]  # noqa: B018  a list without it is cut off
    except (OSError, KeyError, ValueError, TypeError, csv.Error) as error:
        raise UserError(
            f"{where} is no list of real rows ({error!r}); take it from the repository again"
        ) from error
    return found


def size(row: Task, split: str, language: str, source: str) -> int:
    """How many rows the folder has."""
    return _entry(row, split, language).rows


def write(folder: str) -> Path:
    """The list of a folder's rows, written to its place in the project."""
    folder = str(Path(folder).expanduser().resolve())
    found: list[list[object]] = [[TEXTS, "", "", "", 0, local.texts_fingerprint(folder)]]
    for row in TASKS.values():
        for language in local.languages(row, folder):
            for split in SPLITS:
                if local.has_split(row, split, language, folder):
                    named = local.split_found(row, split, language, folder)
                    rows = local.size(row, split, language, folder)
                    digest = local.fingerprint(row, split, language, folder)
                    found.append([row.name, language, split, named, rows, digest])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *found])
    files.write(path(), text.getvalue().encode())
    return path()
