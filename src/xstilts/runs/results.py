"""What runs came to, from the store or else from their records: tidy tables, and what an artifact
has beside its scores.

found = study.obtain(asked, wanted)     # {(condition, target, seed): Score}
table = scores(found)                   # a row a condition, target, language, metric, layer, seed
history(run);  predictions(run)         # of a run that is in the store
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts.errors import UserError
from xstilts.runs import artifact as stored
from xstilts.runs import failures, records, scoring, store
from xstilts.runs.key import Adapt, Base, Run, Score, Wanted, each_once, key, label
from xstilts.tasks.table import TASKS


def scores(wanted: Wanted, root: Path | None = None) -> pd.DataFrame:
    """Scores, tidy: condition, target, seed, language, metric, layer (-1: not of one layer), value
    0-100, n, of (rows that the split has), baseline 0-100 (chance or majority), key, state. A run
    without a result has one row without a value, whose state is "diverged", "failed" or "not run";
    elsewhere state is ""."""
    root = root or store.default_root()
    return _of_cells(wanted, [_scores(root, run) for run in wanted.values()], with_keys=True)


def examples(wanted: Wanted, root: Path | None = None) -> pd.DataFrame:
    """What intervals are computed from: a row a run, language, metric and layer, whose numerator
    and denominator are arrays of a number an example, and whose unit has the number of each
    example's paragraph. None of runs without a result, nor in older records of real rows."""
    root = root or store.default_root()
    there = {cell: run for cell, run in wanted.items() if has(run, root)}
    if not there:
        return pd.DataFrame(
            columns=[*records.WHERE, *records.PARTS, records.UNIT, "condition", "target", "seed"]
        )
    # each of thousands of estimates goes through the words row by row, which takes pandas' strings
    # ten times as long
    return _of_cells(there, [_examples(root, run) for run in there.values()]).astype(
        dict.fromkeys(("task", "language", "metric", "condition", "target"), object)
    )


def _of_cells(
    wanted: Wanted, tables: Sequence[pd.DataFrame], with_keys: bool = False
) -> pd.DataFrame:
    """The tables of the runs under each other, with the cell of each row: at once, for a column
    that is added to each of hundreds of tables takes longer than all else."""
    cells = [(*cell, key(run)) for cell, run in wanted.items()]
    rows = [cell for cell, table in zip(cells, tables, strict=True) for _ in range(len(table))]
    found = pd.concat(tables, ignore_index=True)
    for place, name in enumerate(("condition", "target", "seed", "key")[: 3 + with_keys]):
        found[name] = pd.Series([cell[place] for cell in rows], found.index)
    return found


def overlap(wanted: Wanted, root: Path | None = None) -> pd.DataFrame:
    """Scored rows that are among the target's training rows: a row a target, with the number of
    scored rows in all languages, and of those that are there exactly, and but for case and
    punctuation. The most that any of the runs has; none of runs that are only recorded."""
    root, found = root or store.default_root(), []
    for (_, target, _), run in wanted.items():
        folder = store.find(root, run)
        if not folder:
            continue
        counts = pd.read_csv(folder / "counts.csv")
        counts = counts[counts.split == run.split].groupby("what")["count"].sum()
        if scoring.EXACT in counts:
            found.append(
                {
                    "target": target,
                    "rows": counts["rows"],
                    "exact": counts[scoring.EXACT],
                    "normalised": counts[scoring.NORMALISED],
                }
            )
    table = pd.DataFrame(found, columns=["target", "rows", "exact", "normalised"])
    return table.groupby("target", as_index=False, sort=False).max()


def has(run: Run, root: Path | None = None) -> bool:
    """The run's scores are in the store or recorded."""
    return bool(store.find(root or store.default_root(), run) or records.find(run))


def lost(wanted: Iterable[Run], root: Path | None = None) -> pd.DataFrame:
    """Of the runs asked for, those without a result: run, what (failed, diverged), why. Empty where
    all is well."""
    root = root or store.default_root()
    return pd.DataFrame(
        [
            {"run": label(run), **failure._asdict()}
            for run in each_once(wanted)
            if (failure := failures.known(root, run)) and not has(run, root)
        ],
        columns=["run", "what", "why"],
    )


def finished(wanted: Mapping[Any, Run], root: Path | None = None) -> dict[Any, Run]:
    """Those of the named runs that are in the store, with their logs and predictions, which a
    record does not have. UserError if none is."""
    root = root or store.default_root()
    there = {name: run for name, run in wanted.items() if store.find(root, run)}
    if wanted and not there:
        failure = failures.known(root, next(iter(wanted.values())))
        raise UserError(
            "none of these runs has a result; the first: "
            f"{failure.why if failure else 'call compute first'}"
        )
    return there


