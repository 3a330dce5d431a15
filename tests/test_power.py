"""`xstilts power`: what more seeds would tell, from what is known."""

import numpy as np
import pytest
from made_records import artifact

from xstilts.analysis import repeats, stats
from xstilts.errors import UserError
from xstilts.runs import store
from xstilts.study import conditions, profiles
from xstilts.tools import power


@pytest.fixture
def study(monkeypatch):
    """A chapter with all of its runs, whose trainings are known to be 3 points off."""
    study = profiles.study(languages="en,fi", targets="udpos,tatoeba", missing="dash")
    for number, run in enumerate(conditions.mlm_continuation(study).wanted.values()):
        artifact(store.default_root(), run, number, n=400)
    known = stats.Training(lambda target, languages: (9.0, 0.0, 50.0), 0.2)
    monkeypatch.setattr(repeats, "variance", lambda study: known)
    monkeypatch.setattr(power.verdicts.reported, "failed", lambda study, table: set())
    return study


def test_more_seeds_make_an_interval_as_narrow_as_power_says(study):
    (row,) = power.table(study, "mlm_continuation").to_dict("records")
    assert row["seeds"] == "1" and float(row["half-width"]) > 1
    assert "h more" in row["for ±2"] or row["for ±2"] == "more test rows"
    assert row["question"] in power.text(power.table(study, "mlm_continuation"))


def test_a_chapter_without_questions_is_refused(study):
    with pytest.raises(UserError, match="has no claims or hypotheses; these have: claims, "):
        power.table(study, "costs")


def test_where_nothing_was_trained_twice_power_has_nothing_to_go_by(study, monkeypatch):
    monkeypatch.setattr(repeats, "variance", lambda study: None)
    (row,) = power.table(study, "mlm_continuation").to_dict("records")
    assert row["half-width"] == "–"


def test_the_half_width_falls_with_the_seeds_to_what_the_rows_leave():
    found = power.verdicts.grades.Estimate(
        0, 0, 0, 9, 1, 1, 1, 5**0.5, 1e9, {"rows": 1.0, "xnli": 4.0}, True
    )
    assert found.half(4) == pytest.approx(1.96 * 2**0.5, rel=1e-3)
    assert found.half(1e9) == pytest.approx(1.96, rel=1e-3) and np.isfinite(found.half(0.5))
