"""Intervals: they cover what they should, pairing helps, and a difference to itself is nothing."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from xstilts.analysis import repeats, stats
from xstilts.study import profiles


def examples(scores: dict[str, np.ndarray], language="de", target="xnli") -> pd.DataFrame:
    """condition -> [seeds, n] right or wrong"""
    return pd.DataFrame(
        [
            {
                "condition": condition,
                "target": target,
                "language": language,
                "metric": "accuracy",
                "layer": -1,
                "seed": seed,
                "numerator": row.astype(float),
                "denominator": np.ones(len(row)),
            }
            for condition, array in scores.items()
            for seed, row in enumerate(np.atleast_2d(array))
        ]
    )


def test_a_95_percent_interval_covers_in_about_95_percent_of_cases():
    draw, hits = np.random.default_rng(1), 0
    for _ in range(200):
        estimate = stats.score(examples({"none": draw.random(150) < 0.7}), "none", "xnli")
        hits += estimate.low <= 70 <= estimate.high
    assert 0.90 <= hits / 200 <= 0.985  # 200 draws: two standard errors are 3 points


def test_a_difference_is_paired():
    draw = np.random.default_rng(0)
    base = draw.random(300) < 0.5
    better = base.copy()
    better[np.flatnonzero(~base)[:15]] = True  # the same answers, and 15 of 300 more
    found = stats.difference(
        examples({"none": base, "mnli": better}), "mnli", "xnli", reference="none"
    )
    assert found.value == pytest.approx(5.0) and found.clear
    unpaired = stats.score(examples({"none": base}), "none", "xnli")
    assert found.high - found.low < (unpaired.high - unpaired.low) / 2


def test_a_condition_against_itself_is_exactly_nothing():
    table = examples({"none": np.random.default_rng(0).random((2, 50)) < 0.5})
    found = stats.difference(table, "none", "xnli", reference="none")
    assert (found.value, found.low, found.high, found.clear) == (0, 0, 0, False)
    assert (found.n, found.seeds, found.languages) == (50, 2, 1)


def test_languages_weigh_the_same_whatever_their_size():
    table = pd.concat(
        [examples({"none": np.ones(10)}, "de"), examples({"none": np.zeros(1000)}, "fi")]
    )
    assert stats.score(table, "none", "xnli").value == 50


def test_several_metrics_are_not_mixed():
    table = examples({"none": np.ones(4)})
    with pytest.raises(ValueError, match="one metric at one layer"):
        stats.score(pd.concat([table, table.assign(metric="F1")]), "none", "xnli")


def crossed(right: np.ndarray, places=None) -> dict[tuple[str, str], np.ndarray]:
    """right: [places, seeds, n] right or wrong -> what intervals are made from. places: (target,
    language); else of one target"""
    places = places or [("", str(number)) for number in range(len(right))]
    return {
        place: np.stack([part, np.ones_like(part)], -1)
        for place, part in zip(places, right.astype(float), strict=True)
    }


def coverage(cases: int, truth: float, simulate, over_languages=False, places=None) -> float:
    """How often the interval of the difference between the two conditions that `simulate` makes
    holds the truth."""
    hits = 0
    for case in range(cases):
        base, better = simulate(np.random.default_rng(case))
        found = stats._estimate(
            [(1, crossed(better, places)), (-1, crossed(base, places))], over_languages
        )
        hits += found.low <= truth <= found.high
    return hits / cases


@pytest.mark.parametrize("seeds, between", [(1, 0.0), (3, 0.03), (3, 0.1)])
def test_a_paired_difference_covers_in_93_to_97_percent_of_cases(seeds, between):
    """Hard examples are hard for both conditions; each training's gain is `between` off the true
    one of 10 points."""

    def simulate(draw):
        ease = 0.5 + draw.uniform(-0.3, 0.3, 120)
        return [
            draw.random((1, seeds, 120)) < ease + gain
            for gain in (0.0, 0.1 + draw.normal(0, between, (1, seeds, 1)))
        ]

    # of 600: two standard errors are under 2 points; where few seeds differ little, the interval is
    # on the safe side
    assert 0.93 <= coverage(600, 10, simulate) <= (0.99 if between == 0.03 else 0.975)


def test_one_training_covers_too_where_repeats_tell_what_another_varies():
    """A gain of 10 points, two trainings that are each 3 points off by chance, known from as many
    repeats as the book has."""

    def case(draw, known):
        ease = 0.5 + draw.uniform(-0.3, 0.3, 300)
        right = {
            name: draw.random(300) < ease + gain + draw.normal(0, 0.03)
            for name, gain in (("none", 0), ("mnli", 0.1))
        }
        repeats = (float(np.mean((100 * draw.normal(0, 0.03 * 2**0.5, 20)) ** 2) / 2), 20)
        found = stats.difference(
            examples(right),
            "mnli",
            "xnli",
            reference="none",
            training=known and (lambda target, languages: repeats),
        )
        return found.low <= 10 <= found.high

    assert (
        0.93
        <= np.mean([case(np.random.default_rng(number), True) for number in range(600)])
        <= 0.975
    )
    assert np.mean([case(np.random.default_rng(number), False) for number in range(300)]) < 0.85


SHARED = [
    ("xquad", "mlqa"),
    ("xnli", "afrixnli"),
    ("panx", "masakhaner"),
    ("udpos", "masakhapos"),
    ("bucc", "tatoeba"),
]
NOT_SHARED = [
    ("xquad", "tydiqa"),
    ("xquad", "lareqa"),
    ("panx", "udpos"),
    ("xnli", "pawsx"),
]  # LAReQA: another head


@pytest.mark.parametrize(
    "targets, weights, variance",
    [
        *((pair, {"mnli": 1, "none": -1}, 2 * (2 / 2 + 3 / 2) ** 2) for pair in SHARED),
        *((pair, {"mnli": 1, "none": -1}, 2 * (2**2 + 3**2) / 4) for pair in NOT_SHARED),
        (
            ("xquad", "mlqa", "tydiqa"),
            {"mnli": 0.5, "none": 0.5, "squad": -1},
            1.5 * ((2 + 3) ** 2 + 1) / 9,
        ),
    ],
)
def test_deviations_of_a_training_that_is_tested_twice_add_up_before_they_are_squared(
    targets, weights, variance
):
    """Test rows vary nothing here, and what trainings vary is known of each target: what remains is
    the formula."""
    deviation = dict(zip(targets, (2.0, 3.0, 1.0), strict=False))
    table = pd.concat(
        examples({name: np.full(20, name != "none") for name in weights}, target=target)
        for target in targets
    )
    found = stats.contrast(
        table, weights, targets, training=lambda target, languages: (deviation[target] ** 2, 20)
    )
    half = scipy_stats.t.ppf(0.975, 20) * variance**0.5
    assert (found.value - found.low, found.high - found.value) == pytest.approx((half, half))


def test_a_training_is_shared_within_a_condition_only():
    """XQuAD after one task and MLQA after another, each less none: none alone is in both."""
    table = pd.concat(
        examples(
            {name: np.full(20, name != "none") for name in ("squad", "mnli", "none")}, target=target
        )
        for target in ("xquad", "mlqa")
    )
    found = stats.mean(
        table,
        {"xquad": {"squad": 1, "none": -1}, "mlqa": {"mnli": 1, "none": -1}},
        training=lambda *_: (4.0, 20),
    )
    assert found.high - found.value == pytest.approx(
        scipy_stats.t.ppf(0.975, 20) * (4 * (1 / 4 + 1 / 4 + 1)) ** 0.5
    )


@pytest.mark.parametrize("targets", [("xquad", "mlqa"), ("xquad", "tydiqa")])
def test_a_training_that_is_tested_twice_covers_in_93_to_97_percent_of_cases(targets):
    """As with one target; XQuAD and MLQA are given the same draw of each training, XQuAD and TyDiQA
    one each."""

    def case(draw):
        off = {
            name: np.broadcast_to(draw.normal(0, 0.03, 1 if targets[1] == "mlqa" else 2), 2)
            for name in ("none", "mnli")
        }
        table = pd.concat(
            examples(
                {
                    name: draw.random(300) < 0.5 + gain + off[name][number]
                    for name, gain in (("none", 0), ("mnli", 0.1))
                },
                target=target,
            )
            for number, target in enumerate(targets)
        )
        known = float(np.mean((100 * draw.normal(0, 0.03 * 2**0.5, 20)) ** 2) / 2), 20
        found = stats.contrast(table, {"mnli": 1, "none": -1}, targets, training=lambda *_: known)
        return found.low <= 10 <= found.high

    assert 0.93 <= np.mean([case(np.random.default_rng(number)) for number in range(400)]) <= 0.97


def test_several_seeds_speak_for_themselves():
    table = examples(
        {name: np.random.default_rng(len(name)).random((3, 50)) < 0.5 for name in ("none", "mnli")}
    )
    plain, told = (
        stats.difference(table, "mnli", "xnli", reference="none", training=known)
        for known in (None, lambda *_: (100.0, 5))
    )
    assert told == plain


def test_over_languages_covers_in_93_to_97_percent_of_cases():
    """Languages gain 5 points on average and differ by 8 in how much: an interval over examples
    alone is far too sure."""

    def simulate(draw):
        return [
            draw.random((8, 1, 60)) < 0.6 + gain
            for gain in (0.0, draw.normal(0.05, 0.08, (8, 1, 1)))
        ]

    assert 0.93 <= coverage(600, 5, simulate, over_languages=True) <= 0.975
    assert coverage(300, 5, simulate) < 0.9


ALL = range(15)


@pytest.mark.parametrize(
    "languages, own",
    [
        ([ALL] * 7, 0.0),
        ([ALL] * 3, 0.05),  # own: what a language gains in one target alone
        ([ALL, range(7), range(4, 13), range(10, 15)], 0.0),
        ([ALL, range(7), range(4, 13), range(10, 15)], 0.05),
    ],
)
def test_targets_that_share_languages_cover_in_93_to_97_percent_of_cases(languages, own):
    """A language gains as much more or less in all targets: fifteen languages were drawn, not so
    many of each target."""
    places = [
        (str(target), str(language)) for target, some in enumerate(languages) for language in some
    ]
    of = [language for some in languages for language in some]

    def simulate(draw):
        gain = 0.05 + draw.normal(0, 0.08, 15)[of] + draw.normal(0, own, len(of))
        return [
            draw.random((len(of), 1, 60)) < 0.5 + more[:, None, None]
            for more in (np.zeros(len(of)), gain)
        ]

    assert 0.93 <= coverage(400, 5, simulate, True, places) <= 0.97


def test_what_languages_vary_against_cases_worked_by_hand():
    """Of two targets a language counts once; of one it is the variance of the values by their
    number. One language is none."""
    none, values = np.zeros((10, 4)), np.array([1.0, 3, 12, 18])
    assert stats._between(values, none, [*"abab"], [*"xxyy"]) == pytest.approx(
        (4, 4, 1)
    )  # the languages' means: 6.5 and 10.5
    assert stats._between(values, none, [*"abcd"], [*"xxxx"]) == pytest.approx(
        (values.var(ddof=1) / 4,) * 2 + (3,)
    )
    assert stats._between(values, none, [*"abcd"], [*"xxyy"]) == pytest.approx(
        ((2 / 2 + 18 / 2) / 4,) * 2 + (2,)
    )
    assert stats._between(values, none, [*"aaaa"], [*"wxyz"]) is None


def test_an_interaction_is_a_difference_of_differences():
    draw = np.random.default_rng(0)
    table = examples(
        {
            name: draw.random(50) < 0.5
            for name in ("large mnli", "large none", "small mnli", "small none")
        }
    )
    found = stats.contrast(
        table, {"large mnli": 1, "large none": -1, "small mnli": -1, "small none": 1}, "xnli"
    )
    alone = [
        stats.difference(table, f"{size} mnli", "xnli", reference=f"{size} none").value
        for size in ("large", "small")
    ]
    assert (
        found.value == pytest.approx(alone[0] - alone[1]) and found.low < found.value < found.high
    )


def test_targets_may_have_their_own_weights():
    draw = np.random.default_rng(0)
    table = pd.concat(
        examples({name: draw.random(50) < 0.5 for name in ("mnli", "squad", "none")}).assign(
            target=target
        )
        for target in ("xnli", "pawsx")
    )
    weights = {"xnli": {"mnli": 1, "none": -1}, "pawsx": {"mnli": 0.5, "squad": 0.5, "none": -1}}
    found = stats.mean(table, weights, training=lambda target, places: (4.0, 3))
    alone = [
        stats.contrast(table, some, target, training=lambda target, places: (4.0, 3))
        for target, some in weights.items()
    ]
    assert (
        found.value == pytest.approx(sum(part.value for part in alone) / 2)
        and found.low < found.value < found.high
    )
    assert stats.mean(table, dict.fromkeys(weights, weights["xnli"])) == stats.contrast(
        table, weights["xnli"], list(weights)
    )


def test_holm_against_a_case_worked_by_hand():
    assert stats.holm([0.01, 0.04, np.nan, 0.03]) == pytest.approx(
        [0.03, 0.06, np.nan, 0.06], nan_ok=True
    )
    assert list(stats.holm([0.9, 0.8])) == [1, 1] and len(stats.holm([])) == 0


def test_many_cells_of_nothing_seldom_raise_an_alarm():
    draw, alarms = np.random.default_rng(4), 0
    for _ in range(150):
        ps = [
            stats._estimate(
                [
                    (1, crossed(draw.random((1, 1, 80)) < 0.5)),
                    (-1, crossed(draw.random((1, 1, 80)) < 0.5)),
                ],
                False,
            ).p
            for _ in range(10)
        ]
        alarms += min(stats.holm(ps)) < 0.05
    assert alarms <= 16  # of 150; without the correction about 60


def test_a_correlation_needs_four_pairs_and_some_spread():
    assert np.isnan(stats.correlation([1, 2, 3], [1, 2, 3]).value)
    assert np.isnan(stats.correlation([1] * 5, range(5)).value)
    found = stats.correlation([1, 2, 3, 4, 5], [1, 2, 3, 5, 4])
    assert found.value == pytest.approx(0.9) and found.low < 0.9 < found.high <= 1


def test_words_name_the_seeds_that_are_really_there():
    study = profiles.study(seeds=(0, 1, 2))
    assert repeats.words(study, 3) == repeats.words(study) == "Intervals include what 3 seeds vary."
    assert repeats.words(study, 2) == "Intervals include what 2 seeds vary."
    assert repeats.words(study, 1) == repeats.words(dataclasses.replace(study, seeds=(0,)))
    assert repeats.words(study, 1).startswith("There is one seed")
