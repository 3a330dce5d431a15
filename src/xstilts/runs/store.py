"""Artifacts: folders named by the key of the run that made them.

    with writing(root, run) as folder: ...   # appears under its key only when the block ends well
    find(root, run)                          # its folder, or None

A finished artifact has run.json with a checksum of each of its files (`artifact`); an unfinished
one is never seen. To look one up changes nothing that is in the store: a damaged one is set aside
by the process that computes it again. Two processes that want the same run wait for each other
(`lock`), but not for one that is dead."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, SoftFileLease

from xstilts import files, settings
from xstilts.errors import UserError, visible
from xstilts.runs import artifact, environment, remote
from xstilts.runs.artifact import MANIFEST, damaged
from xstilts.runs.artifact import manifest as manifest
from xstilts.runs.artifact import verified as _verified
from xstilts.runs.key import Run, describe, key, label, parents
from xstilts.training import checkpoint, process_group

LEASE = 60.0  # seconds; see `locked`
LOCKS = {"system": "lock", "lease": "lease"}  # how a run may be locked -> ending of the file
TRAINING = "training.json"  # of a score: what the training that it started from says of itself
UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ELOOP)


class TakenOver(UserError):
    """Another process has taken this one for dead, and computes its run now."""


class Unwritable(UserError):
    """This user may not write into the store."""


def default_root() -> Path:
    """The store that is used where no other is named (`settings.store`)."""
    return settings.store()


def folder_of(root: Path, run: Run) -> Path:
    return root / key(run)


def find(root: Path, run: Run) -> Path | None:
    """The finished artifact's folder, brought from the remote if need be. One that is damaged is
    not found."""
    folder = folder_of(root, run)
    if artifact.seen(folder) in _verified:
        return folder
    if not files.is_there(folder) and not remote.pull(root, run):
        return None
    problem = damaged(folder)
    if problem and (folder, problem) not in _told:
        _told.add((folder, problem))
        _say("damaged", run, f"{problem}; it is not used")
    return None if problem else folder


_told: set[tuple[Path, str]] = set()  # damage that this process has told


def set_aside(root: Path, run: Run) -> None:
    """Puts a damaged artifact out of the way of the one that is to come."""
    folder, aside = folder_of(root, run), root / f".damaged-{key(run)}-{time.time_ns()}"
    if not files.is_there(folder) or not (problem := damaged(folder)):
        return
    with contextlib.suppress(FileNotFoundError):  # another process was faster
        os.rename(folder, aside)
        report(root, "damaged", run, f"{problem}; set aside as {aside.name}")


def is_there(root: Path, run: Run) -> bool:
    """Whether there is a finished artifact here, whole or not."""
    return files.is_file(folder_of(root, run) / MANIFEST)


def lock(root: Path, run: Run) -> contextlib.AbstractContextManager[None]:
    """Held while a run is computed. Of several processes that do a run together the first holds
    it."""
    return _held(root, key(run))


def in_use(root: Path, run: Run, by: Run) -> contextlib.AbstractContextManager[None]:
    """Held while `by` is computed, which starts from `run`: `drop` leaves that alone."""
    return _held(root, f"{key(run)}.{key(by)}")


@contextlib.contextmanager
def _held(root: Path, name: str) -> Iterator[None]:
    if process_group.rank():
        yield
        return
    try:
        held = locked(root, name)
        held.acquire()
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.EOPNOTSUPP):
            raise _unwritable(root, error) from error
        held = locked(root, name, "lease")  # a disk without locks
        held.acquire()
    try:
        yield
    finally:
        held.release()


def remove(root: Path, name: str, folder: Path) -> None:
    """Removes a folder of the run `name`: first out of sight, so that no process finds half of it.
    Timeout, which is an OSError, where a process is at the run or starts from it."""
    aside = own(root, "removing", name)
    with contextlib.ExitStack() as held:
        for how in LOCKS:
            held.enter_context(locked(root, name, how, timeout=0))
        # who starts from it has said so under that lock (`in_use`)
        for user in {path.stem for path in (root / ".locks").glob(f"{name}.*.l*")}:
            for how in LOCKS:
                held.enter_context(locked(root, user, how, timeout=0))
        folder.rename(aside)
    shutil.rmtree(aside)


def locked(root: Path, name: str, how: str = "", **options: Any) -> BaseFileLock:
    """The lock of a run. XSTILTS_LOCK=system: the operating system's, which it drops when the
    process dies. lease: for a store on a disk that several machines share without common locks; a
    file that its holder renews. One that was not renewed for LEASE seconds, or whose process has
    died on this machine, is nobody's. Should its holder live after all, it finds its unfinished
    folder gone (`writing`)."""
    how = how or settings.lock()
    folder = root / ".locks"
    _make(root, folder)
    if how == "lease":
        return SoftFileLease(folder / f"{name}.lease", lease_duration=LEASE, **options)
    return FileLock(folder / f"{name}.lock", **options)


def _make(root: Path, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(root, error) from error


def _unwritable(root: Path, error: OSError) -> OSError | UserError:
    """In words, where the store cannot be written."""
    if error.errno not in UNWRITABLE:
        return error
    return Unwritable(
        f"the store {root} cannot be written: {error.filename or root}: {error.strerror}. What it "
        "has can be read; to compute what it lacks set XSTILTS_STORE to a folder of your own, or "
        "ask its owner to let you"
    )


def own(root: Path, what: str, name: str) -> Path:
    """A name in the store for what this process makes, which no other has: neither of another
    machine nor, where two containers number their processes alike, of another container."""
    host = re.sub(r"[^A-Za-z0-9.]", "_", socket.gethostname())[:40]
    return root / f".{what}-{name}-{host}-{secrets.token_hex(4)}-{os.getpid()}"


@contextlib.contextmanager
def writing(root: Path, run: Run) -> Iterator[Path]:
    """An unfinished folder that becomes the artifact when the block ends. If it raises (Ctrl-C too)
    or the process is killed, only a training's checkpoint stays in it, for the next attempt at the
    same run. Of several processes that do a run together the first one's becomes the artifact.
    TakenOver where another process took this one for dead meanwhile."""
    if process_group.rank():
        with tempfile.TemporaryDirectory() as discarded:
            yield Path(discarded)
        return
    folder = own(root, "writing", key(run))
    _make(root, folder)
    # open, so that no other folder gets its number
    itself = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _take_over(root, run, folder)
        started = time.perf_counter()
        try:
            yield folder
            if not _is_still(folder, itself):  # libraries make a folder that is gone anew
                raise FileNotFoundError(errno.ENOENT, "removed by another process", str(folder))
            _publish(root, run, folder, time.perf_counter() - started)
        except Exception as error:
            if _is_still(folder, itself):
                raise
            raise TakenOver(
                f"{label(run)}: another process took this one for dead, and computes it now"
            ) from error
    finally:
        os.close(itself)
        _drop_all_but_checkpoint(folder)


def _take_over(root: Path, run: Run, folder: Path) -> None:
    """Puts the checkpoint that others left of the run into `folder`, and removes the rest. The lock
    is ours, so they are dead; or were stopped, and live after all: each is moved away at once, so
    that nobody goes on in it."""
    for left in (*root.glob(f".writing-{key(run)}-*"), *root.glob(f".removing-{key(run)}-*")):
        if left == folder:
            continue
        if not files.is_folder(left):
            report(
                root,
                "ignored",
                run,
                f"{left.name} is a link or a file, which the store did not make",
            )
            continue
        aside = own(root, "removing", key(run))
        try:
            os.rename(left, aside)
            kept = aside / checkpoint.FILE
            if files.is_file(kept) and not (folder / checkpoint.FILE).exists():
                os.rename(kept, folder / checkpoint.FILE)
        except FileNotFoundError:  # it has just ended, or removed its checkpoint
            pass
        except PermissionError as error:
            report(root, "ignored", run, f"{left.name}, which another user left: {error.strerror}")
        shutil.rmtree(aside, ignore_errors=True)


def _is_still(folder: Path, itself: int) -> bool:
    """Whether the path is that of the open folder."""
    try:
        return os.path.samestat(os.lstat(folder), os.fstat(itself))
    except OSError:
        return False


def _publish(root: Path, run: Run, folder: Path, seconds: float) -> None:
    names = sorted(
        name
        for name, status in files.contents(folder).items()
        if stat.S_ISREG(status.st_mode) and name != checkpoint.FILE
    )
    made = {
        "key": key(run),
        "label": label(run),
        "run": describe(run),
        "parents": [key(parent) for parent in parents(run)],
        "seconds": round(seconds, 3),
        "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "environment": environment.environment(),
        "sha256": {name: artifact.sha256(folder / name) for name in names},
    }
    (folder / MANIFEST).write_text(json.dumps(made, indent=1))
    mode = stat.S_IMODE((folder / MANIFEST).stat().st_mode)
    for name in names:  # safetensors writes what its owner alone may read, whatever the umask
        os.chmod(folder / name, mode)
    (folder / checkpoint.FILE).unlink(missing_ok=True)
    try:
        os.rename(folder, folder_of(root, run))
    except OSError:
        set_aside(root, run)
        # else another process has just written the same
        if not files.is_there(folder_of(root, run)):
            os.rename(folder, folder_of(root, run))


def _drop_all_but_checkpoint(folder: Path) -> None:
    if not files.is_file(folder / checkpoint.FILE):
        shutil.rmtree(folder, ignore_errors=True)
        return
    for path in folder.iterdir():
        if files.is_folder(path):
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != checkpoint.FILE:
            path.unlink(missing_ok=True)


def report(root: Path, event: str, run: Run, detail: str = "", tell: bool = True) -> None:
    """One line for people and one in log.jsonl: which run was found, computed, damaged. A store
    that cannot be written has none of the second kind."""
    if process_group.rank():
        return
    line = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "event": event,
        "key": key(run),
        "label": label(run),
    } | ({"detail": detail} if detail else {})
    try:
        root.mkdir(parents=True, exist_ok=True)
        _append(root / artifact.LOG, json.dumps(line) + "\n")
    except OSError as error:
        if root not in _unlogged:
            _unlogged.add(root)
            print(visible(f"{root / artifact.LOG} is not written: {error.strerror}"), flush=True)
    if tell:
        _say(event, run, detail)


_unlogged: set[Path] = set()  # stores of which this process has told that


def _append(path: Path, line: str) -> None:
    # no link is followed, and no pipe waited for
    how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    file = os.open(path, how, 0o666)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(errno.EINVAL, "it is no file", str(path))
        if os.write(file, line.encode()) < len(line.encode()):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(file)


def _say(event: str, run: Run, detail: str) -> None:
    if process_group.rank():
        return
    print(visible(f"{event:9} {key(run)[:8]}  {label(run)}  {detail}").rstrip(), flush=True)
