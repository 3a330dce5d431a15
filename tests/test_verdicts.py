"""A verdict follows its rule, and no single condition or target carries it."""

import dataclasses

import numpy as np
import pandas as pd
import pretended
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts.analysis import differences, verdicts
from xstilts.runs import records, results
from xstilts.runs.key import Base
from xstilts.study import profiles
from xstilts.tasks.table import TASKS

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
    monkeypatch.setattr(
        differences.repeats, "variance", lambda study: None
    )  # intervals over rows alone

    def decided(
        rates: dict,
        every: list | dict,
        rule: str = "gain",
        targets: tuple[str, ...] = TARGETS,
        seeds: int = 1,
    ) -> pd.Series:
        every = every if isinstance(every, dict) else dict.fromkeys(targets, every)
        draw = np.random.default_rng(0)
        ease = {target: draw.random(ROWS) for target in targets}
        names = list(
            dict.fromkeys(name for some in every.values() for weights in some for name in weights)
        )
        found = {
            (name, target, seed): Base(f"{name} {target} {seed}", "")
            for name in names
            for target in targets
            for seed in range(seeds)
        }
        part = pd.DataFrame(
            [
                {
                    "condition": name,
                    "target": target,
                    "seed": seed,
                    "language": language,
                    "layer": -1,
                    "metric": TASKS[target].metric,
                    "numerator": (ease[target] < rates.get((name, target), rates[name])) * 1.0,
                    "denominator": np.ones(ROWS),
                }
                for name, target, seed in found
                for language in ("en", "fi")
            ]
        )
        monkeypatch.setattr(
            results,
            "scores",
            lambda cells: pretended.scores(
                part[
                    [
                        cell in cells
                        for cell in zip(part.condition, part.target, part.seed, strict=True)
                    ]
                ]
            ),
        )
        several = dataclasses.replace(study, seeds=tuple(range(seeds)))
        return verdicts.decide(several, [verdicts.Question(every, found, part, rule)]).iloc[0]

    return decided


ONE = [{"squad": 1, "none": -1}]
EACH = [{name: 1, "none": -1} for name in ("squad", "mnli", "qqp")]


def test_a_gain_on_every_target_agrees(decide):
    row = decide({"none": 0.5, "squad": 0.6}, ONE)
    assert (
        row.verdict == "agrees"
        and row["carried by"] == ""
        and row.effect == pytest.approx(10, abs=3)
    )
    assert decide({"none": 0.5, "squad": 0.6}, ONE, targets=("xnli",))["one left out"] == ""


def test_one_target_cannot_carry_a_verdict(decide):
    rates = {"none": 0.5, "squad": 0.5, ("squad", "tydiqa"): 0.95}
    row = decide(rates, ONE)
    assert row["p (Holm)"] < 0.001 and row.effect > 5
    assert row.verdict == "can't tell" and row["carried by"] == "TyDiQA-GoldP"
    assert row["one left out"] == "0.0 without TyDiQA-GoldP"
    assert decide(rates, ONE, targets=("tydiqa",)).verdict == "agrees"  # asked of it alone


def test_targets_may_ask_for_different_conditions_and_count_alike(decide):
    rates = {"none": 0.5, "squad": 0.7, "mnli": 0.5, "qqp": 0.5}
    row = decide(
        rates,
        {"xnli": EACH, "pawsx": EACH, "tydiqa": EACH[:1]},
        targets=("xnli", "pawsx", "tydiqa"),
    )
    assert row.effect == pytest.approx((20 / 3 + 20 / 3 + 20) / 3, abs=2)
    assert row.differences == "3 of 3" and row.targets == "3 of 3" and row["so far"] == ""
    assert row.verdict == "can't tell" and row["carried by"] == "SQuAD v1.1"
    rates |= {"mnli": 0.7, "qqp": 0.7}
    assert (
        decide(
            rates,
            {"xnli": EACH, "pawsx": EACH, "tydiqa": EACH[:1]},
            targets=("xnli", "pawsx", "tydiqa"),
        ).verdict
        == "agrees"
    )


def test_one_condition_cannot_carry_a_verdict(decide):
    row = decide({"none": 0.5, "squad": 0.2, "mnli": 0.5, "qqp": 0.5}, EACH)
    assert row.verdict == "can't tell" and row["carried by"] == "SQuAD v1.1" and row.effect < -5
    row = decide({"none": 0.5, "squad": 0.2, "mnli": 0.4, "qqp": 0.4}, EACH)
    assert row.verdict == "disagrees" and row["carried by"] == ""
    left, _, name = row["one left out"].partition(" without ")
    assert name == "SQuAD v1.1" and row.effect < float(left) == pytest.approx(-10, abs=3)


