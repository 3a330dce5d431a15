"""Tables in one look, and the words that the prose of a page quotes.

show(score_tables.differences(study, table, examples))
    quote(**score_tables.verdicts(gains));  say("The largest gain is {top}.", top="MNLI")
"""

from __future__ import annotations

import re
import unicodedata
from html import unescape

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown, display

from xstilts.analysis.wording import title
from xstilts.errors import visible

# myst_nb's mark of what is shown elsewhere than in its cell
GLUED = "application/papermill.record/"
FIRST = 6  # columns of a table that are seen at once
WIDE = 16  # letters of a cell that stand beside each other at least
MARKUP = re.compile(r"[\\`*_\[\]<>$~&|]")


def reasons(lost: pd.DataFrame) -> HTML | None:
    """Why cells of the page are empty; nothing where none is."""
    return (
        show(lost.rename(columns={"run": "no result of", "what": "it", "why": "because"}))
        if len(lost)
        else None
    )


def quote(**values: object) -> None:
    """Makes values available to the prose of the page: {glue:text}`name`. Numbers get one decimal,
    counts none.

    What `myst_nb.glue` writes, without its import, which takes longer than most chapters' tables.
    In quotes, as it reads what it can as Python, which would make 2.0 of +2.0."""
    for name, value in values.items():
        display(
            {GLUED + "text/plain": repr(_worded(value))},
            raw=True,
            metadata={"scrapbook": {"name": name, "mime_prefix": GLUED}},
        )


def quote_shown(**shown: HTML) -> None:
    """Makes a table or a figure (`figures.as_html`) available to other pages:
    ```{glue:} name``` with `:doc:`."""
    for name, html in shown.items():
        display(
            {GLUED + "text/html": html.data, GLUED + "text/plain": repr(name)},
            raw=True,
            metadata={"scrapbook": {"name": name, "mime_prefix": GLUED}},
        )


def say(prose: str, **values: object) -> None:
    """Shows Markdown in which {name} stands for a value, as `quote` would write it. What a value
    says is text, and no markup."""
    words = {name: MARKUP.sub(r"\\\g<0>", _worded(value)) for name, value in values.items()}
    display(Markdown(prose.format(**words)))


def _worded(value: object) -> str:
    if not isinstance(value, (float, np.floating)):
        return visible(str(value))
    return "–" if np.isnan(value) else f"{value:.1f}"


def show(table: pd.DataFrame, decimals: int = 1) -> HTML:
    """The table as HTML: text escaped, numbers rounded, p-values to three decimals, a dash for what
    is not there; Arabic runs from right to left. What rows say is text: neither markup nor formulas
    (MathJax would make links of some). In the book the first FIRST columns are seen at once, the
    others after a click."""

    def probability(value: float) -> str:
        return "<0.001" if value < 0.0005 else cell(value, 3)

    def cell(value: object, decimals: int = decimals) -> str:
        if value is None or (isinstance(value, float) and np.isnan(value)):
            return "–"
        return f"{value:.{decimals}f}" if isinstance(value, float) else visible(str(value))

    named = table.rename(columns=lambda name: visible(str(name)))
    for column in ("intermediate", "target", "task", "condition", "comparison", "best on dev"):
        if column in named:
            named[column] = named[column].map(title, na_action="ignore")
    for column in named.columns.intersection(["p", "p (Holm)"]):
        named[column] = [probability(value) for value in named[column]]
    with pd.option_context("display.max_colwidth", None):  # whole texts: to_html would cut them
        html = named.map(cell).to_html(index=False, escape=True, border=0, justify="left")
    spaced = re.sub("<td>(.*?)</td>", _spaced_cell, html, flags=re.DOTALL).replace(
        "<th>", '<th style="padding: .3em .7em">'
    )
    return HTML(
        f'<div class="mathjax_ignore tex2jax_ignore" data-first="{FIRST}" '
        f'style="overflow-x: auto">{spaced}</div>'
    )


def _spaced_cell(cell: re.Match) -> str:
    """A cell that runs as its first letter does, and is wide enough that long words about a row do
    not make it tall."""
    words = unescape(cell.group(1))
    letters = (unicodedata.bidirectional(letter) for letter in words if letter.isalpha())
    way = ("rtl", "right") if next(letters, "L") in ("R", "AL") else ("ltr", "left")
    return (
        f'<td dir="{way[0]}" style="padding: .3em .7em; text-align: {way[1]}; '
        f'min-width: {min(len(words), WIDE) / 2:g}em">{cell.group(1)}</td>'
    )
