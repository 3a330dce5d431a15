"""What people ask for: parameters of every type, unknown ones, and messages that name what is
known."""

import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts import cli
from xstilts.errors import UserError
from xstilts.study import profiles
from xstilts.study.profiles import PROFILES, parameters, study
from xstilts.tasks.table import TASKS, training_task


@pytest.mark.parametrize(
    "given, message",
    [
        (dict(profile="huge"), "unknown profile 'huge'; known: mini, small, real, paper"),
        (dict(sedes=[1]), "unknown parameter 'sedes'; known: profile, encoder, .*seeds"),
        (dict(targets=["xnlii"]), "unknown target task 'xnlii'; known: xnli, pawsx"),
        (dict(intermediates=["xnli"]), "unknown intermediate task 'xnli'; known: anli, mnli"),
        (
            dict(languages=["en", "xx"]),
            "unknown language 'xx'; embedded synthetic benchmark has: af, ar, de, en, es, et",
        ),
        (dict(encoder="e6-small"), "unknown encoder 'e6-small'.*e5-small"),
        (dict(encoder="e5-small:13"), "13 layers"),
        (dict(data="/nowhere/at/all"), "'/nowhere/at/all' is not a folder"),
        (dict(phase2_steps="many"), "parameter phase2_steps: 'many' is not of type int"),
        (dict(phase2_steps=2.5), "phase2_steps: 2.5 is not of type int"),
        (dict(phase2_steps=-1), "negative"),
        (dict(seeds=["a"]), "seeds: 'a' is not of type int"),
        (dict(precision="fp8"), "none of auto, bf16, fp32"),
        (dict(profile=["mini"]), "unknown profile"),
    ],
)
def test_a_slip_is_told_with_what_is_known(given, message):
    with pytest.raises(UserError, match=message):
        study(**given)


def test_papermills_spellings_are_understood():
    asked = study(
        languages="de, fi",
        seeds="0,1",
        phase2_learning_rate="1e-5",
        phase2_steps="7",
        targets="xnli",
    )
    assert (asked.languages, asked.seeds, asked.phase2_learning_rate) == (
        ("de", "fi"),
        (0, 1),
        1e-5,
    )
    assert (asked.phase2_steps, asked.targets) == (7, ("xnli",))
    assert study(seeds=3).seeds == (3,)


def test_empty_values_are_the_profiles():
    empty = {name: "" for name in ("encoder", "phase1_steps", "layer")} | {
        "languages": [],
        "seeds": [],
    }
    assert study(**empty) == study() and study().profile == "mini"
    assert study(phase1_steps=0).phase1_steps == 0  # a zero is a value


def test_a_notebooks_names_are_its_parameters():
    names = {
        "profile": "mini",
        "seeds": [1],
        "__name__": "__main__",
        "_i1": "x",
        "In": [""],
        "Out": {},
        "types": types,
    }
    assert parameters(names).seeds == (1,)
    with pytest.raises(UserError, match="'sede'"):
        parameters(names | {"sede": [1]})
    with pytest.raises(
        UserError, match="parameter data: <module"
    ):  # an import took the name: not silently the default
        parameters(names | {"data": types})
    assert parameters(names | {"study": study(), "note": "my own"}).seeds == (
        1,
    )  # the cell run again by hand


@given(st.text(max_size=30))
def test_any_profile_or_encoder_is_known_or_refused(text):
    for name in ("profile", "encoder", "targets", "languages"):
        try:
            accepted = study(**{name: text})
        except UserError:
            continue
        assert accepted.profile in PROFILES and set(accepted.targets) <= set(TASKS)
        assert set(accepted.languages) <= set(study().languages)


def test_local_data_is_taken_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("XSTILTS_DATA", str(tmp_path))
    with pytest.raises(UserError, match="has none of the task folders: .*mnli"):
        study()
    assert study(data="mini").data == "mini"


