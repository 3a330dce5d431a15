"""Whatever a person can set that changes rows or scores changes keys, and nothing else does: one
table of all settings."""

import dataclasses
import os
import shutil

import hubrows
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Features

from xstilts import data
from xstilts.chapters import needed
from xstilts.data import layout, local
from xstilts.errors import UserError
from xstilts.runs.key import Score, key
from xstilts.study import profiles
from xstilts.tasks.table import TASKS

TASKS_HERE = ("mnli", "xnli", "udpos", "tatoeba", "squad")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A few rows of some tasks, in English and another language, with text in both."""
    root = tmp_path_factory.mktemp("rows") / "mine"
    for name in TASKS_HERE:
        hubrows.write(root, TASKS[name])
    for path in root.rglob("validation*.parquet"):  # the same rows as the other splits' otherwise
        pq.write_table(pq.read_table(path).slice(2), path)
    for language in ("de", "en"):
        (root / "text" / language).mkdir(parents=True)
        for split in ("train", "validation"):
            pq.write_table(
                pa.table({"text": [f"{language} {split} {number}" for number in range(5)]}),
                root / "text" / language / f"{split}.parquet",
            )
    return root


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "mine")


def keys(folder, tiny_encoder, **given):
    """Of the chapter on single tasks, by what a run is."""
    study = profiles.study(
        **dict(
            profile="mini",
            encoder=str(tiny_encoder),
            data=str(folder),
            intermediates="mnli",
            targets="xnli,udpos,tatoeba",
            seeds=0,
        )
        | given
    )
    return {cell: key(run) for cell, run in needed.single_task(study).items()}


@pytest.fixture(scope="module")
def as_they_are(made, tiny_encoder):
    return keys(made, tiny_encoder)


# what a run is computed from. Cells are the same before and after but where more or other runs are
# asked for
PARAMETERS = {
    # parameter: (another value, whether keys change)
    "profile": ("small", True),
    "vocabulary": ("full", True),
    "languages": ("af,en", True),
    "phase1_steps": (7, True),
    "phase2_steps": (7, True),
    "phase3_steps": (7, True),
    "phase1_rows": (7, True),
    "phase2_rows": (7, True),
    "phase3_rows": (7, True),
    "eval_rows": (7, True),
    "phase1_batch": (7, True),
    "phase2_batch": (7, True),
    "phase3_batch": (7, True),
    "phase1_learning_rate": (7e-7, True),
    "phase2_learning_rate": (7e-7, True),
    "phase3_learning_rate": (7e-7, True),
    "phase3_own": ("xnli steps 9", True),
    "max_length": (77, True),
    "cap": (7, True),
    "dropout": (0.7, True),
    "precision": ("fp32", True),
    "micro_batch": (7, True),
    "evaluate_every": (7, True),
    "patience": (7, True),
    "row_draw": ("seed", True),
    # these decide which runs there are, and no run's result
    "intermediates": ("mnli,squad", False),
    "targets": ("xnli", False),
    "phase3_seeds": ((4, 5), False),
    "none_seeds": ((0, 1), False),
    "sizes": ("e5-small", False),
    # these decide where and when it is computed, and what is shown
    "scheduler": ("processes:2", False),
    "missing": ("dash", False),
    "verify": (1, False),
    "layer": (1, False),
}


def test_every_parameter_is_in_the_table():
    elsewhere = {"encoder", "data", "seeds"}  # by their content, below
    assert {
        field.name for field in dataclasses.fields(profiles.Study)
    } == PARAMETERS.keys() | elsewhere
    assert {"fingerprints", "languages", "split", "eval_rows", "seed"} <= {
        field.name for field in dataclasses.fields(Score)
    }


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_in_the_keys_if_it_changes_results(name, made, as_they_are, tiny_encoder):
    value, changes = PARAMETERS[name]
    before, after = as_they_are, keys(made, tiny_encoder, **{name: value})
    both = before.keys() & after.keys()
    assert both and changes == any(before[cell] != after[cell] for cell in both)


def test_another_seed_or_encoder_is_another_key(folder, tiny_encoder, tmp_path):
    before, other = keys(folder, tiny_encoder), keys(folder, tiny_encoder, seeds=1)
    assert not {before[cell] for cell in before if cell[1] != "tatoeba"} & {
        other[cell] for cell in other if cell[1] != "tatoeba"
    }
    copy = shutil.copytree(tiny_encoder, tmp_path / "copy")
    assert keys(folder, copy) == before  # where it lies is nothing to its results
    (copy / "config.json").write_text(
        (copy / "config.json").read_text().replace('"gelu"', '"relu"')
    )
    assert not {*keys(folder, copy).values()} & {*before.values()}


def rewritten(path, change=lambda table: table):
    """A file whose table is changed, with the metadata that it had."""
    table = pq.read_table(path)
    pq.write_table(change(table), path)


def toml(text):
    return lambda folder: (folder / layout.FILE).write_text(text)


def both_columns(folder):
    """Another column beside the one that the task reads: its labels the other way round."""
    path = folder / "xnli" / "en" / "test.parquet"
    rewritten(
        path,
        lambda table: table.append_column(
            table.schema.field("label").with_name("mine"),
            pa.chunked_array([table["label"].to_pylist()[::-1]], pa.int64()),
        ),
    )


def add_language(folder):
    shutil.copytree(folder / "xnli" / "en", folder / "xnli" / "fr")


def touch(folder):
    for path in folder.rglob("*"):
        os.utime(path, ns=(10**18, 10**18))


def another_name(folder):
    shutil.copytree(folder / "udpos" / "English", folder / "udpos" / "Klingon")


def elsewhere(folder):
    shutil.copytree(folder / "xnli", folder / "nli")
    rewritten(folder / "nli" / "en" / "test.parquet", lambda table: table.slice(1))


def others(folder):
    (folder / "README.md").write_text("mine")
    (folder / "xnli" / "en" / "notes.txt").write_text("mine")
    (folder / "xnli" / "en" / "._test.parquet").write_bytes(b"\0\5\x16\7")  # macOS
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "test.parquet").write_bytes(b"mine")


def renamed_metadata(names):
    def change(folder):
        path = folder / "xnli" / "en" / "test.parquet"
        table = pq.read_table(path)
        pq.write_table(
            table.replace_schema_metadata(
                Features(
                    {**Features.from_arrow_schema(table.schema), "label": ClassLabel(names=names)}
                ).arrow_schema.metadata
            ),
            path,
        )

    return change


XNLI = '["xnli/{language}"]\n'
SETTINGS = {
    # what: (a folder's state before, what is done to it, whether keys change)
    "a row": (
        None,
        lambda folder: rewritten(folder / "xnli/en/test.parquet", lambda table: table.slice(1)),
        True,
    ),
    "an order": (
        None,
        lambda folder: rewritten(
            folder / "xnli/en/test.parquet", lambda table: table.take([1, 0, *range(2, 12)])
        ),
        True,
    ),
    "names of labels": (None, renamed_metadata(["contradiction", "neutral", "entailment"]), True),
    "training rows": (
        None,
        lambda folder: rewritten(
            folder / "mnli/default/train.parquet", lambda table: table.slice(1)
        ),
        True,
    ),
    "dev rows": (
        None,
        lambda folder: rewritten(
            folder / "mnli/default/validation_matched.parquet", lambda table: table.slice(1)
        ),
        True,
    ),
    "text": (
        None,
        lambda folder: rewritten(folder / "text/de/train.parquet", lambda table: table.slice(1)),
        True,
    ),
    "a language": (None, add_language, True),
    "splits": (None, toml(XNLI + 'splits = { test = "validation" }'), True),
    "splits, preference": (
        None,
        toml(XNLI + 'splits = { test = ["lacking", "validation"] }'),
        True,
    ),
    "splits, a part": (None, toml(XNLI + 'splits = { test = "test[:6]" }'), True),
    "splits, another part": (
        toml(XNLI + 'splits = { test = "test[:6]" }'),
        toml(XNLI + 'splits = { test = "test[6:]" }'),
        True,
    ),
    "splits, percent": (
        toml(XNLI + 'splits = { test = "test[:50%]" }'),
        toml(XNLI + 'splits = { test = "test[50%:]" }'),
        True,
    ),
    "splits, a step": (
        toml(XNLI + 'splits = { test = "test[0::2]" }'),
        toml(XNLI + 'splits = { test = "test[1::2]" }'),
        True,
    ),
    "splits, an order": (
        toml(XNLI + 'splits = { test = "test+validation" }'),
        toml(XNLI + 'splits = { test = "validation+test" }'),
        True,
    ),
    "splits, of text": (None, toml('["text/{language}"]\nsplits = { train = "train[:3]" }'), True),
    "folder": (elsewhere, toml(XNLI + 'folder = "nli/{language}"'), True),
    "names": (another_name, toml('["udpos/{name}"]\nnames = { tlh = "Klingon" }'), True),
    "columns": (both_columns, toml(XNLI + 'columns = { mine = "label" }'), True),
    "columns, others": (
        toml(XNLI + 'columns = { premise = "hypothesis", hypothesis = "premise" }'),
        lambda folder: (folder / layout.FILE).unlink(),
        True,
    ),
    # what is no setting of rows
    "columns that no file has": (None, toml(XNLI + 'columns = { nobodys = "label" }'), False),
    "the official layout": (
        None,
        toml(XNLI + 'splits = { test = "test" }\nfolder = "xnli/{language}"'),
        False,
    ),
    "an empty layout": (None, toml(""), False),
    "a remark in the layout": (
        toml(XNLI + 'splits = { test = "test[:6]" }'),
        toml("# mine\n" + XNLI + 'splits = { test = "test[:6]" }'),
        False,
    ),
    "times of the files": (None, touch, False),
    "other files": (None, others, False),
    "the same rows written again": (
        None,
        lambda folder: [path.write_bytes(path.read_bytes()) for path in folder.rglob("*.parquet")],
        False,
    ),
}


@pytest.mark.parametrize("what", SETTINGS)
def test_a_setting_of_a_folder_is_in_the_keys_if_it_changes_rows(what, folder, tiny_encoder):
    before, change, changes = SETTINGS[what]
    if before:
        before(folder)
    some = dict(
        vocabulary="full", targets="xnli,udpos"
    )  # a vocabulary is of all texts: it hides what else changes a key
    first = keys(folder, tiny_encoder, **some)
    change(folder)
    second = keys(folder, tiny_encoder, **some)
    assert changes == any(first[cell] != second[cell] for cell in first.keys() & second.keys())


def test_where_the_folder_lies_is_in_no_key(folder, tiny_encoder, tmp_path):
    assert keys(shutil.copytree(folder, tmp_path / "other" / "name"), tiny_encoder) == keys(
        folder, tiny_encoder
    )


def test_a_folder_without_settings_has_the_digests_of_its_files_alone(folder):
    """Its keys are those of versions before layouts had more to say."""
    for name, split, language in (
        ("xnli", "test", "en"),
        ("udpos", "test", "en"),
        ("tatoeba", "test", "de"),
    ):
        if language in data.languages(name, str(folder)):
            found = local.fingerprint(TASKS[name], split, language, str(folder))
            assert len(found) == 64 and int(found, 16)


def test_a_mapping_of_columns_goes_before_the_files_own(folder):
    both_columns(folder)
    own = [row["label"] for row in data.load("xnli", "test", "en", str(folder))]
    toml(XNLI + 'columns = { mine = "label" }')(folder)
    assert (
        [row["label"] for row in data.load("xnli", "test", "en", str(folder))] == own[::-1] != own
    )
    # whichever stands last
    rewritten(
        folder / "xnli" / "en" / "test.parquet",
        lambda table: table.select(table.column_names[::-1]),
    )
    assert [row["label"] for row in data.load("xnli", "test", "en", str(folder))] == own[::-1]


def test_words_as_text_change_keys_with_the_mapping_of_their_column(folder):
    shutil.rmtree(folder / "text")
    path = folder / "udpos" / "English" / "train.parquet"
    rewritten(
        path,
        lambda table: table.append_column(
            "words", table["tokens"].take(list(range(len(table)))[::-1])
        ),
    )
    before = data.fingerprint("text", "train", ("en",), str(folder))
    toml('["udpos/{name}"]\ncolumns = { nobodys = "pos_tags" }')(folder)  # tags are no text
    assert data.fingerprint("text", "train", ("en",), str(folder)) == before
    toml('["udpos/{name}"]\ncolumns = { words = "tokens" }')(folder)
    assert data.fingerprint("text", "train", ("en",), str(folder)) != before


def test_labels_of_an_open_set_are_in_the_keys_of_other_languages(tmp_path):
    """The English training rows say which there are, and in which order."""

    def write(language, tags):
        (tmp_path / "ccg" / language).mkdir(parents=True, exist_ok=True)
        pq.write_table(
            pa.table({"tokens": [["a", "b", "c"]], "tags": [tags]}),
            tmp_path / "ccg" / language / "train.parquet",
        )

    write("de", ["N", "NP", "S"])
    alone = data.fingerprint("ccg", "train", ("de",), str(tmp_path))
    found = [alone]
    for tags in (["N", "N", "S"], ["S", "S", "N"]):
        write("en", tags)
        found.append(data.fingerprint("ccg", "train", ("de",), str(tmp_path)))
    assert len({*found}) == 3


def test_own_rows_beside_the_hubs_are_in_the_keys(tmp_path, monkeypatch):
    monkeypatch.delenv("XSTILTS_OWN", raising=False)
    monkeypatch.setattr("xstilts.data.hub.commit", lambda repository, revision: revision)
    place = tmp_path / "own" / "mnli" / "default"
    place.mkdir(parents=True)
    found = [data.fingerprint("mnli", "train", ("en",), "hub")]
    monkeypatch.setenv("XSTILTS_OWN", str(tmp_path / "own"))
    for premise in ("a", "b"):
        pq.write_table(
            pa.table({"premise": [premise], "hypothesis": ["c"], "label": [0]}),
            place / "train.parquet",
        )
        found.append(data.fingerprint("mnli", "train", ("en",), "hub"))
    assert len({*found}) == 3
    monkeypatch.setenv("XSTILTS_OWN", str(tmp_path / "lost"))
    with pytest.raises(UserError, match="XSTILTS_OWN: '.*lost' is not a folder"):
        data.check_source("hub")
