"""Wide chapters: equal budgets by construction, words that follow from the numbers, dashes for what
was not run."""

import dataclasses

import numpy as np
import pandas as pd
import pretended
import pytest

from xstilts.analysis import differences, reported, selection, wording
from xstilts.book import comparison_figures, figure_text, tables
from xstilts.chapters import explain, needed
from xstilts.questions import (
    CHAPTERS,
    mlm_continuation,
    model_size,
    multi_task,
    rq1,
    rq2,
    rq4,
    translated,
    xtreme,
)
from xstilts.runs import records, results
from xstilts.runs.key import Adapt, Base, key, line, starting_encoder
from xstilts.study import phases, profiles
from xstilts.study.conditions import NONE, Comparison, Condition, against
from xstilts.tasks import benchmarks, languages

MNLI, SQUAD, QQP = (Condition((name,)) for name in ("mnli", "squad", "qqp"))
MISSING = Condition(called="missing", draw=1)


@pytest.fixture(scope="module")
def study():
    return profiles.study(
        targets="xnli,tatoeba", languages="en,de,fi,sw", sizes="e5-small:4,e5-small:8"
    )


@pytest.mark.parametrize("name", CHAPTERS)
def test_what_is_compared_is_wanted_and_takes_the_same_steps(study, name):
    asked = CHAPTERS[name].compared(study)
    there = {condition for condition, _, _ in asked.wanted}
    assert (
        asked.contrasts
        and {condition for _, weights in asked.contrasts for condition in weights} <= there
    )
    assert all(sum(weights.values()) == 0 for _, weights in asked.contrasts)
    for label, weights in asked.contrasts:
        taken = {
            key(start): start.recipe
            for (condition, _, _), run in asked.wanted.items()
            if condition in weights
            and isinstance(start := starting_encoder(run), Adapt)
            and (start.tasks != ("text",) or "text" in condition.tasks)
        }
        steps = {condition.steps for condition in weights if condition.tasks}
        if len(steps) == 1:
            assert len({(recipe.steps, recipe.batch_size) for recipe in taken.values()}) == 1, label
        else:
            assert len({recipe.steps for recipe in taken.values()}) == 2, label


def test_tasks_that_are_mixed_take_the_budget(study):
    steps = {
        condition: starting_encoder(run).recipe.steps
        for (condition, _, _), run in multi_task.compared(study).wanted.items()
        if condition != NONE
    }
    own = [condition for condition in steps if condition.steps == "own"]
    assert steps.pop(*own) > 3 * profiles.phase2_budget(study)
    assert set(steps.values()) == {profiles.phase2_budget(study)} and {
        "all",
        "best three",
        "all but squad",
        "squad",
    } <= set(map(str, steps))


def test_two_of_the_papers_three_best_are_not_called_three(study):
    few = dataclasses.replace(study, intermediates=("mnli", "squad", "ccg"))
    names = {condition.title for condition, _, _ in multi_task.compared(few).wanted}
    assert "best three" not in names and {"all", "all but ccg"} <= names


def test_languages_are_drawn_from_those_that_have_rows(study, monkeypatch):
    everywhere = rq1.data.languages
    monkeypatch.setattr(
        rq1.data,
        "languages",
        lambda name, source, split="train": (
            everywhere(name, source, split)
            if split != "train"
            else ("en", "fi")
            if name == "mnli"
            else ("en",)
        ),
    )
    names = {condition.title for condition, _, _ in rq1.compared(study).wanted}
    assert {"1 task in fi (draw 1)", "1 task in fi (draw 1, in English)"} <= names and not any(
        name.startswith("3 tasks in") for name in names
    )


def test_african_languages_are_shown_beside_english(study):
    assert rq4.african(study) == ("sw",)
    assert set(rq4.compared(study).wanted[Condition(("mnli",)), "tatoeba", 0].languages) == {
        "de",
        "fi",
        "sw",
    }  # scored, to be shared


def test_rq2_takes_from_other_chapters_what_is_in_english_and_scores_the_rest_where_it_asks(study):
    study = dataclasses.replace(study, targets=("udpos", "tatoeba", "xnli"))
    asked, others = (
        rq2.compared(study).wanted,
        {key(run) for run in needed.needed("xtreme", study)},
    )
    assert rq2.finnish_hungarian(study) == ("fi",)
    for (condition, target, _), run in asked.items():
        if condition == NONE or condition.languages == ("en",):
            assert key(run) in others
        else:
            assert run.languages == (("fi",) if target == "tatoeba" else ("en", "fi"))
    assert {target for _, target, _ in asked} == {"udpos", "tatoeba"}


