"""Names and parameters that nobody could mean: each is refused in one line that can be printed, and
nothing is written."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts import cli, data, encoders
from xstilts.book import build
from xstilts.chapters import needed
from xstilts.errors import UserError
from xstilts.study import profiles
from xstilts.synthetic import dials

NAMES = [
    "../../x",
    "a/b",
    "/etc/passwd",
    "CON",
    "x" * 300,
    "a\0b",
    "\ud800",
    "..",
    ".",
    "~",
    "$HOME",
    "*",
    "a b",
    "-p",
    "",
    "none\n",
    "\u202e",
    "xnli/../xnli",
    "C:\\x",
    "file:///etc/passwd",
    "http://127.0.0.1/x",
    "<b>",
    "%s",
    "{0}",
]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_strange_name_is_unknown_everywhere(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lists = ("intermediates", "targets", "languages")
    for parameter in ("profile", "encoder", "data", "scheduler", "precision", "vocabulary", *lists):
        try:
            found = profiles.study(**{parameter: [name] if parameter in lists else name})
        except UserError as error:
            assert str(error).isprintable() or "\n" in str(error)
            str(error).encode()  # can be printed
        else:  # "" is the profile's value; a/b could be a Hub id
            assert (
                name == ""
                or parameter == "encoder"
                and (encoders.HUB_ID.fullmatch(name) or name in (".", ".."))
            ), (parameter, found)
    if name:
        with pytest.raises(UserError, match="unknown chapter"):
            needed.needed(name, None)
    with pytest.raises(UserError):
        data.load("xnli", name, "en", "mini")
    with pytest.raises(UserError):
        data.load(name, "test", "en", "mini")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", [name for name in NAMES if name], ids=ascii)
def test_a_strange_chapter_is_unknown_and_nothing_is_written(name, tmp_path):
    with pytest.raises(UserError, match="unknown chapter"):
        build.run(name, tmp_path / "out.ipynb", {})
    assert not list(tmp_path.iterdir())


VALUES = [
    None,
    True,
    1.5,
    -1,
    "x",
    [],
    {},
    float("nan"),
    float("inf"),
    -0.5,
    10**30,
    [None],
    [[1]],
    {"a": 1},
    b"x",
    "1e999",
    "nan",
    "\0",
    ["a", 1],
    "0x10",
    "1_000",
    "١",
]


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_any_parameter_of_the_wrong_type_is_refused_or_understood(value):
    for name in (
        "seeds",
        "phase2_steps",
        "phase1_rows",
        "phase2_learning_rate",
        "dropout",
        "phase2_batch",
        "max_length",
        "layer",
        "micro_batch",
        "targets",
        "encoder",
        "eval_rows",
    ):
        try:
            found = getattr(profiles.study(**{name: value}), name)
        except UserError as error:
            assert name in str(error) or "unknown" in str(error)
            continue
        numbers = found if isinstance(found, tuple) else (found,)
        limits = {int: 2**63, float: float("inf")}
        assert all(
            type(number) not in limits or 0 <= number < limits[type(number)] for number in numbers
        ), (name, found)


@pytest.mark.parametrize(
    "given",
    [
        ["-p", "seeds", "["],
        ["-p", "seeds", "{a: 1}"],
        ["-p", "seeds", "!!python/object:os.system x"],
        ["-p", "phase2_steps", "&a [*a]"],
        ["-p", "seeds", "2026-01-01"],
        ["-p", "targets", "\0"],
    ],
    ids=ascii,
)
def test_a_value_on_the_command_line_that_yaml_cannot_read_is_one_line(given, capsys):
    assert cli.main(["plan", "single_task", *given]) == 2
    error = capsys.readouterr().err
    assert error.startswith("xstilts: ") and "Traceback" not in error


@settings(max_examples=100, deadline=None)
@given(st.text(string.printable, max_size=12))
def test_any_text_as_a_scheduler_or_dial_is_known_or_refused(text):
    for parameter in (dict(scheduler=text), dict(data=f"mini:{text}")):
        try:
            accepted = profiles.study(**parameter)
        except UserError:
            continue
        assert accepted.scheduler.partition(":")[0] in (
            "local",
            "processes",
            "dask",
        ) and dials.parse(accepted.data)
