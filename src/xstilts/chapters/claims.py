"""The paper's claims beside what this profile says of them: the front page of the book.

    asked = wanted(study);  table(study, questions(study, asked, obtain(study, asked)))

A claim is a weighted sum of conditions over some targets, and one of the rules of `verdicts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from xstilts.analysis import differences, grades, repeats, selection, wording
from xstilts.chapters import published, verdicts
from xstilts.chapters.verdicts import Question
from xstilts.questions import CHAPTERS as WIDE
from xstilts.questions import mlm_continuation, translated
from xstilts.runs.key import Wanted
from xstilts.study import graph
from xstilts.study.conditions import NONE, Comparison, Condition, Weights
from xstilts.study.grid import NAMED_BEST
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS


@dataclass(frozen=True)
class Claim:
    text: str
    chapter: str  # whose runs decide: a name in `questions`
    weigh: Callable[[list[Condition]], list[Weights]]  # -> differences, whose mean is the effect
    targets: tuple[str, ...] = ()  # () = all of the chapter's
    rule: str = "gain"
    published: tuple[str, str] | None = None  # version and finding, in book/published/phang2020.csv


def _alone(condition: Condition) -> bool:
    """One English task as it is, scored on test rows."""
    return len(condition.tasks) == 1 and condition == Condition(
        condition.tasks, steps=condition.steps
    )


def _task(name: str) -> Callable[[Condition], bool]:
    return lambda condition: _alone(condition) and condition.tasks == (name,)


def _gains(choose: Callable[[Condition], bool]) -> Callable[[list[Condition]], list[Weights]]:
    """Each of the conditions against none."""
    return lambda there: [{condition: 1, NONE: -1} for condition in there if choose(condition)]


def _named_against_others(there: list[Condition]) -> list[Weights]:
    alone = [condition for condition in there if _alone(condition)]
    named = [condition for condition in alone if condition.tasks[0] in NAMED_BEST]
    others = [condition for condition in alone if condition not in named]
    if len(named) < len(NAMED_BEST) or not others:
        return []
    return [dict.fromkeys(named, 1 / len(named)) | dict.fromkeys(others, -1 / len(others))]


def _all_against(choose: Callable[[Condition], bool]) -> Callable[[list[Condition]], list[Weights]]:
    """All tasks together with their own steps, against another condition."""
    return lambda there: [
        {every: 1, other: -1}
        for every in there
        if len(every.tasks) > 1 and every.steps == "own"
        for other in there
        if choose(other)
    ]


def _changed(
    how: Callable[[Condition, Condition], bool],
) -> Callable[[list[Condition]], list[Weights]]:
    """English tasks with something done to them, less the same as they are."""
    return lambda there: [
        {task: -1, changed: 1}
        for task in there
        if _alone(task)
        for changed in there
        if changed.tasks == task.tasks and how(changed, task)
    ]


CLAIMS = (
    Claim(
        "SQuAD, named among the best tasks, helps on average",
        "xtreme",
        _gains(_task("squad")),
        published=(
            "v1 abstract",
            "best single intermediate task is SQuAD: difference to no intermediate training",
        ),
    ),
    Claim("MNLI, named among them, helps on average", "xtreme", _gains(_task("mnli"))),
    Claim("HellaSwag, named among them, helps on average", "xtreme", _gains(_task("hellaswag"))),
    Claim("These three help more than the other six", "xtreme", _named_against_others),
    Claim(
        "All tasks together, with their own steps, help (nine in the paper)",
        "multi_task",
        _all_against(lambda condition: condition == NONE),
    ),
    Claim(
        "All together, with their own steps, help more than SQuAD alone",
        "multi_task",
        _all_against(_task("squad")),
    ),
    Claim(
        "BUCC and Tatoeba improve with almost every task",
        "xtreme",
        _gains(_alone),
        ("bucc", "tatoeba"),
        "each",
    ),
    Claim("TyDiQA gains consistently", "xtreme", _gains(_alone), ("tydiqa",), "each"),
    Claim("XNLI does not gain", "xtreme", _gains(_alone), ("xnli",), "no gain"),
    Claim(
        "The best task for each target gains on XTREME",
        "best",
        _gains(lambda condition: condition.chosen),
        published=(
            "v2 abstract",
            "best intermediate task for each target: difference to XLM-R Large",
        ),
    ),
    Claim(
        "MLM mixed in does not consistently help more than the English task alone",
        "mlm_continuation",
        _changed(mlm_continuation.in_place_of_steps),
        rule="not each",
    ),
    Claim(
        "A task translated does not consistently help more than in English",
        "translated",
        _changed(translated.without_english),
        rule="not each",
    ),
    Claim("Three-phase training works: English tasks help on average", "xtreme", _gains(_alone)),
)
CHAPTERS = tuple(dict.fromkeys(claim.chapter for claim in CLAIMS if claim.chapter != "best"))


def wanted(study: Study) -> dict[str, Comparison]:
    """chapter -> what it compares: the runs that the claims rest on."""
    return {name: WIDE[name].compared(study) for name in CHAPTERS}


def obtain(study: Study, asked: dict[str, Comparison]) -> dict[str, Wanted]:
    """chapter -> its runs at hand; and "best": for each XTREME target none and the task that is
    best on dev rows."""
    found: dict[str, Wanted] = {
        name: graph.obtain(study, part.wanted) for name, part in asked.items()
    }
    chosen = selection.table(study, asked["xtreme"], found["xtreme"])
    asked["best"], found["best"] = selection.best(asked["xtreme"], found["xtreme"], chosen)
    return found


def questions(
    study: Study, asked: dict[str, Comparison], found: dict[str, Wanted]
) -> list[Question]:
    """One a claim."""
    parts = {name: differences.examples(study, runs) for name, runs in found.items()}
    said = []
    for claim in CLAIMS:
        wanted = asked[claim.chapter].wanted
        every = claim.weigh(list(dict.fromkeys(name for name, _, _ in wanted)))
        targets = claim.targets or tuple(dict.fromkeys(target for _, target, _ in wanted))
        part = parts[claim.chapter]
        every_target = dict.fromkeys(targets, every)
        said.append(Question(every_target, found[claim.chapter], part, claim.rule))
    return said


def table(study: Study, every: list[Question], beside: Iterable[float] = ()) -> pd.DataFrame:
    """A row a claim: what `verdicts.decide` says of it, the published figure in points, and the
    chapter that has its runs. every: of `questions`. beside: p-values of the book's hypotheses,
    which were named beforehand, too (`named.p_values`)."""
    decided = verdicts.decide(study, every, beside)
    known = [
        {
            "claim": claim.text,
            "published": _published(claim),
            "chapter": "xtreme" if claim.chapter == "best" else claim.chapter,
        }
        for claim in CLAIMS
    ]
    return pd.concat([pd.DataFrame(known), decided], axis=1)


def apart(study: Study, every: list[Question]) -> pd.DataFrame:
    """A row a claim that is about targets with and without training: its effect over those that are
    trained, and over retrieval, which is not, each with its interval, and their grades. These were
    not named beforehand, so that none is *strong*. every: of `questions`."""
    rows = []
    for claim, question in zip(CLAIMS, every, strict=True):
        parts = {
            name: {
                target: some
                for target, some in question.every.items()
                if TASKS[target].untrained == untrained
            }
            for name, untrained in (("trained targets", False), ("retrieval", True))
        }
        if all(parts.values()):
            row: dict[str, object] = {"claim": claim.text}
            for name, some in parts.items():
                compared = verdicts.judge(study, replace(question, every=some)).compared
                said = compared.estimate
                row |= {name: said.value, f"{name}: low": said.low, f"{name}: high": said.high}
                row[f"{name}: grade"] = compared.grade(1.0)
            rows.append(row)
    return pd.DataFrame(rows)


def _published(claim: Claim) -> float:
    if not claim.published:
        return np.nan
    found = published.published("phang2020")
    version, finding = claim.published
    return float(found[(found.version == version) & (found.finding == finding)].points.iloc[0])


def words(study: Study, shown: pd.DataFrame) -> dict[str, object]:
    """What the prose of the page quotes."""
    effects = pd.Series(map(wording.interval, shown.effect, shown.low, shown.high), shown.index)
    failed = [", ".join(verdicts.with_failures(row)) for row in shown.to_dict("records")]
    narrow = shown.breadth.where(shown.breadth.str.startswith("concentrated"), "")
    notes = [
        ", ".join(filter(None, parts))
        for parts in zip(effects, failed, narrow, shown["so far"].str.strip(), strict=True)
    ]
    named = shown.claim + " (" + shown.verdict + ", " + notes + ")"
    reasons = (
        shown.claim
        + " ("
        + effects
        + ": "
        + shown["why open"]
        + "; "
        + (shown["would settle it"] + " would settle it)")
    )
    parts = {
        "agreeing": named[shown.verdict.str.endswith(" for")],
        "disagreeing": named[shown.verdict.str.endswith(" against")],
        "same": named[shown.verdict == grades.SAME],
        "open": reasons[shown.verdict == grades.OPEN],
        "not_learned": shown.claim[shown.verdict == grades.NOT_LEARNED],
    }
    return {
        "claims": len(shown),
        "not_run": int((shown.verdict == grades.NOT_RUN).sum()),
        "trust": repeats.words(study, differences.behind(shown)),
        **{f"{name}_count": len(some) for name, some in parts.items()},
        **{name: "; ".join(some) or "none" for name, some in parts.items()},
    }
