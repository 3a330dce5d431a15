"""How far one training can be trusted: what trainings came to that were done more than once, with
other seeds or on another processor.

    note(study, runs, root)      # store -> book/recorded/again.jsonl, where a record is of another
                                 machine
    variance(study).of("xnli", ["de", "fi"])     # (points squared, of these by test rows, freedom)

Another processor rounds otherwise, and soon it is another training, of the same rows in the same
order. Another seed changes about as much. Both are replicates of a training, and from all of them
together it is known, for each target, how far one training's score can be trusted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.stats import chi2, f

from xstilts.analysis import again, reported, stats, wording
from xstilts.analysis.again import LARGEST
from xstilts.runs import credible, records, results, store
from xstilts.runs.key import (
    Adapt,
    Run,
    Score,
    each_once,
    intermediate,
    key,
    label,
    starting_encoder,
)
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS

# assumed of phase 2, and how many pairs of targets and degrees of freedom that is worth
SHARED, PAIRS, FREEDOM = 0.2, 20, 4
SHOWN = ["run", "trained", "recorded", "again", LARGEST, "from", "to", "when"]


def note(study: Study, runs: Iterable[Run], root: Path) -> None:
    """Adds what the store has of runs whose records are of another machine; each such result once.
    Encoders as they ship, and
    random ones, are left out: nothing, or nothing that is learned, was trained before, so they move
    less than what is compared."""
    known = {(line["key"], line["when"]) for line in again.lines()}
    for run in each_once(
        run for run in runs if isinstance(run, Score) and isinstance(starting_encoder(run), Adapt)
    ):
        there, before = store.find(root, run), records.find(run)
        if not there or not before or records.history(run):  # another scoring is no repeat
            continue
        made = store.manifest(there)
        places = {
            name: _place(some["environment"]) for name, some in (("from", before), ("to", made))
        }
        if places["from"] != places["to"] and (key(run), made["written"]) not in known:
            line = (
                {"key": key(run)}
                | compared(study, run, pd.read_csv(there / "scores.csv"))
                | places
                | {"when": made["written"]}
            )
            path = again.place()
            written = path.read_text(encoding="utf-8") if path.is_file() else ""
            records.write(
                path, written + json.dumps(credible.seal(line), ensure_ascii=False) + "\n"
            )


def table() -> pd.DataFrame:
    """A row a repeated run, with the mean over languages in both places."""
    return pd.DataFrame(again.lines(), columns=SHOWN)


def compared(study: Study, run: Score, now: pd.DataFrame) -> dict[str, Any]:
    """Main scores of a run as recorded and as computed again, of retrieval at the study's layer:
    means, the difference in each language, and the largest one, there at any layer."""
    before, after = (
        table[table.metric == TASKS[run.target].metric].pivot(
            index="language", columns="layer", values="value"
        )
        for table in (records.scores(run), now)
    )
    moved, at = after - before, min(study.layer, before.columns.max())
    there = moved.index[
        moved[at].notna()
    ]  # where one of them found nothing of nothing, there is no difference
    return {
        "run": label(run),
        "trained": not TASKS[run.target].untrained,
        "recorded": float(before.loc[there, at].mean()),
        "again": float(after.loc[there, at].mean()),
        LARGEST: float(moved.abs().max(axis=None)),
        "differences": {
            language: round(float(value), 4) for language, value in moved.loc[there, at].items()
        },
    }


def variance(study: Study) -> stats.Training | None:
    """What another training changes, by target and languages, pooled over all trainings of the book
    that are at hand more than once: with other seeds, or repeated on another processor. Those that
    were not learned are left out. None where nothing was trained twice."""
    return _variance(*reported.where(reported.whole(study)), *_version())


@lru_cache(maxsize=4)
def _variance(study: Study, *changed: object) -> stats.Training | None:
    groups = _groups(study)
    return training(groups) if groups else None


def training(groups: Sequence[Group]) -> stats.Training:
    """What these groups of replicates tell of another training: each target's variance, shrunken
    towards that of a typical target, as far as the targets are alike."""
    targets = tuple(dict.fromkeys(group.target for group in groups))

    @lru_cache(maxsize=1024)
    def by_target(languages: tuple[str, ...]) -> tuple[dict, tuple[float, float], dict]:
        measured, chances = {}, {}
        for target in targets:
            parts = [group.moved(languages) for group in groups if group.target == target]
            moved = [part for part in parts if part is not None]
            if moved:
                measured[target] = _pooled(moved)
            chance = [
                (group.chance(languages), len(group.phase2) - 1)
                for group in groups
                if group.target == target
            ]
            chance = [(value, df) for value, df in chance if not math.isnan(value)]
            if chance:
                values, weights = zip(*chance, strict=True)
                chances[target] = float(np.average(values, weights=weights))
        return measured, _prior(list(measured.values())), chances

    def of(target: str, languages: Sequence[str]) -> tuple[float, float, float]:
        measured, (typical, weight), chances = by_target(tuple(languages))
        if math.isnan(typical):
            measured, (typical, weight), chances = by_target(())
        value, freedom = measured.get(target, (0.0, 0.0))
        # what is typical was learned from the target, too: nothing is known twice
        others = sum(df for _, df in measured.values()) - freedom
        weight = min(weight, others) if freedom else weight
        whole = (weight * typical + freedom * value) / (weight + freedom)
        return whole, min(whole, chances.get(target, 0.0)), weight + freedom

    return stats.Training(of, *_shared(groups, of))


@dataclass(frozen=True, eq=False)
class Group:
    """Trainings that differ in nothing but chance."""

    target: str
    phase2: tuple[Hashable, ...]  # of each; None where there is none
    values: Mapping[str, np.ndarray]  # language -> score of each
    # language -> numerators and denominators [trainings, n], and units; none: not of all of them
    rows: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]

    def moved(self, languages: Sequence[str]) -> np.ndarray | None:
        """How far each training's mean over the languages (none: all) is from theirs."""
        there = [self.values[name] for name in languages or self.values if name in self.values]
        return (means := np.mean(there, axis=0)) - means.mean() if there else None

    def chance(self, languages: Sequence[str]) -> float:
        """What of the variance of these is chance on the very test rows, and would be another on
        others."""
        there = {name: self.rows[name] for name in languages or self.rows if name in self.rows}
        return stats.by_chance(there) if there else math.nan


