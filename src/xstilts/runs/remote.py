"""A second place for finished artifacts, which machines without a common folder share: any fsspec
URL.

    XSTILTS_REMOTE=s3://bucket/study xstilts compute single_task -p scheduler dask:slurm.yml

What a machine's own store lacks is looked for there, and what it has computed is copied there, at
the latest when it is next found. The manifest goes last, so an artifact is there as a whole or not
at all. An s3 or gs URL needs the package s3fs or gcsfs. A remote that does not answer is left alone
for RETRY seconds. A password in the URL is never shown."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qsl, unquote

from xstilts import files, settings
from xstilts.errors import UserError, visible
from xstilts.runs import artifact
from xstilts.runs.artifact import MANIFEST
from xstilts.runs.key import Run, each_once, key

RETRY = 60.0


def given() -> bool:
    return bool(settings.remote())


def _shown() -> str:
    """The URL as it may be told."""
    return settings.without_secrets(settings.remote())


def _words(error: BaseException) -> str:
    """What an error says in one line; only its kind where its words have a secret of the URL."""
    text = " ".join(str(error).split())[:300]
    secret = any(secret in text for secret in _secrets())
    return type(error).__name__ if not text or secret else text


def _secrets() -> set[str]:
    """Passwords, tokens and keys in the URL, as they are there and decoded, and the parts into
    which a parser may break them."""
    url = settings.remote()
    found = [value for _, value in parse_qsl(url.partition("?")[2]) if len(value) >= 8]
    for who in re.findall(r"://(.*?)@(?=[^@]*(?:::|$))", url):
        name, colon, password = who.partition(":")
        found += [password] if colon else [name] * (len(name) >= 8)
    found += [part for one in found for part in re.split("[/@:?#]", one) if len(part) >= 3]
    return {form for one in found if one for form in (one, unquote(one))}


def _place(root: Path):
    """(file system, folder) of XSTILTS_REMOTE. UserError where it cannot be used, or is the store
    itself."""
    import fsspec
    from fsspec.implementations.local import LocalFileSystem

    try:
        system, folder = fsspec.core.url_to_fs(settings.remote())
    except (ImportError, ValueError) as error:
        system, wrong = None, _words(error)
    if not system:  # raised here, for the error before shows the URL as it is
        raise UserError(f"XSTILTS_REMOTE: cannot use {_shown()!r}: {wrong}")
    if isinstance(system, LocalFileSystem) and _overlap(Path(folder), root):
        raise UserError(
            f"XSTILTS_REMOTE: {_shown()!r} is the store {root} itself, within it, or around it: it "
            "is a second place, so give another folder, or unset it"
        )
    return system, folder.rstrip("/")


def _overlap(one: Path, other: Path) -> bool:
    """Whether a folder is another, in it or around it, whatever paths lead there."""
    one, other = Path(os.path.realpath(one)), Path(os.path.realpath(other))
    return any(_same(above, other) for above in (one, *one.parents)) or any(
        _same(one, above) for above in other.parents
    )


def _same(one: Path, other: Path) -> bool:
    try:
        return one == other or os.path.samefile(one, other)
    except OSError:  # one of them is not there yet
        return False


_silent: dict[str, float] = {}  # URL that did not answer -> until when it is left alone


def pull(root: Path, run: Run) -> bool:
    """Copies a finished artifact into the store, if the remote has it. False where that cannot be:
    it is told once, and the store is read without the remote."""
    if not given() or time.monotonic() < _silent.get(settings.remote(), 0.0):
        return False
    try:
        return _pull(root, run, *_place(root))
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001  every file system has its own
        if settings.remote() not in _silent:
            print(
                visible(
                    f"XSTILTS_REMOTE: {_shown()} cannot be read ({_words(error)}); going on with "
                    "what is here"
                ),
                flush=True,
            )
        _silent[settings.remote()] = time.monotonic() + RETRY
        return False


def _pull(root: Path, run: Run, system, folder: str) -> bool:
    from xstilts.runs import store

    there = f"{folder}/{key(run)}"
    if not (about := _about(system, f"{there}/{MANIFEST}")):
        return False
    made, parts, problem = b"", {}, _no_file(about, MANIFEST)
    if (about.get("size") or 0) > artifact.LARGEST:
        problem = f"{MANIFEST} has more than {artifact.LARGEST >> 20} MB"
    if not problem:
        made = system.cat_file(f"{there}/{MANIFEST}")
        try:
            sums = artifact.checksums(files.parsed(made))
            parts = {name: _about(system, f"{there}/{name}") for name in sums}
            problem = next(filter(None, (_no_file(parts[name], name) for name in sums)), "")
        except ValueError as error:
            problem = f"{MANIFEST} is not readable: {error}"
    state = repr([made, [_changes(some) for some in (about, *parts.values())]])
    state = hashlib.sha256(state.encode()).hexdigest()
    aside = root / f".damaged-{key(run)}-{int(state[:12], 16)}"
    if os.path.lexists(aside):  # looked at before, as it is now
        return False
    unfinished = store.own(root, "pulling", key(run))
    unfinished.mkdir(parents=True)
    try:
        (unfinished / MANIFEST).write_bytes(made)
        for name in () if problem else parts:
            (unfinished / name).parent.mkdir(parents=True, exist_ok=True)
            system.get_file(f"{there}/{name}", str(unfinished / name))
        problem = problem or artifact.damaged(unfinished, key(run))
        os.rename(unfinished, aside if problem else root / key(run))
        if problem:
            store.report(
                root, "damaged", run, f"{problem}, in {_shown()}; set aside as {aside.name}"
            )
    except OSError:
        if not (root / key(run)).is_dir():  # else another process was faster
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return not problem


def _about(system, path: str) -> dict | None:
    """What a file system says of a file; None where there is none."""
    try:
        return system.info(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _changes(about: dict | None) -> list:
    """What differs in another state of a file."""
    names = "type", "size", "mtime", "created", "LastModified", "ETag", "updated"
    return [str((about or {}).get(name)) for name in names]


def _no_file(about: dict | None, name: str) -> str:
    """What is there in place of a file, or ""."""
    if about and about.get("type") == "file" and not about.get("islink"):
        return ""
    return f"{name} is no file" if about else f"{name} is missing"


def share(root: Path, run: Run, anew: bool = False) -> bool:
    """Copies a finished run to the remote, if there is one that lacks it, or that has it from
    before it was done anew. False where that fails: the run is done all the same, so it is told,
    and tried again when the run is next found."""
    from xstilts.runs import store

    if not given():
        return True
    try:
        system, folder = _place(root)
        lacks = anew or not _about(system, f"{folder}/{key(run)}/{MANIFEST}")
        if lacks and store.find(root, run):
            _push(root, run, system, folder)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001  every file system has its own
        store.report(
            root,
            "unshared",
            run,
            f"XSTILTS_REMOTE: {_words(error)}; the run is kept here, and copied there when it is "
            "next asked for",
        )
        return False
    return True


def remove(root: Path, run: Run) -> None:
    """Removes a run from the remote, if there is one: first its manifest, so that nobody finds half
    of it. One that cannot be removed is told, and stays there."""
    from xstilts.runs import store

    if not given():
        return
    try:
        system, folder = _place(root)
        if _about(system, f"{folder}/{key(run)}/{MANIFEST}"):
            system.rm(f"{folder}/{key(run)}/{MANIFEST}")
            system.rm(f"{folder}/{key(run)}", recursive=True)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001  every file system has its own
        store.report(root, "unshared", run, f"XSTILTS_REMOTE: {_words(error)}; it stays there")


def share_found(root: Path, runs: Iterable[Run]) -> None:
    """Copies to the remote what is here and not there: done before there was one, or while it did
    not answer."""
    from xstilts.runs import store
    from xstilts.training import process_group

    for run in each_once(runs) if given() and not process_group.rank() else ():
        if (root / key(run)).is_dir():
            with store.lock(root, run):  # another process may be at it
                if not share(root, run):
                    return  # nor would it take the next


def _push(root: Path, run: Run, system, folder: str) -> None:
    """Copies a finished artifact from the store to the remote. What is there of it is none while
    its files are replaced."""
    here, there = root / key(run), f"{folder}/{key(run)}"
    if _about(system, f"{there}/{MANIFEST}"):
        if system.cat_file(f"{there}/{MANIFEST}") == (here / MANIFEST).read_bytes():
            return  # it is there; or this is the store, by a path of which nobody can tell
        system.rm(f"{there}/{MANIFEST}")
    for name in (*artifact.manifest(here)["sha256"], MANIFEST):
        target = f"{there}/{name}"
        system.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
        system.put_file(str(here / name), target)
