"""MasakhaPOS: tagged text that is no data set of the Hub, known by its checksums."""

import sys

import hubrows
import pytest
from test_hub import another_process

from xstilts import data
from xstilts.data import tagged
from xstilts.errors import UserError
from xstilts.tasks.table import TASKS


def test_masakhapos_needs_no_further_package_and_is_known_by_its_checksums(
    server, masakhapos, monkeypatch
):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    rows = data.load("masakhapos", "test", "sw", "hub")
    assert len(rows) == 13 and list(rows[0]["words"]) == hubrows.WORDS
    asked = len(server.asked)
    another_process()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert data.load("masakhapos", "test", "sw", "hub") == rows and len(server.asked) == asked
    with pytest.raises(
        UserError, match="dev.txt' is not in the cache, and HF_HUB_OFFLINE allows no request"
    ):
        data.load("masakhapos", "validation", "sw", "hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    server.plain = {path: content + b"more VERB\n" for path, content in server.plain.items()}
    with pytest.raises(
        UserError, match="dev.txt is not what it was when its checksum was written down"
    ):
        data.load("masakhapos", "validation", "sw", "hub")


def test_every_file_of_masakhapos_has_a_checksum():
    source = TASKS["masakhapos"].sources[0]
    wanted = {
        f"data/{source.name(language)}/{split}.txt"
        for language in source.languages
        for split in ("train", "dev", "test")
    }
    assert wanted == set(tagged._checksums()) and all(
        len(checksum) == 64 for checksum in tagged._checksums().values()
    )


def test_lines_are_read_as_masakhane_writes_them(monkeypatch):
    monkeypatch.setattr(
        tagged,
        "_content",
        lambda address: b'Anna PROPN\r\nanaishi VERB\n\n\nOmar PROPN\n" PUNCT\n',
    )
    assert tagged.table("x")[:] == {
        "tokens": [["Anna", "anaishi"], ["Omar", '"']],
        "upos": [["PROPN", "VERB"], ["PROPN", "PUNCT"]],
    }
