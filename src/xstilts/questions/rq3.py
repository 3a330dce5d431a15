"""Is intermediate training better in many languages or in English alone?

The same rows of each of the paper's best tasks in English or spread over the study's languages, on
XTREME-R's targets (but for MLQA, which is XQuAD's training and another test, and LAReQA, which
costs as much to score as all of them); and English with all of its rows."""

from __future__ import annotations

from dataclasses import replace

from xstilts.study import grid
from xstilts.study.conditions import NONE, Comparison, Condition, against
from xstilts.study.hypothesis import Hypothesis, differences
from xstilts.study.profiles import Study

TARGETS = ("xnli", "xcopa", "udpos", "panx", "xquad", "tydiqa", "tatoeba")


def compared(study: Study) -> Comparison:
    conditions, contrasts = [NONE], []
    for name in grid.best(study):
        languages = ("en", *grid.others(study, name))
        if len(languages) < 2:
            continue
        every = Condition((name,), steps="counted", called=f"{name}, English, all rows")
        same = replace(every, parts=len(languages), called=f"{name}, English, same rows")
        many = replace(same, languages=languages, called=f"{name}, many languages")
        conditions += [many, same, every]
        contrasts += [against(many, same), against(many, every)]
    return Comparison(grid.runs(study, conditions, TARGETS), contrasts)


HYPOTHESES = (
    Hypothesis(
        "With the same rows, many languages help more than English",
        differences(lambda many, english: many.parts == english.parts),
        over_languages=True,
    ),
)
