"""What a figure shows, in words, for those who do not see it: read off the figure itself, so that
it cannot differ from it.

described(figure)     # "XNLI: accuracy; none from 46.0 to 81.5, MNLI from 49.1 to 84.0, ..."
"""

from __future__ import annotations

import numpy as np
from IPython import get_ipython
from IPython.core.pylabtools import print_figure
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import QuadMesh
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

LONGEST = 1500  # letters: screen readers read all of it


def described(figure: Figure) -> str:
    """A sentence a panel: its title, its axes, and each named line's range, each bar, each named
    point, or each cell of a heat map."""
    axes = [
        axis
        for axis in figure.axes
        if _title(axis) or axis.get_xlabel() or axis.get_ylabel() or axis.texts
    ]
    said = ". ".join(filter(None, map(_panel, axes)))
    return (
        said
        if len(said) <= LONGEST
        else f"{said[:LONGEST].rpartition(',')[0]}, and more in the table"
    )


def _panel(axis: Axes) -> str:
    parts = _cells(axis) or _points(axis) or _lines(axis) or _bars(axis)
    parts = parts or ["nothing was run"] * any(text.get_text() == "–" for text in axis.texts)
    if not parts:
        return ""
    over = " over ".join(filter(None, (axis.get_ylabel(), axis.get_xlabel())))
    head = ": ".join(filter(None, (_title(axis), over)))
    return f"{' '.join(head.split())}; {', '.join(parts)}"


def _title(axis: Axes) -> str:
    return "".join(axis.get_title(loc=where) for where in ("left", "center", "right"))


def _cells(axis: Axes) -> list[str]:
    if not any(isinstance(drawn, QuadMesh) for drawn in axis.collections):
        return []
    rows, columns = _names(axis.yaxis), _names(axis.xaxis)
    placed = {
        tuple(int(part) for part in reversed(text.get_position())): text.get_text()
        for text in axis.texts
    }
    return [
        f"{rows[row]} for {columns[column]} {words}"
        for (row, column), words in sorted(placed.items())
        if row < len(rows) and column < len(columns)
    ]


def _lines(axis: Axes) -> list[str]:
    found = []
    for line in _named(axis):
        values = np.asarray(line.get_ydata(), float)
        values = values[np.isfinite(values)]
        if len(values):
            low, high = f"{values.min():.1f}", f"{values.max():.1f}"
            found.append(
                f"{_name(line)} {low}" if low == high else f"{_name(line)} from {low} to {high}"
            )
    return found


def _points(axis: Axes) -> list[str]:
    """Where names run down: each name's values, from left to right."""
    if not axis.yaxis.get_inverted():
        return []
    names = _names(axis.yaxis)
    placed: dict[int, list[str]] = {}
    for line in _named(axis):
        for value, place in zip(line.get_xdata(), line.get_ydata(), strict=True):
            if np.isfinite(value):
                placed.setdefault(round(float(place)), []).append(f"{_name(line)} {value:+.1f}")
    return [
        f"{names[place]}: {' and '.join(values)}"
        for place, values in sorted(placed.items())
        if 0 <= place < len(names)
    ]


def _names(side: Axis) -> list[str]:
    return [" ".join(label.get_text().split()) for label in side.get_ticklabels()]


def _named(axis: Axes) -> list[Line2D]:
    """Lines of data that have a name, be it one that the legend leaves out; matplotlib's own names
    begin with _child."""
    return [
        line
        for line in axis.get_lines()
        if line.get_transform() == axis.transData
        and not line.get_label().startswith(("_child", "_nolegend_"))
    ]


def _name(line: Line2D) -> str:
    return line.get_label().lstrip("_")


def _bars(axis: Axes) -> list[str]:
    """Of bars that run sideways, a name a bar."""
    names = _names(axis.yaxis)
    return [
        f"{name} {bars.get_label()} {bar.get_width():.4g}"
        for bars in axis.containers
        if isinstance(bars, BarContainer)
        for name, bar in zip(names, bars, strict=False)
        if bar.get_width()
    ]


def speak() -> None:
    """Lets a notebook keep the words beside each picture, where `book` and JupyterLab find them."""
    shell = get_ipython()
    if shell:
        shell.display_formatter.formatters["image/png"].for_type(
            Figure,
            lambda figure: (
                print_figure(figure, fmt="png", base64=True),
                {"alt": described(figure)},
            ),
        )
