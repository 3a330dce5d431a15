"""A person's own targets: each is a folder that says what it is, not a row of the table.

    targets/reviews/target.toml        # kind, title, labels, metrics, licence
    targets/reviews/de/test.parquet    # rows, as `data.local` reads them

`xstilts.own` writes such folders. They are found by name in every process, for all read the same
setting (XSTILTS_TARGETS)."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from functools import lru_cache
from pathlib import Path

from xstilts import files, settings
from xstilts.errors import UserError, shown
from xstilts.tasks import columns, kinds
from xstilts.tasks.task import Source, Task

FILE = "target.toml"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
KINDS = ("classify", "tag", "span", "choice", "retrieve")
LARGEST = 10_000_000  # bytes: ten thousand labels have fewer
MOST_LABELS = 1000
# what the file says -> its type; all of them are there
FIELDS = {
    "title": str,
    "kind": str,
    "labels": list,
    "metrics": list,
    "licence": str,
    "trained_in": str,
    "answers": str,
}


def task(name: object) -> Task | None:
    """The own target of that name, None where there is none. UserError where its file cannot be
    used."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return None
    path = settings.targets() / name / FILE
    try:
        found = os.stat(path)
    except OSError:
        return None
    return _read(name, path, (found.st_mtime_ns, found.st_size, found.st_ino))


def names() -> list[str]:
    """The names of all own targets, sorted."""
    folder = settings.targets()
    inside = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return [name for name in inside if NAME.fullmatch(name) and (folder / name / FILE).is_file()]


@lru_cache(maxsize=64)
def _read(name: str, path: Path, state: object) -> Task:
    try:
        if files.regular(path).st_size > LARGEST:
            raise ValueError(f"it has more than {LARGEST} bytes")
        content = path.read_bytes()
        said = tomllib.loads(content.decode())
        return _row(name, said, hashlib.sha256(content).hexdigest()[:16])
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"{path} does not describe a target: {error}. Make it anew: "
            f"`xstilts try ROWS --name {name}`"
        ) from error


def _row(name: str, said: dict, digest: str) -> Task:
    for field, kind in FIELDS.items():
        if not isinstance(said.get(field), kind):
            raise ValueError(f"{field} is {shown(said.get(field))}, which is no {kind.__name__}")
    if said["kind"] not in KINDS:
        raise ValueError(f"kind is {shown(said['kind'])}, which is none of {', '.join(KINDS)}")
    module = kinds.kind(said["kind"])
    readers = {"tag": columns.words("tags"), "retrieve": columns.translation}
    return Task(
        name=name,
        title=said["title"],
        role="target",
        kind=said["kind"],
        metrics=tuple(map(str, said["metrics"])),
        read=readers.get(said["kind"]) or columns.translated(module.TRANSLATED),
        sources=(Source("", "", said["licence"], f"{name}/{{language}}", languages=()),),
        labels=tuple(map(str, said["labels"])),
        label_column="tags" if said["kind"] == "tag" else "label",
        # labels and rules are no rows, and yet decide what is trained and how it is scored
        scoring=f"own {digest}",
        answers=said["answers"],
        batch_size=16,
        max_length=256,
        own=True,
        trained_in=said["trained_in"],
        obtain=f"`xstilts try ROWS --name {name}` reads them in",
    )