@pytest.mark.parametrize("name", CHAPTERS)
def test_all_conditions_start_from_the_same_encoder(study, name):
    asked = CHAPTERS[name].compared(study).wanted.values()
    phase1 = {
        key(step)
        for run in asked
        for step in line(run)
        if isinstance(step, Adapt)
        and step.tasks == ("text",)
        and not isinstance(step.encoder, Adapt)
    }
    sizes = {study.encoder, *(study.sizes if name in ("model_size", "rq1", "rq5") else ())}
    assert phase1 <= {
        key(phases.phase1(dataclasses.replace(study, encoder=size))) for size in sizes
    }


def test_chapters_share_their_runs(study):
    keys = [
        {key(run) for run in needed.needed(name, study)}
        for name in ("multi_task", "translated", "rq3", "single_task")
    ]
    assert keys[0] & keys[1] and keys[1] & keys[2] and keys[0] & keys[3]


def test_what_a_chapter_does_not_ask_is_no_gap_of_its_table(study):
    study = dataclasses.replace(study, targets=("udpos", "tydiqa"))
    asked = rq2.compared(study)
    squad = Condition(("squad",), ("fi",), steps="counted")
    ccg = dataclasses.replace(squad, tasks=("ccg",))
    assert (squad, "tydiqa", 0) in asked.wanted and (ccg, "tydiqa", 0) not in asked.wanted
    shown = differences.table(study, asked, {})
    cells = set(zip(shown.comparison, shown.target, strict=True))
    assert ("squad in fi against squad in en", "tydiqa") in cells and (
        "ccg in fi against ccg in en",
        "udpos",
    ) in cells
    assert ("ccg in fi against ccg in en", "tydiqa") not in cells


def test_a_share_of_all_rows_is_all_rows(study):
    """0 rows: all of them, in each language."""
    study = dataclasses.replace(study, phase2_rows=0)
    trained = {
        (condition.tasks, run.encoder.recipe.rows)
        for (condition, _, _), run in mlm_continuation.compared(study).wanted.items()
        if condition.parts > 1
    }
    assert trained == {(("text",), 0)}


def test_translated_rows_are_as_many_and_in_other_languages(study):
    wanted = translated.compared(study).wanted
    three = Condition(("mnli",), ("de", "fi", "sw"), parts=3, steps="counted")
    run = starting_encoder(wanted[three, "xnli", 0])
    assert run.languages == ("de", "fi", "sw") and run.recipe.rows == study.phase2_rows // 3
    noisy = dataclasses.replace(three, noise=0.3)
    assert starting_encoder(wanted[noisy, "xnli", 0]).fingerprints != run.fingerprints


def fake(monkeypatch, study, rates: dict[Condition, float]):
    """Examples of conditions that are right so often, on a test set of 400 in two languages."""
    draw = np.random.default_rng(0)
    asked = Comparison(
        {
            (name, target, 0): Base(f"{name} {target}", f"{name} {target}")
            for name in (*rates, MISSING)
            for target in ("xnli", "tatoeba")
        },
        [against(name) for name in (*rates, MISSING) if name != NONE],
    )
    found = {cell: run for cell, run in asked.wanted.items() if cell[0] != MISSING}
    parts = {
        cell: pd.DataFrame(
            [
                {
                    "condition": cell[0],
                    "target": cell[1],
                    "seed": 0,
                    "language": language,
                    "metric": "accuracy",
                    "layer": layer,
                    "numerator": (draw.random(400) < rates[cell[0]]) * 1.0,
                    "denominator": np.ones(400),
                }
                for language in ("en", "fi")
                for layer in ([-1] if cell[1] == "xnli" else [2, 4])
            ]
        )
        for cell in found
    }
    monkeypatch.setattr(
        results, "examples", lambda wanted: pd.concat([parts[cell] for cell in wanted])
    )
    monkeypatch.setattr(differences.repeats, "variance", lambda study: pretended.training())
    scores(monkeypatch, {name: 100 * rate for name, rate in rates.items()})
    monkeypatch.setattr(
        records, "source", lambda runs, root: {"live": list(runs), "recorded": [], "not run": []}
    )
    return asked, found


