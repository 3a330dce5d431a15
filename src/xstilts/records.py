"""Recorded results: a finished run's scores in a small file of the project, named by the run's key.

    record(runs, root)      # store -> book/recorded/<key>.json
    find(run)               # what was recorded of exactly this run, or None

Trainings are large and scores are small. A record has each score with its n, metric and baseline, what the run cost,
where and when it was computed. Of synthetic rows it also has which examples were right, so that differences stay
paired; of real rows it has no trace but the scores. The key is the run's own, so another parameter, other rows or
another recipe find nothing here. A record of an earlier scoring says so (`history`) and is shown until its run is
computed anew. Folder: XSTILTS_RECORDS, else `book/recorded` of the project.
"""
from __future__ import annotations

import io
import json
import math
import os
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from . import store
from .data.mini import dials
from .spec import Adapt, Base, Run, Score, UserError, each_once, key
from .tasks import TASKS

WHERE = ["task", "language", "metric", "layer"]
PARTS = ["numerator", "denominator"]


def folder() -> Path:
    given = os.environ.get("XSTILTS_RECORDS")
    return Path(given).expanduser() if given else store.project() / "book" / "recorded"


def record(runs: Iterable[Run], root: Path) -> list[Path]:
    """Writes what the store has of the runs; returns the new files. A record stays until it is deleted: what the same run
    came to on another machine is noted beside it (`repeats`). Only one of an earlier scoring gives way."""
    written = []
    folder().mkdir(parents=True, exist_ok=True)
    for run in each_once(runs):
        there, path = store.find(root, run), folder() / f"{key(run)}.json"
        if there and (not path.is_file() or history(run)):
            path.write_text(json.dumps(_of(run, there), indent=1, ensure_ascii=False) + "\n")
            written.append(path)
    return written


def history(run: Run) -> str:
    """By which earlier scoring the run's record is, in words; "" where it is by today's, or there is none."""
    return (find(run) or {}).get("history", "")


def unrecorded(runs: Iterable[Run]) -> list[Run]:
    """Those of the runs that have no record."""
    return [run for run in runs if not find(run)]


def source(runs: Iterable[Run], root: Path) -> dict[str, list[Run]]:
    """Runs, each once, by where their results are from: "live" (the store), "recorded", "not run"."""
    found: dict[str, list[Run]] = {"live": [], "recorded": [], "not run": []}
    for run in each_once(runs):
        found["live" if store.find(root, run) else "recorded" if find(run) else "not run"].append(run)
    return found


def said(runs: Iterable[Run], root: Path) -> str:
    """The same in words, with the machines and days of what was recorded, and what of it is by an earlier scoring."""
    found = source(runs, root)
    places = sorted({f"{record['environment']['device']} ({record['environment']['machine']}), {record['written'][:10]}"
                     for record in map(find, found["recorded"])})
    earlier = Counter(filter(None, map(history, found["recorded"])))
    return " · ".join([f"runs: {len(found['live'])} live", f"{len(found['recorded'])} recorded" +
                       (f" ({'; '.join(places)})" if places else ""),
                       *(f"{count} of these are history: {words}" for words, count in earlier.items()),
                       f"{len(found['not run'])} not run"])


def find(run: Run) -> dict | None:
    """The record of a run. UserError for a file that is none."""
    path, changed = _file(run)
    return _read(path, changed) if changed else None


def scores(run: Run) -> pd.DataFrame:
    """A recorded run's scores.csv."""
    return _scores(*_file(run)).copy()


def examples(run: Run) -> pd.DataFrame:
    """A recorded run's numerators and denominators of its main metric, as in `results.examples`; no rows where they were
    not kept."""
    return _examples(*_file(run)).copy()


def dev(run: Adapt | Score, there: Path | None) -> float:
    """A training's last score on dev rows, or with patience the best, whose model was kept; from its artifact, else its record.
    What was measured at step 0 is of a head that knew nothing yet, and is no score: NaN where there is no other."""
    if there:
        log = [json.loads(line) for line in (there / "log.jsonl").read_text().splitlines()]
        measured = [entry["dev"] for entry in log if entry["step"] and entry.get("dev") is not None]
        return (max(measured) if run.recipe.patience else measured[-1]) if measured else math.nan
    return (find(run) or {}).get("dev", math.nan)


def pack(values: np.ndarray) -> float | str:
    """One number for all, hex digits for noughts and ones, else numbers with spaces between: small, and to the last digit."""
    values = np.asarray(values, float)
    if len(set(values)) == 1:
        return _plain(values[0])
    if set(values) == {0.0, 1.0}:
        return format(int("".join(str(int(value)) for value in values), 2), "x")
    return " ".join(str(_plain(value)) for value in values)


def unpack(packed: float | str, n: int) -> np.ndarray:
    if not isinstance(packed, str):
        return np.full(n, float(packed))
    if " " in packed:
        return np.array(packed.split(), float)
    return np.array([float(digit) for digit in format(int(packed, 16), f"0{n}b")])


def _plain(value: float) -> float:
    return int(value) if float(value).is_integer() else float(value)


def _of(run: Run, there: Path) -> dict:
    made = store.manifest(there)
    found = {name: made[name] for name in ("key", "label", "parents", "seconds", "written", "environment")}
    if isinstance(run, Base):
        return found
    found["scores"] = (there / "scores.csv").read_text().splitlines()
    if (there / "log.jsonl").is_file():
        measured = dev(run, there)
        found |= {} if math.isnan(measured) else {"dev": measured}
    if isinstance(run, Score) and dials.is_mini(run.data):     # made up by this code: nothing of anybody's rows
        table = pd.read_parquet(there / "examples.parquet")
        table = table[table.metric == table.task.map(lambda name: TASKS[name].metric)]
        found["examples"] = [dict(zip(WHERE, where, strict=True)) | {"n": len(part), "numerator": pack(part.numerator),
                                                                     "denominator": pack(part.denominator)}
                             for where, part in table.sort_values("example").groupby(WHERE, sort=False)]
    return found


def _file(run: Run) -> tuple[Path, int]:
    """Where the run's record is, and when it was written; 0: there is none."""
    path = folder() / f"{key(run)}.json"
    return path, path.stat().st_mtime_ns if path.is_file() else 0


# the chapters of a book share a process, and many ask for the same runs
@lru_cache(maxsize=4096)
def _scores(path: Path, changed: int) -> pd.DataFrame:
    return pd.read_csv(io.StringIO("\n".join(_read(path, changed)["scores"])))


@lru_cache(maxsize=4096)
def _examples(path: Path, changed: int) -> pd.DataFrame:
    return pd.DataFrame([{name: part[name] for name in WHERE} | {name: unpack(part[name], part["n"]) for name in PARTS}
                         for part in _read(path, changed).get("examples", ())], columns=[*WHERE, *PARTS])


@lru_cache(maxsize=4096)
def _read(path: Path, changed: int) -> dict:
    try:
        found = json.loads(path.read_text())
        if found["key"] != path.stem:
            raise ValueError(f"it has the key {found['key']}")
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no record: {error}; take it from the repository again, or delete it") from error
    return found
