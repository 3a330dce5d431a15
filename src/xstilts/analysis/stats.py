"""Intervals by the bootstrap over examples and seeds, and over languages where they are a sample of
languages; differences are paired on the same examples.

    estimate = difference(examples, "mnli", "xnli")     # Estimate(value, low, high, n, seeds,
                                                        languages, p)
    estimate = contrast(examples, {"large mnli": 1, "large none": -1, "small mnli": -1, "small
    none": 1}, "xquad")
    holm([0.01, 0.04, 0.03])                            # [0.03, 0.06, 0.06]

With one seed an interval speaks of other test examples only, unless it is told what another
training varies (`training`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import stats as scipy_stats

from xstilts.study.conditions import NONE
from xstilts.tasks.table import TASKS, training_task

DRAWS = 1000
Variance = Callable[[str, Sequence[str]], "tuple[float, int] | None"]


@dataclass(frozen=True)
class Estimate:
    """A score or a difference of scores (0-100) averaged over languages, with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int  # examples a language, the smallest
    seeds: int
    languages: int
    p: float = math.nan  # two-sided, of the value being 0: for differences

    @property
    def clear(self) -> bool:
        """The interval leaves out 0: for differences."""
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        return self.text()

    def text(self, decimals: int = 1) -> str:
        """Value and interval; a dash for none."""
        return (
            "–"
            if np.isnan(self.value)
            else "{:.{d}f} [{:.{d}f}, {:.{d}f}]".format(self.value, self.low, self.high, d=decimals)
        )


def score(
    examples: pd.DataFrame,
    condition: str,
    target: str,
    language: str = "",
    training: Variance | None = None,
) -> Estimate:
    """The mean score of a condition on a target over its languages (or in one), at one metric and
    layer."""
    return contrast(examples, {condition: 1}, target, language, training=training)


def difference(
    examples: pd.DataFrame,
    condition: str,
    target: str,
    language: str = "",
    reference: str = NONE,
    over_languages: bool = False,
    training: Variance | None = None,
) -> Estimate:
    """How much better a condition is than the reference, on the same examples and seeds."""
    weights = {condition: 1, reference: -1} if condition != reference else {condition: 0}
    return contrast(examples, weights, target, language, over_languages, training)


def contrast(
    examples: pd.DataFrame,
    weights: Mapping[str, float],
    target: str | Sequence[str],
    language: str = "",
    over_languages: bool = False,
    training: Variance | None = None,
) -> Estimate:
    """The weighted sum of conditions' scores: a difference, a difference of differences, a
    difference to a mean.

    target: several targets count alike, however many languages each has.
    over_languages: the interval is about other languages, too, drawn as these were; one language
    cannot carry it. A language that several targets have is one that was drawn, for all of them.
    training: (target, languages) -> (variance of one training's mean over the languages, of how
    many repeats it is known); widens intervals of one seed. Targets with the same training task and
    kind (XQuAD and MLQA) are one training in a condition, tested twice, and go up and down
    together, as do those without any (BUCC and Tatoeba); other trainings are independent."""
    targets = [target] if isinstance(target, str) else list(target)
    return mean(examples, dict.fromkeys(targets, weights), language, over_languages, training)


def mean(
    examples: pd.DataFrame,
    weights: Mapping[str, Mapping[str, float]],
    language: str = "",
    over_languages: bool = False,
    training: Variance | None = None,
) -> Estimate:
    """The mean over targets of a weighted sum of conditions' scores, which can be another for each:
    target -> weights. Else as `contrast`."""
    arrays = _arrays(
        examples,
        {(condition, target) for target, part in weights.items() for condition in part},
        language,
    )
    shared = {
        target: sorted(set.intersection(*(set(arrays[condition, target]) for condition in part)))
        for target, part in sorted(weights.items())
    }
    shared = {target: places for target, places in shared.items() if places}
    terms = [
        (weight, {(target, where): arrays[condition, target][where] for where in places})
        for target, places in shared.items()
        for condition, weight in weights[target].items()
    ]
    return _estimate(terms, over_languages, _further(weights, shared, training) if training else ())


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


