"""Does mixing multilingual text into intermediate training keep what English training would undo?

Each of the paper's best tasks with a quarter or half of its steps on multilingual text, or none;
half with the task's own steps kept; and the text alone. On real rows, whose trainings take longer,
only what the paper's claim asks: a quarter or half."""

from __future__ import annotations

from dataclasses import replace

from xstilts import data
from xstilts.runs import execution
from xstilts.study import grid
from xstilts.study.conditions import NONE, Comparison, Condition, against
from xstilts.study.hypothesis import Hypothesis, differences
from xstilts.study.profiles import Study


def compared(study: Study) -> Comparison:
    conditions, contrasts = [NONE], []
    texts = execution.task_languages("text", study.languages, study.data)
    for name in grid.best(study):
        task = Condition((name,), steps="counted")
        mixed = [
            replace(task, text=share, called=f"{name} + {share:.0%} text") for share in (0.25, 0.5)
        ]
        conditions += [task, *mixed]
        contrasts += [against(some, task) for some in mixed]
        if not data.endless(study.data):
            continue
        more = replace(task, text=0.5, steps="twice", called=f"{name} + as many steps of text")
        alone = Condition(
            ("text",),
            texts,
            parts=len(texts),
            steps="counted",
            like=name,
            called=f"text alone, as many steps as {name}",
        )
        conditions += [more, alone]
        contrasts += [against(more, task), against(task, alone)]
    return Comparison(grid.runs(study, conditions, grid.QUICK), contrasts)


def in_place_of_steps(first: Condition, second: Condition) -> bool:
    """The task gives up steps for text."""
    return first.text > 0 and first.steps == second.steps


HYPOTHESES = (
    Hypothesis("Mixing in text raises the target's score", differences(in_place_of_steps)),
)
