"""How fast this machine is at the study's runs: a few steps of its own encoder are timed at two
lengths.

    speed = measured(study, threads=1, workers=2);  speed.seconds(run)

A step costs so much whatever its length, and so much for each operation: two lengths give both. On
a busy machine timings vary, and a difference of two of them can be anything. So each is the median
of several, of one thread in CPU seconds, and where the two lengths can't be told apart, or what
comes out is no figure of any machine, figures are assumed and the plan says so."""

from __future__ import annotations

import logging
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from xstilts import encoders
from xstilts.encoders import vocabulary
from xstilts.errors import UserError
from xstilts.runs.key import Run, key
from xstilts.study import costs
from xstilts.study.profiles import Study
from xstilts.study.workers import processes
from xstilts.tasks.kinds import Feature, pieces
from xstilts.tasks.table import TASKS
from xstilts.training import evaluate, loop
from xstilts.training.recipe import Recipe

ASSUMED_CORE, ASSUMED_CORE_STEP = 100e9, 0.1
ASSUMED_RUN = 60.0  # seconds to begin and end a run
SANE = 1e7, 2e15  # operations a second: of a phone's core, and of the fastest accelerator
LONGEST = 600.0  # seconds a step, and to load an encoder
STEPS = 4  # of a training, of which there are one or two of each length; the first is not counted
ENOUGH = 5.0  # seconds of the wall, after which timings that are there must do
# operations a step on a core: about a second; of half as many the two lengths are hard to tell
# apart
WORK = 1e11
ALIKE = 3.0  # how far an operation in training and one in evaluation can be apart


@dataclass(frozen=True)
class Speed:
    """Seconds: a run, an optimiser step, an operation in training and in evaluation."""

    run: float
    step: float
    training: float
    evaluation: float
    assumed: str = ""  # why nothing was measured
    share: float = 1.0  # of a core that the one thread had while it was timed

    def seconds(self, run: Run) -> float:
        cost = costs.cost(run)
        return (
            self.run
            + cost.steps * self.step
            + cost.training * self.training
            + cost.evaluation * self.evaluation
        )

    def of(self, todo: Sequence[Run]) -> dict[str, float]:
        """key -> seconds of each run."""
        return {key(run): self.seconds(run) for run in todo}


def measured(study: Study, threads: int, workers: int = 1) -> Speed:
    """Trains the study's encoder on random pieces for some seconds: in as many processes side by
    side as will do runs, because they share the machine's memory and caches."""
    if workers == 1:
        return _measured(study, threads)
    with processes.pool(workers) as pool:
        speeds = list(pool.map(_measured, [study] * workers, [threads] * workers))
    speeds = [speed for speed in speeds if not speed.assumed] or speeds[:1]
    middle = {
        name: statistics.median(getattr(speed, name) for speed in speeds)
        for name in ("run", "step", "training", "evaluation")
    }
    return Speed(
        **middle,
        assumed=speeds[0].assumed,
        share=min(speed.share for speed in speeds),
    )


def _clock(threads: int) -> Callable[[], float]:
    """CPU seconds of one thread, which other programs don't lengthen; of several threads or a GPU,
    those of the wall."""
    return time.process_time if threads == 1 and loop.device().type == "cpu" else time.perf_counter


