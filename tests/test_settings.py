"""Every setting from outside has one place, one check and one line on the page."""

import json
import re
from pathlib import Path

import pytest

import xstilts
from xstilts import cli, settings
from xstilts.errors import UserError

PACKAGE = Path(xstilts.__file__).parent
PAGE = (PACKAGE.parents[1] / "book" / "reproduce.md").read_text()
# what these do with the environment: settings reads it, the workers' processes and git inherit one
# of their own, the package sets what torch reads
ALLOWED = {"settings.py", "study/workers/processes.py", "public_rows/raw.py", "__init__.py"}


def sources():
    return {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}


def test_no_other_module_reads_the_environment():
    reading = re.compile(r"environ\b\s*(\[|\.get|\.pop|\.setdefault|\|)|\bin os\.environ|getenv")
    found = {name for name, path in sources().items() if reading.search(path.read_text())}
    assert found == ALLOWED
    for name in ALLOWED - {"settings.py"}:
        assert "XSTILTS_" not in sources()[name].read_text()


def test_every_variable_that_is_named_anywhere_is_listed():
    listed = {one.name for one in settings.SETTINGS}
    named = {
        name
        for path in sources().values()
        for name in re.findall(r"\bXSTILTS_[A-Z_]+\b", path.read_text())
    }
    assert named == {name for name in listed if name.startswith("XSTILTS_")}
    read = re.findall(r'(?:_text|_place)\(\s*"([A-Z_]+)"', sources()["settings.py"].read_text())
    assert {"WORLD_SIZE", "HF_TOKEN", "XSTILTS_STORE"} <= set(read) <= listed | {"RANK"}


def test_the_page_has_the_table_of_the_settings():
    table = "\n".join(
        f"| `{one.name}` | {one.default} | {one.meaning} |" for one in settings.SETTINGS
    )
    assert f"| variable | default | meaning |\n| --- | --- | --- |\n{table}\n\n" in PAGE, table


@pytest.mark.parametrize(
    "name, text, value",
    [
        ("XSTILTS_RECORDS", "~/scores", str(Path.home() / "scores")),
        ("XSTILTS_CACHE", "~/kept", str(Path.home() / "kept")),
        ("XSTILTS_DATA", "hub", "hub"),
        ("XSTILTS_CHECKPOINT", "0.5", "0.5"),
        ("XSTILTS_LOCK", "lease", "lease"),
        ("XSTILTS_REMOTE", "s3://who:secret@host/x?token=abc", "s3://***@host/x?***"),
        ("HF_TOKEN", "hf_secret", "***"),
        ("HF_HUB_OFFLINE", "1", "1"),
        ("WORLD_SIZE", "4", "4"),
    ],
)
def test_a_value_is_read_when_it_is_asked_for(name, text, value, monkeypatch, capsys):
    before = next(one for one in settings.listed() if one.name == name)
    monkeypatch.setenv(name, text)
    now = next(one for one in settings.listed() if one.name == name)
    assert now == before._replace(value=value, is_set=True, problem="") and now != before
    assert cli.main(["settings"]) == 0
    told = capsys.readouterr().out
    assert f"{name} = {value}\n    {now.meaning} (default: {now.default})\n" in told
    assert cli.main(["settings", "--json"]) == 0
    told += capsys.readouterr().out
    assert now._asdict() in json.loads(told[told.index("[\n") :])
    assert "secret" not in told


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("XSTILTS_STORE", "/dev/null", "the store /dev/null cannot be used: it is no folder"),
        ("XSTILTS_RECORDS", "~nobody-of-this-name/x", "XSTILTS_RECORDS: .* names no folder"),
        ("XSTILTS_CACHE", "~nobody-of-this-name/x", "XSTILTS_CACHE: .* names no folder"),
        ("XSTILTS_CHECKPOINT", "often", "XSTILTS_CHECKPOINT: 'often' is not a number of minutes"),
        ("XSTILTS_CHECKPOINT", "nan", "XSTILTS_CHECKPOINT: 'nan' is not a number of minutes"),
        ("XSTILTS_LOCK", "hope\x1b", "XSTILTS_LOCK: 'hope.*' is none of system, lease"),
        ("WORLD_SIZE", "many", "WORLD_SIZE: 'many' is no whole number"),
    ],
)
def test_a_value_that_cannot_be_used_is_told(name, text, words, monkeypatch, capsys):
    monkeypatch.setenv(name, text)
    with pytest.raises(UserError, match=words):
        next(one for one in settings.SETTINGS if one.name == name).now()
    assert cli.main(["settings", "--json"]) == 2
    told = capsys.readouterr()
    [one] = [one for one in json.loads(told.out) if one["problem"]]
    assert one["name"] == name and one["value"] == text and "\x1b" not in told.out + told.err
    assert re.search(f"^xstilts: .*{words}", told.err)
