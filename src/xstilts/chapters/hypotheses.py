"""What each wide chapter expects before it looks, and whether it holds: the answer to the chapter's
question.

    decided = table(study, "rq3", asked, found);  words(decided)     # asked =
                                                  conditions.rq3(study), found = its runs

A hypothesis is a mean of differences between the chapter's conditions, over the targets that it has
them for, judged by the rules of `verdicts` with Holm over all that the book names beforehand. *Not
asked*: the data has no such conditions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from xstilts.analysis import differences, grades, reported, selection, wording
from xstilts.analysis.differences import Weights
from xstilts.chapters import claims, verdicts
from xstilts.chapters.verdicts import Question
from xstilts.runs.key import Wanted
from xstilts.study import conditions, graph
from xstilts.study.conditions import Comparison
from xstilts.study.profiles import Study

SHOWN = ["hypothesis", "verdict", "effect", "low", "high", "why open", "would settle it"]
SHOWN += ["in English", "p", "p (Holm)", "learned", "with failures", "spread", "up", "middle"]
SHOWN += ["without the largest", "breadth", "differences", "targets", "so far", "n", "seeds"]
SHOWN += ["from"]


@dataclass(frozen=True)
class Hypothesis:
    text: str
    weigh: Callable[[Comparison], list[Weights]]  # -> single differences, whose mean is the effect
    rule: str = "gain"
    languages: Callable[[Study], tuple[str, ...]] | None = None  # None = all that are scored
    over_languages: bool = False  # the interval speaks of other languages, too


def _contrasts(pattern: str, sign: int = 1) -> Callable[[Comparison], list[Weights]]:
    """The chapter's own differences whose whole name fits, or their opposites."""
    return lambda asked: [
        {name: sign * weight for name, weight in weights.items()}
        for label, weights in asked.contrasts
        if re.fullmatch(pattern, label)
    ]


def _means(more: str, less: str) -> Callable[[Comparison], list[Weights]]:
    """The mean of the conditions whose whole name fits, less that of others."""

    def weigh(asked: Comparison) -> list[Weights]:
        names = list(dict.fromkeys(name for name, _, _ in asked.wanted))
        up, down = (
            [name for name in names if re.fullmatch(pattern, name)] for pattern in (more, less)
        )
        return (
            [{name: 1 / len(up) for name in up} | {name: -1 / len(down) for name in down}]
            if up and down
            else []
        )

    return weigh


def _tasks(count: int) -> str:
    """RQ1's draws of so many tasks in a language other than English: a pattern."""
    return rf"{count} tasks? in \w+ \(draw \d\)"


def _easier(asked: Comparison) -> list[Weights]:
    """Each task at its lowest difficulty less the same at its highest."""
    names = {name for name, _, _ in asked.wanted}
    return [
        {f"{name} (difficulty 1)": 1, f"{name} (difficulty 3)": -1}
        for name in conditions.NINE
        if {f"{name} (difficulty 1)", f"{name} (difficulty 3)"} <= names
    ]


def _less_than_layers(asked: Comparison) -> list[Weights]:
    """What nine tasks add to three, less what the largest encoder adds to the next with three."""
    sizes = [
        name
        for name in dict.fromkeys(name for name, _, _ in asked.wanted)
        if name.endswith(", three tasks")
    ]
    tasks = _means(_tasks(9), _tasks(3))(asked)
    return [tasks[0] | {sizes[-1]: -1, sizes[-2]: 1}] if tasks and len(sizes) > 1 else []


SMALLER_GAINS = Hypothesis(
    "A larger encoder gains less", _contrasts(r".*: gain of .* less gain of .*")
)
HYPOTHESES: dict[str, tuple[Hypothesis, ...]] = {
    "multi_task": (
        Hypothesis(
            "All tasks together help more than each alone, at the same number of steps",
            _contrasts(rf"all against ({'|'.join(conditions.NINE)})"),
        ),
    ),
    "mlm_continuation": (
        Hypothesis(
            "Mixing in text raises the target's score", _contrasts(r"(\w+) \+ \d+% text against \1")
        ),
    ),
    "translated": (
        Hypothesis(
            "Translated rows help more than English ones",
            _contrasts(r"(\w+) translated against \1 in English"),
        ),
        Hypothesis(
            "A worse translation helps less",
            _contrasts(r"(\w+) translated, noise .* against \1 translated", -1),
        ),
    ),
    "model_size": (SMALLER_GAINS,),
    "xtreme": (
        Hypothesis(
            "A task chosen on dev rows gains on test rows", _contrasts("best on dev against none")
        ),
    ),
    "rq1": (
        Hypothesis(
            "Three tasks in another language help more than one", _means(_tasks(3), _tasks(1))
        ),
        Hypothesis("Nine help more than three", _means(_tasks(9), _tasks(3))),
        Hypothesis(
            "Going from three to nine tasks gives more than a larger encoder", _less_than_layers
        ),
    ),
    "rq2": (
        Hypothesis(
            "Estonian, Finnish and Hungarian sources beat English",
            _contrasts(r"(\w+) in (et|fi|hu) against \1 in en"),
            languages=conditions.finnish_hungarian,
        ),
        Hypothesis(
            "German and Turkish ones do not",
            _contrasts(r"(\w+) in (de|tr) against \1 in en"),
            "no gain",
            conditions.finnish_hungarian,
        ),
    ),
    "rq3": (
        Hypothesis(
            "With the same rows, many languages help more than English",
            _contrasts(r"(\w+), many languages against \1, English, same rows"),
            over_languages=True,
        ),
    ),
    "rq4": (
        Hypothesis(
            "An easy task helps African languages more than a hard one",
            _easier,
            languages=conditions.african,
        ),
        Hypothesis("It does not help English more", _easier, "no gain", lambda study: ("en",)),
    ),
    "rq5": (SMALLER_GAINS,),
}


