"""XTREME's and XTREME-R's averages: over languages, then over tasks, by category and over all.

    averages(results, "XTREME")

They are those of XTREME's evaluate.py (`--xtreme_version xtreme` or `xtreme-r`). A task's value is
the mean over the benchmark's languages of its metric, in question answering of F1 and exact match
together. XTREME-R's LAReQA has no language there, so it is in no category's mean, and evaluate.py
has no mean over all of XTREME-R. Ours is over its ten tasks, as in Ruder et al. 2021. A category
has a value only if every task of it has one in every language. What is missing is named, a score
that is no number too. Where each task has at least one of the languages there is the same mean over
these, which is not the benchmark's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xstilts.errors import UserError
from xstilts.tasks import benchmarks

FEW = 5  # languages that lack are named up to here


def task_value(table: pd.DataFrame, benchmark: str, target: str) -> tuple[float, tuple[str, ...]]:
    """(mean over the languages at hand, 0-100 or NaN; the benchmark's languages that are missing)

    `table` has a row a target, language, metric (`results.scores` of one condition, at one layer);
    seeds are averaged. A language with a score that is no number, in any seed that was run or any
    metric, is missing. (A run without a result has one row, whose `state` says why; it is a seed
    less.)"""
    wanted = benchmarks.official_languages(benchmark, target)
    metrics = benchmarks.averaged(target)
    part = table[
        (table.target == target) & table.metric.isin(metrics) & table.language.isin(wanted)
    ]
    part = part[part.state == ""] if "state" in part else part
    by_metric = (
        part.groupby(["language", "metric"])
        .value.mean(skipna=False)
        .unstack()
        .reindex(columns=metrics)
    )
    by_language = by_metric.mean(axis=1, skipna=False).dropna()
    missing = tuple(sorted(set(wanted) - set(by_language.index)))
    return (float(by_language.mean()) if len(by_language) else np.nan), missing


def averages(table: pd.DataFrame, benchmark: str) -> pd.DataFrame:
    """A row a category and one for all: value, and what is missing for it ("mewslix; xnli: bg el").
    UserError for an unknown benchmark."""
    if benchmark not in benchmarks.CATEGORIES:
        raise UserError(
            f"unknown benchmark {benchmark!r}; known: {', '.join(benchmarks.CATEGORIES)}"
        )
    found = []
    everything: dict[str, tuple[float, tuple[str, ...]]] = {}
    for category, targets in benchmarks.CATEGORIES[benchmark].items():
        values = {target: task_value(table, benchmark, target) for target in targets}
        everything |= values
        found.append({"category": category, **_average(values)})
    everything |= {
        target: task_value(table, benchmark, target) for target in benchmarks.ALONE[benchmark]
    }
    return pd.DataFrame([*found, {"category": "all", **_average(everything)}])


def _average(values: dict[str, tuple[float, tuple[str, ...]]]) -> dict:
    missing = [
        target
        if np.isnan(value)
        else f"{target}: "
        f"{' '.join(lacking) if len(lacking) <= FEW else f'{len(lacking)} languages'}"
        for target, (value, lacking) in values.items()
        if lacking
    ]
    mean = float(np.mean([value for value, _ in values.values()]))  # NaN where a task has none
    return {
        "value": np.nan if missing else mean,
        "over languages here": mean,
        "tasks": len(values),
        "missing": "; ".join(missing),
    }
