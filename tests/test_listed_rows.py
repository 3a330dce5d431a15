"""The list of the real rows stands for the rows: the same keys, and nothing can be read."""

import csv
import hashlib
from pathlib import Path

import hubrows
import pytest

from xstilts import data
from xstilts.chapters import needed
from xstilts.data import listed
from xstilts.errors import UserError
from xstilts.runs.key import key
from xstilts.study import profiles
from xstilts.tasks.table import TASKS

KEYS = (417, "0dc6e4f8fea99776")  # of the claims: how many, and a digest of them
REAL = Path(__file__).resolve().parents[2] / "shared" / "realdata"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A small folder of rows, and its list where the library looks for it."""
    for name in ("mnli", "xnli", "udpos", "tatoeba", "squad"):
        hubrows.write(tmp_path / "rows", TASKS[name])
    monkeypatch.setattr(listed, "path", lambda: tmp_path / listed.FILE)
    listed.write(str(tmp_path / "rows"))
    return str(tmp_path / "rows")


def same(folder):
    """What the list says is what the folder says."""
    asked = (data.split_found, data.size)
    for name in TASKS:
        assert data.languages(name, listed.NAME) == data.languages(name, folder)
        for split in ("train", "validation", "test"):
            there = data.languages(name, folder, split)
            assert data.languages(name, listed.NAME, split) == there
            found = [
                [ask(name, split, language, source) for language in there for ask in asked]
                for source in (folder, listed.NAME)
            ]
            assert found[0] == found[1]
            if there:
                assert len({data.fingerprint(name, split, there, s) for s in (folder, "real")}) == 1
    assert data.texts_fingerprint(folder) == data.texts_fingerprint(listed.NAME)


def test_the_list_says_what_the_folder_says(folder):
    same(folder)


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the folder of real rows beside the project")
def test_the_list_of_the_project_is_that_of_the_real_rows():
    same(str(REAL))


@pytest.mark.parametrize("vocabulary", ["data", "full"])
def test_runs_have_the_keys_that_they_have_with_the_rows(folder, tiny_encoder, vocabulary):
    keys = [
        [
            key(run)
            for run in needed.single_task(
                profiles.study(
                    profile="real",
                    encoder=str(tiny_encoder),
                    data=source,
                    vocabulary=vocabulary,
                    targets="xnli,udpos,tatoeba",
                )
            ).values()
        ]
        for source in (folder, listed.NAME)
    ]
    assert keys[0] == keys[1] and len(keys[0]) > 3


def test_rows_that_are_not_there_are_told_how_to_get(folder):
    with pytest.raises(UserError, match="fetch .* --public"):
        data.load("mnli", "train", "en", listed.NAME)
    with pytest.raises(UserError, match="no train rows of XNLI in 'de'"):
        data.fingerprint("xnli", "train", ("de",), listed.NAME)


@pytest.mark.parametrize("text", ["", "task,language\n", "\0", "task,language,split,found,rows\nx"])
def test_a_damaged_list_is_told(folder, text):
    listed.path().write_text(text)
    with pytest.raises(UserError, match="is no list of real rows"):
        profiles.study(profile="real")


def test_another_list_is_noticed(folder):
    before = data.fingerprint("mnli", "train", ("en",), listed.NAME)
    rows = list(csv.reader(listed.path().read_text().splitlines()))
    changed = [[*row[:-1], row[-1].replace("a", "b")] for row in rows[1:]]
    listed.path().write_text("\n".join(map(",".join, [rows[0], *changed])))
    assert data.fingerprint("mnli", "train", ("en",), listed.NAME) != before


def test_the_keys_of_the_study_on_real_rows_stay():
    """Hours of its runs are recorded: whoever changes its keys loses them, and says so here."""
    study = profiles.study(profile="real")
    keys = sorted({key(run) for run in needed.needed("claims", study)})
    digest = hashlib.sha256(" ".join(keys).encode()).hexdigest()
    assert (len(keys), digest[:16]) == KEYS
