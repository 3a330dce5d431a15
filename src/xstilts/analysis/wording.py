"""How tables and prose call things: tasks, conditions, changes of a score."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from babel import Locale

from xstilts.errors import visible
from xstilts.study.conditions import Condition
from xstilts.tasks.table import TASKS

# a task's name as a word of its own: not in the name of a file or an encoder; "text" stays a word
TASK = re.compile(
    r"(?<![\w./:-])(?:"
    + "|".join(sorted(TASKS.keys() - {"text"}, key=len, reverse=True))
    + r")(?![\w./-])"
)


def title(named: str | Condition) -> str:
    """How tables call a task, or a condition or comparison with names of tasks in it."""
    name = str(named)
    if name in TASKS:
        return TASKS[name].title
    return TASK.sub(lambda task: TASKS[task[0]].title, visible(name))


def cell_title(condition: str | Condition, target: str) -> str:
    """How prose calls a condition before a target."""
    return f"{title(condition)} for {title(target)}"


def language(code: str) -> str:
    """Its English name; the code where none is known."""
    return Locale("en").languages.get(code, code)


def signed(change: float) -> str:
    """A difference with its sign and one decimal; a dash for none; 0.0 for what rounds to
    nothing."""
    return "–" if np.isnan(change) else "0.0" if abs(change) < 0.05 else f"{change:+.1f}"


def interval(value: float, low: float, high: float, unit: str = "") -> str:
    """A difference with its interval: "+2.2 [0.0, +4.5]"; unit: " points"."""
    return f"{signed(value)}{unit} [{signed(low)}, {signed(high)}]"


def direction(change: float, margin: float) -> str:
    """What a number does, in words: never typed by hand, so that prose can't contradict its
    table."""
    return "rises" if change > margin else "falls" if change < -margin else "hardly changes"


def listed(names: Iterable[str]) -> str:
    """Names in their order, at most twelve; "none" for none."""
    names = sorted(names)
    more = f"; and {len(names) - 12} more" * (len(names) > 12)
    return ("; ".join(names[:12]) or "none") + more


def duration(seconds: float) -> str:
    """Two digits or so, in the unit that fits: "12 s", "7 min", "2.5 h"."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
