"""Every wide chapter has an answer: its hypotheses find their conditions, and verdicts turn with
the numbers."""

import dataclasses

import numpy as np
import pandas as pd
import pretended
import pytest

from xstilts.analysis import differences, selection
from xstilts.chapters import hypotheses, needed
from xstilts.runs import records, results
from xstilts.study import conditions as comparisons
from xstilts.study import profiles
from xstilts.study.conditions import Comparison
from xstilts.tasks.table import TASKS


@pytest.fixture(scope="module")
def study():
    return profiles.study(languages="en,de,et,fi,hu,sw,tr", missing="dash")


def compared(study, chapter: str) -> Comparison:
    asked = getattr(comparisons, chapter)(study)
    if chapter != "xtreme":
        return asked
    targets = dict.fromkeys(target for _, target, _ in asked.wanted)
    return selection.best(
        asked, {}, pd.DataFrame({"target": list(targets), "best on dev": "squad"})
    )[0]


def pretend(monkeypatch, study, chapter: str, rate) -> tuple[Comparison, dict]:
    """The chapter with all of its runs, which are right as often as `rate` says of a condition and
    a language."""
    asked, draw = compared(study, chapter), np.random.default_rng(0)
    ease = {
        target: draw.random(400)
        for target in dict.fromkeys(target for _, target, _ in asked.wanted)
    }

    def examples(cells):
        return pd.DataFrame(
            [
                {
                    "condition": name,
                    "target": target,
                    "seed": seed,
                    "language": language,
                    "layer": -1,
                    "metric": TASKS[target].metric,
                    "numerator": (ease[target] < rate(name, language)) * 1.0,
                    "denominator": np.ones(400),
                }
                for (name, target, seed), run in cells.items()
                for language in run.languages
                if language in ("en", "fi", "sw")
            ]
        )

    monkeypatch.setattr(results, "examples", examples)
    monkeypatch.setattr(results, "scores", lambda cells: pretended.scores(examples(cells)))
    monkeypatch.setattr(differences.repeats, "variance", lambda study: pretended.training())
    monkeypatch.setattr(
        records, "source", lambda runs, root: {"live": list(runs), "recorded": [], "not run": []}
    )
    return asked, dict(asked.wanted)


def said(study, chapter, asked, found) -> list[str]:
    return hypotheses.table(study, chapter, asked, found, beside=()).verdict.tolist()


def test_every_wide_chapter_has_hypotheses_about_its_own_conditions(study):
    assert set(hypotheses.HYPOTHESES) == set(needed.WIDE)
    for chapter, there in hypotheses.HYPOTHESES.items():
        asked = compared(study, chapter)
        conditions = {name for name, _, _ in asked.wanted}
        for hypothesis in there:
            every = hypothesis.weigh(asked)
            assert every and all(
                set(weights) <= conditions and sum(weights.values()) == pytest.approx(0)
                for weights in every
            ), (chapter, hypothesis.text)


def test_without_runs_nothing_is_said(study):
    for chapter in hypotheses.HYPOTHESES:
        shown = hypotheses.table(study, chapter, compared(study, chapter), {})
        assert set(shown.verdict) == {"not run"} and shown.effect.isna().all()
        assert "points" not in hypotheses.words(shown)


@pytest.mark.parametrize(
    "chapter, rate, verdicts",
    [
        ("multi_task", lambda name, _: 0.9 if name == "all" else 0.6, ["strong for"]),
        ("multi_task", lambda name, _: 0.4 if name == "all" else 0.6, ["strong against"]),
        (
            "mlm_continuation",
            lambda name, _: 0.8 if name.endswith("% text") else 0.6,
            ["strong for"],
        ),
        (
            "translated",
            lambda name, _: 0.8 if name.endswith("translated") else 0.6,
            ["strong for", "strong for"],
        ),
        (
            "translated",
            lambda name, _: 0.8 if "noise" in name else 0.6,
            ["no difference", "strong against"],
        ),
        (
            "model_size",
            lambda name, _: 0.8 if name in ("e5-small:4, mnli", "e5-small:4, squad") else 0.5,
            ["strong for"],
        ),
        (
            "rq5",
            lambda name, _: (
                0.8 if name.startswith("e5-small, ") and name != "e5-small, none" else 0.5
            ),
            ["strong against"],
        ),
        (
            "rq5",
            lambda name, _: 0.8 if name == "e5-small, squad" else 0.5,
            ["strong against"],
        ),  # concentrated in one task
        ("xtreme", lambda name, _: 0.7 if name == "best on dev" else 0.6, ["strong for"]),
        (
            "rq1",
            lambda name, _: {"3": 0.7, "9": 0.82}.get(name[0], 0.6),
            ["strong for", "strong for", "strong for"],
        ),
        (
            "rq1",
            lambda name, _: 0.7 if name == "e5-small, three tasks" else 0.5,
            ["no difference", "no difference", "strong against"],
        ),
        (
            "rq2",
            lambda name, _: 0.8 if name.endswith((" fi", " hu", " et")) else 0.6,
            ["strong for", "strong for"],
        ),
        (
            "rq2",
            lambda name, _: 0.8 if name.endswith((" de", " tr")) else 0.6,
            ["no difference", "strong against"],
        ),
        (
            "rq2",
            lambda name, language: (
                0.8 if name.endswith((" fi", " hu", " et")) and language == "en" else 0.6
            ),
            ["no difference", "strong for"],
        ),
        ("rq3", lambda name, _: 0.8 if name.endswith("many languages") else 0.6, ["strong for"]),
        (
            "rq4",
            lambda name, language: 0.8 if "difficulty 1" in name and language == "sw" else 0.6,
            ["strong for", "strong for"],
        ),
        (
            "rq4",
            lambda name, language: 0.8 if "difficulty 1" in name and language == "en" else 0.6,
            ["no difference", "strong against"],
        ),
    ],
)
def test_verdicts_turn_with_the_numbers(study, monkeypatch, chapter, rate, verdicts):
    assert said(study, chapter, *pretend(monkeypatch, study, chapter, rate)) == verdicts


