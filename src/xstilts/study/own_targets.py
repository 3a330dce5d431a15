"""The study of a person's own target: its parameters, and the runs that answer whether a detour
helps it.

    asked = study(targets="reviews", data="~/rows")
    compared(asked).wanted;  fewer(asked)"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from xstilts import data, own
from xstilts.errors import UserError
from xstilts.own import example
from xstilts.runs.key import Run
from xstilts.study import grid, phases, profiles
from xstilts.study.conditions import NONE, Comparison, Condition, Runs, against
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS

# The candidates by the kind of target: those that the paper names as the best on average. It has no
# table by kind, and the study's own is of synthetic rows as long as nothing else is recorded.
CANDIDATES = dict.fromkeys(own.KINDS, tuple(sorted(grid.NAMED_BEST)))
# what a person's own study has where nothing else is said: as the profile small, but so short that
# three seeds of three candidates take 20 minutes on two cores of their own
USUAL: dict[str, Any] = dict(
    profile="small",
    vocabulary="full",  # a person's texts are not among those that a vocabulary is cut to
    seeds=(0, 1, 2),
    phase1_steps=0,
    phase2_steps=200,
    phase2_batch=16,
    phase2_rows=10000,
    phase3_rows=2000,
    phase3_steps=100,
    eval_rows=200,
    max_length=128,
    evaluate_every=0,
    scheduler="processes",
    none_seeds=(),
    phase3_learning_rate=1e-4,
)
# what a profile that a person names decides: its intermediate encoders are then the study's, which
# `xstilts encoders` lists, and nothing but the target is trained
OF_THE_PROFILE = (
    "phase2_steps",
    "phase2_batch",
    "phase2_rows",
    "max_length",
    "evaluate_every",
)
# of the page's example, which is computed while the book is built
EXAMPLE: dict[str, Any] = USUAL | dict(
    profile="mini",
    encoder="e5-small:2",
    data="mini",
    vocabulary="data",
    intermediates=("mnli", "squad"),
    phase2_steps=20,
    phase2_learning_rate=5e-4,
    phase3_steps=40,
    phase3_learning_rate=1e-3,
    phase2_rows=1000,
    eval_rows=100,
    max_length=48,
    scheduler="local",
)
# what of it another can be asked for
ASKED = ("missing", "scheduler", "encoder")


def study(every: bool = False, **given: Any) -> Study:
    """The study of one own target, which `targets` names; where it names none, that of the page's
    example. every: all intermediate tasks are candidates. UserError for several targets, and for
    what a study cannot have."""
    given = {name: value for name, value in given.items() if value not in ("", [], (), None)}
    names = given.get("targets", ())
    names = names.split(",") if isinstance(names, str) else names
    if not any(name in TASKS and TASKS[name].own for name in names):
        return _of_example(given)
    if len(names) > 1:
        raise UserError(f"{', '.join(names)}: an answer is about one target of your own")
    candidates = grid.NINE if every else CANDIDATES[TASKS[names[0]].kind]
    usual = USUAL
    if "profile" in given:
        usual = {name: value for name, value in USUAL.items() if name not in OF_THE_PROFILE}
    return profiles.study(**{**usual, "intermediates": candidates, **given})


def _of_example(given: Mapping[str, Any]) -> Study:
    with tempfile.TemporaryDirectory() as folder:
        path = example.write(Path(folder))
        own.add(str(path), name=example.NAME, columns=["text=question"])
    asked = {name: given[name] for name in ASKED if name in given}
    if "encoder" in asked:  # not every vocabulary can be cut
        asked["vocabulary"] = "full"
    return profiles.study(**{**EXAMPLE, **asked, "targets": (example.NAME,)})


def parameters(names: Mapping[str, Any]) -> Study:
    """The study of a notebook's parameters. names: its globals()."""
    known = {field.name for field in dataclasses.fields(Study)}
    return study(**{name: value for name, value in names.items() if name in known})


def compared(asked: Study) -> Comparison:
    """The target without intermediate training against each candidate that the data has."""
    tasks = [Condition((name,)) for name in phases.with_rows(asked, asked.intermediates)]
    if not tasks:
        raise UserError(
            f"{data.where(asked.data)} has rows of none of the candidates "
            f"({', '.join(asked.intermediates)}); name others with -p intermediates, or other rows "
            "with -p data"
        )
    return Comparison(grid.runs(asked, [NONE, *tasks]), [against(task) for task in tasks])


def fewer(asked: Study) -> Runs:
    """The target without intermediate training, trained on half of its rows: what rows are
    worth. None of a target that is not trained."""
    name = asked.targets[0]
    if TASKS[name].untrained:
        return {}
    half = dataclasses.replace(asked, phase3_rows=max(1, training_rows(asked) // 2))
    return {
        (HALF, name, seed): phases.phase3(half, phases.phase1(half), name, seed)
        for seed in asked.seeds
    }


def rows_read(asked: Study) -> pd.DataFrame:
    """A row a language of the target: how many rows each split has."""
    name = asked.targets[0]
    rows = []
    for language in data.languages(name, asked.data):
        row: dict[str, Any] = {"language": language}
        for split in ("train", "validation", "test"):
            there = language in data.languages(name, asked.data, split)
            row[split] = len(data.load(name, split, language, asked.data)) if there else 0
        rows.append(row | {"without labels": len(data.unlabelled.rows(TASKS[name], language, 0))})
    return pd.DataFrame(rows)


def needed(asked: Study) -> list[Run]:
    """The runs of a study of one own target; none of others: the page's example is computed with
    the page."""
    if len(asked.targets) != 1 or not TASKS[asked.targets[0]].own:
        return []
    return [*compared(asked).wanted.values(), *fewer(asked).values()]


HALF = Condition(called="none, half of the rows", draw=-1)


def training_rows(asked: Study) -> int:
    """The rows that the target is trained on."""
    row = TASKS[asked.targets[0]]
    return len(data.load(row.name, "train", row.trained_in, asked.data, asked.phase3_rows))
