"""The best intermediate task of each XTREME target, chosen on dev rows and reported on test rows.

chosen = table(study, asked, found)          # of conditions.xtreme
compared, runs = best(asked, found, chosen)  # the chosen tasks against none
"""

from __future__ import annotations

import math

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
    rows."""
    rows = []
    for target in dict.fromkeys(target for _, target, _ in asked.wanted):
        scores: dict[str, list[float]] = {}
        for (condition, name, seed), run in found.items():
            if name != target or condition == NONE or condition.endswith(ON_DEV):
                continue
            score = _dev_score(
                study, target, run, found.get((f"{condition}{ON_DEV}", target, seed))
            )
            if not math.isnan(score):
                scores.setdefault(condition, []).append(score)
        means = {condition: sum(values) / len(values) for condition, values in scores.items()}
        first = max(means, key=means.get) if means else ""
        rows.append(
            {
                "target": target,
                BEST: first or None,
                "dev score": means.get(first, math.nan),
                "candidates": len(means),
                "as good": sum(mean == means[first] for mean in means.values()),
                "twice": "yes" if training_task(TASKS[target]).name == first else "–",
            }
        )
    return pd.DataFrame(
        rows, columns=["target", BEST, "dev score", "candidates", "as good", "twice"]
    )


def _dev_score(study: Study, target: str, run: Score, dev: Score | None) -> float:
    if not TASKS[target].untrained:
        return results.last_dev(run)
    if dev is None:
        return math.nan
    return float(reported.main_metric(study, results.scores({("", target, 0): dev})).value.mean())


def best(asked: Comparison, found: Wanted, chosen: pd.DataFrame) -> tuple[Comparison, dict]:
    """The comparison of the chosen task of each target with none, on the test rows, and its
    finished runs."""
    names = dict(zip(chosen.target, chosen[BEST], strict=True))
    runs = {
        (BEST if condition == names[target] else condition, target, seed): run
        for (condition, target, seed), run in found.items()
        if condition in (NONE, names[target])
    }
    wanted = {
        (name, target, seed): run
        for (condition, target, seed), run in asked.wanted.items()
        if condition == NONE
        for name in (NONE, BEST)
    }
    return Comparison(wanted, [against(BEST)]), runs
