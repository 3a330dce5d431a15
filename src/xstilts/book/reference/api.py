"""The page on the library's functions, read from its own files.

    write(root)      # book/chapters/functions.md, which book/api.md includes

A module's public functions and classes with their types and docstrings, as Python: so that nothing
in a docstring is taken for markup."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import xstilts
from xstilts.book.reference.layers import order, sentence

PLACE = Path("book/chapters/functions.md")
LEFT_OUT = ("cli", "commands")  # `xstilts --help` says what they do


def write(root: Path) -> None:
    """Writes the page's text. root: the project."""
    (root / PLACE).parent.mkdir(parents=True, exist_ok=True)
    (root / PLACE).write_text(text(root), encoding="utf-8")


def text(root: Path) -> str:
    """Markdown: a section a layer, from the top to the bottom, a part a module."""
    package, said = Path(xstilts.__file__).parent, []
    for layer in (name for name in order(root) if name not in LEFT_OUT):
        folder = package / layer
        files = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
        parts = [part for file in files if (part := module(file, package))]
        if parts:
            said += [f"## {layer}", sentence(folder), *parts]
    return "\n\n".join(said) + "\n"


def module(file: Path, package: Path) -> str:
    """A module's part; "" where it has nothing public."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    stubs = list(_stubs(tree.body))
    if not stubs:
        return ""
    name = ".".join(file.relative_to(package.parent).with_suffix("").parts)
    fence = "`" * 4
    return "\n\n".join(
        [
            f"### {name.removesuffix('.__init__')}",
            f"{fence}text\n{ast.get_docstring(tree) or ''}\n{fence}",
            f"{fence}python\n" + "\n\n".join(stubs) + f"\n{fence}",
        ]
    )


def _stubs(body: list[ast.stmt], inside: str = "") -> Iterator[str]:
    """Public functions and classes: what a caller writes, and the docstring."""
    for node in body:
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith("_"):
            continue
        said = [f"{inside}{line}" for line in _heading(node).splitlines()]
        if words := ast.get_docstring(node):
            said += [f'{inside}    """{words}"""'.replace("\n", f"\n{inside}    ")]
        if isinstance(node, ast.ClassDef):
            fields = [item for item in node.body if isinstance(item, ast.AnnAssign)]
            said += [f"{inside}    {ast.unparse(field)}" for field in fields]
            said += list(_stubs(node.body, f"{inside}    "))
        yield "\n".join(said)


def _heading(node: ast.FunctionDef | ast.ClassDef) -> str:
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(map(ast.unparse, node.bases))
        return f"class {node.name}({bases}):" if bases else f"class {node.name}:"
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"def {node.name}({ast.unparse(node.args)}){returns}:"
