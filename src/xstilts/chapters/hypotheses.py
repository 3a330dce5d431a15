"""Whether what a wide chapter expects holds: the answer to the chapter's question. What each
expects stands in its file in `questions`.

    decided = table(study, "rq3", asked, found, beside)    # asked = rq3.compared(study)
    words(decided)

A hypothesis is a mean of differences between the chapter's conditions, over the targets that it has
them for, judged by the rules of `verdicts` with Holm over all that the book names beforehand. *Not
asked*: the data has no such conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from xstilts.analysis import differences, selection, wording
from xstilts.chapters import verdicts
from xstilts.chapters.verdicts import Question
from xstilts.questions import CHAPTERS
from xstilts.runs.key import Wanted
from xstilts.study import graph
from xstilts.study.conditions import Comparison
from xstilts.study.hypothesis import Hypothesis
from xstilts.study.profiles import Study

SHOWN = ["hypothesis", "verdict", "effect", "low", "high", "why open", "would settle it"]
SHOWN += ["in English", "p", "p (Holm)", "learned", "with failures", "spread", "up", "middle"]
SHOWN += ["without the largest", "breadth", "differences", "targets", "so far", "n", "seeds"]
SHOWN += ["from"]


def questions(
    study: Study, hypotheses: Sequence[Hypothesis], asked: Comparison, found: Wanted
) -> list[Question]:
    """One a hypothesis."""
    part, said = differences.examples(study, found), []
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
    hypotheses: Sequence[Hypothesis],
    asked: Comparison,
    found: Wanted,
    beside: Iterable[float] = (),
) -> pd.DataFrame:
    """A row a hypothesis: what `verdicts.decide` says of it. beside: p-values of the claims and of
    the other chapters' hypotheses, which were named beforehand, too (`named.p_values`)."""
    result = verdicts.decide(study, questions(study, hypotheses, asked, found), beside).assign(
        hypothesis=[hypothesis.text for hypothesis in hypotheses]
    )
    result["verdict"] = result.verdict.where(result.differences != "0 of 0", "not asked")
    return result[SHOWN]


def of_chapter(study: Study, chapter: str) -> list[Question]:
    """One a hypothesis of the chapter, on the runs at hand."""
    asked = CHAPTERS[chapter].compared(study)
    found = graph.obtain(study, asked.wanted)
    if chapter == "xtreme":
        asked, found = selection.best(asked, found, selection.table(study, asked, found))
    return questions(study, CHAPTERS[chapter].HYPOTHESES, asked, found)


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
        numbers += verdicts.with_failures(row)
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
