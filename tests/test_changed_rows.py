"""A person rewrites a file, adds a language or edits the layout, and runs the cell again in the
same process: the rows, languages and fingerprints are those of now, and what a run is named by is
what it reads."""

import os
import shutil

import hubrows
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xstilts import data
from xstilts.data import local, parquet
from xstilts.data.layout import FILE
from xstilts.errors import UserError
from xstilts.runs import scoring
from xstilts.runs.key import key
from xstilts.study import costs, graph, phases, profiles
from xstilts.tasks.table import TASKS


def write(path, *premises, label=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        pa.table(
            {
                "premise": premises,
                "hypothesis": ["h"] * len(premises),
                "label": [label, *range(1, len(premises))],
            }
        ),
        path,
    )


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "xnli" / "en" / "test.parquet", "a", "b")
    return tmp_path


def rows(folder, language="en", limit=0):
    return [row["texts"][0] for row in data.load("xnli", "test", language, str(folder), limit)]


def all_of(folder):
    source = str(folder)
    return (
        data.languages("xnli", source),
        data.languages("xnli", source, "test"),
        data.fingerprint("xnli", "test", ("en",), source),
        rows(folder),
        data.split_found("xnli", "test", "en", source),
        data.texts_fingerprint(source),
    )


def layout(text):
    return lambda folder: (folder / FILE).write_text('["xnli/{language}"]\n' + text)


def same_size_and_time(folder):
    """As `cp -p` or `rsync -t` leave it."""
    path = folder / "xnli" / "en" / "test.parquet"
    before = path.stat()
    write(path, "c", "d")
    assert path.stat().st_size == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = {
    # what a person does -> which of `all_of` have to differ
    "rewrites a file": (lambda folder: write(folder / "xnli/en/test.parquet", "c", "d"), {2, 3, 5}),
    "adds rows": (lambda folder: write(folder / "xnli/en/test.parquet", "a", "b", "c"), {2, 3, 5}),
    "keeps size and time": (same_size_and_time, {2, 3, 5}),
    "changes a label": (
        lambda folder: write(folder / "xnli/en/test.parquet", "a", "b", label=2),
        {2, 5},
    ),
    "replaces a file": (
        lambda folder: (
            write(folder / "new", "c", "d"),
            os.replace(folder / "new", folder / "xnli/en/test.parquet"),
        ),
        {2, 3, 5},
    ),
    "adds a language": (lambda folder: write(folder / "xnli/de/test.parquet", "x", "y"), {0, 1, 5}),
    "takes a split away": (
        lambda folder: write(folder / "xnli/de/train.parquet", "x", "y"),
        {0, 5},
    ),
    "writes a layout": (layout('splits = { test = "test[:1]" }'), {2, 3, 4}),
}


@pytest.mark.parametrize("settled", [False, True], ids=["just written", "long there"])
@pytest.mark.parametrize("what", CHANGES)
def test_what_changed_is_seen_at_once(what, settled, folder, monkeypatch):
    if settled:
        monkeypatch.setattr(parquet, "JUST_NOW", 0)
    change, differ = CHANGES[what]
    before = all_of(folder)
    assert all_of(folder) == before
    change(folder)
    after = all_of(folder)
    assert {
        number
        for number, (one, other) in enumerate(zip(before, after, strict=True))
        if one != other
    } == differ


def test_an_edited_layout_is_seen(folder):
    layout('splits = { test = "test[:1]" }')(folder)
    assert rows(folder) == ["a"]
    layout('splits = { test = "test[1:]" }')(folder)
    assert rows(folder) == ["b"]
    (folder / FILE).unlink()
    assert rows(folder) == ["a", "b"]


def test_labels_of_an_open_set_follow_its_training_rows(tmp_path):
    (tmp_path / "ccg" / "en").mkdir(parents=True)
    for tags in (["N", "NP"], ["S", "N"]):
        pq.write_table(
            pa.table({"tokens": [["a", "b"]], "tags": [tags]}),
            tmp_path / "ccg" / "en" / "train.parquet",
        )
        assert data.labelled("ccg", str(tmp_path)).labels == tuple(sorted(tags))


def test_own_rows_beside_the_hub_follow_the_setting(tmp_path, monkeypatch):
    for which in ("first", "second"):
        (tmp_path / which / "ccg" / which).mkdir(parents=True)
        pq.write_table(
            pa.table({"tokens": [["a"]], "tags": [["N"]]}),
            tmp_path / which / "ccg" / which / "train.parquet",
        )
        monkeypatch.setenv("XSTILTS_OWN", str(tmp_path / which))
        assert data.languages("ccg", "hub") == (which,)


def test_rows_that_nobody_touched_are_read_once(folder, monkeypatch):
    monkeypatch.setattr(parquet, "JUST_NOW", 0)
    all_of(folder)
    monkeypatch.setattr(parquet, "read", None)
    monkeypatch.setattr(parquet, "first_row", None)
    all_of(folder)


def test_within_one_look_the_files_are_asked_once(folder, monkeypatch):
    asked = []
    state = local.state
    monkeypatch.setattr(
        local, "state", lambda row, source: asked.append(row.name) or state(row, source)
    )
    with data.looked_at_once():
        for _ in range(3):
            all_of(folder)
    assert len(asked) == len({*asked}) + 1  # of all tasks for the vocabulary, and of XNLI


def test_the_costs_of_a_run_follow_its_rows(folder):
    assert len(costs._sample("xnli", str(folder), "test")) == 2
    write(folder / "xnli/en/test.parquet", "a", "b", "c")
    assert len(costs._sample("xnli", str(folder), "test")) == 3


# a run is of the rows that it is named by


@pytest.fixture
def drawn(tmp_path, tiny_encoder):
    """A study of a few rows, and a function that draws it up."""
    root = tmp_path / "rows"
    for name in ("mnli", "xnli", "udpos"):
        hubrows.write(root, TASKS[name])
    shutil.rmtree(root / "snli", ignore_errors=True)

    def draw():
        asked = profiles.study(
            profile="mini",
            encoder=str(tiny_encoder),
            data=str(root),
            targets="xnli",
            intermediates="mnli",
            languages="en",
            phase1_steps=0,
            phase3_steps=1,
            phase3_batch=2,
            evaluate_every=0,
            max_length=32,
        )
        return phases.phase3(asked, phases.base(asked), "xnli", 0)

    return root, draw


def test_a_run_whose_rows_changed_since_it_was_drawn_up_is_refused(drawn):
    root, draw = drawn
    run = draw()
    path = root / "xnli" / "en" / "test.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(
        UserError,
        match=(
            "have changed since the study was drawn up. Run the chapter again from its first cell"
        ),
    ):
        graph.compute([run])
    again = draw()
    assert key(again) != key(run)
    graph.compute([again])


def test_a_run_whose_rows_change_while_it_is_computed_is_not_kept(drawn, monkeypatch):
    root, draw = drawn
    path, score = root / "xnli" / "en" / "test.parquet", scoring.score
    run = draw()

    def slow(*given):
        score(*given)
        pq.write_table(pq.read_table(path).slice(1), path)

    monkeypatch.setattr(scoring, "score", slow)
    with pytest.raises(UserError, match="have changed since the study was drawn up"):
        graph.compute([run])
