"""Of real rows a record keeps figures: the same differences as from the artifacts, and nothing that
anybody wrote."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hubrows import write
from made_records import artifact

from xstilts import data
from xstilts.analysis import differences
from xstilts.runs import records, results, store
from xstilts.runs.key import key
from xstilts.study import graph, phases, profiles
from xstilts.study.conditions import Comparison, Condition, against
from xstilts.tasks.table import TASKS
from xstilts.tools import verify


@pytest.fixture(scope="module")
def real(tiny_encoder, tmp_path_factory):
    """A study of a local folder of rows in the official columns, computed: (study, its runs, its
    store)."""
    folder, root = tmp_path_factory.mktemp("rows"), tmp_path_factory.mktemp("store")
    for name in ("text", "mnli", "xnli", "squad", "xquad", "tatoeba"):
        write(folder, TASKS[name])
    for path in (folder / "xquad").rglob("*.parquet"):  # three questions of a paragraph
        rows = pq.read_table(path)
        shared = pa.array([text for text in rows["context"].to_pylist()[::3] for _ in range(3)])
        pq.write_table(
            rows.set_column(rows.schema.get_field_index("context"), "context", shared), path
        )
    study = profiles.study(
        "small",
        encoder=str(tiny_encoder),
        data=str(folder),
        intermediates="mnli",
        targets="xnli,xquad,tatoeba",
        languages=[
            "en",
            *{
                language
                for name in ("xnli", "xquad", "tatoeba")
                for language in data.languages(name, str(folder), "test")
            }
            - {"en"},
        ],
        vocabulary="full",
        seeds="0",
        phase1_steps=0,
        phase2_steps=2,
        phase3_steps=2,
        eval_rows=0,
        max_length=64,
        missing="dash",
        scheduler="local",
    )
    wanted = phases.single_tasks(study)
    graph.compute(wanted.values(), root)
    return study, wanted, root


def test_differences_of_recorded_real_rows_are_those_of_live_ones(real, monkeypatch, tmp_path):
    study, wanted, _ = real
    root = tmp_path / "live"
    for number, run in enumerate(
        wanted.values()
    ):  # scores that differ, which two steps of a training do not bring about
        artifact(root, run, 5 * number + 1)
    asked = Comparison(wanted, [against(Condition(("mnli",)))])
    assert len(records.record(wanted.values(), root)) == len(wanted)
    mixed = tmp_path / "mixed"
    for run in list(wanted.values())[::2]:
        shutil.copytree(store.find(root, run), mixed / key(run))
    tables = {}
    for name, place in (
        ("live", root),
        ("recorded", tmp_path / "empty"),
        ("live and recorded", mixed),
    ):
        monkeypatch.setenv("XSTILTS_STORE", str(place))
        found = graph.obtain(study, wanted)
        assert set(found) == set(wanted)
        tables[name] = differences.table(study, asked, found)
        assert name in set(tables[name]["from"]) and len(tables[name]) == 3
    assert (tables["live"].difference != 0).all()
    for table in tables.values():
        assert np.isfinite(table[["difference", "low", "high", "p"]].to_numpy(float)).all()
        pd.testing.assert_frame_equal(
            table.drop(columns="from"), tables["live"].drop(columns="from"), check_exact=True
        )


def test_the_paragraph_of_each_example_is_kept_as_a_number(real):
    _, wanted, root = real
    records.record(wanted.values(), root)
    live, recorded = (
        results.examples(wanted, place)[["target", "metric", "layer", "language", "unit"]]
        for place in (root, None)
    )
    both = recorded.merge(
        live, on=["target", "metric", "layer", "language"], suffixes=("", " live")
    )
    assert len(both) and all(map(np.array_equal, both.unit, both["unit live"]))
    asked = {
        target: {tuple(unit) for unit in part.unit} for target, part in recorded.groupby("target")
    }
    assert asked["xquad"] == {tuple(np.repeat(range(4), 3))} and asked["tatoeba"] == {
        tuple(range(12))
    }


def test_nothing_of_a_real_row_is_in_its_record(real):
    study, wanted, root = real
    records.record(wanted.values(), root)
    for (_, target, _), run in wanted.items():
        text, folder = (records.folder() / f"{key(run)}.json").read_text(), store.find(root, run)
        written = pd.read_parquet(folder / "predictions.parquet")
        assert len(written) and "examples" in json.loads(text)
        for language in run.languages:
            for row in data.load(target, run.split, language, study.data):
                for part in (
                    row.get("id"),
                    row.get("context"),
                    row.get("question"),
                    row.get("english"),
                    row.get("source"),
                    *row.get("texts", ()),
                    *row.get("answers", ()),
                ):
                    assert (
                        part is None or json.dumps(str(part), ensure_ascii=False)[1:-1] not in text
                    )
        # of strings there are names of the study, of the machine, and packed numbers
        for example in json.loads(text)["examples"]:
            packed = [
                example[name]
                for name in ("numerator", "denominator")
                if isinstance(example[name], str)
            ]
            assert all(set(some) <= set("0123456789abcdef. -") for some in packed)


def test_a_record_that_would_be_too_large_has_scores_alone(real, monkeypatch):
    _, wanted, root = real
    run = wanted[Condition(("mnli",)), "tatoeba", 0]
    (path,) = records.record([run], root)
    monkeypatch.setattr(records, "LARGEST", path.stat().st_size - 1)
    path.unlink()
    assert (
        records.record([run], root) == [path]
        and "examples" not in records.find(run)
        and len(records.scores(run))
    )


def test_records_are_verified_from_another_copy_of_the_rows(real, tmp_path):
    """As `xstilts fetch ROWS --public` makes one: the same bytes anywhere are the same runs. Other
    rows are other runs, of which there is no record."""
    study, wanted, root = real
    records.record(wanted.values(), root)
    copied = dataclasses.replace(study, data=str(shutil.copytree(study.data, tmp_path / "copy")))
    found = verify.verify(copied, 2)
    assert len(found) == 2 and set(found.within) == {"yes"} and set(found.tolerance) == {0.0}
    for path in Path(copied.data).rglob("*.parquet"):
        pq.write_table(pq.read_table(path).slice(1), path)
    assert verify.verify(copied, 2).empty
