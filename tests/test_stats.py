"""Intervals: they cover what they should, pairing helps, and a difference to itself is nothing."""
import numpy as np
import pandas as pd
import pytest

from xstilts import stats


def examples(scores: dict[str, np.ndarray], language="de") -> pd.DataFrame:
    """condition -> [seeds, n] right or wrong"""
    return pd.DataFrame([{"condition": condition, "target": "xnli", "language": language, "metric": "accuracy", "layer": -1,
                          "seed": seed, "numerator": row.astype(float), "denominator": np.ones(len(row))}
                         for condition, array in scores.items() for seed, row in enumerate(np.atleast_2d(array))])


def test_a_95_percent_interval_covers_in_about_95_percent_of_cases():
    draw, hits = np.random.default_rng(1), 0
    for _ in range(200):
        estimate = stats.score(examples({"none": draw.random(150) < 0.7}), "none", "xnli")
        hits += estimate.low <= 70 <= estimate.high
    assert 0.90 <= hits / 200 <= 0.985     # 200 draws: two standard errors are 3 points


def test_a_difference_is_paired():
    draw = np.random.default_rng(0)
    base = draw.random(300) < 0.5
    better = base.copy()
    better[np.flatnonzero(~base)[:15]] = True       # the same answers, and 15 of 300 more
    found = stats.difference(examples({"none": base, "mnli": better}), "mnli", "xnli")
    assert found.value == pytest.approx(5.0) and found.clear
    unpaired = stats.score(examples({"none": base}), "none", "xnli")
    assert found.high - found.low < (unpaired.high - unpaired.low) / 2


def test_a_condition_against_itself_is_exactly_nothing():
    table = examples({"none": np.random.default_rng(0).random((2, 50)) < 0.5})
    found = stats.difference(table, "none", "xnli")
    assert (found.value, found.low, found.high, found.clear) == (0, 0, 0, False)
    assert (found.n, found.seeds, found.languages) == (50, 2, 1)


def test_languages_weigh_the_same_whatever_their_size():
    table = pd.concat([examples({"none": np.ones(10)}, "de"), examples({"none": np.zeros(1000)}, "fi")])
    assert stats.score(table, "none", "xnli").value == 50


def test_several_metrics_are_not_mixed():
    table = examples({"none": np.ones(4)})
    with pytest.raises(ValueError, match="one metric at one layer"):
        stats.score(pd.concat([table, table.assign(metric="F1")]), "none", "xnli")


def crossed(right: np.ndarray) -> dict[str, np.ndarray]:
    """right: [languages, seeds, n] right or wrong -> what intervals are computed from"""
    return {str(number): np.stack([part, np.ones_like(part)], -1) for number, part in enumerate(right.astype(float))}


def coverage(cases: int, truth: float, simulate, over_languages=False) -> float:
    """How often the interval of the difference between the two conditions that `simulate` makes holds the truth."""
    hits = 0
    for case in range(cases):
        base, better = simulate(np.random.default_rng(case))
        found = stats._estimate([(1, crossed(better)), (-1, crossed(base))], over_languages)
        hits += found.low <= truth <= found.high
    return hits / cases


@pytest.mark.parametrize("seeds, between", [(1, 0.0), (3, 0.03), (3, 0.1)])
def test_a_paired_difference_covers_in_93_to_97_percent_of_cases(seeds, between):
    """Hard examples are hard for both conditions; each training's gain is `between` off the true one of 10 points."""
    def simulate(draw):
        ease = 0.5 + draw.uniform(-0.3, 0.3, 120)
        return [draw.random((1, seeds, 120)) < ease + gain for gain in (0.0, 0.1 + draw.normal(0, between, (1, seeds, 1)))]

    # of 600: two standard errors are under 2 points; where few seeds differ little, the interval is on the safe side
    assert 0.93 <= coverage(600, 10, simulate) <= (0.99 if between == 0.03 else 0.975)


