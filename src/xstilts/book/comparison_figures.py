"""Figures of the wide chapters: differences between conditions, and what may explain them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from xstilts.analysis.wording import title
from xstilts.book import figures
from xstilts.chapters.explain import BEYOND, DISTANCE, WORK, related
from xstilts.runs import records, store
from xstilts.study.conditions import Comparison
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS

SHOWN = 40  # rows of a figure; the table has all
MARKERS = "osD^vP*X<>"
COLOURS = {"for": "C0", "against": "C1"}  # of a verdict's last word; grey else


def graded(axis: Axes, row: Mapping[str, Any], line: float, marker: str, label: str) -> None:
    """The effect of a claim or hypothesis with its 95 % interval: blue for, orange against, grey
    else; hollow where something in it is recorded. row: of `verdicts.decide`. label: of the
    study."""
    colour = COLOURS.get(row["verdict"].rpartition(" ")[2], "0.5")
    if np.isnan(row["effect"]):
        axis.text(0, line, "–", ha="center", va="center", color="0.4")
        return
    reach = figures.reach(row["effect"], row["low"], row["high"])
    axis.errorbar(row["effect"], line, xerr=reach, fmt="none", ecolor=colour, lw=1.5)
    hollow = None if row["from"] == "live" else "white"
    axis.plot(row["effect"], line, marker, ms=5, color=colour, mfc=hollow, label=label)


def graded_rows(
    names: Sequence[str], studies: Mapping[str, tuple[str, pd.DataFrame]], more: int = 0
) -> tuple[Figure, Axes, Callable[[int, int], float]]:
    """A row a claim or hypothesis with its effect in each study (name -> marker and table), and
    place(row, line), as of `figures.named_rows`. more: lines of a row that are left free."""
    drawn, axis, place = figures.named_rows(names, len(studies) + more)
    for number, (name, (marker, decided)) in enumerate(studies.items()):
        for line, row in enumerate(decided.to_dict("records")):
            graded(axis, row, place(line, number), marker, name)
    axis.axvline(0, color="0.4", lw=1)
    axis.set_xlabel("points (95 % interval)")
    return drawn, axis, place


def sign(marker: str, label: str, color: str = "0.4") -> Line2D:
    """What a legend shows of a marker."""
    return Line2D([], [], marker=marker, ls="", color=color, label=label)


def hypotheses(studies: Mapping[str, tuple[Study, pd.DataFrame]], runs: str) -> Figure:
    """A chapter's hypotheses, each with its effect in each study (name -> study and table)."""
    first, shown = next(iter(studies.values()))
    markers = dict(zip(studies, MARKERS, strict=False))
    marked = {name: (markers[name], decided) for name, (_, decided) in studies.items()}
    drawn, _, _ = graded_rows(list(shown.hypothesis), marked)
    if len(studies) > 1:
        signs = [sign(marker, name) for name, marker in markers.items()]
        drawn.legend(handles=signs, fontsize=8, loc="outside upper left", ncols=3)
    return figures.stamp(first, drawn, runs)


