"""A folder for machines without a network: the same rows as the Hub's, resumable, checked. Against
a made-up Hub."""

import errno
import json
import re

import hubrows
import pytest
from test_fetch_models import model_files
from test_hub import another_process
from test_tasks import SMALL

from xstilts import cli, data, encoders
from xstilts.data import hub
from xstilts.errors import UserError
from xstilts.study import profiles
from xstilts.tasks.table import TASKS
from xstilts.tools import fetch

EVERYTHING = dict(
    intermediates=[
        name for name, row in TASKS.items() if row.role == "intermediate" and hub._loadable(row)
    ],
    targets=[name for name, row in TASKS.items() if row.role == "target" and hub._loadable(row)],
    languages=["en", "sw", "de", "ha"],
)


@pytest.fixture
def calls(fake_hub, monkeypatch):
    """Every table that is asked of the Hub."""
    asked = []

    def table(place, name, language):
        asked.append((place.local, name, language))
        return hubrows.hub_table(place, name, language)

    monkeypatch.setattr(hub, "table", table)
    return asked


def study(**given):
    return profiles.study("small", **SMALL | dict(data="hub") | given)


def test_a_fetched_folder_has_the_rows_of_the_hub(calls, tmp_path):
    asked = study(**EVERYTHING)
    fetch.fetch(tmp_path, asked)
    for row, split, languages in fetch.needed(asked):
        for language in languages:
            assert data.load(row.name, split, language, str(tmp_path)) == data.load(
                row.name, split, language, "hub"
            ), row.name
            assert data.split_found(row.name, split, language, str(tmp_path)).split(":")[-1].split(
                "+"
            )[0] in data.split_found(row.name, split, language, "hub")
    manifest = json.loads((tmp_path / "fetched.json").read_text())
    assert set(manifest) == {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet")
    }
    assert all(
        entry["licence"] and len(entry["sha256"]) == 64 and entry["rows"]
        for entry in manifest.values()
    )
    assert fetch.verify(tmp_path) == []


def test_a_fetch_goes_on_where_it_stopped(calls, tmp_path, monkeypatch):
    small = dict(intermediates="mnli", targets="xnli", languages="en,de")

    def stops(place, name, language, first=hub.table):
        if len(calls) == 2:
            raise KeyboardInterrupt
        return first(place, name, language)

    with monkeypatch.context() as patch:
        patch.setattr(hub, "table", stops)
        with pytest.raises(KeyboardInterrupt):
            fetch.fetch(tmp_path, study(**small))
    before = list(calls)
    found = fetch.fetch(tmp_path, study(**small))
    assert len(calls) == len(set(calls)) == len(found) == 4 and calls[:2] == before
    fetch.fetch(tmp_path, study(**small))
    assert len(calls) == 4  # nothing is fetched twice
    path = tmp_path / "xnli" / "de" / "test.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert fetch.verify(tmp_path) == ["xnli/de/test.parquet"]
    fetch.fetch(tmp_path, study(**small))
    assert len(calls) == 5 and fetch.verify(tmp_path) == []


def test_text_is_fetched_again_only_where_more_of_it_is_asked_for(
    calls, wikipedia, tmp_path, capsys
):
    def fetched(rows):
        asked = study(
            intermediates="mnli",
            targets="xnli",
            languages="en,de",
            phase1_steps=1,
            phase1_rows=rows,
        )
        capsys.readouterr()
        entries = fetch.fetch(tmp_path, asked)
        data.load.cache_clear()
        files = [
            line.split()[1] for line in capsys.readouterr().out.splitlines() if "  text/" in line
        ]
        return (
            files,
            len(data.load("text", "train", "de", str(tmp_path))),
            entries["text/de/train.parquet"].get("asked"),
        )

    files, count, asked = fetched(20)
    assert (
        len(files) == 4
        and (count, asked) == (20, 20)
        and len(data.load("text", "validation", "de", str(tmp_path))) == 500
    )
    trained = ["text/de/train.parquet", "text/en/train.parquet"]
    assert fetched(50) == (trained, 50, 50) and fetched(20) == ([], 50, 50)  # fewer are among them
    assert fetched(0) == (trained, 100, 100_000) and fetched(200) == (
        [],
        100,
        100_000,
    )  # there are no more
    assert fetch.verify(tmp_path) == []
    path = tmp_path / "fetched.json"  # of before the number was kept: as many as there are rows
    path.write_text(
        json.dumps(
            {
                name: {key: entry[key] for key in entry if key != "asked"}
                for name, entry in json.loads(path.read_text()).items()
            }
        )
    )
    assert fetched(100) == ([], 100, None) and fetched(101) == (trained, 100, 101)


