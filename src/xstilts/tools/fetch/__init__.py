"""A folder with everything that a profile needs from the Hub, for machines without a network.

    xstilts fetch ~/rows --profile small
    XSTILTS_DATA=~/rows xstilts run single_task out.ipynb -p profile small \\
        -p encoder ~/rows/models/ORG/NAME

Rows lie in the layout that `local` reads, whole splits as parquet; models in models/ORG/NAME, or
models/ORG/NAME@REVISION where another revision than the usual one was asked for. fetched.json says
of every file where it came from, its licence and its checksum. An interrupted fetch goes on where
it stopped: a file whose checksum and commit are as they should be is not fetched again; text is
where more of it is asked for than was before. What cannot be had is named, and the rest is fetched.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from xstilts import encoders, files
from xstilts.data import hub
from xstilts.errors import UserError, visible
from xstilts.files import sha256
from xstilts.runs import failures
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS, training_task
from xstilts.tasks.task import Source, Task
from xstilts.tools.fetch import models as fetched_models

MANIFEST = "fetched.json"
NAMED = 5  # files of one fault in the message


def fetch(
    folder: Path, study: Study, models: tuple[str, ...] = (), models_only: bool = False
) -> dict[str, dict]:
    """Fetches the study's rows and encoder, and other models by their Hub ids (those alone, if
    asked). Returns what the folder then has, by file. UserError at the end, if some of it could not
    be had: what, why, and what to do."""
    made(folder)
    found, seen = manifest(folder), set()
    lost: dict[str, list[str]] = {}
    for place in () if models_only else _wanted(study):
        for name, entry, write in tried(partial(place.files, folder), place.where, lost) or ():
            if name in seen or _is_there(folder / name, found.get(name), entry):
                continue
            seen.add(name)
            rows = tried(write, name, lost)
            if rows is not None:
                found[name] = entry | {"rows": rows, "sha256": sha256(folder / name)}
                save(folder, found)
                print(f"fetched  {name}  {rows} rows  {entry['licence']}", flush=True)
    for model in dict.fromkeys(models if models_only else (*_models(study), *models)):
        tried(partial(fetched_models.fetch, folder, model, found), f"models/{model}", lost)
        save(folder, found)
    tell(lost)
    return found


def made(folder: Path) -> None:
    """The folder is there. UserError where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot fetch into {folder}: {error.strerror}. Give a folder that can be written"
        ) from error


def tell(lost: dict[str, list[str]]) -> None:
    """UserError with what could not be had, by its reason."""
    if not lost:
        return
    count = sum(map(len, lost.values()))
    head = (
        f"{count} {'file' if count == 1 else 'files'} could not be fetched; "
        "the same command tries again:"
    )
    reasons = [f"{why}\n    {_some(names)}" for why, names in lost.items()]
    raise UserError("\n".join([head, *reasons]))


