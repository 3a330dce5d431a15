"""Intervals: they cover what they should, pairing helps, and a difference to itself is nothing."""
import numpy as np
import pandas as pd
import pytest

from xstilts import stats


def examples(scores: dict[str, np.ndarray], language="de") -> pd.DataFrame:
    """condition -> [seeds, n] right or wrong"""
    return pd.concat([pd.DataFrame({"condition": condition, "target": "xnli", "language": language, "metric": "accuracy",
                                    "layer": -1, "seed": seed, "example": range(len(row)), "numerator": row,
                                    "denominator": 1.0})
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
