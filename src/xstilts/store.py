"""Artifacts: folders named by the key of the run that made them.

    with writing(root, run) as folder: ...   # appears under its key only when the block ends well
    find(root, run)                          # its folder, or None

A finished artifact has run.json with a checksum of each of its files; an unfinished one is never seen.
Two processes that want the same run wait for each other (`lock`), but not for one that is dead.
"""
from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLease

from . import checkpoint, environment, remote, team
from .spec import Run, UserError, describe, key, label, parents, visible

MANIFEST = "run.json"
LEASE = 60.0    # seconds; see `locked`


def project() -> Path:
    """The folder of the checkout: where the book's table of contents is, here or above; else here."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "_toc.yml").is_file()), here)


def default_root() -> Path:
    """XSTILTS_STORE, else `store` of the project."""
    if os.environ.get("XSTILTS_STORE"):
        return Path(os.environ["XSTILTS_STORE"]).expanduser().resolve()
    return project() / "store"


def folder_of(root: Path, run: Run) -> Path:
    return root / key(run)


def find(root: Path, run: Run) -> Path | None:
    """The finished artifact's folder, brought from the remote if need be. One whose files do not match their checksums
    is set aside and not found."""
    folder = folder_of(root, run)
    if not folder.is_dir() and not remote.pull(root, run):
        return None
    problem = damaged(folder)
    if problem:
        aside = root / f".damaged-{folder.name}-{time.time_ns()}"
        try:
            os.rename(folder, aside)
        except FileNotFoundError:     # another process was faster
            return None
        report(root, "damaged", run, f"{problem}; set aside as {aside.name}")
        return None
    return folder


_verified: set[tuple[Path, int]] = set()   # artifacts do not change: one check a process is enough


def damaged(folder: Path) -> str:
    """What is wrong with an artifact's files, or ""."""
    if not (folder / MANIFEST).is_file():
        return f"{MANIFEST} is missing"
    seen = (folder, (folder / MANIFEST).stat().st_mtime_ns)
    if seen in _verified:
        return ""
    try:
        checksums, name = dict(manifest(folder)["sha256"]), manifest(folder)["key"]
    except (ValueError, KeyError, TypeError):
        return f"{MANIFEST} is not readable"
    if name != folder.name:
        return f"it is the artifact of {name!r}"
    for name, checksum in checksums.items():
        if Path(name).is_absolute() or ".." in Path(name).parts:
            return f"{name!r} is not in the folder"
        if not (folder / name).is_file():
            return f"{name} is missing"
        if _sha256(folder / name) != checksum:
            return f"{name} has changed"
    foreign = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()} - {*checksums, MANIFEST}
    if foreign:
        return f"{min(foreign)} was added"
    _verified.add(seen)
    return ""


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def lock(root: Path, run: Run) -> Iterator[None]:
    """Held while a run is computed. Of several processes that do a run together the first holds it."""
    if team.rank():
        yield
        return
    try:
        held = locked(root, key(run))
        held.acquire()
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP):
            raise
        held = locked(root, key(run), "lease")    # a disk without locks
        held.acquire()
    try:
        yield
    finally:
        held.release()


def locked(root: Path, name: str, how: str = "", **options) -> BaseFileLock:
    """The lock of a run. XSTILTS_LOCK=system: the operating system's, which it drops when the process dies. lease: for a store
    on a disk that several machines share without common locks; a file that its holder renews. One that was not renewed for
    LEASE seconds, or whose process has died on this machine, is nobody's. Should its holder live after all, both compute the
    same, and the first to end has written the artifact: it appears by one rename."""
    how = how or os.environ.get("XSTILTS_LOCK") or "system"
    if how not in ("system", "lease"):
        raise UserError(f"XSTILTS_LOCK: {how!r} is none of system, lease")
    folder = root / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    if how == "lease":
        return SoftFileLease(folder / f"{name}.lease", lease_duration=LEASE, **options)
    return FileLock(folder / f"{name}.lock", **options)


@contextlib.contextmanager
def writing(root: Path, run: Run) -> Iterator[Path]:
    """An unfinished folder that becomes the artifact when the block ends. If it raises (Ctrl-C too) or the process is
    killed, only a training's checkpoint stays in it, for the next attempt at the same run. Of several processes that do a
    run together the first one's becomes the artifact."""
    if team.rank():
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    folder = root / f".writing-{key(run)}-{os.getpid()}"
    for left in root.glob(f".writing-{key(run)}-*"):   # of a killed process: the lock is ours, so it is dead
        _drop_all_but_checkpoint(left)
        if left.is_dir() and left != folder:
            shutil.rmtree(left) if folder.is_dir() else os.rename(left, folder)
    folder.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    try:
        yield folder
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != checkpoint.FILE]
        manifest = {"key": key(run), "label": label(run), "run": describe(run), "parents": [key(parent) for parent in parents(run)],
                    "seconds": round(time.perf_counter() - started, 3), "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
                    "environment": environment.environment(),
                    "sha256": {str(path.relative_to(folder)): _sha256(path) for path in files}}
        (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
        (folder / checkpoint.FILE).unlink(missing_ok=True)
        try:
            os.rename(folder, folder_of(root, run))
        except OSError:
            if not (folder_of(root, run) / MANIFEST).is_file():     # else another process has just written the same
                raise
    finally:
        _drop_all_but_checkpoint(folder)


def _drop_all_but_checkpoint(folder: Path) -> None:
    if not (folder / checkpoint.FILE).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != checkpoint.FILE:
            path.unlink(missing_ok=True)


def manifest(folder: Path) -> dict:
    return json.loads((folder / MANIFEST).read_text())


def report(root: Path, event: str, run: Run, detail: str = "", tell: bool = True) -> None:
    """One line for people and one in log.jsonl: which run was found, computed, damaged."""
    if team.rank():
        return
    root.mkdir(parents=True, exist_ok=True)
    line = {"time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "event": event, "key": key(run), "label": label(run)}
    with open(root / "log.jsonl", "a") as file:
        file.write(json.dumps(line | ({"detail": detail} if detail else {})) + "\n")
    if tell:
        print(visible(f"{event:9} {key(run)[:8]}  {label(run)}  {detail}").rstrip(), flush=True)
