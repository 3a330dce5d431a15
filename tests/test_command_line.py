"""What is typed after a verb and what a launcher leaves in the environment: read as papermill reads
it, or refused in words."""

from types import SimpleNamespace

import own_files
import pandas as pd
import pytest
import typer
from hypothesis import example, given, settings
from hypothesis import strategies as st
from papermill.cli import _resolve_type

from xstilts import cli
from xstilts.book import build
from xstilts.chapters import needed as chapters
from xstilts.chapters import your_target
from xstilts.commands import options
from xstilts.commands import records as recording
from xstilts.errors import UserError
from xstilts.runs import records
from xstilts.study import graph, profiles
from xstilts.study.profiles import BOUNDS, ENTRIES, study
from xstilts.tools import export, fetch, inventory, plan, power, submission, verify
from xstilts.training import process_group

TYPED = [
    "rows #2",
    "010",
    "0100",
    "no",
    "on",
    "off",
    "yes",
    "null",
    "~",
    "true",
    "True",
    "False",
    "None",
    "1e-4",
    "24:00:00",
    "0x10",
    "0o7",
    "1_000",
    "2026-01-01",
    "[0, 1]",
    "{a: 1}",
    "- a",
    "&a",
    "!!int 1",
    "",
    " 5 ",
    "nan",
    "-inf",
    "٣",
    "9" * 5000,
]


def same(one, other):
    return type(one) is type(other) and (one == other or one != one and other != other)


@pytest.mark.parametrize("text", TYPED, ids=lambda text: ascii(text)[:20])
def test_a_value_is_what_papermill_makes_of_it(text):
    assert same(options.value(text), _resolve_type(text))


@given(
    st.one_of(
        st.text(), st.text("0123456789+-._eE naifTru"), st.integers().map(str), st.floats().map(str)
    )
)
@example("no")
def test_any_value_is_what_papermill_makes_of_it(text):
    assert same(options.value(text), _resolve_type(text))


def asked_for(words):
    return profiles.study(
        **options.given([words[at + 1 : at + 3] for at in range(0, len(words), 3)])
    )


