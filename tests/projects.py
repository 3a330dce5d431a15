"""A book of few pages: what the project's own is built with, in a folder of its own."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]


def project(root: Path, first: str) -> Path:
    """root, which then has the book's configuration, static files and references, and a table of
    contents of one page."""
    (root / "notebooks").mkdir(parents=True, exist_ok=True)
    shutil.copytree(ROOT / "book" / "static", root / "book" / "static")
    for name in ("_config.yml", "book/references.bib"):
        shutil.copy(ROOT / name, root / name)
    (root / "_toc.yml").write_text(f"format: jb-book\nroot: {first}\n")
    return root
