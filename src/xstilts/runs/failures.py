"""What went wrong with a run, in words: the disk is full, the memory does not suffice, the loss was
no number.

    raise explained(error, run, root) or error
    known(root, run)        # Failure("diverged", "the loss is nan at step 20 …"), or None

A full disk stops a study, for every other run needs the disk, too. The others stop only what starts
from the run: why is kept in the store, beside the artifacts, and tables and chapters show it. What
failed is tried again when it is next asked for; what diverged is not, for it would diverge again.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from pathlib import Path
from typing import NamedTuple

from xstilts import files
from xstilts.errors import UserError
from xstilts.runs import artifact, environment, store
from xstilts.runs.key import Adapt, Base, Run, Score, key, label, parents
from xstilts.tasks.table import TASKS
from xstilts.training.loop import Diverged

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
FILE = "failed.json"


class NoRoom(UserError):
    """The disk is full."""


class OutOfMemory(RuntimeError):
    """A run needs more memory than there is."""


class Failure(NamedTuple):
    what: str  # diverged, failed
    why: str


def explained(error: BaseException, run: Run, root: Path) -> Exception | None:
    """The error in words that say what to do; None where there is nothing to add."""
    if _chain(error, _is_full):
        free = shutil.disk_usage(_existing(root)).free
        return NoRoom(
            f"no space left for {label(run)} in {root}: it needs about "
            f"{_gigabytes(needed(run, root))}, {_gigabytes(free)} are free. Finished runs are "
            "kept, nothing half-written is. Make room (`xstilts store clean` names what no chapter "
            "needs) or set XSTILTS_STORE to a larger disk, and start again"
        )
    if _chain(error, _is_memory) and not isinstance(error, OutOfMemory):
        return OutOfMemory(f"{label(run)}: out of memory. {_smaller(run)}")
    return None


def needed(run: Run, root: Path) -> int:
    """Bytes of its artifact, about: an encoder is as large as the one that it starts from, and a
    checkpoint of a training is three times that. A score has no weights."""
    if isinstance(run, Score):
        return 64 << 20
    parent = store.folder_of(root, parents(run)[0]) if parents(run) else None
    if not parent or not parent.is_dir():
        return 1 << 30
    weights = sum(path.stat().st_size for path in parent.rglob("*.safetensors"))
    return (4 if isinstance(run, Adapt) else 1) * weights + (64 << 20)


def _chain(error: BaseException | None, what) -> bool:
    while error:
        if what(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_full(error: BaseException) -> bool:
    return (
        isinstance(error, OSError)
        and error.errno in NO_ROOM
        or any(
            sign in str(error)
            for sign in ("No space left on device", "os error 28", "Disk quota exceeded")
        )
    )


def _is_memory(error: BaseException) -> bool:
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or any(
            sign in str(error)
            for sign in ("can't allocate memory", "out of memory", "Cannot allocate memory")
        )
    )


def _smaller(run: Run) -> str:
    """The setting to change, and to what."""
    if isinstance(run, Base):
        return "The encoder itself does not fit: give a smaller one (parameter encoder)"
    recipe = run.recipe
    # a batch's rows are each other's negatives
    if isinstance(run, Adapt) and TASKS[run.reads[0]].module.WHOLE_BATCH:
        return (
            f"It reads its batch of {recipe.batch_size} rows whole: give a smaller phase3_batch, "
            f"or a max_length below {recipe.max_length}"
        )
    size = recipe.micro_batch or recipe.batch_size
    if size > 1:
        return (
            f"It reads {size} rows a forward pass: give micro_batch {size // 2} (the batch stays "
            f"{recipe.batch_size}; a study has one, so that what it has computed is computed "
            f"again), or a max_length below {recipe.max_length}"
        )
    return (
        f"It reads up to {recipe.max_length} pieces: give a smaller max_length, or a smaller "
        "encoder"
    )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.0f} MB"


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


def keep(root: Path, run: Run, error: BaseException, unfinished: Path | None = None) -> None:
    """Evidence of a run that failed: why, and its log."""
    place = evidence(root, run)
    place.mkdir(parents=True, exist_ok=True)
    if unfinished and (unfinished / artifact.LOG).is_file():
        shutil.copy(unfinished / artifact.LOG, place / artifact.LOG)
    what, why = (
        "diverged" if isinstance(error, Diverged) else "failed",
        str(error) or type(error).__name__,
    )
    text = json.dumps(
        {
            "key": key(run),
            "label": label(run),
            "what": what,
            "why": why,
            "environment": environment.environment(),
            "written": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        },
        indent=1,
    )
    (place / "failed.new").write_text(text)
    os.replace(place / "failed.new", place / FILE)


def keep_reasons(root: Path, asked: list[Run], failed: dict[str, BaseException]) -> None:
    """Why runs failed, in the store and in its log; of several that lack the same parent, of that
    one. failed: by key."""
    for run in asked:
        error = failed.get(key(run))
        if isinstance(error, (NoRoom, store.Unwritable)):
            raise error
        if (
            error
            and not isinstance(error, Diverged)
            and not any(key(parent) in failed for parent in parents(run))
        ):
            keep(root, run, error)
            store.report(root, "failed", run, str(error) or type(error).__name__)


def evidence(root: Path, run: Run) -> Path:
    return root / f".failed-{key(run)}"


def forget(root: Path, run: Run) -> None:
    """The run has a result now."""
    shutil.rmtree(evidence(root, run), ignore_errors=True)


def any_kept(root: Path) -> bool:
    """Whether the store has evidence of any run that failed."""
    return any(root.glob(".failed-*"))


def known(root: Path, run: Run) -> Failure | None:
    """What became of the run, or of one that it starts from, if it has no result."""
    if files.is_file(store.folder_of(root, run) / store.MANIFEST):
        return None
    try:
        told = artifact.from_json(evidence(root, run) / FILE)
        return Failure(*(str(told[name]) for name in Failure._fields))
    except FileNotFoundError:
        return known(root, parents(run)[0]) if parents(run) else None
    except (OSError, ValueError, KeyError, TypeError):  # damaged: it is evidence of nothing
        return None
