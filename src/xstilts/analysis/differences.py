"""Differences between conditions, as the wide chapters show them: a table, a figure, and words that
follow from both.

    found = graph.obtain(study, asked.wanted) table = differences.table(study, asked, found)
    comparison_figures.differences(study, asked, table);  tables.quote(**differences.words(study,
                                                          asked, found, table))

What is neither in the store nor recorded is a dash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from xstilts import data
from xstilts.analysis import repeats, score_tables, stats, wording
from xstilts.runs import records, results, store
from xstilts.runs.key import Wanted, key
from xstilts.study.conditions import Comparison
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS

ALPHA = 0.05
NEAR = 0.1  # of the way from chance to 100
PART = 0.75  # of the way that the best condition came
FOUND = ["difference", "low", "high", "p", "in English", "languages", "n", "seeds", "from"]


def table(
    study: Study,
    asked: Comparison,
    found: Wanted,
    over_languages: bool = False,
    only: tuple[str, ...] | None = None,
) -> pd.DataFrame:
    """A row a comparison and target: difference in points with its interval, p and p after Holm
    over the whole table, the same difference in English alone, languages, n, seeds, and where it is
    from. Only seeds that all conditions of a comparison have count.

    over_languages: intervals and p speak of other languages, too. only: of these languages; none of
    them, no difference."""
    part = examples(study, found)
    targets = list(dict.fromkeys(target for _, target, _ in asked.wanted))
    rows = [
        {"comparison": name, "target": target, "metric": TASKS[target].metric}
        | difference(study, found, part, {target: weights}, over_languages, only)
        for name, weights in asked.contrasts
        for target in targets
        if all(
            (condition, target, seed) in asked.wanted
            for condition in weights
            for seed in study.seeds
        )
    ]
    result = pd.DataFrame(rows, columns=["comparison", "target", "metric", *FOUND])
    result.insert(7, "p (Holm)", stats.holm(result.p))
    return result


def examples(study: Study, found: Wanted, leave_out: tuple[str, ...] = ()) -> pd.DataFrame:
    """Examples of the runs, of those that tables show (`score_tables.main_metric`)."""
    if not found:
        return pd.DataFrame(
            columns=[
                "condition",
                "target",
                "seed",
                "language",
                "metric",
                "layer",
                "numerator",
                "denominator",
            ]
        )
    part = score_tables.main_metric(study, results.examples(found))
    return part[~part.language.isin(leave_out)].reset_index(drop=True)


def difference(
    study: Study,
    found: Wanted,
    part: pd.DataFrame,
    weights: Mapping[str, Mapping[Any, float]],
    over_languages: bool = False,
    only: tuple[str, ...] | None = None,
) -> dict[str, object]:
    """difference, low, high, p, languages, n, seeds, from: of the weighted sum of conditions
    (weights: target -> conditions') over those of the targets that have all of them; targets count
    alike. Older records of real rows have scores alone: then there is no interval. only: of these
    languages. in English: the difference in the language of the target's training, over the targets
    that are scored in it."""
    weights = {
        target: some for target, some in weights.items() if _seeds(study, found, target, some)
    }
    seeds = common_seeds(study, found, weights)
    cells = {
        cell: found[cell]
        for target, some in weights.items()
        for condition in some
        for seed in seeds
        for cell in [(condition, target, seed)]
    }
    if not cells or only == ():
        return _nothing()
    places = " and ".join(
        where
        for where, some in records.source(cells.values(), store.default_root()).items()
        if some
    )
    part = part[
        np.array(
            [cell in cells for cell in zip(part.condition, part.target, part.seed, strict=True)],
            dtype=bool,
        )
    ]
    english, part = (
        part[part.language == "en"],
        part if only is None else part[part.language.isin(only)],
    )
    if part.groupby(["condition", "target", "seed"]).ngroups < len(cells):
        return {"from": places} | _scores_alone(study, cells, weights, only)
    gain = stats.mean(
        part, weights, over_languages=over_languages, training=repeats.variance(study)
    )
    own = (
        stats.mean(english, {target: weights[target] for target in english.target.unique()}).value
        if len(english)
        else np.nan
    )
    return {
        "difference": gain.value,
        "low": gain.low,
        "high": gain.high,
        "p": gain.p,
        "in English": own,
        "languages": gain.languages,
        "n": gain.n,
        "seeds": gain.seeds,
        "from": places,
    }


def common_seeds(
    study: Study, found: Wanted, weights: Mapping[str, Mapping[Any, float]]
) -> tuple[int, ...]:
    """The seeds behind a difference: those that every target has of all its conditions."""
    return tuple(
        seed
        for seed in study.seeds
        if all(seed in _seeds(study, found, target, some) for target, some in weights.items())
    )


def _seeds(study: Study, found: Wanted, target: str, conditions: Iterable[str]) -> list[int]:
    return [
        seed
        for seed in study.seeds
        if all((condition, target, seed) in found for condition in conditions)
    ]


def _nothing() -> dict[str, object]:
    return dict.fromkeys(FOUND[:5], np.nan) | dict.fromkeys(FOUND[5:], "–")


def _scores_alone(
    study: Study,
    cells: Wanted,
    weights: Mapping[str, Mapping[Any, float]],
    only: tuple[str, ...] | None,
) -> dict[str, object]:
    rows = score_tables.main_metric(study, results.scores(cells))
    english, rows = (
        rows[rows.language == "en"],
        rows if only is None else rows[rows.language.isin(only)],
    )
    if not len(rows):
        return _nothing()

    def summed(part: pd.DataFrame) -> float:
        means = part.groupby(["target", "condition"]).value.mean().unstack()
        return float((means * pd.DataFrame(weights).T.reindex(means.index)).sum(axis=1).mean())

    return {
        "difference": summed(rows),
        "low": np.nan,
        "high": np.nan,
        "p": np.nan,
        "in English": summed(english) if len(english) else np.nan,
        "n": int(rows.n.min()),
        "seeds": len({seed for _, _, seed in cells}),
        "languages": int(rows.groupby("target").language.nunique().sum()),
    }


def verdict(rows: pd.DataFrame) -> str:
    """The rule: a difference counts if its p after Holm is below 0.05. All that count go up:
    *helps*; all down: *hurts*; some each way: *helps some targets and hurts others*; none counts:
    *can't tell*; no difference at hand: *not run*."""
    rows = rows.dropna(subset="difference")
    counts = rows[rows["p (Holm)"] < ALPHA].difference
    if not len(rows):
        return "not run"
    if not len(counts):
        return "can't tell"
    return (
        "helps"
        if (counts > 0).all()
        else "hurts"
        if (counts < 0).all()
        else "helps some targets and hurts others"
    )


def verdicts(shown: pd.DataFrame) -> pd.DataFrame:
    """A row a comparison: over how many targets, the mean difference over these, how many count,
    the verdict."""
    return pd.DataFrame(
        [
            {
                "comparison": name,
                "targets": len(rows.dropna(subset="difference")),
                "mean difference": rows.difference.mean(),
                "up": int(((rows["p (Holm)"] < ALPHA) & (rows.difference > 0)).sum()),
                "down": int(((rows["p (Holm)"] < ALPHA) & (rows.difference < 0)).sum()),
                "verdict": verdict(rows),
            }
            for name, rows in shown.groupby("comparison", sort=False)
        ],
        columns=["comparison", "targets", "mean difference", "up", "down", "verdict"],
    )


def learned(study: Study, found: Wanted) -> pd.DataFrame:
    """(condition, target) -> how far its training came: value and baseline (chance or majority) in
    English or, where that is not scored (english is 0, not 1), on average over languages; far, the
    share of the way from the baseline to 100. Targets without training have no row."""
    found = {cell: run for cell, run in found.items() if not TASKS[cell[1]].untrained}
    if not found:
        return pd.DataFrame(
            columns=["value", "baseline", "english", "far"],
            dtype=float,
            index=pd.MultiIndex.from_arrays([[], []], names=["condition", "target"]),
        )
    main = score_tables.main_metric(study, results.scores(found))
    main = main.assign(english=main.target.isin(main.target[main.language == "en"]))
    main = main[~main.english | (main.language == "en")]
    means = main.groupby(["condition", "target"], sort=False)[
        ["value", "baseline", "english"]
    ].mean()
    return means.assign(far=(means.value - means.baseline) / (100 - means.baseline))


def near_chance(means: pd.DataFrame) -> list[tuple[str, str]]:
    """Conditions and targets of `learned` whose training ended near chance, less than NEAR of the
    way to 100. Their differences tell of a training, not of its transfer. (`score_tables.collapsed`
    names those that lag behind others.)"""
    return list(means.index[means.far < NEAR])


def half_learned(means: pd.DataFrame) -> list[str]:
    """Conditions and targets of `learned` whose training left chance but came less than PART of the
    way that the target's best
    came in English, with the English score: what English lacks the other languages can't take
    over."""
    best = means.far.groupby(level="target").transform("max")
    some = means[(means.english == 1) & (means.far >= NEAR) & (means.far < PART * best)]
    return [
        f"{wording.cell_title(condition, target)} ({value:.0f})"
        for (condition, target), value in some.value.items()
    ]


def words(study: Study, asked: Comparison, found: Wanted, shown: pd.DataFrame) -> dict[str, object]:
    """What the prose of a chapter quotes."""
    there = shown.dropna(subset="difference")
    counts, summed, means = there[there["p (Holm)"] < ALPHA], verdicts(shown), learned(study, found)
    top = counts.loc[counts.difference.abs().idxmax()] if len(counts) else None
    titles = summed.comparison.map(wording.title)
    return {
        "data": data.where(study.data),
        "encoder": study.encoder.rpartition("/")[2],
        "seeds": len(study.seeds),
        "runs": len(set(map(key, asked.wanted.values()))),
        "there": len(set(map(key, found.values()))),
        "trust": repeats.words(study, behind(shown)),
        "differences": len(there),
        "asked": len(shown),
        "up": int((counts.difference > 0).sum()),
        "down": int((counts.difference < 0).sum()),
        "unclear": len(there) - len(counts),
        "largest": "none" if top is None else wording.cell_title(top.comparison, top.target),
        "largest_value": wording.signed(np.nan if top is None else top.difference),
        "near_chance": _listed([wording.cell_title(*cell) for cell in near_chance(means)]),
        "half_learned": _listed(half_learned(means)),
        "helping": "; ".join(titles[summed.verdict == "helps"]) or "none",
        "hurting": "; ".join(titles[summed.verdict == "hurts"]) or "none",
    }


def behind(shown: pd.DataFrame) -> int | None:
    """The fewest seeds behind a table's differences; None where there is none."""
    seeds = pd.to_numeric(shown.seeds, errors="coerce").dropna()
    return int(seeds.min()) if len(seeds) else None


def _listed(names: list[str]) -> str:
    return f"{'; '.join(names[:12]) or 'none'}{f'; and {len(names) - 12} more' * (len(names) > 12)}"