def test_the_answer_says_where_an_effect_is_concentrated_and_why_it_is_open(study, monkeypatch):
    asked, found = pretend(
        monkeypatch, study, "rq4", lambda name, _: 0.66 if name == "squad (difficulty 1)" else 0.6
    )
    monkeypatch.setattr(differences.repeats, "variance", lambda study: pretended.training(3))
    answer = hypotheses.words(hypotheses.table(study, "rq4", asked, found, beside=()))
    assert "one than a hard one: open (+" in answer.replace("than a hard", "one than a hard", 1)
    assert "open because: too few seeds" in answer and "would settle it" in answer


def test_the_effect_in_english_stands_beside_it(study, monkeypatch):
    asked, found = pretend(
        monkeypatch,
        study,
        "rq3",
        lambda name, language: 0.8 if name.endswith("many languages") and language == "en" else 0.6,
    )
    decided = hypotheses.table(study, "rq3", asked, found)
    row = decided.iloc[0]
    assert row["in English"] == pytest.approx(20, abs=4) and row.effect < 10
    assert f"], in English +{row['in English']:.1f}" in hypotheses.words(decided)
    decided = hypotheses.table(
        study,
        "rq4",
        *pretend(
            monkeypatch,
            study,
            "rq4",
            lambda name, language: 0.8 if "difficulty 1" in name and language == "en" else 0.6,
        ),
    )
    african = decided.iloc[0]
    assert african.effect == pytest.approx(0, abs=4) and african["in English"] == pytest.approx(
        20, abs=4
    )
    assert hypotheses.words(decided).count(", in English") == 1, (
        "the second hypothesis is about English"
    )
    retrieval = hypotheses.table(
        study, "rq3", asked, {cell: run for cell, run in found.items() if cell[1] == "tatoeba"}
    )
    assert "points [" in hypotheses.words(retrieval) and ", in English" not in hypotheses.words(
        retrieval
    ), "no English is scored"


def test_what_rests_on_a_part_says_so(study, monkeypatch):
    asked, found = pretend(
        monkeypatch, study, "rq3", lambda name, _: 0.8 if name.endswith("many languages") else 0.6
    )
    whole = hypotheses.words(hypotheses.table(study, "rq3", asked, found))
    assert (
        whole.startswith("With the same rows, many languages help more than English: strong for (+")
        and "so far" not in whole
    )
    part = {
        cell: run
        for cell, run in found.items()
        if cell[0].startswith("squad") and cell[1] == "tatoeba"
    }
    assert "so far 1 of 2 differences, 1 of" in hypotheses.words(
        hypotheses.table(study, "rq3", asked, part)
    )


def test_a_target_is_asked_for_the_conditions_that_the_chapter_has_for_it(study, monkeypatch):
    asked, found = pretend(
        monkeypatch,
        study,
        "rq2",
        lambda name, _: 0.8 if name in ("squad in fi", "squad in hu", "squad in et") else 0.6,
    )
    decided = hypotheses.table(study, "rq2", asked, found)
    assert decided.targets.tolist() == ["4 of 4"] * 2 and decided["so far"].tolist() == ["", ""], (
        "TyDiQA comes after two of the tasks"
    )
    assert decided.effect[0] == pytest.approx((3 * 20 / 4 + 20 / 2) / 4, abs=1.5), (
        "targets count alike"
    )


def test_targets_without_the_language_are_not_asked(study):
    shown = hypotheses.table(study, "rq4", comparisons.rq4(study), {})
    assert shown.targets.tolist() == ["0 of 3", "0 of 2"]  # Tatoeba has no English


def test_what_the_data_cannot_answer_is_not_asked(study):
    asked = comparisons.rq4(study)
    plain = dataclasses.replace(
        asked,
        wanted={cell: run for cell, run in asked.wanted.items() if "difficulty" not in cell[0]},
    )
    shown = hypotheses.table(study, "rq4", plain, {})
    assert shown.verdict.tolist() == ["not asked"] * 2 and hypotheses.words(shown).endswith(
        "English more: not asked."
    )


def test_languages_that_the_study_lacks_are_not_asked_about(monkeypatch):
    """No African language: no verdict about African languages from English and Finnish."""
    few = profiles.study(languages="en,fi", missing="dash")
    asked, found = pretend(
        monkeypatch, few, "rq4", lambda name, language: 0.9 if "difficulty 1" in name else 0.5
    )
    african, english = said(few, "rq4", asked, found)
    assert african == "not asked" and english != "not asked"
    shown = differences.table(few, asked, found, only=comparisons.african(few))
    assert comparisons.african(few) == () and shown.difference.isna().all()
