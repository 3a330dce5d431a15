"""Runs the chapters headlessly and builds the book from those that succeeded.

    run("single_task", Path("out.ipynb"), {"profile": "small"})
    build()

A chapter is executed to a temporary file and moved into book/chapters only when it has finished:
papermill writes its output even when it fails, and jupyter-book would publish that."""

from __future__ import annotations

import ast
import asyncio
import dataclasses
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from jupyter_client import AsyncKernelManager

from xstilts import settings
from xstilts.book import pages
from xstilts.errors import UserError, visible

# what takes seconds to import is imported where it is used: the kernels are started before it
if TYPE_CHECKING:
    import pandas as pd

    from xstilts.study.profiles import Study

# They train. The book has them train a short chain, so that it is built in minutes.
PHASES, SHORT = ("phase1_encoder", "phase2_intermediate", "phase3_target"), "chain"
# Chapters that sum up what other chapters have run: they are run last, wherever they stand.
SUMMARIES = ("claims", "costs")
CELLS = ["intermediate", "target", "difference", "low", "high"]
# not %reset: it takes __spec__ too, without which the kernel starts no worker processes
FORGET = (
    "[globals().pop(name) for name in list(globals()) if name not in get_ipython().user_ns_hidden];"
)
# it warns that it speaks over local TCP, as all kernels do, and would repeat what worker processes
# print
QUIET_KERNEL = ["--IPKernelApp.log_level=ERROR", "--IPKernelApp.capture_fd_output=False"]
# These two import nearly all other modules of the library.
READY_KERNEL = [
    *QUIET_KERNEL,
    "--IPKernelApp.exec_lines=['import xstilts.book.wide_page, xstilts.tools.verify']",
]
# what a terminal obeys: colours; and all else that begins with ESC and says where it ends (a link's
# address, a title, a movement)
COLOUR = re.compile(r"(\x1b\[[0-9;]{0,40}m)")
TERMINAL = re.compile(r"\x1b(?:[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\[[0-?]*[ -/]*[@-~])")
START = 600  # seconds until a kernel answers: a disk that is read for the first time is slow


def chapters(root: Path) -> list[str]:
    """The notebooks, in the order of the table of contents."""
    toc = yaml.safe_load((root / "_toc.yml").read_text())
    files = [
        entry["file"] for part in toc.get("parts", [toc]) for entry in part.get("chapters", [])
    ]
    return [
        Path(name).name
        for name in files
        if (root / "notebooks" / f"{Path(name).name}.ipynb").is_file()
    ]


def notebook(chapter: str) -> Path:
    """The chapter's notebook in the project. UserError where there is none."""
    root = settings.project()
    source = root / "notebooks" / f"{chapter}.ipynb"
    if source not in (root / "notebooks").glob("*.ipynb"):
        raise UserError(f"unknown chapter {chapter!r}; known: {', '.join(chapters(root))}")
    return source


def run(
    chapter: str,
    out: Path,
    parameters: Mapping[str, object],
    shared: AsyncKernelManager | None = None,
) -> Path:
    """Executes a chapter with papermill and writes it to `out`, or raises and leaves `out` as it
    was. shared: a kernel for several chapters; one of its own if it is left out."""
    source, root = notebook(chapter), settings.project()
    import nbclient
    import nbformat
    import papermill

    from xstilts.study.profiles import Study

    # a chapter lists only what matters to its question; it takes all of a study's parameters
    known = {
        *papermill.inspect_notebook(str(source)),
        *(field.name for field in dataclasses.fields(Study)),
    }
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise UserError(
            f"{chapter} has no parameter {', '.join(map(repr, unknown))}; known: "
            f"{', '.join(sorted(known))}"
        )
    logging.getLogger("papermill").setLevel(logging.ERROR)  # it warns of what is not listed
    places = _absolute_places()
    settings.set_for_children(places)
    out.parent.mkdir(parents=True, exist_ok=True)
    pages.sweep(out.parent)
    with tempfile.TemporaryDirectory(prefix=f".running-{os.getpid()}-", dir=out.parent) as folder:
        unfinished = Path(folder) / out.name
        if shared:
            forget = nbformat.v4.new_code_cell(
                f"__import__('os').environ.update({places})\n{FORGET}"
            )
            nbclient.NotebookClient(
                nbformat.v4.new_notebook(cells=[forget]), km=shared, startup_timeout=START
            ).execute()
        try:
            papermill.execute_notebook(
                str(source),
                str(unfinished),
                dict(parameters),
                cwd=str(root),
                log_output=True,
                progress_bar=False,
                kernel_name="python3",
                stdout_file=sys.stdout,
                stderr_file=sys.stderr,
                extra_arguments=QUIET_KERNEL,
                km=shared,
                start_timeout=START,
            )
        except nbclient.exceptions.DeadKernelError as error:
            raise UserError(
                f"{chapter}: its process was ended from outside, most often because the memory ran "
                "out; finished runs are kept, the same command goes on from there"
            ) from error
        _dress(unfinished)
        os.replace(unfinished, out)
    return out


def _absolute_places() -> dict[str, str]:
    """Variables for a kernel, which is in the notebook's folder in JupyterLab and in the project's
    here."""
    from xstilts.data import is_folder

    places = {
        "XSTILTS_STORE": str(settings.store()),
        "XSTILTS_TARGETS": str(settings.targets().absolute()),
    }
    rows = settings.data() or "mini"
    if is_folder(rows):
        places["XSTILTS_DATA"] = str(Path(rows).expanduser().resolve())
    return places


