"""What a store holds: checked, listed, and cleaned of what nothing refers to.

    faults(root);  entries(root)      # what is damaged; every folder
    verify(root);  listed(root)       # the same as lines
    encoders(root)                    # the intermediate encoders among them
    superfluous(root, wanted)         # what `clean` removes

Nothing but what the store made itself is ever removed: a folder whose name is a run's key, or one
of its own unfinished, damaged or half-copied ones. A run that some process is at, is left alone.
"""

from __future__ import annotations

import contextlib
import csv
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from filelock import Timeout

from xstilts import files
from xstilts.errors import UserError
from xstilts.runs import store
from xstilts.runs.key import Run, key, line, passing
from xstilts.tasks.table import TASKS
from xstilts.training import checkpoint

KEY = re.compile(r"[0-9a-f]{20}")
LEFT = re.compile(r"\.(writing|damaged|failed|pulling|removing)-([0-9a-f]{20})(-[\w.-]+)?", re.A)
WHY = {
    "writing": "unfinished, and no process is at it",
    "damaged": "damaged, was set aside",
    "failed": "evidence of a run that failed",
    "pulling": "half copied",
    "removing": "half removed",
}


def artifacts(root: Path) -> list[Path]:
    """Folders that stand for a run, finished or damaged."""
    return sorted(
        path for path in root.glob("*") if KEY.fullmatch(path.name) and files.is_folder(path)
    )


def leftovers(root: Path) -> list[tuple[Path, str, str]]:
    """(folder, what it is, key)"""
    found = [
        (path, LEFT.fullmatch(path.name))
        for path in sorted(root.glob(".*"))
        if files.is_folder(path)
    ]
    return [(path, match[1], match[2]) for path, match in found if match]


def faults(root: Path) -> dict[str, str]:
    """Every file of every artifact against its checksum: the name of a damaged folder -> what is
    wrong with it."""
    found = {}
    for folder in artifacts(root):
        try:
            problem = store.damaged(folder)
        except UserError as error:
            problem = str(error)
        if problem:
            found[folder.name] = problem
    return found


def verify(root: Path) -> tuple[list[str], int]:
    """`faults` as a line each, and their number."""
    found = faults(root)
    return [f"{name}  {problem}" for name, problem in found.items()], len(found)


class Entry(NamedTuple):
    """A folder of the store. written and label: "" where they are not known."""

    folder: str
    state: str  # finished, unreadable, or what is left: writing, damaged, failed, pulling, removing
    size: int  # bytes
    written: str
    label: str
    has_checkpoint: bool = False


def entries(root: Path) -> list[Entry]:
    """Every artifact, then what is left of unfinished ones."""
    found = []
    for folder in artifacts(root):
        try:
            made = store.manifest(folder)
            about = "finished", size(folder), made["written"], " ".join(made["label"].split())
        except UserError:
            about = "unreadable", size(folder), "", ""
        found.append(Entry(folder.name, *about))
    for folder, what, _ in leftovers(root):
        kept = files.is_file(folder / checkpoint.FILE)
        found.append(Entry(folder.name, what, size(folder), "", "", kept))
    return found


def listed(root: Path) -> list[str]:
    """A line an artifact: key, size, when it was written, what it is; and what is left of
    unfinished ones."""
    lines = []
    for one in entries(root):
        about = f"{one.written[:16]}  {one.label}"
        if one.state == "unreadable":
            about = f"{'':16}  ({store.MANIFEST} is not readable)"
        elif one.state != "finished":
            about = one.state + " (has a checkpoint)" * one.has_checkpoint
        lines.append(f"{one.folder}  {one.size / 1e6:>9.1f} MB  {about}")
    return lines


def encoders(root: Path) -> list[dict]:
    """The intermediate encoders that are kept, a dict each: tasks, seed, from (the encoder before
    it), steps, rows, dev (0-100, the first task's metric, on English dev rows), metric, size
    (bytes), folder. A target's training on rows of an intermediate task is one, too."""
    found = []
    for folder in artifacts(root):
        try:
            made = store.manifest(folder)
        except UserError:
            continue
        run = made["run"]
        tasks = run.get("tasks", ())
        roles = {TASKS[name].role for name in tasks if name in TASKS}
        if run["run"] != "Adapt" or roles != {"intermediate"} or run.get("read_as"):
            continue
        with open(folder / "scores.csv", newline="", encoding="utf-8") as file:
            first = next(row for row in csv.DictReader(file) if row["task"] == tasks[0])
        found.append(
            {
                "tasks": list(tasks),
                "seed": run["seed"],
                "from": made["label"].rpartition(" > ")[0],
                "steps": run["recipe"]["steps"],
                "rows": run["recipe"]["rows"],
                "dev": float(first["value"]),
                "metric": first["metric"],
                "size": size(folder),
                "folder": str(folder),
            }
        )
    return sorted(found, key=lambda one: (one["tasks"], one["steps"], one["seed"]))


def size(folder: Path) -> int:
    """Bytes of its files; 0 where this user may not look."""
    try:
        return sum(
            status.st_size
            for status in files.contents(folder).values()
            if not stat.S_ISDIR(status.st_mode)
        )
    except OSError:
        return 0


def superfluous(root: Path, wanted: Iterable[Run]) -> list[tuple[Path, str]]:
    """(folder, why) of what none of the wanted runs is, starts from, or can go on from. A target's
    training is needed only by scores that are not there, unless it is wanted itself."""
    wanted = list(wanted)
    needed = {
        key(run)
        for one in wanted
        for run in line(one)
        if run is one or not passing(run) or not store.is_there(root, one)
    }
    found = [
        (folder, "nothing refers to it")
        for folder in artifacts(root)
        if folder.name not in needed and not busy(root, folder.name)
    ]
    for folder, what, name in leftovers(root):
        goes_on = what == "writing" and name in needed
        goes_on = goes_on and files.is_file(folder / checkpoint.FILE)
        goes_on = goes_on or what == "failed" and name in needed
        if not goes_on and not busy(root, name):
            found.append((folder, WHY[what]))
    return found


def busy(root: Path, name: str) -> bool:
    """Whether a process is computing the run now, or starts from it. To look makes no lock where
    there is none."""
    try:
        with contextlib.ExitStack() as held:
            for how, ending in store.LOCKS.items():
                for path in (root / ".locks").glob(f"{name}*.{ending}"):
                    held.enter_context(store.locked(root, path.stem, how, timeout=0))
            return False
    except OSError:  # Timeout is one; and this user may not be allowed to look
        return True


def remove(root: Path, folder: Path) -> None:
    """UserError where a process is at the run, or starts from it."""
    left = LEFT.fullmatch(folder.name)
    name = left[2] if left else folder.name
    try:
        store.remove(root, name, folder)
    except Timeout:
        raise UserError(f"{folder.name}: a process is at this run, so it stays") from None
    except OSError as error:
        raise UserError(f"{folder.name} cannot be removed: {error.strerror}") from error
