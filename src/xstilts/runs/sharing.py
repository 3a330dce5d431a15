"""Runs that share a training: what several runs train alike is trained once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from xstilts.runs.key import Adapt, Run, Score, key
from xstilts.tasks.table import TASKS, training_task


def training(run: Run) -> Hashable:
    """What a training of one task in English depends on: XQuAD's and MLQA's are one, tested twice,
    and XNLI's from an encoder is the one that makes MNLI's from it, where their recipes are the
    same. None of runs without such a training."""
    if isinstance(run, Score) and not TASKS[run.target].untrained:
        intermediate, task = _as_intermediate(run), TASKS[run.target]
    elif (
        isinstance(run, Adapt)
        and run.languages == ("en",)
        and len(run.trained) == 1
        and run.recipe.evaluate_every
    ):
        # without dev scores on the way a target's embeddings are of fewer pieces than an
        # intermediate task's
        intermediate, task = run, TASKS[run.tasks[0]]
    else:
        return None
    return key(intermediate), task.kind, task.name if task.open_labels else task.labels


def alike(run: Run) -> Adapt | None:
    """The intermediate training that is this target's, too, so that its head is the target's. None
    where there can't be one."""
    intermediate = _as_intermediate(run) if isinstance(run, Score) and training(run) else None
    return intermediate if intermediate and training(intermediate) == training(run) else None


def _as_intermediate(run: Score) -> Adapt:
    training = training_task(TASKS[run.target])
    return Adapt(
        run.encoder,
        (training.name,),
        ("en",),
        run.recipe,
        run.seed,
        run.fingerprints[:2],
        run.data,
        scoring=training.scoring,
    )


def together(todo: Iterable[Run]) -> list[list[Run]]:
    """Runs in groups that share a training, in the order of their first ones; in a group the
    encoder comes first, whose head the others take. Most are alone."""
    groups: dict[Hashable, list[Run]] = {}
    for run in todo:
        groups.setdefault(training(run) or key(run), []).append(run)
    return [sorted(group, key=lambda run: isinstance(run, Score)) for group in groups.values()]
