"""Whether what a wide chapter expects holds: the answer to the chapter's question. What each
expects stands in its file in `questions`.

    decided = table(study, "rq3", asked, found, beside)    # asked = rq3.compared(study)
    words(decided)

A hypothesis is a mean of differences between the chapter's conditions, over the targets that it has
them for, judged by the rules of `verdicts` with Holm over all that the book names beforehand. *Not
asked*: the data has no such conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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
SHOWN += ["task not learned"]
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


def at_hand(study: Study, chapter: str) -> tuple[Comparison, Wanted]:
    """What the chapter's hypotheses compare, and which of its runs are at hand, or can be."""
    asked = CHAPTERS[chapter].compared(study)
    found = graph.obtain(study, asked.wanted)
    if chapter == "xtreme":
        return selection.best(asked, found, selection.table(study, asked, found))
    return asked, found


def of_chapter(study: Study, chapter: str) -> list[Question]:
    """One a hypothesis of the chapter, on the runs at hand."""
    return questions(study, CHAPTERS[chapter].HYPOTHESES, *at_hand(study, chapter))


def words(decided: pd.DataFrame) -> list[tuple[str, str]]:
    """The chapter's answer, a pair a hypothesis: its verdict, and what is known of it in sentences:
    effect and interval, on what it rests, the effect in English unless it is about English, with
    failed trainings in, where it is concentrated, why it is open and what would settle it."""
    return [(_capital(row["verdict"]), _said(row)) for row in decided.to_dict("records")]


def short(decided: pd.DataFrame) -> str:
    """The answer in a cell of a table."""
    said = [
        row["verdict"] if np.isnan(row["effect"]) else f"{row['verdict']}: {_interval(row)}"
        for row in decided.to_dict("records")
    ]
    return "; ".join(dict.fromkeys(said))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _interval(row: Mapping[str, Any]) -> str:
    return wording.interval(row["effect"], row["low"], row["high"], " points")


def _said(row: Mapping[str, Any]) -> str:
    if np.isnan(row["effect"]):
        return f"{row['hypothesis']}."
    seeds = f"{row['seeds']} seed{'' if row['seeds'] == 1 else 's'}"
    said = [f"{row['hypothesis']}: {_interval(row)}, {row['targets']} targets, {seeds}"]
    if row["so far"]:
        said.append(f"So far {row['differences']} differences were run")
    if not np.isnan(row["in English"]) and not np.isclose(row["in English"], row["effect"]):
        said.append(f"In English alone {wording.signed(row['in English'])}")
    said += [_capital(part) for part in verdicts.with_failures(row)]
    if row["breadth"].startswith("concentrated"):
        said.append(f"The effect is {row['breadth']}")
    if row["why open"]:
        said.append(f"Why it is open: {row['why open']}")
    if row["task not learned"]:
        said.append(f"Itself hardly learned: {row['task not learned']}")
    if row["would settle it"]:
        said.append(f"What would settle it: {row['would settle it']}")
    return ". ".join(said) + "."
