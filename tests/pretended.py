"""Score tables of runs that never were: for tests that make up which examples are right."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from xstilts.analysis import stats
from xstilts.runs import records, results
from xstilts.tasks.table import TASKS


def row(condition, target: str, seed: int, language: str, right: np.ndarray) -> dict:
    """A row as `results.examples` has them. right: whether each example is."""
    return {
        "condition": condition,
        "target": target,
        "seed": seed,
        "language": language,
        "layer": -1,
        "metric": TASKS[target].metric,
        "numerator": right * 1.0,
        "denominator": np.ones(len(right)),
    }


def instead(monkeypatch, examples: Callable[[dict], pd.DataFrame]) -> None:
    """Runs have these examples, and all of them were done here. Through `results.examples`, which a
    test may change again."""
    monkeypatch.setattr(results, "examples", examples)
    monkeypatch.setattr(results, "scores", lambda cells: scores(results.examples(cells)))
    monkeypatch.setattr(
        records, "source", lambda runs, root: {"live": list(runs), "recorded": [], "not run": []}
    )


def scores(part: pd.DataFrame) -> pd.DataFrame:
    """As `results.scores` has them, from a table as of `results.examples`. Chance is 0."""
    value = [100 * row.numerator.sum() / row.denominator.sum() for row in part.itertuples()]
    return part.drop(columns=["numerator", "denominator"]).assign(
        value=value, baseline=0.0, n=[len(row) for row in part.numerator]
    )


def training(deviation: float = 0.0, freedom: float = 1e6) -> stats.Training:
    """Another training changes so many points, on each target alike."""
    return stats.Training(lambda target, languages: (deviation**2, 0.0, freedom))
