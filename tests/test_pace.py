"""The pace of a machine: right figures from noisy timings, or none; never a negative or an absurd
one."""

import dataclasses
import itertools
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xstilts.study import costs, profiles
from xstilts.tools import pace, plan
from xstilts.tools.pace import SANE

WORK = (2.5e10, 1e11)  # operations of a short and of a long step


def sane(speed):
    assert speed.run > 0 and speed.step >= 0 and 0 < speed.share <= 1
    for each in (speed.training, speed.evaluation):
        assert SANE[0] <= 1 / each <= SANE[1]


seconds = st.one_of(
    st.floats(),
    st.floats(-10, 10),
    st.floats(1e-3, 10),
    st.sampled_from([0.0, -0.0, 1e-300, 1e300]),
)


@settings(max_examples=500)
@given(st.lists(seconds, max_size=8), st.lists(seconds, max_size=8))
@example([0.2] * 7, [0.2] * 7)
@example([0.5, 0.6, 0.7], [0.1, 0.2, 0.3])
def test_whatever_the_timings_are_the_figures_are_those_of_a_machine_or_none(few, many):
    for points in ([(WORK[0], few), (WORK[1], many)], [(WORK[1], many)]):
        found = pace.pace(points)
        assert found is None or found[0] >= 0 and SANE[0] <= 1 / found[1] <= SANE[1]


@settings(max_examples=200)
@given(st.floats(1e9, 1e13), st.floats(0, 0.5), st.integers(0, 10**6))
def test_another_programs_bursts_do_not_move_what_is_measured(rate, step, seed):
    """Two of six steps take up to a hundred times as long, the others vary by 3 %."""
    draw = random.Random(seed)

    def timed(work):
        true = step + work / rate
        return [
            true * draw.uniform(1, 1.03) * (draw.uniform(2, 100) if number in (1, 4) else 1)
            for number in range(6)
        ]

    points = [(work, timed(work)) for work in WORK]
    apart = (
        (WORK[1] - WORK[0]) / rate / (step + WORK[1] / rate)
    )  # share of the long step that tells them apart
    if any(seconds >= pace.LONGEST for _, times in points for seconds in times) or apart < 0.3:
        return
    found = pace.pace(points)
    assert (
        found
        and 1 / found[1] == pytest.approx(rate, rel=0.25)
        and found[0] == pytest.approx(step, abs=0.15 * (step + WORK[1] / rate))
    )


def test_the_arithmetic_by_hand():
    assert pace.pace([(100e9, [1.1] * 3), (400e9, [4.1] * 3)]) == pytest.approx((0.1, 1e-11))
    assert pace.pace([(400e9, [4.0, 5.0, 90.0])]) == pytest.approx((0.0, 5 / 400e9))
    assert pace.pace([(100e9, [1.0] * 3), (400e9, [4.3] * 3)]) == pytest.approx(
        (0.0, 4.3 / 400e9)
    )  # a little more than in proportion
    assert pace.pace([(100e9, [1.0] * 3), (400e9, [9.0] * 3)]) is None  # far more
    assert pace.pace([(100e9, [1.0, 2.0, 2.0]), (400e9, [1.5, 2.6, 2.7])]) is None  # they overlap
    assert (
        pace.pace([(100e9, [1.0] * 2), (400e9, [4.0] * 2)]) is None
        and pace.pace([(1e3, [1.0] * 3)]) is None
    )


def clocks():
    draw = random.Random(0)
    runs = itertools.count()
    yield "stands still", lambda: 5.0
    yield "runs backwards", lambda: -float(next(runs))
    yield "every look a second", lambda: float(next(runs))
    yield "any time", lambda: draw.uniform(-1e6, 1e6)
    yield "in bursts", lambda: next(runs) + draw.choice([0, 0, 50])
    yield "faster and faster", lambda: 1.5 ** (next(runs) % 600)
    yield "no number", lambda: float("nan")


@pytest.fixture
def study(tiny_encoder):
    return profiles.study(
        encoder=str(tiny_encoder),
        intermediates="mnli",
        targets="xnli",
        languages="en,fi",
        vocabulary="full",
        phase2_steps=5,
        phase3_steps=5,
        phase1_steps=5,
        eval_rows=10,
        scheduler="local",
    )


