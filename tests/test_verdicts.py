"""A verdict follows the one rule: strong, moderate, no difference or open, for or against."""

import dataclasses

import numpy as np
import pandas as pd
import pretended
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from xstilts.analysis import differences, grades, reported
from xstilts.chapters import verdicts
from xstilts.runs import records, results
from xstilts.runs.key import Base
from xstilts.study import grid, phases, profiles
from xstilts.study.conditions import NONE, Condition
from xstilts.tasks.table import TASKS

SQUAD, MNLI, QQP, CCG, ANLI = (
    Condition((name,)) for name in ("squad", "mnli", "qqp", "ccg", "anli")
)
TARGETS = ("xnli", "pawsx", "tydiqa", "xquad")
ROWS = 400


@pytest.fixture(scope="module")
def study():
    return profiles.study(languages="en,fi", missing="dash")


@pytest.fixture
def decide(study, monkeypatch):
    """Decide about conditions that are right so often: rates[condition], or rates[condition,
    target] where that differs."""
    monkeypatch.setattr(
        records, "source", lambda runs, root: {"live": list(runs), "recorded": [], "not run": []}
    )

    def decided(
        rates: dict,
        every: list | dict,
        rule: str = "gain",
        targets: tuple[str, ...] = TARGETS,
        seeds: int = 1,
        training: float | None = 0.0,  # what another one changes, in points
        beside: tuple[float, ...] = (),
        rows: int = ROWS,
    ) -> pd.Series:
        known = None if training is None else pretended.training(training)
        monkeypatch.setattr(differences.repeats, "variance", lambda study: known)
        every = every if isinstance(every, dict) else dict.fromkeys(targets, every)
        draw = np.random.default_rng(0)
        ease = {target: draw.random(rows) for target in targets}

        def rate(name, target, seed):
            return rates.get((name, target, seed), rates.get((name, target), rates[name]))

        names = list(
            dict.fromkeys(name for some in every.values() for weights in some for name in weights)
        )
        found = {
            (name, target, seed): Base("", f"{name} {target} {seed}")
            for name in names
            for target in targets
            for seed in range(seeds)
        }
        part = pd.DataFrame(
            [
                pretended.row(name, target, seed, language, ease[target] < rate(name, target, seed))
                for name, target, seed in found
                for language in ("en", "fi")
            ]
        )
        monkeypatch.setattr(results, "examples", lambda cells: part)
        monkeypatch.setattr(results, "scores", lambda cells: pretended.scores(part))
        several = dataclasses.replace(study, seeds=tuple(range(seeds)))
        shown = differences.examples(several, found)
        question = verdicts.Question(every, found, shown, rule)
        return verdicts.decide(several, [question], beside).iloc[0]

    return decided


ONE = [{SQUAD: 1, NONE: -1}]
EACH = [{name: 1, NONE: -1} for name in (SQUAD, MNLI, QQP)]


def test_a_clear_gain_is_strong_and_unless_it_is_clear_after_holm_moderate(decide):
    rates = {NONE: 0.5, SQUAD: 0.6}
    row = decide(rates, ONE)
    assert row.verdict == "strong for" and row.effect == pytest.approx(10, abs=3)
    assert decide(rates, ONE, beside=(0.5,) * 12).verdict == "strong for"
    row = decide({NONE: 0.5, SQUAD: 0.52}, ONE, training=1.0)
    assert 0.01 < row.p < 0.05 and row.verdict == "strong for", "it is all that was asked"
    row = decide({NONE: 0.5, SQUAD: 0.52}, ONE, training=1.0, beside=(0.5,) * 12)
    assert row.verdict == "moderate for" and row["p (Holm)"] > 0.05
    row = decide({NONE: 0.6, SQUAD: 0.5}, ONE)
    assert row.verdict == "strong against" and row["why open"] == row["would settle it"] == ""


def test_one_target_does_not_veto_a_verdict_and_is_named(decide):
    rates = {NONE: 0.5, SQUAD: 0.5, (SQUAD, "tydiqa"): 0.8}
    row = decide(rates, ONE)
    assert row.verdict == "strong for" and row.effect > 5
    assert row.breadth == "concentrated in TyDiQA-GoldP" and row["up"] == "1 of 4"
    assert row["without the largest"] == row.middle == pytest.approx(0, abs=1e-9)
    row = decide({NONE: 0.5, SQUAD: 0.6}, ONE)
    assert row.breadth == "broad" and row["up"] == "4 of 4"
    assert decide(rates, ONE, targets=("tydiqa",)).breadth == "–", "it was asked of it alone"