def test_the_paper_profile_has_the_papers_values():
    paper = PROFILES["paper"]
    assert paper.encoder.startswith("FacebookAI/xlm-roberta-large") and paper.phase1_steps == 0
    recipe = profiles.phase3_recipe(paper, "xquad")
    assert (recipe.learning_rate, recipe.batch_size, recipe.max_length, recipe.epochs) == (
        1e-5,
        16,
        384,
        2,
    )
    assert (recipe.weight_decay, recipe.adam_epsilon, recipe.warmup, recipe.clip) == (
        0.01,
        1e-8,
        0.1,
        1.0,
    )
    assert profiles.phase2_recipe(paper, ("mnli",)).batch_size == 4
    assert (recipe.evaluate_every, recipe.patience, recipe.dev_rows) == (1000, 30, 500)


def test_targets_train_on_what_the_paper_says():
    assert (
        training_task(TASKS["xnli"]).name == "mnli"
        and training_task(TASKS["xquad"]).name == "squad"
    )
    assert training_task(TASKS["udpos"]).name == "udpos"


def test_the_command_line_answers_with_one_line_and_a_code(capsys):
    assert cli.main(["run", "single_task", "out.ipynb", "-p", "profile", "huge"]) == 2
    assert "known: mini, small, real, paper" in capsys.readouterr().err
    assert cli.main(["run", "no_such_chapter", "out.ipynb"]) == 2
    assert "single_task" in capsys.readouterr().err
    assert cli.main(["tasks"]) == 0
    assert "tatoeba" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words, profile, chapter",
    [
        ([], "mini", ""),
        (["rq3"], "mini", "rq3"),
        (["paper"], "paper", ""),
        (["paper", "rq3"], "paper", "rq3"),
        (["rq3", "-p", "profile", "paper"], "paper", "rq3"),
        (["paper", "-p", "profile", "paper"], "paper", ""),
    ],
)
def test_a_plan_is_asked_for_by_profile_and_chapter(words, profile, chapter, monkeypatch, capsys):
    from xstilts.tools import plan

    monkeypatch.setattr(
        plan, "text", lambda study, chapter, unrecorded: f"{study.profile} {chapter or 'all'}"
    )
    assert (
        cli.main(["plan", *words]) == 0
        and capsys.readouterr().out.strip() == f"{profile} {chapter or 'all'}"
    )


@pytest.mark.parametrize(
    "words, message",
    [
        (["papre"], "not 'papre'; profiles: mini, small, real, paper, chain; chapters: claims"),
        (["rq3", "paper"], "not 'rq3 paper'"),
        (["paper", "rq3", "rq4"], "not 'paper rq3 rq4'"),
        (["paper", "-p", "profile", "small"], "two profiles: paper and -p profile small"),
    ],
)
def test_words_that_are_no_profile_and_chapter(words, message, capsys):
    assert cli.main(["plan", *words]) == 2 and message in capsys.readouterr().err


def test_a_target_can_be_trained_otherwise():
    own = ("pawsx steps 600", "pawsx learning_rate 3e-4")
    study = profiles.study(phase3_own=own)
    recipes = {name: profiles.phase3_recipe(study, name) for name in ("pawsx", "xnli")}
    assert (recipes["pawsx"].steps, recipes["pawsx"].learning_rate) == (600, 3e-4)
    usual = profiles.phase3_recipe(profiles.study(), "pawsx")
    assert (usual.steps, usual.learning_rate) != (600, 3e-4)
    assert recipes["xnli"] == profiles.phase3_recipe(profiles.study(), "xnli")


@pytest.mark.parametrize(
    "words", ["pawsx", "pawsx steps", "pawsx steps x", "pawsx steps 0", "pawsx seeds 3", "qqp 1 2"]
)
def test_how_a_target_is_trained_otherwise_is_checked(words):
    with pytest.raises(UserError, match="phase3_own"):
        profiles.study(phase3_own=[words])


def test_only_targets_are_trained_otherwise():
    with pytest.raises(UserError, match="unknown target task 'qqp'"):
        profiles.study(phase3_own=["qqp steps 7"])