def correlation(first: Sequence[float], second: Sequence[float]) -> Estimate:
    """Pearson's, -1 to 1, with the 95 % interval of Fisher's transformation; n is the number of
    pairs. NaN below four."""
    if len(first) < 4 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return Estimate(math.nan, math.nan, math.nan, len(first), 0, 0)
    found = scipy_stats.pearsonr(first, second)
    between = found.confidence_interval(0.95)
    return Estimate(found.statistic, between.low, between.high, len(first), 0, 0, found.pvalue)


def _arrays(
    examples: pd.DataFrame, pairs: set[tuple[str, str]], language: str
) -> dict[tuple[str, str], dict[str, np.ndarray]]:
    """(condition, target) -> language -> [seeds, n, 2] numerators and denominators"""
    found: dict[tuple[str, str], dict[str, list[np.ndarray]]] = {pair: {} for pair in sorted(pairs)}
    kinds: dict[tuple[str, str], set] = {pair: set() for pair in found}
    columns = [
        "seed",
        "condition",
        "target",
        "language",
        "metric",
        "layer",
        "numerator",
        "denominator",
    ]
    for _, *pair, where, metric, layer, numerator, denominator in examples.sort_values("seed")[
        columns
    ].itertuples(index=False):
        if tuple(pair) in kinds and language in ("", where):
            kinds[tuple(pair)].add((metric, layer))
            found[tuple(pair)].setdefault(where, []).append(np.stack([numerator, denominator], -1))
    for (condition, target), some in kinds.items():
        if len(some) != 1:
            raise ValueError(
                f"{condition}, {target}: expected one metric at one layer, got {sorted(some)}"
            )
    return {
        pair: {where: np.stack(arrays) for where, arrays in places.items()}
        for pair, places in found.items()
    }


def _further(
    weights: Mapping[str, Mapping[str, float]],
    shared: Mapping[str, Sequence[str]],
    training: Variance,
) -> list[tuple[float, int]]:
    """Of each training: the variance that it adds to the mean over the targets in `shared`, of how
    many repeats it is known."""
    parts: dict[Hashable, list[tuple[float, int]]] = {}
    for target, places in shared.items():
        known, task = training(target, places), TASKS[target]
        for condition, weight in weights[target].items() if known else ():
            # deviations, not variances: those of targets that share a training add up before they
            # are squared
            trained = "" if task.untrained else (training_task(task).name, task.kind)
            parts.setdefault((condition, trained), []).append(
                (weight / len(shared) * math.sqrt(known[0]), known[1])
            )
    return [
        (sum(part for part, _ in some) ** 2, min(repeats for _, repeats in some))
        for some in parts.values()
    ]


def _estimate(
    terms: list[tuple[float, dict[tuple[str, str], np.ndarray]]],
    over_languages: bool,
    further: Sequence[tuple[float, int]] = (),
) -> Estimate:
    """The weighted sum on the examples as they are; its interval from DRAWS resamples of the
    examples, widened by what seeds (and languages) vary beyond them. terms: (weight, (target,
    language) -> [seeds, n, 2]); not each has all targets.
    further: with one seed, the variance of trainings, and of how many repeats it is known: of each,
    all from the same.

    Rows of parallel test sets correspond across languages, so languages with equally many examples
    share a resample: one hard sentence is hard in all of them. Seeds and examples are crossed:
    resampling both would count their interaction three times (Owen 2007, The pigeonhole bootstrap),
    and three seeds resampled have thin tails. So the variance between seeds, less what the examples
    explain, is added, with Student's t (Satterthwaite's degrees of freedom)."""
    sizes = {place: array.shape[1] for _, part in terms for place, array in part.items()}
    by_seed, samples = [], []  # [places, seeds], [places, draws, seeds]
    for place in sizes:
        found = [(weight, *_ratio(part[place])) for weight, part in terms if place in part]
        by_seed.append(sum(weight * value for weight, value, _ in found))
        samples.append(sum(weight * sample for weight, _, sample in found))
    by_seed, samples = np.array(by_seed), np.array(samples)
    samples = samples[:, ~np.isnan(samples).any((0, 2))]
    targets, languages = zip(*sizes, strict=True)
    share = np.array([1 / (len(set(targets)) * targets.count(target)) for target in targets])
    means, drawn = share @ by_seed, np.tensordot(share, samples, 1)  # [seeds], [draws, seeds]
    n, value = min(sizes.values()), float(means.mean())
    more = [_between(means, drawn, range(len(means)), [""] * len(means)) or _repeated(further)]
    more += (
        [_between(by_seed.mean(1), samples.mean(2).T, languages, targets)] if over_languages else []
    )
    low, high, p = _interval(value, drawn.mean(1), [part for part in more if part], n)
    return Estimate(value, low, high, n, by_seed.shape[1], len(sizes), p)


