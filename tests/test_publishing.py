"""What the book's pages go through: a new book takes the place of the old one, or the old one
stays; what chapters print."""

import os
import re
import subprocess
import threading
import time
from pathlib import Path

import nbformat
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from myst_nb.core.lexers import AnsiColorLexer
from projects import project
from pygments.token import Error

from xstilts import settings
from xstilts.book import build as book
from xstilts.book import pages
from xstilts.errors import UserError
from xstilts.runs import records, store


@pytest.fixture
def build(tmp_path, monkeypatch):
    """build(words): a book whose pages hold these words, as jupyter-book would leave it."""
    (tmp_path / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    words = threading.local()

    def jupyter_book(command, **options):
        pages = Path(command[command.index("--path-output") + 1]) / "_build" / "html"
        (pages / "_static").mkdir(parents=True)
        for name in ("index.html", "other.html"):
            (pages / name).write_text(words.now)
        return subprocess.CompletedProcess(command, 0, stdout="")

    monkeypatch.setattr(pages.subprocess, "run", jupyter_book)
    monkeypatch.setattr(pages, "_table_library", lambda folder: None)

    def built(text):
        words.now = text
        return pages.html(tmp_path)

    return built


def there(folder):
    assert sorted(path.name for path in (folder / "_build").iterdir()) == [".locks", "html"]
    return {path.read_text() for path in (folder / "_build" / "html").glob("*.html")}


@pytest.mark.parametrize("fails", [{1}, {2}])
def test_the_old_book_is_there_again_if_the_new_one_cannot_take_its_place(
    build, tmp_path, monkeypatch, fails
):
    build("old")
    real, calls = os.rename, []

    def rename(source, target):
        calls.append(source)
        if len(calls) in fails:
            raise OSError(28, "No space left on device")
        real(source, target)

    monkeypatch.setattr(pages.os, "rename", rename)
    with pytest.raises(
        UserError, match="the book was built, but cannot be put at .*html: .*No space left"
    ):
        build("new")
    assert there(tmp_path) == {"old"}
    assert build("newer").read_text() == "newer" and there(tmp_path) == {"newer"}


def test_the_old_book_is_there_again_at_the_next_build_if_nothing_could_be_moved_any_more(
    build, tmp_path, monkeypatch
):
    build("old")
    real, calls = os.rename, []

    def rename(source, target):  # the disk goes away after the first one
        calls.append(source)
        if len(calls) > 1:
            raise OSError(5, "Input/output error")
        real(source, target)

    with monkeypatch.context() as patch, pytest.raises(UserError, match="cannot be put at"):
        patch.setattr(pages.os, "rename", rename)
        build("new")
    assert not (tmp_path / "_build" / "html").exists()
    with (
        monkeypatch.context() as patch,
        pytest.raises(UserError, match="was not built"),
    ):  # this one has a fault
        patch.setattr(
            pages.subprocess,
            "run",
            lambda command, **options: subprocess.CompletedProcess(command, 1, stdout=""),
        )
        pages.html(tmp_path)
    assert there(tmp_path) == {"old"}


def test_a_build_that_is_stopped_while_it_publishes_leaves_the_old_book(
    build, tmp_path, monkeypatch
):
    build("old")
    real, calls = os.rename, []

    def rename(source, target):
        calls.append(source)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(pages.os, "rename", rename)
    with pytest.raises(KeyboardInterrupt):
        build("new")
    assert there(tmp_path) == {"old"}


def test_two_builds_that_end_at_once_leave_one_whole_book(build, tmp_path, monkeypatch):
    build("old")
    real, errors = os.rename, []

    def rename(source, target):  # slow, so that the other one comes in between
        real(source, target)
        time.sleep(0.02)

    monkeypatch.setattr(pages.os, "rename", rename)

    def several(name):
        try:
            for number in range(5):
                build(f"{name} {number}")
        except Exception as error:  # noqa: BLE001  a thread's error would be lost
            errors.append(error)

    builders = [threading.Thread(target=several, args=(name,)) for name in "abc"]
    [builder.start() for builder in builders]
    [builder.join() for builder in builders]
    assert not errors and len(there(tmp_path)) == 1 and next(iter(there(tmp_path))).endswith(" 4")


LINK = "\x1b]8;;https://example.org\x1b\\the docs\x1b]8;;\x1b\\ \x1b]8;;x\x07there\x1b]8;;\x07"


@pytest.mark.parametrize(
    "text, shown",
    [
        (LINK, "the docs there"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b[2J\x1b[1;1H\x1b[?25ltext\x1b[K", "text"),
        ("\x1bPq\x1b\\text", "text"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("\x1b", "\u241b"),
        ("\x1b]8;;open", "\u241b]8;;open"),
        ("\x1b(B", "\u241b(B"),
        ("a\x00b\x08", "a\u2400b\u2408"),
        ("10%\r50%\r100%\ndone\r\n", "100%\ndone\n"),
        ("a\tb\n", "a\tb\n"),
        ("\u202e", "\ufffd"),
    ],
    ids=ascii,
)
def test_what_is_printed_is_shown_without_what_a_terminal_would_obey(text, shown):
    assert book.printed(text) == shown


@given(st.one_of(st.text(), st.text("\x1b\x1b[]0123;m\\\x07Pq\r\nab\x9b")))
@example(LINK)
def test_whatever_is_printed_can_be_read_by_the_books_reader_of_colours(text):
    shown = book.printed(text)
    assert not any(kind is Error for kind, _ in AnsiColorLexer().get_tokens(shown))
    assert not set(re.sub(r"\x1b\[[0-9;]*m", "", shown)) & set(map(chr, range(32))) - {"\t", "\n"}
    assert book.printed(shown) == shown


@pytest.mark.timeout(300)
def test_a_link_for_a_terminal_does_not_break_the_build(tmp_path):
    root = project(tmp_path, "book/chapters/page")
    (root / "book" / "chapters").mkdir()
    cell = nbformat.v4.new_code_cell(
        "print()",
        execution_count=1,
        outputs=[
            nbformat.v4.new_output(
                "stream", name="stdout", text=f"stream {LINK} \x1b[32mgreen\x1b[0m\n"
            ),
            nbformat.v4.new_output(
                "execute_result", data={"text/plain": f"result {LINK}"}, execution_count=1
            ),
        ],
    )
    path = root / "book" / "chapters" / "page.ipynb"
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "", "language": "python"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    }
    nbformat.write(
        nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_markdown_cell("# Page"), cell], metadata=metadata
        ),
        path,
    )
    book._dress(path)
    page = (pages.html(root).with_name("book") / "chapters" / "page.html").read_text()
    assert (
        re.search("stream the docs there .*green", page)
        and "result the docs there" in page
        and "example.org" not in page
    )


def test_a_table_of_contents_above_is_not_the_project(tmp_path, monkeypatch):
    monkeypatch.delenv("XSTILTS_STORE")
    monkeypatch.delenv("XSTILTS_RECORDS")
    inner = tmp_path / "somebody" / "mine" / "notebooks"
    inner.mkdir(parents=True)
    monkeypatch.chdir(inner)
    for name in (
        "_toc.yml",
        "somebody/_toc.yml",
        "somebody/mine/_toc.yml",
    ):  # each a Jupyter Book, with notebooks or without
        (tmp_path / name).write_text("format: jb-book\nroot: index\n")
        assert (store.default_root(), records.folder()) == (
            inner / "store",
            inner / "book" / "recorded",
        )
        with pytest.raises(
            UserError,
            match=(
                "notebooks is not in the project: no folder here or above has _toc.yml, "
                "notebooks, book/recorded"
            ),
        ):
            settings.project()
    (tmp_path / "somebody" / "mine" / "book" / "recorded").mkdir(parents=True)
    assert settings.project() == inner.parent
    assert (
        store.default_root() == inner.parent / "store"
        and records.folder() == inner.parent / "book" / "recorded"
    )
