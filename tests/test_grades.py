"""The rule of the book errs as seldom as methods.md says: a quick form of benchmarks/grades.py."""

import dataclasses
import math
import re
from pathlib import Path

import made_studies
import numpy as np
import pandas as pd
import pytest
from scipy import stats as scipy_stats

from xstilts.analysis import grades

STUDIES = 120


@pytest.fixture(scope="module")
def nothing():
    """Studies without an effect, three seeds: (estimate, margin) of each."""
    with pytest.MonkeyPatch.context() as patch:
        found = [
            made_studies.study(np.random.default_rng(number), 0.0).compared(patch)
            for number in range(STUDIES)
        ]
    return [(compared.estimate, compared.margin) for compared in found]


def moved(estimate: grades.Estimate, by: float) -> grades.Estimate:
    """The same study, had the task added so many points everywhere."""
    deviation, value = estimate.deviation, estimate.value + by
    p = 2 * scipy_stats.t.sf(abs(value) / deviation, estimate.freedom)
    return dataclasses.replace(estimate, value=value, p=p)


def upper(share: float) -> float:
    """Two standard errors above a share of STUDIES."""
    return share + 2 * math.sqrt(share * (1 - share) / STUDIES)


def test_no_effect_is_graded_strong_or_moderate_in_at_most_5_percent(nothing):
    clear = [grades.grade(found, margin, 0.0) in grades.CLEAR for found, margin in nothing]
    assert np.mean(clear) <= upper(0.05)


def test_intervals_cover_in_93_to_97_percent_and_two_points_are_seen(nothing):
    halves = [found.half() for found, _ in nothing]
    covered = [abs(found.value) <= half for (found, _), half in zip(nothing, halves, strict=True)]
    assert 0.95 - 2 * math.sqrt(0.05 * 0.95 / STUDIES) <= np.mean(covered)
    assert np.mean(halves) < 2
    seen = [moved(found, 2.0) for found, _ in nothing]
    assert np.mean([found.value > 0 and found.p < 0.05 for found in seen]) >= 0.75


def test_with_the_seeds_that_power_names_no_effect_is_found_to_be_none(nothing):
    """Half of them no difference, and a true negative claim agrees in 80 %."""
    typical = nothing[0][0]
    needed = next(seeds for seeds in range(3, 40) if typical.half(seeds / 3, 0.1) < 0.7)
    with pytest.MonkeyPatch.context() as patch:
        seen = made_studies.rates(patch, 40, 0.0, needed)
    assert seen["same"] >= 0.5 - 0.16 and seen["no gain"] >= 0.8 - 0.13


def test_without_what_another_training_changes_nothing_is_graded():
    found = grades.Estimate(5.0, 4.0, 6.0, 100, 1, 1, 1e-6, 0.5, 99, {"rows": 0.25}, False)
    assert grades.grade(found, 1.0) == grades.OPEN


@pytest.mark.parametrize(
    "value, deviation, adjusted, word",
    [
        (5, 1, 0.01, "strong"),
        (5, 1, 0.2, "moderate"),
        (-5, 1, 1.0, "moderate"),
        (0.2, 0.3, 1.0, "no difference"),
        (0.2, 0.9, 1.0, "open"),
        (0.8, 0.2, 0.01, "strong"),  # clear, if small: its interval says so
        (math.nan, math.nan, 1.0, "not learned"),
    ],
)
def test_each_grade(value, deviation, adjusted, word):
    p = 2 * scipy_stats.norm.sf(abs(value) / deviation)
    found = grades.Estimate(value, 0, 0, 9, 1, 1, p, deviation, 1e9, {}, True)
    assert grades.grade(found, 1.0, adjusted) == word and word in grades.GLOSSARY


def test_at_least_so_many_against_a_case_worked_by_hand():
    assert grades.at_least([0.01, 0.02, 0.5], 1) == pytest.approx(0.03)
    assert grades.at_least([0.01, 0.02, 0.5], 2) == pytest.approx(0.04)
    assert grades.at_least([0.01, 0.02, 0.5], 4) == 1


def test_breadth_names_the_part_that_an_effect_is_concentrated_in():
    parts = pd.Series({"xnli": 9.0, "udpos": 0.2, "panx": 0.1, "xquad": -0.3})
    found = grades.breadth(parts)
    assert found["breadth"] == "concentrated in XNLI" and found[
        "without the largest"
    ] == pytest.approx(0)
    assert found["middle"] == pytest.approx(0.15)
    assert grades.breadth(-parts)["breadth"] == "concentrated in XNLI"
    assert grades.breadth(parts + 5)["breadth"] == "broad"


def test_the_page_of_terms_defines_each_grade_as_the_rule_does():
    page = (Path(__file__).parents[1] / "book" / "terms.md").read_text()
    defined = dict(re.findall(r"^(\S[^\n]*)\n  ([^\n]+)\.$", page, re.MULTILINE))
    assert {
        word: defined[word][0].lower() + defined[word][1:] for word in grades.GLOSSARY
    } == grades.GLOSSARY
