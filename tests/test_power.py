"""`xstilts power`: what more seeds would tell, from what is known."""

import dataclasses

import numpy as np
import pytest
from made_records import artifact

from xstilts.analysis import differences, repeats, stats, wording
from xstilts.chapters import verdicts
from xstilts.errors import UserError
from xstilts.questions import mlm_continuation
from xstilts.runs import store
from xstilts.study import phases, profiles
from xstilts.study.conditions import NONE, Condition
from xstilts.tools import power


@pytest.fixture
def study(monkeypatch):
    """A chapter with all of its runs, whose trainings are known to be 3 points off."""
    study = profiles.study(languages="en,fi", targets="udpos,tatoeba", missing="dash")
    for number, run in enumerate(mlm_continuation.compared(study).wanted.values()):
        artifact(store.default_root(), run, number, n=400)
    known = stats.Training(lambda target, languages: (9.0, 0.0, 50.0), 0.2)
    monkeypatch.setattr(repeats, "variance", lambda study: known)
    monkeypatch.setattr(power.verdicts.reported, "failed", lambda study, table: set())
    return study


def test_more_seeds_make_an_interval_as_narrow_as_power_says(study):
    (row,) = power.table(study, "mlm_continuation").to_dict("records")
    assert row["seeds"] == "1" and float(row["half-width"]) > 1
    assert row["for ±2"].endswith(" more") or row["for ±2"] == "more test rows"
    assert row["question"] in power.text(power.table(study, "mlm_continuation"))


def test_a_chapter_without_questions_is_refused(study):
    with pytest.raises(UserError, match="has no claims or hypotheses; these have: claims, "):
        power.table(study, "costs")


def test_where_nothing_was_trained_twice_power_has_nothing_to_go_by(study, monkeypatch):
    monkeypatch.setattr(repeats, "variance", lambda study: None)
    (row,) = power.table(study, "mlm_continuation").to_dict("records")
    assert row["half-width"] == "–"


def test_no_seeds_are_planned_for_what_is_not_trained(study, monkeypatch):
    """Retrieval with the encoder as it ships: another seed is the same run."""
    known = stats.Training(lambda target, languages: (100.0, 0.0, 50.0))
    monkeypatch.setattr(repeats, "variance", lambda study: known)
    squad = Condition(("squad",))
    cells = phases.single_tasks(dataclasses.replace(study, targets=("tatoeba",)))
    found = {cell: run for cell, run in cells.items() if cell[0] in (NONE, squad)}
    for number, run in enumerate(found.values()):
        artifact(store.default_root(), run, number, n=400)
    part = differences.examples(study, found)
    every = {"tatoeba": [{squad: 1, NONE: -1}]}
    planned = power.halved(study, verdicts.judge(study, verdicts.Question(every, found, part)))
    assert "SQuAD v1.1" in planned and wording.title(NONE) not in planned


def test_hours_have_the_training_of_a_target_once(study):
    """XQuAD and MLQA are one training, which took 7.5 seconds; scoring them took no time."""
    study = dataclasses.replace(study, targets=("xquad", "mlqa"))
    runs = [run for cell, run in phases.single_tasks(study).items() if cell[0] == NONE]
    for run in runs:
        artifact(store.default_root(), run)
    assert len(runs) == 2 and 3600 * verdicts.hours(runs) == pytest.approx(7.5, abs=3)
    assert verdicts.hours(runs) == verdicts.hours([*runs, *runs])


def test_the_half_width_falls_with_the_seeds_to_what_the_rows_leave():
    found = power.verdicts.grades.Estimate(
        0, 0, 0, 9, 1, 1, 1, 5**0.5, 1e9, {"rows": 1.0, "xnli": 4.0}, True
    )
    assert found.half(4) == pytest.approx(1.96 * 2**0.5, rel=1e-3)
    assert found.half(1e9) == pytest.approx(1.96, rel=1e-3) and np.isfinite(found.half(0.5))
