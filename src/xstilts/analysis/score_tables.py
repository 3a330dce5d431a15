"""The tables of the phases and of single tasks: scores, and differences to no intermediate
training."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xstilts.analysis import averages, repeats, stats
from xstilts.analysis.wording import cell_title, direction, signed, title
from xstilts.study.conditions import NONE, Condition
from xstilts.study.graph import absent
from xstilts.study.profiles import Study
from xstilts.tasks import benchmarks as suites
from xstilts.tasks.table import TASKS, training_task


def main_metric(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """The rows that tables show: each target's first metric; retrieval at the study's layer."""
    table = finished(table)
    return table[
        (table.metric == table.target.map(lambda name: TASKS[name].metric))
        & (table.layer == _layers(study, table))
    ]


def _layers(study: Study, table: pd.DataFrame) -> pd.Series:
    """For each row the layer at which its run is reported: the study's, or the encoder's last where
    it has fewer (of what is trained there is but one, NO_LAYER)."""
    return table.groupby(["condition", "target"]).layer.transform("max").clip(upper=study.layer)


def retrieval(study: Study, table: pd.DataFrame, target: str = "tatoeba") -> pd.DataFrame:
    """A row a condition, metric and layer of a retrieval target: the layer that other tables report
    and the encoder's last one, raw and centred, with the difference to no intermediate training.
    Other layers may say otherwise."""
    part = finished(table)
    part = part[part.target == target].assign(reported=_layers(study, part))
    part = part[
        (part.layer == part.reported)
        | (part.layer == part.groupby("condition").layer.transform("max"))
    ]
    means = (
        part.groupby(["metric", "layer", "condition"], sort=False)
        .agg(
            accuracy=("value", "mean"),
            languages=("language", "nunique"),
            n=("n", "min"),
            seeds=("seed", "nunique"),
        )
        .reset_index()
    )
    order = TASKS[target].metrics
    means = means.sort_values(
        ["metric", "layer"],
        kind="stable",
        key=lambda part: part.map(order.index) if part.name == "metric" else part,
    )
    reference = means[means.condition == NONE].set_index(["metric", "layer"]).accuracy
    means["difference"] = means.accuracy - [
        reference.get(where, np.nan) for where in zip(means.metric, means.layer, strict=True)
    ]
    means.loc[means.condition == NONE, "difference"] = np.nan
    return means[
        ["condition", "metric", "layer", "accuracy", "difference", "languages", "n", "seeds"]
    ]


def other_signs(shown: pd.DataFrame) -> str:
    """Of a table of `retrieval`: how many differences, as other tables report them, have another
    sign at another layer or centred."""
    signs = np.sign(
        shown.assign(difference=shown.difference.round(1))
        .dropna(subset="difference")
        .set_index("condition")
        .difference
    )
    first = signs.groupby(level=0, sort=False).first()
    turned = [
        title(name) for name, sign in first.items() if (signs[[name]] == -sign).any() and sign
    ]
    return f"{len(turned)} of {len(first)}" + (f" ({', '.join(turned)})" if turned else "")


def finished(table: pd.DataFrame) -> pd.DataFrame:
    """Without the runs that diverged or failed: they have no scores. `marks` names them."""
    return table[table.state == ""] if "state" in table else table


def marks(study: Study, table: pd.DataFrame) -> dict[tuple[str, str], str]:
    """(condition, target) -> what a reader of its mean has to know: seeds that diverged or failed,
    and are not in it; seeds that stayed at chance in English where others learned, and are."""
    found: dict[tuple[str, str], list[str]] = {}
    states = table.state if "state" in table else pd.Series("", index=table.index)
    for what, rows in (
        ("diverged", table[states == "diverged"]),
        ("failed", table[states == "failed"]),
        ("at chance", collapsed(study, table)),
    ):
        for (condition, target), part in rows.groupby(["condition", "target"]):
            seeds = ", ".join(str(seed) for seed in sorted(part.seed.unique()))
            found.setdefault((condition, target), []).append(f"{what}: seed {seeds}")
    return {cell: "; ".join(words) for cell, words in found.items()}


def collapsed(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """English scores of trained targets less than a tenth of the way from the baseline to the best
    run's, where that is
    at least 10 points: the training failed, not its transfer."""
    main = main_metric(study, table)
    main = main[
        (main.language == "en") & ~main.target.map(lambda name: TASKS[name].untrained).astype(bool)
    ]
    above = main.value - main.baseline
    best = above.groupby(main.target).transform("max")
    return main[(best >= 10) & (above < best / 10)]


def scores(
    study: Study, table: pd.DataFrame, examples: pd.DataFrame, condition: Condition = NONE
) -> pd.DataFrame:
    """A row a target: English, the mean of the other languages with its interval, the worst, the
    baseline."""
    marked, training = marks(study, table), repeats.variance(study)
    table, examples = main_metric(study, table), main_metric(study, examples)
    table = table[table.condition == condition]
    found = [
        {
            "target": title(target),
            "metric": TASKS[target].metric,
            "n": 0,
            "seeds": 0,
            "marks": words,
        }
        for (name, target), words in marked.items()
        if name == condition and target not in set(table.target)
    ]
    for target, part in table.groupby("target", sort=False):
        mean = part.groupby("language")[["value", "baseline", "n"]].mean()
        zero_shot = mean.drop(index="en", errors="ignore")
        others = examples[examples.language != "en"]
        found.append(
            {
                "target": title(target),
                "metric": TASKS[target].metric,
                "English": mean.value.get("en", np.nan),
                "zero-shot": stats.score(others, condition, target, training=training)
                if len(zero_shot)
                else np.nan,
                "lowest": f"{zero_shot.value.min():.1f} ({zero_shot.value.idxmin()})"
                if len(zero_shot)
                else np.nan,
                "baseline": mean.baseline.mean(),
                "languages": len(mean),
                "n": int(mean.n.min()),
                "of": _of(part),
                "seeds": part.seed.nunique(),
                "marks": marked.get((condition, target), ""),
            }
        )
    return _without_empty(found)


def by_seed(study: Study, table: pd.DataFrame, condition: Condition = NONE) -> pd.DataFrame:
    """A row a target that is trained: the English score and the mean of the other languages with
    each seed, and how far the
    seeds of that mean lie apart: their standard deviation, and the highest less the lowest."""
    main, rows = main_metric(study, table), []
    for target, part in main[main.condition == condition].groupby("target", sort=False):
        if TASKS[target].untrained:
            continue
        seeds = {seed: some.set_index("language").value for seed, some in part.groupby("seed")}
        means = pd.Series(
            {seed: value.drop("en", errors="ignore").mean() for seed, value in seeds.items()}
        )
        rows.append(
            {"target": title(target), "metric": TASKS[target].metric}
            | {f"zero-shot, seed {seed}": value for seed, value in means.items()}
            | {"deviation": means.std(), "range": np.ptp(means) if len(means) > 1 else np.nan}
            | {f"English, seed {seed}": value.get("en", np.nan) for seed, value in seeds.items()}
            | {"languages": len(set(part.language) - {"en"}), "n": int(part.n.min())}
        )
    return (
        pd.DataFrame(rows)
        if rows
        else pd.DataFrame(columns=["target", "metric", "languages", "n", "deviation", "range"])
    )


def differences(study: Study, table: pd.DataFrame, examples: pd.DataFrame) -> pd.DataFrame:
    """A row a condition and target: score in English and on average, difference to no intermediate
    training, its interval, n, seeds."""
    marked, examples, main = (
        marks(study, table),
        main_metric(study, examples),
        main_metric(study, table),
    )
    english = main[main.language == "en"].groupby(["condition", "target"]).value.mean()
    found, training = [], repeats.variance(study)
    for condition in table.condition.unique():
        for target in table[table.condition == condition].target.unique():
            row = {
                "intermediate": condition,
                "target": target,
                "metric": TASKS[target].metric,
                "English": english.get((condition, target), np.nan),
            }
            row |= dict.fromkeys(("score", "difference", "low", "high"), np.nan) | dict.fromkeys(
                ("languages", "n", "seeds"), 0
            )
            ours = examples[(examples.condition == condition) & (examples.target == target)]
            both = _same_seeds(
                ours, examples[(examples.condition == NONE) & (examples.target == target)]
            )
            if len(ours):
                score = stats.score(ours, condition, target, training=training)
                row |= {
                    "score": score.value,
                    "languages": score.languages,
                    "n": score.n,
                    "seeds": score.seeds,
                    "of": _of(main[(main.condition == condition) & (main.target == target)]),
                }
            if len(both) and condition != NONE:
                gain = stats.difference(both, condition, target, training=training)
                row |= {
                    "difference": gain.value,
                    "low": gain.low,
                    "high": gain.high,
                    "seeds": gain.seeds,
                }
            reference = marked.get((NONE, target), "") if condition != NONE else ""
            found.append(
                row
                | {
                    "marks": "; ".join(
                        [marked.get((condition, target), "")] * ((condition, target) in marked)
                        + [f"the reference {reference}"] * bool(reference)
                    )
                }
            )
    for name in absent(study):  # asked for, and not to be had
        found += [
            {
                "intermediate": Condition((name,)),
                "target": target,
                "metric": TASKS[target].metric,
                "languages": "–",
                "n": "–",
                "seeds": "–",
            }
            | dict.fromkeys(("English", "score", "difference", "low", "high"), np.nan)
            for target in table.target.unique()
        ]
    return _without_empty(found)


def _of(part: pd.DataFrame) -> float:
    """How many rows the split has, where fewer were scored; else NaN. Of the language with the
    fewest."""
    fewer = part[part.n < part.of] if "of" in part else part.head(0)
    return fewer.of.min() if len(fewer) else np.nan


def _same_seeds(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Examples of two conditions, of the seeds that both have: what is paired must be there
    twice."""
    common = set(first.seed) & set(second.seed)
    both = pd.concat([first, second[~second.index.isin(first.index)]])
    return both[both.seed.isin(common)]