def scores(monkeypatch, english: dict[Condition, float], elsewhere: float = 33.0):
    """Scores of conditions (0-100) in English, and of all in Finnish."""
    monkeypatch.setattr(
        results,
        "scores",
        lambda wanted: pd.DataFrame(
            [
                {
                    "condition": name,
                    "target": target,
                    "seed": seed,
                    "language": language,
                    "metric": "accuracy",
                    "layer": -1 if target == "xnli" else 4,
                    "baseline": 33.0,
                    "value": english[name] if language == "en" else elsewhere,
                    "n": 400,
                }
                for name, target, seed in wanted
                for language in ("en", "fi")
            ]
        ),
    )


def test_verdicts_follow_from_the_numbers(study, monkeypatch):
    asked, found = fake(monkeypatch, study, {NONE: 0.5, MNLI: 0.9, SQUAD: 0.2, QQP: 0.5})
    scores(monkeypatch, dict.fromkeys((NONE, MNLI, SQUAD, QQP), 90.0))
    shown = differences.table(study, asked, found)
    said = differences.verdicts(study, asked, found, shown).set_index("comparison")
    assert list(said.grade) == ["moderate", "moderate", "open", "not run"], "none was named"
    assert list(said.up)[:2] == [2, 0] and list(said.down)[:2] == [0, 2]
    named = said.rename(columns={"difference": "effect"})[["effect", "low"]].head(1)
    again = differences.verdicts(study, asked, found, shown, named.assign(**{"p (Holm)": 0.01}))
    assert list(again.grade) == ["strong", "moderate", "open", "not run"]
    assert (shown["p (Holm)"].dropna() >= shown.p.dropna()).all() and shown.p.isna().sum() == 2
    assert set(shown[shown.comparison == "missing against none"].n) == {"–"}
    only = differences.table(study, asked, found, only=("fi",))
    assert set(only.dropna(subset="difference").languages) == {1}
    drawn = comparison_figures.differences(study, asked, shown)
    for name, part in shown.dropna(subset="difference").groupby(
        "comparison"
    ):  # each dot in its own row, beneath its name
        values = " and ".join(
            f"{wording.title(row.target)} {row.difference:+.1f}" for row in part.itertuples()
        )
        assert f"{wording.title(name)}: {values}" in figure_text.described(drawn)
    names = dict(
        zip(
            (label.get_text() for label in drawn.axes[0].get_yticklabels()),
            drawn.axes[0].get_yticks(),
            strict=True,
        )
    )
    assert len(names) == 4 and names["MNLI against none"] == min(names.values())
    assert drawn.get_figwidth() < 6  # a phone shows no more of it


def test_a_target_without_the_languages_that_are_shown_is_a_dash(study, monkeypatch):
    asked, found = fake(monkeypatch, study, {NONE: 0.5, MNLI: 0.9})
    scores(monkeypatch, {NONE: 90.0, MNLI: 90.0})
    shown = differences.table(study, asked, found, only=("sw",))
    assert (
        len(shown) == 4
        and shown.difference.isna().all()
        and set(shown.n) == set(shown["from"]) == {"–"}
    )
    parts = {
        cell: results.examples({cell: None}).head(0) for cell in found
    }  # recorded of real rows: scores alone
    monkeypatch.setattr(
        results, "examples", lambda wanted: pd.concat([parts[cell] for cell in wanted])
    )
    assert differences.table(study, asked, found, only=("fi",)).languages.tolist() == [
        1,
        1,
        "–",
        "–",
    ]


def test_words_turn_with_the_numbers(study, monkeypatch):
    for rate, helping, hurting in (
        (0.9, "MNLI against none", "none"),
        (0.1, "none", "MNLI against none"),
    ):
        asked, found = fake(monkeypatch, study, {NONE: 0.5, MNLI: rate})
        scores(monkeypatch, {NONE: 90.0, MNLI: 90.0})
        shown = differences.table(study, asked, found)
        words = differences.words(study, asked, found, shown)
        assert (words["helping"], words["hurting"]) == (helping, hurting)
        assert words["largest"].startswith("MNLI against none for ")
        assert words["largest_value"].startswith("+" if rate > 0.5 else "-")


