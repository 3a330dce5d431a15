"""Single rows: whether an encoder is right about each, and another one.

    found = graph.obtain(study, asked(study));  table = rows(study, found)   # a row a test row
    mended(table, "xnli", MNLI, language="sw")          # wrong without, right after MNLI
    mended(table, "xnli", NONE, MNLI, "sw")             # the other way round: it broke these
    confusions(table, "xnli", NONE, "sw")               # gold labels by predicted ones

A record says which rows are right; what was predicted, only a run in the store. Text is the data
set's, and is shown as text."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from xstilts import data
from xstilts.analysis import reported
from xstilts.errors import UserError
from xstilts.runs import results, store
from xstilts.runs.key import Score
from xstilts.study import grid, phases
from xstilts.study.conditions import NONE, Condition, Runs
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS

ROW = ["language", "example"]
SHOWN = ["input", "gold"]
NEITHER, LACKING = "wrong in both", "–"


def asked(study: Study) -> Runs:
    """The first seed's runs of none and of the study's first intermediate task, on its first target
    that is trained, and on retrieval."""
    there = phases.with_rows(study, study.intermediates)
    conditions = [NONE, *(Condition((name,)) for name in there[:1])]
    trained = [name for name in study.targets if not TASKS[name].untrained][:1]
    retrieval = [name for name in study.targets if TASKS[name].untrained][:1]
    first = dataclasses.replace(study, seeds=study.seeds[:1], none_seeds=())
    return grid.runs(first, conditions, [*trained, *retrieval])


def rows(study: Study, found: Runs) -> pd.DataFrame:
    """A row a test row and run: condition, target, seed, language, example, input, gold, prediction
    (LACKING of a record), and score (0-100, the target's first metric, of this row alone; NaN where
    it counts nothing). Of retrieval at the study's layer. UserError where the texts are not at
    hand."""
    parts = []
    there = {cell: run for cell, run in found.items() if results.has(run)}
    for (condition, target, seed), run in there.items():
        scored = results.examples({(condition, target, seed): run})
        for row in reported.main_metric(study, scored).itertuples():
            score = _percent(row.numerator, row.denominator)
            texts = _texts(run, row.language, len(score))
            part = pd.DataFrame(texts, columns=SHOWN).assign(score=score, language=row.language)
            part["example"] = range(len(part))
            part["prediction"] = _predicted(run, row.language, len(part))
            parts.append(part.assign(condition=condition, target=target, seed=seed))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _texts(run: Score, language: str, count: int) -> list[tuple[str, str]]:
    """The rows' texts and gold labels."""
    row = data.labelled(run.target, run.data)
    read = data.load(run.target, run.split, language, run.data, count)
    gold = [item.get("label", item.get("tags", "")) for item in read]
    return [row.module.shown(item, label, row)[:2] for item, label in zip(read, gold, strict=True)]


def _predicted(run: Score, language: str, count: int) -> list[str]:
    if not store.find(store.default_root(), run):
        return [LACKING] * count
    said = results.predictions(run)
    part = said[said.language == language].set_index("example").prediction
    return [part.get(number, LACKING) for number in range(count)]


def _percent(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    counted = np.asarray(denominator) > 0
    return 100 * np.divide(numerator, denominator, out=np.full(len(counted), np.nan), where=counted)


def compared(
    table: pd.DataFrame, target: str, after: Condition, before: Condition = NONE
) -> pd.DataFrame:
    """A row a test row: language, example, input, gold, the two predictions ("before", "after"),
    and their scores. UserError where one of the two is not there."""
    sides = {}
    for side, condition in (("before", before), ("after", after)):
        part = table[(table.target == target) & (table.condition == condition)]
        if part.empty:
            raise UserError(
                f"{condition} for {target}: there is no such run here; `xstilts compute explore` "
                "makes those of the page"
            )
        part = part[part.seed == part.seed.min()].rename(
            columns={"prediction": side, "score": f"score {side}"}
        )
        sides[side] = part[[*ROW, *SHOWN, side, f"score {side}"]]
    return sides["before"].merge(sides["after"].drop(columns=SHOWN), on=ROW)


def mended(
    table: pd.DataFrame,
    target: str,
    after: Condition,
    before: Condition = NONE,
    language: str = "",
) -> pd.DataFrame:
    """The rows that are wrong in `before` and wholly right in `after`: first those with the largest
    change. language: "" for all."""
    found = compared(table, target, after, before)
    found = found[(found["score after"] == 100) & (found["score before"] < 100)]
    found = found[found.language == language] if language else found
    return found.sort_values("score before", kind="stable")


def counts(
    table: pd.DataFrame, target: str, after: Condition, before: Condition = NONE
) -> pd.DataFrame:
    """A row a language: how many rows are right in both, mended, broken, wrong in both."""
    found = compared(table, target, after, before)
    right = found[["score before", "score after"]].to_numpy() == 100
    names = np.array([[NEITHER, "mended"], ["broken", "right in both"]])
    found = found.assign(outcome=names[right[:, 0].astype(int), right[:, 1].astype(int)])
    order = ["right in both", "mended", "broken", NEITHER]
    wide = found.groupby(["language", "outcome"]).size().unstack(fill_value=0)
    return wide.reindex(columns=order, fill_value=0).reset_index().rename_axis(columns=None)


def confusions(
    table: pd.DataFrame, target: str, condition: Condition, language: str
) -> pd.DataFrame:
    """A row a gold label, a column a prediction: the share (0-100) of the gold label's rows. Of
    classification, and of a run in the store: UserError where it is only recorded."""
    part = table[(table.target == target) & (table.condition == condition)]
    part = part[part.language == language]
    if part.empty or (part.prediction == LACKING).all():
        raise UserError(f"{condition} for {target}: a record has no predictions")
    shares = 100 * pd.crosstab(part.gold, part.prediction, normalize="index")
    return shares.reset_index().rename_axis(columns=None)
