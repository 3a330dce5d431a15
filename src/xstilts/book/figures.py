"""Figures in one look. Every figure names its data: what is synthetic is called so on the picture.

heatmap(study, score_tables.differences(study, table, examples))
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from html import escape

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from IPython.core.pylabtools import print_figure
from IPython.display import HTML
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from xstilts import data
from xstilts.analysis import reported, wording
from xstilts.analysis.wording import title
from xstilts.book import figure_text
from xstilts.errors import visible
from xstilts.runs.key import Adapt
from xstilts.runs.results import history
from xstilts.study.conditions import NONE
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS

PALETTE = "colorblind"
LIVE = "all runs live"
LETTERS = 17  # of the small print, an inch
DARKEST = 15.0  # points: beyond these a heat map has one colour
sns.set_theme(
    style="whitegrid",
    palette=PALETTE,
    context="notebook",
    rc={
        "figure.dpi": 110,
        "savefig.bbox": "tight",
        "text.parse_math": False,  # a $ in somebody's name is a $
        "axes.titlelocation": "left",  # in sight on a phone before one scrolls
    },
)


def stamp(study: Study, figure: Figure, runs: str = LIVE) -> Figure:
    """What the figure rests on, on the figure itself: it may travel without its page. runs: which
    were done where."""
    seeds = f"seed {study.seeds[0]}" if len(study.seeds) == 1 else f"{len(study.seeds)} seeds"
    encoder = study.encoder.rpartition("/")[2]
    said = [visible(f"{data.where(study.data)} · {encoder} · {seeds}"), *runs.splitlines()]
    wide = round(LETTERS * figure.get_figwidth())  # a longer line would make the figure wider
    figure.draw_without_rendering()
    # a low figure's labels reach out of it
    below = min(0.0, figure.get_tightbbox().y0 / figure.get_figheight())
    figure.text(
        0.01,
        below - 0.04,
        "\n".join(textwrap.fill(line, wide) for line in said),
        fontsize=8,
        color="0.35",
        va="top",
    )
    figure_text.speak()
    plt.close(figure)  # the notebook shows the returned figure once
    return figure


def as_html(figure: Figure) -> HTML:
    """The figure as a picture in HTML, with what it shows in words: for another page."""
    picture = print_figure(figure, fmt="png", base64=True)
    return HTML(
        f'<img alt="{escape(figure_text.described(figure))}" style="max-width: 100%" '
        f'src="data:image/png;base64,{picture.strip()}">'
    )


def named_rows(
    names: Sequence[str], lines: int = 1
) -> tuple[Figure, Axes, Callable[[int, int], float]]:
    """An axis with a row a name, and where each of a row's lines is drawn: place(row, line). The
    names stand above their rows, not beside them, so that the figure is as narrow as a phone and
    still can be read."""
    named = [textwrap.fill(name, 66) for name in names]
    head = 0.16 * max((name.count("\n") + 1 for name in named), default=1) + 0.06  # inches
    row = head + 0.12 * (lines + 1)
    figure, axis = plt.subplots(figsize=(5.2, row * max(2, len(names)) + 1.2), layout="constrained")
    axis.set(
        yticks=np.arange(len(names)) - 0.5 + 0.05 / row,
        yticklabels=named,
        ylim=(len(names) - 0.5, -0.5),
    )
    axis.tick_params(axis="y", labelsize=9, pad=-10)
    axis.grid(visible=False, axis="y")
    for number in range(1, len(names)):
        axis.axhline(number - 0.5, color="0.8", lw=1)
    axis.yaxis.set_zorder(2.5)  # a name stands before the line at 0 and not behind it
    for label in axis.get_yticklabels():
        label.set(ha="left", va="top", bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})
    return figure, axis, lambda number, line: number - 0.5 + (head + 0.12 * (line + 1)) / row


def panels(count: int, width: float, across: int = 2) -> tuple[Figure, list[Axes]]:
    """A figure of so many panels, `across` beside each other, each `width` inches wide and 3
    high."""
    across = min(across, count)
    down = -(-count // across)
    figure, axes = plt.subplots(
        down, across, squeeze=False, layout="constrained", figsize=(width * across, 3 * down)
    )
    for axis in axes.flat[count:]:
        axis.axis("off")
    return figure, list(axes.flat[:count])


def reach(value: ArrayLike, low: ArrayLike, high: ArrayLike) -> np.ndarray:
    """How far intervals lie below and above their values, [2, values], as `errorbar` takes it; 0
    where an interval lacks."""
    value, low, high = (np.atleast_1d(np.asarray(some, float)) for some in (value, low, high))
    return np.nan_to_num([value - low, high - value]).clip(min=0)


def name_points(axis: Axes, points: Sequence[tuple[float, float, str]], size: int = 7) -> None:
    """Names as many points as there is room for, the first ones first, beside no other name and
    over no point: a table beside the figure names all."""
    axis.figure.draw_without_rendering()
    scale = axis.figure.dpi / 72  # pixels a point of type
    drawn = [
        axis.transData.transform(place)
        for line in axis.get_lines()
        if line.get_transform() == axis.transData
        for place in line.get_xydata()
    ]
    taken = [(x - 2, y - 2, x + 2, y + 2) for x, y in drawn]
    for x, y, words in points:
        right, above = axis.transData.transform((x, y))
        for across, up in ((4, 3), (-4, 3), (4, -3 - size), (-4, -3 - size)):
            left = right + across * scale - (across < 0) * 0.6 * size * len(words) * scale
            low = above + up * scale
            box = (left, low, left + 0.6 * size * len(words) * scale, low + 1.2 * size * scale)
            free = all(
                box[2] < other[0] or box[0] > other[2] or box[3] < other[1] or box[1] > other[3]
                for other in taken
            )
            if free and box[0] >= axis.bbox.x0 and box[2] <= axis.bbox.x1:
                taken.append(box)
                axis.annotate(
                    words,
                    (x, y),
                    fontsize=size,
                    xytext=(across, up),
                    textcoords="offset points",
                    ha="left" if across > 0 else "right",
                )
                break


def heatmap(study: Study, gains: pd.DataFrame, runs: str = LIVE) -> Figure:
    """Differences to no intermediate training; a cell whose interval leaves out 0 is in bold, one
    that has a mark (see `marks`) has a dagger."""
    gains = gains[gains.intermediate != NONE]
    order = list(gains.target.unique())
    grid = gains.pivot(index="intermediate", columns="target", values="difference").loc[
        list(gains.intermediate.unique()), order
    ]
    clear = (
        gains.assign(clear=(gains.low > 0) | (gains.high < 0))
        .pivot(index="intermediate", columns="target", values="clear")
        .loc[grid.index, order]
    )
    largest = max(1.0, float(np.nanmax(np.abs(np.append(grid.to_numpy(float), 0)))))
    limit = min(largest, DARKEST)  # a lost retrieval would leave all others without a colour
    noted = (
        gains.assign(marks=gains.marks if "marks" in gains else np.nan)
        .pivot(index="intermediate", columns="target", values="marks")
        .loc[grid.index, order]
        .notna()
    )
    words = grid.map(wording.signed) + noted.map(lambda there: " †" if there else "")
    figure, axis = plt.subplots(figsize=(1.35 * len(order) + 2.2, 0.62 * len(grid) + 1.3))
    sns.heatmap(
        grid,
        annot=words,
        fmt="",
        cmap="PuOr_r",
        vmin=-limit,
        vmax=limit,
        linewidths=1,
        ax=axis,
        cbar_kws={"label": "points", "extend": "neither" if largest <= limit else "both"},
    )
    there = grid.notna().to_numpy()
    for place in np.argwhere(~there):
        axis.text(
            place[1] + 0.5,
            place[0] + 0.5,
            "– †" if noted.to_numpy()[tuple(place)] else "–",
            ha="center",
            va="center",
        )
    for text, bold in zip(axis.texts[: there.sum()], clear.to_numpy()[there], strict=True):
        text.set_fontweight("bold" if bold else "normal")
    axis.set(xlabel="", ylabel="intermediate task")
    axis.set_xticklabels(
        [f"{title(name)}\n{TASKS[name].metric}" for name in order], rotation=0, fontsize=9
    )
    axis.set_yticklabels([title(name) for name in grid.index], rotation=0)
    axis.set_title(
        "Difference to no intermediate training (mean over languages)"
        + ("\n† a run diverged, failed, or was not learned" if noted.to_numpy().any() else ""),
        fontsize=11,
    )
    return stamp(study, figure, runs)


def by_language(study: Study, table: pd.DataFrame, runs: str = LIVE) -> Figure:
    """A panel a target: the score of every condition in every language, with a line from the lowest
    to the highest seed where there are several; and the baseline."""
    table = reported.main_metric(study, table)
    targets = list(table.target.unique())
    # many languages need the whole width
    columns = 2 if len(targets) > 1 and table.language.nunique() <= 8 else 1
    rows = max(1, -(-len(targets) // columns))  # an empty figure where nothing was run
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(8.2 if len(targets) > 1 else 4.1, (3.1 if columns > 1 else 2.3) * rows),
        squeeze=False,
        layout="constrained",
    )
    conditions = list(table.condition.unique())
    markers = dict(zip(conditions, "osD^vP*X<>hd", strict=False))
    for axis, target in zip(axes.flat, targets, strict=False):
        part = (
            table[table.target == target]
            .groupby(["condition", "language"], as_index=False, sort=False)
            .agg(
                value=("value", "mean"),
                baseline=("baseline", "mean"),
                low=("value", "min"),
                high=("value", "max"),
            )
        )
        languages = sorted(part.language.unique(), key=lambda name: (name != "en", name))
        place = {language: number for number, language in enumerate(languages)}
        for number, condition in enumerate(conditions):
            ours = part[part.condition == condition]
            shift = (number - (len(conditions) - 1) / 2) * 0.6 / len(conditions)
            across = [place[language] + shift for language in ours.language]
            (drawn,) = axis.plot(
                across, ours.value, markers[condition], label=title(condition), ms=5
            )
            axis.vlines(across, ours.low, ours.high, color=drawn.get_color(), lw=1)
        lines = part.groupby("language").baseline.mean()
        axis.hlines(
            [lines[name] for name in languages],
            [x - 0.4 for x in range(len(languages))],
            [x + 0.4 for x in range(len(languages))],
            color="0.4",
            linestyles="dotted",
            label="baseline",
        )
        axis.set(
            title=title(target),
            ylabel=TASKS[target].metric,
            ylim=(0, 102),
            xticks=range(len(languages)),
        )
        axis.set_xticklabels([visible(language) for language in languages])
    for axis in list(axes.flat)[len(targets) :]:
        axis.axis("off")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=min(5, max(1, len(labels))), fontsize=9
    )
    return stamp(study, figure, runs)


def curves(study: Study, runs: dict[str, Adapt]) -> Figure:
    """Training loss and, where it was measured on the way, the mean score on the English dev
    rows."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    for name, run in runs.items():
        log = history(run)
        losses, dev = (
            log.dropna(subset=["loss"]),
            log.dropna(subset=["dev"]) if "dev" in log else log.head(0),
        )
        axes[0].plot(losses.step, losses.loss, label=title(name))
        axes[1].plot(dev.step, dev.dev, "o-", ms=4, label=title(name))
    axes[0].set(xlabel="step", ylabel="training loss", ylim=(0, None))
    axes[1].set(xlabel="step", ylabel="score on dev rows (0-100)", ylim=(0, 102))
    axes[0].legend(fontsize=8)
    return stamp(study, figure)


