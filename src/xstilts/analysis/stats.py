"""Estimates with 95 % intervals: what `grades` grades.

    estimate = difference(examples, "mnli", "xnli", training=repeats.variance(study))
    estimate = contrast(examples, {"large": 1, "small": -1}, "xquad")

An estimate is a weighted mean of scores on the rows that were scored. Its variance has three parts:
other test rows, other trainings, and, where languages are a sample, other languages. The interval
and p are Student's t with Satterthwaite's degrees of freedom, so that they never contradict."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat

import numpy as np
import pandas as pd
from scipy import stats as scipy_stats

from xstilts.analysis.grades import Estimate
from xstilts.study.conditions import NONE
from xstilts.tasks.table import TASKS, training_task

# sources of variance; the others are targets
ROWS, LANGUAGES, COMMON = "rows", "languages", "phase 2"


@dataclass(frozen=True)
class Training:
    """What another training would change.

    of: (target, languages) -> the variance of one training's mean over the languages (points
    squared), how much of that is its chance on the very test rows, and the degrees of freedom.
    shared, freedom: the share that phase 2 gives to all of its targets alike, and its own."""

    of: Callable[[str, Sequence[str]], tuple[float, float, float]]
    shared: float = 0.0
    freedom: float = math.inf


def score(
    examples: pd.DataFrame,
    condition: Hashable,
    target: str,
    language: str = "",
    training: Training | None = None,
) -> Estimate:
    """The mean score of a condition on a target over its languages, or in one."""
    return contrast(examples, {condition: 1}, target, language, training=training)


def difference(
    examples: pd.DataFrame,
    condition: Hashable,
    target: str,
    language: str = "",
    reference: Hashable = NONE,
    over_languages: bool = False,
    training: Training | None = None,
) -> Estimate:
    """How much better a condition is than the reference, on the same examples."""
    weights = {condition: 1, reference: -1} if condition != reference else {condition: 0}
    return contrast(examples, weights, target, language, over_languages, training)


def contrast(
    examples: pd.DataFrame,
    weights: Mapping[Hashable, float],
    target: str | Sequence[str],
    language: str = "",
    over_languages: bool = False,
    training: Training | None = None,
) -> Estimate:
    """The weighted sum of conditions' scores: a difference, a difference of differences, a
    difference to a mean.

    target: several targets count alike, however many languages each has.
    over_languages: the interval is about other languages, too, drawn as these were; one language
    cannot carry it. A language that several targets have is one that was drawn, for all of them."""
    targets = [target] if isinstance(target, str) else list(target)
    return mean(examples, dict.fromkeys(targets, weights), language, over_languages, training)


def mean(
    examples: pd.DataFrame,
    weights: Mapping[str, Mapping[Hashable, float]],
    language: str = "",
    over_languages: bool = False,
    training: Training | None = None,
) -> Estimate:
    """The mean over targets of a weighted sum of conditions' scores, which can be another for each:
    target -> weights. A condition's score is the mean over its seeds, of which conditions may have
    different numbers. Else as `contrast`."""
    cells = _cells(examples, weights, language)
    places = {
        target: [
            where
            for where in dict.fromkeys(place for place, _ in next(iter(part.values()))[0].parts)
            if all(where in cell.by_language for seeds in part.values() for cell in seeds)
        ]
        for target, part in cells.items()
    }
    places = {target: some for target, some in places.items() if some}
    if not places:
        return Estimate(math.nan, math.nan, math.nan, 0, 0, 0)
    where = [(target, language) for target, some in places.items() for language in some]
    share = np.array([1 / (len(places) * len(places[target])) for target, _ in where])
    values, rows, freedom, n = _on_rows(where, cells, weights)
    found = {ROWS: (float(share @ rows @ share),) * 2 + (freedom,)}
    if training:
        found |= _by_training(places, cells, weights, training)
    if over_languages:
        names, targets = [place[1] for place in where], [place[0] for place in where]
        found |= {LANGUAGES: part} if (part := _between(values, rows, names, targets)) else {}
    seeds = [
        len({cell.run for cell in some})
        for target in places
        for some in cells[target].values()
        if any(cell.varies for cell in some)
    ]
    value = float(share @ values)
    deviation, df, low, high, p = _interval(value, list(found.values()))
    sources = {name: part for name, (part, _, _) in found.items() if name != COMMON}
    known = training is not None or not seeds
    return Estimate(
        value, low, high, n, min(seeds, default=1), len(where), p, deviation, df, sources, known
    )


# columns of `differences.examples`; where there are no KEYS: see `_keys`
CELL = "condition target seed language metric layer numerator denominator unit".split()
KEYS = ["run", "phase 2", "phase 3"]


@dataclass(frozen=True)
class _Cell:
    """A run's examples: language -> (numerators, denominators, units); and its trainings. Keys are
    None where nothing was trained."""

    run: Hashable
    phase2: Hashable
    phase3: Hashable
    parts: tuple[tuple[str, tuple[np.ndarray, np.ndarray, np.ndarray]], ...]

    @cached_property
    def by_language(self) -> dict:
        return dict(self.parts)

    @property
    def varies(self) -> bool:
        return self.phase2 is not None or self.phase3 is not None


def _cells(
    examples: pd.DataFrame, weights: Mapping[str, Mapping[Hashable, float]], language: str
) -> dict[str, dict[Hashable, list[_Cell]]]:
    """target -> condition -> its runs, of the targets that have all of their conditions"""
    asked = {(condition, target) for target, part in weights.items() for condition in part}
    found: dict = defaultdict(lambda: defaultdict(dict))
    keys: dict[tuple, tuple[Hashable, Hashable, Hashable]] = {}
    kinds: dict = defaultdict(set)
    columns = [examples.get(name, repeat(None)) for name in (*CELL, *KEYS)]
    for row in zip(*columns, strict=False):  # what lacks has no end
        *cell, seed, where, metric, layer, above, below, unit, run, phase2, phase3 = row
        pair = tuple(cell)
        if pair in asked and language in ("", where):
            kinds[pair].add((metric, layer))
            units = np.arange(len(above)) if unit is None else np.asarray(unit)
            found[pair][seed][where] = (np.asarray(above), np.asarray(below), units)
            keys[(*pair, seed)] = (run, phase2, phase3) if run else _keys(*pair, seed)
    for pair, some in kinds.items():
        if len(some) != 1:
            raise ValueError(f"{pair[0]}, {pair[1]}: expected one metric at one layer, got {some}")
    return {
        target: {
            condition: [
                _Cell(*keys[condition, target, seed], tuple(parts.items()))
                for seed, parts in found[condition, target].items()
            ]
            for condition in part
        }
        for target, part in weights.items()
        if part and all(found[condition, target] for condition in part)
    }


def _keys(condition: Hashable, target: str, seed: int) -> tuple[Hashable, Hashable, Hashable]:
    """Run, phase 2 and phase 3 of a cell that has no keys of its own."""
    phase2 = None if condition == NONE else (condition, seed)
    return (condition, target, seed), phase2, phase3_key((condition, seed), target, seed)


def phase3_key(encoder: Hashable, target: str, seed: int) -> Hashable:
    """Which training of phase 3 stands behind a score; None where there is none. Targets of the
    same training task and kind (XQuAD and MLQA) are one training, tested twice."""
    task = TASKS[target]
    return None if task.untrained else (encoder, training_task(task).name, task.kind, seed)


def _on_rows(
    where: list[tuple[str, str]], cells: Mapping, weights: Mapping
) -> tuple[np.ndarray, np.ndarray, float, int]:
    """Values of the places (target, language), their covariance over other test rows, its degrees
    of freedom, and the fewest examples.

    The covariance is what resamples of the rows come to (the delta method of a ratio of sums), in
    units that are drawn whole: paragraphs, or sentences. Rows of parallel test sets correspond
    across languages, so languages of a target with equally many examples share a resample: one hard
    sentence is hard in all of them."""
    values, rows, fewest = np.zeros(len(where)), np.zeros((len(where),) * 2), math.inf
    groups: dict[tuple[str, int], list[int]] = defaultdict(list)
    shifts, units, smallest = [], [], math.inf
    for number, (target, language) in enumerate(where):
        total: np.ndarray | float = 0.0
        for condition, weight in weights[target].items():
            for cell in (seeds := cells[target][condition]):
                numerator, denominator, unit = cell.by_language[language]
                below = denominator.sum()
                ratio = numerator.sum() / below if below else math.nan
                values[number] += 100 * weight * ratio / len(seeds)
                total = total + (
                    100 * weight * (numerator - ratio * denominator) / below / len(seeds)
                    if below
                    else 0 * numerator
                )
        shifts.append(total)
        units.append(unit)
        groups[target, len(unit)].append(number)
    for (_, n), members in groups.items():
        names, codes = np.unique(np.concatenate([units[m] for m in members]), return_inverse=True)
        codes = codes.reshape(len(members), n)
        drawn = np.stack(
            [
                np.bincount(code, shifts[m], len(names))
                for code, m in zip(codes, members, strict=True)
            ]
        )
        rows[np.ix_(members, members)] = drawn @ drawn.T * len(names) / max(1, len(names) - 1)
        smallest, fewest = min(smallest, len(names)), min(fewest, n)
    return values, rows, float(max(1, smallest - 1)), int(fewest)


def by_chance(rows: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> float:
    """What of the variance between replicates of a run is chance on the very test rows: how far
    they would move apart on other rows. rows: language -> numerators and denominators [replicates,
    n], and units, of which languages with equally many share a resample."""
    drawn: dict[int, list] = defaultdict(list)  # n -> (units, what each row adds [replicates, n])
    for above, below, unit in rows.values():
        whole = below.sum(1, keepdims=True)
        shift = 100 * (above - above.sum(1, keepdims=True) / whole * below) / whole / len(rows)
        drawn[len(unit)].append((unit, shift - shift.mean(0)))
    total = 0.0
    for some in drawn.values():
        names, codes = np.unique(np.stack([unit for unit, _ in some]), return_inverse=True)
        member = np.zeros((codes.size, len(names)))
        member[np.arange(codes.size), codes.ravel()] = 1
        sums = np.concatenate([shift for _, shift in some], axis=1) @ member
        total += (sums**2).sum() * len(names) / max(1, len(names) - 1)
    return float(total) / (len(above) - 1)


def _by_training(
    places: Mapping[str, Sequence[str]], cells: Mapping, weights: Mapping, training: Training
) -> dict[str, tuple[float, float, float]]:
    """target -> (variance that its trainings add, the same with their chance on the test rows,
    degrees of freedom).

    Deviations of one training add up before they are squared: of phase 2 (in part) over all of a
    condition's targets, of phase 3 over targets that are tested on one training."""
    known = {target: training.of(target, some) for target, some in places.items()}
    scale = {
        target: math.sqrt(max(0.0, whole - chance)) for target, (whole, chance, _) in known.items()
    }
    shared: dict = defaultdict(lambda: defaultdict(float))
    phase2 = {cell.phase2 for part in cells.values() for some in part.values() for cell in some}
    for target in places:
        for condition, weight in weights[target].items():
            seeds = cells[target][condition]
            for cell in seeds:
                part = weight / len(seeds) / len(places)
                if cell.phase2 is not None:
                    shared[training.shared, cell.phase2][target] += part
                    own = cell.phase3 or (cell.phase2, "untrained")
                    shared[1 - training.shared, own][target] += part
                elif cell.phase3 is not None:
                    shared[1.0, cell.phase3][target] += part
    added, common = dict.fromkeys(places, 0.0), 0.0
    for (part, owner), some in shared.items():
        total = sum(weight * scale[target] for target, weight in some.items())
        common += part * total**2 * (owner in phase2)
        for target, weight in some.items():
            added[target] += part * weight * scale[target] * total
    # how well the share of phase 2 is known is a matter of the degrees of freedom alone
    return {COMMON: (0.0, common, training.freedom)} | {
        target: (
            value,
            value * known[target][0] / scale[target] ** 2 if scale[target] else 0.0,
            known[target][2],
        )
        for target, value in added.items()
    }


