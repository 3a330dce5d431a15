"""A folder whose splits, folders or columns differ from the official ones says so in a small file.

    # xstilts.toml in the folder; each table is one folder pattern of the task table
    ["anli/plain_text"]
    folder = "anli/derived"                  # where its rows lie instead
    ["panx/PAN-X.{language}"]
    # ours -> the file (or several, in order of preference) that goes before the official one;
    # "a+b" joins, "train[:-300]", "train[10%:]" and "train[0::2]" cut
    splits = { test = "heldout_from_train" }
    ["udpos/{name}"]
    names = { af = "Afrikaans" }             # language -> {name}
    # theirs -> the Hub's; goes before the file's own column of that name
    columns = { upos = "pos_tags" }

A folder without this file has the official layout. A collection that this project knows is an
exception: data/layouts has such a file under its name, and `known_by` in it says which files lie at
its root. There is one, realdata: real rows for trials, without most official training splits, where
others stand in (MANIFEST.json and SOURCES.md say which). A folder of your own that has its name but
not these files is read as any other."""

from __future__ import annotations

import dataclasses
import os
import re
import reprlib
import tomllib
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from xstilts.data import parquet
from xstilts.errors import UserError
from xstilts.tasks import columns
from xstilts.tasks.table import TASKS
from xstilts.tasks.task import Source, Task

FILE = "xstilts.toml"
SHIPPED = "shipped"  # in the place of a stamp: it changes with this code only
SPLITS = ("train", "validation", "test")
LARGEST = 100_000  # bytes of a layout: a real one has a few hundred
# a file without its ending, and which of its rows: positions from the start or (negative) the end,
# in rows or percent, and a step
CUT = re.compile(
    r"(?P<file>[^\[\]+]+)(\[(?P<first>-?[0-9]{1,9}%?)?"
    r":(?P<end>-?[0-9]{1,9}%?)?(:(?P<step>[1-9][0-9]{0,8})?)?\])?"
)


@dataclass(frozen=True)
class Part:
    """A file, or some of its rows: "train[:-300]" are those of train.parquet but the last 300."""

    path: Path
    name: str

    @property
    def whole(self) -> bool:
        return "[" not in self.name

    def rows(self, count: int) -> slice:
        """Which rows of a file of so many."""
        found = CUT.fullmatch(self.name)
        assert found  # `_cut` has looked at the name
        return slice(
            _position(found["first"], count),
            _position(found["end"], count),
            int(found["step"] or 1),
        )


def _position(text: str | None, count: int) -> int | None:
    if not text:
        return None
    # as `datasets` rounds
    return round(int(text[:-1]) * count / 100) if text.endswith("%") else int(text)


def parts(folder: Path, names: str) -> list[Part]:
    """The files of "a+b[:10]"."""
    return [Part(folder / f"{name.partition('[')[0]}.parquet", name) for name in names.split("+")]


@dataclass(frozen=True)
class Place:
    """A source's rows in a local folder."""

    source: Source  # with the layout's folder, names and splits
    columns: dict[str, str] = field(default_factory=dict)

    def folder(self, root: str, language: str) -> Path:
        return Path(root) / self.source.local.format(
            language=language, name=self.source.name(language)
        )


def state(root: str) -> tuple[str, Hashable]:
    """The layout's file, "" if there is none, and what changes with it."""
    own = os.path.join(root, FILE)
    if os.path.lexists(own):
        return own, parquet.stamp(own)
    shipped, known_by = _shipped(os.path.basename(os.path.normpath(root)))
    if shipped and all(os.path.isfile(os.path.join(root, name)) for name in known_by):
        return shipped, SHIPPED
    return "", ""


@lru_cache(maxsize=64)
def _shipped(name: str) -> tuple[str, tuple[str, ...]]:
    """The layout that this code has for a folder of that name, "" if it has none, and by which
    files the folder is known."""
    path = Path(__file__).parent / "layouts" / f"{name}.toml"
    return (str(path), tuple(_toml(path)["known_by"])) if path.is_file() else ("", ())


def _toml(path: Path) -> dict:
    try:
        if parquet.regular(path).st_size > LARGEST:
            raise UserError(f"{path}: more than {LARGEST} bytes, which is no layout")
        text = path.read_text(encoding="utf-8")
        # minutes are needed for a.a.a.a. and so on
        if any(line.count(".") > 200 for line in text.split("\n")):
            raise UserError(f"{path}: a line with more than 200 dots, which is no layout")
        return tomllib.loads(text)
    except (OSError, RecursionError) as error:
        raise UserError(f"{path}: not readable ({type(error).__name__})") from error
    except UserError:
        raise
    except ValueError as error:  # no TOML, or no UTF-8
        raise UserError(f"{path}: not readable ({str(error)[:500]})") from error


