"""To how many rows of one's own does a detour amount?

Targets trained on 100, 300, 1,000, 3,000 and all of their English rows, from no intermediate task
and from each of the paper's best."""

from __future__ import annotations

from dataclasses import replace

from xstilts.study import grid
from xstilts.study.conditions import NONE, Comparison, Condition, Weights, against
from xstilts.study.hypothesis import Hypothesis
from xstilts.study.profiles import Study

ROWS = (100, 300, 1000, 3000)  # and all of them
# those with more English rows than that; XQuAD is trained on the rows of an intermediate task
TARGETS = ("xnli", "udpos", "panx", "tydiqa")


def compared(study: Study) -> Comparison:
    starts = [NONE, *(Condition((name,)) for name in grid.best(study))]
    conditions, contrasts = [], []
    for start in starts:
        few = [replace(start, rows=rows, called=f"{start}, {rows} rows") for rows in ROWS]
        conditions += [*few, start]
        if start != NONE:
            contrasts += [
                against(some, replace(NONE, rows=some.rows, called=f"none, {some.rows} rows"))
                for some in few
            ]
            contrasts.append(against(start))
    return Comparison(grid.runs(study, conditions, TARGETS), contrasts)


def _fewer_less_all(asked: Comparison) -> list[Weights]:
    """What a task adds where the target has the fewest rows, less what it adds where it has all."""
    return [
        few.weights | {condition: -weight for condition, weight in whole.weights.items()}
        for few in asked.contrasts
        for whole in asked.contrasts
        if few.first.rows == min(ROWS) and whole.first == replace(few.first, rows=0)
    ]


HYPOTHESES = (Hypothesis("A task helps more where the target has few rows", _fewer_less_all),)
