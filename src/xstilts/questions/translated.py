"""Is it better to translate the intermediate task into the target's languages?

Each of the paper's best tasks in English, in the study's other languages, and in both; on the
embedded benchmark also with noise."""

from __future__ import annotations

from dataclasses import replace

from xstilts import data
from xstilts.study import grid
from xstilts.study.conditions import NONE, Comparison, Condition, against
from xstilts.study.hypothesis import Hypothesis, differences
from xstilts.study.profiles import Study


def compared(study: Study) -> Comparison:
    conditions, contrasts = [NONE], []
    for name in grid.best(study):
        others = grid.others(study, name)
        if not others:
            continue
        english = Condition((name,), steps="counted", called=f"{name} in English")
        translated, both = (
            replace(english, languages=languages, parts=len(languages), called=f"{name} {label}")
            for label, languages in (("translated", others), ("in both", ("en", *others)))
        )
        conditions += [english, translated, both]
        contrasts += [against(translated, english), against(both, english)]
        if data.has_dials(study.data):
            for noise in (0.1, 0.3):
                noisy = replace(translated, noise=noise, called=f"{translated}, noise {noise}")
                conditions.append(noisy)
                contrasts.append(against(noisy, translated))
    return Comparison(grid.runs(study, conditions, grid.OF_EACH), contrasts)


def without_english(first: Condition, second: Condition) -> bool:
    """All rows are translated, as well as they can be."""
    return "en" not in first.languages and not first.noise


HYPOTHESES = (
    Hypothesis("Translated rows help more than English ones", differences(without_english)),
    Hypothesis(
        "A worse translation helps less",
        differences(lambda worse, better: worse.noise > better.noise, sign=-1),
    ),
)
