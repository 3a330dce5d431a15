"""Every row of the task table: loaded, encoded, trained for two steps, predicted and scored."""

import dataclasses
import re
import shutil
import sys

import hubrows
import pandas as pd
import pytest

from xstilts import data, encoders
from xstilts.data import hub
from xstilts.errors import UserError
from xstilts.runs import execution
from xstilts.runs.key import key
from xstilts.study import costs, graph, phases, profiles
from xstilts.tasks import kinds, rows, table
from xstilts.tasks.table import TASKS, training_task
from xstilts.training import evaluate

NAMES = [name for name, row in TASKS.items() if row.role != "text"]
SMALL = dict(
    phase1_steps=0,
    phase2_steps=3,
    phase3_steps=3,
    phase2_rows=24,
    phase3_rows=24,
    eval_rows=10,
    max_length=64,
    phase2_batch=8,
    phase3_batch=8,
    evaluate_every=0,
    vocabulary="full",
    seeds="0",
)


def run(name: str, source: str, encoder, languages: list[str]) -> pd.DataFrame:
    """The scores of one task's run, through the graph: an intermediate task's own, or a
    target's."""
    row = TASKS[name]
    chosen = (
        dict(intermediates=name, targets="xnli")
        if row.role == "intermediate"
        else dict(targets=name)
    )
    study = profiles.study(
        profile="mini",
        encoder=str(encoder),
        data=source,
        languages=",".join(languages),
        **SMALL,
        **chosen,
    )
    if (
        row.role == "intermediate"
    ):  # in every language asked for, where there are (translated) training rows
        wanted = phases.phase2(
            study, (name,), 0, execution.task_languages(name, tuple(languages), source)
        )
    else:
        wanted = phases.phase3(study, phases.base(study), name, 0)
    folder = graph.compute([wanted])[key(wanted)]
    scores = pd.read_csv(folder / "scores.csv")
    assert (
        set(scores.task) == {name} and scores.value.between(0, 100).all() and (scores.n > 0).all()
    )
    assert set(row.metrics) <= set(scores.metric)
    predictions = pd.read_parquet(folder / "predictions.parquet")
    assert (
        predictions.groupby("language").size().to_dict()
        == scores.groupby("language").n.max().to_dict()
    )
    counts = pd.read_csv(folder / "counts.csv")
    assert counts[counts.what == "rows"]["count"].gt(0).all()
    return scores


@pytest.mark.parametrize("name", [name for name in NAMES if hub._loadable(TASKS[name])])
def test_every_task_runs_from_the_hubs_columns(name, fake_hub, tiny_encoder):
    other = next((language for language in TASKS[name].languages if language != "en"), "en")
    scores = run(name, "hub", tiny_encoder, ["en", other])
    assert other in set(scores.language)


@pytest.mark.parametrize("name", ["ccg", "mewslix", "anli", "xcopa", "bucc", "masakhapos"])
def test_every_task_runs_from_a_folder(name, fresh, tmp_path, tiny_encoder):
    for needed in {name, training_task(TASKS[name]).name, "xnli"}:
        hubrows.write(tmp_path, TASKS[needed])
    languages = data.languages(name, str(tmp_path))
    assert set(run(name, str(tmp_path), tiny_encoder, list(languages)).language) <= set(languages)


@pytest.mark.parametrize("name", NAMES)
def test_every_task_runs_on_real_rows(name, realdata, tiny_encoder):
    languages = data.languages(name, realdata, "test")
    if not languages:
        pytest.skip(f"these rows have no {name}")
    chosen = sorted(languages, key=lambda language: language not in ("en", "sw", "zh", "de"))[:2]
    run(name, realdata, tiny_encoder, chosen)


def test_fifteen_languages_need_one_load_of_the_model(fake_hub, tiny_encoder, monkeypatch):
    loads, held = [], []
    monkeypatch.setattr(
        encoders,
        "load",
        lambda *given, first=encoders.load, **named: loads.append(given) or first(*given, **named),
    )
    monkeypatch.setattr(
        evaluate, "predict", lambda *given, first=evaluate.predict: held.append(1) or first(*given)
    )
    scores = run("xnli", "hub", tiny_encoder, list(TASKS["xnli"].languages))
    assert scores.language.nunique() == 15 == len(held) - 1  # and the dev rows, after the training
    assert len(loads) == 3  # for the encoder as it ships, the training, and all scoring


