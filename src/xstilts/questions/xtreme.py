"""How much is gained over XTREME, if the intermediate task is chosen for each target?

Each task and none, as in the chapter on single tasks, against XTREME's targets; what has no
training is scored on its validation rows, too, where these are others than the test rows:
`selection` chooses on them."""

from __future__ import annotations

from dataclasses import replace

from xstilts import data
from xstilts.runs.key import Score
from xstilts.study import grid, phases
from xstilts.study.conditions import NONE, Comparison, Condition, against
from xstilts.study.hypothesis import Hypothesis, differences
from xstilts.study.profiles import Study
from xstilts.tasks import benchmarks
from xstilts.tasks.table import TASKS


def compared(study: Study) -> Comparison:
    tasks = [Condition((name,)) for name in grid.pool(study)]
    targets = tuple(target for part in benchmarks.CATEGORIES["XTREME"].values() for target in part)
    wanted = grid.runs(study, [NONE, *tasks], targets)
    dev = {
        (on_dev(condition), target, seed): phases.phase3(
            study, run.encoder, target, seed, "validation"
        )
        for (condition, target, seed), run in wanted.items()
        if TASKS[target].untrained and _has_dev(target, run)
    }
    return Comparison(wanted | dev, [against(task) for task in tasks])


def on_dev(condition: Condition) -> Condition:
    """The same, scored on validation rows."""
    return replace(condition, split="validation", called=f"{condition} (dev)")


def _has_dev(target: str, run: Score) -> bool:
    splits = [
        {data.split_found(target, split, language, run.data) for language in run.languages}
        for split in ("test", "validation")
    ]
    return not splits[0] & splits[1]


HYPOTHESES = (
    Hypothesis(
        "A task chosen on dev rows gains on test rows", differences(lambda best, none: best.chosen)
    ),
)
