"""How does the benefit of intermediate training change with the encoder?

Each task against none, from encoders of several sizes; and how much more it does for the smallest
than for the largest. On real rows, whose trainings take longer, MNLI on a target of each kind;
reading comprehension has a chapter of its own (RQ5)."""

from __future__ import annotations

from xstilts import data
from xstilts.study import grid
from xstilts.study.conditions import Comparison, Condition, Contrast, Runs, against, short
from xstilts.study.hypothesis import Hypothesis
from xstilts.study.profiles import Study


def compared(study: Study) -> Comparison:
    names, targets = grid.one_by_one(study), study.targets
    if not data.endless(study.data):
        names, targets = tuple(name for name in names if name == "mnli") or names, grid.OF_EACH
    return sizes(study, {name: (name,) for name in names}, targets)


def sizes(study: Study, named: dict[str, tuple[str, ...]], targets: tuple[str, ...]) -> Comparison:
    """named: what a title says -> tasks."""
    wanted: Runs = {}
    contrasts: list[Contrast] = []
    gains = {}
    for size in study.sizes:
        none = Condition(encoder=size, called=f"{short(size)}, none")
        tasks = {
            name: Condition(
                some,
                steps="budget" if len(some) > 1 else "own",
                encoder=size,
                called=f"{short(size)}, {name}",
            )
            for name, some in named.items()
        }
        wanted |= grid.runs(study, [none, *tasks.values()], targets)
        gains[size] = {name: against(task, none) for name, task in tasks.items()}
        contrasts += gains[size].values()
    smallest, largest = study.sizes[0], study.sizes[-1]
    if smallest != largest:
        for name in named:
            less = {task: -weight for task, weight in gains[largest][name].weights.items()}
            title = f"{name}: gain of {short(smallest)} less gain of {short(largest)}"
            contrasts.append(Contrast(title, gains[smallest][name].weights | less))
    return Comparison(wanted, contrasts)


def _of_two_sizes(asked: Comparison) -> list[dict[Condition, float]]:
    return [
        weights
        for _, weights in asked.contrasts
        if len({condition.encoder for condition in weights}) > 1
    ]


HYPOTHESES = (Hypothesis("A larger encoder gains less", _of_two_sizes),)