def questions(study: Study, chapter: str, asked: Comparison, found: Wanted) -> list[Question]:
    """One a hypothesis of the chapter."""
    part, said = differences.examples(study, found), []
    for hypothesis in HYPOTHESES[chapter]:
        only = hypothesis.languages(study) if hypothesis.languages else None
        wanted = dict.fromkeys(
            cell[:2]
            for cell, run in asked.wanted.items()  # retrieval has no English
            if only is None or set(only) & set(run.languages)
        )
        every = {
            target: [
                weights
                for weights in hypothesis.weigh(asked)
                if all((name, target) in wanted for name in weights)
            ]
            for _, target in wanted
        }
        said.append(
            Question(
                {target: some for target, some in every.items() if some},
                found,
                part,
                hypothesis.rule,
                hypothesis.over_languages,
                only,
            )
        )
    return said


def table(
    study: Study,
    chapter: str,
    asked: Comparison,
    found: Wanted,
    beside: Iterable[float] | None = None,
) -> pd.DataFrame:
    """A row a hypothesis of the chapter: what `verdicts.decide` says of it. beside: p-values of the
    claims and of the other chapters' hypotheses, which were named beforehand, too; None: as they
    are."""
    if beside is None:
        beside = [*claims.named(study).p, *p_values(study, leave_out=chapter)]
    result = verdicts.decide(study, questions(study, chapter, asked, found), beside).assign(
        hypothesis=[hypothesis.text for hypothesis in HYPOTHESES[chapter]]
    )
    result["verdict"] = result.verdict.where(result.differences != "0 of 0", "not asked")
    return result[SHOWN]


def p_values(study: Study, leave_out: str = "") -> list[float]:
    """Of all chapters' hypotheses but one's, on the runs at hand."""
    every = _named(*reported.where(study))
    return [p for name, shown in every.items() if name != leave_out for p in shown.p]


def named(study: Study) -> pd.DataFrame:
    """All claims and hypotheses that ask for a gain, on the runs at hand, with p after Holm over
    all that the book names beforehand: for tables that show the same comparison."""
    shown = pd.concat([claims.named(study), *_named(*reported.where(study)).values()])
    return shown.assign(**{"p (Holm)": grades.holm(shown.p)})[shown.rule == "gain"]


@lru_cache(maxsize=4)
def _named(study: Study, *changed: object) -> dict[str, pd.DataFrame]:
    return {chapter: verdicts.named(study, asked_of(study, chapter)) for chapter in HYPOTHESES}


def asked_of(study: Study, chapter: str) -> list[Question]:
    """One a hypothesis of the chapter, on the runs at hand."""
    asked = getattr(conditions, chapter)(study)
    found = graph.obtain(study, asked.wanted)
    if chapter == "xtreme":
        asked, found = selection.best(asked, found, selection.table(study, asked, found))
    return questions(study, chapter, asked, found)


def words(decided: pd.DataFrame) -> str:
    """The chapter's answer: each hypothesis with its verdict, effect and interval, the effect in
    English unless it is about English, where it is concentrated, why it is open and what would
    settle it, and on how much of what it asks it rests where that is not all."""
    said = []
    for row in decided.to_dict("records"):
        numbers = [
            f"{wording.signed(row['effect'])} points [{wording.signed(row['low'])}, "
            f"{wording.signed(row['high'])}]"
        ]
        if not np.isnan(row["in English"]) and not np.isclose(row["in English"], row["effect"]):
            numbers.append(f"in English {wording.signed(row['in English'])}")
        numbers += [row["breadth"]] if row["breadth"].startswith("concentrated") else []
        numbers += [f"open because: {row['why open']}"] if row["why open"] else []
        numbers += [f"{row['would settle it']} would settle it"] if row["would settle it"] else []
        numbers += (
            [f"so far {row['differences']} differences, {row['targets']} targets"]
            if row["so far"]
            else []
        )
        said.append(
            f"{row['hypothesis']}: "
            f"{row['verdict']}{'' if np.isnan(row['effect']) else ' (' + ', '.join(numbers) + ')'}."
        )
    return " ".join(said)
