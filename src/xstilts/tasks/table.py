"""The one table of tasks, and the look-ups in it.

    TASKS["xnli"].languages

A new task is one row in `intermediate_tasks`, `xtreme_targets` or `further_targets`, with at most
one small function that reads its rows (`columns.py`). What a row says is in `task.py`. Its `kind`
decides encoding, head, loss, decoding and baseline (`kinds/`).

A source names a repository and a revision on the Hub, and the licence. `local` is the folder of a
configuration in a local copy (`XSTILTS_DATA`). A revision is a commit where one was found in a
public record of somebody's run. Elsewhere it is a branch: its commit at the time of use becomes
part of the data's fingerprint."""

from __future__ import annotations

from xstilts.errors import UserError
from xstilts.tasks import further_targets, intermediate_tasks, xtreme_targets
from xstilts.tasks.task import Task

TASKS: dict[str, Task] = {}
for _row in intermediate_tasks.ROWS + xtreme_targets.ROWS + further_targets.ROWS:
    if _row.name in TASKS:
        raise ValueError(f"two rows of the task table are named {_row.name!r}")
    TASKS[_row.name] = _row


def task(name: str, role: str = "") -> Task:
    """The row of that name. UserError names the known ones (of the role, if one is asked for)."""
    rows = [row for row in TASKS.values() if not role or row.role == role]
    # UDPOS may stand in for CCG
    known = [row.name for row in rows] + [row.stand_in for row in rows if role and row.stand_in]
    if name not in known:
        what = f"{role} task" if role else "task"
        raise UserError(f"unknown {what} {name!r}; known: {', '.join(known)}")
    return TASKS[name]


def training_task(target: Task) -> Task:
    """The task whose English rows train a target: MNLI for XNLI, SQuAD for XQuAD, else its own."""
    return TASKS[target.train] if target.train else target
