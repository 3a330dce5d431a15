"""What each chapter of the book needs: its runs, by name of the notebook. The notebooks and the
plan ask here.

wanted = phase3_target(study);  runs = needed("phase3_target", study)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from types import ModuleType

from xstilts import questions
from xstilts.chapters import claims, explore
from xstilts.errors import UserError
from xstilts.runs.key import Adapt, Run
from xstilts.study import grid, own_targets, phases
from xstilts.study.conditions import NONE, Condition, Runs
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS, training_task

AS_IT_SHIPS = Condition(phase1=False, called="as it ships")
AFTER_PHASE_1 = Condition(called="after phase 1")


def phase1_encoder(study: Study) -> Runs:
    """Retrieval with the encoder as it ships and after phase 1."""
    return {
        (condition, target, 0): phases.phase3(study, grid.encoder(study, condition, 0), target, 0)
        for condition in (AS_IT_SHIPS, AFTER_PHASE_1)
        for target in study.targets
        if target == "tatoeba"
    }


def phase2_intermediate(study: Study) -> dict[str, Adapt]:
    """One encoder an intermediate task, of the first seed."""
    return {
        name: phases.phase2(study, (name,), study.seeds[0])
        for name in study.intermediates
        if name not in phases.absent(study)
    }


def of_phase3(study: Study) -> Study:
    """The study with the seeds of its chapter on phase 3, which has none but the condition none."""
    seeds = study.phase3_seeds or study.none_seeds or study.seeds
    return dataclasses.replace(study, seeds=seeds, none_seeds=())


def detours(study: Study) -> tuple[Condition, ...]:
    """The first intermediate task that has rows, if any: what the chapter on phase 3 shows of phase
    2."""
    there = phases.with_rows(study, study.intermediates)
    return tuple(Condition((name,)) for name in there[:1])


def _after(study: Study, detour: Condition) -> list[str]:
    """Targets of the whole chain: the first trained on other rows, and those without a training."""
    trained = [
        name
        for name in study.targets
        if not TASKS[name].untrained and training_task(TASKS[name]).name not in detour.tasks
    ]
    return [*trained[:1], *(name for name in study.targets if TASKS[name].untrained)]


def unread(study: Study) -> Condition:
    """The study's encoder with random weights."""
    encoder = f"{study.encoder.removesuffix(':random')}:random"
    return Condition(encoder=encoder, phase1=False, called="random encoder")


def phase3_target(study: Study) -> Runs:
    """Every target without intermediate training, for every seed where it is trained. With the
    first seed also: one trained target and retrieval after the first intermediate task, and POS
    from an encoder with random weights."""
    study = of_phase3(study)
    wanted = phases.grid(study, {NONE: lambda seed: phases.phase1(study)})
    first = study.seeds[0]
    return (
        {
            (condition, target, seed): run
            for (condition, target, seed), run in wanted.items()
            if seed == first or not TASKS[target].untrained
        }
        | {
            (condition, target, first): phases.phase3(
                study, grid.encoder(study, condition, first), target, first
            )
            for condition in detours(study)
            for target in _after(study, condition)
        }
        | {
            (unread(study), name, first): phases.phase3(
                study, grid.encoder(study, unread(study), first), name, first
            )
            for name in study.targets
            if name == "udpos"
        }
    )


def single_task(study: Study) -> Runs:
    """No intermediate training and each task alone, against every target."""
    return phases.single_tasks(study)


def _compared(chapter: ModuleType, study: Study) -> list[Run]:
    return [*chapter.compared(study).wanted.values()]


RUNS: dict[str, Callable[[Study], list[Run]]] = {
    "claims": lambda study: [
        run for part in claims.wanted(study).values() for run in part.wanted.values()
    ],
    "phase1_encoder": lambda study: [phases.phase1(study), *phase1_encoder(study).values()],
    "phase2_intermediate": lambda study: [*phase2_intermediate(study).values()],
    "phase3_target": lambda study: [*phase3_target(study).values()],
    "single_task": lambda study: [*single_task(study).values()],
    **{name: partial(_compared, chapter) for name, chapter in questions.CHAPTERS.items()},
    "your_target": lambda study: own_targets.needed(study),
    "explore": lambda study: [*explore.asked(study).values()],
    "costs": lambda study: [],
    "benchmark": lambda study: [],  # shows rows, trains nothing
}


def needed(chapter: str, study: Study) -> list[Run]:
    """The runs that a chapter shows; "" for those of the whole book. UserError names the known
    chapters."""
    if chapter and chapter not in RUNS:
        raise UserError(f"unknown chapter {chapter!r}; known: {', '.join(RUNS)}")
    return [run for name in ([chapter] if chapter else RUNS) for run in RUNS[name](study)]
