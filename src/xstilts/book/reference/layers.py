"""The layers of the library, read from its own files: a figure and a table for the page on its
architecture.

    write(root)      # book/chapters/layers.png and layers.md, which book/architecture.md includes

Their order is that of [tool.importlinter] in pyproject.toml, which a test enforces. What imports
what is read from the import statements, and each layer's sentence from its docstring."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

import xstilts
from xstilts.book import figures  # noqa: F401 (it sets the style of all figures)

NAME = "xstilts"
SINGLE = "single files"  # the modules that are no folder, all of which stand at the bottom
TOP = "cli"  # but for the command line
CAPTION = (
    "How many modules of a layer (row) import from another one (column). All numbers stand to the "
    "right of the diagonal, since a layer imports only those below it."
)


def order(root: Path) -> list[str]:
    """The layers from the top to the bottom, as pyproject.toml lists them."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]
    return [name.removeprefix(f"{NAME}.") for name in contracts["contracts"][0]["layers"]]


def sentence(path: Path) -> str:
    """The first paragraph of a layer's docstring. path: a folder, or a module."""
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(source.read_text())) or ""
    return " ".join(text.split("\n\n")[0].split())


def imported(tree: ast.AST) -> Iterator[str]:
    """The layers that a module imports from, as often as it does. What a type checker alone reads
    does not count."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        yield from (name.split(".")[1] for name in names if name.startswith(f"{NAME}."))
        yield from imported(node)


def counts(package: Path, layers: Sequence[str]) -> pd.DataFrame:
    """How many modules of a layer (row) import from another one (column)."""
    rows = [layer for layer in layers if layer == TOP or (package / layer).is_dir()] + [SINGLE]
    table = pd.DataFrame(0, index=rows, columns=rows)
    for path in sorted(package.rglob("*.py")):
        own = path.relative_to(package).with_suffix("").parts[0]
        row = own if own in rows else SINGLE
        found = imported(ast.parse(path.read_text()))
        for name in {each if each in rows else SINGLE for each in found} - {row}:
            table.loc[row, name] += 1
    return table


def in_words(table: pd.DataFrame) -> str:
    """The figure for those who do not see it."""
    said = [
        f"{row} imports from {', '.join(table.columns[table.loc[row] > 0])}"
        for row in table.index
        if table.loc[row].any()
    ]
    return f"A table of layers, from the top to the bottom. {'; '.join(said)}."


def figure(table: pd.DataFrame) -> Figure:
    """A cell for each layer and each that it imports from. All stand to the right of the diagonal,
    for a layer imports only those below it."""
    drawn, axis = plt.subplots(figsize=(4.6, 4.4), layout="constrained")
    words = table.map(lambda count: str(count) if count else "")
    sns.heatmap(
        table,
        mask=table == 0,
        annot=words,
        fmt="",
        cmap="Blues",
        vmax=2 * table.to_numpy().max(),
        cbar=False,
        ax=axis,
        linewidths=1,
        linecolor="0.93",
        annot_kws={"fontsize": 9},
    )
    axis.set_title("Modules that import from another layer", fontsize=11)
    axis.set(xlabel="imported", ylabel="")
    axis.tick_params(labelsize=10, length=0)
    axis.grid(visible=False)
    plt.close(drawn)
    return drawn


def write(root: Path) -> None:
    """Draws the figure and writes the part of the page that shows it, with the figure in words."""
    package, layers = Path(xstilts.__file__).parent, order(root)
    place = root / "book" / "chapters"
    place.mkdir(parents=True, exist_ok=True)
    table = counts(package, layers)
    figure(table).savefig(place / "layers.png", dpi=160)
    rows = [
        f"| `{layer}{'/' if (package / layer).is_dir() else '.py'}` | {sentence(package / layer)} |"
        for layer in layers
    ]
    (place / "layers.md").write_text(
        "\n".join(
            [
                "```{figure} chapters/layers.png",
                f":alt: {in_words(table)}",
                "",
                CAPTION,
                "```",
                "",
                "| layer | what it is for |",
                "| --- | --- |",
                *rows,
                "",
            ]
        )
    )
