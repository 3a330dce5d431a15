"""Recorded results: a finished run's scores in a small file of the project, named by the run's key.

    record(runs, root)      # store -> book/recorded/<key>.json
    find(run)               # what was recorded of exactly this run, or None

Trainings are large and scores are small. A record has each score with its n, metric and baseline,
what the run cost, where and when it was computed, and each example's numerator and denominator of
the main metric, so that differences stay paired, and the number of its paragraph where several have
one. These are
figures: no row, no text and no name of a row is kept, so real rows have records like made-up ones.
Where a record would be larger than 64 MB it has scores alone. The key is the run's own, so another
parameter, other rows or another recipe find nothing here. A record that cannot be true of its run
is refused by name (`credible`). A record of an earlier scoring says so (`history`) and is shown
until its run is computed anew. Folder: XSTILTS_RECORDS, else `book/recorded` of the project."""

from __future__ import annotations

import io
import json
import math
import os
import secrets
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from xstilts import settings
from xstilts.errors import UserError, visible
from xstilts.runs import artifact, credible, failures, store
from xstilts.runs.credible import PARTS, UNIT, WHERE, pack, unpack
from xstilts.runs.key import Adapt, Base, Run, Score, each_once, key, label, training
from xstilts.tasks.table import TASKS

LARGEST = 64 << 20  # bytes of a record


def folder() -> Path:
    """Where records are kept (`settings.records`)."""
    return settings.records()


def record(runs: Iterable[Run], root: Path) -> list[Path]:
    """Writes what the store has of the runs; returns the new files. A record stays until it is
    deleted: what the same run came to on another machine is noted beside it (`repeats`). Only one
    of an earlier scoring gives way. UserError for a file that is no record, and where one cannot be
    written."""
    written = []
    for run in each_once(runs):
        there = store.find(root, run)
        if there and (not find(run) or history(run)):
            found, (path, _) = _of(run, there), _file(run)
            try:
                credible.check(found, run)
            except ValueError as error:
                raise UserError(
                    f"{label(run)} cannot be recorded from {there}: {error}. Take it out of the "
                    "store, and "
                    "compute it again"
                ) from error
            text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
            if len(text) > LARGEST:  # BUCC's full lists, at every layer of a large encoder
                found = credible.seal({name: found[name] for name in found if name != "examples"})
                text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
            write(path, text)
            written.append(path)
    return written