def test_one_training_covers_too_where_repeats_tell_what_another_varies():
    """A gain of 10 points, two trainings that are each 3 points off by chance, known from as many repeats as the book has."""
    def case(draw, known):
        ease = 0.5 + draw.uniform(-0.3, 0.3, 300)
        right = {name: draw.random(300) < ease + gain + draw.normal(0, 0.03) for name, gain in (("none", 0), ("mnli", 0.1))}
        repeats = (float(np.mean((100 * draw.normal(0, 0.03 * 2 ** 0.5, 20)) ** 2) / 2), 20)
        found = stats.difference(examples(right), "mnli", "xnli", training=known and (lambda target, languages: repeats))
        return found.low <= 10 <= found.high

    assert 0.93 <= np.mean([case(np.random.default_rng(number), True) for number in range(600)]) <= 0.975
    assert np.mean([case(np.random.default_rng(number), False) for number in range(300)]) < 0.85


def test_several_seeds_speak_for_themselves():
    table = examples({name: np.random.default_rng(len(name)).random((3, 50)) < 0.5 for name in ("none", "mnli")})
    plain, told = (stats.difference(table, "mnli", "xnli", training=known) for known in (None, lambda *_: (100.0, 5)))
    assert told == plain


def test_over_languages_covers_in_93_to_97_percent_of_cases():
    """Languages gain 5 points on average and differ by 8 in how much: an interval over examples alone is far too sure."""
    def simulate(draw):
        return [draw.random((8, 1, 60)) < 0.6 + gain for gain in (0.0, draw.normal(0.05, 0.08, (8, 1, 1)))]

    assert 0.93 <= coverage(600, 5, simulate, over_languages=True) <= 0.975
    assert coverage(300, 5, simulate) < 0.9


def test_an_interaction_is_a_difference_of_differences():
    draw = np.random.default_rng(0)
    table = examples({name: draw.random(50) < 0.5 for name in ("large mnli", "large none", "small mnli", "small none")})
    found = stats.contrast(table, {"large mnli": 1, "large none": -1, "small mnli": -1, "small none": 1}, "xnli")
    alone = [stats.difference(table, f"{size} mnli", "xnli", reference=f"{size} none").value for size in ("large", "small")]
    assert found.value == pytest.approx(alone[0] - alone[1]) and found.low < found.value < found.high


def test_targets_may_have_their_own_weights():
    draw = np.random.default_rng(0)
    table = pd.concat(examples({name: draw.random(50) < 0.5 for name in ("mnli", "squad", "none")}).assign(target=target)
                      for target in ("xnli", "pawsx"))
    weights = {"xnli": {"mnli": 1, "none": -1}, "pawsx": {"mnli": 0.5, "squad": 0.5, "none": -1}}
    found = stats.mean(table, weights, training=lambda target, places: (4.0, 3))
    alone = [stats.contrast(table, some, target, training=lambda target, places: (4.0, 3)) for target, some in weights.items()]
    assert found.value == pytest.approx(sum(part.value for part in alone) / 2) and found.low < found.value < found.high
    assert stats.mean(table, dict.fromkeys(weights, weights["xnli"])) == stats.contrast(table, weights["xnli"], list(weights))


def test_holm_against_a_case_worked_by_hand():
    assert stats.holm([0.01, 0.04, np.nan, 0.03]) == pytest.approx([0.03, 0.06, np.nan, 0.06], nan_ok=True)
    assert list(stats.holm([0.9, 0.8])) == [1, 1] and len(stats.holm([])) == 0


def test_many_cells_of_nothing_seldom_raise_an_alarm():
    draw, alarms = np.random.default_rng(4), 0
    for _ in range(150):
        ps = [stats._estimate([(1, crossed(draw.random((1, 1, 80)) < 0.5)), (-1, crossed(draw.random((1, 1, 80)) < 0.5))],
                              False).p for _ in range(10)]
        alarms += min(stats.holm(ps)) < 0.05
    assert alarms <= 16      # of 150; without the correction about 60


def test_a_correlation_needs_four_pairs_and_some_spread():
    assert np.isnan(stats.correlation([1, 2, 3], [1, 2, 3]).value)
    assert np.isnan(stats.correlation([1] * 5, range(5)).value)
    found = stats.correlation([1, 2, 3, 4, 5], [1, 2, 3, 5, 4])
    assert found.value == pytest.approx(0.9) and found.low < 0.9 < found.high <= 1
