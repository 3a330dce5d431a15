"""What is kept as long as a person has changed no file: what a function found in a task's rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, wraps
from inspect import signature

from xstilts import revisions, settings
from xstilts.data import local, sources
from xstilts.tasks.table import TASKS, task

_looked: ContextVar[dict | None] = ContextVar("looked", default=None)


@contextmanager
def looked_at_once() -> Iterator[None]:
    """Within this context each file is looked at once. It is for callers that ask thousands of
    times and mean one state of the files."""
    if _looked.get() is not None:
        yield
        return
    before = _looked.set({})
    try:
        yield
    finally:
        _looked.reset(before)


def _state(name: str, source: str) -> Hashable:
    """A value that changes whenever a person may have changed the task's rows: files, folders, the
    layout, XSTILTS_OWN. name: "" for all tasks. Commits on the Hub and the benchmark's code stay
    the same as long as a process lives."""
    own = bool(name) and task(name).own
    if not sources.can_change(source) and not own:
        return ()
    place = settings.own_rows() if source == "hub" else source
    module = local if source == "hub" else sources.module(source)
    if own:
        place, module = str(settings.targets()), local
    # a plan that asks nobody has other names for what is on the Hub
    asked = (
        name,
        place,
        revisions.unasked,
    )
    seen = _looked.get()
    if seen is not None and asked in seen:
        return seen[asked]
    found = (
        asked,
        tuple(module.state(row, place) for row in (TASKS.values() if not name else [task(name)]))
        if place
        else (),
    )
    if seen is not None:
        seen[asked] = found
    return found


def while_unchanged(size: int) -> Callable:
    """An lru_cache for a function with the parameter `source`, and maybe `name` (a task's). What
    the function returned is computed again after the files have changed: a person may change them
    and run a cell again."""

    def kept_by(function: Callable) -> Callable:
        cached, asked = (
            lru_cache(maxsize=size)(lambda state, *args: function(*args)),
            signature(function),
        )

        @wraps(function)
        def look(*args, **kwargs):
            given = asked.bind(*args, **kwargs)
            given.apply_defaults()
            return cached(
                _state(given.arguments.get("name", ""), given.arguments["source"]), *given.args
            )

        look.cache_clear = cached.cache_clear  # type: ignore[attr-defined]
        return look

    return kept_by
