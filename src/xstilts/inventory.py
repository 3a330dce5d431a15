"""What a store holds: checked, listed, and cleaned of what nothing refers to.

    verify(root) -> lines, how many are damaged;  listed(root) -> lines;  superfluous(root, wanted) -> what `clean` removes

Nothing but what the store made itself is ever removed: a folder whose name is a run's key, or one of its own unfinished,
damaged or half-copied ones. A run that some process is at, is left alone.
"""
from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterable
from pathlib import Path

from filelock import Timeout

from . import checkpoint, store
from .spec import Run, key
from .study import line

KEY = re.compile(r"[0-9a-f]{20}")
LEFT = re.compile(r"\.(writing|damaged|failed|pulling|removing)-([0-9a-f]{20})(-\d+)?")
WHY = {"writing": "unfinished, and no process is at it", "damaged": "damaged, was set aside",
       "failed": "evidence of a run that failed",
       "pulling": "half copied", "removing": "half removed"}


def artifacts(root: Path) -> list[Path]:
    """Folders that stand for a run, finished or damaged."""
    return sorted(path for path in root.glob("*") if path.is_dir() and not path.is_symlink() and KEY.fullmatch(path.name))


def leftovers(root: Path) -> list[tuple[Path, str, str]]:
    """(folder, what it is, key)"""
    found = [(path, LEFT.fullmatch(path.name)) for path in sorted(root.glob(".*")) if path.is_dir()]
    return [(path, match[1], match[2]) for path, match in found if match]


def verify(root: Path) -> tuple[list[str], int]:
    """Every file of every artifact against its checksum: a line for each that is not what was written, and their number."""
    lines = [f"{folder.name}  {problem}" for folder in artifacts(root) if (problem := store.damaged(folder))]
    return lines, len(lines)


def listed(root: Path) -> list[str]:
    """A line an artifact: key, size, when it was written, what it is; and what is left of unfinished ones."""
    lines = []
    for folder in artifacts(root):
        try:
            manifest = store.manifest(folder)
            about = f"{manifest['written'][:16]}  {manifest['label']}"
        except (OSError, ValueError, KeyError, TypeError):
            about = f"{'':16}  ({store.MANIFEST} is not readable)"
        lines.append(f"{folder.name}  {size(folder) / 1e6:>9.1f} MB  {about}")
    for folder, what, _ in leftovers(root):
        kept = " (has a checkpoint)" if (folder / checkpoint.FILE).is_file() else ""
        lines.append(f"{folder.name}  {size(folder) / 1e6:>9.1f} MB  {what}{kept}")
    return lines


def size(folder: Path) -> int:
    """Bytes of its files."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def superfluous(root: Path, wanted: Iterable[Run]) -> list[tuple[Path, str]]:
    """(folder, why) of what none of the wanted runs is, starts from, or can go on from."""
    needed = {key(run) for one in wanted for run in line(one)}
    found = [(folder, "nothing refers to it") for folder in artifacts(root)
             if folder.name not in needed and not busy(root, folder.name)]
    for folder, what, name in leftovers(root):
        goes_on = what == "writing" and name in needed and (folder / checkpoint.FILE).is_file()
        goes_on = goes_on or what == "failed" and name in needed
        if not goes_on and not busy(root, name):
            found.append((folder, WHY[what]))
    return found


def busy(root: Path, name: str) -> bool:
    """Whether a process is computing the run now."""
    for how in ("system", "lease"):
        try:
            with store.locked(root, name, how, timeout=0):
                pass
        except Timeout:
            return True
    return False


def remove(root: Path, folder: Path) -> None:
    """First out of sight, so that no process finds half an artifact."""
    name = LEFT.fullmatch(folder.name)[2] if LEFT.fullmatch(folder.name) else folder.name
    aside = root / f".removing-{name}-{time.time_ns()}"
    folder.rename(aside)
    shutil.rmtree(aside)
