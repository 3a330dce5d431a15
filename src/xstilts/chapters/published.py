"""Published figures beside ours, with where they were read: book/published."""

from __future__ import annotations

import pandas as pd

from xstilts import settings
from xstilts.analysis.wording import signed


def published(name: str) -> pd.DataFrame:
    """Published figures with where they were read, from book/published. What is there has been
    verified."""
    return pd.read_csv(settings.project() / "book" / "published" / f"{name}.csv")


def leaderboard(*tasks: str) -> pd.DataFrame:
    """Published test scores on XTREME, a row a task (as its tables name them; none given: all), of
    XLM-R Large alone and after the best intermediate task for each target, and their difference."""
    board = published("xtreme_leaderboard")
    board = board[board.task.isin(tasks)] if tasks else board
    found = board.set_index(["task", "metric", "read in", "model"])[
        "average over languages"
    ].unstack(sort=False)
    found = found.reset_index().rename_axis(columns=None)
    before, after = "XLM-R Large", "X-STILTs (Phang2020) best-per-task"
    found = found.assign(difference=[signed(change) for change in found[after] - found[before]])
    return found.rename(columns={after: "best task for each target"})[
        ["task", "metric", before, "best task for each target", "difference", "read in"]
    ]