def differences(study: Study, asked: Comparison, shown: pd.DataFrame) -> Figure:
    """Differences with their 95 % intervals, a marker a target: filled if all of it was run here,
    hollow if something is recorded; a dash where nothing was run. At most SHOWN rows: those with a
    difference go first."""
    shown = shown.assign(there=shown.groupby("comparison").difference.transform("count") > 0)
    names = list(shown.sort_values("there", ascending=False, kind="stable").comparison.unique())[
        :SHOWN
    ]
    targets = list(shown.target.unique())
    drawn, axis, place = figures.named_rows([title(name) for name in names], len(targets))
    for number, target in enumerate(targets):
        part = shown[(shown.target == target) & shown.comparison.isin(names)].dropna(
            subset="difference"
        )
        places = [place(names.index(name), number) for name in part.comparison]
        errors = figures.reach(part.difference, part.low, part.high)
        axis.errorbar(
            part.difference, places, xerr=errors, fmt="none", ecolor=f"C{number % 10}", lw=1
        )
        live = (part["from"] == "live").to_numpy()
        for filled in (True, False):
            axis.plot(
                part.difference[live == filled],
                np.array(places)[live == filled],
                MARKERS[number % 10],
                ms=5,
                color=f"C{number % 10}",
                mfc=None if filled else "white",
                label=("" if filled else "_") + title(target),
            )
    for row, name in enumerate(names):
        if shown[shown.comparison == name].difference.isna().all():
            axis.text(0, place(row, len(targets) // 2), "–", ha="center", va="center", color="0.4")
    axis.axvline(0, color="0.4", lw=1)
    axis.set_xlabel("difference in points (95 % interval)")
    drawn.legend(fontsize=8, loc="outside upper left", ncols=4)
    return figures.stamp(study, drawn, records.said(asked.wanted.values(), store.default_root()))


def scatter(
    study: Study, asked: Comparison, table: pd.DataFrame, x: str, gains: dict[str, str], names: str
) -> Figure:
    """Gains over what may explain them: a marker a column of gains (column -> what it is called).
    Named, once a row, are those farthest from the others that have room."""
    drawn, axis = plt.subplots(figsize=(7, 3.8), layout="constrained")
    for marker, (column, called) in zip(MARKERS, gains.items(), strict=False):
        part = table.dropna(subset=[x, column])
        axis.plot(part[x], part[column], marker, ms=6, label=called)
    if table.dropna(subset=[x]).dropna(subset=list(gains), how="all").empty:
        axis.text(0.5, 0.5, "–", ha="center", transform=axis.transAxes)
    axis.axhline(0, color="0.4", lw=1)
    axis.set(xlabel=x, ylabel="gain in points")
    drawn.legend(fontsize=8, loc="outside upper left", ncols=2)
    high = table.assign(gain=table[list(gains)].max(axis=1)).dropna(subset=[x, "gain"])
    away = (
        ((high[[x, "gain"]] - high[[x, "gain"]].median()) / (high[[x, "gain"]].std() + 1e-9))
        .abs()
        .max(axis=1)
    )
    figures.name_points(
        axis,
        [
            (row[x], row["gain"], title(row[names]))
            for row in high.loc[away.sort_values(ascending=False).index].to_dict("records")
        ],
    )
    return figures.stamp(study, drawn, records.said(asked.wanted.values(), store.default_root()))


def against_cost(study: Study, asked: Comparison, table: pd.DataFrame) -> Figure:
    """Score over training operations: a panel a target, a point a condition; of the best ones for
    their cost those are named that have room, the best first."""
    targets = list(dict.fromkeys(target for _, target, _ in asked.wanted))
    (drawn, axes), named = figures.panels(len(targets), 4.4), []
    for axis, target in zip(axes, targets, strict=True):
        part = table[table.target == target].sort_values([WORK, "score"], ascending=[True, False])
        axis.plot(part[WORK], part.score, "o", ms=5, label="conditions")
        best = part[part.score > part.score.cummax().shift(fill_value=-1)]
        named.append(
            (
                axis,
                [
                    (row[WORK], row["score"], title(row["condition"]))
                    for row in best.to_dict("records")[::-1]
                ],
            )
        )
        if not len(part):
            axis.text(0.5, 0.5, "–", ha="center", transform=axis.transAxes)
        axis.set(title=title(target), xlabel=WORK, ylabel=TASKS[target].metric)
    for axis, points in named:  # when every panel has its place
        figures.name_points(axis, points)
    return figures.stamp(study, drawn, records.said(asked.wanted.values(), store.default_root()))


def by_distance(study: Study, asked: Comparison, table: pd.DataFrame) -> Figure:
    """Gain by language over the distance of its grammar from English: a panel a comparison, with
    the correlation. table: of `explain.languages`."""
    names = list(dict.fromkeys(table.comparison)) or ["–"]
    drawn, axes = figures.panels(len(names), 4.4)
    named = []
    for axis, name in zip(axes, names, strict=True):
        part = table[table.comparison == name].dropna(subset=[DISTANCE, BEYOND])
        axis.plot(part[DISTANCE], part[BEYOND], "o", ms=4, label="languages")
        axis.axhline(0, color="0.4", lw=1)
        if not len(part):
            axis.text(0.5, 0.5, "–", ha="center", transform=axis.transAxes)
        found = related(part, BEYOND, DISTANCE)
        r = (
            "–"
            if np.isnan(found.value)
            else f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"
        )
        axis.set_title(f"{title(name)}: r = {r}, n = {len(part)}", fontsize=9)
        axis.set(xlabel="distance from English (nats)", ylabel="points above the mean")
        points = part[[DISTANCE, BEYOND, "language"]].itertuples(index=False, name=None)
        named.append((axis, list(points)))
    for axis, points in named:  # when every panel has its place
        figures.name_points(axis, points)
    return figures.stamp(study, drawn, records.said(asked.wanted.values(), store.default_root()))


def over_rows(study: Study, asked: Comparison, table: pd.DataFrame) -> Figure:
    """Score over the English rows of the target, a panel a target, a line an intermediate task with
    its 95 % intervals. table: of `rows_worth.curves`."""
    targets = list(dict.fromkeys(target for _, target, _ in asked.wanted))
    tasks = list(dict.fromkeys(table.task))
    tasks.sort(key=lambda name: name != "none")
    drawn, axes = figures.panels(len(targets), 5.2, across=1)  # on a phone, too, it can be read
    for axis, target in zip(axes, targets, strict=True):
        for number, task in enumerate(tasks):
            part = table[(table.target == target) & (table.task == task)]
            reach = figures.reach(part.score, part.low, part.high)
            style = dict(color="0.2", ls="--") if task == "none" else dict(color=f"C{number}")
            axis.errorbar(
                part.rows, part.score, yerr=reach, fmt="none", lw=1, ecolor=style["color"]
            )
            axis.plot(
                part.rows, part.score, marker=MARKERS[number], ms=4, label=title(task), **style
            )
            if len(part):  # its name at its end, so that no legend is needed
                last = part.iloc[-1]
                axis.annotate(
                    title(task),
                    (last.rows, last.score),
                    xytext=(6, 0),
                    textcoords="offset points",
                    fontsize=7,
                    va="center",
                    color=style["color"],
                )
        if table[table.target == target].empty:
            axis.text(0.5, 0.5, "–", ha="center", transform=axis.transAxes)
        axis.set(xscale="log", title=title(target), ylabel=TASKS[target].metric)
        axis.set_xlabel("English rows of the target")
        counts = sorted(set(table.rows[table.target == target]))
        apart = [
            count
            for count, after in zip(counts, [*counts[1:], np.inf], strict=False)
            if after > 1.5 * count  # else the numbers run into each other
        ]
        axis.set_xticks(apart, [f"{count:,}" for count in apart])
        axis.set_xticks([], minor=True)
        axis.margins(x=0.25)
    return figures.stamp(study, drawn, records.said(asked.wanted.values(), store.default_root()))


def outcomes(study: Study, counts: pd.DataFrame, runs: str) -> Figure:
    """Rows by language and outcome, stacked. counts: of `explore.counts`."""
    drawn, axis = plt.subplots(figsize=(5.2, 0.24 * len(counts) + 1.3), layout="constrained")
    colours = ["0.8", "C0", "C1", "0.5"]  # mended: blue, broken: orange, as elsewhere
    left = np.zeros(len(counts))
    for colour, name in zip(colours, counts.columns.drop("language"), strict=True):
        axis.barh(counts.language, counts[name], left=left, color=colour, label=name)
        left += counts[name].to_numpy()
    axis.invert_yaxis()
    axis.set_xlabel("test rows")
    axis.tick_params(axis="y", labelsize=8)
    drawn.legend(fontsize=8, loc="outside upper left", ncols=2)
    return figures.stamp(study, drawn, runs)
