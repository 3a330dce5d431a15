"""What results have cost, and would cost: the tables of the chapter on costs.

    by_chapter(study);  shared(table);  plans(study)
    of(study, "multi_task")     # a row a profile

Time is that of the runs' own records. Energy is an estimate: the seconds of a run times its threads
(or its GPU) times an assumed power, given in WATTS; nothing was metered."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure

from xstilts import data, revisions
from xstilts.book import figures, tables
from xstilts.chapters import needed
from xstilts.runs import records, results, store
from xstilts.runs.key import Run, each_once, key, training
from xstilts.study import costs, graph, profiles
from xstilts.study.profiles import PROFILES, Study

# assumed: a server core with its share of the machine; a data-centre GPU
WATTS = {"core": 15.0, "GPU": 400.0}


def runs_of(study: Study, *names: str) -> dict[str, list[Run]]:
    """chapter -> its runs with all that they start from, each once, but for the trainings of
    targets, which the runs themselves tell of. names: all chapters, if none is given."""
    return {
        name: each_once(
            [run for wanted in needed.needed(name, study) for run in graph.lasting(wanted)]
        )
        for name in names or needed.RUNS
        if name != "costs"
    }


def by_chapter(study: Study) -> pd.DataFrame:
    """A row a chapter and one for the book: runs, those here by where they were run, hours and
    estimated watt-hours of those here. A run that several chapters share is in each of their rows,
    and once in the book's."""
    parts = runs_of(study)
    parts["the whole book"] = each_once([run for runs in parts.values() for run in runs])
    rows = []
    for name, runs in parts.items():
        places = records.source(runs, store.default_root())
        here = places["live"] + places["recorded"]
        rows.append(
            {
                "chapter": name,
                "runs": len(runs),
                **{where: len(some) for where, some in places.items()},
                "hours": sum(how["seconds"] for _, how in made(here)) / 3600,
                "watt-hours": sum(watt_hours(how) for _, how in made(here)),
            }
        )
    return pd.DataFrame(rows)


def made(runs: Iterable[Run]) -> list[tuple[Run, dict]]:
    """How runs that are here were made: seconds, environment. A target's training, too, once, at
    the place of its score, unless the seconds of the score include it."""
    found = {key(run): (run, results.made(run)) for run in runs}
    for run, how in list(found.values()):
        before, seconds = training(run), results.training_seconds(run)
        if before and seconds:
            found.setdefault(key(before), (before, how | {"seconds": seconds}))
    return list(found.values())


def operations(runs: Iterable[Run]) -> float:
    """Of runs and the trainings of their targets, each once."""
    return costs.total(step for run in runs for step in (training(run), run) if step)


def watt_hours(how: dict) -> float:
    """Of a run, by how it was made."""
    place = how["environment"]
    return (
        how["seconds"]
        / 3600
        * (place["threads"] * WATTS["core"] + (place["device"] != "cpu") * WATTS["GPU"])
    )


def shared(table: pd.DataFrame) -> float:
    """Hours that sharing runs between chapters saved, of those at hand."""
    whole = table.chapter == "the whole book"
    return float(table[~whole].hours.sum() - table[whole].hours.sum())


@contextmanager
def _profile(name: str, study: Study) -> Iterator[Study]:
    """The study, or that of another profile as it comes. Where that reads the Hub rows are counted
    by the official sizes, so that nothing is fetched, and what was said of rows meanwhile is
    forgotten: it names no commits, and is in nobody's key."""
    if name == study.profile:
        yield study
        return
    asked, revisions.unasked = revisions.unasked, True
    try:
        yield profiles.study(name, data=PROFILES[name].data)
    finally:
        revisions.unasked = asked
        if study.data == "hub":  # others keep theirs, which takes seconds to make
            data.fingerprint.cache_clear()


def plans(study: Study) -> pd.DataFrame:
    """A row a chapter: runs and training and evaluation in 10^15 operations, by profile; and GPU
    hours of the last one."""
    rows: dict[str, dict[str, object]] = {}
    for profile in PROFILES:
        with _profile(profile, study) as other:
            for name, runs in runs_of(other).items():
                work = operations(runs)
                row = rows.setdefault(name, {"chapter": name})
                row |= {f"runs, {profile}": len(runs), f"10^15, {profile}": work / 1e15}
                if profile == "paper":
                    row["GPU hours, paper"] = work / costs.ASSUMED / 3600
    return pd.DataFrame(rows.values())


def of(study: Study, chapter: str) -> pd.DataFrame:
    """A row a profile: a chapter's runs with all that they start from; how many are here and the
    hours that they took, by where they were run; operations; core hours at the rate of the runs
    here, GPU hours at the assumed one."""
    found = []
    for profile in PROFILES:
        with _profile(profile, study) as other:
            runs = runs_of(other, chapter)[chapter]
            found.append(
                {
                    "profile": profile,
                    "runs": len(runs),
                    "10^15 operations": operations(runs) / 1e15,
                }
            )
        if other is study:
            places = records.source(runs, store.default_root())
            here = places["live"] + places["recorded"]
            found[-1] |= {where: len(some) for where, some in places.items()}
            parts = made(here)
            found[-1] |= {"hours taken": sum(how["seconds"] for _, how in parts) / 3600}
            on_cores = [(run, how) for run, how in parts if how["environment"]["device"] == "cpu"]
            core_seconds = sum(
                how["seconds"] * how["environment"]["threads"] for _, how in on_cores
            )
            rate = (
                operations(run for run, _ in on_cores) / core_seconds if core_seconds else math.nan
            )
    table = pd.DataFrame(found, dtype=object)  # counts stay whole beside rows without
    table["core hours"] = table["10^15 operations"] * 1e15 / rate / 3600
    table["GPU hours"] = table["10^15 operations"] * 1e15 / costs.ASSUMED / 3600
    return table


def show(study: Study, chapter: str) -> None:
    """`of`, as every chapter shows it."""
    tables.say(
        "What the chapter's runs took, with the encoders they start from, and what the chapter "
        "would take with the other profiles. Operations are counted from the recipes; core hours "
        "are at the rate of the runs here, GPU hours at an assumed 100 TFLOP/s."
    )
    display(tables.show(of(study, chapter), 2))


def figure(study: Study, table: pd.DataFrame) -> Figure:
    """Runs of each chapter, by where they were run."""
    drawn, axis = plt.subplots(figsize=(7.5, 0.35 * len(table) + 1), layout="constrained")
    left = 0 * table.runs
    for number, where in enumerate(("live", "recorded", "not run")):
        axis.barh(
            table.chapter,
            table[where],
            left=left,
            label=where,
            color=["C0", "C1", "0.85"][number],
            hatch=["", "//", ""][number],
        )
        left = left + table[where]
    axis.invert_yaxis()
    axis.set(xlabel="runs (shared ones in each of their chapters)")
    drawn.legend(fontsize=8, loc="outside upper left", ncols=3)
    return figures.stamp(
        study, drawn, "live: computed here; recorded: read from the project's records"
    )
