"""Computes recorded runs again and compares.

    verify(study, 3)     # a row a run: recorded, again, difference, the tolerance, whether it is
                         within, when
    brief(study, 3)      # for the book: of cheap ones, others every day, and remembered while
                         nothing has changed

The run is computed anew with its target's training, whatever the store has of them; the encoder
that this starts from is taken from the store, or computed there. On the machine, versions and
threads of the record the scores must be the same to the last digit. Elsewhere numbers round
differently and two trainings drift apart: then the mean over languages may differ by TOLERANCE
points. A training near the threshold of learning its task at all can differ by more, and is then
reported as such."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pandas as pd
import torch

from xstilts import data
from xstilts.analysis import repeats
from xstilts.chapters import needed
from xstilts.runs import environment, execution, records, store
from xstilts.runs.key import Run, Score, each_once, key, starting_encoder, training
from xstilts.study import costs, graph
from xstilts.study.profiles import Study
from xstilts.study.workers import cluster, processes

EXACT, TOLERANCE = 1e-6, 5.0  # points; what moved further is in `repeats.table`
BRIEF = 10e12  # operations of a record that the book computes again: a minute on two cores
COLUMNS = [
    "run",
    "recorded",
    "again",
    "largest difference of a language",
    "machine",
    "tolerance",
    "within",
    "when",
]


def sample(study: Study, count: int, seed: int = 0, most: float = math.inf) -> list[Score]:
    """Recorded runs of the book, drawn at random: among those whose encoder the store has, for that
    is minutes; where these are too few, among all. most: operations, those of encoders that the
    store lacks included; where none costs so little, the cheapest is taken. Records of an earlier
    scoring are left out: computed again they would differ, and rightly."""
    recorded = {
        key(run): run
        for run in needed.needed("", study)
        if isinstance(run, Score) and records.find(run) and not records.history(run)
    }
    root = store.default_root()
    work = {
        name: costs.total([*graph.lacking([starting_encoder(run)], root), *anew(run)])
        for name, run in recorded.items()
    }
    affordable = sum(some <= most for some in work.values())
    order = sorted(sorted(work, key=lambda name: (work[name], name))[: max(1, affordable)])
    random.Random(seed).shuffle(order)
    order.sort(key=lambda name: not store.find(root, starting_encoder(recorded[name])))
    return [recorded[name] for name in order[:count]]


def anew(run: Score) -> list[Run]:
    """What is computed again: the run, after its target's training."""
    return [*filter(None, [training(run)]), run]


def left_out(study: Study) -> str:
    """How many records `sample` leaves out, and why; "" if none."""
    reasons = Counter(filter(None, map(records.history, each_once(needed.needed("", study)))))
    return "".join(f"Left out: {count} records ({why}).\n" for why, count in reasons.items())


def verify(study: Study, count: int, seed: int = 0) -> pd.DataFrame:
    """Mean main scores (0-100) as recorded and as computed again. No rows where nothing is
    recorded."""
    return _table(study, sample(study, count, seed), lambda run, again: again())


def brief(study: Study, count: int) -> pd.DataFrame:
    """The same of recorded runs that cost little. Every day others are drawn. What came out is
    remembered for this record, this code and this machine: a book that is built twice on a day has
    it from the first time, as `when` says."""
    here = _state()
    drawn = sample(study, count, seed=datetime.now(UTC).toordinal(), most=BRIEF)
    return _table(
        study,
        drawn,
        lambda run, again: data.kept(
            f"verified-{key(run)}-{_digest(here, records.find(run))}", again
        ),
    )


def _table(
    study: Study, drawn: list[Score], row: Callable[[Score, Callable[[], dict]], dict]
) -> pd.DataFrame:
    """row(run, again) of each: with `processes` on a CPU side by side in processes, which begin
    when the first is asked for."""
    name, _, place = study.scheduler.partition(":")
    if name != "processes" or torch.cuda.is_available():
        return pd.DataFrame(
            [row(run, partial(_again, study, run)) for run in drawn], columns=COLUMNS
        )
    todo = [step for run in drawn for step in anew(run)]
    alone, count = dataclasses.replace(study, scheduler="local"), cluster.workers(place, todo)
    count = min(count, max(1, len(drawn)))
    with (
        processes.pool(count) as pool,
        ThreadPoolExecutor(count) as threads,
    ):
        rows = threads.map(
            lambda run: row(run, lambda: pool.submit(_again, alone, run).result()), drawn
        )
        return pd.DataFrame(list(rows), columns=COLUMNS)


def _state() -> list:
    """What another answer could come from, beside the record: the machine and the code itself,
    whatever its commit."""
    machine = {name: value for name, value in environment.environment().items() if name != "code"}
    return [machine, [path.read_text() for path in sorted(Path(__file__).parents[1].rglob("*.py"))]]


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _again(study: Study, run: Score) -> dict[str, object]:
    record, threads, root = records.find(run), torch.get_num_threads(), store.default_root()
    assert record is not None  # only recorded runs are drawn
    encoder = starting_encoder(run)
    parent = graph.compute([encoder], root, study.scheduler)[key(encoder)]
    torch.set_num_threads(min(record["environment"]["threads"], os.cpu_count() or 1))
    try:
        here = environment.environment()
        with tempfile.TemporaryDirectory() as folder:
            for step in anew(run):
                place = Path(folder) / key(step)
                place.mkdir()
                execution.execute(step, place, parent)
                parent = place
            again = pd.read_csv(parent / "scores.csv")
    finally:
        torch.set_num_threads(threads)
    # the recipe's version is part of the key: another commit of the code promises the same
    same = all(here[name] == record["environment"].get(name) for name in here if name != "code")
    found = repeats.compared(study, run, again)
    difference = (
        found["largest difference of a language"]
        if same
        else abs(found["again"] - found["recorded"])
    )
    return found | {
        "machine": "as recorded" if same else "another",
        "tolerance": 0.0 if same else TOLERANCE,
        "within": "yes" if difference <= (EXACT if same else TOLERANCE) else "no",
        "when": f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
    }
