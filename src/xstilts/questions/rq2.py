"""Can intermediate tasks in another language beat English for Finnish and Hungarian?

The same rows of a task of each kind, in one source language or a mixture, for targets with Finnish
or Hungarian: TyDiQA, which has no Hungarian and takes longest, after NLI and questions only. What
other chapters have, too, is scored in all languages, as they do; the rest in these two and in
English."""

from __future__ import annotations

from dataclasses import replace

from xstilts.study import grid
from xstilts.study.conditions import NONE, Comparison, Condition, against
from xstilts.study.hypothesis import Hypothesis, differences
from xstilts.study.profiles import Study

KINDS = ("mnli", "squad", "ccg", "commonsenseqa")  # a task of each
SOURCES = ("de", "ru", "et", "fi", "hu", "tr")


def compared(study: Study) -> Comparison:
    in_english, elsewhere, contrasts = [], [], []
    for name in (name for name in KINDS if name in grid.pool(study)):
        there = tuple(language for language in SOURCES if language in grid.others(study, name))
        if not there:
            continue
        english = Condition((name,), steps="counted", called=f"{name} in en")
        sources = [
            replace(english, languages=(language,), called=f"{name} in {language}")
            for language in there
        ]
        if len(there) > 1:
            sources.append(
                replace(english, languages=there, parts=len(there), called=f"{name} in a mixture")
            )
        in_english.append(english)
        elsewhere += sources
        contrasts += [against(source, english) for source in sources]
    scored = finnish_hungarian(study) or study.languages
    few = tuple(language for language in study.languages if language in ("en", *scored))
    wanted = grid.runs(study, [NONE, *in_english], grid.QUICK)
    wanted |= grid.runs(study, elsewhere, grid.QUICK, few)
    return Comparison(
        {
            (condition, target, seed): run
            for (condition, target, seed), run in wanted.items()
            if set(run.languages) & set(scored)
            and (target != "tydiqa" or condition.tasks in ((), ("mnli",), ("squad",)))
        },
        contrasts,
    )


def finnish_hungarian(study: Study) -> tuple[str, ...]:
    """Of the two languages that the chapter is about those of the study."""
    return tuple(language for language in ("fi", "hu") if language in study.languages)


HYPOTHESES = (
    Hypothesis(
        "Estonian, Finnish and Hungarian sources beat English",
        differences(lambda source, english: source.languages in (("et",), ("fi",), ("hu",))),
        languages=finnish_hungarian,
    ),
    Hypothesis(
        "German and Turkish ones do not",
        differences(lambda source, english: source.languages in (("de",), ("tr",))),
        "no gain",
        finnish_hungarian,
    ),
)
