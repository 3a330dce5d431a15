"""Every wide chapter has an answer: its hypotheses find their conditions, and verdicts turn with
the numbers."""

import dataclasses

import numpy as np
import pandas as pd
import pretended
import pytest

from xstilts.analysis import differences, selection
from xstilts.chapters import claims, hypotheses
from xstilts.questions import CHAPTERS, rq4
from xstilts.study import profiles
from xstilts.study.conditions import Comparison, Condition, Contrast

URALIC = (("et",), ("fi",), ("hu",))


def is_all(condition: Condition) -> bool:
    """All tasks at the budget."""
    return len(condition.tasks) == 9 and condition.steps == "budget"


@pytest.fixture(scope="module")
def study():
    return profiles.study(languages="en,de,et,fi,hu,sw,tr", missing="dash")


def compared(study, chapter: str) -> Comparison:
    asked = CHAPTERS[chapter].compared(study)
    if chapter != "xtreme":
        return asked
    targets = dict.fromkeys(target for _, target, _ in asked.wanted)
    return selection.best(
        asked, {}, pd.DataFrame({"target": list(targets), "best on dev": Condition(("squad",))})
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
                pretended.row(name, target, seed, language, ease[target] < rate(name, language))
                for (name, target, seed), run in cells.items()
                for language in run.languages
                if language in ("en", "fi", "sw")
            ]
        )

    pretended.instead(monkeypatch, examples)
    monkeypatch.setattr(differences.repeats, "variance", lambda study: pretended.training())
    return asked, dict(asked.wanted)


def said(study, chapter, asked, found) -> list[str]:
    return hypotheses.table(study, CHAPTERS[chapter].HYPOTHESES, asked, found).verdict.tolist()


def test_every_wide_chapter_has_hypotheses_about_its_own_conditions(study):
    for chapter, its in CHAPTERS.items():
        asked, there = compared(study, chapter), its.HYPOTHESES
        conditions = {name for name, _, _ in asked.wanted}
        assert there
        for hypothesis in there:
            every = hypothesis.weigh(asked)
            assert every and all(
                set(weights) <= conditions and sum(weights.values()) == pytest.approx(0)
                for weights in every
            ), (chapter, hypothesis.text)


def test_a_title_decides_nothing(study):
    """Whatever conditions and contrasts are called, hypotheses and claims find the same ones."""

    def called(condition):
        return dataclasses.replace(condition, called="squad against none, in en (dev)")

    for chapter, its in CHAPTERS.items():
        asked = compared(study, chapter)
        renamed = Comparison(
            {(called(condition), *where): run for (condition, *where), run in asked.wanted.items()},
            [
                Contrast(f"{number}", {called(one): sign for one, sign in weights.items()})
                for number, (_, weights) in enumerate(asked.contrasts)
            ],
        )
        for hypothesis in its.HYPOTHESES:
            assert hypothesis.weigh(asked) == hypothesis.weigh(renamed) != []
        for claim in claims.CLAIMS:
            if claim.chapter == chapter:
                there, others = (
                    list(dict.fromkeys(condition for condition, _, _ in part.wanted))
                    for part in (CHAPTERS[chapter].compared(study), renamed)
                )
                assert claim.weigh(there) != []
                if chapter != "xtreme":  # of which `compared` here keeps the chosen task alone
                    assert claim.weigh(there) == claim.weigh(others)


def test_without_runs_nothing_is_said(study):
    for chapter in CHAPTERS:
        shown = hypotheses.table(study, CHAPTERS[chapter].HYPOTHESES, compared(study, chapter), {})
        assert set(shown.verdict) == {"not run"} and shown.effect.isna().all()
        assert all("points" not in words for _, words in hypotheses.words(shown))