@pytest.mark.parametrize("name", TASKS)
def test_every_row_is_whole(name):
    row = TASKS[name]
    assert table.problem(row) == "" and set(row.metrics) <= set(row.module.METRICS)
    for source in row.sources:
        assert not source.hub or re.fullmatch(
            r"[0-9a-f]{40}|main|refs/(pr/\d+|convert/parquet)", source.revision
        )
    assert row.train == "" or "en" in TASKS[row.train].languages


@pytest.mark.parametrize(
    "change, said",
    [
        (dict(role="goal"), "role is 'goal', which is none of intermediate, target, text"),
        (
            dict(kind="parse"),
            "kind is 'parse', which is none of choice, classify, mine.*tasks/kinds",
        ),
        (dict(metrics=()), "metrics and sources need one entry"),
        (dict(sources=()), "metrics and sources need one entry"),
        (dict(licence=""), "each source needs a licence"),
        (dict(local=""), "and a folder"),
        (dict(revision=""), "the source .* needs a revision"),
        (dict(hub="", revision=""), "say in obtain how to get its rows"),
        (dict(train="mlni"), "train is 'mlni', which is no task; known: .*mnli"),
        (dict(stand_in="mlni"), "stand_in is 'mlni', which is no task"),
    ],
    ids=str,
)
def test_what_a_row_lacks_is_told(change, said):
    row = TASKS["xnli"]
    of_source = {key: change[key] for key in change if hasattr(row.sources[0], key)}
    change = {key: value for key, value in change.items() if key not in of_source}
    if of_source:
        change["sources"] = (dataclasses.replace(row.sources[0], **of_source),)
    assert re.search(said, table.problem(dataclasses.replace(row, **change)))


@pytest.mark.parametrize(
    "text, said",
    [
        ("TASKS = []", "has no attribute 'ROWS'"),
        ("ROWS = [[", "SyntaxError: '\\[' was never closed"),
        ("ROWS = [Task(name='mine')]", "NameError: name 'Task' is not defined"),
        (
            "from xstilts.tasks.task import Task\nROWS = [Task(name='mine')]",
            "TypeError: .* missing \\d required positional arguments: 'title', .*tasks/task.py",
        ),
    ],
)
def test_a_file_of_rows_that_cannot_be_read_is_told(text, said, tmp_path, monkeypatch):
    (tmp_path / "of_mine.py").write_text(text)
    monkeypatch.setattr(rows, "__path__", [*rows.__path__, str(tmp_path)])
    assert table._files()[-1] == "of_mine"
    with pytest.raises(UserError, match=f"tasks/rows/of_mine.py: .*{said}"):
        table._rows_of("of_mine")
    sys.modules.pop("xstilts.tasks.rows.of_mine", None)


def test_a_target_without_english_rows_is_told(fresh, tmp_path):
    hubrows.write(tmp_path, TASKS["panx"])
    shutil.rmtree(tmp_path / "panx" / "PAN-X.en")
    with pytest.raises(
        UserError,
        match="no rows of PAN-X in 'en'; there are: ar, az; a target is trained on.*train`",
    ):
        data.fingerprint("panx", "train", ("en",), str(tmp_path))


def test_a_new_kind_is_one_file(fresh, tmp_path, tiny_encoder, monkeypatch):
    """One that reads and learns as `classify` does, under its own name."""
    (tmp_path / "kinds").mkdir()
    made = tmp_path / "kinds" / "stance.py"
    made.write_text("from xstilts.tasks.kinds.classify import *  # noqa: F403\n")
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(made.parent)])
    new = dataclasses.replace(TASKS["xnli"], kind="stance")
    monkeypatch.setitem(TASKS, "xnli", new)
    assert "stance" in kinds.names() and table.problem(new) == ""
    for name in ("xnli", "mnli"):
        hubrows.write(tmp_path / "rows", TASKS[name])
    assert "en" in set(run("xnli", str(tmp_path / "rows"), tiny_encoder, ["en", "ar"]).language)
    scored = phases.phase3(*_study(tmp_path / "rows", tiny_encoder), "xnli", 0)
    assert costs.cost(scored.encoder).steps == 3