def _between(
    values: np.ndarray, rows: np.ndarray, units: Sequence[Hashable], groups: Sequence[str]
) -> tuple[float, float, float] | None:
    """What languages that were drawn vary. Of `values` [k], of a unit in a group (a target) each,
    whose covariance over examples is `rows` [k, k]: (what units add to the variance of the mean
    over groups beyond the examples, the same with the examples' share, degrees of freedom). None
    where no group has two of them.

    A unit counts once, with what it adds to the mean in all groups: its differences from their
    means, by their shares. Squares of these are too small, as the means are made of them; how much,
    and the degrees of freedom, are taken from units that are alike in all groups (after Bell and
    McCaffrey 2002). In one group that is the variance of k values by k, with k - 1."""
    group, unit = (np.unique(names, return_inverse=True)[1] for names in (groups, units))
    inside = group[:, None] == group  # [k, k]
    member = np.arange(unit.max() + 1)[:, None] == unit  # [units, k]
    if inside.sum(1).max() < 2:
        return None
    share = member / inside.sum(1) / (group.max() + 1)
    # [units, k]: values -> what each unit adds
    parts = share @ (np.eye(len(values)) - inside / inside.sum(1))
    form = parts @ member.T
    form = form.T @ form
    scale = (share.sum(1) ** 2).sum() / np.trace(form)
    spread = scale * ((parts @ values) ** 2).sum()
    own = scale * np.einsum("uk,kl,ul->", parts, rows, parts)
    freedom = float(np.trace(form) ** 2 / (form**2).sum())
    return max(0.0, float(spread - own)), float(spread), freedom


def _interval(
    value: float, parts: Sequence[tuple[float, float, float]]
) -> tuple[float, float, float, float, float]:
    """(standard error, degrees of freedom, low, high, p) from parts: variance, the same as it was
    measured, its degrees of freedom."""
    variance = sum(part for part, _, _ in parts)
    if math.isnan(value):
        return (math.nan,) * 5
    if variance < 1e-18:
        return 0.0, math.inf, value, value, float(abs(value) < 1e-9)
    freedom = variance**2 / sum(whole**2 / df for _, whole, df in parts if whole)
    deviation = math.sqrt(variance)
    half = float(scipy_stats.t.ppf(0.975, freedom)) * deviation
    p = float(2 * scipy_stats.t.sf(abs(value) / deviation, freedom))
    return deviation, freedom, value - half, value + half, p