@pytest.mark.parametrize(
    "name, clock", [*clocks()], ids=lambda value: value if isinstance(value, str) else ""
)
def test_no_clock_makes_a_plan_of_negative_or_absurd_figures(name, clock, study, monkeypatch):
    monkeypatch.setattr(pace, "_clock", lambda threads: clock)
    speed = pace.measured(study, 1)
    sane(speed)
    monkeypatch.setattr(plan, "measured", lambda *how: speed)
    text = plan.text(study, "single_task")
    assert (
        "-"
        not in text.replace("-", "", text.count(str(study.encoder)) * str(study.encoder).count("-"))
        and "nan" not in text
    )
    assert all(value > 0 for value in speed.of(plan.needed.needed("single_task", study)).values())
    assert ("could not be measured, as timings here vary too much" in text) == bool(speed.assumed)
    assert bool(speed.assumed) or name not in (
        "stands still",
        "runs backwards",
        "every look a second",
        "any time",
        "no number",
    )


@pytest.mark.parametrize("slower, measured", [(1, True), (2, True), (5, False)])
def test_an_evaluation_that_does_not_go_with_the_training_is_refused(
    slower, measured, study, monkeypatch
):
    monkeypatch.setattr(
        pace,
        "_steps",
        lambda model, tokenizer, features, length, study, rows, clock: [0.02 * length] * 3,
    )
    weights, rows = costs.layer_weights(study.encoder), 32
    each = 0.02 / (6 * weights * rows)
    monkeypatch.setattr(
        pace, "_evaluations", lambda *how: [slower * each * 2 * weights * 64 * 2 * rows] * 3
    )
    monkeypatch.setattr(pace, "SANE", (1, 1e15))
    assert bool(pace.measured(study, 1).assumed) != measured


def test_what_is_measured_is_said_with_its_threads_and_what_is_assumed_with_its_reason(study):
    speed = pace.measured(study, 1)
    sane(speed)
    here = pace.Speed(1.0, 0.1, 1 / 182e9, 1 / 142e9, share=0.3)
    assert plan._said(here, study, 1, 2) == (
        "are measured here: 182 GFLOP/s in training, 142 GFLOP/s in evaluation, 2 runs side by "
        "side, 1 thread each. While it was measured "
        "other programs were at work, and a run had 30% of a core; if they stay, all takes 3.3 "
        "times as long"
    )
    assert plan._said(dataclasses.replace(here, share=0.9), study, 4, 1).endswith(
        "in evaluation, 1 run side by side, 4 threads each"
    )
    far = dataclasses.replace(study, encoder="xlmr-xl")
    assert plan._said(
        pace.Speed(60.0, 0.04, 1e-14, 1e-14, "xlmr-xl is out of reach"), far, 1, 1
    ) == (
        "could not be measured, as xlmr-xl is out of reach; assumed are 100 TFLOP/s, 40 ms a "
        "step and 60 s a run"
    )


def test_several_processes_agree_on_the_middle_and_leave_out_who_could_not_measure(
    study, monkeypatch
):
    speeds = [
        pace.Speed(1.0, 0.1, 1e-11, 1e-11),
        pace.Speed(9.0, 0.9, 1e-8, 1e-8, "timings here vary too much"),
        pace.Speed(2.0, 0.3, 3e-11, 2e-11, share=0.4),
        pace.Speed(3.0, 0.2, 2e-11, 3e-11),
    ]

    class Pool:
        def __init__(self, *how):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *why):
            pass

        def map(self, *what):
            return speeds

    monkeypatch.setattr(pace.processes, "pool", Pool)
    assert pace.measured(study, 1, 4) == pace.Speed(2.0, 0.2, 2e-11, 2e-11, share=0.4)
    speeds[:] = [speeds[1]] * 4
    assert pace.measured(study, 1, 4) == speeds[0]


def test_an_encoder_of_any_size_is_timed_in_short_steps(study, monkeypatch):
    """The embedded encoder has 21 million weights in its layers, XLM-R Large 302 million."""
    for weights, most in ((21e6, 1.3), (302e6, 3), (3e9, 30)):
        asked = []
        monkeypatch.setattr(costs, "layer_weights", lambda name, weights=weights: weights)
        monkeypatch.setattr(
            pace,
            "_steps",
            lambda model, tokenizer, features, length, study, rows, clock, asked=asked: (
                asked.append((length, rows)) or [1.0]
            ),
        )
        monkeypatch.setattr(pace, "_evaluations", lambda *how: [1.0])
        pace.measured(study, 1)
        assert sum(6 * weights * length * rows for length, rows in asked) < most * pace.WORK
