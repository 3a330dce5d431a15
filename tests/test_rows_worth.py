"""The chapter on data efficiency: budgets of targets with few rows, and what its tables say."""

import math

import numpy as np
import pandas as pd
import pretended
import pytest

from xstilts.analysis import differences
from xstilts.chapters import rows_worth
from xstilts.questions import data_efficiency
from xstilts.runs.key import key, training
from xstilts.study import profiles
from xstilts.study.conditions import NONE, Comparison, Condition, against


@pytest.fixture(scope="module")
def study():
    return profiles.study(
        profile="real", data="mini", targets="xnli,udpos", intermediates="mnli,squad", seeds=0
    )


@pytest.fixture(scope="module")
def asked(study):
    return data_efficiency.compared(study)


def test_few_rows_have_fewer_steps_but_not_too_few(asked):
    found = {
        (name.rows, target): training(run).recipe
        for (name, target, _), run in asked.wanted.items()
        if not name.tasks
    }
    whole = {target: found[0, target].steps for target in ("xnli", "udpos")}
    for (rows, target), recipe in found.items():
        seen = recipe.steps * recipe.batch_size
        assert recipe.rows == (rows or 6000)
        assert whole[target] / 6 - 1 <= recipe.steps <= whole[target]
        assert not rows or seen <= 10.2 * rows or recipe.steps <= whole[target] / 6 + 1
    assert found[100, "xnli"].steps < found[1000, "xnli"].steps < found[3000, "xnli"].steps + 1


def test_all_rows_are_the_runs_of_the_other_chapters(study, asked):
    from xstilts.questions import xtreme

    there = {key(run) for run in xtreme.compared(study).wanted.values()}
    whole = [run for (name, _, _), run in asked.wanted.items() if not name.rows]
    assert whole and all(key(run) in there for run in whole)
    few = [run for (name, _, _), run in asked.wanted.items() if name.rows]
    assert few and not any(key(run) in there for run in few)


def shown(study, asked, monkeypatch, rate):
    """The table of worths where a run is right as often as `rate` says of task and rows."""
    ease = np.random.default_rng(0).random(400)

    def examples(cells):
        return pd.DataFrame(
            [
                pretended.row(name, target, seed, "de", ease < rate(name, target))
                for name, target, seed in cells
            ]
        )

    pretended.instead(monkeypatch, examples)
    monkeypatch.setattr(differences.repeats, "variance", lambda study: pretended.training(0.5))
    return rows_worth.worth_table(study, asked.wanted)


def test_a_task_that_moves_the_curve_is_worth_the_rows_between(study, asked, monkeypatch):
    """With SQuAD first 300 rows are as good as 1,000 of none."""

    def rate(name, target):
        rows = rows_worth.number(study, target, name)
        gain = math.log(1000 / 300) if name.tasks == ("squad",) else 0
        return 0.1 * (math.log(rows) + gain)

    table = shown(study, asked, monkeypatch, rate)
    part = table[(table.task == "SQuAD v1.1") & (table.rows == 300)]
    assert len(part) == 2
    for worth, gain in zip(part["worth in rows"], part.gain, strict=True):
        assert float(worth.split()[0].replace(",", "")) == pytest.approx(700, abs=60)
        assert gain == pytest.approx(100 * 0.1 * math.log(1000 / 300), abs=1)


def test_a_failed_training_with_few_rows_is_no_gap_in_the_curve(study, asked, monkeypatch):
    table = shown(study, asked, monkeypatch, lambda name, target: 0.02 if name.rows else 0.7)
    assert set(table.rows) >= {100, 300, 1000} and table.gain.notna().all()
    assert differences.examples(study, asked.wanted).learned.all()


def test_curves_have_every_number_of_rows(study, asked, monkeypatch):
    shown(study, asked, monkeypatch, lambda name, target: 0.5)
    curves = rows_worth.curves(study, asked.wanted)
    none = curves[(curves.task == "none") & (curves.target == "udpos")]
    assert none.rows.tolist() == [100, 300, 1000, 3000, 6000] and (none.n == 400).all()
    assert rows_worth.number(study, "xnli", NONE) == 6000
    assert rows_worth.number(study, "xnli", Condition(rows=100)) == 100


def test_what_is_clear_is_said_the_largest_first():
    mnli, squad = (
        Condition((name,), rows=100, called=f"{name}, 100 rows") for name in ("mnli", "squad")
    )
    whole = Condition(("squad",))
    rows = [(mnli, "xnli", 3.0, "moderate"), (squad, "tydiqa", 18.0, "strong")]
    rows += [(whole, "xnli", 1.0, "open"), (squad, "udpos", -9.0, "moderate")]
    asked = Comparison({}, [against(one) for one in (mnli, squad, whole)])
    shown = pd.DataFrame(
        [(against(a).title, b, c, c - 2, c + 2, d) for a, b, c, d in rows],
        columns=["comparison", "target", "difference", "low", "high", "grade"],
    )
    said = rows_worth.clear(asked, shown)
    assert [part.split(":")[0] for part in said["up"].split("; ")] == [
        "SQuAD v1.1, 100 rows, for TyDiQA-GoldP",
        "MNLI, 100 rows, for XNLI",
    ]
    assert said["down"].startswith("SQuAD v1.1, 100 rows, for UDPOS: -9.0 [")
    assert rows_worth.clear(asked, shown.iloc[2:3]) == {"up": "none", "down": "none"}