@lru_cache(maxsize=4)
def _resamples(n: int) -> np.ndarray:
    """How often each of n examples is in each resample. [draws, n]"""
    return np.random.default_rng(n).multinomial(n, np.full(n, 1 / n), DRAWS).astype(float)


def _between(
    values: np.ndarray, samples: np.ndarray, units: Sequence[Hashable], groups: Sequence[str]
) -> tuple[float, float, float] | None:
    """What units (seeds, languages) that were drawn vary. Of `values` [k], of a unit in a group (a
    target) each, whose resamples of examples are `samples` [draws, k]: (what units add to the
    variance of the mean over groups beyond the examples, the same with the examples' share, degrees
    of freedom). None where no group has two of them.

    A unit counts once, with what it adds to the mean in all groups: its differences from their
    means, by their shares. Squares of these are too small, as the means are made of them; how much,
    and the degrees of freedom, are taken from units that are alike in all groups (after Bell and
    McCaffrey 2002). In one group that is the variance of k values by k, with k - 1."""
    group, unit = (np.unique(names, return_inverse=True)[1] for names in (groups, units))
    inside, member = (
        group[:, None] == group,
        np.arange(unit.max() + 1)[:, None] == unit,
    )  # [k, k], [units, k]
    if inside.sum(1).max() < 2:
        return None
    share = member / inside.sum(1) / (group.max() + 1)
    parts = share @ (
        np.eye(len(values)) - inside / inside.sum(1)
    )  # [units, k]: values -> what each unit adds
    form = parts @ member.T
    form = form.T @ form
    scale = (share.sum(1) ** 2).sum() / np.trace(form)
    spread, own = (
        scale * ((parts @ values) ** 2).sum(),
        scale * (parts @ samples.T).var(1, ddof=1).sum(),
    )
    return (
        max(0.0, float(spread - own)),
        float(spread),
        float(np.trace(form) ** 2 / (form**2).sum()),
    )


def _repeated(further: Sequence[tuple[float, int]]) -> tuple[float, float, float] | None:
    """Variances that are known from the same repeats, as one: no better known than the mean of
    them."""
    total = sum(square for square, _ in further)
    return (
        (total, total, total / sum(square / repeats for square, repeats in further))
        if total
        else None
    )


def _interval(
    value: float, samples: np.ndarray, more: list[tuple[float, float, float]], n: int
) -> tuple[float, float, float]:
    """(low, high, p): the resamples' percentiles, drawn out from the value as the further variance
    asks."""
    if not len(samples):
        return math.nan, math.nan, math.nan
    inner = float(samples.var())
    variance = inner + sum(part for part, _, _ in more)
    if variance < 1e-18:
        return value, value, float(abs(value) < 1e-9)
    freedom = variance**2 / (sum(whole**2 / df for _, whole, df in more) + inner**2 / max(1, n - 1))
    t = float(scipy_stats.t.ppf(0.975, freedom))
    p = float(2 * scipy_stats.t.sf(abs(value) / math.sqrt(variance), freedom))
    if inner < 1e-18:
        return value - t * math.sqrt(variance), value + t * math.sqrt(variance), p
    wider = math.sqrt(variance / inner) * t / 1.96 if more else 1.0
    low, high = np.percentile(samples, [2.5, 97.5])
    return value - (value - float(low)) * wider, value + (float(high) - value) * wider, p


def _ratio(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """100 * sum / sum of each seed in [seeds, n, 2]: as it is [seeds], and for each resample of the
    examples [draws, seeds]."""
    return _resampled(np.asarray(array, float).tobytes(), array.shape)


@lru_cache(
    maxsize=8192
)  # a run in a language is part of many estimates, always with the same resamples
def _resampled(content: bytes, shape: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    array = np.frombuffer(content).reshape(shape)
    numerators, denominators, resamples = array[..., 0], array[..., 1], _resamples(shape[1])
    with np.errstate(invalid="ignore"):  # 0 / 0: nothing to find and nothing found
        return (
            100 * numerators.sum(1) / denominators.sum(1),
            100 * (resamples @ numerators.T) / (resamples @ denominators.T),
        )
