"""Every row of the task table: loaded, encoded, trained for two steps, predicted and scored."""

import re

import hubrows
import pandas as pd
import pytest

from xstilts import data, encoders
from xstilts.data import hub
from xstilts.errors import UserError
from xstilts.runs import execution
from xstilts.runs.key import key
from xstilts.study import graph, profiles
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
        wanted = graph.phase2(
            study, (name,), 0, execution.task_languages(name, tuple(languages), source)
        )
    else:
        wanted = graph.phase3(study, graph.base(study), name, 0)
    folder = graph.compute([wanted])[key(wanted)]
    table = pd.read_csv(folder / "scores.csv")
    assert set(table.task) == {name} and table.value.between(0, 100).all() and (table.n > 0).all()
    assert set(row.metrics) <= set(table.metric)
    predictions = pd.read_parquet(folder / "predictions.parquet")
    assert (
        predictions.groupby("language").size().to_dict()
        == table.groupby("language").n.max().to_dict()
    )
    counts = pd.read_csv(folder / "counts.csv")
    assert counts[counts.what == "rows"]["count"].gt(0).all()
    return table


@pytest.mark.parametrize("name", [name for name in NAMES if hub._loadable(TASKS[name])])
def test_every_task_runs_from_the_hubs_columns(name, fake_hub, tiny_encoder):
    other = next((language for language in TASKS[name].languages if language != "en"), "en")
    table = run(name, "hub", tiny_encoder, ["en", other])
    assert other in set(table.language)


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
    table = run("xnli", "hub", tiny_encoder, list(TASKS["xnli"].languages))
    assert table.language.nunique() == 15 == len(held)
    assert len(loads) == 2  # once to make the base encoder, once for all of training and scoring


def test_every_row_pins_its_source():
    for row in TASKS.values():
        for source in row.sources:
            assert source.licence and source.local
            assert source.revision or row.obtain, row.name
            assert not source.hub or re.fullmatch(
                r"[0-9a-f]{40}|main|refs/(pr/\d+|convert/parquet)", source.revision
            )
        assert row.stand_in == "" or row.stand_in in TASKS
        assert row.train == "" or "en" in TASKS[row.train].languages


def test_all_names_of_the_study_are_there():
    roles = {
        role: [name for name in NAMES if TASKS[name].role == role]
        for role in ("intermediate", "target")
    }
    assert (
        roles["intermediate"]
        == "anli mnli qqp squad2 squad hellaswag ccg cosmosqa commonsenseqa".split()
    )
    assert (
        roles["target"]
        == (
            "xnli pawsx udpos panx xquad mlqa tydiqa bucc tatoeba xcopa lareqa mewslix "
            "masakhaner masakhapos "
            "afrixnli"
        ).split()
    )
    counts = {name: len(TASKS[name].languages) for name in roles["target"]}
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
    table = pd.DataFrame({"tokens": [["a", "b"]], "tags": [["N", "S/S"]]})
    table.to_parquet(tmp_path / "ccg" / "en" / "test.parquet")
    assert data.labelled("ccg", str(tmp_path)).labels == ("(S[dcl]\\NP)/PP", "N")
    assert data.load("ccg", "test", "en", str(tmp_path))[0]["tags"] == [
        1,
        -1,
    ]  # S/S was never seen: always wrong