@pytest.mark.parametrize(
    "chapter, rate, verdicts",
    [
        ("multi_task", lambda name, _: 0.9 if is_all(name) else 0.6, ["strong for"]),
        ("multi_task", lambda name, _: 0.4 if is_all(name) else 0.6, ["strong against"]),
        (
            "mlm_continuation",
            lambda name, _: 0.8 if name.text and name.steps == "counted" else 0.6,
            ["strong for"],
        ),
        (
            "translated",
            lambda name, _: 0.8 if "en" not in name.languages and not name.noise else 0.6,
            ["strong for", "strong for"],
        ),
        (
            "translated",
            lambda name, _: 0.8 if name.noise else 0.6,
            ["no difference", "strong against"],
        ),
        (
            "model_size",
            lambda name, _: (
                0.8
                if name.encoder == "e5-small:4" and name.tasks in (("mnli",), ("squad",))
                else 0.5
            ),
            ["strong for"],
        ),
        (
            "rq5",
            lambda name, _: 0.8 if name.encoder == "e5-small" and name.tasks else 0.5,
            ["strong against"],
        ),
        (
            "rq5",
            lambda name, _: 0.8 if name.encoder == "e5-small" and name.tasks == ("squad",) else 0.5,
            ["strong against"],
        ),  # concentrated in one task
        ("xtreme", lambda name, _: 0.7 if name.chosen else 0.6, ["strong for"]),
        (
            "data_efficiency",
            lambda name, _: 0.8 if name.tasks and name.rows == 100 else 0.6,
            ["strong for"],
        ),
        (
            "rq1",
            lambda name, _: {3: 0.7, 9: 0.82}.get(len(name.tasks) if name.draw else 0, 0.6),
            ["strong for", "strong for", "strong for"],
        ),
        (
            "rq1",
            lambda name, _: 0.7 if name.encoder == "e5-small" and name.tasks else 0.5,
            ["no difference", "no difference", "strong against"],
        ),
        (
            "rq2",
            lambda name, _: 0.8 if name.languages in URALIC else 0.6,
            ["strong for", "strong for"],
        ),
        (
            "rq2",
            lambda name, _: 0.8 if name.languages in (("de",), ("tr",)) else 0.6,
            ["no difference", "strong against"],
        ),
        (
            "rq2",
            lambda name, language: 0.8 if name.languages in URALIC and language == "en" else 0.6,
            ["no difference", "strong for"],
        ),
        ("rq3", lambda name, _: 0.8 if len(name.languages) > 1 else 0.6, ["strong for"]),
        (
            "rq4",
            lambda name, language: 0.8 if name.difficulty == 1 and language == "sw" else 0.6,
            ["strong for", "strong for"],
        ),
        (
            "rq4",
            lambda name, language: 0.8 if name.difficulty == 1 and language == "en" else 0.6,
            ["no difference", "strong against"],
        ),
    ],
)
def test_verdicts_turn_with_the_numbers(study, monkeypatch, chapter, rate, verdicts):
    assert said(study, chapter, *pretend(monkeypatch, study, chapter, rate)) == verdicts


def test_the_answer_says_where_an_effect_is_concentrated_and_why_it_is_open(study, monkeypatch):
    asked, found = pretend(
        monkeypatch,
        study,
        "rq4",
        lambda name, _: 0.66 if name == Condition(("squad",), difficulty=1) else 0.6,
    )
    monkeypatch.setattr(differences.repeats, "variance", lambda study: pretended.training(3))
    answer = hypotheses.words(hypotheses.table(study, CHAPTERS["rq4"].HYPOTHESES, asked, found))
    verdict, words = answer[0]
    assert verdict == "Open" and "an easy task" in words.lower() and ": +" in words
    assert "Why it is open: too few seeds" in words and "What would settle it: " in words