def _groups(study: Study) -> list[Group]:
    """All that is at hand more than once, of which at least two were learned."""
    runs = reported.at_hand(study)
    several: dict[Hashable, dict[str, Score]] = {}
    for (chapter, condition, target, _), run in runs.items():
        several.setdefault((chapter, condition, target), {})[key(run)] = run
    alike = {tuple(sorted(some)): some for some in several.values() if len(some) > 1}
    by_key = {key(run): run for run in runs.values()}
    repeated: dict[str, list[dict]] = {}
    for line in again.lines():
        if line["key"] in by_key:
            repeated.setdefault(line["key"], []).append(line)
    members = {name: by_key[name] for name in (*repeated, *(one for some in alike for one in some))}
    if not members:
        return []
    cells = {(name, run.target, run.seed): run for name, run in members.items()}
    table = results.scores(cells)
    learned = reported.trainings(study, table).reset_index("seed", drop=True)
    main = reported.main_metric(study, table)
    values = {name: part.set_index("language").value for name, part in main.groupby("condition")}
    failed = set(learned.index[~learned.learned.to_numpy(bool)].get_level_values(0))
    found = []
    for some in alike.values():
        kept = {name: run for name, run in some.items() if name not in failed}
        if len(kept) > 1:
            part = {(name, run.target, run.seed): run for name, run in kept.items()}
            examples = reported.main_metric(study, results.examples(part))
            rows = {
                language: (np.stack(rows.numerator), np.stack(rows.denominator), rows.unit.iloc[0])
                for language, rows in examples.groupby("language", sort=False)
                if len(rows) == len(kept)
            }
            found.append(_group(list(kept.values()), [values[name] for name in kept], rows))
    for name, lines in repeated.items():
        if name in failed:
            continue
        run, first = by_key[name], values[name]
        moved = [first + pd.Series(line["differences"]).reindex(first.index) for line in lines]
        least = _least(learned, name)
        moved = [other for other in moved if _own(other) >= least]
        if moved:
            found.append(_group([run] * (1 + len(moved)), [first, *moved], {}))
    return [group for group in found if group.values]


def _group(runs: Sequence[Score], values: list[pd.Series], rows: Mapping) -> Group:
    scores = pd.DataFrame(values).dropna(axis=1)
    by_language = {name: scores[name].to_numpy(float) for name in scores}
    return Group(runs[0].target, tuple(phase2(run) for run in runs), by_language, rows)


def phase2(run: Score) -> Hashable:
    """The key of the intermediate training behind a score; None where there is none."""
    encoder = intermediate(run)
    return key(encoder) if encoder else None


def _own(values: pd.Series) -> float:
    return float(values["en"] if "en" in values else values.mean())


def _least(learned: pd.DataFrame, name: str) -> float:
    """The score at which a repeat of the run counts as learned; of what is not trained any."""
    rows = learned[learned.index.get_level_values(0) == name]
    return float(rows.least.iloc[0]) if len(rows) else -math.inf