def _measured(study: Study, threads: int) -> Speed:
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it tells of every try
    on_cores, clock = loop.device().type == "cpu", _clock(threads)
    try:
        begun = clock()
        model, tokenizer = encoders.load(study.encoder)
    except UserError:
        return Speed(
            ASSUMED_RUN,
            costs.ASSUMED_STEP,
            1 / costs.ASSUMED,
            1 / costs.ASSUMED,
            f"{study.encoder} is out of reach",
        )
    with tempfile.TemporaryDirectory() as folder:
        encoders.save(model, tokenizer, Path(folder))
    run, weights = clock() - begun, costs.layer_weights(study.encoder)
    run = run if 0 < run < LONGEST else ASSUMED_RUN
    lengths = (16, 64) if on_cores else (64, 256)
    rows = min(32, max(2, int(WORK / (6 * weights * lengths[1])))) if on_cores else 32
    before, wall, cpu = torch.get_num_threads(), time.perf_counter(), time.process_time()
    torch.set_num_threads(threads)
    try:
        points = []
        for length in lengths:
            features = _random(length, len(tokenizer), rows * STEPS)
            with vocabulary.only(model, pieces(tokenizer, features)):
                points.append(
                    (
                        6 * weights * length * rows,
                        _steps(model, tokenizer, features, length, study, rows, clock),
                    )
                )
        evaluation = pace(
            [
                (
                    2 * weights * lengths[1] * rows * 2,
                    _evaluations(model, tokenizer, features[: 2 * rows], study, clock),
                )
            ]
        )
    finally:
        torch.set_num_threads(before)
    share = (
        (time.process_time() - cpu) / (time.perf_counter() - wall)
        if clock == time.process_time
        else 1.0
    )
    training = pace(points)
    if not training or not evaluation or not 1 / ALIKE < training[1] / evaluation[1] < ALIKE:
        step, each = (
            (ASSUMED_CORE_STEP, 1 / ASSUMED_CORE / threads)
            if on_cores
            else (costs.ASSUMED_STEP, 1 / costs.ASSUMED)
        )
        return Speed(
            run, step, each, each, "timings here vary too much (other programs may be at work)"
        )
    return Speed(run, *training, evaluation[1], share=min(1.0, share))


def pace(points: Sequence[tuple[float, Sequence[float]]]) -> tuple[float, float] | None:
    """Seconds a step and an operation, by the timings of steps of one size or two: (operations,
    seconds of each). None where the timings can't tell: too few, two sizes as good as alike, or
    figures of no machine."""
    some = [(work, sorted(times)) for work, times in points]
    if any(
        len(times) < 3 or not all(0 < seconds < LONGEST for seconds in times) for _, times in some
    ):
        return None
    (work, times), step = some[-1], 0.0
    middle = statistics.median(times)
    each = middle / work
    if len(some) > 1:
        less, few = some[0]
        # three quarters of the long steps took longer than two thirds of the short ones
        if times[len(times) // 4] <= few[2 * (len(few) - 1) // 3]:
            return None
        slope = (middle - statistics.median(few)) / (work - less)
        step = middle - slope * work
        if (
            step < -statistics.median(few) / 2
        ):  # far more than in proportion: another program came in between
            return None
        each, step = (slope, step) if step >= 0 else (each, 0.0)
    return (step, each) if math.isfinite(each) and SANE[0] <= 1 / each <= SANE[1] else None


def _random(length: int, vocabulary_size: int, rows: int) -> list[Feature]:
    draw = torch.Generator().manual_seed(0)
    return [
        Feature(
            row,
            [torch.randint(5, min(vocabulary_size, 5000), (length,), generator=draw).tolist()],
            row % 3,
        )
        for row in range(rows)
    ]


def _steps(
    model,
    tokenizer,
    features: list[Feature],
    length: int,
    study: Study,
    rows: int,
    clock: Callable[[], float],
) -> list[float]:
    """Seconds of steps, the first of each training left out: of a second training only where the
    first one was quick."""
    recipe = Recipe(
        STEPS,
        0,
        rows,
        1e-6,
        length,
        0,
        precision=study.precision,
        dropout=study.dropout,
        evaluate_every=1,
    )
    found, begun = [], time.monotonic()
    for _ in range(2):
        ticks: list[float] = []
        loop.train(
            model,
            tokenizer,
            {"mnli": features},
            recipe,
            0,
            lambda entry: None,
            partial(_tick, ticks, clock),
        )
        found += [after - before for before, after in zip(ticks[1:], ticks[2:], strict=False)]
        if time.monotonic() - begun > ENOUGH:
            break
    return found


def _tick(ticks: list[float], clock: Callable[[], float], heads: object) -> float:
    """Stands in for scores on dev rows: notes the time."""
    ticks.append(clock())
    return 0.0


def _evaluations(
    model, tokenizer, features: list[Feature], study: Study, clock: Callable[[], float]
) -> list[float]:
    """Seconds of each of three evaluations, after one that is not counted."""
    head = loop.draw_heads(model, ["mnli"], loop.device())["mnli"]
    recipe, ticks = Recipe(1, 0, 32, 0.0, features[0].length, 0, precision=study.precision), []
    for _ in range(5):
        ticks.append(clock())
        evaluate.predict(model, head, TASKS["mnli"], features, tokenizer, recipe)
    return [after - before for before, after in zip(ticks[1:], ticks[2:], strict=False)]
