"""To how many rows of the target a detour amounts: the tables of the chapter on data efficiency.

curves(study, found)            # a row a target, task and number of rows: score and interval
worth_table(study, found)       # the gain of each, and to how many rows of the target it amounts

That is the distance between two learning curves along the rows (Le Scao and Rush 2021, "How many
data points is a prompt worth?", section 3). The curve has the score of none at each number of rows.
The score that a detour reaches with its rows is looked up on it: none would need so many rows for
that score. The difference to the detour's own rows is what the detour is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from xstilts import data
from xstilts.analysis import differences, repeats, stats, wording
from xstilts.analysis.grades import CLEAR, Estimate
from xstilts.runs.key import Wanted
from xstilts.study import profiles
from xstilts.study.conditions import NONE, Comparison, Condition
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS, training_task

CURVES = ["target", "task", "rows", "metric", "score", "low", "high", "n", "seeds"]
WORTH = ["target", "task", "rows", "score of none", "gain", "low", "high", "worth in rows"]
WORTH += ["n", "seeds"]
DRAWS = 1000
BOUND = 0.01  # of the logarithm of rows: nearer to an end of the curve than that is at the end


class Worth(NamedTuple):
    """Rows more or fewer that none would need, with a 95 % interval. NaN where a score lacks."""

    rows: float
    low: float
    high: float
    below: bool  # the value is the curve's lower end: it is this, or less
    above: bool  # the value is the curve's upper end: it is this, or more

    def __str__(self) -> str:
        """In words, as tables have it."""
        if math.isnan(self.rows):
            return "–"
        sign = "≤ " if self.below else "≥ " if self.above else ""
        return f"{sign}{self.rows:+,.0f} [{self.low:+,.0f}, {self.high:+,.0f}]"


def worth(curve: Mapping[int, Estimate], reached: Estimate, rows: int) -> Worth:
    """curve: rows -> score of none, two numbers of rows at least; reached: the detour's score with
    `rows` rows. Between two numbers of rows the curve is straight in their logarithm. It never
    falls: where it was measured to, the mean of both is taken (isotonic regression). The interval
    is of draws from the scores' own deviations, which are taken to be independent: a little wide,
    for both are scored on the same rows. Beyond its ends the curve says nothing, so that the value
    and its interval end there."""
    there = sorted(curve)
    means = np.array([curve[number].value for number in there] + [reached.value])
    if len(there) < 2 or np.isnan(means).any():
        return Worth(math.nan, math.nan, math.nan, False, False)
    spread = np.array([curve[number].deviation for number in there] + [reached.deviation])
    drawn = np.random.default_rng(0).normal(means, np.nan_to_num(spread), (DRAWS, len(means)))
    logs = np.log(there)
    found = [_needed(logs, some[:-1], some[-1]) for some in (means, *drawn)]
    low, high = np.exp(np.quantile(found[1:], (0.025, 0.975))) - rows
    value = float(found[0])
    return Worth(
        math.exp(value) - rows,
        float(low),
        float(high),
        value < logs[0] + BOUND,
        value > logs[-1] - BOUND,
    )


def _needed(logs: np.ndarray, scores: np.ndarray, reached: float) -> float:
    """The logarithm of the rows with which the curve first reaches a score."""
    rising = isotonic_regression(scores).x
    place = int(np.searchsorted(rising, reached))
    if place in (0, len(logs)):
        return float(logs[min(place, len(logs) - 1)])
    share = (reached - rising[place - 1]) / (rising[place] - rising[place - 1])
    return float(logs[place - 1] + share * (logs[place] - logs[place - 1]))


def number(study: Study, target: str, condition: Condition) -> int:
    """English rows that the target is trained on."""
    limit = condition.rows or profiles.phase3_recipe(study, target).rows
    there = data.size(training_task(TASKS[target]).name, "train", "en", study.data)
    return min(limit, there) if limit else there


def curves(study: Study, found: Wanted) -> pd.DataFrame:
    """A row a target, intermediate task ("none") and number of rows that was run: the score over
    languages with its 95 % interval."""
    estimates = _estimates(study, found, differences.examples(study, found))
    return pd.DataFrame(
        [
            {
                "target": target,
                "task": wording.title(start),
                "rows": number(study, target, condition),
                "metric": TASKS[target].metric,
                "score": some.value,
                "low": some.low,
                "high": some.high,
                "n": some.n,
                "seeds": some.seeds,
            }
            for (target, start), by_condition in estimates.items()
            for condition, some in by_condition.items()
        ],
        columns=CURVES,
    ).sort_values(["target", "task", "rows"], ignore_index=True)


def worth_table(study: Study, found: Wanted) -> pd.DataFrame:
    """A row a target, task and number of rows that was run on both sides: the gain in points with
    its interval, and the rows more that none would need for the task's score."""
    part, known, rows = differences.examples(study, found), repeats.variance(study), []
    estimates = _estimates(study, found, part)
    for (target, start), by_condition in estimates.items():
        without = estimates.get((target, NONE), {})
        curve = {number(study, target, one): some for one, some in without.items()}
        for condition, reached in by_condition.items():
            none = replace(NONE, rows=condition.rows)
            if start == NONE or none not in without:
                continue
            gain = stats.difference(part, condition, target, reference=none, training=known)
            trained = number(study, target, condition)
            rows.append(
                {
                    "target": target,
                    "task": wording.title(start),
                    "rows": trained,
                    "score of none": without[none].value,
                    "gain": gain.value,
                    "low": gain.low,
                    "high": gain.high,
                    "worth in rows": str(worth(curve, reached, trained)),
                    "n": gain.n,
                    "seeds": gain.seeds,
                }
            )
    table = pd.DataFrame(rows, columns=WORTH)
    return table.sort_values(["target", "task", "rows"], ignore_index=True)


def _estimates(
    study: Study, found: Wanted, part: pd.DataFrame
) -> dict[tuple[str, Condition], dict[Condition, Estimate]]:
    """(target, the condition with all rows) -> the condition with each number of rows -> score.
    part: the examples of what was found. Trainings that failed are in it: with few rows there is no
    line between failing and learning little."""
    known = repeats.variance(study)
    estimates: dict = {}
    for condition, target in dict.fromkeys((name, target) for name, target, _ in found):
        some = stats.score(part, condition, target, training=known)
        start = Condition(condition.tasks)
        estimates.setdefault((target, start), {})[condition] = some
    return estimates


def clear(asked: Comparison, shown: pd.DataFrame) -> dict[str, str]:
    """Differences that are clearly up, and clearly down, in words, the largest first:
    "SQuAD v1.1, 100 rows, for TyDiQA-GoldP: +18.3 [+12.9, +23.7]". shown: `differences.table`."""
    first = {contrast.title: wording.title(contrast.first) for contrast in asked.contrasts}
    found = shown[shown.grade.isin(CLEAR)]
    found = found.reindex(found.difference.abs().sort_values(ascending=False).index)
    said: dict[str, list[str]] = {"up": [], "down": []}
    for row in found.itertuples():
        words = wording.interval(row.difference, row.low, row.high)
        said["up" if row.difference > 0 else "down"].append(
            f"{first[row.comparison]}, for {wording.title(row.target)}: {words}"
        )
    return {name: "; ".join(some) or "none" for name, some in said.items()}
