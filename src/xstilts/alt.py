"""What a figure shows, in words, for those who do not see it: read off the figure itself, so that it cannot differ from it.

    described(figure)     # "XNLI: accuracy; none from 46.0 to 81.5, MNLI from 49.1 to 84.0, ..."
"""
from __future__ import annotations

import numpy as np
from IPython import get_ipython
from IPython.core.pylabtools import print_figure
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

LONGEST = 1500     # letters: screen readers read all of it


def described(figure: Figure) -> str:
    """A sentence a panel: its title, its axes, and each named line's range or each cell of a heat map."""
    axes = [axis for axis in figure.axes if axis.get_title() or axis.get_xlabel() or axis.get_ylabel() or axis.texts]
    said = ". ".join(filter(None, map(_panel, axes)))
    return said if len(said) <= LONGEST else f"{said[:LONGEST].rpartition(',')[0]}, and more in the table"


def _panel(axis: Axes) -> str:
    cells, lines = _cells(axis), _lines(axis)
    if not (cells or lines):
        return ""
    over = " over ".join(filter(None, (axis.get_ylabel(), axis.get_xlabel())))
    head = ": ".join(filter(None, (axis.get_title(), over)))
    return f"{' '.join(head.split())}; {', '.join(cells or lines)}"


def _cells(axis: Axes) -> list[str]:
    if not any(isinstance(drawn, QuadMesh) for drawn in axis.collections):
        return []
    rows, columns = ([" ".join(label.get_text().split()) for label in ticks.get_ticklabels()] for ticks in (axis.yaxis, axis.xaxis))
    placed = {tuple(int(part) for part in reversed(text.get_position())): text.get_text() for text in axis.texts}
    return [f"{rows[row]} for {columns[column]} {words}" for (row, column), words in sorted(placed.items())
            if row < len(rows) and column < len(columns)]


def _lines(axis: Axes) -> list[str]:
    """Values run along the axis that is not one of names: of differences by name that is the horizontal one."""
    sideways = axis.yaxis.get_inverted()
    found = []
    for line in axis.get_lines():
        values = np.asarray(line.get_xdata() if sideways else line.get_ydata(), float)
        values = values[np.isfinite(values)]
        if line.get_label().startswith("_") or not len(values):
            continue
        low, high = f"{values.min():.1f}", f"{values.max():.1f}"
        found.append(f"{line.get_label()} {low}" if low == high else f"{line.get_label()} from {low} to {high}")
    return found


def speak() -> None:
    """Lets a notebook keep the words beside each picture, where `book` and JupyterLab find them."""
    shell = get_ipython()
    if shell:
        shell.display_formatter.formatters["image/png"].for_type(
            Figure, lambda figure: (print_figure(figure, fmt="png", base64=True), {"alt": described(figure)}))