@pytest.mark.parametrize(
    "english, best, learned",
    [
        (57.0, 97.0, False),  # a tenth of the way from chance
        (73.0, 97.0, True),
        (69.0, 97.0, False),
        (40.0, 40.0, False),  # the best is hardly above chance: nobody learned it
        (44.0, 44.0, True),
    ],
)
def test_one_rule_says_what_was_learned(study, monkeypatch, english, best, learned):
    """Chance is 33: less than three fifths of the way to the best, or fewer than ten points."""
    asked, found = fake(monkeypatch, study, {NONE: 0.5, MNLI: 0.9})
    scores(monkeypatch, {NONE: english, MNLI: best})
    shown = reported.trainings(study, results.scores(found))
    assert shown.learned[NONE, "xnli", 0] == learned
    table = differences.table(study, asked, found).set_index(["comparison", "target"])
    row = table.loc["mnli against none", "xnli"]
    assert (row.grade == "not learned") == (not learned) and row["with failures"] == pytest.approx(
        40, abs=5
    )
    words = differences.words(study, asked, found, differences.table(study, asked, found))
    assert ("none for XNLI" in words["not_learned"]) == (not learned)
    assert len(reported.trainings(study, results.scores(found))) == 2, "Tatoeba is not trained"
    elsewhere = results.scores(found).query("language == 'fi'")
    assert reported.failed(study, elsewhere) == {(NONE, "xnli", 0), (MNLI, "xnli", 0)}, (
        "English is not scored: 33 in Finnish is chance"
    )


def test_each_condition_is_shown_with_its_tasks_its_cost_and_its_scores(study, monkeypatch):
    none, mnli = Condition(encoder="e5-small:8"), Condition(("mnli",), encoder="e5-small:8")
    found = {
        cell: run
        for cell, run in model_size.compared(study).wanted.items()
        if cell[:2] in ((none, "xnli"), (mnli, "xnli"))
    }
    scores(monkeypatch, {none: 90.0, mnli: 94.0}, elsewhere=50.0)
    shown = explain.conditions(study, found).set_index("condition")
    assert shown.loc[none, ["tasks", "languages", "steps", "score", "in English"]].tolist() == [
        "–",
        "–",
        "–",
        70,
        90,
    ]
    steps = str(starting_encoder(found[mnli, "xnli", 0]).recipe.steps)
    assert shown.loc[mnli, ["tasks", "languages", "steps", "score", "in English"]].tolist() == [
        "MNLI",
        "en",
        steps,
        72,
        94,
    ]
    assert shown.loc[mnli, explain.WORK] > shown.loc[none, explain.WORK] > 0
    assert explain.conditions(study, {}).columns.tolist() == shown.reset_index().columns.tolist()


def test_the_figure_names_one_of_two_conditions_that_cost_the_same(study):
    asked = Comparison(
        {(name, "xnli", 0): Base(name, name) for name in ("none", "worse", "better")}, []
    )
    table = pd.DataFrame(
        {
            "condition": ["none", "worse", "better"],
            "target": "xnli",
            explain.WORK: [1.0, 2.0, 2.0],
            "score": [50.0, 60.0, 70.0],
        }
    )
    drawn = comparison_figures.against_cost(study, asked, table)
    assert [text.get_text() for text in drawn.axes[0].texts] == [
        "better",
        wording.title("none"),
    ]  # the best one first


def test_differences_by_kind_of_language_and_of_task_have_how_many_languages_are_behind_them(
    study, monkeypatch
):
    asked, found = fake(monkeypatch, study, {NONE: 0.5, MNLI: 0.9})
    scores(monkeypatch, {NONE: 90.0, MNLI: 90.0})
    by_text = explain.groups(study, asked, found, languages.resources, "web text")
    assert by_text["web text"].tolist() == ["10 GB and more"] and by_text.languages.tolist() == [
        1
    ]  # Finnish; not English
    by_task = explain.groups(
        study, asked, found, benchmarks.category, "kind of task", of="target"
    ).set_index("kind of task")
    assert set(by_task.index) == {"classification", "retrieval"} and set(by_task.targets) == {1}
    alone = (
        differences.table(study, asked, found, only=("fi",))
        .set_index(["comparison", "target"])
        .difference
    )
    assert by_task.difference["classification"] == pytest.approx(alone["mnli against none", "xnli"])
    del found[MNLI, "tatoeba", 0]  # not run: none has it, but there is nothing to compare
    fewer = explain.groups(study, asked, found, languages.resources, "web text")
    assert fewer.targets.tolist() == [1] and fewer.difference.tolist() == pytest.approx(
        [alone["mnli against none", "xnli"]]
    )