def write(path: Path, text: str) -> None:
    """Writes a file of records: the whole of it or nothing. UserError says why it cannot be
    written."""
    beside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(beside, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        full = error.errno in failures.NO_ROOM
        raise (failures.NoRoom if full else UserError)(
            f"{path} cannot be written: {error.strerror}. What was recorded before is whole. "
            + ("Make room" if full else "See to it")
            + ", and record again"
        ) from error


def history(run: Run) -> str:
    """By which earlier scoring the run's record is, in words; "" where it is by today's, or there
    is none."""
    return (find(run) or {}).get("history", "")


def unrecorded(runs: Iterable[Run]) -> list[Run]:
    """Those of the runs that have no record."""
    return [run for run in runs if not find(run)]


def source(runs: Iterable[Run], root: Path) -> dict[str, list[Run]]:
    """Runs, each once, by where their results are from: "live" (the store), "recorded", "not
    run"."""
    found: dict[str, list[Run]] = {"live": [], "recorded": [], "not run": []}
    for run in each_once(runs):
        found["live" if store.find(root, run) else "recorded" if find(run) else "not run"].append(
            run
        )
    return found


def said(runs: Iterable[Run], root: Path) -> str:
    """The same in words, with the machines and days of what was recorded, and what of it is by an
    earlier scoring."""
    found = source(runs, root)
    places = sorted(
        {
            f"{record['environment']['device']} ({record['environment']['machine']}), "
            f"{record['written'][:10]}"
            for record in filter(None, map(find, found["recorded"]))
        }
    )
    earlier = Counter(filter(None, map(history, found["recorded"])))
    return visible(
        " · ".join(
            [
                f"runs: {len(found['live'])} live",
                f"{len(found['recorded'])} recorded"
                + (f" ({'; '.join(places)})" if places else ""),
                *(f"{count} of these are history: {words}" for words, count in earlier.items()),
                f"{len(found['not run'])} not run",
            ]
        )
    )


def find(run: Run) -> dict | None:
    """The record of a run. UserError for a file that is none, or that does not fit the run."""
    path, changed = _file(run)
    return _read(path, changed, run) if changed else None


def scores(run: Run) -> pd.DataFrame:
    """A recorded run's scores.csv."""
    return _scores(*_file(run), run).copy()


def examples(run: Run) -> pd.DataFrame:
    """A recorded run's numerators and denominators of its main metric, as in `results.examples`; no
    rows where they were not kept."""
    return _examples(*_file(run), run).copy()


def dev(run: Adapt | Score, there: Path | None) -> float:
    """The last score on dev rows of a training, or of that of a score's target; with patience the
    best, whose model was kept. From the run's artifact, else its record. What was measured at step
    0 is of a head that knew nothing yet, and is no score: NaN where there is no other."""
    if there:
        measured = [
            entry["dev"]
            for entry in artifact.log(there)
            if entry["step"] and entry.get("dev") is not None
        ]
        patient = (training(run) or run).recipe.patience
        return (max(measured) if patient else measured[-1]) if measured else math.nan
    return (find(run) or {}).get("dev", math.nan)


def training_seconds(run: Run, there: Path | None) -> float:
    """What the training of a score's target took, from the score's artifact, else its record. 0
    where there is none, or the seconds of the run itself include it, as in older records."""
    if there:
        return artifact.manifest(there, store.TRAINING)["seconds"] if training(run) else 0.0
    return (find(run) or {}).get("training", 0.0)


def _of(run: Run, there: Path) -> dict:
    made = store.manifest(there)
    found = {
        name: made[name]
        for name in ("key", "label", "parents", "seconds", "written", "environment")
    }
    found["label"] = visible(found["label"])
    if isinstance(run, Base):
        return credible.seal(found)
    found["scores"] = (there / artifact.SCORES).read_text().splitlines()
    if (there / artifact.LOG).is_file():
        measured = dev(run, there)
        found |= {} if math.isnan(measured) else {"dev": measured}
    if training(run):
        found["training"] = training_seconds(run, there)
    if isinstance(run, Score):
        table = pd.read_parquet(there / "examples.parquet")
        table = table[table.metric == table.task.map(lambda name: TASKS[name].metric)]
        found["examples"] = [
            dict(zip(WHERE, where, strict=True))
            | {
                "n": len(part),
                "numerator": pack(part.numerator),
                "denominator": pack(part.denominator),
            }
            | _units(part)
            for where, part in table.sort_values("example").groupby(WHERE, sort=False)
        ]
    return credible.seal(found)


def _units(part: pd.DataFrame) -> dict[str, float | str]:
    """The numbers of paragraphs, where one of them has several examples."""
    return {UNIT: pack(part[UNIT])} if UNIT in part and part[UNIT].duplicated().any() else {}


def _file(run: Run) -> tuple[Path, int]:
    """Where the run's record is, and when it was written; 0: there is none."""
    path = folder() / f"{key(run)}.json"
    return path, path.stat().st_mtime_ns if path.is_file() else 0


# the chapters of a book share a process, and many ask for the same runs
@lru_cache(maxsize=4096)
def _scores(path: Path, changed: int, run: Run) -> pd.DataFrame:
    return pd.read_csv(io.StringIO("\n".join(_read(path, changed, run)["scores"])))


@lru_cache(maxsize=4096)
def _examples(path: Path, changed: int, run: Run) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {name: part[name] for name in WHERE}
            | {name: unpack(part[name], part["n"]) for name in PARTS}
            | {UNIT: part.get(UNIT, np.arange(part["n"], dtype=float))}
            for part in _believed(path, changed, run)[1]
        ],
        columns=[*WHERE, *PARTS, UNIT],
    )


def _read(path: Path, changed: int, run: Run) -> dict:
    return _believed(path, changed, run)[0]


@lru_cache(maxsize=4096)
def _believed(path: Path, changed: int, run: Run) -> tuple[dict, list[dict]]:
    """A record and its examples."""
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"it has more than {LARGEST >> 20} MB")
        found = credible.parsed(path.read_text(encoding="utf-8"))
        return found, credible.check(found, run)
    except (ValueError, OSError) as error:
        raise UserError(
            visible(
                f"{path} is no record: {error}; take it from the repository again, or delete it "
                "and record "
                f"{label(run)} again"
            )
        ) from error