def made(run: Run, root: Path | None = None) -> dict:
    """How a run was made, from the store or its record: seconds, written (when), environment
    (where)."""
    folder = store.find(root or store.default_root(), run)
    if folder:
        return store.manifest(folder)
    record = records.find(run)
    assert record is not None  # else the run has no result
    return record


def seconds(run: Run, root: Path | None = None) -> float:
    """What the run itself took; of a score without its target's training."""
    return made(run, root)["seconds"]


def training_seconds(run: Run, root: Path | None = None) -> float:
    """What the training of a score's target took; 0 where `seconds` includes it."""
    return records.training_seconds(run, store.find(root or store.default_root(), run))


def history(run: Run, root: Path | None = None) -> pd.DataFrame:
    """A training's log, or that of the training of a score's target: step, loss, learning_rate,
    seconds, dev (mean score on the dev rows)."""
    return pd.DataFrame(stored.log(artifact(run, root)))


def dev_scores(run: Adapt, root: Path | None = None) -> pd.DataFrame:
    """An adapted encoder's scores on its own tasks' validation rows, with its own heads."""
    return _scores(root or store.default_root(), run).drop(columns="state")


def last_dev(run: Adapt | Score, root: Path | None = None) -> float:
    """The last score of a training, or of that of a score's target, on English dev rows, or with
    patience the best, whose model was kept; NaN where none was measured after its first step."""
    return records.dev(run, store.find(root or store.default_root(), run))


def predictions(run: Run, root: Path | None = None) -> pd.DataFrame:
    """input, gold, prediction, task, language, example."""
    return pd.read_parquet(artifact(run, root) / "predictions.parquet")


def unlabelled(run: Score, root: Path | None = None) -> pd.DataFrame:
    """Predictions for an own target's rows without labels: language, example, input, prediction. No
    rows where there are none, or the run is only recorded."""
    folder = store.find(root or store.default_root(), run)
    if not folder or not (folder / scoring.UNLABELLED).is_file():
        return pd.DataFrame(columns=["language", "example", "input", "prediction"])
    return pd.read_parquet(folder / scoring.UNLABELLED)


def vocabulary_size(run: Base, root: Path | None = None) -> int:
    """Pieces in the encoder's vocabulary, special ones included."""
    return json.loads((artifact(run, root) / "config.json").read_text())["vocab_size"]


def artifact(run: Run, root: Path | None = None) -> Path:
    """The folder of a run that is in the store. UserError where it is not: why, if it failed."""
    root = root or store.default_root()
    folder = store.find(root, run)
    if not folder:
        if failure := failures.known(root, run):
            raise UserError(f"{label(run)} has no result: {failure.why}")
        raise UserError(f"{key(run)} is not in the store {root}: call compute first")
    return folder


def _scores(root: Path, run: Run) -> pd.DataFrame:
    folder, recorded = store.find(root, run), records.find(run)
    if isinstance(run, Score) and not folder and not recorded:
        failure = failures.known(root, run)
        return pd.DataFrame(
            [
                {
                    "task": run.target,
                    "language": "en",
                    "metric": TASKS[run.target].metric,
                    "layer": scoring.NO_LAYER,
                    "split": run.split,
                    "value": float("nan"),
                    "n": 0,
                    "baseline": float("nan"),
                    "state": failure.what if failure else "not run",
                }
            ]
        )
    table = records.scores(run) if recorded and not folder else stored.scores(artifact(run, root))
    return table.assign(state="")


def _examples(root: Path, run: Run) -> pd.DataFrame:
    if not store.find(root, run) and records.find(run):
        return records.examples(run)
    path = artifact(run, root) / "examples.parquet"
    return _stored_examples(path, path.stat().st_mtime_ns).copy()


@lru_cache(maxsize=1024)  # the chapters of a book share a process, and many ask for the same runs
def _stored_examples(path: Path, changed: int) -> pd.DataFrame:
    table = pd.read_parquet(path).sort_values("example")
    if records.UNIT not in table:  # of before units were kept
        table[records.UNIT] = table.example
    return pd.DataFrame(
        [
            dict(zip(records.WHERE, where, strict=True))
            | {name: part[name].to_numpy(float) for name in (*records.PARTS, records.UNIT)}
            for where, part in table.groupby(records.WHERE, sort=False)
        ]
    )
