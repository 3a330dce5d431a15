"""What a program reads of the command line: exit codes, JSON documents, and how little is imported
for help, lists and slips."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import typer

from xstilts import chapters, cli
from xstilts.commands import options
from xstilts.errors import UserError
from xstilts.runs import records, results, store
from xstilts.runs.key import Base, key
from xstilts.study import graph, profiles
from xstilts.tasks.table import TASKS
from xstilts.tools import plan, verify

ROOT = Path(__file__).parents[1]
HEAVY = ("torch", "transformers", "pandas", "datasets")
ONE, TWO = Base("one", "1"), Base("two", "2")
LOOK = """
import contextlib, io, json, sys
from xstilts import cli
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    try:
        code = cli.main(sys.argv[1:])
    except SystemExit as wrong:
        code = wrong.code
print(json.dumps([code, [name for name in HEAVY if name in sys.modules]]))
""".replace("HEAVY", repr(HEAVY))


def commands(group=None, above="xstilts"):
    """(words, command) of every command that does something."""
    for name, command in (group or typer.main.get_command(cli.app())).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{above} {name}")
        else:
            yield f"{above} {name}", command


def printed(capsys, *words, code=0):
    """The one document that the command prints."""
    assert cli.main([*words]) == code
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "words, code",
    [
        (["--help"], 0),
        (["plan", "--help"], 0),
        (["tasks"], 0),
        (["store", "list"], 0),
        (["store", "verify"], 0),
        (["settings"], 0),
        ([], 2),
        (["no_such_command"], 2),
        (["plan", "no_such_chapter"], 2),
        (["run", "no_such_chapter", "out.ipynb"], 2),
        (["compute", "-p", "no_such_parameter", "1"], 2),
        (["compute", "--profile", "huge"], 2),
        (["compute", "-p", "seeds"], 2),
        (["compute", "-p", "phase2_steps", "-5"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_help_lists_and_slips_import_nothing_heavy(words, code):
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *words], capture_output=True, text=True, timeout=60, cwd=ROOT
    )
    assert json.loads(done.stdout) == [code, []], done.stderr


@pytest.mark.parametrize("words, command", list(commands()), ids=lambda value: str(value)[8:])
def test_every_command_says_what_it_does_with_an_example(words, command, capsys):
    assert cli.main([*words.split()[1:], "--help"]) == 0
    told = capsys.readouterr().out
    assert re.search(rf"Example:\n\s+{words}\b", told) and "\x1b" not in told
    for option in command.params:
        assert option.help, f"{words} {option.name}"


def test_the_help_and_the_page_have_every_exit_code(capsys):
    assert cli.main(["--help"]) == 0
    told, page = capsys.readouterr().out, (ROOT / "book" / "reproduce.md").read_text()
    for code in cli.CODES:
        assert f"{code}: " in told and f"| {code} |" in page
    assert set(cli.CODES) == {0, 1, 2, 130}


def test_a_stopped_command_says_so_in_one_line(monkeypatch, capsys):
    def stopped(**given):
        raise KeyboardInterrupt

    monkeypatch.setattr(profiles, "study", stopped)
    assert cli.main(["compute", "single_task"]) == 130
    told = capsys.readouterr()
    assert told.err.startswith("xstilts: stopped; ") and told.err.count("\n") == 1 and not told.out


def test_a_mistake_is_told_in_one_visible_line(monkeypatch, capsys):
    def wrong(**given):
        raise UserError("no \x1b[31mred")

    monkeypatch.setattr(profiles, "study", wrong)
    assert cli.main(["compute", "--json"]) == 2
    told = capsys.readouterr()
    assert told.err == "xstilts: no \N{SYMBOL FOR ESCAPE}[31mred\n" and not told.out
    with pytest.raises(SystemExit, match="2"):
        cli.main(["compute", "--no\x1b[31m"])
    assert "\x1b" not in capsys.readouterr().err


@pytest.fixture
def runs(monkeypatch):
    """Two runs that single_task asks for, of which the store has the first; `graph.compute` makes
    the second."""
    root = store.default_root()

    def make(run):
        with store.writing(root, run) as folder:
            (folder / "model.safetensors").write_bytes(b"weights")

    def compute(wanted, scheduler):
        print("computed something")
        subprocess.run(["echo", "a worker's line"], check=True)
        make(TWO)
        return {key(run): store.find(root, run) for run in wanted}

    make(ONE)
    monkeypatch.setattr("xstilts.chapters.needed.needed", lambda chapter, study: [ONE, TWO])
    monkeypatch.setattr(graph, "compute", compute)
    return root


def test_what_was_computed_found_and_lost_is_one_document(runs, monkeypatch, capfd):
    lost = pd.DataFrame([{"run": "three", "what": "failed", "why": "no rows"}])
    assert printed(capfd, "compute", "single_task", "--json") == {
        "store": str(runs),
        "computed": [{"key": key(TWO), "label": "two"}],
        "found": [{"key": key(ONE), "label": "one"}],
        "lost": [],
    }
    monkeypatch.setattr(results, "lost", lambda wanted: lost)
    assert cli.main(["compute", "single_task", "--json"]) == 1
    told = capfd.readouterr()
    assert json.loads(told.out)["lost"] == lost.to_dict("records")
    assert "computed something\n" in told.err and "a worker's line\n" in told.err
    assert "xstilts: three failed: no rows\n" in told.err


def test_nothing_that_was_asked_for_has_a_result(runs, monkeypatch, capsys):
    def failed(wanted, scheduler):
        raise graph.RunsFailed("2 runs failed")

    monkeypatch.setattr(graph, "compute", failed)
    assert cli.main(["compute", "single_task"]) == 1
    assert "xstilts: 2 runs failed\n" in capsys.readouterr().err


def test_a_store_is_listed_and_checked_for_programs(runs, capsys):
    [one] = printed(capsys, "store", "list", "--json")["folders"]
    assert one["folder"] == key(ONE) and one["state"] == "finished" and one["label"] == "one"
    assert one["size"] > 7 and one["written"] and one["has_checkpoint"] is False
    assert printed(capsys, "store", "verify", "--json") == {
        "store": str(runs),
        "artifacts": 1,
        "damaged": [],
    }
    (store.folder_of(runs, ONE) / "model.safetensors").unlink()
    store._verified.clear()
    problem = {"folder": key(ONE), "problem": "model.safetensors is missing"}
    assert printed(capsys, "store", "verify", "--json", code=1)["damaged"] == [problem]


def test_a_store_is_cleaned_for_programs(runs, capsys):
    other = Base("other", "3")
    with store.writing(runs, other) as folder:
        (folder / "model.safetensors").write_bytes(b"weights")
    [one] = printed(capsys, "store", "clean", "--json")["folders"]
    assert (one["folder"], one["why"], one["removed"]) == (
        key(other),
        "nothing refers to it",
        False,
    )
    assert store.folder_of(runs, other).is_dir()
    [one] = printed(capsys, "store", "clean", "--yes", "--json")["folders"]
    assert one["removed"] and not one["problem"] and not store.folder_of(runs, other).exists()


def test_tasks_are_listed_for_programs(capsys):
    found = printed(capsys, "tasks", "--json")
    assert [one["name"] for one in found] == list(TASKS)
    xnli = next(one for one in found if one["name"] == "xnli")
    assert "de" in xnli["languages"] and xnli["sources"][0]["licence"]


def test_a_plan_is_a_document(monkeypatch, capsys, tiny_encoder):
    monkeypatch.setattr(plan, "measured", lambda *how: plan.Speed(1.0, 0.1, 1e-9, 1e-9))
    words = ["-p", "encoder", str(tiny_encoder), "-p", "targets", "xnli", "-p", "languages", "en"]
    words += ["-p", "scheduler", "local"]
    found = printed(capsys, "plan", "single_task", *words, "--json")
    assert found["chapter"] == "single_task" and found["runs"] == found["to_compute"] > 3
    assert sum(group["runs"] for group in found["groups"]) == sum(found["waves"]) == found["runs"]
    alone = found["walks"]["1"]
    assert alone["wall"] == pytest.approx(found["worker_seconds"]) and alone["busy"] > 0.99
    assert found["longest_chain"] <= found["walks"]["64"]["wall"] + 1e-6


def test_records_and_their_check_are_documents(runs, monkeypatch, capsys):
    monkeypatch.setattr(records, "record", lambda wanted, root: [Path("/records/a.json")])
    monkeypatch.setattr("xstilts.analysis.repeats.note", lambda *asked: print("noted"))
    found = printed(capsys, "record", "single_task", "-p", "seeds", "5", "--json")
    assert found["written"] == ["a.json"] and found["folder"] == str(records.folder())
    assert found["runs"] == {"live": 1, "recorded": 0, "not run": 1}
    row = dict.fromkeys(verify.COLUMNS, "x") | {"again": float("nan"), "within": "no"}
    monkeypatch.setattr(verify, "verify", lambda *asked: pd.DataFrame([row]))
    monkeypatch.setattr(verify, "left_out", lambda study: "Left out: 1 records (old).\n")
    found = printed(capsys, "verify", "--json", code=1)
    assert found["runs"] == [row | {"again": None}]
    assert found["left_out"] == ["Left out: 1 records (old)."]


@pytest.mark.parametrize(
    "typed, expected",
    [
        ("plan ", {*profiles.PROFILES, *chapters.NAMES}),
        ("run ", {*chapters.NAMES}),
        ("plan -p ph", {name for name in options.parameter_names() if name.startswith("ph")}),
        ("compute --profile ", {*profiles.PROFILES}),
        ("translate ", {*TASKS}),
        ("store ", {"verify", "list", "clean"}),
    ],
)
def test_a_shell_completes_names(typed, expected, monkeypatch, capsys):
    words = f"xstilts {typed}"
    monkeypatch.setenv("_XSTILTS_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    with pytest.raises(SystemExit):
        cli.main([])
    assert set(capsys.readouterr().out.split()) == expected
