"""Do easy or hard English intermediate tasks help low-resource African languages more?

Each task as it is; on the embedded benchmark those that the study looks at one by one also easier
and harder. Shown are African languages and English."""

from __future__ import annotations

from dataclasses import replace

from xstilts import data
from xstilts.study import grid
from xstilts.study.conditions import NONE, Comparison, Condition, Weights, against
from xstilts.study.hypothesis import Hypothesis
from xstilts.study.profiles import Study
from xstilts.synthetic import dials

AFRICAN = ("af", "sw", "yo", "wo")  # XTREME-R's; Masakhane's data sets have more
MASAKHANE = ("afrixnli", "masakhaner", "masakhapos")
# XNLI and TyDiQA take longest, and TyDiQA has one African language
TARGETS = ("udpos", "panx", "tatoeba")


def compared(study: Study) -> Comparison:
    tasks = [Condition((name,)) for name in grid.pool(study)]
    targets: tuple[str, ...] = TARGETS
    if data.has_dials(study.data):
        asked = dials.parse(study.data).difficulty
        tasks += [
            Condition((name,), difficulty=level, called=f"{name} (difficulty {level})")
            for level in dials.LEVELS
            if level != asked
            for name in grid.one_by_one(study)
        ]
    else:  # the embedded benchmark has the same rows under these names
        targets += MASAKHANE
    return Comparison(grid.runs(study, [NONE, *tasks], targets), [against(task) for task in tasks])


def african(study: Study) -> tuple[str, ...]:
    """XTREME-R's and Masakhane's languages, those of the study."""
    there = {*AFRICAN}.union(*(data.languages(target, study.data, "test") for target in MASAKHANE))
    return tuple(language for language in study.languages if language in there - {"en"})


def _easier(asked: Comparison) -> list[Weights]:
    """Each task at its lowest difficulty less the same at its highest."""
    there = dict.fromkeys(condition for condition, _, _ in asked.wanted)
    return [
        {easy: 1, hard: -1}
        for easy in there
        for hard in there
        if easy.difficulty == min(dials.LEVELS)
        and hard == replace(easy, difficulty=max(dials.LEVELS))
    ]


HYPOTHESES = (
    Hypothesis(
        "An easy task helps African languages more than a hard one", _easier, languages=african
    ),
    Hypothesis("It does not help English more", _easier, "no gain", lambda study: ("en",)),
)
