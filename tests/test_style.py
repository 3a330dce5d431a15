"""The house style: format, lint, types, and the sizes of files and folders."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_FILE, MOST_FILES, LONGEST_LINE = 350, 12, 100
# Folders whose lines are measured; of a notebook those of its code cells.
MEASURED = ("src", "tests", "notebooks")


def sources(folder="src"):
    return sorted((ROOT / folder).rglob("*.py"))


def lines(path):
    """Of a notebook the lines of its code cells."""
    if path.suffix != ".ipynb":
        return path.read_text().splitlines()
    cells = json.loads(path.read_text())["cells"]
    return [
        line
        for cell in cells
        if cell["cell_type"] == "code"
        for line in "".join(cell["source"]).splitlines()
    ]


def public_functions(tree):
    """Functions and methods that have no leading underscore, outside private classes."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from public_functions(node)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[0] != "_":
            yield node


def untyped(function):
    """The arguments without a type, and "return" where the result has none."""
    known = function.args
    every = [*known.posonlyargs, *known.args, *known.kwonlyargs, known.vararg, known.kwarg]
    without = [each.arg for each in every if each and not each.annotation]
    names = [name for name in without if name not in ("self", "cls")]
    return names + ["return"] * (function.returns is None)


@pytest.mark.parametrize("command", [["format", "--check"], ["check"]])
def test_the_code_is_formatted_and_linted(command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "src", "tests"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_types_agree():
    done = subprocess.run([sys.executable, "-m", "mypy"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_public_function_says_its_types():
    lacking = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}: {', '.join(names)}"
        for path in sources()
        for function in public_functions(ast.parse(path.read_text()))
        if (names := untyped(function))
    ]
    assert not lacking


def test_no_file_is_too_long():
    longer = {
        str(path.relative_to(ROOT / "src" / "xstilts"))
        for path in sources()
        if len(lines(path)) > LONGEST_FILE
    }
    assert not longer


def test_no_folder_has_too_many_files():
    folders = {path.parent for path in sources()}
    counts = {str(folder): len(list(folder.glob("*.py"))) for folder in folders}
    assert {name: count for name, count in counts.items() if count > MOST_FILES} == {}


def test_no_line_is_too_long():
    """But for addresses, which cannot be broken."""
    longer = [
        f"{path.relative_to(ROOT)}: {line[:60]}..."
        for folder in MEASURED
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".py", ".ipynb")
        for line in lines(path)
        if len(line) > LONGEST_LINE and not re.search(r"https?://\S{60}", line)
    ]
    assert not longer


def test_the_checks_can_fail(tmp_path):
    tree = ast.parse("def a(b, *c: int): ...\nclass D:\n    def e(self) -> int: ...\n")
    assert [untyped(function) for function in public_functions(tree)] == [["b", "return"], []]
    notebook = {
        "cells": [
            {"cell_type": "code", "source": ["one\n", "two"]},
            {"cell_type": "markdown", "source": ["#"]},
        ]
    }
    (tmp_path / "page.ipynb").write_text(json.dumps(notebook))
    assert lines(tmp_path / "page.ipynb") == ["one", "two"]
