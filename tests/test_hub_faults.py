"""All faults of the Hub at every request of a fetch: it ends in words, what is not concerned is
there, what passes is waited for."""

import os
import re

import hub_server
import hubrows
import pytest
from test_fetch import study

from xstilts import hub_faults
from xstilts.data import hub
from xstilts.errors import UserError
from xstilts.tasks.table import TASKS
from xstilts.tools import fetch

PASSING = ("reset", "truncated", "429", "500", "502", "503", "no answer of a Hub")
# what is said, by the fault; "" where the client finds its own way, or the next request decides
SAID = {
    "gated, nobody": "is gated, and you are not logged in. Accept its terms at .*log in .*hf auth",
    "gated, refused": "is gated, and your account may not read it. Accept its terms at",
    "bad token": "does not accept your token. Log in anew",
    "gone": "moved, renamed, removed, or private",
    "revision gone": "has no revision e3ca06b30f3e7af2a86f6c8609ea76fee326bc56",
    "file gone": "does not have what is looked for",
    "moved": "moved, renamed, removed, or private",
    "reset": "cannot be reached",
    "truncated": "cannot be reached|cut short",
    "429": r"asks to wait, too many requests \(429\)",
    "500": r"error of its own \(500\)",
    "502": r"error of its own \(502\)",
    "503": r"error of its own \(503\)",
    "no answer of a Hub": "no Hub's",
}


LONG = bool(
    os.environ.get("XSTILTS_LONG")
)  # every fault at every request; else each at some, and all of them struck


@pytest.fixture
def attempt(server, monkeypatch):
    """Fetches AfriXNLI in Swahili; what is said, "" if all is there."""
    row = TASKS["afrixnli"]
    monkeypatch.setattr(fetch, "needed", lambda asked: [(row, "test", ("sw",))])
    for repository, revision, files in hubrows.official([row], {"sw"}):
        server.add("dataset", repository, files, revision)
    asked = study()

    def attempt(folder, fault=lambda method, path: ""):
        hub_server.clear()
        hub._module.cache_clear(), hub_faults._in_vain.clear(), server.asked.clear()
        server.fault = fault
        try:
            fetch.fetch(folder, asked)
        except UserError as error:
            assert "1 file could not be fetched" in str(error) and "masakhane/afrixnli" in str(
                error
            )
            return str(error)
        finally:
            server.fault = lambda method, path: ""
        assert (folder / "afrixnli" / "swa" / "test.parquet").is_file()
        return ""

    return attempt


def requests(server, kind: str) -> list[str]:
    found = list(dict.fromkeys(server.asked))
    assert len(found) >= 8
    return found if LONG else found[hub_server.KINDS.index(kind) % 4 :: 4]


@pytest.mark.parametrize("kind", hub_server.KINDS)
def test_a_fault_at_any_request_ends_in_words(kind, attempt, server, tmp_path, capfd):
    assert attempt(tmp_path / "quiet") == ""
    for number, line in enumerate(requests(server, kind)):
        start = line.split("/tree/")[0] + "/tree/" * (
            "/tree/" in line
        )  # one listing that fails is asked for in another way
        said = attempt(
            tmp_path / str(number),
            lambda method, path, start=start: kind if f"{method} {path}".startswith(start) else "",
        )
        assert not said or re.search(SAID[kind], said), f"{line}: {said}"
        assert (
            "Couldn't find any data file" not in said and "Traceback" not in capfd.readouterr().err
        )


@pytest.mark.parametrize("kind", PASSING)
def test_what_passes_is_waited_for(kind, attempt, server, tmp_path):
    assert attempt(tmp_path / "quiet") == ""
    for number, line in enumerate(requests(server, kind)):
        left = [1]
        said = attempt(
            tmp_path / str(number),
            lambda method, path, line=line, left=left: (
                kind if f"{method} {path}" == line and left and left.pop() else ""
            ),
        )
        assert said == "" and not left, line