def _study(rows, encoder):
    study = profiles.study(
        encoder=str(encoder), data=str(rows), targets="xnli", languages="en", **SMALL
    )
    return study, phases.base(study)


def test_all_names_of_the_study_are_there():
    roles = {
        role: [name for name in NAMES if TASKS[name].role == role]
        for role in ("intermediate", "target")
    }
    # rows of further files come after these
    assert (
        roles["intermediate"][:9]
        == "anli mnli qqp squad2 squad hellaswag ccg cosmosqa commonsenseqa".split()
    )
    assert (
        roles["target"][:15]
        == (
            "xnli pawsx udpos panx xquad mlqa tydiqa bucc tatoeba xcopa lareqa mewslix "
            "masakhaner masakhapos "
            "afrixnli"
        ).split()
    )
    counts = {name: len(TASKS[name].languages) for name in roles["target"][:15]}
    assert counts == dict(
        xnli=15,
        pawsx=7,
        udpos=38,
        panx=48,
        xquad=12,
        mlqa=7,
        tydiqa=9,
        bucc=4,
        tatoeba=36,
        xcopa=12,
        lareqa=11,
        mewslix=11,
        masakhaner=20,
        masakhapos=20,
        afrixnli=18,
    )


def test_the_parts_of_a_mixture_come_together(fake_hub):
    rows = data.load("anli", "train", "en", "hub")
    assert len(rows) == (3 + 1 + 1) * 12  # three rounds of ANLI, MNLI, SNLI
    assert data.split_found("anli", "train", "en", "hub") == "train_r1+train_r2+train_r3+train"
    copa = data.load("xcopa", "train", "en", "hub")
    assert (
        sorted({len(row["choices"]) for row in copa}) == [2, 3] and len(copa) == 24
    )  # COPA and Social IQa


def test_a_lost_part_of_a_mixture_is_told(fresh, tmp_path):
    hubrows.write(tmp_path, TASKS["anli"])
    (tmp_path / "anli" / "plain_text" / "train_r2.parquet").unlink()
    with pytest.raises(
        UserError,
        match=r"anli/plain_text.*no train rows of ANLI\+ \(looked for train_r1\+train_r2\+train_r3",
    ):
        data.load("anli", "train", "en", str(tmp_path))


def test_one_configuration_for_all_languages_is_split_by_id(fake_hub):
    finnish = data.load("tydiqa", "test", "fi", "hub")
    assert len(finnish) == 12 and all(row["id"].startswith("finnish") for row in finnish)


def test_tags_of_another_set_are_mapped_by_name(fake_hub):
    dates = data.load("masakhaner", "test", "sw", "hub")[0]["tags"]
    assert [TASKS["masakhaner"].labels[tag] for tag in dates][
        -1
    ] == "O"  # PAN-X, which trains it, has no dates


def test_what_is_not_open_says_how_to_get_it(fresh, tmp_path):
    hubrows.write(tmp_path, TASKS["xnli"])
    with pytest.raises(UserError, match="no rows of CCG.*LDC2005T13.*columns tokens and tags"):
        data.load("ccg", "train", "en", str(tmp_path))


def test_open_labels_are_the_training_rows(fresh, tmp_path):
    hubrows.write(tmp_path, TASKS["ccg"])
    rows = pd.DataFrame({"tokens": [["a", "b"]], "tags": [["N", "S/S"]]})
    rows.to_parquet(tmp_path / "ccg" / "en" / "test.parquet")
    assert data.labelled("ccg", str(tmp_path)).labels == ("(S[dcl]\\NP)/PP", "N")
    assert data.load("ccg", "test", "en", str(tmp_path))[0]["tags"] == [
        1,
        -1,
    ]  # S/S was never seen: always wrong