def test_one_data_set_that_has_moved_does_not_keep_the_others(calls, tmp_path, monkeypatch):
    def moved(place, name, language):
        if place.local.startswith("xnli"):
            raise FileNotFoundError("moved")
        return hubrows.hub_table(place, name, language)

    monkeypatch.setattr(hub, "table", moved)
    with pytest.raises(
        UserError,
        match="2 files could not be fetched.*\n.*moved\n *xnli/de/test.parquet, xnli/en/test",
    ):
        fetch.fetch(tmp_path, study(intermediates="mnli", targets="xnli", languages="en,de"))
    assert (tmp_path / "mnli" / "default" / "train.parquet").is_file()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("gated, nobody", "'google/xtreme' is gated.*log in"),
        ("gone", "'google/xtreme' is not there"),
        ("revision gone", "'google/xtreme' has no revision ec5f1f46"),
    ],
)
def test_what_cannot_be_had_is_named_once_and_the_rest_is_fetched(
    fault, words, server, tmp_path, capsys
):
    """Of several data sets and models, in any order."""
    for repository, revision, files in hubrows.official(
        [TASKS[name] for name in ("udpos", "panx", "pawsx")], {"en", "de", "lt"}
    ):
        server.add("dataset", repository, files, revision)
    server.add("model", "org/there", model_files())
    server.repositories["dataset", "google/xtreme"].always = fault
    code = cli.main(
        [
            "fetch",
            str(tmp_path),
            *PARAMETERS,
            "-p",
            "targets",
            "udpos,panx,pawsx",
            "-p",
            "languages",
            "en,de,lt",
            "-p",
            "encoder",
            "org/missing",
            "--model",
            "org/there",
        ]
    )
    said = capsys.readouterr().err
    assert code == 2 and re.search(words, said) and said.count("google/xtreme' ") == 1
    assert "the model 'org/missing' is not there" in said and "models/org/missing" in said
    assert "udpos/English/test" in said and re.search("and [0-9] more", said)
    there = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*.parquet")}
    assert there == {"paws-x", "universal_dependencies", "panx"} and fetch.verify(tmp_path) == []
    assert encoders.load(tmp_path / "models" / "org" / "there")
    server.repositories["dataset", "google/xtreme"].always = ""
    server.add("model", "org/missing", model_files())
    another_process()
    assert (
        cli.main(
            [
                "fetch",
                str(tmp_path),
                *PARAMETERS,
                "-p",
                "targets",
                "udpos,panx,pawsx",
                "-p",
                "languages",
                "en,de,lt",
                "-p",
                "encoder",
                "org/missing",
            ]
        )
        == 0
        and fetch.verify(tmp_path) == []
    )


def test_what_has_moved_is_followed(server, tmp_path):
    served = {
        repository: (files, revision)
        for repository, revision, files in hubrows.official(
            [TASKS["pawsx"], TASKS["udpos"]], {"en", "de"}
        )
    }
    for repository, (files, revision) in served.items():
        server.add("dataset", repository, files, revision)
    pawsx = TASKS["pawsx"].sources[0].hub
    server.add("dataset", "somebody/else", *served[pawsx])
    server.repositories["dataset", pawsx].moved = "somebody/else"
    fetch.fetch(tmp_path, study(targets="pawsx", intermediates="udpos", languages="en,de"))
    assert (tmp_path / "paws-x" / "de" / "test.parquet").is_file()


PARAMETERS = ["--profile", "small", "-p", "intermediates", "udpos", "-p", "phase1_steps", "0"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"a": 1}', '{"a": {}}', '{"a": {"sha256": 1, "commit": ""}}', "[" * 100_000],
)
def test_a_manifest_that_is_none_is_told(text, tmp_path):
    (tmp_path / "fetched.json").write_text(text)
    for call in (lambda: fetch.verify(tmp_path), lambda: fetch.fetch(tmp_path, study())):
        with pytest.raises(UserError, match="fetched.json cannot be read.*Remove it"):
            call()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot fetch into .*file.*Give a folder"):
        fetch.fetch(tmp_path / "file", study())


def test_a_full_disk_ends_the_fetch(calls, tmp_path, monkeypatch):
    def full(place, name, language):
        calls.append(name)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(hub, "table", full)
    with pytest.raises(UserError, match="no space left for .*parquet. What was fetched is kept"):
        fetch.fetch(tmp_path, study(intermediates="mnli", targets="xnli", languages="en,de"))
    assert len(calls) == 1


def test_a_folder_says_how_it_differs(fresh, tmp_path):
    """Another folder, other splits, other names and columns: in a file, not in code."""
    place = tmp_path / "my-tags" / "Klingon"
    place.mkdir(parents=True)
    task = TASKS["udpos"]
    table = hubrows.dataset(task, task.sources[0], ["de"], 30).rename_column("pos_tags", "upos")
    table.to_parquet(place / "all.parquet")
    (tmp_path / "xstilts.toml").write_text(
        '["udpos/{name}"]\nfolder = "my-tags/{name}"\nnames = { tlh = "Klingon" }\ncolumns = { '
        'upos = "pos_tags" }\n'
        'splits = { train = "all[:-10]", validation = "all[-10:-5]", test = ["missing", '
        '"all[-5:]"] }\n'
    )
    assert data.languages("udpos", str(tmp_path)) == ("tlh",)
    sizes = [len(data.load("udpos", split, "tlh", str(tmp_path))) for split in data.SPLITS]
    assert sizes == [20, 5, 5]
    assert data.split_found("udpos", "test", "tlh", str(tmp_path)) == "all[-5:]"
    first = data.load("udpos", "train", "tlh", str(tmp_path))[0]
    assert [task.labels[tag] for tag in first["tags"]][:2] == ["PROPN", "VERB"]
    (tmp_path / "xstilts.toml").write_text('["udpos"]\nfolder = "x"\n')
    fetch_layout = __import__("xstilts.data.layout", fromlist=["_layout"])
    fetch_layout._layout.cache_clear()
    with pytest.raises(UserError, match="'udpos' is not a folder of the task table"):
        data.languages.__wrapped__("udpos", str(tmp_path))
