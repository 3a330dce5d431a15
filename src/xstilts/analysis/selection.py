"""The best intermediate task of each XTREME target, chosen on dev rows and reported on test rows.

chosen = table(study, asked, found)          # of xtreme.compared
compared, runs = best(asked, found, chosen)  # the chosen tasks against none
"""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from xstilts.analysis import reported
from xstilts.runs import results
from xstilts.runs.key import Score, Wanted
from xstilts.study.conditions import NONE, Comparison, Condition, Runs, against
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS, training_task

COLUMN, SEED = "best on dev", "scored on seed"
BEST = Condition(chosen=True, called=COLUMN)


def table(study: Study, asked: Comparison, found: Wanted) -> pd.DataFrame:
    """A row a target of the chapter on XTREME: the intermediate task that is best on dev rows
    (English ones of the training task, at the last measurement, with patience the best, never
    before the first step; where nothing is trained, the validation rows of all languages), its dev
    score, how many candidates there were and how many reach that score: of these the first is
    taken; twice: the target is trained on its rows, too. No candidate, no choice: never the test
    rows. With several seeds a row a target and seed: what is scored on a seed is chosen on the
    others, for the luck of a training would be in both; with one seed it is."""
    rows = []
    # none may have more seeds than the tasks
    seeds = sorted({seed for condition, _, seed in found if condition.tasks}) or [0]
    for target in dict.fromkeys(target for _, target, _ in asked.wanted):
        dev: dict[Condition, dict[int, float]] = {}
        for (condition, name, seed), run in found.items():
            if name != target or condition == NONE or condition.split != "test":
                continue
            on_dev = replace(condition, split="validation")
            score = _dev_score(study, target, run, found.get((on_dev, target, seed)))
            if not math.isnan(score):
                dev.setdefault(condition, {})[seed] = score
        for scored in seeds:
            means = {
                condition: sum(others) / len(others)
                for condition, some in dev.items()
                if (others := _others(some, scored, len(seeds) == 1))
            }
            first = max(means, key=means.__getitem__, default=NONE)
            again = first.tasks == (training_task(TASKS[target]).name,)
            rows.append(
                {
                    "target": target,
                    SEED: scored,
                    COLUMN: first if means else None,
                    "dev score": means.get(first, math.nan),
                    "candidates": len(means),
                    "as good": sum(mean == means[first] for mean in means.values()),
                    "twice": "yes" if again else "–",
                }
            )
    columns = ["target", SEED, COLUMN, "dev score", "candidates", "as good", "twice"]
    chosen = pd.DataFrame(rows, columns=columns)
    return chosen if len(seeds) > 1 else chosen.drop(columns=SEED)


def _others(scores: dict[int, float], scored: int, alone: bool) -> list[float]:
    """The dev scores of the seeds on which a choice may rest. alone: there is one seed."""
    return [score for seed, score in scores.items() if seed != scored or alone]


def _dev_score(study: Study, target: str, run: Score, dev: Score | None) -> float:
    if not TASKS[target].untrained:
        return results.last_dev(run)
    if dev is None:
        return math.nan
    return float(reported.main_metric(study, results.scores({("", target, 0): dev})).value.mean())


def best(asked: Comparison, found: Wanted, chosen: pd.DataFrame) -> tuple[Comparison, Runs]:
    """The comparison of the chosen task of each target with none, on the test rows, and its
    finished runs."""
    by_seed = SEED in chosen
    seeds = chosen[SEED] if by_seed else [0] * len(chosen)
    task = dict(zip(zip(chosen.target, seeds, strict=True), chosen[COLUMN], strict=True))
    runs: Runs = {}
    for (condition, target, seed), run in found.items():
        if condition == NONE:
            runs[condition, target, seed] = run
        elif condition == task.get((target, seed if by_seed else 0)):
            runs[BEST, target, seed] = run
    wanted = {
        (shown, target, seed): run
        for (condition, target, seed), run in asked.wanted.items()
        if condition == NONE
        for shown in (NONE, BEST)
    }
    return Comparison(wanted, [against(BEST)]), runs
