"""Intervals: they cover what they should, pairing helps, and a difference to itself is nothing."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from xstilts.analysis import grades, repeats, stats
from xstilts.chapters import explain
from xstilts.study import profiles
from xstilts.study.conditions import NONE
from xstilts.tasks.table import TASKS


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


def training(variance: float, freedom: float, shared: float = 0.0) -> stats.Training:
    """The same of all targets, and none of it by chance on the test rows."""
    return stats.Training(lambda target, languages: (variance, 0.0, freedom), shared)


def test_a_95_percent_interval_covers_in_about_95_percent_of_cases():
    draw, hits = np.random.default_rng(1), 0
    for _ in range(200):
        estimate = stats.score(examples({NONE: draw.random(150) < 0.7}), NONE, "xnli")
        hits += estimate.low <= 70 <= estimate.high
    assert 0.90 <= hits / 200 <= 0.985  # 200 draws: two standard errors are 3 points


def test_a_difference_is_paired():
    draw = np.random.default_rng(0)
    base = draw.random(300) < 0.5
    better = base.copy()
    better[np.flatnonzero(~base)[:15]] = True  # the same answers, and 15 of 300 more
    found = stats.difference(examples({NONE: base, "mnli": better}), "mnli", "xnli")
    assert found.value == pytest.approx(5.0) and found.clear
    unpaired = stats.score(examples({NONE: base}), NONE, "xnli")
    assert found.high - found.low < (unpaired.high - unpaired.low) / 2


def test_a_condition_against_itself_is_exactly_nothing():
    table = examples({NONE: np.random.default_rng(0).random((2, 50)) < 0.5})
    found = stats.difference(table, NONE, "xnli")
    assert (found.value, found.low, found.high, found.clear) == (0, 0, 0, False)
    assert (found.n, found.seeds, found.languages) == (50, 2, 1)


def test_languages_weigh_the_same_whatever_their_size():
    table = pd.concat([examples({NONE: np.ones(10)}, "de"), examples({NONE: np.zeros(1000)}, "fi")])
    assert stats.score(table, NONE, "xnli").value == 50


def test_several_metrics_are_not_mixed():
    table = examples({NONE: np.ones(4)})
    with pytest.raises(ValueError, match="one metric at one layer"):
        stats.score(pd.concat([table, table.assign(metric="F1")]), NONE, "xnli")


def crossed(better: np.ndarray, base: np.ndarray, places=None, over_languages=False):
    """[places, seeds, n] right or wrong of two conditions -> the estimate of their difference.
    places: (target, language); else of one target. What trainings vary is known from the seeds."""
    places = places or [("xnli", str(number)) for number in range(len(better))]
    rows = [
        {
            "condition": name,
            "target": target,
            "language": language,
            "metric": "accuracy",
            "layer": -1,
            "seed": seed,
            "numerator": row.astype(float),
            "denominator": np.ones(len(row)),
        }
        for name, right in (("mnli", better), (NONE, base))
        for (target, language), part in zip(places, right, strict=True)
        for seed, row in enumerate(part)
    ]
    groups = [
        repeats.Group(
            "xnli",
            (None,) * len(part),
            {"": 100 * part.mean(1)},
            {"": (part.astype(float), np.ones(part.shape), np.arange(part.shape[1]))},
        )
        for right in (better, base)
        for part in right
        if len(part) > 1
    ]
    known = repeats.training(groups) if groups else None
    training = known and stats.Training(lambda target, languages: known.of("xnli", [""]))
    weights = dict.fromkeys([target for target, _ in places], {"mnli": 1, NONE: -1})
    return stats.mean(pd.DataFrame(rows), weights, over_languages=over_languages, training=training)


def coverage(cases: int, truth: float, simulate, over_languages=False, places=None) -> float:
    """How often the interval of the difference between the two conditions that `simulate` makes
    holds the truth."""
    hits = 0
    for case in range(cases):
        base, better = simulate(np.random.default_rng(case))
        found = crossed(better, base, places, over_languages)
        hits += found.low <= truth <= found.high
    return hits / cases


@pytest.mark.parametrize("seeds, between", [(1, 0.0), (3, 0.03), (3, 0.1)])
def test_a_paired_difference_covers_in_93_to_97_percent_of_cases(seeds, between):
    """Hard examples are hard for both conditions; the trainings of both are `between` off by
    chance. The true gain is 10 points."""

    def simulate(draw):
        ease = 0.5 + draw.uniform(-0.3, 0.3, 120)
        return [
            draw.random((1, seeds, 120)) < ease + gain + off
            for gain in (0.0, 0.1)
            for off in [draw.normal(0, between / 2**0.5, (1, seeds, 1))]
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
            for name, gain in ((NONE, 0), ("mnli", 0.1))
        }
        repeats = (float(np.mean((100 * draw.normal(0, 0.03 * 2**0.5, 20)) ** 2) / 2), 20)
        found = stats.difference(
            examples(right), "mnli", "xnli", training=training(*repeats) if known else None
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
        *((pair, {"mnli": 1, NONE: -1}, 2 * (2 / 2 + 3 / 2) ** 2) for pair in SHARED),
        *((pair, {"mnli": 1, NONE: -1}, 2 * (2**2 + 3**2) / 4) for pair in NOT_SHARED),
        # none is the encoder as it is: nothing was trained
        (("bucc", "tatoeba"), {"mnli": 1, NONE: -1}, (2 / 2 + 3 / 2) ** 2),
        (
            ("xquad", "mlqa", "tydiqa"),
            {"mnli": 0.5, NONE: 0.5, "squad": -1},
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
        examples({name: np.full(20, name != NONE) for name in weights}, target=target)
        for target in targets
    )
    found = stats.contrast(
        table,
        weights,
        targets,
        training=stats.Training(lambda target, languages: (deviation[target] ** 2, 0, 1e9)),
    )
    half = scipy_stats.norm.ppf(0.975) * variance**0.5
    assert (found.value - found.low, found.high - found.value) == pytest.approx((half, half))


def test_a_training_is_shared_within_a_condition_only():
    """XQuAD after one task and MLQA after another, each less none: none alone is in both."""
    table = pd.concat(
        examples(
            {name: np.full(20, name != NONE) for name in ("squad", "mnli", NONE)}, target=target
        )
        for target in ("xquad", "mlqa")
    )
    found = stats.mean(
        table,
        {"xquad": {"squad": 1, NONE: -1}, "mlqa": {"mnli": 1, NONE: -1}},
        training=training(4.0, 1e9),
    )
    assert found.high - found.value == pytest.approx(
        scipy_stats.norm.ppf(0.975) * (4 * (1 / 4 + 1 / 4 + 1)) ** 0.5
    )


@pytest.mark.parametrize("targets", [("xquad", "mlqa"), ("xquad", "tydiqa")])
def test_a_training_that_is_tested_twice_covers_in_93_to_97_percent_of_cases(targets):
    """As with one target; XQuAD and MLQA are given the same draw of each training, XQuAD and TyDiQA
    one each."""

    def case(draw):
        off = {
            name: np.broadcast_to(draw.normal(0, 0.03, 1 if targets[1] == "mlqa" else 2), 2)
            for name in (NONE, "mnli")
        }
        table = pd.concat(
            examples(
                {
                    name: draw.random(300) < 0.5 + gain + off[name][number]
                    for name, gain in ((NONE, 0), ("mnli", 0.1))
                },
                target=target,
            )
            for number, target in enumerate(targets)
        )
        known = float(np.mean((100 * draw.normal(0, 0.03 * 2**0.5, 20)) ** 2) / 2), 20
        found = stats.contrast(table, {"mnli": 1, NONE: -1}, targets, training=training(*known))
        return found.low <= 10 <= found.high

    assert 0.93 <= np.mean([case(np.random.default_rng(number)) for number in range(400)]) <= 0.97


def test_a_second_seed_makes_an_interval_narrower():
    """What is known of other trainings is not thrown away for one degree of freedom."""
    right = {
        name: np.random.default_rng(len(str(name))).random((2, 400)) < 0.5
        for name in (NONE, "mnli")
    }
    one, two = (
        stats.difference(
            examples({name: some[:seeds] for name, some in right.items()}),
            "mnli",
            "xnli",
            training=training(6.0, 12),
        )
        for seeds in (1, 2)
    )
    assert (two.high - two.low) < 0.8 * (one.high - one.low)


@pytest.mark.parametrize("nones", [1, 3, 6])
def test_conditions_may_have_different_numbers_of_seeds(nones):
    """What the trainings of both sides add is their variance by their numbers, all seeds in."""
    table = examples({NONE: np.ones((nones, 20)), "mnli": np.zeros((2, 20))})
    found = stats.difference(table, "mnli", "xnli", training=training(4.0, 1e9))
    assert found.high - found.value == pytest.approx(1.96 * (4 / nones + 4 / 2) ** 0.5, rel=1e-3)
    assert found.seeds == min(nones, 2)


def test_what_phase_2_gives_to_all_of_its_targets_adds_up():
    """Fully shared, the task's part of nine targets' mean is that of one; none has no phase 2."""
    targets = ("xnli", "pawsx", "udpos", "panx")
    table = pd.concat(
        examples({name: np.full(20, name != NONE) for name in ("mnli", NONE)}, target=target)
        for target in targets
    )
    weights = {"mnli": 1, NONE: -1}
    own, shared = (
        stats.contrast(table, weights, targets, training=training(4.0, 1e9, share))
        for share in (0.0, 1.0)
    )
    assert own.deviation**2 == pytest.approx(2 * 4 / 4)
    assert shared.deviation**2 == pytest.approx(4 / 4 + 4)


def test_rows_of_a_paragraph_are_drawn_together():
    """Four questions of a paragraph that are right or wrong together are one question."""
    right = np.repeat(np.random.default_rng(0).random(50) < 0.5, 4)
    table = examples({NONE: right})
    alone = stats.score(table, NONE, "xnli")
    whole = stats.score(table.assign(unit=[np.repeat(range(50), 4)]), NONE, "xnli")
    assert whole.deviation == pytest.approx(2 * alone.deviation, rel=0.02)


def test_the_variance_over_rows_is_what_resamples_come_to():
    """In units, of a ratio of sums, over parallel languages."""
    draw = np.random.default_rng(0)
    below, unit = draw.integers(1, 9, (2, 3, 60)), np.arange(60) // 3
    above = below * (draw.random((2, 3, 60)) < np.repeat(draw.random(20), 3))
    table = pd.DataFrame(
        [
            {
                "condition": (NONE, "mnli")[one],
                "target": "udpos",
                "language": "def"[two],
                "metric": "F1",
                "layer": -1,
                "seed": 0,
                "numerator": above[one, two].astype(float),
                "denominator": below[one, two].astype(float),
                "unit": unit,
            }
            for one in range(2)
            for two in range(3)
        ]
    )
    drawn = []
    for _ in range(2000):
        rows = (3 * draw.integers(0, 20, 20)[:, None] + np.arange(3)).ravel()
        scores = 100 * above[..., rows].sum(-1) / below[..., rows].sum(-1)
        drawn.append((scores[1] - scores[0]).mean())
    found = stats.difference(table, "mnli", "udpos")
    assert found.deviation == pytest.approx(np.std(drawn), rel=0.06)


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
        (list(TASKS)[-target - 1], str(language))
        for target, some in enumerate(languages)
        for language in some
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
    none, values = np.zeros((4, 4)), np.array([1.0, 3, 12, 18])
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
        examples({name: draw.random(50) < 0.5 for name in ("mnli", "squad", NONE)}).assign(
            target=target
        )
        for target in ("xnli", "pawsx")
    )
    weights = {"xnli": {"mnli": 1, NONE: -1}, "pawsx": {"mnli": 0.5, "squad": 0.5, NONE: -1}}
    found = stats.mean(table, weights, training=training(4.0, 3))
    alone = [
        stats.contrast(table, some, target, training=training(4.0, 3))
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
    assert grades.holm([0.01, 0.04, np.nan, 0.03]) == pytest.approx(
        [0.03, 0.06, np.nan, 0.06], nan_ok=True
    )
    assert list(grades.holm([0.9, 0.8])) == [1, 1] and len(grades.holm([])) == 0


def test_many_cells_of_nothing_seldom_raise_an_alarm():
    draw, alarms = np.random.default_rng(4), 0
    for _ in range(150):
        ps = [
            crossed(draw.random((1, 1, 80)) < 0.5, draw.random((1, 1, 80)) < 0.5).p
            for _ in range(10)
        ]
        alarms += min(grades.holm(ps)) < 0.05
    assert alarms <= 16  # of 150; without the correction about 60


def test_a_correlation_needs_four_pairs_and_some_spread():
    assert np.isnan(explain.correlation([1, 2, 3], [1, 2, 3]).value)
    assert np.isnan(explain.correlation([1] * 5, range(5)).value)
    found = explain.correlation([1, 2, 3, 4, 5], [1, 2, 3, 5, 4])
    assert found.value == pytest.approx(0.9) and found.low < 0.9 < found.high <= 1


def test_words_say_what_is_known_of_another_training(monkeypatch):
    study = profiles.study(seeds=(0, 1, 2))
    assert repeats.words(study, 2).startswith(
        "There are 2 seeds. Intervals speak of other test rows"
    )
    groups = [
        repeats.Group(target, (None,) * 2, {"en": np.array([0.0, 2.0 * off])}, {})
        for target, off in (("xnli", 3), ("udpos", 1))
    ]
    monkeypatch.setattr(repeats, "_groups", lambda study: groups)
    monkeypatch.setattr(repeats, "variance", lambda study: repeats.training(groups))
    words = repeats.words(dataclasses.replace(study, seeds=(0,)))
    assert words.startswith("There is one seed. Intervals include what another training changes")
    assert "from 4 trainings" in words and "(UDPOS) to" in words and "(XNLI)" in words


def test_one_unlucky_training_does_not_make_the_variance():
    draw = np.random.default_rng(0)
    good = [draw.normal(0, 1, 3) for _ in range(8)]
    plain = repeats._pooled([part - part.mean() for part in good])[0]
    good[0][0] -= 35
    one = repeats._pooled([part - part.mean() for part in good])[0]
    assert plain < one < 6 * plain


def test_each_target_has_a_variance_of_its_own_and_an_unknown_one_that_of_a_typical_target():
    draw = np.random.default_rng(0)
    deviations = {"xnli": 2.5, "udpos": 0.4, "panx": 1.5, "xquad": 1.7}
    groups = [
        repeats.Group(target, (None,) * 3, {"en": draw.normal(70, deviation, 3)}, {})
        for target, deviation in deviations.items()
        for _ in range(8)
    ]
    known = repeats.training(groups)
    for target, deviation in deviations.items():
        whole, _, freedom = known.of(target, ["en"])
        assert whole**0.5 == pytest.approx(deviation, rel=0.35) and 16 <= freedom <= 64
    whole, _, freedom = known.of("tydiqa", ["en"])
    assert 0.4 < whole**0.5 < 2.5 and freedom < 16, "less is known of what was never seen twice"


def test_what_phase_2_shares_is_seen_in_trainings_that_share_it():
    draw = np.random.default_rng(0)
    for share in (0.0, 0.8):
        groups = []
        for condition in range(12):
            common = draw.normal(0, 1, 3)
            for target in ("xnli", "udpos", "panx", "xquad"):
                off = share**0.5 * common + (1 - share) ** 0.5 * draw.normal(0, 1, 3)
                phase2 = tuple((condition, seed) for seed in range(3))
                groups.append(repeats.Group(target, phase2, {"en": 70 + off}, {}))
        assert repeats.training(groups).shared == pytest.approx(share, abs=0.2)
