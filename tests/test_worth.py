"""How many rows of the target a detour is worth: the distance between learning curves."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts.analysis.grades import Estimate
from xstilts.chapters.rows_worth import worth

ROWS = (100, 300, 1000, 3000)


def score(value, deviation=0.01):
    return Estimate(value, value - 2 * deviation, value + 2 * deviation, 200, 3, 5, 0.5, deviation)


def curve(*values, deviation=0.01):
    return {rows: score(value, deviation) for rows, value in zip(ROWS, values, strict=True)}


def test_a_detour_that_moves_the_curve_by_a_factor_is_worth_the_rows_between():
    """Scores rise by 10 with the logarithm; 5 points more are the square root of the factor."""
    line = {rows: score(10 * math.log(rows)) for rows in ROWS}
    found = worth(line, score(10 * math.log(300) + 5), 300)
    assert found.rows == pytest.approx(300 * (math.exp(0.5) - 1), rel=1e-6)
    assert found.low < found.rows < found.high and not (found.above or found.below)


def test_no_effect_is_worth_nothing_and_the_interval_holds_that():
    line = curve(40, 50, 60, 65, deviation=1)
    found = worth(line, score(50, 1), 300)
    assert found.rows == pytest.approx(0, abs=1e-6) and found.low < 0 < found.high


def test_more_than_all_rows_give_is_said_to_be_the_least():
    found = worth(curve(40, 50, 60, 65), score(70), 1000)
    assert found.above and found.rows == pytest.approx(2000) and str(found).startswith("≥ +2,000")
    found = worth(curve(40, 50, 60, 65), score(30), 1000)
    assert found.below and found.rows == pytest.approx(-900) and str(found).startswith("≤ -900")


def test_a_curve_that_falls_by_chance_is_levelled():
    found = worth(curve(40, 52, 48, 65), score(50), 300)
    assert found.rows == pytest.approx(0, abs=1e-6)  # where the curve first has it


@pytest.mark.parametrize("line", [{}, {100: score(3)}, {100: score(3), 300: score(math.nan)}])
def test_what_was_not_run_has_no_worth(line):
    assert math.isnan(worth(line, score(5), 100).rows) and str(worth(line, score(5), 100)) == "–"


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.floats(0, 100), min_size=4, max_size=4),
    st.floats(0, 100),
    st.floats(0, 30),
    st.sampled_from(ROWS),
)
def test_a_higher_score_is_never_worth_less(values, reached, more, rows):
    line = curve(*values)
    low, high = (worth(line, score(value), rows) for value in (reached, reached + more))
    assert low.rows <= high.rows + 1e-6
    assert 100 - rows - 1e-6 <= low.rows and high.rows <= 3000 - rows + 1e-6
