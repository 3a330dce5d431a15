"""To how many rows of the target a detour amounts: the distance between two learning curves, along
the rows (Le Scao and Rush 2021, "How many data points is a prompt worth?", section 3).

    worth({100: a, 300: b, 1000: c}, reached, 300)     # Worth(rows=250, low=90, high=610, …)

A curve has the score of none at each number of rows. The score that a detour reaches with its rows
is looked up on it: as many rows none would need for that. What that is more than the detour's own
rows, the detour is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression

from xstilts.analysis.grades import Estimate

DRAWS = 4000
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
