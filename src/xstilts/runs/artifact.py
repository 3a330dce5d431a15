"""The folder of a finished run, as another machine, another user or a full disk may leave it.

    damaged(folder)                                    # what is wrong with it, or ""
    manifest(folder);  log(folder);  scores(folder)    # what it says; UserError: not readable

A file is a regular one. A link is not followed, a pipe or a device is not opened, and a folder is
no file: each is damage.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xstilts import files
from xstilts.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

MANIFEST, LOG, SCORES = "run.json", "log.jsonl", "scores.csv"
LARGEST = 1 << 24  # bytes of a file of JSON: ours have some thousands
PARTS = {
    "key": str,
    "label": str,
    "run": dict,
    "parents": list,
    "seconds": (int, float),
    "written": str,
    "environment": dict,
}
# of the environment, what tables read
PLACE = {"device": str, "machine": str, "cpu": str, "threads": int, "bf16": bool}
TEXTS, NUMBERS = ("task", "language", "metric", "split"), ("layer", "value", "n", "baseline")

# artifacts do not change: one check a process is enough; of a damaged one, one a process and state
verified: set[tuple[Path, int, int] | None] = set()
_faults: dict[tuple[Path, str], str] = {}


def from_json(path: Path) -> Any:
    """What a small file of JSON says. ValueError and OSError where it is none."""
    with files.opened(path) as file:
        text = file.read(LARGEST + 1)
    if len(text) > LARGEST:
        raise ValueError(f"it has more than {LARGEST >> 20} MB")
    return files.parsed(text)


def checksums(made: Any) -> dict[str, str]:
    """{name of a file: its sha256}, from a manifest. ValueError where it has none, or names that
    lead out of the folder."""
    sums = made.get("sha256") if isinstance(made, dict) else None
    if not isinstance(sums, dict) or not all(isinstance(value, str) for value in sums.values()):
        raise ValueError("it has no checksums")
    for name in sums:
        if not name or name.startswith("/") or ".." in name.split("/"):
            raise ValueError(f"{name!r} is not in the folder")
    return sums


def _lacking(made: dict) -> str:
    """What a manifest lacks for those who read it, or ""."""
    wanted: tuple[tuple[dict, dict[str, Any]], ...] = (
        (made, PARTS),
        (made.get("environment") or {}, PLACE),
    )
    for values, parts in wanted:
        for name, kind in parts.items():
            value = values.get(name)
            if not isinstance(value, kind) or isinstance(value, bool) and kind is not bool:
                return f"{name} is missing" if value is None else f"{name} is of another type"
    if not 0 <= made["seconds"] < 1e9:
        return f"{made['seconds']} seconds"
    if not 1 <= made["environment"]["threads"] < 1 << 20:
        return f"{made['environment']['threads']} threads"
    return "" if all(type(parent) is str for parent in made["parents"]) else "a parent is no key"


def manifest(folder: Path, name: str = MANIFEST) -> dict:
    """What run.json says, or a copy of one: PARTS. UserError where it is not readable."""
    try:
        checksums(made := from_json(folder / name))
        if lacking := _lacking(made):
            raise ValueError(lacking)
    except (ValueError, OSError) as error:
        raise UserError(f"{folder / name} is not readable: {_words(error)}") from error
    return made


def damaged(folder: Path, name: str = "") -> str:
    """What is wrong with the artifact of the run `name`, by default that of the folder's name; or
    "". UserError where this user may not read it, for then it may be whole."""
    try:
        if not stat.S_ISDIR(mode := os.lstat(folder).st_mode):
            return f"it is {files.kind(mode)}"
        if seen(folder) in verified:
            return ""
        there = files.contents(folder)
        found = sorted(
            (path, at.st_mode, at.st_size, at.st_mtime_ns, at.st_ino) for path, at in there.items()
        )
        state = folder, hashlib.sha256(repr(found).encode()).hexdigest()
        if state not in _faults:
            fault = _fault(folder, name or folder.name, there)
            if not fault:
                verified.add(seen(folder))
                return ""
            _faults[state] = fault
        return _faults[state]
    except PermissionError as error:
        raise UserError(
            f"{error.filename}: this user may not read it. Ask its owner for the right to (chmod "
            "-R g+rX), or set XSTILTS_STORE to another folder"
        ) from error
    except OSError as error:
        return f"{Path(error.filename or folder).name} cannot be read: {error.strerror}"


def seen(folder: Path) -> tuple[Path, int, int] | None:
    """What stands for an artifact that was verified; None where it has no manifest."""
    try:
        status = os.lstat(f"{folder}/{MANIFEST}")
    except OSError:
        return None
    return folder, status.st_mtime_ns, status.st_ino


def _fault(folder: Path, key: str, there: dict[str, os.stat_result]) -> str:
    for name, status in there.items():
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            return f"{name} is {files.kind(status.st_mode)}"
    if MANIFEST not in there:
        return f"{MANIFEST} is missing"
    try:
        sums = checksums(made := from_json(folder / MANIFEST))
    except PermissionError:
        raise
    except (ValueError, OSError) as error:
        return f"{MANIFEST} is not readable: {_words(error)}"
    if made.get("key") != key:
        return f"it is the artifact of {made.get('key')!r}"
    for name, checksum in sums.items():
        if name not in there:
            return f"{name} is missing"
        if stat.S_ISDIR(there[name].st_mode):
            return f"{name} is a folder"
        if sha256(folder / name) != checksum:
            return f"{name} has changed"
    around = {str(above) for name in sums for above in Path(name).parents}
    if foreign := {*there} - {*sums, *around, MANIFEST}:
        return f"{min(foreign)} was added"
    lacking = _lacking(made)
    return f"{MANIFEST} is not readable: {lacking}" if lacking else ""


def sha256(path: Path) -> str:
    with files.opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def log(folder: Path) -> list[dict]:
    """A training's log, an entry a line: step, and numbers of that step. UserError where it is not
    readable."""
    entries: list[dict] = []
    try:
        with files.opened(folder / LOG) as file:
            for line in file:
                # a score of nothing is NaN, and stands so in the log
                entry = json.loads(line, object_pairs_hook=files.each_once)
                if not isinstance(entry, dict) or not _is_entry(entry):
                    raise ValueError(f"line {len(entries) + 1} is no entry")
                entries.append(entry)
    except (ValueError, OSError, RecursionError) as error:
        raise UserError(f"{folder / LOG} is not readable: {_words(error)}") from error
    return entries


def _is_entry(entry: dict) -> bool:
    numbers = all(value is None or type(value) in (int, float) for value in entry.values())
    scored = numbers and (entry.get("dev") is None or _is_score(entry["dev"]))
    return scored and type(entry.get("step")) is int


def scores(folder: Path) -> pd.DataFrame:
    """A run's scores.csv, whose values are 0 to 100, or NaN of nothing. UserError where it is not
    readable."""
    import pandas as pd  # half a second, which who only lists the store need not wait

    try:
        with files.opened(folder / SCORES) as file:
            table = pd.read_csv(file)
        if lacking := [name for name in (*TEXTS, *NUMBERS) if name not in table]:
            raise ValueError(f"it has no {lacking[0]}")
        if not isinstance(table.index, pd.RangeIndex):
            raise ValueError("its rows have more columns than its head")
        if not all(isinstance(text, str) for name in TEXTS for text in table[name]):
            raise ValueError("a name is missing")
        whole = all(table[name].dtype.kind == "i" for name in ("layer", "n", *({"of"} & {*table})))
        numbers = all(table[name].dtype.kind in "if" for name in NUMBERS)
        if not whole or not numbers or (table.n < 0).any():
            raise ValueError("a number is none")
        if not all(_is_score(value) for name in ("value", "baseline") for value in table[name]):
            raise ValueError("a score is not between 0 and 100")
        if table.duplicated(["task", "language", "metric", "layer"]).any():
            raise ValueError("a score is there twice")
    except (ValueError, OSError) as error:
        raise UserError(f"{folder / SCORES} is not readable: {_words(error)}") from error
    return table


def _is_score(value: float) -> bool:
    return math.isnan(value) or 0 <= value <= 100 + 1e-6


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