def test_a_difference_within_the_margin_is_none(decide):
    row = decide({NONE: 0.5, SQUAD: 0.502}, ONE, training=0.3, rows=4000)
    assert row.verdict == "no difference" and -1 < row.low < 0 < row.high < 1
    row = decide({NONE: 0.5, SQUAD: 0.502}, ONE, training=3.0, rows=4000)
    assert row.verdict == "open"
    row = decide({NONE: 0.5, SQUAD: 0.502}, ONE, targets=("xnli",), training=0.5, rows=4000)
    assert row.high > 1 and row.verdict == "no difference", "the margin of one target is 2 points"


def test_targets_may_ask_for_different_conditions_and_count_alike(decide):
    rates = {NONE: 0.5, SQUAD: 0.7, MNLI: 0.5, QQP: 0.5}
    every = {"xnli": EACH, "pawsx": EACH, "tydiqa": EACH[:1]}
    row = decide(rates, every, targets=("xnli", "pawsx", "tydiqa"))
    assert row.effect == pytest.approx((20 / 3 + 20 / 3 + 20) / 3, abs=2)
    assert row.differences == "3 of 3" and row.targets == "3 of 3" and row["so far"] == ""


def test_what_was_not_learned_is_told_apart(decide):
    """A detour after which a target is learned at all: 45 points say nothing of transfer."""
    rates = {NONE: 0.6, SQUAD: 0.65, (NONE, "pawsx"): 0.05}
    row = decide(rates, ONE)
    assert row.effect == pytest.approx(5, abs=2) and row["with failures"] > 15
    assert row.learned == "4/4 | 3/4" and row.targets == "3 of 4"
    row = decide(rates, ONE, targets=("pawsx",))
    assert row.verdict == "not learned" and np.isnan(row.effect) and row.learned == "1/1 | 0/1"
    assert row["with failures"] > 40


def test_one_unlucky_seed_is_left_out_and_counted(decide):
    rates = {NONE: 0.6, SQUAD: 0.65, (SQUAD, "xnli", 1): 0.02}
    row = decide(rates, ONE, targets=("xnli",), seeds=3)
    assert row.effect == pytest.approx(5, abs=2) and row.learned == "2/3 | 3/3" and row.seeds == 2
    assert row["with failures"] < -10


def test_of_several_in_a_mean_the_learned_ones_stand_for_the_others(decide):
    named = [{SQUAD: 1 / 2, MNLI: 1 / 2, CCG: -1 / 3, QQP: -1 / 3, ANLI: -1 / 3}]
    rates = {SQUAD: 0.6, MNLI: 0.6, QQP: 0.5, ANLI: 0.5, CCG: 0.1}
    row = decide(rates, named)
    assert row.effect == pytest.approx(10, abs=3) and row.learned == "8/8 | 8/12"
    assert row["with failures"] > 15


def test_of_a_difference_of_differences_no_half_is_judged(decide):
    large, large_none, small, small_none = (
        Condition(tasks, encoder=encoder)
        for encoder in ("large", "small")
        for tasks in (("squad",), ())
    )
    whole = {large: 1, large_none: -1, small: -1, small_none: 1}
    rates = {large: 0.8, large_none: 0.5, small: 0.5, small_none: 0.5}
    assert decide(rates, [whole]).verdict == "strong for"
    assert all(reported.without(whole, name) == {} for name in whole)


@given(st.integers(2, 6), st.integers(1, 6), st.data())
def test_what_is_left_of_a_mean_is_a_mean(up, down, data):
    weights = {f"up {number}": 1 / up for number in range(up)} | {
        f"down {number}": -1 / down for number in range(down)
    }
    name = data.draw(st.sampled_from(sorted(weights)))
    left = reported.without(weights, name)
    assert name not in left
    assert (
        not left
        if weights[name] == -1
        else sum(left.values()) == pytest.approx(0) and len(left) == len(weights) - 1
    )


@pytest.mark.parametrize(
    "up, verdict", [(3, "strong for"), (2, "open"), (1, "strong against"), (0, "strong against")]
)
def test_almost_each_must_go_up(decide, up, verdict):
    tasks = (SQUAD, MNLI, QQP)
    rates = {NONE: 0.7} | {
        task: 0.9 if number < up else 0.699 if up == 2 else 0.6 for number, task in enumerate(tasks)
    }
    assert decide(rates, EACH, "each", ("tydiqa",)).verdict == verdict


def test_of_two_single_differences_one_that_goes_up_is_not_each(decide):
    rates = {NONE: 0.6, SQUAD: 0.9, MNLI: 0.599}
    row = decide(rates, EACH[:2], "each", ("tydiqa",))
    assert row.verdict == "open" and row["why open"] == "its differences go both ways"
    assert row["up"] == "1 of 2"


