"""The one table of tasks, and the look-ups in it.

    TASKS["xnli"].languages

A new task is one row of a file in `rows/`, or a file of its own there, with at most one small
function that reads its rows (`columns.py` has some). What a row says is in `task.py`. Its `kind`
decides encoding, head, loss, decoding and baseline (`kinds/`).

A source names a repository and a revision on the Hub, and the licence. `local` is the folder of a
configuration in a local copy (`XSTILTS_DATA`). A revision is a commit where one was found in a
public record of somebody's run. Elsewhere it is a branch: its commit at the time of use becomes
part of the data's fingerprint."""

from __future__ import annotations

import importlib
import pkgutil

from xstilts.errors import UserError
from xstilts.tasks import kinds, own, rows
from xstilts.tasks.task import Task

# pages and lists have the tasks in this order; those of other files come after them
FIRST = ("intermediate_tasks", "xtreme_targets", "further_targets")
ROLES = ("intermediate", "target", "text")


class _Table(dict[str, Task]):
    """The study's tasks. A look-up by name finds a person's own targets, too (`own`). Who walks
    through the table sees the study's alone, so that no own target gets into what the study asks
    of all tasks."""

    def __missing__(self, name: str) -> Task:
        if found := own.task(name):
            return found
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or own.task(name) is not None


TASKS: dict[str, Task] = _Table()


def problem(row: Task) -> str:
    """What a row of the table says wrong, or does not say, and what to do; "" if nothing."""
    if row.role not in ROLES:
        return f"role is {row.role!r}, which is none of {', '.join(ROLES)}"
    if row.kind not in kinds.names():
        return (
            f"kind is {row.kind!r}, which is none of {', '.join(kinds.names())}: a kind is a file "
            "in tasks/kinds"
        )
    if not row.metrics or not row.sources:
        return "metrics and sources need one entry at least"
    for source in row.sources:
        if not source.local or not source.licence:
            return "each source needs a licence, and a folder (local)"
        if source.hub and not source.revision:
            return f"the source {source.hub} needs a revision"
        if not source.revision and not row.obtain:
            return "the source is not on the Hub: say in obtain how to get its rows"
    if row.train and row.train not in TASKS:
        return f"train is {row.train!r}, which is no task; known: {', '.join(TASKS)}"
    if row.stand_in and row.stand_in not in TASKS:
        return f"stand_in is {row.stand_in!r}, which is no task; known: {', '.join(TASKS)}"
    return ""


def _files() -> list[str]:
    found = sorted(module.name for module in pkgutil.iter_modules(rows.__path__))
    return sorted(found, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))


def _rows_of(name: str) -> list[Task]:
    """ROWS of a file. UserError where the file cannot be read as Python or has none."""
    try:
        return list(importlib.import_module(f"{rows.__name__}.{name}").ROWS)
    except Exception as error:  # whatever a person's own file does
        raise UserError(
            f"tasks/rows/{name}.py: {type(error).__name__}: {error}. The file needs a list ROWS of "
            "Task(...); tasks/task.py says what a row must and can say"
        ) from error


def _read() -> None:
    files: dict[str, str] = {}
    for name in _files():
        for row in _rows_of(name):
            if row.name in TASKS:
                raise UserError(
                    f"tasks/rows: {files[row.name]}.py and {name}.py both have a task named "
                    f"{row.name!r}; give one another name"
                )
            TASKS[row.name], files[row.name] = row, name
    for row in TASKS.values():
        if said := problem(row):
            raise UserError(f"tasks/rows/{files[row.name]}.py: the task {row.name}: {said}")


_read()


def task(name: str, role: str = "") -> Task:
    """The row of that name. UserError names the known ones (of the role, if one is asked for)."""
    found = [row for row in TASKS.values() if not role or row.role == role]
    # UDPOS may stand in for CCG
    known = [row.name for row in found] + [row.stand_in for row in found if role and row.stand_in]
    if name not in known and not (name in TASKS and TASKS[name].own and role in ("", "target")):
        what = f"{role} task" if role else "task"
        raise UserError(f"unknown {what} {name!r}; known: {', '.join(known)}")
    return TASKS[name]


def training_task(target: Task) -> Task:
    """The task whose English rows train a target: MNLI for XNLI, SQuAD for XQuAD, else its own."""
    return TASKS[target.train] if target.train else target