def _without_empty(rows: list[dict]) -> pd.DataFrame:
    """A table whose columns `marks` and `of` (rows of the split, beside n) are there only where
    they say something."""
    found = pd.DataFrame(rows)
    if not len(found):
        return found
    found = found.assign(marks=found.marks.replace("", np.nan) if "marks" in found else np.nan)
    if "of" in found:
        found.insert(
            found.columns.get_loc("n") + 1,
            "of",
            found.pop("of").map(lambda n: np.nan if pd.isna(n) else f"{n:.0f}"),
        )
    return found.drop(
        columns=[name for name in ("marks", "of") if name in found and found[name].isna().all()]
    )


def benchmarks(study: Study, table: pd.DataFrame, *names: str) -> pd.DataFrame:
    """A row a condition, benchmark (`names`, else XTREME and XTREME-R) and category: the average,
    and what is missing for it."""
    table = finished(table)
    parts = table[table.layer == _layers(study, table)].groupby("condition", sort=False)
    return pd.concat(
        [
            averages.averages(part, benchmark).assign(intermediate=condition, benchmark=benchmark)
            for condition, part in parts
            for benchmark in names or suites.CATEGORIES
        ],
        ignore_index=True,
    )[["intermediate", "benchmark", "category", "value", "over languages here", "tasks", "missing"]]


