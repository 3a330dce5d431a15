"""The plan: what is needed, what is there, and a simulation of the scheduler that can be checked by
hand."""

import dataclasses

import distributed
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import SMALL

from xstilts import chapters
from xstilts import settings as places
from xstilts.chapters import needed
from xstilts.errors import UserError
from xstilts.runs.key import Adapt, Base, Score, key, training
from xstilts.study import costs, graph, phases, profiles
from xstilts.study.workers import cluster
from xstilts.tools import plan
from xstilts.training.recipe import Recipe

RECIPE = Recipe(10, 0, 4, 1e-3, 16, 10)


def encoder(name):
    return Base(name, name)


def adapt(parent, seed):
    return Adapt(parent, ("mnli",), ("en",), RECIPE, seed, ())


def score(parent, target):
    return Score(parent, target, ("en",), RECIPE, 10, "test", 0, ())


def test_a_simulation_worked_by_hand():
    base = encoder("e")
    phase2 = [adapt(base, seed) for seed in (0, 1)]
    scores = [score(parent, target) for parent in phase2 for target in ("xnli", "udpos")]
    todo = [base, *phase2, *scores]
    seconds = {key(run): length for run, length in zip(todo, [10, 20, 30, 5, 5, 5, 5], strict=True)}
    one = plan.simulate(todo, seconds, 1)
    assert (one.wall, one.busy) == (80, 1.0)
    # two workers: base 0-10; the longer chain (30) and the other (20) start at 10; at 30 the first
    # one's scores 5 + 5 on the free worker until 40; at 40 two scores side by side
    two = plan.simulate(todo, seconds, 2)
    assert two.wall == 45 and two.busy == pytest.approx(80 / 90)
    assert two.busy_before_last_wave == pytest.approx((10 + 20 + 30 + 5 + 5) / 80)
    assert plan.simulate(todo, seconds, 64).wall == 45


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(0.1, 100)), min_size=1, max_size=20),
    st.integers(1, 8),
)
def test_no_schedule_beats_its_bounds(shape, workers):
    todo, seconds = [encoder("e")], {}
    for number, (parent, _) in enumerate(shape):
        todo.append(adapt(todo[parent % len(todo)], number))
    seconds = {key(run): length for run, (_, length) in zip(todo, [(0, 1.0), *shape], strict=True)}
    walk = plan.simulate(todo, seconds, workers)
    total, longest = sum(seconds.values()), plan.simulate(todo, seconds, len(todo)).wall
    assert walk.wall >= max(total / workers, longest) - 1e-6
    assert walk.wall <= total / workers + longest + 1e-6  # Graham's bound for list scheduling
    assert 0 < walk.busy <= 1 + 1e-9 and 0 < walk.busy_before_last_wave <= 1 + 1e-9


def test_what_the_store_has_needs_no_time(tiny_encoder):
    study = profiles.study(
        encoder=str(tiny_encoder),
        scheduler="local",
        **SMALL | {"targets": "xnli,tatoeba"},
    )
    before = plan.text(study, "single_task")
    assert "8 runs, 8 to compute" in before and "score xnli" in before and "longest chain" in before
    graph.compute([phases.phase1(study)])
    assert "8 runs, 6 to compute" in plan.text(study, "single_task")
    graph.compute(needed.needed("single_task", study))
    assert "8 runs, 0 to compute" in plan.text(study, "single_task")
    with pytest.raises(UserError, match="unknown chapter 'nine'; known: claims, phase1_encoder"):
        plan.text(study, "nine")


