"""The one rule by which the book grades a comparison, and its words.

    grade(estimate, margin=1.0, adjusted=p)   # "strong", "moderate", "no difference", "open", …

strong         the 95 % interval leaves out 0, and p does so after Holm over all that the book
               names beforehand (its claims and hypotheses); nothing else can be strong
moderate       the interval leaves out 0
no difference  the 90 % interval lies within the margin on both sides of 0 (two one-sided tests)
open           none of these: the interval says what is still possible
not learned    it was run, but no target was learned on both sides
not run        no target has the runs that it needs"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats as scipy_stats

from xstilts.analysis.wording import title
from xstilts.tasks.table import TASKS

ALPHA = 0.05
MARGINS = {"mean": 1.0, "one": 2.0}  # points: of a mean over targets, of one target
STRONG, MODERATE, SAME, OPEN = "strong", "moderate", "no difference", "open"
NOT_LEARNED, NOT_RUN = "not learned", "not run"
CLEAR = (STRONG, MODERATE)
HALF = 0.5  # of the effect: from here on it is concentrated in its largest part
GLOSSARY = {  # the page of terms has the same words
    STRONG: "named beforehand, and the difference is clear of 0 after Holm over all that is named",
    MODERATE: "the 95 % interval is clear of 0, before any adjustment",
    SAME: "the 90 % interval lies within 1 point of 0 for a mean over targets, 2 for one target",
    OPEN: "none of these; the interval says what is still possible",
    NOT_LEARNED: "no target was learned on both sides, so there is nothing to compare",
    NOT_RUN: "the runs are neither in the store nor recorded",
}


@dataclass(frozen=True)
class Estimate:
    """A score or a difference of scores (0-100) averaged over languages, with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int  # examples a language, the smallest
    seeds: int  # of the condition and target with the fewest
    languages: int
    p: float = math.nan  # two-sided, of the value being 0
    deviation: float = math.nan  # the standard error
    freedom: float = math.nan
    sources: Mapping[str, float] = field(default_factory=dict)  # variance by where it is from
    trained: bool = False  # what another training changes is in the interval

    @property
    def clear(self) -> bool:
        """The interval leaves out 0: for differences."""
        return self.low > 0 or self.high < 0

    def half(self, seeds: float = 1.0, chance: float = 0.05) -> float:
        """Half of the interval's width, had each condition so many times as many seeds. What is
        chance on the test rows stays, though some of it would shrink. chance: that it misses."""
        trained = sum(part for name, part in self.sources.items() if name in TASKS)
        variance = sum(self.sources.values()) - trained + trained / seeds
        return float(scipy_stats.t.ppf(1 - chance / 2, self.freedom)) * math.sqrt(variance)

    def below(self, bound: float) -> float:
        """One-sided p of a value that is not below the bound."""
        if not self.deviation > 0:
            return math.nan if math.isnan(self.value) else float(self.value >= bound)
        return float(scipy_stats.t.cdf((self.value - bound) / self.deviation, self.freedom))

    def within(self, margin: float) -> float:
        """p of two one-sided tests: of a value that is not between -margin and margin."""
        return max(self.below(margin), 1 - self.below(-margin))

    def __str__(self) -> str:
        return self.text()

    def text(self, decimals: int = 1) -> str:
        """Value and interval; a dash for none."""
        if np.isnan(self.value):
            return "–"
        return f"{self.value:.{decimals}f} [{self.low:.{decimals}f}, {self.high:.{decimals}f}]"


def margin(targets: int) -> float:
    """Points below which a difference is none, for a mean over so many targets."""
    return MARGINS["one"] if targets == 1 else MARGINS["mean"]


def grade(estimate: Estimate, margin: float, adjusted: float = 1.0) -> str:
    """The grade of a comparison that was run. adjusted: its p after Holm over what was named
    beforehand; 1: it was not named. An interval that lacks what another training changes is open,
    however narrow it is."""
    if math.isnan(estimate.value):
        return NOT_LEARNED
    if not estimate.trained:
        return OPEN
    if estimate.p < ALPHA:
        return STRONG if adjusted < ALPHA else MODERATE
    return SAME if estimate.within(margin) < ALPHA else OPEN


def holm(ps: Sequence[float]) -> np.ndarray:
    """p-values adjusted for their number, so that the chance of a single false alarm in the table
    stays as it was (Holm 1979). It needs no assumption about how cells depend on each other, which
    those of one table do. NaN stays."""
    ps = np.asarray(ps, dtype=float)
    there = np.flatnonzero(~np.isnan(ps))
    order = there[np.argsort(ps[there])]
    adjusted = np.full(len(ps), np.nan)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(ps[order] * np.arange(len(order), 0, -1)))
    return adjusted


def at_least(ps: Sequence[float], count: int) -> float:
    """p of fewer than `count` effects being there, whatever their dependence (the partial
    conjunction with Bonferroni's bound; Dror et al. 2017). 1 where there are not so many."""
    ps = np.sort(np.asarray(ps, dtype=float))
    return float(min(1, (len(ps) - count + 1) * ps[count - 1])) if count <= len(ps) else 1.0


def middle(values: Sequence[float]) -> float:
    """The interquartile mean: without the lowest and the highest quarter, each rounded down
    (Agarwal et al. 2021). NaN of none."""
    return float(scipy_stats.trim_mean(values, 0.25)) if len(values) else math.nan


def breadth(effects: pd.Series) -> dict[str, object]:
    """What of a mean its parts (targets, or single differences; name -> points) say: the
    interquartile mean, the mean without the largest in its direction, and whether it is broad or
    concentrated in that one. Information, and no veto."""
    effects = effects.dropna()
    if len(effects) < 2:
        return {"middle": np.nan, "without the largest": np.nan, "breadth": "–"}
    mean = effects.mean()
    largest = (effects * np.sign(mean or 1)).idxmax()
    rest = effects.drop(largest).mean()
    narrow = rest * np.sign(mean or 1) < HALF * abs(mean)
    return {
        "middle": middle(effects),
        "without the largest": rest,
        "breadth": f"concentrated in {title(largest)}" if narrow else "broad",
    }
