"""The best intermediate task of each XTREME target, chosen on dev rows and reported on test rows.

chosen = table(study, asked, found)          # of conditions.xtreme
compared, runs = best(asked, found, chosen)  # the chosen tasks against none
"""

from __future__ import annotations

import math
from collections.abc import Hashable

import pandas as pd

from xstilts.analysis import reported
from xstilts.runs import results
from xstilts.runs.key import Score, Wanted
from xstilts.study.conditions import ON_DEV, Comparison, against
from xstilts.study.graph import NONE
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS, training_task

BEST = "best on dev"  # the condition


def table(study: Study, asked: Comparison, found: Wanted) -> pd.DataFrame:
    """A row a target of the chapter on XTREME: the intermediate task that is best on dev rows
    (English ones of the training task, at the last measurement, with patience the best, never
    before the first step; where nothing is trained, the validation rows of all languages), its dev
    score, how many candidates there were and how many reach that score: of these the first is
    taken; twice: the target is trained on its rows, too. No candidate, no choice: never the test
    rows. With several seeds a row a target and seed: what is scored on a seed is chosen on the
    others, for the luck of a training would be in both; with one seed it is."""
    rows = []
    seeds = sorted({seed for condition, _, seed in found if condition != NONE}) or [0]
    for target in dict.fromkeys(target for _, target, _ in asked.wanted):
        dev: dict[Hashable, dict[int, float]] = {}
        for (condition, name, seed), run in found.items():
            if name != target or condition == NONE or condition.endswith(ON_DEV):
                continue
            score = _dev_score(
                study, target, run, found.get((f"{condition}{ON_DEV}", target, seed))
            )
            if not math.isnan(score):
                dev.setdefault(condition, {})[seed] = score
        for scored in seeds:
            others = {
                condition: [
                    score for seed, score in some.items() if seed != scored or seeds == [seed]
                ]
                for condition, some in dev.items()
            }
            means = {name: sum(some) / len(some) for name, some in others.items() if some}
            first = max(means, key=means.get) if means else ""
            rows.append(
                {
                    "target": target,
                    "scored on seed": scored,
                    BEST: first or None,
                    "dev score": means.get(first, math.nan),
                    "candidates": len(means),
                    "as good": sum(mean == means[first] for mean in means.values()),
                    "twice": "yes" if training_task(TASKS[target]).name == first else "–",
                }
            )
    columns = ["target", "scored on seed", BEST, "dev score", "candidates", "as good", "twice"]
    chosen = pd.DataFrame(rows, columns=columns)
    return chosen if len(seeds) > 1 else chosen.drop(columns="scored on seed")


def _dev_score(study: Study, target: str, run: Score, dev: Score | None) -> float:
    if not TASKS[target].untrained:
        return results.last_dev(run)
    if dev is None:
        return math.nan
    return float(reported.main_metric(study, results.scores({("", target, 0): dev})).value.mean())


def best(asked: Comparison, found: Wanted, chosen: pd.DataFrame) -> tuple[Comparison, dict]:
    """The comparison of the chosen task of each target with none, on the test rows, and its
    finished runs."""
    by_seed = "scored on seed" in chosen
    names = dict(
        zip(
            zip(
                chosen.target,
                chosen["scored on seed"] if by_seed else [0] * len(chosen),
                strict=True,
            ),
            chosen[BEST],
            strict=True,
        )
    )
    runs = {}
    for (condition, target, seed), run in found.items():
        if condition == NONE:
            runs[condition, target, seed] = run
        elif condition == names.get((target, seed if by_seed else 0)):
            runs[BEST, target, seed] = run
    wanted = {
        (name, target, seed): run
        for (condition, target, seed), run in asked.wanted.items()
        if condition == NONE
        for name in (NONE, BEST)
    }
    return Comparison(wanted, [against(BEST)]), runs
