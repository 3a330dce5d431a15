"""The paper's claims beside what this profile says of them: the front page of the book.

    asked = wanted(study);  table(study, asked, obtain(study, asked))

A claim is a weighted sum of conditions over some targets, and one of the rules of `verdicts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from xstilts.analysis import differences, grades, published, repeats, reported, selection, wording
from xstilts.analysis.differences import Weights
from xstilts.chapters import verdicts
from xstilts.chapters.verdicts import Question
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


def table(
    study: Study,
    asked: dict[str, Comparison],
    found: dict[str, Wanted],
    beside: Iterable[float] | None = None,
) -> pd.DataFrame:
    """A row a claim: what `verdicts.decide` says of it, the published figure in points, and the
    chapter that has its runs. beside: p-values of the book's hypotheses, which were named
    beforehand, too; None: as they are."""
    if beside is None:
        from xstilts.chapters import hypotheses  # it asks for the claims' in turn

        beside = hypotheses.p_values(study)
    decided = verdicts.decide(study, questions(study, asked, found), beside)
    known = [
        {
            "claim": claim.text,
            "published": _published(claim),
            "chapter": "xtreme" if claim.chapter == "best" else claim.chapter,
        }
        for claim in CLAIMS
    ]
    return pd.concat([pd.DataFrame(known), decided], axis=1)


def named(study: Study) -> pd.DataFrame:
    """The claims on the runs at hand: of `verdicts.named`."""
    return _named(*reported.where(study))


@lru_cache(maxsize=4)
def _named(study: Study, *changed: object) -> pd.DataFrame:
    asked = wanted(study)
    return verdicts.named(study, questions(study, asked, obtain(study, asked)))


def _published(claim: Claim) -> float:
    if not claim.published:
        return np.nan
    found = published.published("phang2020")
    version, finding = claim.published
    return float(found[(found.version == version) & (found.finding == finding)].points.iloc[0])


def words(study: Study, shown: pd.DataFrame) -> dict[str, object]:
    """What the prose of the page quotes."""
    effects = shown.effect.map(wording.signed) + " [" + shown.low.map(wording.signed)
    effects += ", " + shown.high.map(wording.signed) + "]"
    narrow = shown.breadth.where(shown.breadth.str.startswith("concentrated"), "")
    notes = [
        ", ".join(filter(None, parts))
        for parts in zip(effects, narrow, shown["so far"].str.strip(), strict=True)
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
