"""Intervals by the bootstrap over examples and seeds; differences are paired on the same examples.

    estimate = difference(examples, "mnli", "xnli")     # Estimate(value, low, high, n, seeds, languages)

With one seed an interval speaks of other test examples only, not of another training: tables say how many seeds.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .study import NONE

DRAWS = 1000


@dataclass(frozen=True)
class Estimate:
    """A score or a difference of scores (0-100) averaged over languages, with its 95 % interval."""
    value: float
    low: float
    high: float
    n: int           # examples a language, the smallest
    seeds: int
    languages: int

    @property
    def clear(self) -> bool:
        """The interval leaves out 0: for differences."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        return "–" if np.isnan(self.value) else f"{self.value:.1f} [{self.low:.1f}, {self.high:.1f}]"


def score(examples: pd.DataFrame, condition: str, target: str, language: str = "") -> Estimate:
    """The mean score of a condition on a target over its languages (or in one), at one metric and layer."""
    return _estimate(_arrays(examples, condition, target, language), None)


def difference(examples: pd.DataFrame, condition: str, target: str, language: str = "",
               reference: str = NONE) -> Estimate:
    """How much better a condition is than the reference, on the same examples and seeds."""
    return _estimate(_arrays(examples, condition, target, language), _arrays(examples, reference, target, language))


def _arrays(examples: pd.DataFrame, condition: str, target: str, language: str) -> dict[str, np.ndarray]:
    """language -> [seeds, n, 2] numerators and denominators"""
    part = examples[(examples.condition == condition) & (examples.target == target)]
    if language:
        part = part[part.language == language]
    kinds = part[["metric", "layer"]].drop_duplicates()
    if len(kinds) != 1:
        raise ValueError(f"{condition}, {target}: expected one metric at one layer, got {kinds.values.tolist()}")
    found = {}
    for name, rows in part.groupby("language"):
        seeds = rows.seed.nunique()
        ordered = rows.sort_values(["seed", "example"])[["numerator", "denominator"]].to_numpy(float)
        found[name] = ordered.reshape(seeds, -1, 2)
    return found


def _estimate(first: dict[str, np.ndarray], second: dict[str, np.ndarray] | None) -> Estimate:
    """The statistic on the examples as they are, and its 2.5 and 97.5 percentiles over DRAWS resamples.

    Rows of parallel test sets correspond across languages, so languages with equally many examples share a resample:
    one hard sentence is hard in all of them.
    """
    draw = np.random.default_rng(0)
    seeds = next(iter(first.values())).shape[0]
    picked = draw.multinomial(seeds, np.full(seeds, 1 / seeds), DRAWS) / seeds      # [draws, seeds]
    weights: dict[int, np.ndarray] = {}
    values, samples = [], []
    for language, array in first.items():
        n = array.shape[1]
        if n not in weights:
            weights[n] = draw.multinomial(n, np.full(n, 1 / n), DRAWS).astype(float)   # [draws, n]
        value, sample = _ratio(array, weights[n], picked)
        if second is not None:
            other, other_sample = _ratio(second[language], weights[n], picked)
            value, sample = value - other, sample - other_sample
        values.append(value)
        samples.append(sample)
    low, high = np.nanpercentile(np.mean(samples, axis=0), [2.5, 97.5])
    return Estimate(float(np.mean(values)), float(low), float(high), min(a.shape[1] for a in first.values()), seeds,
                    len(first))


def _ratio(array: np.ndarray, weights: np.ndarray, picked: np.ndarray) -> tuple[float, np.ndarray]:
    """100 * sum / sum for each seed, averaged over seeds: as it is, and for each resample. [draws]"""
    numerators, denominators = array[..., 0], array[..., 1]
    with np.errstate(invalid="ignore"):   # 0 / 0: nothing to find and nothing found
        value = np.mean(100 * numerators.sum(1) / denominators.sum(1))
        sampled = 100 * (weights @ numerators.T) / (weights @ denominators.T)        # [draws, seeds]
    return float(value), (sampled * picked).sum(1)
