"""Single rows: which a task mends, which it breaks, and what is said where a record has no
predictions."""

import numpy as np
import pandas as pd
import pytest

from xstilts import settings
from xstilts.book import browse
from xstilts.chapters import explore
from xstilts.errors import UserError
from xstilts.runs import results
from xstilts.study import graph, profiles
from xstilts.study.conditions import NONE, Condition

MNLI = Condition(("mnli",))


@pytest.fixture(scope="module")
def table():
    """A made-up table: rows 0 to 3 in two languages; MNLI mends row 1 and breaks row 2."""
    right = {NONE: [1, 0, 1, 0], MNLI: [1, 1, 0, 0]}
    rows = [
        {
            "condition": condition,
            "target": "xnli",
            "seed": 0,
            "language": language,
            "example": number,
            "input": f"row {number} [a]",
            "gold": "entailment",
            "prediction": "entailment" if each else "neutral",
            "score": 100.0 * each,
        }
        for condition, some in right.items()
        for language in ("en", "sw")
        for number, each in enumerate(some)
    ]
    return pd.DataFrame(rows)


def test_rows_are_mended_or_broken(table):
    assert explore.mended(table, "xnli", MNLI, language="sw").example.tolist() == [1]
    assert explore.mended(table, "xnli", NONE, MNLI, "sw").example.tolist() == [2]
    assert len(explore.mended(table, "xnli", MNLI)) == 2, "all languages"
    counts = explore.counts(table, "xnli", MNLI).set_index("language")
    assert counts.loc["sw"].tolist() == [1, 1, 1, 1] and counts.to_numpy().sum() == 8
    with pytest.raises(UserError, match="squad for xnli: there is no such run here"):
        explore.compared(table, "xnli", Condition(("squad",)))


def test_confusions_are_shares_of_the_gold_label(table):
    shares = explore.confusions(table, "xnli", NONE, "en").set_index("gold")
    assert shares.loc["entailment"].to_dict() == {"entailment": 50.0, "neutral": 50.0}
    recorded = table.assign(prediction=explore.LACKING)
    with pytest.raises(UserError, match="a record has no predictions"):
        explore.confusions(recorded, "xnli", NONE, "en")


def test_menus_choose_rows_and_words_are_no_pattern(table):
    given = dict(target="xnli", condition=MNLI, language="sw")
    assert browse.chosen(table, "wrong", "", **given).example.tolist() == [2, 3]
    assert browse.chosen(table, "all rows", "1 [A]", **given).example.tolist() == [1]
    box = browse.rows(table)
    menus = {child.description: child for child in box.children[0].children}
    assert menus["language"].options == (("en", "en"), ("sw", "sw"))
    menus["which"].value = "right"  # looks again, without an error
    assert list(menus) == ["target", "condition", "language", "which"]


def test_recorded_runs_say_which_rows_are_right(monkeypatch, tmp_path):
    monkeypatch.setenv("XSTILTS_RECORDS", str(settings.project() / "book" / "recorded"))
    monkeypatch.setenv("XSTILTS_STORE", str(tmp_path))
    study = profiles.study(missing="dash")
    found = {cell: run for cell, run in explore.asked(study).items() if cell[1] == "xnli"}
    table = explore.rows(study, graph.obtain(study, found))
    assert set(table.condition) == {NONE, MNLI} and (table.prediction == explore.LACKING).all()
    assert table[table.condition == NONE].groupby("language").size().unique().tolist() == [200]
    scores = results.scores(found)
    for row in scores[scores.metric == "accuracy"].itertuples():
        part = table[(table.condition == row.condition) & (table.language == row.language)]
        assert part.score.mean() == pytest.approx(row.value, abs=0.01)
        assert set(np.unique(part.score)) <= {0.0, 100.0}