def test_what_yaml_would_change_stays(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows #2" / "xnli" / "de").mkdir(parents=True)
    (tmp_path / "rows #2" / "xnli" / "de" / "test.parquet").touch()
    assert asked_for(
        ["-p", "data", "rows #2", "-p", "targets", "xnli", "-p", "intermediates", ""]
    ).data.endswith("rows #2")
    asked = asked_for(
        ["-p", "seeds", "010,1", "-p", "phase2_steps", "0100", "-p", "phase2_learning_rate", "1e-5"]
    )
    assert (asked.seeds, asked.phase2_steps, asked.phase2_learning_rate) == ((10, 1), 100, 1e-5)


@pytest.mark.parametrize("code", ["no", "on", "off", "yes", "null", "y", "n"])
def test_a_language_may_have_the_code_of_a_word_of_yaml(code, monkeypatch):
    there = profiles.sources.languages
    monkeypatch.setattr(profiles.sources, "languages", lambda *asked: (*there(*asked), code))
    assert asked_for(["-p", "languages", code]).languages == (code,)
    assert asked_for(["-p", "languages", f"de, {code}"]).languages == tuple(sorted(("de", code)))
    with pytest.raises(
        UserError,
        match="languages: False is not of type str; in YAML the bare words no, off.*quote them",
    ):
        study(languages=[False])  # what a file for papermill's own -f makes of it


VERBS = {
    "book": [],
    "run": ["single_task", "out.ipynb"],
    "compute": [],
    "plan": [],
    "power": [],
    "record": [],
    "verify": [],
    "store": ["clean"],
    "fetch": ["rows"],
    "submission": ["out"],
    "try": ["mine.csv"],
    "export": ["xnli", "out"],
}
# verbs about rows of a person's own, or the Hub's: the embedded benchmark is none of these
SMALL = ("fetch", "try")


@pytest.fixture
def seen(monkeypatch, tmp_path):
    """The profiles of the studies that a verb makes; nothing is done with them."""
    found, real = [], profiles.study
    monkeypatch.chdir(tmp_path)
    own_files.csv(tmp_path / "mine.csv", own_files.reviews(), ("text", "label"))
    empty = pd.DataFrame()
    nobody_asked = SimpleNamespace(
        words=lambda: "", tables={}, scores=lambda: empty, agreement=lambda: empty
    )

    def study(profile="mini", **given):
        found.append(profile)
        return real(profile, **given | {"data": "mini"})

    monkeypatch.setattr(profiles, "study", study)
    monkeypatch.setattr(
        build, "run", lambda chapter, out, given: found.append(study(**given).profile) or out
    )
    monkeypatch.setattr(
        build,
        "build",
        lambda given, live: found.append(study(**given).profile) or "page",
    )
    for module, name, value in (
        (graph, "compute", {}),
        (plan, "text", "the plan"),
        (power, "table", power.pd.DataFrame()),
        (verify, "verify", verify.pd.DataFrame(columns=verify.COLUMNS)),
        (fetch, "fetch", {}),
        (submission, "write", []),
        (inventory, "superfluous", []),
        (chapters, "needed", []),
        (records, "record", []),
        (your_target.Answer, "of", nobody_asked),
        (export, "export", "out"),
    ):
        monkeypatch.setattr(module, name, lambda *asked, value=value, **more: value)
    nothing = {"written": [], "folder": "records"}
    monkeypatch.setattr(recording, "_keep_scores", lambda study, chapter: (nothing, "said"))
    return found


def all_verbs():
    return set(typer.main.get_command(cli.app()).commands)


def test_the_table_has_every_verb():
    without_a_study = {"tasks", "settings", "translate", "ccgbank", "encoders"}
    assert all_verbs() - without_a_study == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_takes_a_profile_both_ways(verb, seen, capsys):
    for words in (
        ["-p", "profile", "small"],
        ["--profile", "small"],
        ["--profile", "small", "-p", "profile", "small"],
        ["--profile=small", "-p", "seeds", "1"],
    ):
        assert cli.main([verb, *VERBS[verb], *words]) == 0, capsys.readouterr().err
        assert seen and set(seen) == {"small"}, words
        seen.clear()
    assert cli.main([verb, *VERBS[verb]]) == 0 and set(seen) == {
        "small" if verb in SMALL else "mini"
    }
    seen.clear()
    for words in (
        ["-p", "profile", "small", "--profile", "paper"],
        ["--profile", "small", "--profile", "paper"],
    ):
        assert cli.main([verb, *VERBS[verb], *words]) == 2 and not seen
        assert (
            capsys.readouterr().err
            == "xstilts: profile is given twice, as 'small' and as 'paper': give one of them\n"
        )


@pytest.mark.parametrize("verb", ["tasks", "settings", "translate", "ccgbank"])
@pytest.mark.parametrize("words", [["-p", "profile", "small"], ["--profile", "small"]])
def test_verbs_without_a_study_refuse_both(verb, words, capsys):
    needed = {
        "translate": ["squad", "--to", "fi", "--data", "mini"],
        "ccgbank": ["x", "--out", "y"],
    }.get(verb, [])
    with pytest.raises(SystemExit, match="2"):
        cli.main([verb, *needed, *words])
    assert "No such option" in capsys.readouterr().err


def test_what_is_given_twice_and_fetched_from_elsewhere_is_refused(capsys):
    assert cli.main(["compute", "-p", "seeds", "1", "-p", "seeds", "2"]) == 2
    assert "seeds is given twice, as 1 and as 2" in capsys.readouterr().err
    assert cli.main(["fetch", "rows", "-p", "data", "mini"]) == 2
    assert "fetch takes rows from the Hub: data 'mini'" in capsys.readouterr().err


NUMBERS = [
    (["verify", "--sample"], 1, 10**6),
    (["verify", "--seed"], 0, 2**63 - 1),
    (["translate", "squad", "--to", "fi", "--data", "mini", "--rows"], 0, 10**9),
    (["translate", "squad", "--to", "fi", "--data", "mini", "--beams"], 0, 100),
    (["export", "xnli", "out", "--seed"], 0, 2**31),
]


@pytest.mark.parametrize(
    "words, least, most", NUMBERS, ids=lambda value: value[-1] if isinstance(value, list) else ""
)
def test_options_that_are_numbers_have_bounds(words, least, most, monkeypatch, capsys):
    monkeypatch.setattr(verify, "verify", pytest.fail)
    for text in (
        str(least - 1),
        "-3",
        str(most + 1),
        "1" * 40,
        "x",
        "",
        "1.5",
        "1e3",
        "٣",
        "nan",
        "0x1",
    ):
        with pytest.raises(SystemExit, match="2"):
            cli.main([*words, text])
        assert f"is no whole number from {least} to {most}" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["WORLD_SIZE", "RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_PORT"]
)
@pytest.mark.parametrize("text", ["x", "-1", "1.5", "10" * 20, "0x2", "4 4", "70000000"])
def test_a_launchers_variable_that_is_no_number_is_told_in_words(name, text, monkeypatch, capsys):
    for given_name, value in {
        "WORLD_SIZE": "2",
        "RANK": "0",
        "LOCAL_RANK": "0",
        name: text,
    }.items():
        monkeypatch.setenv(given_name, value)
    with pytest.raises(UserError, match=f"the environment's {name}: .* is no whole number from "):
        study()
    assert (
        cli.main(["compute", "single_task"]) == 2
        and f"the environment's {name}: " in capsys.readouterr().err
    )


