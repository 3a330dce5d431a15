"""What of a run's scores the tables report, and whether its target was learned: the one rule.

    main_metric(study, table);  trainings(study, table).learned

A training counts as learned if it came at least LEARNED of the way from its baseline to the best
of its target that the study has at hand. What was not learned tells of a training that failed, by
its budget or by bad luck, and not of transfer. Where a condition gives the target few rows
(`Condition.rows`), little can be learned: each training counts there."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Hashable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xstilts.analysis.wording import title
from xstilts.errors import UserError
from xstilts.questions import CHAPTERS
from xstilts.runs import records, results, store
from xstilts.runs.key import Run, Score, each_once, intermediate, key
from xstilts.study import phases
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS

Weights = dict[Any, float]  # condition -> its weight in a sum of scores
LEARNED = 0.6  # of the way; in the measured trainings few lie between 0.5 and 0.65
LEAST = 10.0  # points above the baseline: where the best comes less far, nothing is learned


def finished(table: pd.DataFrame) -> pd.DataFrame:
    """Without the runs that diverged or failed: they have no scores. `score_tables.marks` names
    them."""
    return table[table.state == ""] if "state" in table else table


def layers(study: Study, table: pd.DataFrame) -> pd.Series:
    """For each row the layer at which its run is reported: the study's, or the encoder's last where
    it has fewer (of what is trained there is but one, NO_LAYER)."""
    return table.groupby(["condition", "target"]).layer.transform("max").clip(upper=study.layer)


def main_metric(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """The rows that tables show: each target's first metric; retrieval at the study's layer."""
    table = finished(table)
    return table[
        (table.metric == table.target.map(lambda name: TASKS[name].metric))
        & (table.layer == layers(study, table))
    ]


def trainings(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """(condition, target, seed) -> value and baseline (chance or majority) in English or, where
    that is not scored, on average over languages (`english` says which), the least score that
    counts as learned, and whether it does. table: as of `results.scores`. Targets without training
    have no row."""
    means = _above(study, table)
    best = means.groupby(["target", "english"]).above.transform("max")
    if len(means):
        there = _reach(*where(whole(study)))
        best = np.maximum(
            best,
            [
                there.get(place, -np.inf)
                for place in zip(means.index.get_level_values("target"), means.english, strict=True)
            ],
        )
    least = np.maximum(LEARNED * best, LEAST)
    few = [getattr(name, "rows", 0) > 0 for name in means.index.get_level_values("condition")]
    return means.assign(
        least=means.baseline + least, learned=(means.above >= least) | np.array(few, dtype=bool)
    )


def not_taught(runs: Iterable[Run]) -> list[str]:
    """Of the encoders that were trained on one intermediate task, the tasks that were hardly
    learned themselves: on their dev rows less than LEAST points above the baseline, on average over
    seeds. In words: "HellaSwag (26.0, without reading 25.0)"."""
    encoders = each_once(encoder for run in runs if (encoder := intermediate(run)))
    scores: dict[str, list[tuple[float, float]]] = {}
    for encoder in encoders:
        task, *others = encoder.tasks
        if not others and results.has(encoder):
            shown = results.dev_scores(encoder)
            shown = shown[(shown.task == task) & (shown.metric == TASKS[task].metric)]
            scores.setdefault(task, []).append((shown.value.mean(), shown.baseline.mean()))
    found = []
    for task, each in scores.items():
        value, baseline = np.mean(each, axis=0)
        if value < baseline + LEAST:
            found.append(f"{title(task)} ({value:.1f}, without reading {baseline:.1f})")
    return found


def failed(study: Study, table: pd.DataFrame) -> set[tuple[Any, str, int]]:
    """(condition, target, seed) of trainings that were not learned."""
    found = trainings(study, table)
    return set(found.index[~found.learned.to_numpy(bool)])


def _above(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    columns = ["condition", "target", "seed"]
    main = main_metric(study, table)
    main = main[[not TASKS[name].untrained for name in main.target]]
    if not len(main):
        index = pd.MultiIndex.from_arrays([[], [], []], names=columns)
        return pd.DataFrame({"value": [], "baseline": [], "english": [], "above": []}, index=index)
    own = main.language == "en"
    english = own.groupby([main[name] for name in columns]).transform("any")
    main = main.assign(english=english)[~english | own]
    means = main.groupby(columns, sort=False)[["value", "baseline", "english"]].mean()
    return means.assign(english=means.english.astype(bool), above=means.value - means.baseline)


def at_hand(study: Study) -> dict[tuple[str, Hashable, str, int], Score]:
    """(chapter, condition, target, seed) -> every run of the book that is in the store or recorded,
    with all the seeds that its chapters use: what learning and the variance of trainings are
    measured on, wherever in the book they are asked for."""
    return _at_hand(*where(whole(study)))


def whole(study: Study) -> Study:
    """The study with the seeds of all of its chapters."""
    seeds = dict.fromkeys((*study.seeds, *study.phase3_seeds))
    return dataclasses.replace(study, seeds=tuple(sorted(seeds)))


def where(study: Study) -> tuple[Study, Path, int, Path, int]:
    """What the runs at hand depend on: the study, and what its places hold. For caches."""
    root, folder = store.default_root(), records.folder()
    changed = [path.stat().st_mtime_ns if path.is_dir() else 0 for path in (root, folder)]
    return dataclasses.replace(study, missing="dash"), root, changed[0], folder, changed[1]


@lru_cache(maxsize=4)  # the chapters of a book share a process
def _at_hand(study: Study, root: Path, *changed: object) -> dict:
    wanted: dict = {}
    with contextlib.suppress(UserError):
        wanted = {("", *cell): run for cell, run in phases.single_tasks(study).items()}
    for name, chapter in CHAPTERS.items():
        # what is amiss with a chapter's rows is said where the chapter asks for them
        with contextlib.suppress(UserError):
            for cell, run in chapter.compared(study).wanted.items():
                wanted[name, *cell] = run
    return {cell: run for cell, run in wanted.items() if results.has(run, root)}


@lru_cache(maxsize=4)
def _reach(study: Study, root: Path, *changed: object) -> dict[tuple[str, bool], float]:
    """(target, whether English is scored) -> how far above its baseline the best came."""
    runs = _at_hand(study, root, *changed).values()
    found = {(key(run), run.target, run.seed): run for run in runs}
    if not found:
        return {}
    return (
        _above(study, results.scores(found, root))
        .groupby(["target", "english"])
        .above.max()
        .to_dict()
    )


def given_learned(learned: pd.DataFrame, weights: Mapping[str, Weights]) -> dict[str, Weights]:
    """The weights without conditions of which nothing was learned on the target."""
    there = set(zip(learned.condition, learned.target, strict=True))
    found = {}
    for target, some in weights.items():
        for condition in [name for name in some if (name, target) not in there]:
            some = without(some, condition)
        if some:
            found[target] = some
    return found


def without(weights: Weights, name: Hashable) -> Weights:
    """A difference without a condition: where it is one of several in a mean, these take its share;
    else nothing is left."""
    if name not in weights:
        return weights
    mean = [
        other for other, weight in weights.items() if weight == weights[name] and abs(weight) < 1
    ]
    if len(mean) < 2:
        return {}
    return {
        other: weight * len(mean) / (len(mean) - 1) if other in mean else weight
        for other, weight in weights.items()
        if other != name
    }