def _pooled(moved: Sequence[np.ndarray]) -> tuple[float, float]:
    """(variance of one training, degrees of freedom) from deviations within groups: half the mean
    square of the differences between two of a group. A difference beyond four deviations, as the
    median of all has them, counts as four, so that one unlucky training does not make the
    variance."""
    halves = [
        np.array([(one - other) ** 2 / 2 for one, other in combinations(part, 2)]) for part in moved
    ]
    every, df = np.concatenate(halves), np.array([len(part) - 1 for part in moved])
    limit = 16 * float(np.median(every)) / chi2.median(1) if len(every) > 8 else math.inf
    means = [float(np.minimum(part, limit).mean()) for part in halves]
    return float(df @ means) / df.sum(), float(df.sum())


def _prior(measured: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """(typical variance, of how many degrees of freedom it is worth), from the variances of targets
    and theirs: the less they differ beyond chance, the more it weighs (the model of Smyth 2004, by
    maximum likelihood, which few and unequal degrees of freedom do not upset)."""
    if not measured:
        return math.nan, 0.0
    values, df = (np.array(part, float) for part in zip(*measured, strict=True))
    values = np.maximum(values, 1e-3 * max(float(np.median(values)), 1e-6))
    start, most = math.log(np.average(values, weights=df)), float(df.sum())

    def surprise(point: np.ndarray) -> float:
        weight = math.exp(min(point[1], math.log(most)))
        return -float(np.sum(f.logpdf(values / math.exp(point[0]), df, weight) - point[0]))

    typical, weight = minimize(surprise, [start, math.log(2.0)], method="Nelder-Mead").x
    return math.exp(typical), float(np.clip(math.exp(min(weight, 50.0)), 1.0, most))


def _shared(groups: Sequence[Group], of: Callable) -> tuple[float, float]:
    """How much of a training's variance phase 2 gives to all of its targets alike: the mean product
    of two targets' deviations after the same intermediate training, in units of their own; and its
    degrees of freedom. Shrunken towards SHARED, as if that had been seen in PAIRS."""
    seen: dict[Hashable, list[tuple[str, float, float]]] = {}
    for group in groups:
        moved, size = group.moved(()), len(group.phase2)
        whole, chance, _ = of(group.target, tuple(group.values))
        deviation = math.sqrt(whole - chance)
        # a repeat may have started from the same phase 2, and says nothing of it
        if len(set(group.phase2)) == size and None not in group.phase2 and deviation:
            assert moved is not None
            for phase2, off in zip(group.phase2, moved, strict=True):
                part = (group.target, off / deviation, (size - 1) / size)
                seen.setdefault(phase2, []).append(part)
    products = [
        (one[1] * other[1], min(one[2], other[2]))
        for some in seen.values()
        for one, other in combinations(some, 2)
        if one[0] != other[0]
    ]
    total = SHARED * PAIRS + sum(product for product, _ in products)
    share = min(1.0, max(0.0, total / (PAIRS + sum(share for _, share in products))))
    return share, FREEDOM + sum(max(part[2] for part in some) for some in seen.values())


def words(study: Study, seeds: int | None = None) -> str:
    """What the study's intervals say of another training; a sentence or two. seeds: how many are
    behind them at least, where not all that the study asks for are there."""
    seeds = len(study.seeds) if seeds is None else seeds
    first = "There is one seed." if seeds == 1 else f"There are {seeds} seeds."
    known = variance(study)
    if not known:
        return (
            f"{first} Intervals speak of other test rows only: nothing was trained twice, so what "
            "another training changes is not known, and nothing is graded."
        )
    groups = _groups(study)
    if not groups:
        return f"{first} Intervals include what another training changes."
    deviations = {
        group.target: math.sqrt(known.of(group.target, tuple(group.values))[0]) for group in groups
    }
    least = min(deviations, key=lambda name: deviations[name])
    most = max(deviations, key=lambda name: deviations[name])
    count = sum(len(group.phase2) for group in groups)
    return (
        f"{first} Intervals include what another training changes, as known for each target from "
        f"{count} trainings that were done more than once: a deviation from "
        f"{deviations[least]:.1f} points ({wording.title(least)}) to {deviations[most]:.1f} "
        f"({wording.title(most)}) of a mean over languages."
    )


def _version() -> tuple[object, ...]:
    path = again.place()
    return path, path.stat().st_mtime_ns if path.is_file() else 0


def _place(made: dict) -> str:
    if made["device"] != "cpu":  # `bf16` speaks of the processor
        return made["device"]
    return f"{made['cpu']}, {'bf16' if made['bf16'] else 'float32'}"
