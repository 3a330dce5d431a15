"""What a wide chapter expects before it looks, and whether it holds: the answer to the chapter's
question. What each expects stands in its file in `wide`.

    decided = table(study, rq3.HYPOTHESES, asked, found)    # asked = rq3.compared(study)
    words(decided)

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

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xstilts.analysis import verdicts, wording
from xstilts.analysis.differences import examples
from xstilts.analysis.verdicts import Question, Weights
from xstilts.runs.key import Wanted
from xstilts.study.conditions import Comparison, Condition
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


def differences(
    choose: Callable[[Condition, Condition], bool], sign: int = 1
) -> Callable[[Comparison], list[Weights]]:
    """The chapter's own differences between two conditions that `choose` takes, or their
    opposites."""
    return lambda asked: [
        {condition: sign * weight for condition, weight in weights.items()}
        for _, weights in asked.contrasts
        if len(weights) == 2 and choose(*weights)
    ]


def means(
    more: Callable[[Condition], bool], less: Callable[[Condition], bool]
) -> Callable[[Comparison], list[Weights]]:
    """The mean of some conditions, less that of others."""

    def weigh(asked: Comparison) -> list[Weights]:
        there = list(dict.fromkeys(condition for condition, _, _ in asked.wanted))
        up, down = (list(filter(choose, there)) for choose in (more, less))
        if not up or not down:
            return []
        return [dict.fromkeys(up, 1 / len(up)) | dict.fromkeys(down, -1 / len(down))]

    return weigh


def table(
    study: Study,
    hypotheses: Sequence[Hypothesis],
    asked: Comparison,
    found: Wanted,
    over_languages: bool = False,
) -> pd.DataFrame:
    """A row a hypothesis: what `verdicts.decide` says of it. over_languages: as in
    `differences.table`."""
    part, questions = examples(study, found), []
    for hypothesis in hypotheses:
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
        hypothesis=[hypothesis.text for hypothesis in hypotheses]
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