def test_trainings_near_chance_cannot_carry_a_verdict_with_one_seed(decide):
    rates = {"none": 0.5, "squad": 0.05}  # of a chance of 0
    row = decide(rates, ONE, targets=("pawsx",))
    assert (
        row.effect < -40
        and row.verdict == "can't tell"
        and row["carried by"] == "trainings near chance"
    )
    row = decide(rates, ONE, targets=("pawsx",), seeds=2)
    assert row.verdict == "disagrees" and row["carried by"] == "", "two draws are no bad draw"
    row = decide({"none": 0.5, "squad": 0.3, ("squad", "pawsx"): 0.05}, ONE)
    assert row.verdict == "disagrees" and row["carried by"] == "", "the other targets say the same"
    row = decide(
        {"none": 0.5, "squad": 0.5, ("squad", "pawsx"): 0.05, ("squad", "xnli"): 0.05}, ONE
    )
    assert row.verdict == "can't tell" and row["carried by"] == "trainings near chance", (
        "no single target carries it, both do"
    )


def test_one_of_several_in_a_mean_cannot_carry_it(decide):
    named = [{"squad": 1 / 2, "mnli": 1 / 2, "ccg": -1 / 3, "qqp": -1 / 3, "anli": -1 / 3}]
    rates = {"squad": 0.5, "mnli": 0.5, "qqp": 0.5, "anli": 0.5, "ccg": 0.1}
    row = decide(rates, named)
    assert row.effect > 10 and row.verdict == "can't tell" and row["carried by"] == "CCG"
    assert decide(rates | {"qqp": 0.3, "anli": 0.3}, named).verdict == "agrees"


def test_of_a_difference_of_differences_no_half_is_judged(decide):
    whole = {"large squad": 1, "large none": -1, "small squad": -1, "small none": 1}
    rates = {"large squad": 0.8, "large none": 0.5, "small squad": 0.5, "small none": 0.5}
    assert decide(rates, [whole]).verdict == "agrees"
    assert all(verdicts._without(whole, name) == {} for name in whole)


@given(st.integers(2, 6), st.integers(1, 6), st.data())
def test_what_is_left_of_a_mean_is_a_mean(up, down, data):
    weights = {f"up {number}": 1 / up for number in range(up)} | {
        f"down {number}": -1 / down for number in range(down)
    }
    name = data.draw(st.sampled_from(sorted(weights)))
    left = verdicts._without(weights, name)
    assert name not in left
    assert (
        not left
        if weights[name] == -1
        else sum(left.values()) == pytest.approx(0) and len(left) == len(weights) - 1
    )


def test_both_sides_of_one_difference_are_named_once(decide):
    pairs = [
        {f"{name} in {way}": sign for way, sign in (("fi", 1), ("en", -1))}
        for name in ("squad", "mnli")
    ]
    rates = {"squad in fi": 0.8, "squad in en": 0.5, "mnli in fi": 0.5, "mnli in en": 0.5}
    assert decide(rates, pairs)["carried by"] == "SQuAD v1.1 in fi"


def test_no_gain_is_carried_by_what_hides_a_gain(decide):
    rates = {"none": 0.5, "squad": 0.6, ("squad", "xnli"): 0.1}
    row = decide(rates, ONE, "no gain")
    assert (
        row.high < verdicts.MARGIN and row.verdict == "can't tell" and row["carried by"] == "XNLI"
    )
    assert row["one left out"].startswith("+") and row["one left out"].endswith(" without XNLI"), (
        "towards a gain"
    )
    assert decide({"none": 0.5, "squad": 0.4}, ONE, "no gain").verdict == "agrees"


@pytest.mark.parametrize(
    "up, verdict", [(3, "agrees"), (2, "agrees"), (1, "can't tell"), (0, "disagrees")]
)
def test_almost_each_must_go_up(decide, up, verdict):
    tasks = ("squad", "mnli", "qqp")
    rates = {"none": 0.5} | {
        task: 0.9 if number < up else 0.45 for number, task in enumerate(tasks)
    }
    assert decide(rates, EACH, "each", ("tydiqa",)).verdict == verdict


@pytest.mark.parametrize(
    "squad, mnli, qqp, verdict",
    [
        (0.6, 0.6, 0.6, "disagrees"),
        (0.4, 0.4, 0.4, "agrees"),
        (0.5, 0.5, 0.5, "can't tell"),
        (0.95, 0.47, 0.47, "agrees"),
    ],
)
def test_not_consistently_is_the_opposite_of_consistently(decide, squad, mnli, qqp, verdict):
    rates = {"none": 0.5, "squad": squad, "mnli": mnli, "qqp": qqp}
    row = decide(rates, EACH, "not each")
    opposite = {"agrees": "disagrees", "disagrees": "agrees"}
    assert decide(rates, EACH, "each").verdict in (
        opposite.get(row.verdict, row.verdict),
        "can't tell",
    )
    assert row.verdict == verdict or row["carried by"]
    assert (
        row["go up"] == f"{sum(rate > 0.5 for rate in (squad, mnli, qqp))} of 3"
        or verdict == "can't tell"
    )
