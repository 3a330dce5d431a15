"""Raw files, each at its commit: from the repository's host, or from a clone at hand. What comes is
what it was, to the byte, or it is refused in words."""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import quote

from xstilts import files
from xstilts.errors import UserError, visible
from xstilts.hub_faults import ask
from xstilts.public_rows.formats import Raw

HOST = "https://raw.githubusercontent.com"
# a clone that lacks a file must not go and ask the network for it, nor ask for a password
QUIET = {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
PATIENCE = (10, 60, 60, 60)  # seconds to connect, read, write, and for a free connection
GIT_PATIENCE = 60  # seconds


@dataclass(frozen=True)
class File:
    """What is known of a raw file."""

    repository: str
    commit: str
    path: str
    size: int  # bytes
    checksum: str

    @property
    def where(self) -> str:
        return f"{self.repository}@{self.commit[:10]}:{self.path}"

    @property
    def address(self) -> str:
        return f"{HOST}/{self.repository}/{self.commit}/{quote(self.path)}"


@lru_cache(maxsize=1)
def known() -> dict[str, File]:
    """By "owner/name:path". raw.tsv has a line with a repository and its commit, and below it a
    line for each of its files: path, bytes, sha256."""
    found: dict[str, File] = {}
    for line in Path(__file__).with_name("raw.tsv").read_text(encoding="utf-8").splitlines():
        first, *rest = line.split("\t")
        if len(rest) == 1:
            repository, commit = first, rest[0]
        else:
            found[f"{repository}:{first}"] = File(repository, commit, first, int(rest[0]), rest[1])
    return found


@lru_cache(maxsize=16)  # what labels are joined from is read for many tables
def content(reference: str, clones: Path | None = None) -> Raw:
    """The raw file. clones: a folder of clones, which is asked instead of the host. UserError where
    it cannot be had, or has other bytes than the study read."""
    file = known()[reference]
    if clones:
        found = _cloned(clones, file)
    else:
        found = ask(lambda: _downloaded(file), file.repository, file.commit[:10], "repository")
    if hashlib.sha256(found).hexdigest() != file.checksum:
        raise UserError(f"{file.where}: {_told(found, file.size)}. It is not used")
    return Raw(file.where, found)


def _told(found: bytes, size: int) -> str:
    """What came instead of the file, as far as it can be seen."""
    head = found[:500].lstrip().lower()
    if head.startswith((b"<!doctype", b"<html")):
        return "a page of HTML came in its place"
    if head.startswith(b"version https://git-lfs"):
        return "a pointer to large file storage came in its place"
    if len(found) < size:
        return f"it is cut short: {len(found)} of {size} bytes"
    if len(found) > size:
        return f"it is longer than it was: more than {size} bytes"
    return "it has other bytes than the file that the study read"


def _downloaded(file: File) -> bytes:
    """No more than is needed to see that it is another file. Through the Hub's client, which needs
    no further package, and obeys HF_HUB_OFFLINE."""
    from huggingface_hub import get_session

    found = bytearray()
    ask_for = partial(get_session().stream, follow_redirects=True, timeout=PATIENCE)
    with ask_for("GET", file.address) as answer:
        answer.raise_for_status()
        for part in answer.iter_bytes():
            found += part
            if len(found) > file.size:
                break
    return bytes(found)


def _cloned(clones: Path, file: File) -> bytes:
    """Of the first of a clone's usual places that has one: with a work tree, bare, or a mirror; of
    plain files where it is none."""
    owner, name = file.repository.split("/")
    bases = [clones / owner / name, clones / owner / f"{name}.git", clones / f"{owner}+{name}"]
    for base in (*bases, bases[-1] / "repo"):
        for folder in (base / ".git", base):
            if (folder / "HEAD").is_file() and (folder / "objects").is_dir():
                return _blob(folder, file)
        if (base / file.path).exists():
            if files.regular(base / file.path).st_size > file.size:
                raise UserError(
                    f"{base / file.path}: longer than the {file.size} bytes that it had"
                )
            return (base / file.path).read_bytes()
    raise UserError(
        f"{clones} has no clone of {file.repository}. Put one at {bases[0]}, or leave --from out"
    )


def _blob(folder: Path, file: File) -> bytes:
    commit, path = file.commit, file.path
    if _git(folder, "cat-file", "-e", f"{commit}^{{commit}}").returncode:
        found = _git(folder, "cat-file", "-e", "HEAD")
        why = _line(found.stderr) if found.returncode else f"git -C {folder} fetch origin {commit}"
        raise UserError(f"{folder} does not have the commit {commit[:10]} ({why})")
    found = _git(folder, "cat-file", "blob", f"{commit}:{path}")
    if found.returncode:
        raise UserError(
            f"{folder} has the commit {commit[:10]}, but not the content of {path} "
            f"({_line(found.stderr)}). Clone it whole, or leave --from out"
        )
    return found.stdout


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    try:
        return subprocess.run(
            ["git", f"--git-dir={folder}", *arguments],
            capture_output=True,
            env=os.environ | QUIET,
            timeout=GIT_PATIENCE,
        )
    except FileNotFoundError as error:
        raise UserError(f"{folder} is a clone, which cannot be read without git") from error
    except subprocess.TimeoutExpired as error:
        raise UserError(f"{folder}: git did not answer in {GIT_PATIENCE} s") from error


def _line(said: bytes) -> str:
    return visible(said.decode(errors="replace").strip().split("\n")[0][:200])
