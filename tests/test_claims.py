"""The front page: effects are means of paired differences, verdicts follow the stated rules, dashes
where nothing was run."""

import numpy as np
import pandas as pd
import pretended
import pytest

from xstilts.analysis import differences, stats
from xstilts.book import claims_page
from xstilts.chapters import claims, published
from xstilts.runs import results
from xstilts.runs.key import Base
from xstilts.study import profiles
from xstilts.study.conditions import NONE, Comparison, Condition

NAMES = [claim.text for claim in claims.CLAIMS]
ALL = Condition(("mnli", "squad", "ccg"), called="all")  # with their own steps


def task(name: str, **more) -> Condition:
    return Condition((name,), **more)


@pytest.fixture(scope="module")
def study():
    return profiles.study(languages="en,fi", missing="dash")


def pretend(
    monkeypatch, rates: dict[Condition, float], targets=("xnli", "tydiqa", "bucc", "tatoeba")
):
    """Runs of conditions that are right so often: (asked, found) as if every chapter had the same
    conditions."""
    draw = np.random.default_rng(0)
    wanted = {
        (name, target, 0): Base(f"{name} {target}", f"{name} {target}")
        for name in rates
        for target in targets
    }
    ease = {target: draw.random(300) for target in targets}

    def examples(cells):
        return pd.DataFrame(
            [
                pretended.row(name, target, seed, language, ease[target] < rates[name])
                for name, target, seed in cells
                for language in ("en", "fi")
            ]
        )

    pretended.instead(monkeypatch, examples)
    monkeypatch.setattr(differences.repeats, "variance", lambda study: pretended.training())
    asked = {name: Comparison(wanted, []) for name in (*claims.CHAPTERS, "best")}
    return asked, dict.fromkeys(asked, wanted)


def said(study, asked, found) -> pd.Series:
    return claims.table(study, claims.questions(study, asked, found)).set_index("claim")


def test_nothing_was_run(study):
    asked = claims.wanted(study)
    questions = claims.questions(study, asked, claims.obtain(study, asked))
    shown = claims.table(study, questions)
    assert set(shown.verdict) == {"not run"} and shown.effect.isna().all()
    words = claims.words(study, shown)
    assert words["not_run"] == len(NAMES) and words["agreeing"] == words["open"] == "none"
    figures = shown.set_index("claim").published.dropna()
    assert dict(figures) == {
        "SQuAD, named among the best tasks, helps on average": 8.4,
        "The best task for each target gains on XTREME": 5.4,
    }
    every = dict(
        zip(shown.claim, shown.differences.str.split(" of ").str[1].astype(int), strict=True)
    )
    assert every["XNLI does not gain"] == every["TyDiQA gains consistently"] == 9
    assert (
        every["MLM mixed in does not consistently help more than the English task alone"] == 4
        and min(every.values()) == 1
    )
    page = claims_page.Page(study, asked, shown, claims.apart(study, questions))
    assert claims_page.figure([page]).axes
    table = claims_page.table([page])
    assert list(table) == ["claim", "published", "synthetic rows", "note on synthetic rows"]
    assert set(table["synthetic rows"]) == {"not run"}


def test_verdicts_follow_the_rules(study, monkeypatch):
    rates = {
        NONE: 0.55,
        task("squad"): 0.8,
        task("mnli"): 0.8,
        task("hellaswag"): 0.8,
        task("qqp"): 0.6,
        task("ccg"): 0.5,
        ALL: 0.83,
    }
    shown = said(study, *pretend(monkeypatch, rates))
    assert shown.verdict["SQuAD, named among the best tasks, helps on average"] == "strong for"
    assert shown.effect["These three help more than the other six"] == pytest.approx(25, abs=8)
    assert (
        shown.verdict["All together, with their own steps, help more than SQuAD alone"]
        == "strong for"
    )
    assert shown.verdict["XNLI does not gain"] == "strong against"
    assert shown.verdict["TyDiQA gains consistently"] == "strong for"  # 4 of 5 up
    assert (
        shown.differences["TyDiQA gains consistently"] == "5 of 5"
        and shown.targets["TyDiQA gains consistently"] == "1 of 1"
    )
    assert (
        shown.verdict["A task translated does not consistently help more than in English"]
        == "not run"
    )
    assert (
        shown["so far"]["TyDiQA gains consistently"]
        == shown["so far"]["A task translated does not consistently help more than in English"]
        == ""
    )


def test_a_verdict_on_a_part_says_so(study, monkeypatch):
    asked, found = pretend(monkeypatch, {NONE: 0.6, task("squad"): 0.8, task("mnli"): 0.8})
    found["xtreme"] = {
        cell: run for cell, run in found["xtreme"].items() if cell[:2] != (task("mnli"), "tydiqa")
    }
    shown = claims.table(study, claims.questions(study, asked, found))
    assert shown.set_index("claim")["so far"]["TyDiQA gains consistently"] == " so far"
    assert ", so far)" in next(
        part
        for part in claims.words(study, shown)["agreeing"].split("; ")
        if part.startswith("TyDiQA gains")
    )