def unlearned(gains: pd.DataFrame) -> pd.DataFrame:
    """Cells whose target was not learned even in English: less than half of what it reaches without
    intermediate training. Such a difference says that a training failed, not that its transfer
    did."""
    reached = gains[gains.intermediate == NONE].set_index("target").English
    return gains[gains.English < gains.target.map(reached) / 2]


def verdicts(gains: pd.DataFrame) -> dict[str, object]:
    """What the prose of a table of differences says: how many cells have an interval above or below
    0, best and least intermediate task on average, largest and smallest cell, means, also without
    cells that are one training twice. Dashes where nothing could be compared."""
    cells = gains[gains.intermediate != NONE].dropna(subset="difference")
    means = cells.groupby("intermediate").difference.mean().sort_values()
    found = dict.fromkeys(
        (
            "best",
            "best_gain",
            "least",
            "least_gain",
            "mean_gain",
            "top",
            "top_gain",
            "low",
            "low_gain",
            "apart",
        ),
        "–",
    )
    again = [
        cell.intermediate.tasks == (training_task(TASKS[cell.target]).name,)
        for cell in cells.itertuples()
    ]
    found |= {
        "cells": len(cells),
        "up": int((cells.low > 0).sum()),
        "down": int((cells.high < 0).sum()),
        "unclear": int(((cells.low <= 0) & (cells.high >= 0)).sum()),
        "verdict": "is not known",
        "unlearned": ", ".join(
            cell_title(cell.intermediate, cell.target) for cell in unlearned(gains).itertuples()
        )
        or "none",
        "twice": ", ".join(
            cell_title(cell.intermediate, cell.target) for cell in cells[again].itertuples()
        )
        or "none",
    }
    if not len(cells):
        return found
    for name, place in (("best", -1), ("least", 0)):
        found |= {name: title(means.index[place]), f"{name}_gain": signed(means.iloc[place])}
    for name, place in (("top", cells.difference.idxmax()), ("low", cells.difference.idxmin())):
        cell = cells.loc[place]
        found |= {
            name: cell_title(cell.intermediate, cell.target),
            f"{name}_gain": f"{signed(cell.difference)} [{cell.low:.1f}, {cell.high:.1f}]",
        }
    mean = cells.difference.mean()
    return found | {
        "mean_gain": signed(mean),
        "verdict": direction(mean, 0.5),
        "apart": signed(cells.difference[~np.array(again)].mean()),
    }
