"""Predictions to look through in JupyterLab.

browse.rows(explore.rows(study, found))
"""

from __future__ import annotations

import ipywidgets
import pandas as pd
from IPython.display import display

from xstilts.analysis.wording import title
from xstilts.book import tables

MOST = 50  # rows at once
RIGHT = {"all rows": None, "right": True, "wrong": False}


def rows(table: pd.DataFrame) -> ipywidgets.VBox:
    """Menus of target, condition, language and whether a row is right, a field for words in it, and
    the rows. table: of `explore.rows`."""
    columns = ("target", "condition", "language")
    menus = {
        name: ipywidgets.Dropdown(
            options=[(title(value), value) for value in table[name].unique()], description=name
        )
        for name in columns
    }
    right = ipywidgets.Dropdown(options=list(RIGHT), description="which")
    words = ipywidgets.Text(description="with words")
    shown = ipywidgets.Output()

    def look(change: object = None) -> None:
        part = chosen(
            table, right.value, words.value, **{name: menu.value for name, menu in menus.items()}
        )
        shown.clear_output(wait=True)
        with shown:
            tables.say("{there} rows; at most {most} are shown.", there=len(part), most=MOST)
            display(tables.show(part.head(MOST)))

    for control in (*menus.values(), right, words):
        control.observe(look, names="value")
    look()
    return ipywidgets.VBox([ipywidgets.HBox([*menus.values(), right]), words, shown])


def chosen(table: pd.DataFrame, which: str, words: str, **values: object) -> pd.DataFrame:
    """The rows with these values, right or wrong (RIGHT), whose text has the words."""
    part = table
    for name, value in values.items():
        part = part[part[name] == value]
    if (right := RIGHT[which]) is not None:
        part = part[(part.score == 100) == right]
    part = part[part.input.str.contains(words, case=False, regex=False)] if words else part
    return part[["example", "input", "gold", "prediction", "score"]]