@lru_cache(maxsize=64)
def _layout(path: str, changed: Hashable) -> dict[str, dict]:
    if not path:
        return {}
    layout = _toml(Path(path))
    if changed == SHIPPED:
        del layout["known_by"]
    known = {source.local for row in TASKS.values() for source in row.sources}
    for pattern, part in layout.items():
        if pattern not in known:
            raise UserError(
                f"{path}: {pattern[:200]!r} is not a folder of the task table; known: "
                f"{', '.join(sorted(known))}"
            )
        for key, value in (part if isinstance(part, dict) else {"": part}).items():
            problem = (
                CHECKS[key](value)
                if key in CHECKS
                else "known are folder (text), splits, names and columns (tables of text)"
            )
            if problem:
                raise UserError(
                    f"{path}: {pattern}: {key[:200]} = {reprlib.repr(value)}: {problem}"
                )
    return layout


def _outside(name: object, deep: bool = False) -> str:
    """What is wrong with a name of a file or folder (deep: or of several, one in the other); "" if
    nothing is."""
    if not isinstance(name, str) or not name:
        return f"{reprlib.repr(name)} is not a name"
    if (
        Path(name).is_absolute()
        or ".." in Path(name).parts
        or not name.isprintable()
        or not deep
        and ("/" in name or name == ".")
        or len(name) > 200
    ):
        return f"{ascii(name[:200])} is not a name within this folder"
    return ""


def _braces(text: str, *known: str) -> str:
    left = text
    for name in known:
        left = left.replace(f"{{{name}}}", "")
    return (
        f"{text[:200]!r} has other braces than {' and '.join(known)}"
        if "{" in left or "}" in left
        else ""
    )


def _folder(value: Any) -> str:
    return "" if value == "" else _outside(value, deep=True) or _braces(value, "language", "name")


def _table(value: object) -> str:
    if not isinstance(value, dict):
        return "not a table of text"
    return next((problem for name in value if (problem := _outside(name))), "")


def _splits(value: Any) -> str:
    problem = _table(value)
    for split, names in value.items() if not problem else ():
        if split not in SPLITS:
            return f"{split[:200]!r} is no split; known: {', '.join(SPLITS)}"
        for name in names if isinstance(names, list) and names else [names]:
            problem = problem or _outside(name) or _braces(name, "language") or _cut(name)
    return problem


def _cut(names: str) -> str:
    for name in names.split("+"):
        found = CUT.fullmatch(name)
        if not found:
            return (
                f"{name[:200]!r} is neither a file's name nor rows of it: write train, "
                "train[:-300], train[10%:50%] or train[0::2]; a step is 1 or more, and one row "
                "alone is train[5:6]"
            )
        ends = [end for end in (found["first"], found["end"]) if end]
        percents = [int(end[:-1]) for end in ends if end.endswith("%")]
        if percents and len(percents) < len(ends):
            return f"{name[:200]!r} mixes rows and percent"
        if any(abs(percent) > 100 for percent in percents):
            return f"{name[:200]!r} has more than 100 %"
    return ""


def _names(value: Any) -> str:
    problem = _table(value)
    for name in value.values() if not problem else ():
        problem = problem or _outside(name)
    twice = (
        [] if problem else [name for name, count in Counter(value.values()).items() if count > 1]
    )
    return problem or (f"{twice[0]!r} stands for two languages" if twice else "")


def _columns(value: object) -> str:
    if not isinstance(value, dict):
        return "not a table of text"
    wrong = [name for name in value.values() if not isinstance(name, str) or not name]
    return f"{reprlib.repr(wrong[0])} is not the name of a column" if wrong else ""


CHECKS = {"folder": _folder, "splits": _splits, "names": _names, "columns": _columns}


def _translated(row: Task) -> list[Source]:
    module = row.module
    if not module.TRANSLATED:
        return []
    return [
        Source(
            "",
            "",
            "; ".join(sorted({source.licence for source in row.sources})),
            f"translated/{row.name}/{{language}}",
            languages=(),
            read=columns.translated(module.TRANSLATED),
            label_column="-" if module.LABELS == "number" else "label",
            splits={"test": ()},
        )
    ]


def places(row: Task, root: str) -> list[Place]:
    """The task's sources as the folder has them, and last what `translate` has put there."""
    found, layout = [], _layout(*state(root))
    for source in (*row.sources, *_translated(row)):
        part = layout.get(source.local, {})
        splits = {
            ours: (
                *([theirs] if isinstance(theirs, str) else theirs),
                *source.splits.get(ours, (ours,)),
            )
            for ours, theirs in part.get("splits", {}).items()
        }
        found.append(
            Place(
                dataclasses.replace(
                    source,
                    local=part.get("folder", source.local),
                    names=source.names | part.get("names", {}),
                    splits={**source.splits, **splits},
                ),
                part.get("columns", {}),
            )
        )
    return found
