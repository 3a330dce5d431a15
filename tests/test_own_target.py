"""A person's own target goes through the study: it is trained, scored and judged, rows without
labels are predicted, and nothing of the study changes."""

import re
import subprocess
import sys

import numpy as np
import own_files
import pandas as pd
import pytest

from xstilts import cli, data, own
from xstilts.chapters import needed, your_target
from xstilts.errors import UserError
from xstilts.runs import store
from xstilts.runs.key import key, training
from xstilts.study import graph, grid, own_targets, phases, profiles
from xstilts.study.conditions import NONE, Condition
from xstilts.tasks.table import TASKS
from xstilts.tools import inventory

SMALL = own_files.TINY | dict(seeds="0,1")


def reviews(folder, unlabelled=20, language="en"):
    """English reviews, German ones, and some in Russian without labels."""
    rows = [(text, label, language) for text, label in own_files.reviews(language=language)]
    rows += [(text, label, "de") for text, label in own_files.reviews(40, "de", seed=1)]
    rows += [(text, "", "ru") for text, _ in own_files.reviews(unlabelled, "ru")]
    return own.add(str(own_files.csv(folder / "mine.csv", rows, ("text", "label", "lang"))))


def study(tiny_encoder, **given):
    return own_targets.study(**SMALL | {"targets": "mine", "encoder": str(tiny_encoder)} | given)


def test_a_target_is_tried_scored_and_predicted(tmp_path, tiny_encoder):
    reviews(tmp_path)
    asked = study(tiny_encoder)
    assert asked.vocabulary == "full" and asked.phase1_steps == 0
    answer = your_target.Answer.of(asked)
    assert answer.languages == {"other languages": ("de",), "English": ("en",)}
    scores = answer.scores().set_index("condition")
    assert list(map(str, scores.index)) == ["none", "mnli", "none, half of the rows"]
    assert scores[["other languages", "English"]].notna().all(axis=None)
    for table in answer.tables.values():
        assert list(map(str, table.intermediate)) == ["mnli"] and (table.minutes > 0).all()
    assert answer.words()
    agree = answer.agreement()
    assert set(agree.who) == {"MNLI and none", "none with two seeds"}
    assert set(agree.language) == {"ru"} and agree.agree.between(0, 100).all()
    assert (agree.rows == 12).all()  # as many as are scored
    shown = answer.shown(3)
    assert len(shown) == 3 and set(shown["none"]) <= set(own_files.LABELS)
    trained = training(answer.runs[NONE, "mine", 0])
    assert not store.find(store.default_root(), trained)  # it was of no more use


def test_a_target_that_is_no_english_one_is_trained_in_its_language(tmp_path, tiny_encoder):
    own_files.csv(tmp_path / "mine_ru.csv", own_files.reviews(language="ru"), ("text", "label"))
    own.add(str(tmp_path / "mine_ru.csv"), name="mine")
    answer = your_target.Answer.of(study(tiny_encoder, seeds="0", missing="compute"))
    assert training(answer.runs[NONE, "mine", 0]).languages == ("ru",)
    assert answer.languages == {"Russian": ("ru",)}
    assert answer.scores()["Russian"].notna().all()


def test_a_retrieval_target_is_scored_as_it_is(tmp_path, tiny_encoder):
    path = own_files.jsonl(tmp_path / "mine_de.jsonl", own_files.of_kind("retrieve", 60))
    own.add(str(path), name="mine")
    answer = your_target.Answer.of(study(tiny_encoder, seeds="0"))
    assert own_targets.fewer(answer.study) == {}
    assert answer.scores()["other languages"].notna().sum() == 2


def test_nothing_of_the_study_changes(tmp_path, tiny_encoder):
    asked = profiles.study(
        profile="mini", encoder=str(tiny_encoder), targets="xnli,udpos", languages="en,de"
    )
    chapters = ("single_task", "rq3", "claims")

    def keys():
        return [key(run) for name in chapters for run in needed.needed(name, asked)]

    before, listed = keys(), data.available("mini")
    reviews(tmp_path)
    assert keys() == before and data.available("mini") == listed
    assert needed.needed("your_target", asked) == []
    assert len(needed.needed("your_target", study(tiny_encoder))) == 6


