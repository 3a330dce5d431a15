"""The paper's claims beside what this profile says of them: the front page of the book.

    asked = wanted(study);  table(study, asked, obtain(study, asked))

A claim is a weighted sum of conditions over some targets, and one of the rules of `verdicts`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xstilts.analysis import differences, published, repeats, selection, verdicts, wording
from xstilts.analysis.verdicts import Question, Weights
from xstilts.runs.key import Wanted
from xstilts.study import conditions, graph
from xstilts.study.conditions import NAMED_BEST, Comparison
from xstilts.study.graph import NONE
from xstilts.study.profiles import Study


@dataclass(frozen=True)
class Claim:
    text: str
    chapter: str  # whose runs decide: a function of `comparisons`
    weigh: Callable[
        [list[str]], list[Weights]
    ]  # conditions -> single differences, whose mean is the effect
    targets: tuple[str, ...] = ()  # () = all of the chapter's
    rule: str = "gain"
    published: tuple[str, str] | None = None  # version and finding, in book/published/phang2020.csv


def _tasks(names: list[str]) -> list[str]:
    """Conditions that are one intermediate task as it is."""
    return [name for name in names if name in conditions.NINE]


def _alone(task: str) -> Callable:
    return lambda names: [{task: 1, NONE: -1}] if task in names else []


def _each(names: list[str]) -> list[Weights]:
    return [{name: 1, NONE: -1} for name in _tasks(names)]


def _named_against_others(names: list[str]) -> list[Weights]:
    there = _tasks(names)
    named, others = (
        [name for name in there if name in NAMED_BEST],
        [name for name in there if name not in NAMED_BEST],
    )
    if len(named) < len(NAMED_BEST) or not others:
        return []
    return [{name: 1 / len(named) for name in named} | {name: -1 / len(others) for name in others}]


def _all_against(other: str) -> Callable:
    return lambda names: (
        [{"all, own steps": 1, other: -1}] if {"all, own steps", other} <= set(names) else []
    )


def _changed(suffixes: tuple[str, ...], of: str = "") -> Callable:
    """English tasks with something done to them, less the same as they are."""
    return lambda names: [
        {name: -1, name.removesuffix(of) + suffix: 1}
        for name in names
        for suffix in suffixes
        if name.endswith(of) and name.removesuffix(of) + suffix in names
    ]


CLAIMS = (
    Claim(
        "SQuAD, named among the best tasks, helps on average",
        "xtreme",
        _alone("squad"),
        published=(
            "v1 abstract",
            "best single intermediate task is SQuAD: difference to no intermediate training",
        ),
    ),
    Claim("MNLI, named among them, helps on average", "xtreme", _alone("mnli")),
    Claim("HellaSwag, named among them, helps on average", "xtreme", _alone("hellaswag")),
    Claim("These three help more than the other six", "xtreme", _named_against_others),
    Claim(
        "All tasks together, with their own steps, help (nine in the paper)",
        "multi_task",
        _all_against(NONE),
    ),
    Claim(
        "All together, with their own steps, help more than SQuAD alone",
        "multi_task",
        _all_against("squad"),
    ),
    Claim(
        "BUCC and Tatoeba improve with almost every task",
        "xtreme",
        _each,
        ("bucc", "tatoeba"),
        "each",
    ),
    Claim("TyDiQA gains consistently", "xtreme", _each, ("tydiqa",), "each"),
    Claim("XNLI does not gain", "xtreme", _each, ("xnli",), "no gain"),
    Claim(
        "The best task for each target gains on XTREME",
        "best",
        _alone(selection.BEST),
        published=(
            "v2 abstract",
            "best intermediate task for each target: difference to XLM-R Large",
        ),
    ),
    Claim(
        "MLM mixed in does not consistently help more than the English task alone",
        "mlm_continuation",
        _changed((" + 25% text", " + 50% text")),
        rule="not each",
    ),
    Claim(
        "A task translated does not consistently help more than in English",
        "translated",
        _changed((" translated",), " in English"),
        rule="not each",
    ),
    Claim("Three-phase training works: English tasks help on average", "xtreme", _each),
)
CHAPTERS = tuple(dict.fromkeys(claim.chapter for claim in CLAIMS if claim.chapter != "best"))


def wanted(study: Study) -> dict[str, Comparison]:
    """chapter -> what it compares: the runs that the claims rest on."""
    return {name: getattr(conditions, name)(study) for name in CHAPTERS}


def obtain(study: Study, asked: dict[str, Comparison]) -> dict[str, Wanted]:
    """chapter -> its runs at hand; and "best": for each XTREME target none and the task that is
    best on dev rows."""
    found = {name: graph.obtain(study, part.wanted) for name, part in asked.items()}
    chosen = selection.table(study, asked["xtreme"], found["xtreme"])
    asked["best"], found["best"] = selection.best(asked["xtreme"], found["xtreme"], chosen)
    return found


def table(study: Study, asked: dict[str, Comparison], found: dict[str, Wanted]) -> pd.DataFrame:
    """A row a claim: what `verdicts.decide` says of it, the published figure in points, and the
    chapter that has its runs."""
    parts = {name: differences.examples(study, runs) for name, runs in found.items()}
    questions = []
    for claim in CLAIMS:
        wanted = asked[claim.chapter].wanted
        every = claim.weigh(list(dict.fromkeys(name for name, _, _ in wanted)))
        targets = claim.targets or tuple(dict.fromkeys(target for _, target, _ in wanted))
        questions.append(
            Question(
                dict.fromkeys(targets, every),
                found[claim.chapter],
                parts[claim.chapter],
                claim.rule,
            )
        )
    known = [
        {
            "claim": claim.text,
            "published": _published(claim),
            "chapter": "xtreme" if claim.chapter == "best" else claim.chapter,
        }
        for claim in CLAIMS
    ]
    return pd.concat([pd.DataFrame(known), verdicts.decide(study, questions)], axis=1)


def _published(claim: Claim) -> float:
    if not claim.published:
        return np.nan
    found = published.published("phang2020")
    version, finding = claim.published
    return float(found[(found.version == version) & (found.finding == finding)].points.iloc[0])


def words(study: Study, shown: pd.DataFrame) -> dict[str, object]:
    """What the prose of the page quotes."""
    count = shown.verdict.value_counts()
    effects = shown.effect.map(wording.signed) + shown["one left out"].map(
        lambda left: f", {left}" if left else ""
    )
    named = (
        shown.claim
        + " ("
        + effects
        + shown["so far"].map(lambda part: f",{part}" if part else "")
        + ")"
    )
    carried = shown.claim + " (" + effects + ", by " + shown["carried by"] + ")"
    parts = {
        "agreeing": named[shown.verdict == "agrees"],
        "disagreeing": named[shown.verdict == "disagrees"],
        "carried": carried[shown["carried by"] != ""],
    }
    return {
        "claims": len(shown),
        "agree": int(count.get("agrees", 0)),
        "disagree": int(count.get("disagrees", 0)),
        "unclear": int(count.get("can't tell", 0)),
        "not_run": int(count.get("not run", 0)),
        "trust": repeats.words(study, differences.behind(shown)),
        **{name: "; ".join(some) or "none" for name, some in parts.items()},
    }
