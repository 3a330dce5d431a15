"""Does training on all intermediate tasks at once help more than on the best one?

All tasks, the three that the paper names, all but one, and one alone, at one budget; all at their
own steps. Left out or alone is each task that the study looks at one by one (`intermediates`). On
real rows, whose trainings take longer, none is left out, and alone are the three that the paper
names."""

from __future__ import annotations

from dataclasses import replace

from xstilts import data
from xstilts.study import grid
from xstilts.study.conditions import NONE, Comparison, Condition, against
from xstilts.study.hypothesis import Hypothesis, differences
from xstilts.study.profiles import Study


def compared(study: Study) -> Comparison:
    names, made_up = grid.pool(study), data.endless(study.data)
    alone = grid.one_by_one(study) if made_up else grid.best(study)
    every = Condition(names, steps="budget", called="all")
    own = replace(every, steps="own", called="all, own steps")
    three = tuple(name for name in names if name in grid.NAMED_BEST)
    best, others = [], []
    if len(grid.NAMED_BEST) == len(three) < len(names):
        best = [replace(every, tasks=three, called="best three")]
    if len(names) > 2 and made_up:
        others = [
            replace(
                every,
                tasks=tuple(other for other in names if other != name),
                called=f"all but {name}",
            )
            for name in alone
        ]
    others += [Condition((name,), steps="budget") for name in alone]
    contrasts = [against(condition) for condition in (every, own, *best)]
    contrasts += [against(every, other) for other in (*best, *others) if other != every]
    return Comparison(grid.runs(study, [NONE, every, *best, *others, own], grid.QUICK), contrasts)


HYPOTHESES = (
    Hypothesis(
        "All tasks together help more than each alone, at the same number of steps",
        differences(lambda every, one: len(one.tasks) == 1),
    ),
)