def test_other_processes_know_the_target(tmp_path):
    reviews(tmp_path)
    told = subprocess.run(
        [sys.executable, "-c", "from xstilts.tasks.table import task; print(task('mine').labels)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "('bad', 'good', 'mixed')"


def test_unlabelled_rows_are_in_the_key_of_the_score_alone(tmp_path, tiny_encoder):
    def runs():
        asked = study(tiny_encoder)
        run = phases.phase3(asked, grid.encoder(asked, NONE, 0), "mine", 0)
        return key(run), key(training(run))

    reviews(tmp_path)
    first = runs()
    reviews(tmp_path, unlabelled=21)
    second = runs()
    assert first[0] != second[0] and first[1] == second[1]


def test_labels_and_rules_are_in_the_keys(tmp_path, tiny_encoder):
    def training_key():
        asked = study(tiny_encoder)
        return key(training(phases.phase3(asked, grid.encoder(asked, NONE, 0), "mine", 0)))

    reviews(tmp_path)
    before = training_key()
    path = tmp_path / "targets" / "mine" / "target.toml"
    path.write_text(path.read_text().replace('["bad", "good"', '["good", "bad"'))
    assert TASKS["mine"].labels[0] == "good"
    assert training_key() != before


def test_rows_that_change_while_they_are_computed_are_refused(tmp_path, tiny_encoder):
    reviews(tmp_path)
    asked = study(tiny_encoder)
    run = phases.phase3(asked, grid.encoder(asked, NONE, 0), "mine", 0)
    reviews(tmp_path, unlabelled=3)
    with pytest.raises(UserError, match="have changed since the study was drawn up"):
        graph.compute([run])


def test_only_one_own_target_is_answered_for(tmp_path, tiny_encoder):
    reviews(tmp_path)
    with pytest.raises(UserError, match="one target of your own"):
        study(tiny_encoder, targets="mine,xnli")
    example = own_targets.study(targets="xnli", phase2_steps=5000, profile="paper")
    assert example.targets == ("example",) and example.encoder == "e5-small:2"
    assert example.phase2_steps < 100


# ---------------------------------------------------------------- the answer in words

ROW = {
    "intermediate": Condition(("mnli",)),
    "verdict": "strong for",
    "difference": 3.1,
    "low": 1.0,
    "high": 5.2,
    "p (Holm)": 0.01,
    "minutes": 14.2,
    "why open": "",
    "would settle it": "",
    "seeds": 3,
}
OPEN = {"verdict": "open", "low": -1.0, "why open": "too few seeds", "would settle it": "5 seeds"}
ANSWERS = {
    # what the candidates came to -> how the answer begins, and what is in it
    "clear": (
        [{}, OPEN],
        "MNLI first: \\+3.1 points \\[1.0, 5.2\\] over 2 languages, 3 seeds.*14 min",
    ),
    "clear before p is adjusted": (
        [{"verdict": "moderate for"}, OPEN],
        "Perhaps. MNLI first.*2 cand",
    ),
    "nothing helps": (
        [{"verdict": "no difference"}, {"verdict": "moderate against", "difference": -4.0}],
        "Don't bother: none of the 2 candidates",
    ),
    "open": ([OPEN, {"verdict": "no difference"}], "Can't tell.*too few seeds.*settle it: 5 seeds"),
    "not learned": ([{"verdict": "not learned", "difference": np.nan}], "Nothing to compare"),
    "not run": ([{"verdict": "not run", "difference": np.nan}], "Not run yet"),
}


def answer_with(rows, means=None):
    asked = profiles.study(profile="mini", targets="xnli")
    found = your_target.Answer(asked, None, {})
    vars(found)["tables"] = {"other languages": pd.DataFrame([ROW | row for row in rows])}
    vars(found)["languages"] = {"other languages": ("de", "fi")}
    return found


@pytest.mark.parametrize("case", ANSWERS)
def test_the_answer_begins_with_a_plain_sentence(case, monkeypatch):
    rows, words = ANSWERS[case]
    monkeypatch.setattr(your_target.Answer, "means", lambda self, place: {})
    said = answer_with(rows).words()
    assert re.match(words, said, re.DOTALL), said


@pytest.mark.parametrize(
    "half, whole, gain, worth",
    [
        (50.0, 52.0, 2.0, 1000.0),  # as much as twice the rows: as many again
        (50.0, 52.0, 4.0, 3000.0),
        (50.0, 52.0, 20.0, np.nan),  # a thousand times the rows: nothing is said
        (50.0, 50.2, 2.0, np.nan),  # more rows give nothing that is seen
        (50.0, 52.0, -1.0, np.nan),
    ],
)
def test_a_gain_is_worth_rows(half, whole, gain, worth, monkeypatch):
    means = {NONE: whole, own_targets.HALF: half}
    monkeypatch.setattr(your_target.Answer, "means", lambda self, place: means)
    monkeypatch.setattr(your_target, "training_rows", lambda asked: 1000)
    found = answer_with([{}]).worth(gain, "other languages")
    assert found == pytest.approx(worth, nan_ok=True)
    said = answer_with([{"difference": gain}]).words()
    assert ("more labelled rows" in said) == (worth > 0)


def test_a_named_profile_has_the_studys_own_encoders(tmp_path, tiny_encoder):
    """So that they are found where they are kept, and only the target is trained."""
    reviews(tmp_path)
    same = dict(profile="mini", encoder=str(tiny_encoder), data="mini", vocabulary="full")
    tried = own_targets.study(targets="mine", phase1_steps=0, **same)
    kept = profiles.study(phase1_steps=0, **same)
    for name in ("mnli", "squad"):
        assert key(phases.phase2(tried, (name,), 0)) == key(phases.phase2(kept, (name,), 0))
    usual = own_targets.study(targets="mine", encoder=str(tiny_encoder), data="mini")
    assert key(phases.phase2(usual, ("mnli",), 0)) != key(phases.phase2(kept, ("mnli",), 0))


def test_encoders_that_are_kept_are_listed(tmp_path, tiny_encoder, capsys):
    reviews(tmp_path)
    asked = study(tiny_encoder, seeds="0")
    graph.compute([phases.phase2(asked, ("mnli",), 0)])
    capsys.readouterr()
    assert cli.main(["encoders"]) == 0
    line = next(text for text in capsys.readouterr().out.splitlines() if text.startswith("mnli"))
    assert "seed 0" in line and "2 steps" in line and "accuracy" in line
    (found,) = inventory.encoders(store.default_root())
    assert found["tasks"] == ["mnli"] and 0 <= found["dev"] <= 100
    again = profiles.study(**SMALL | {"encoder": found["folder"], "targets": "xnli"})
    assert again.encoder == found["folder"]