def test_costs_follow_the_arithmetic(tiny_encoder):
    study = profiles.study(encoder=str(tiny_encoder), languages="en", vocabulary="full")
    run = phases.phase2(study, ("mnli",), 0)
    cost, weights = costs.cost(run), costs.layer_weights(str(tiny_encoder))
    assert weights == 2 * (4 * 48 * 48 + 2 * 48 * 96) and cost.steps == 300
    pieces = cost.training / (6 * weights * 300 * 32)
    assert 5 < pieces < 128
    double = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, steps=600))
    assert costs.cost(double).training == 2 * cost.training
    assert (
        costs.layer_weights("e5-small:6")
        == costs.layer_weights("e5-small") / 2
        == 6 * 12 * 384 * 384
    )
    plain, mixed, exact = (
        costs.memory(
            phases.phase2(
                profiles.study(vocabulary="full", precision=precision),
                ("mnli",),
                0,
                mlm_share=share,
            )
        )
        for precision, share in (("bf16", 0.0), ("bf16", 0.5), ("fp32", 0.0))
    )
    assert (
        1e9 < plain < mixed == exact
    )  # activations of twice the size, or as many holes between them
    assert costs.cost(phases.base(study)) == costs.Cost(0, 0.0, 0.0)


def test_every_chapter_of_the_book_is_planned():
    from xstilts.book import build

    assert list(needed.RUNS) == list(chapters.NAMES) == build.chapters(places.project())


@pytest.mark.parametrize(
    "target", ["lareqa", "tydiqa", "bucc"]
)  # pairs of texts; no English test rows; no training
def test_every_shape_of_task_has_a_cost_on_real_rows(target, realdata, tiny_encoder):
    study = profiles.study(
        "small", encoder=str(tiny_encoder), data=str(realdata), phase1_steps=0, phase3_steps=2
    )
    run = phases.phase3(study, phases.base(study), target, 0)
    cost, before = costs.cost(run), training(run)
    assert cost.evaluation > 0 == cost.training and (before is None) == (target == "bucc")
    trained = costs.cost(before) if before else None
    assert not trained or min(trained.training, trained.steps, trained.evaluation) > 0


@pytest.mark.parametrize(
    "scheduler, gpus, each, workers",
    [
        ("processes", 0, 1, 4),
        ("processes", 2, 1, 2),
        ("dask", 2, 1, 2),
        ("local", 2, 1, 1),
        ("processes:3", 2, 1, 3),
        ("processes", 8, 1, 5),
        ("processes", 0, 20, 3),
        ("dask", 0, 20, 3),
        ("processes:5", 0, 20, 5),
        ("processes", 0, 100, 1),
        ("processes", 2, 20, 2),
    ],
)
def test_processes_are_one_a_core_that_has_room_or_one_a_gpu(
    monkeypatch, scheduler, gpus, each, workers
):
    monkeypatch.setattr(cluster.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(cluster.torch.cuda, "device_count", lambda: gpus)
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    monkeypatch.setattr(distributed.system, "MEMORY_LIMIT", 64e9)
    monkeypatch.setattr(cluster.costs, "memory", lambda run: run * 1e9)
    assert plan._workers(scheduler, [1, 1, each, 1, 1]) == (workers, "")


@pytest.mark.parametrize(
    "scheduler, workers, threads",
    [
        ("processes:3", 3, 1),
        ("processes", 2, 1),
        ("local", 1, 7),
        ("dask:tcp://elsewhere:8786", 1, 7),
        ("processes:99", 8, 1),
    ],
)
def test_the_plan_is_for_the_workers_that_were_asked_for(
    tiny_encoder, monkeypatch, scheduler, workers, threads
):
    asked = []
    monkeypatch.setattr(
        plan, "measured", lambda study, *how: asked.append(how) or plan.Speed(1.0, 0.1, 1e-9, 1e-9)
    )
    monkeypatch.setattr(cluster.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(plan.torch, "get_num_threads", lambda: 7)
    monkeypatch.setattr(plan.torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    study = profiles.study(
        encoder=str(tiny_encoder),
        intermediates="mnli",
        targets="xnli,tatoeba",
        languages="en,fi",
        vocabulary="full",
        scheduler=scheduler,
    )
    text = plan.text(study, "single_task")
    assert asked == [(threads, workers)] and f"here, on {workers} worker(s)" in text  # of 8 runs
    assert ("How many workers tcp://elsewhere:8786 has" in text) == scheduler.startswith("dask")