def test_gain_by_language_is_told_against_the_targets_that_have_the_language(study, monkeypatch):
    asked, found = fake(monkeypatch, study, {NONE: 0.5, MNLI: 0.9})
    gains = {("xnli", "fi"): 10, ("xnli", "de"): 20}
    gains |= {("udpos", "fi"): 4, ("udpos", "sw"): 6, ("udpos", "de"): 5, ("tatoeba", "de"): -60}
    rows = [
        (name, target, language, 50.0 + (gain if name == MNLI else 0), learned)
        for name in (NONE, MNLI)
        for learned in (True, False)
        for (target, language), gain in (gains if learned else {("udpos", "fi"): 99}).items()
    ]
    columns = ["condition", "target", "language", "score", "learned"]
    part = pd.DataFrame(rows, columns=columns)
    monkeypatch.setattr(differences, "examples", lambda study, found, leave_out: part)
    table = explain.languages(study, asked, found).set_index("language")
    assert set(table.comparison) == {"mnli against none"}  # the other was not run
    assert table["mean difference"].to_dict() == {"de": 12.5, "fi": 7.0, "sw": 6.0}
    assert table[explain.BEYOND].to_dict() == {"de": 2.5, "fi": -3.0, "sw": 1.0}
    assert table.targets.to_dict() == {"de": 2, "fi": 2, "sw": 1}
    assert table[explain.DISTANCE].gt(0).all()
    drawn = comparison_figures.by_distance(study, asked, table.reset_index())
    assert {text.get_text() for text in drawn.axes[0].texts} == {"de", "fi", "sw"}
    empty = comparison_figures.by_distance(study, asked, table.reset_index().iloc[:0])
    assert "r = –, n = 0" in empty.axes[0].get_title(loc="left")


def test_each_language_of_each_target_has_the_difference_that_tables_have(study, monkeypatch):
    asked, found = fake(monkeypatch, study, {NONE: 0.5, MNLI: 0.9})
    scores(monkeypatch, {NONE: 90.0, MNLI: 90.0})
    table = explain.each_language(study, asked, found).set_index(["target", "language"])
    assert set(table.index) == {(t, code) for t in ("xnli", "tatoeba") for code in ("en", "fi")}
    for code in ("en", "fi"):
        whole = differences.table(study, asked, found, only=(code,)).set_index(
            ["comparison", "target"]
        )
        for target in ("xnli", "tatoeba"):
            row, same = table.loc[target, code], whole.loc["mnli against none", target]
            for name in ("difference", "low", "high"):
                assert row[name] == pytest.approx(same[name])
            assert row.after - row.without == pytest.approx(row.difference)
            assert row.low < row.difference < row.high and row.n == 400


def test_gains_over_what_may_explain_them_have_names_or_a_dash(study, monkeypatch):
    asked, _ = fake(monkeypatch, study, {NONE: 0.5, MNLI: 0.9})
    table = pd.DataFrame(
        {
            "condition": ["mnli", "squad"],
            "difficulty": [3.0, np.nan],
            "gain 1": [2.0, 1.0],
            "gain 2": [np.nan, -1.0],
        }
    )
    (axis,) = comparison_figures.scatter(
        study, asked, table, "difficulty", {"gain 1": "there", "gain 2": "in English"}, "condition"
    ).axes
    assert [text.get_text() for text in axis.texts] == ["MNLI"] and axis.get_lines()[
        0
    ].get_ydata().tolist() == [2.0]
    (axis,) = comparison_figures.scatter(
        study,
        asked,
        table.assign(difficulty=np.nan),
        "difficulty",
        {"gain 1": "there"},
        "condition",
    ).axes
    assert [text.get_text() for text in axis.texts] == ["–"]


