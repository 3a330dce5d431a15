"""Commands that compute: the book, a chapter, its runs; and what they would cost."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xstilts import chapters
from xstilts.commands.options import (
    AsJson,
    Parameters,
    Profile,
    Words,
    chapter,
    chapter_names,
    given,
    print_json,
    progress_aside,
)
from xstilts.errors import visible

if TYPE_CHECKING:
    import pandas as pd

    from xstilts.runs.key import Run

Unrecorded = Annotated[
    bool, typer.Option("--unrecorded", help="Leave out runs whose scores are recorded.")
]
Live = Annotated[
    bool, typer.Option("--live", help="Train the three phases in full, not a short chain.")
]


def book(parameter: Parameters = None, profile: Profile = None, live: Live = False) -> int:
    """Run every chapter and build the book.

    The pages go to _build/html. Recorded scores are shown; the chapters on the three phases train a
    short chain, or with --live what the profile has. Finished runs are kept: the same command goes
    on from them.

    \b
    Example:
        xstilts book
    """
    from xstilts.book import build

    parameters = given(parameter, profile)
    return _page(lambda: build.build(parameters, live), "", parameters)


def run(
    name: Annotated[
        str,
        typer.Argument(
            metavar="CHAPTER",
            help="The notebook's name, without its ending.",
            autocompletion=chapter_names,
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The notebook that is written.")],
    parameter: Parameters = None,
    profile: Profile = None,
) -> int:
    """Run one chapter and write the finished notebook.

    OUT is written only when the chapter has finished. Unknown parameters are refused before it
    starts.

    \b
    Example:
        xstilts run single_task out.ipynb -p profile small -p seeds 0,1,2
    """
    from xstilts.book import build
    from xstilts.study import profiles

    parameters = given(parameter, profile)
    if name not in chapters.NAMES:
        build.notebook(name)  # one of the reader's own; UserError where there is none
    profiles.study(**parameters)  # a slip is told before a kernel starts
    return _page(lambda: build.run(name, out, parameters), name, parameters)


def compute(
    words: Words = None,
    unrecorded: Unrecorded = False,
    parameter: Parameters = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> int:
    """Compute a chapter's or the book's runs without notebooks.

    What the store has is found, what it lacks is computed. It can be stopped at any time.

    With --json: {"store": folder, "computed": [{"key", "label"}], "found": [the same],
    "lost": [{"run", "what", "why"}]}, of the runs that were asked for.

    \b
    Example:
        xstilts compute single_task -p seeds 0,1,2
    """
    from xstilts.study import profiles

    parameters = given(parameter, profile)
    name = chapter(words, parameters)
    study = profiles.study(**parameters)
    from xstilts.chapters import needed
    from xstilts.runs import records, results, store
    from xstilts.runs.key import each_once, key
    from xstilts.study import graph

    root = store.default_root()
    with progress_aside(as_json):
        runs = each_once(needed.needed(name, study))
        runs = records.unrecorded(runs) if unrecorded else runs
        found = {key(one) for one in runs if store.find(root, one)}
        there, code = {}, 0
        try:
            there = graph.compute(runs, scheduler=study.scheduler)
        except graph.RunsFailed as error:  # nothing of what was asked for has a result
            code = 1
            print(visible(f"xstilts: {error}"), file=sys.stderr)
        lost = results.lost(runs)
    if as_json:
        print_json(
            {
                "store": root,
                "computed": _named(one for one in runs if key(one) in there.keys() - found),
                "found": _named(one for one in runs if key(one) in found),
                "lost": lost.to_dict("records"),
            }
        )
    else:
        print(f"{len(there)} runs are in the store")
    return tell_lost(lost) or code


def power(
    words: Words = None,
    parameter: Parameters = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> int:
    """Say how exact each claim or hypothesis of a chapter is, and what more seeds would tell.

    CHAPTER is claims (the one that is taken if it is left out) or a chapter with hypotheses. Said
    are half of each interval's width, the seeds and hours for 2 points and for 1, and the cheapest
    runs that would halve it. --json: a list, an object a claim or hypothesis.

    \b
    Example:
        xstilts power xtreme
    """
    from xstilts.study import profiles

    parameters = given(parameter, profile)
    name = chapter(words, parameters) or "claims"
    study = profiles.study(**parameters)
    from xstilts.tools import power as powers

    shown = powers.table(study, name)
    if as_json:
        print_json(shown.to_dict("records"))
    else:
        print(visible(powers.text(shown)))
    return 0


def plan(
    words: Words = None,
    unrecorded: Unrecorded = False,
    parameter: Parameters = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> int:
    """Say what a chapter or the book would cost.

    Nothing of it runs yet, but it trains for about twenty seconds to measure this machine.

    With --json: {"chapter", "profile", "runs", "to_compute", "speed", "speed_in_words", "notes",
    "groups": [{"what", "runs", "seconds", "steps", "memory"}], "worker_seconds", "workers_here",
    "seconds_here", "longest_chain", "waves", "walks": {number of workers: {"wall", "busy",
    "busy_before_last_wave"}}}. Times are seconds, memory is bytes.

    \b
    Example:
        xstilts plan paper single_task
    """
    from xstilts.study import profiles

    parameters = given(parameter, profile)
    name = chapter(words, parameters)
    study = profiles.study(**parameters)
    from xstilts.tools import plan as plans

    if as_json:
        with progress_aside(True):
            made = plans.plan(study, name, unrecorded)
        print_json(made)
    else:
        print(plans.text(study, name, unrecorded))
    return 0


def _named(runs: Iterable[Run]) -> list[dict[str, str]]:
    from xstilts.runs.key import key, label

    return [{"key": key(one), "label": label(one)} for one in runs]


def _page(make: Callable[[], Path], name: str, parameters: dict[str, Any]) -> int:
    """Makes the page of a chapter, or of the book (""), and tells which of its runs have no result.
    The command's code."""
    try:
        page = make()
    except Exception as error:
        # after the book has started its kernels: to import it takes seconds
        from papermill.exceptions import PapermillExecutionError

        if not isinstance(error, PapermillExecutionError):
            raise
        print(
            visible(f"xstilts: the chapter stopped with {error.ename}: {error.evalue}"),
            file=sys.stderr,
        )
        return 1
    print(f"wrote {page}")
    from xstilts.chapters import needed
    from xstilts.runs import failures, results, store
    from xstilts.study import profiles

    if not failures.any_kept(store.default_root()):  # to name all runs of the book takes seconds
        return 0
    return tell_lost(results.lost(needed.needed(name, profiles.study(**parameters))))


def tell_lost(lost: pd.DataFrame) -> int:
    """A line for each run that has no result; the command's code: 0 where all have one, else 1."""
    for row in lost.itertuples():
        print(visible(f"xstilts: {row.run} {row.what}: {row.why}"), file=sys.stderr)
    return int(len(lost) > 0)
