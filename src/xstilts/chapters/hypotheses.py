"""What each wide chapter expects before it looks, and whether it holds: the answer to the chapter's
question.

    decided = table(study, "rq3", asked, found);  words(decided)     # asked =
                                                  conditions.rq3(study), found = its runs

A hypothesis is a mean of differences between the chapter's conditions, over the targets that it has
them for, judged by the rules of `verdicts`; its p-values are adjusted over the chapter's
hypotheses.

    holds             gain: the mean is above 0; no gain: the whole 95 % interval is below
                      `verdicts.MARGIN`
    does not hold     gain: it is below 0; no gain: it is above 0
    can't tell        neither counts, or one condition or target carries it
    not run           no target has all that it needs
    not asked         the data has no such conditions
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xstilts.analysis import differences, verdicts, wording
from xstilts.analysis.verdicts import Question, Weights
from xstilts.runs.key import Wanted
from xstilts.study import conditions
from xstilts.study.conditions import Comparison
from xstilts.study.profiles import Study

SAID = {"agrees": "holds", "disagrees": "does not hold"}
SHOWN = [
    "hypothesis",
    "verdict",
    "carried by",
    "effect",
    "low",
    "high",
    "one left out",
    "in English",
    "p",
    "p (Holm)",
    "differences",
    "targets",
    "so far",
    "n",
    "seeds",
    "from",
]


@dataclass(frozen=True)
class Hypothesis:
    text: str
    weigh: Callable[[Comparison], list[Weights]]  # -> single differences, whose mean is the effect
    rule: str = "gain"
    languages: Callable[[Study], tuple[str, ...]] | None = None  # None = all that are scored


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


def table(
    study: Study, chapter: str, asked: Comparison, found: Wanted, over_languages: bool = False
) -> pd.DataFrame:
    """A row a hypothesis of the chapter: what `verdicts.decide` says of it. over_languages: as in
    `differences.table`."""
    part, questions = differences.examples(study, found), []
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
        questions.append(
            Question(
                {target: some for target, some in every.items() if some},
                found,
                part,
                hypothesis.rule,
                over_languages,
                only,
            )
        )
    result = verdicts.decide(study, questions).assign(
        hypothesis=[hypothesis.text for hypothesis in HYPOTHESES[chapter]]
    )
    result["verdict"] = result.verdict.replace(SAID).where(
        result.differences != "0 of 0", "not asked"
    )
    return result[SHOWN]


def words(decided: pd.DataFrame) -> str:
    """The chapter's answer: each hypothesis with its verdict, effect and interval, the effect in
    English unless it is about English, what carries it, and on how much of what it asks it rests
    where that is not all."""
    said = []
    for row in decided.to_dict("records"):
        numbers = [
            f"{wording.signed(row['effect'])} points [{wording.signed(row['low'])}, "
            f"{wording.signed(row['high'])}]"
        ]
        if not np.isnan(row["in English"]) and not np.isclose(row["in English"], row["effect"]):
            numbers.append(f"in English {wording.signed(row['in English'])}")
        numbers += [row["one left out"]] if row["one left out"] else []
        numbers += [f"carried by {row['carried by']}"] if row["carried by"] else []
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
