"""The tables of the phases and of single tasks: scores, and differences to no intermediate
training."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xstilts.analysis import averages, repeats, reported, stats
from xstilts.analysis import differences as pairs
from xstilts.analysis.grades import CLEAR, NOT_LEARNED, NOT_RUN, OPEN, SAME
from xstilts.analysis.reported import finished, layers, main_metric
from xstilts.analysis.wording import cell_title, direction, signed, title
from xstilts.study.conditions import NONE, Condition
from xstilts.study.phases import absent
from xstilts.study.profiles import Study
from xstilts.tasks import benchmarks as suites
from xstilts.tasks.table import TASKS, training_task

SHOWN = ["intermediate", "target", "metric", "English", "score", "difference", "low", "high"]
SHOWN += ["grade", "learned", "with failures"]


def retrieval(study: Study, table: pd.DataFrame, target: str = "tatoeba") -> pd.DataFrame:
    """A row a condition, metric and layer of a retrieval target: the layer that other tables report
    and the encoder's last one, raw and centred, with the difference to no intermediate training.
    Other layers may say otherwise."""
    part = finished(table)
    part = part[part.target == target].assign(reported=layers(study, part))
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


def marks(study: Study, table: pd.DataFrame) -> dict[tuple[Condition, str], str]:
    """(condition, target) -> what a reader of its mean has to know: seeds that diverged or failed,
    and are not in it; seeds whose target was not learned, and are."""
    found: dict[tuple[Condition, str], list[str]] = {}
    states = table.state if "state" in table else pd.Series("", index=table.index)
    for what, rows in (
        ("diverged", table[states == "diverged"]),
        ("failed", table[states == "failed"]),
        ("not learned", _not_learned(study, table)),
    ):
        for (condition, target), part in rows.groupby(["condition", "target"]):
            seeds = ", ".join(str(seed) for seed in sorted(part.seed.unique()))
            found.setdefault((condition, target), []).append(f"{what}: seed {seeds}")
    return {cell: "; ".join(words) for cell, words in found.items()}


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


def _not_learned(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    cells = reported.failed(study, table)
    return pd.DataFrame(sorted(cells, key=str), columns=["condition", "target", "seed"])


def differences(study: Study, table: pd.DataFrame, examples: pd.DataFrame) -> pd.DataFrame:
    """A row a condition and target: score in English and on average; difference to no intermediate
    training with its interval and grade, as every chapter has it (`differences.compare`); n,
    seeds."""
    marked, main = marks(study, table), main_metric(study, table)
    english = main[main.language == "en"].groupby(["condition", "target"]).value.mean()
    scored = main.groupby(["condition", "target"])
    part, rows = pairs.prepared(study, table, examples), []
    for condition in table.condition.unique():
        for target in table[table.condition == condition].target.unique():
            row = {
                "intermediate": condition,
                "target": target,
                "metric": TASKS[target].metric,
                "English": english.get((condition, target), np.nan),
            }
            row |= dict.fromkeys(SHOWN[4:8], np.nan) | {"grade": NOT_RUN, "learned": "–"}
            row |= {"with failures": np.nan} | dict.fromkeys(("languages", "n", "seeds"), 0)
            if (condition, target) in scored.groups:
                own = scored.get_group((condition, target))
                row |= {
                    "score": own.groupby("language").value.mean().mean(),
                    "languages": own.language.nunique(),
                    "n": int(own.n.min()),
                    "seeds": own.seed.nunique(),
                    "of": _of(own),
                }
            if condition == NONE:
                row["grade"] = "–"
            else:
                gain = pairs.compare(study, None, part, {target: {condition: 1, NONE: -1}}).row()
                row |= {name: gain[name] for name in SHOWN[5:]}
            reference = marked.get((NONE, target), "") if condition != NONE else ""
            own_marks = marked.get((condition, target), "")
            words = [own_marks] * bool(own_marks) + [f"the reference {reference}"] * bool(reference)
            rows.append(row | {"marks": "; ".join(words)})
    for name in absent(study):  # asked for, and not to be had
        rows += [
            {"intermediate": Condition((name,)), "target": target, "metric": TASKS[target].metric}
            | dict.fromkeys(("English", *SHOWN[4:8], "with failures"), np.nan)
            | {"grade": NOT_RUN}
            | dict.fromkeys(("learned", "languages", "n", "seeds"), "–")
            for target in table.target.unique()
        ]
    return _without_empty(rows)


def _of(part: pd.DataFrame) -> float:
    """How many rows the split has, where fewer were scored; else NaN. Of the language with the
    fewest."""
    fewer = part[part.n < part.of] if "of" in part else part.head(0)
    return fewer.of.min() if len(fewer) else np.nan


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
    parts = table[table.layer == layers(study, table)].groupby("condition", sort=False)
    return pd.concat(
        [
            averages.averages(part, benchmark).assign(intermediate=condition, benchmark=benchmark)
            for condition, part in parts
            for benchmark in names or suites.CATEGORIES
        ],
        ignore_index=True,
    )[["intermediate", "benchmark", "category", "value", "over languages here", "tasks", "missing"]]


def verdicts(gains: pd.DataFrame) -> dict[str, object]:
    """What the prose of a table of differences says: how many cells have which grade, best and
    least intermediate task on average, largest and smallest cell, means, also without cells that
    are one training twice. Dashes where nothing could be compared."""
    cells = gains[gains.intermediate != NONE].dropna(subset="difference")
    means = cells.groupby("intermediate").difference.mean().sort_values()
    found: dict[str, object] = dict.fromkeys(
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
        "up": int((cells.grade.isin(CLEAR) & (cells.difference > 0)).sum()),
        "down": int((cells.grade.isin(CLEAR) & (cells.difference < 0)).sum()),
        "same": int((cells.grade == SAME).sum()),
        "unclear": int((cells.grade == OPEN).sum()),
        "verdict": "is not known",
        "not_learned": ", ".join(
            cell_title(cell.intermediate, cell.target)
            for cell in gains[gains.grade == NOT_LEARNED].itertuples()
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
