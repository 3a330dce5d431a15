"""A local folder of parquet files in the Hub's layout: <task>/<configuration>/<split>.parquet.

    XSTILTS_DATA=~/rows papermill notebooks/single_task.ipynb out.ipynb -p profile small

Column names are the Hub's. ClassLabel names stored in a file's metadata are mapped to the table's
labels by name, never by id. Folders that differ from the table say how (`layout`). Monolingual
text, where the folder has none, is taken from the words of the tagging tasks' training and
validation rows, which are not parallel, without those that stand in for a task's test rows."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Hashable, Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from xstilts.data import layout, parquet
from xstilts.data.labels import names_in
from xstilts.data.layout import Part, Place, places
from xstilts.data.local.found import configurations, languages_at, places_with, split_files
from xstilts.data.local.text import (
    TEXT_FROM,
    column,
    columns_of_words,
    text_names,
    text_parts,
    words_as_text,
)
from xstilts.data.rows import Block, read_row
from xstilts.errors import UserError
from xstilts.tasks.columns import Unusable
from xstilts.tasks.table import TASKS, Task

CAN_CHANGE, ENDLESS, AT_HAND = True, False, True


def check(source: str) -> None:
    """UserError if there is no such folder, or nothing of a task in it."""
    check_folder(source)


def title(source: str) -> str:
    """How pages and tables call the source."""
    return f"local rows ({Path(source).name})"


def check_folder(source: str, asked_by: str = "data") -> None:
    """UserError if there is no such folder, or nothing of a task in it. asked_by: what a person set
    to name it."""
    folder = Path(source)
    if not folder.is_dir():
        instead = ", and not one of the sources 'mini' and 'hub'" * (asked_by == "data")
        raise UserError(f"{asked_by}: {source!r} is not a folder{instead}")
    tops = {
        place.source.local.split("/")[0] for row in TASKS.values() for place in places(row, source)
    }
    if not any((folder / top).is_dir() for top in tops):
        raise UserError(
            f"{asked_by}: the folder {source!r} has none of the task folders: "
            f"{', '.join(sorted(tops))}. Expected <task>/<configuration>/<split>.parquet"
        )


def state(row: Task, source: str) -> Hashable:
    """A value that changes when the layout changes, or when a file of the task (in any language) is
    added, removed or changed."""
    read = [row, *(TASKS[name] for name in TEXT_FROM if row.name == "text")]
    folders = [
        folder
        for task in read
        for place in places(task, source)
        for _, folder in configurations(source, place.source.local)
    ]
    if path := _entities(row, source):
        folders.append(str(path.parent))
    return layout.state(source), tuple(
        found for folder in dict.fromkeys(folders) for found in parquet.stamps(folder)
    )


def languages(row: Task, source: str) -> list[str]:
    """The languages in which the folder has any rows of the task."""
    found = {
        language for place in places(row, source) for language in languages_at(row, place, source)
    }
    if row.name == "text":
        found |= {language for name in TEXT_FROM for language in languages(TASKS[name], source)}
    return sorted(found)


def files_of_split(row: Task, split: str, language: str, source: str) -> list[tuple[Place, Part]]:
    there = places_with(row, language, source, split)
    if not there:
        trained = "; a target is trained on English rows: its own, or those of the task in `train`"
        raise UserError(
            f"{source}: no rows of {row.title} in {language!r}; there are: "
            f"{', '.join(languages(row, source)) or 'none'}"
            + trained
            * (language == "en" and split == "train")
        )
    found = [
        (place, part) for place in there for part in split_files(place, split, language, source)
    ]
    asked = [place for place in there if place.source.split_names(split, language)]
    # a part of a mixture must not be lost in silence
    if len({id(place) for place, _ in found}) < max(1, len(asked)):
        looked = [name for place in there for name in place.source.split_names(split, language)]
        folders = [place.folder(source, language) for place in there]
        names = ", ".join(sorted(path.stem for folder in folders for path in parquet.files(folder)))
        raise UserError(
            f"{', '.join(map(str, folders))}: no {split} rows of {row.title} (looked for "
            f"{', '.join(looked)}; found {names or 'nothing'})"
        )
    return found


def size(row: Task, split: str, language: str, source: str) -> int:
    """How many rows there are, usable or not."""
    return sum(len(block.items) for block in blocks(row, split, language, source, 0))


def has_split(row: Task, split: str, language: str, source: str) -> bool:
    try:
        return bool(split_found(row, split, language, source))
    except UserError:
        return False


def split_found(row: Task, split: str, language: str, source: str) -> str:
    if row.name == "text" and not places_with(row, language, source):
        text_parts(language, source)
        return split
    return _joined(row, files_of_split(row, split, language, source), source)


def _joined(row: Task, found: list[tuple[Place, Part]], source: str) -> str:
    return "+".join(
        part.path.relative_to(source).parts[0] + ":" + part.name if row.mixed else part.name
        for _, part in found
    )


def blocks(row: Task, split: str, language: str, source: str, limit: int) -> list[Block]:
    if row.name == "text" and not places_with(row, language, source):
        return [
            Block(
                f"{source} text {language}",
                row,
                row.read,
                None,
                words_as_text(split, language, source),
            )
        ]
    found = []
    for place, part in files_of_split(row, split, language, source):
        check_file(row, place, part.path)
        whole = _block(row, place, part.path, parquet.read(part.path))
        found.append(dataclasses.replace(whole, items=whole.items[part.rows(len(whole.items))]))
        if row.module.DISTRACTORS:
            found += _distractors(whole, part.path.parent, language)
    return found


def _block(row: Task, place: Place, path: Path, table: pa.Table) -> Block:
    if place.source.label_column:
        row = dataclasses.replace(row, label_column=place.source.label_column)
    theirs = {
        ours: name for name, ours in parquet.mapped(place.columns, table.column_names, path).items()
    }
    names = (
        names_in(table.schema.metadata, theirs.get(row.labels_in, row.labels_in), str(path))
        if row.module.LABELS
        else None
    )
    return Block(
        str(path),
        row,
        place.source.read or row.read,
        names,
        parquet.items(parquet.renamed(table, place.columns, path), path),
    )


def _distractors(gold: Block, folder: Path, language: str) -> list[Block]:
    """Mining: the sentences without a translation, from the shared task's candidates, if they are
    there. `gold` has all pairs of the file: in a part of it the others' sentences are no
    distractors."""
    files = {
        "source": folder / f"candidates_{language}.parquet",
        "target": folder / "candidates_en.parquet",
    }
    if not {*files.values()} <= {*parquet.files(folder)}:
        return []
    found = []
    for side, path in files.items():
        paired = {item.get(f"{side}_sentence") for item in gold.items}
        other = "target" if side == "source" else "source"
        items = [
            {f"{side}_sentence": sentence, f"{other}_sentence": ""}
            for sentence in dict.fromkeys(column(path, "sentence", {}, "text"))
            if sentence not in paired
        ]
        found.append(Block(str(path), gold.task, gold.read, None, items))
    return found


def _entities(row: Task, source: str) -> Path | None:
    """The file of all texts that are searched, where the task has one text an id and the folder has
    the file."""
    found = [
        folder / "candidates.parquet"
        for place in places(row, source)
        if row.one_text
        if (folder := place.folder(source, "any").parent) / "candidates.parquet"
        in parquet.files(folder)
    ]
    return found[0] if found else None


def candidates(row: Task, source: str) -> list[Block]:
    """All texts that are searched, beside those of the scored rows; [] where there is no such
    file."""
    path = _entities(row, source)
    if not path:
        return []

    def read(item: dict) -> dict:
        return row.read({**item, "mention": item["description"]})

    whole = _block(row, places(row, source)[0], path, parquet.read(path))
    return [dataclasses.replace(whole, read=read)]


def check_file(row: Task, place: Place, path: Path) -> None:
    """UserError if the file is not parquet, has no rows, or its first row lacks what the task
    reads.

    Called where a study is drawn up: a bad file is found before anything is trained."""
    with suppress(Unusable):  # dropped and counted when the file is read
        read_row(_block(row, place, path, parquet.first_row(path)), 0)


def fingerprint(row: Task, split: str, language: str, source: str) -> str:
    """The files' digests, and what the layout makes of them: parts of files, columns by other
    names."""
    words = row.name == "text" and not places_with(row, language, source)
    if words:
        files = [
            (TASKS[name], place, path)
            for name in TEXT_FROM
            for place in places_with(TASKS[name], language, source)
            for path in parquet.files(place.folder(source, language))
        ]
    else:
        parts = files_of_split(row, split, language, source)
        files = [(row, place, part.path) for place, part in parts]
    for task, place, path in files:
        check_file(task, place, path)
    digests = [parquet.digest(path) for _, _, path in files]
    if words and (names := text_names(language, source)):
        digests.append(names)
    if not words and any(not part.whole for _, part in parts):
        digests.append(_joined(row, parts, source))
    if row.module.DISTRACTORS:
        digests += [
            parquet.digest(path)
            for path in parquet.files(files[0][2].parent)
            if path.name.startswith("candidates_")
        ]
    used = [
        (path.name, found)
        for _, place, path in files
        if place.columns
        and (
            found := parquet.mapped(
                columns_of_words(place) if words else place.columns,
                parquet.first_row(path).column_names,
                path,
            )
        )
    ]
    if used:
        digests.append(json.dumps(used, sort_keys=True))
    if searched := _entities(row, source):
        digests.append(f"searched {parquet.digest(searched)}")
    # they name the labels (`data.labelled`)
    if row.open_labels and language != "en" and "en" in languages(row, source):
        digests.append(fingerprint(row, "train", "en", source))
    return " ".join(digests)


def _all_files(source: str) -> Iterator[Path]:
    for row in TASKS.values():
        for place in places(row, source):
            for _, folder in configurations(source, place.source.local):
                yield from parquet.files(folder)
        if path := _entities(row, source):
            yield path


def texts_fingerprint(source: str) -> str:
    return hashlib.sha256(
        "\n".join(dict.fromkeys(map(parquet.digest, _all_files(source)))).encode()
    ).hexdigest()[:16]


def texts(source: str) -> Iterator[str]:
    """Every string in every known task's files, at any depth: texts, and labels, ids and titles
    where they are strings."""
    for path in dict.fromkeys(_all_files(source)):
        yield from parquet.strings(path)
