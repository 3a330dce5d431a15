"""The page on the architecture: its figure says what the code says, and its paths are there."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from xstilts.book.reference import api, layers

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "xstilts"
PAGES = ("book/architecture.md", "CONTRIBUTING.md")


@pytest.fixture(scope="module")
def counted():
    return layers.counts(PACKAGE, layers.order(ROOT))


def test_a_layer_is_counted_as_importing_only_those_below_it(counted):
    assert list(counted.index) == list(counted.columns)
    wrong = [
        (row, column)
        for number, row in enumerate(counted.index)
        for column in counted.columns[: number + 1]
        if counted.loc[row, column]
    ]
    assert not wrong
    assert counted.loc["study", "runs"] > 2 and counted.loc["training", "tasks"] > 2


def test_each_module_counts_once_for_a_layer_and_a_type_checker_alone_does_not(tmp_path):
    for folder in ("upper", "lower"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text('"""A folder."""')
    (tmp_path / "errors.py").write_text("")
    (tmp_path / "upper" / "one.py").write_text(
        "from xstilts import lower\nfrom xstilts.lower.a import b\n\n"
        "def f():\n    import xstilts.errors\n"
    )
    (tmp_path / "upper" / "two.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from xstilts.lower import a\n"
    )
    table = layers.counts(tmp_path, ["upper", "lower", "errors"])
    expected = pd.DataFrame(
        [[0, 1, 1], [0, 0, 0], [0, 0, 0]],
        index=(names := ["upper", "lower", layers.SINGLE]),
        columns=names,
    )
    pd.testing.assert_frame_equal(table, expected)
    assert layers.in_words(table).endswith("upper imports from lower, single files.")


def test_the_page_has_each_layer_with_its_own_sentence(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    layers.write(tmp_path)
    text = (tmp_path / "book" / "chapters" / "layers.md").read_text()
    assert (tmp_path / "book" / "chapters" / "layers.png").is_file()
    for layer in layers.order(ROOT):
        row = next(line for line in text.splitlines() if line.startswith(f"| `{layer}"))
        assert layers.sentence(PACKAGE / layer) in row and len(row.split("|")) == 4
    assert re.search(":alt: .*runs imports from training, ", text)
    assert "chapters/layers.md" in (ROOT / "book" / "architecture.md").read_text()
    assert "book/architecture" in (ROOT / "_toc.yml").read_text()


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_there(page):
    text = (ROOT / page).read_text()
    named = re.findall(r"`([\w./]+/[\w./]*|[\w./]+\.(?:py|md|toml|json))`", text)
    assert len(named) > 5
    assert not [name for name in named if not any((top / name).exists() for top in (ROOT, PACKAGE))]


def test_the_page_of_functions_has_what_is_public_and_no_markup_of_docstrings():
    text = api.text(ROOT)
    assert "### xstilts.study.profiles" in text and "def study(profile: str='mini'" in text
    assert "class Estimate:" in text and "    value: float" in text
    assert "def _" not in text and "xstilts.commands" not in text
    outside = re.sub(r"^````.*?^````$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert "def " not in outside and outside.count("### ") > 60
