"""What a detour is worth in rows of the target: the tables of the chapter on data efficiency.

curves(study, found)            # a row a target, task and number of rows: score, interval, gain
worth_table(study, found)       # and to how many rows of the target each gain amounts"""

from __future__ import annotations

from collections.abc import Hashable

import pandas as pd

from xstilts import data
from xstilts.analysis import differences, repeats, stats, wording
from xstilts.analysis.grades import Estimate
from xstilts.analysis.worth import worth
from xstilts.runs.key import Wanted
from xstilts.study import profiles
from xstilts.study.conditions import NONE, Condition
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS, training_task

CURVES = ["target", "task", "rows", "metric", "score", "low", "high", "n", "seeds"]
WORTH = ["target", "task", "rows", "score of none", "gain", "low", "high", "worth in rows"]
WORTH += ["n", "seeds"]


def number(study: Study, target: str, condition: Condition) -> int:
    """English rows that the target is trained on."""
    limit = condition.rows or profiles.phase3_recipe(study, target).rows
    there = data.size(training_task(TASKS[target]).name, "train", "en", study.data)
    return min(limit, there) if limit else there


def curves(study: Study, found: Wanted) -> pd.DataFrame:
    """A row a target, intermediate task ("none") and number of rows that was run: the score over
    languages with its 95 % interval."""
    estimates = _estimates(study, found)
    return pd.DataFrame(
        [
            {
                "target": target,
                "task": wording.title(start),
                "rows": number(study, target, condition),
                "metric": TASKS[target].metric,
                "score": some.value,
                "low": some.low,
                "high": some.high,
                "n": some.n,
                "seeds": some.seeds,
            }
            for (target, start), by_condition in estimates.items()
            for condition, some in by_condition.items()
        ],
        columns=CURVES,
    ).sort_values(["target", "task", "rows"], ignore_index=True)


def worth_table(study: Study, found: Wanted) -> pd.DataFrame:
    """A row a target, task and number of rows that was run on both sides: the gain in points with
    its interval, and the rows more that none would need for the task's score."""
    estimates, part = _estimates(study, found), differences.examples(study, found)
    known, rows = repeats.variance(study), []
    for (target, start), by_condition in estimates.items():
        without = estimates.get((target, NONE), {})
        curve = {number(study, target, one): some for one, some in without.items()}
        for condition, reached in by_condition.items():
            none = _like(condition, without)
            if start == NONE or none is None:
                continue
            gain = stats.difference(part, condition, target, reference=none, training=known)
            trained = number(study, target, condition)
            rows.append(
                {
                    "target": target,
                    "task": wording.title(start),
                    "rows": trained,
                    "score of none": without[none].value,
                    "gain": gain.value,
                    "low": gain.low,
                    "high": gain.high,
                    "worth in rows": str(worth(curve, reached, trained)),
                    "n": gain.n,
                    "seeds": gain.seeds,
                }
            )
    table = pd.DataFrame(rows, columns=WORTH)
    return table.sort_values(["target", "task", "rows"], ignore_index=True)


def _like(condition: Condition, without: dict[Condition, Estimate]) -> Condition | None:
    """Of none the condition with as few rows."""
    return next((one for one in without if one.rows == condition.rows), None)


def _estimates(
    study: Study, found: Wanted
) -> dict[tuple[str, Hashable], dict[Condition, Estimate]]:
    """(target, the condition with all rows) -> the condition with each number of rows -> score.
    Trainings that failed are in it: with few rows no other line can be drawn."""
    part, known = differences.examples(study, found), repeats.variance(study)
    estimates: dict = {}
    for condition, target in dict.fromkeys((name, target) for name, target, _ in found):
        some = stats.score(part, condition, target, training=known)
        start = Condition(condition.tasks)
        estimates.setdefault((target, start), {})[condition] = some
    return estimates
