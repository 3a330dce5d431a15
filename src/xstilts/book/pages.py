"""The pages of the book from the chapters that have run."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path

import yaml

from xstilts.errors import UserError

PARAMETERS = Path("book/chapters/parameters.md")  # their table; the page on reruns includes it
BEFORE = ".before"  # the book that is there, while a new one takes its place


def sweep(folder: Path) -> None:
    """Removes what a chapter or a book left whose process was killed."""
    for left in folder.glob(".running-*-*"):
        try:
            os.kill(int(left.name.split("-")[1]), 0)
        except (ProcessLookupError, ValueError):
            shutil.rmtree(left, ignore_errors=True)
        except OSError:  # it lives, and is somebody else's
            continue


def html(root: Path) -> Path:
    """Runs jupyter-book over what is staged, beside the book that is there. That one is replaced by
    a whole new one, or it stays. jupyter-book returns 0 for a book with failed pages, so each page
    is looked for. UserError where it was not built."""
    from xstilts.book.reference import api, layers
    from xstilts.runs import store
    from xstilts.study import parameters

    (root / PARAMETERS).parent.mkdir(parents=True, exist_ok=True)
    (root / PARAMETERS).write_text(parameters.table(), encoding="utf-8")
    if (root / "book" / "architecture.md").is_file():
        layers.write(root)
    if (root / "book" / "api.md").is_file():
        api.write(root)
    place, program = root / "_build", Path(sys.executable).with_name("jupyter-book")
    place.mkdir(exist_ok=True)
    with store.locked(place, "html"):
        _put_back(place)  # a process may have been killed while it published
    sweep(place)
    toc = yaml.safe_load((root / "_toc.yml").read_text())
    files = [
        toc["root"],
        *(entry["file"] for part in toc.get("parts", [toc]) for entry in part.get("chapters", [])),
    ]
    with tempfile.TemporaryDirectory(prefix=f".running-{os.getpid()}-", dir=place) as folder:
        # what it prints names the folder that will not be there
        done = subprocess.run(
            [program, "build", "-W", "--keep-going", "-q", "--path-output", folder, str(root)],
            cwd=root,
            check=False,
            stdout=subprocess.PIPE,
            text=True,
        )
        pages = Path(folder) / "_build" / "html"
        missing = [name for name in files if not (pages / f"{name}.html").is_file()]
        if done.returncode or missing:
            print(done.stdout, file=sys.stderr)
            raise UserError(
                "the book was not built: "
                f"{f'no page for {missing}' if missing else 'see the warnings above'}"
            )
        _table_library(pages / "_static")
        _references(pages)
        with store.locked(place, "html"):  # another build may end at the same time
            _publish(pages, place)
    return place / "html" / "index.html"


def _publish(pages: Path, place: Path) -> None:
    """Makes the pages those of place/html. If that fails the book from before is there again."""
    try:
        _put_back(place)
        try:
            if (place / "html").exists():
                os.rename(place / "html", place / BEFORE)
            os.rename(pages, place / "html")
        finally:
            _put_back(place)
    except OSError as error:
        raise UserError(
            f"the book was built, but cannot be put at {place / 'html'}: {error}"
        ) from error


def _put_back(place: Path) -> None:
    """Puts the book from before back where there is none. Where there is one, the one from before
    is removed."""
    if (place / "html").exists():
        shutil.rmtree(place / BEFORE, ignore_errors=True)
    elif (place / BEFORE).exists():
        os.rename(place / BEFORE, place / "html")


def _references(pages: Path) -> None:
    """The entries of a bibliography are items of its list for screen readers, too: docutils gives
    them a role that a list may not have."""
    for page in pages.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        if 'role="doc-biblioentry"' in text:
            text = text.replace('role="doc-biblioentry"', 'role="listitem"')
            page.write_text(text, encoding="utf-8")


def _table_library(folder: Path) -> None:
    """What book/static/tables.js needs, from the package itables. A page that is read from disk may
    not load a module that lies beside it, but may one that a script holds."""
    library = resources.files("itables") / "html"
    module = base64.b64encode((library / "dt_bundle.js").read_bytes()).decode()
    (folder / "table-library.js").write_text(
        f'window.tableLibrary = import("data:text/javascript;base64,{module}");\n'
    )
    (folder / "table-library.css").write_bytes((library / "dt_bundle.css").read_bytes())
