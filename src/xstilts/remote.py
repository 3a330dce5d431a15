"""A second place for finished artifacts, which machines without a common folder share: any fsspec URL.

    XSTILTS_REMOTE=s3://bucket/study xstilts compute single_task -p scheduler dask:slurm.yml

What a machine's own store lacks is looked for there, and what it computes is copied there. The manifest goes last, so
an artifact is there as a whole or not at all. An s3 or gs URL needs the package s3fs or gcsfs.
"""
from __future__ import annotations

import os
import shutil
from pathlib import Path

from .spec import Run, UserError, key

MANIFEST = "run.json"


def _place():
    """(file system, folder) of XSTILTS_REMOTE, or None."""
    import fsspec

    url = os.environ.get("XSTILTS_REMOTE", "")
    if not url:
        return None
    try:
        return fsspec.core.url_to_fs(url.rstrip("/"))
    except (ImportError, ValueError) as error:
        raise UserError(f"XSTILTS_REMOTE: cannot use {url!r}: {error}") from error


def pull(root: Path, run: Run) -> bool:
    """Copies a finished artifact into the store, if the remote has it."""
    place = _place()
    if not place or not place[0].exists(f"{place[1]}/{key(run)}/{MANIFEST}"):
        return False
    system, folder = place
    unfinished = root / f".pulling-{key(run)}-{os.getpid()}"
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        for path in system.find(f"{folder}/{key(run)}"):
            target = unfinished / path.split(f"{key(run)}/", 1)[1]
            if ".." in target.parts:
                raise UserError(f"XSTILTS_REMOTE: {path} would be written outside of the store; it is not an artifact's file")
            target.parent.mkdir(parents=True, exist_ok=True)
            system.get_file(path, str(target))
        os.rename(unfinished, root / key(run))
    except OSError:
        if not (root / key(run)).is_dir():    # else another process was faster
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return True


def push(root: Path, run: Run) -> None:
    """Copies a finished artifact from the store to the remote, if there is one."""
    place = _place()
    if not place:
        return
    system, folder = place
    files = sorted((path for path in (root / key(run)).rglob("*") if path.is_file()), key=lambda path: path.name == MANIFEST)
    for path in files:
        target = f"{folder}/{key(run)}/{path.relative_to(root / key(run)).as_posix()}"
        system.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
        system.put_file(str(path), target)
