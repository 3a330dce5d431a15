"""The best intermediate task of each XTREME target, chosen on dev rows and reported on test rows.

chosen = table(study, asked, found)          # of xtreme.compared
compared, runs = best(asked, found, chosen)  # the chosen tasks against none
"""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from xstilts.analysis import score_tables
from xstilts.runs import results
from xstilts.runs.key import Score
from xstilts.study.conditions import NONE, Comparison, Condition, Runs, against
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS, training_task

COLUMN = "best on dev"
BEST = Condition(chosen=True, called=COLUMN)


def table(study: Study, asked: Comparison, found: Runs) -> pd.DataFrame:
    """A row a target of the chapter on XTREME: the intermediate task that is best on dev rows
    (English ones of the training task, at the last measurement, with patience the best, never
    before the first step; where nothing is trained, the validation rows of all languages), its dev
    score, how many candidates there were and how many reach that score: of these the first is
    taken; twice: the target is trained on its rows, too. No candidate, no choice: never the test
    rows."""
    rows = []
    for target in dict.fromkeys(target for _, target, _ in asked.wanted):
        scores: dict[Condition, list[float]] = {}
        for (condition, name, seed), run in found.items():
            if name != target or condition == NONE or condition.split != "test":
                continue
            on_dev = replace(condition, split="validation")
            score = _dev_score(study, target, run, found.get((on_dev, target, seed)))
            if not math.isnan(score):
                scores.setdefault(condition, []).append(score)
        means = {condition: sum(values) / len(values) for condition, values in scores.items()}
        first = max(means, key=means.get, default=NONE)
        rows.append(
            {
                "target": target,
                COLUMN: first if means else None,
                "dev score": means.get(first, math.nan),
                "candidates": len(means),
                "as good": sum(mean == means[first] for mean in means.values()),
                "twice": "yes" if first.tasks == (training_task(TASKS[target]).name,) else "–",
            }
        )
    return pd.DataFrame(
        rows, columns=["target", COLUMN, "dev score", "candidates", "as good", "twice"]
    )


def _dev_score(study: Study, target: str, run: Score, dev: Score | None) -> float:
    if not TASKS[target].untrained:
        return results.last_dev(run)
    if dev is None:
        return math.nan
    return float(
        score_tables.main_metric(study, results.scores({("", target, 0): dev})).value.mean()
    )


def best(asked: Comparison, found: Runs, chosen: pd.DataFrame) -> tuple[Comparison, Runs]:
    """The comparison of the chosen task of each target with none, on the test rows, and its
    finished runs."""
    task = dict(zip(chosen.target, chosen[COLUMN], strict=True))
    runs = {
        (BEST if condition == task[target] else condition, target, seed): run
        for (condition, target, seed), run in found.items()
        if condition in (NONE, task[target])
    }
    wanted = {
        (shown, target, seed): run
        for (condition, target, seed), run in asked.wanted.items()
        if condition == NONE
        for shown in (NONE, BEST)
    }
    return Comparison(wanted, [against(BEST)]), runs