def test_each_language_is_of_one_kind():
    for kinds in (languages.FAMILIES, languages.SCRIPTS, languages.WEB_TEXT):
        members = " ".join(kinds.values()).split()
        assert len(members) == len(set(members))
    kinds = [
        (languages.family(name), languages.resources(name)) for name in ("hu", "hi", "yo", "fon")
    ]
    assert kinds == [
        ("Uralic", "10 GB and more"),
        ("Indo-Aryan", "1 to 10 GB"),
        ("Niger-Congo", "under 1 GB"),
        ("Niger-Congo", "none in CC-100"),
    ]


def test_nothing_at_all_was_run(study):
    asked = multi_task.compared(study)
    shown = differences.table(study, asked, {})
    assert shown.difference.isna().all() and set(
        differences.verdicts(study, asked, {}, shown).grade
    ) == {"not run"}
    assert differences.words(study, asked, {}, shown)["largest_value"] == "–"
    assert explain.difficulty({}, {"African": shown}).empty


def test_the_task_of_a_target_is_chosen_on_dev_rows_alone(study, monkeypatch):
    study = dataclasses.replace(study, targets=profiles.PROFILES["mini"].targets)
    asked = xtreme.compared(study)
    found = dict(asked.wanted)
    dev = {
        key(run): 90.0 if starting_encoder(run).tasks == ("squad",) else 50.0
        for (condition, target, _), run in found.items()
        if condition != NONE and target in ("xnli", "tatoeba")
    }
    monkeypatch.setattr(
        selection, "_dev_score", lambda study, target, run, other: dev.get(key(run), np.nan)
    )
    chosen = selection.table(study, asked, found).set_index("target")
    assert chosen["best on dev"]["xnli"] == SQUAD and chosen["candidates"]["xnli"] == 9
    assert chosen["as good"]["xnli"] == 1 and chosen["as good"]["panx"] == 0
    assert pd.isna(chosen["best on dev"]["panx"]) and chosen["candidates"]["panx"] == 0
    compared, runs = selection.best(asked, found, chosen.reset_index())
    assert runs[selection.BEST, "xnli", 0] == asked.wanted[SQUAD, "xnli", 0]
    assert (selection.BEST, "panx", 0) in compared.wanted and (
        selection.BEST,
        "panx",
        0,
    ) not in runs
    assert all(run.split == "test" for run in runs.values())
    assert {
        run.split
        for (condition, _, _), run in asked.wanted.items()
        if condition.split == "validation"
    } == {"validation"}


def test_what_is_scored_on_a_seed_is_chosen_on_the_others(study, monkeypatch):
    """The task that is lucky with a seed is not chosen for it."""
    study = dataclasses.replace(study, targets=profiles.PROFILES["mini"].targets, seeds=(0, 1, 2))
    asked = xtreme.compared(study)
    found = {cell: run for cell, run in asked.wanted.items() if cell[1] == "xnli"}

    def dev_score(study, target, run, other):
        tasks = starting_encoder(run).tasks
        if tasks == ("squad",):
            return {0: 99.0, 1: 50.0, 2: 50.0}[run.seed]
        return 60.0 + (tasks == ("mnli",))

    monkeypatch.setattr(selection, "_dev_score", dev_score)
    chosen = selection.table(study, asked, found)
    picked = chosen[chosen.target == "xnli"].set_index("scored on seed")["best on dev"]
    assert picked.to_dict() == {0: MNLI, 1: SQUAD, 2: SQUAD}
    _, runs = selection.best(asked, found, chosen)
    assert runs[selection.BEST, "xnli", 0] == found[MNLI, "xnli", 0]
    assert runs[selection.BEST, "xnli", 1] == found[SQUAD, "xnli", 1]


def test_more_seeds_of_none_choose_nothing(study, monkeypatch):
    """A task with one seed is chosen on that seed, however many none has."""
    study = dataclasses.replace(
        study, targets=("xnli", "tatoeba"), seeds=(0,), none_seeds=(0, 1, 2)
    )
    asked = xtreme.compared(study)
    monkeypatch.setattr(selection, "_dev_score", lambda *given: 50.0)
    chosen = selection.table(study, asked, dict(asked.wanted))
    assert chosen.target.is_unique and (chosen["candidates"] > 0).all()


def test_a_cell_without_a_task_is_a_dash():
    page = tables.show(
        pd.DataFrame({"target": ["xnli", "udpos"], "intermediate": ["mnli", float("nan")]})
    ).data
    assert "MNLI" in page and "–" in page