def test_the_effect_in_english_stands_beside_it(study, monkeypatch):
    asked, found = pretend(
        monkeypatch,
        study,
        "rq3",
        lambda name, language: 0.8 if len(name.languages) > 1 and language == "en" else 0.6,
    )
    decided = hypotheses.table(study, CHAPTERS["rq3"].HYPOTHESES, asked, found)
    row = decided.iloc[0]
    assert row["in English"] == pytest.approx(20, abs=4) and row.effect < 10
    assert f". In English alone +{row['in English']:.1f}." in hypotheses.words(decided)[0][1]
    decided = hypotheses.table(
        study,
        rq4.HYPOTHESES,
        *pretend(
            monkeypatch,
            study,
            "rq4",
            lambda name, language: 0.8 if name.difficulty == 1 and language == "en" else 0.6,
        ),
    )
    african = decided.iloc[0]
    assert african.effect == pytest.approx(0, abs=4) and african["in English"] == pytest.approx(
        20, abs=4
    )
    about = ["In English alone" in words for _, words in hypotheses.words(decided)]
    assert about == [True, False], "the second hypothesis is about English"
    retrieval = hypotheses.table(
        study,
        CHAPTERS["rq3"].HYPOTHESES,
        asked,
        {cell: run for cell, run in found.items() if cell[1] == "tatoeba"},
    )
    words = hypotheses.words(retrieval)[0][1]
    assert "points [" in words and "In English" not in words, "no English is scored"


def test_what_rests_on_a_part_says_so(study, monkeypatch):
    asked, found = pretend(
        monkeypatch, study, "rq3", lambda name, _: 0.8 if len(name.languages) > 1 else 0.6
    )
    table = hypotheses.table(study, CHAPTERS["rq3"].HYPOTHESES, asked, found)
    verdict, whole = hypotheses.words(table)[0]
    assert verdict == "Strong for" and "So far" not in whole
    assert whole.startswith("With the same rows, many languages help more than English: +")
    assert hypotheses.short(table).startswith("strong for: +")
    part = {
        cell: run
        for cell, run in found.items()
        if cell[0].tasks == ("squad",) and cell[1] == "tatoeba"
    }
    table = hypotheses.table(study, CHAPTERS["rq3"].HYPOTHESES, asked, part)
    words = hypotheses.words(table)[0][1]
    assert "So far 1 of 2 differences were run" in words and ", 1 of" in words


def test_a_target_is_asked_for_the_conditions_that_the_chapter_has_for_it(study, monkeypatch):
    asked, found = pretend(
        monkeypatch,
        study,
        "rq2",
        lambda name, _: 0.8 if name.tasks == ("squad",) and name.languages in URALIC else 0.6,
    )
    decided = hypotheses.table(study, CHAPTERS["rq2"].HYPOTHESES, asked, found)
    assert decided.targets.tolist() == ["4 of 4"] * 2 and decided["so far"].tolist() == ["", ""], (
        "TyDiQA comes after two of the tasks"
    )
    assert decided.effect[0] == pytest.approx((3 * 20 / 4 + 20 / 2) / 4, abs=1.5), (
        "targets count alike"
    )


def test_targets_without_the_language_are_not_asked(study):
    shown = hypotheses.table(study, CHAPTERS["rq4"].HYPOTHESES, rq4.compared(study), {})
    assert shown.targets.tolist() == ["0 of 3", "0 of 2"]  # Tatoeba has no English


def test_what_the_data_cannot_answer_is_not_asked(study):
    asked = rq4.compared(study)
    plain = dataclasses.replace(
        asked,
        wanted={cell: run for cell, run in asked.wanted.items() if not cell[0].difficulty},
    )
    shown = hypotheses.table(study, CHAPTERS["rq4"].HYPOTHESES, plain, {})
    assert shown.verdict.tolist() == ["not asked"] * 2
    assert [verdict for verdict, _ in hypotheses.words(shown)] == ["Not asked"] * 2
    assert hypotheses.short(shown) == "not asked"


def test_languages_that_the_study_lacks_are_not_asked_about(monkeypatch):
    """No African language: no verdict about African languages from English and Finnish."""
    few = profiles.study(languages="en,fi", missing="dash")
    asked, found = pretend(
        monkeypatch, few, "rq4", lambda name, language: 0.9 if name.difficulty == 1 else 0.5
    )
    african, english = said(few, "rq4", asked, found)
    assert african == "not asked" and english != "not asked"
    shown = differences.table(few, asked, found, only=rq4.african(few))
    assert rq4.african(few) == () and shown.difference.isna().all()