@pytest.mark.parametrize(
    "squad, mnli, qqp, verdict",
    [
        (0.6, 0.6, 0.6, "strong against"),
        (0.42, 0.42, 0.42, "strong for"),
        (0.5, 0.5, 0.5, "strong for"),  # no gain above the margin
        (0.7, 0.45, 0.45, "strong for"),
    ],
)
def test_not_consistently_can_agree_and_is_the_opposite_of_consistently(
    decide, squad, mnli, qqp, verdict
):
    rates = {NONE: 0.5, SQUAD: squad, MNLI: mnli, QQP: qqp}
    opposite = {"strong for": "strong against", "strong against": "strong for"}
    assert decide(rates, EACH, "not each", rows=2000).verdict == verdict
    assert decide(rates, EACH, "each", rows=2000).verdict == opposite[verdict]


def test_a_true_claim_of_no_gain_agrees_and_counts_in_holms_family(decide):
    rates = {NONE: 0.5, SQUAD: 0.5}
    row = decide(rates, ONE, "no gain", training=0.5, rows=2000)
    assert row.verdict == "strong for" and row.p < 0.05
    row = decide(rates, ONE, "no gain", training=0.7, rows=4000, beside=(0.01,) * 12)
    assert row.verdict == "moderate for" and row.p < 0.05 < row["p (Holm)"]
    assert decide({NONE: 0.5, SQUAD: 0.6}, ONE, "no gain").verdict == "strong against"


def test_an_open_question_says_why_and_what_would_settle_it(decide):
    rates = {NONE: 0.6, SQUAD: 0.61}
    row = decide(rates, ONE, training=2.0, rows=4000)
    assert row.verdict == "open" and row["why open"] == "too few seeds"
    assert row["would settle it"].split(" (")[0].endswith(" seeds")
    seeds = int(row["would settle it"].split()[0])
    assert decide(rates, ONE, training=2.0, rows=4000, seeds=seeds).verdict != "open"
    assert decide(rates, ONE, training=2.0, rows=4000, seeds=seeds - 1).verdict == "open"
    rates |= {SQUAD: 0.62}
    for training, rows, said in (
        (0.1, 30, ("too few test rows", "more test rows")),
        (9.0, 30, ("too few seeds", "more test rows, and more seeds")),
        (9.0, 400, ("too few seeds", f"more than {verdicts.SEEDS} seeds")),
    ):
        row = decide(rates, ONE, training=training, rows=rows)
        assert (row["why open"], row["would settle it"]) == said
    row = decide(rates, ONE, training=None)
    assert row.verdict == "open" and row["why open"] == "what another training changes is not known"
    rates = {NONE: 0.6, SQUAD: 0.61, (NONE, "xnli"): 0.1}
    row = decide(rates, ONE, training=2.0, rows=4000)
    assert row["why open"] == "too few seeds; not learned: XNLI"


def test_the_p_of_a_question_is_wrong_in_at_most_5_percent_whatever_is_true():
    """Of rules with two ways to be clear, at the edge of what is true of each: 0 for a gain, the
    margin for none."""
    draw, half = np.random.default_rng(0), 0.6
    for rule, truth, way in (
        ("gain", 0, (0, 1)),
        ("no gain", 1, (0,)),
        ("each", 0, (0,)),
        ("not each", 0, (1,)),
        ("not each", 1, (0,)),
    ):
        wrong = 0
        for value in truth + half * draw.normal(0, 1, 2000):
            found = grades.Estimate(
                value, 0, 0, 9, 1, 1, 2 * float(norm.sf(abs(value) / half)), half, 1e9, {}, True
            )
            compared = differences.Compared(found, 1.0, 0, 0, "", "", "", True)
            single = [dataclasses.replace(found, value=1.0)] * 3
            judged = verdicts.Judged(compared, single, pd.Series(), {}, {}, "", "", (), "")
            wrong += any(verdicts._sides(judged, rule)[side] < 0.05 for side in way)
        assert wrong / 2000 < 0.06, (rule, truth)


def test_a_task_that_was_hardly_learned_itself_is_named(monkeypatch):
    study = profiles.study(missing="dash")
    scores = {"mnli": (70.0, 35.0), "squad": (12.0, 7.0)}

    def dev(run):
        value, baseline = scores[run.tasks[0]]
        return pd.DataFrame(
            [
                {
                    "task": run.tasks[0],
                    "metric": TASKS[run.tasks[0]].metric,
                    "value": value,
                    "baseline": baseline,
                }
            ]
        )

    monkeypatch.setattr(reported.results, "has", lambda run: True)
    monkeypatch.setattr(reported.results, "dev_scores", dev)
    runs = [
        phases.phase3(study, grid.encoder(study, condition, 0), "xnli", 0)
        for condition in (NONE, Condition(("mnli",)), Condition(("squad",)))
    ]
    assert reported.not_taught(runs) == ["SQuAD v1.1 (12.0, without reading 7.0)"]
    together = phases.phase3(study, grid.encoder(study, Condition(("mnli", "squad")), 0), "xnli", 0)
    assert reported.not_taught([runs[0], together]) == []