def tried(call: Callable[[], Any], what: str, lost: dict[str, list[str]]) -> Any:
    """What the call returns; None where it fails: one data set that has moved must not keep the
    others from coming."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001  told, by its reason
        if getattr(error, "errno", None) in failures.NO_ROOM:
            raise UserError(
                f"no space left for {what}. What was fetched is kept; make room, and start again"
            ) from error
        why = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        lost.setdefault(why, []).append(what)
        print(visible(f"failed   {what}: {why}"), flush=True)
        return None


def _some(names: list[str]) -> str:
    more = f", and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


@dataclass(frozen=True)
class _Wanted:
    """One of our splits of a language, in one source."""

    row: Task
    source: Source
    split: str
    language: str
    study: Study

    @property
    def folder(self) -> str:
        return self.source.local.format(
            language=self.language, name=self.source.name(self.language)
        )

    @property
    def where(self) -> str:
        return f"{self.folder}/{self.split}"

    def files(self, folder: Path) -> list[tuple[str, dict, Callable[[], int]]]:
        """(file below the folder, what it comes from, a function that writes it and returns its
        number of rows)"""
        source, text = self.source, self.row.name == "text"
        entry: dict[str, Any] = {
            "from": source.hub or source.files,
            "commit": hub.commit(source.hub, source.revision),
            "licence": source.licence,
        }
        if text and self.split == "train":  # all others are whole splits
            entry["asked"] = self.study.phase1_rows or hub.TEXT_ROWS
        splits = (
            [self.split] if text else hub.splits_of(self.row, source, self.split, self.language)
        )
        whole = dict.fromkeys(name.partition("[")[0] for name in splits)  # of what a part is used
        return [
            (
                f"{self.folder}/{name}.parquet",
                entry,
                partial(self.write, folder / self.folder / f"{name}.parquet", name),
            )
            for name in whole
        ]

    def write(self, path: Path, name: str) -> int:
        from datasets import Dataset

        if self.row.name == "text":
            data = Dataset.from_list(
                hub._text(self.source, name, self.language, self.study.phase1_rows)
            )
        else:
            data = hub.table(self.source, name, self.language)
            if self.source.keep:
                data = data.filter(lambda item: self.source.keep(item, self.language))
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        data.to_parquet(unfinished)
        os.replace(unfinished, path)
        return len(data)


def _wanted(study: Study) -> Iterator[_Wanted]:
    for row, split, languages in needed(study):
        for language in languages:
            for source in row.sources[:1] if row.name == "text" else hub.places(row, language):
                yield _Wanted(row, source, split, language, study)


def needed(study: Study) -> list[tuple[Task, str, tuple[str, ...]]]:
    """(task, our split, languages): training and validation rows in English, the scored ones in
    every language."""
    tasks = {name: TASKS[name] for name in study.intermediates}
    found = []
    for target in (TASKS[name] for name in study.targets):
        languages = tuple(language for language in study.languages if language in target.languages)
        found += [(target, "test", languages)]
        if target.module.TUNED:
            found += [(target, "validation", languages)]
        if not target.untrained:
            tasks[training_task(target).name] = training_task(target)
    found += [(row, split, ("en",)) for row in tasks.values() for split in ("train", "validation")]
    if study.phase1_steps:
        languages = tuple(
            language for language in study.languages if language in TASKS["text"].languages
        )
        found += [(TASKS["text"], split, languages) for split in ("train", "validation")]
    return [entry for entry in found if hub._loadable(entry[0])]


def _is_there(path: Path, entry: dict | None, wanted: dict) -> bool:
    if not entry:
        return False
    return (
        path.is_file()
        and entry["commit"] == wanted["commit"]
        and entry.get("asked", entry["rows"]) >= wanted.get("asked", 0)
        and entry["sha256"] == sha256(path)
    )


def manifest(folder: Path) -> dict[str, dict]:
    """What the folder has by its own account; nothing where it was not fetched into yet."""
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_text())
        if not isinstance(found, dict) or not all(
            isinstance(entry, dict)
            and isinstance(entry.get("sha256"), str)
            and isinstance(entry.get("commit"), str)
            for entry in found.values()
        ):
            raise ValueError("not a table of files with their commits and checksums")
        return found
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            f"{path} cannot be read ({error}). Remove it: what it tells of is fetched again then"
        ) from error


def save(folder: Path, found: dict) -> None:
    """What the folder has, into its manifest. UserError where it cannot be written."""
    put(folder / MANIFEST, json.dumps(found, indent=1, sort_keys=True).encode())


def put(path: Path, content: bytes) -> None:
    """All of the bytes or none. UserError where they cannot be written."""
    try:
        files.write(path, content)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written ({error.strerror}). Make room, or give a folder that can be "
            "written, and start again"
        ) from error


def _models(study: Study) -> list[str]:
    name = encoders.parse_name(study.encoder)
    return [] if name.base == encoders.EMBEDDED or Path(name.base).is_dir() else [str(name)]


def verify(folder: Path) -> list[str]:
    """Files of a fetched folder that are missing or have changed."""
    if not (folder / MANIFEST).is_file():
        raise UserError(f"{folder} has no {MANIFEST}: it was not made by `xstilts fetch`")
    return sorted(
        name
        for name, entry in manifest(folder).items()
        if not (folder / name).is_file() or sha256(folder / name) != entry["sha256"]
    )