def _dress(path: Path) -> None:
    """Papermill's injected cell carries no tag of the book's: readers may unfold it. And the book
    looks for a figure's words beside its cell."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            cell.metadata["tags"] = [*tags, "hide-input"]
        for output in cell.get("outputs", []):
            for part, name in ((output, "text"), (output.get("data", {}), "text/plain")):
                if name in part:
                    part[name] = printed(part[name])
            words = output.get("metadata", {}).get("image/png", {}).get("alt")
            if words:
                # may say what kind of figure it is
                image = cell.metadata.setdefault("mystnb", {}).setdefault("image", {})
                image["alt"] = " ".join(filter(None, (image.get("alt"), visible(words))))
    nbformat.write(notebook, path)


def printed(text: str) -> str:
    """What a chapter printed, as a page can show it: colours stay; links and titles for a terminal
    go, but for their words; other control characters become signs. The book's reader of colours
    stops at what it does not know."""
    # a line that is written over, as a terminal shows it
    text = re.sub(r"[^\n]*\r(?!\n)", "", text.replace("\r\n", "\n"))
    return "".join(
        part if COLOUR.fullmatch(part) else visible(TERMINAL.sub("", part))
        for part in COLOUR.split(text)
    )


def main_result(study: Study, root: Path) -> pd.DataFrame:
    """The cells of the main table by the store `root` and the records: intermediate, target,
    difference, low, high."""
    from xstilts.analysis import score_tables
    from xstilts.runs import results
    from xstilts.study import phases
    from xstilts.study.conditions import NONE

    wanted = phases.single_tasks(study)
    gains = score_tables.differences(
        study, results.scores(wanted, root), results.examples(wanted, root)
    )
    return gains[gains.intermediate != NONE][CELLS]


def picture(study: Study, path: Path) -> None:
    """Draws `main_result` for the README, by the records alone, so that it is the same on every
    machine; its numbers are kept in the picture. Nothing where a run of it is not recorded."""
    from xstilts.book import figures
    from xstilts.runs import records
    from xstilts.study import phases

    wanted = phases.single_tasks(study).values()
    if records.unrecorded(wanted):
        return
    with tempfile.TemporaryDirectory() as nothing:  # a store without runs
        gains = main_result(study, Path(nothing))
        figures.heatmap(study, gains, records.said(wanted, Path(nothing))).savefig(
            path, metadata={"Description": gains.to_csv(index=False)}
        )


def build(parameters: Mapping[str, Any] | None = None, live: bool = False) -> Path:
    """Runs every chapter, then builds the book; warnings are errors. Returns the page to open.

    live: the chapters on the three phases train what the profile has, not a short chain."""
    root, given = settings.project(), parameters or {}
    short = {} if live or "profile" in given else {"profile": SHORT}

    def chapter(name: str, shared: AsyncKernelManager) -> None:
        print(f"chapter   {name}\n", end="", flush=True)
        asked = {**short, **given} if name in PHASES else given
        run(name, root / "book" / "chapters" / f"{name}.ipynb", asked, shared)

    with ExitStack() as stack:
        # first, so that it ends after the kernels that it waits for
        pool = stack.enter_context(ThreadPoolExecutor(2))
        kernels = [stack.enter_context(kernel(root))]  # it imports while this process does
        from xstilts.study import profiles

        profiles.study(**given)  # a slip is told before a chapter runs
        kernels.append(stack.enter_context(kernel(root)))  # and this one during the first chapters
        computing, showing, last = _turns(root, given)
        for name in computing:
            chapter(name, kernels[0])

        def beside(name: str) -> None:
            shared = kernels.pop()
            try:
                chapter(name, shared)
            finally:
                kernels.append(shared)

        for group in (showing, last):
            # the first error goes on from here, and what has not begun is not begun
            list(pool.map(beside, group))
    return pages.html(root)


def _turns(root: Path, given: Mapping[str, object]) -> tuple[list[str], list[str], list[str]]:
    """Three groups of chapters. The first compute runs: they go one after another, since a run may
    have every core. The second only show what there is (a dash where something is missing): they go
    two at a time. The third are those of SUMMARIES."""
    import papermill

    def shows(name: str) -> bool:
        default = (
            papermill.inspect_notebook(str(root / "notebooks" / f"{name}.ipynb"))
            .get("missing", {})
            .get("default")
        )
        return bool(default) and given.get("missing", ast.literal_eval(default)) == "dash"

    names = sorted(chapters(root), key=lambda name: name in SUMMARIES)
    return (
        [name for name in names if not shows(name)],
        [name for name in names if shows(name) and name not in SUMMARIES],
        [name for name in names if shows(name) and name in SUMMARIES],
    )


@contextmanager
def kernel(root: Path) -> Iterator[AsyncKernelManager]:
    """A kernel for several chapters: to start one and to import everything takes longer than a
    chapter whose runs are stored. `run` lets it forget the names of the chapter before."""
    manager = AsyncKernelManager(kernel_name="python3")
    asyncio.run(manager.start_kernel(cwd=str(root), extra_arguments=READY_KERNEL))
    try:
        yield manager
    finally:
        asyncio.run(manager.shutdown_kernel(now=True))