def test_where_an_effect_is_concentrated_is_named(study, monkeypatch):
    asked, found = pretend(monkeypatch, {NONE: 0.5, task("squad"): 0.5, task("mnli"): 0.5})
    plain = results.examples

    def one_target_up(cells):
        part = plain(cells)
        up = (part.condition == task("squad")) & (part.target == "tydiqa")
        more = [row + (np.arange(300) % 5 == 0) * (1 - row) for row in part.numerator]
        return part.assign(numerator=part.numerator.where(~up, pd.Series(more, part.index)))

    monkeypatch.setattr(results, "examples", one_target_up)
    shown = claims.table(study, claims.questions(study, asked, found))
    named = claims.words(study, shown)["agreeing"].split("; ")[0]
    assert named.startswith("SQuAD, named among the best tasks, helps on average (strong for, +")
    assert named.endswith("concentrated in TyDiQA-GoldP)")


@pytest.mark.parametrize(
    "rates, words",
    [
        (
            {NONE: 0.5, task("squad"): 0.4},
            {
                "SQuAD, named among the best tasks, helps on average": "strong against",
                "XNLI does not gain": "strong for",
                "TyDiQA gains consistently": "strong against",
            },
        ),
        (
            {NONE: 0.5, task("squad"): 0.5},
            {
                "SQuAD, named among the best tasks, helps on average": "no difference",
                "XNLI does not gain": "strong for",
            },
        ),
        (
            {
                NONE: 0.5,
                task("mnli"): 0.6,
                task("mnli", text=0.25): 0.7,
                task("mnli", text=0.5): 0.7,
                task("mnli", text=0.5, steps="twice"): 0.1,
            },
            {
                "MLM mixed in does not consistently help more than the English task alone": (
                    "strong against"
                ),
            },
        ),
        (
            {
                NONE: 0.5,
                task("mnli", called="mnli in English"): 0.7,
                task("mnli", languages=("de", "fi"), parts=2): 0.6,
                task("mnli", languages=("en", "de", "fi"), parts=3): 0.9,
                task("mnli", languages=("de", "fi"), parts=2, noise=0.1): 0.9,
            },
            {
                "A task translated does not consistently help more than in English": "strong for",
            },
        ),
        (
            {
                NONE: 0.5,
                task("squad"): 0.65,
                task("mnli"): 0.65,
                task("qqp"): 0.46,
                task("ccg"): 0.46,
                task("cosmosqa"): 0.46,
                task("hellaswag"): 0.46,
            },
            {"TyDiQA gains consistently": "strong against"},
        ),
    ],
)
def test_words_turn_with_the_numbers(study, monkeypatch, rates, words):
    shown = said(study, *pretend(monkeypatch, rates))
    assert {claim: shown.verdict[claim] for claim in words} == words


def test_targets_count_alike(monkeypatch):
    """A mean over targets is the mean of their means, however many languages each has."""
    draw = np.random.default_rng(1)
    table = pd.DataFrame(
        [
            {
                "condition": name,
                "target": target,
                "language": language,
                "metric": "accuracy",
                "layer": -1,
                "seed": 0,
                "numerator": (draw.random(80) < rate) * 1.0,
                "denominator": np.ones(80),
            }
            for name, rate in ((NONE, 0.5), (task("mnli"), 0.7))
            for target, there in (("xnli", "de fi hu"), ("xcopa", "en"))
            for language in there.split()
        ]
    )
    both = stats.contrast(table, {task("mnli"): 1, NONE: -1}, ("xnli", "xcopa"))
    alone = [stats.difference(table, task("mnli"), target) for target in ("xnli", "xcopa")]
    assert (
        both.value == pytest.approx((alone[0].value + alone[1].value) / 2) and both.languages == 4
    )
    assert both.high - both.low < max(part.high - part.low for part in alone)


def test_published_scores_stand_beside_each_other():
    whole, one = published.leaderboard(), published.leaderboard("PAWS-X")
    source = (
        published.published("xtreme_leaderboard")
        .set_index(["task", "metric", "model"])["average over languages"]
        .sort_index()
    )
    assert 2 * len(whole) == len(source) and len(one) == 1 and whole.notna().all(axis=None)
    for row in whole.to_dict("records"):
        before, after = source[row["task"], row["metric"]][
            ["XLM-R Large", "X-STILTs (Phang2020) best-per-task"]
        ]
        assert (row["XLM-R Large"], row["best task for each target"]) == (before, after)
        assert abs(float(row["difference"]) - (after - before)) < 0.051