def test_a_launchers_variables_are_all_there_or_it_is_told(monkeypatch):
    for name in ("RANK", "LOCAL_RANK", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORLD_SIZE", "")
    process_group.check()
    assert (process_group.size(), process_group.rank()) == (1, 0)
    monkeypatch.setenv("WORLD_SIZE", "4")
    with pytest.raises(
        UserError, match="WORLD_SIZE is 4, and RANK is not set: start with `accelerate launch`"
    ):
        process_group.check()
    monkeypatch.setenv("RANK", "4")  # the last is 3
    with pytest.raises(UserError, match="RANK: '4' is no whole number from 0 to 3"):
        process_group.rank()
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("LOCAL_RANK", "1")
    process_group.check()
    assert (process_group.size(), process_group.rank()) == (4, 3)


ABSURD = [
    dict(seeds=[-1]),
    dict(seeds=[2**63]),
    dict(phase2_steps=10**12),
    dict(phase1_steps="1" * 5000),
    dict(phase3_steps=10**5000),
    dict(phase3_steps=-(10**5000)),
    dict(phase2_learning_rate=10**400),
    dict(phase2_learning_rate=-1),
    dict(languages=["fi"] * 10**5),
    dict(languages="fi," * 10**5),
    dict(languages=[f"x{number}" for number in range(ENTRIES)]),
    dict(languages="de,,fi"),
    dict(languages="de,"),
    dict(targets=[[10**5000]]),
    dict(phase1_batch=0),
    dict(phase2_batch=0),
    dict(phase3_batch=10**7),
    dict(max_length=10**7),
    dict(layer=10**6),
    dict(eval_rows=10**10),
    dict(verify=10**10),
    dict(dropout=float("nan")),
    dict(precision="x" * 200),
    dict(seeds=range(3)),
    dict(seeds=[True]),
]


@pytest.mark.parametrize("asked", ABSURD, ids=lambda asked: ascii(next(iter(asked))))
def test_a_parameter_of_absurd_size_is_refused_in_a_line_or_two(asked):
    with pytest.raises(UserError) as refused:
        study(**asked)
    assert (
        next(iter(asked)).removesuffix("s") in str(refused.value) and len(str(refused.value)) < 600
    )


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(
        sorted(set(profiles.Study.__dataclass_fields__) - {"profile", "encoder", "data"})
    ),
    st.one_of(
        st.integers(),
        st.integers(-10, 10).map(lambda power: 10 ** abs(power) * (1 if power > 0 else -1)),
        st.floats(),
        st.text("0123456789-.e,", max_size=30),
        st.lists(st.integers(), max_size=3),
    ),
)
def test_any_number_is_within_bounds_or_refused(name, value):
    try:
        found = getattr(study(**{name: value}), name)
    except UserError:
        return
    numbers = found if isinstance(found, tuple) else (found,)
    least, most = BOUNDS.get(name, profiles.ANY)
    assert all(least <= number <= most for number in numbers if type(number) is int)
    assert all(0 <= number < float("inf") for number in numbers if type(number) is float)
