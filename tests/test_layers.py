"""The layers of the library: each folder imports only those below it (the list is in
pyproject.toml)."""

import ast
from pathlib import Path

from importlinter.api import read_configuration
from importlinter.cli import lint_imports

import xstilts

ROOT = Path(__file__).parents[1]
PACKAGE = Path(xstilts.__file__).parent


def test_each_folder_imports_only_those_below_it(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filenames=("pyproject.toml",), no_cache=True, no_logo=True) == 0


def test_every_module_is_in_a_layer():
    config = read_configuration(str(ROOT / "pyproject.toml"))
    layers = {name.removeprefix("xstilts.") for name in config["contracts_options"][0]["layers"]}
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py"}
    there |= {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert there - {"__init__"} == layers


def test_each_folder_says_what_it_is_for():
    for path in PACKAGE.rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), path
