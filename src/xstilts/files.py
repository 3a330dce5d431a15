"""Files as anybody may have left them: whether they are files at all, their checksum, and JSON that
means one thing.

regular(path)      # what the system says of it; UserError for a pipe, a device, a folder, a link
                   that leads nowhere
parsed(text)       # JSON; ValueError for a key twice, a number that is none, nesting without end
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
from io import BufferedReader
from pathlib import Path
from typing import Any

from xstilts.errors import UserError, visible

KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFLNK: "a link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
}


def kind(mode: int) -> str:
    """What a mode of `stat` stands for, in words."""
    return KINDS.get(stat.S_IFMT(mode), "a device")


def regular(path: str | Path) -> os.stat_result:
    """What the system says of a file, behind links. UserError for what is none: to read a pipe or a
    device might never end."""
    try:
        found = os.stat(path)
    except OSError as error:
        what = "is a link that leads nowhere" if os.path.islink(path) else "cannot be read"
        raise UserError(
            f"{visible(str(path))}: {what} ({error.strerror}). Remove it, or put the file there"
        ) from error
    if not stat.S_ISREG(found.st_mode):
        raise UserError(
            f"{visible(str(path))}: is {kind(found.st_mode)}, where a file is expected. Remove it, "
            "or put the file there"
        )
    return found


def sha256(path: str | Path) -> str:
    """64 hex digits of the file's bytes."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(path: Path, content: bytes) -> None:
    """Puts the bytes there, all or none: who is stopped leaves no half of a file. OSError where
    they cannot be written."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        os.replace(unfinished, path)
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def parsed(text: bytes | str) -> Any:
    """What the JSON says. ValueError where it is none, has a key twice or NaN, or is nested too
    deeply."""
    try:
        return json.loads(text, object_pairs_hook=each_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def each_once(pairs: list[tuple[str, Any]]) -> dict:
    """For `json.loads`: an object. ValueError where it has a name twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it has {repr(twice)[:60]} twice")
    return found


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number")


def opened(path: Path) -> BufferedReader:
    """A regular file, to be read. OSError where it is none."""
    if not stat.S_ISREG(mode := os.lstat(path).st_mode):
        raise OSError(errno.EINVAL, f"it is {kind(mode)}", str(path))
    # it may be another by now: still no link is followed, and no pipe waited for
    return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


def is_file(path: Path) -> bool:
    """A regular file, and no link to one."""
    return _is(path, stat.S_ISREG)


def is_folder(path: Path) -> bool:
    """A folder, and no link to one."""
    return _is(path, stat.S_ISDIR)


def _is(path: Path, kind) -> bool:
    try:
        return kind(os.lstat(path).st_mode)
    except OSError:
        return False


def is_there(path: Path) -> bool:
    """Something is, if only what this user may not look at."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def contents(folder: Path) -> dict[str, os.stat_result]:
    """All that is in a folder and below it, without following links: relative name -> its lstat.
    What another process removes meanwhile is left out."""
    found: dict[str, os.stat_result] = {}
    todo = [""]
    while todo:
        below = todo.pop()
        try:
            for entry in os.scandir(folder / below):
                found[below + entry.name] = entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    todo.append(f"{below}{entry.name}/")
        except FileNotFoundError:
            continue
    return found