def layers(study: Study, table: pd.DataFrame, target: str = "tatoeba", runs: str = LIVE) -> Figure:
    """Retrieval accuracy by layer, raw and centred, mean over languages, a line a condition;
    dashed, the layer that tables report."""
    part = reported.finished(table)
    part = part[part.target == target]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
    for axis, metric in zip(axes, TASKS[target].metrics, strict=True):
        for condition, rows in part[part.metric == metric].groupby("condition", sort=False):
            mean = rows.groupby("layer").value.mean()
            axis.plot(mean.index, mean.values, "o-", ms=4, label=title(condition))
        axis.axvline(
            min(study.layer, part.layer.max()), color="0.6", linestyle="dashed", linewidth=1
        )
        axis.set(title=metric, xlabel="layer (0: embeddings)", ylim=(0, 102))
    axes[0].set_ylabel("accuracy")
    axes[0].legend(fontsize=8)
    return stamp(study, figure, runs)


def noise(study: Study, table: pd.DataFrame) -> Figure:
    """chrF of the embedded benchmark's imperfect translator by noise, a line a language, named at
    its end."""
    figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for place, (language, part) in enumerate(
        sorted(table.groupby("language"), key=lambda pair: -pair[1].chrF.min())
        if len(table)
        else ()
    ):
        axis.plot(
            part.noise,
            part.chrF,
            "o-",
            ms=4,
            color=sns.color_palette("viridis", 16)[place % 16],
            label=f"{language} {part.chrF.iloc[-1]:.0f}",
        )
    axis.set(
        xlabel="noise: share of wrong words",
        ylabel="chrF against the true sentences",
        ylim=(0, 102),
    )
    figure.legend(loc="outside right upper", fontsize=8)
    return stamp(study, figure)
