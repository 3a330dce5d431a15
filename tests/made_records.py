"""Artifacts with scores that nobody computed, as runs write them: records of every form without a
training."""

import itertools
import json

import numpy as np
import pandas as pd

from xstilts.runs import credible, environment, scoring, store
from xstilts.runs.key import Adapt, Base, key, training
from xstilts.tasks import metrics
from xstilts.tasks.table import TASKS


def artifact(root, run, seed=0, n=12):
    """The run's folder in the store."""
    with store.writing(root, run) as folder:
        if not isinstance(run, Base):
            _scores(folder, run, np.random.default_rng(seed), n)
        if before := training(run):
            told = {"key": key(before), "label": "", "run": {}, "parents": [], "sha256": {}}
            told |= {"seconds": 7.5, "written": "", "environment": environment.environment()}
            (folder / store.TRAINING).write_text(json.dumps(told))
    return store.find(root, run)


def _scores(folder, run, draw, n):
    scores, examples = [], []
    split = "validation" if isinstance(run, Adapt) else run.split
    for name in run.reads if isinstance(run, Adapt) else (run.target,):
        task = TASKS[name]
        layers = range(3) if task.untrained else [scoring.NO_LAYER]
        for language, layer, metric in itertools.product(
            credible._languages(run, name), layers, credible._metrics(task)
        ):
            where = {"task": name, "language": language, "metric": metric, "layer": layer}
            pairs = _pairs(task, metric, draw, n)
            examples.append(
                pd.DataFrame(pairs, columns=credible.PARTS).assign(
                    **where,
                    example=range(n),
                    **{"unit": np.arange(n) // 3} if task.kind == "span" else {},
                )
            )
            scores.append(
                {
                    **where,
                    "split": split,
                    "value": metrics.value(pairs),
                    "n": n,
                    "of": 40,
                    "baseline": 25.0 if metric.startswith(task.metric) else float("nan"),
                }
            )
    pd.DataFrame(scores).to_csv(folder / "scores.csv", index=False)
    pd.concat(examples).to_parquet(folder / "examples.parquet", index=False)
    if not (name in TASKS and TASKS[name].untrained):
        (folder / "log.jsonl").write_text(json.dumps({"step": 20, "dev": 62.5}) + "\n")


def _pairs(task, metric, draw, n):
    if task.kind in ("tag", "mine"):
        below = draw.integers(1, 30, n)
        return [(2 * draw.integers(0, most // 2 + 1), most) for most in below]
    right = draw.integers(0, 2, n)
    return [
        (value * (2 / 3 if metric == "F1" and number % 3 else 1), 1)
        for number, value in enumerate(right)
    ]
