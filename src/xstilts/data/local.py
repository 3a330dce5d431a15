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
import os
import re
from collections.abc import Hashable, Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from xstilts.data import layout, parquet
from xstilts.data.labels import Unusable, column_of, names_in
from xstilts.data.layout import Part, Place, places
from xstilts.data.rows import Block, read_row
from xstilts.errors import UserError
from xstilts.tasks.table import TASKS, Task

TEXT_FROM = ("udpos", "panx")
UNSPACED = ("zh", "ja", "th")
WITH_LABELS = ("classify", "choice", "tag")  # kinds


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
            f"{', '.join(sorted(tops))}. "
            "Expected <task>/<configuration>/<split>.parquet"
        )


def state(row: Task, source: str) -> Hashable:
    """Another value whenever the layout, or a file of the task in any language, came, went or
    changed."""
    read = [row, *(TASKS[name] for name in TEXT_FROM if row.name == "text")]
    folders = [
        folder
        for task in read
        for place in places(task, source)
        for _, folder in _folders(source, place.source.local)
    ]
    if path := _entities(row, source):
        folders.append(path.parent)
    return layout.state(source), tuple(
        found for folder in dict.fromkeys(folders) for found in parquet.stamps(folder)
    )


def languages(row: Task, source: str) -> list[str]:
    """In which there are any rows at all."""
    found = {
        language for place in places(row, source) for language in _languages(row, place, source)
    }
    if row.name == "text":
        found |= {language for name in TEXT_FROM for language in languages(TASKS[name], source)}
    return sorted(found)


def _folders(root: str, pattern: str) -> list[tuple[str, str]]:
    """(what stands for {language} or {name}, folder): configurations that the table does not list
    are found, too."""
    if "{" not in pattern:
        return [("", os.path.join(root, pattern))]
    wanted = re.escape(pattern).replace(r"\{language\}", "{name}").replace(r"\{name\}", "{name}")
    wanted = wanted.replace("{name}", "(?P<name>[^/]+)", 1).replace("{name}", "(?P=name)")
    found = [""]
    for step in pattern.split("/"):
        found = [
            os.path.join(folder, name)
            for folder in found
            for name in (parquet.folders(os.path.join(root, folder)) if "{" in step else [step])
        ]
    return [
        (match["name"], os.path.join(root, folder))
        for folder in found
        if (match := re.fullmatch(wanted, folder))
    ]


def _languages(row: Task, place: Place, root: str) -> list[str]:
    codes = {name: code for code, name in place.source.names.items()}
    found = [(codes.get(name, name), path) for name, path in _folders(root, place.source.local)]
    if (
        "{" not in place.source.local
    ):  # a folder of one configuration, whose language the table says
        found = [(language, path) for language in place.source.languages for _, path in found]
    # XCOPA and the English COPA lie in one folder: a language belongs to the source that the table
    # gives it to
    others = {
        language
        for other in places(row, root)
        if other.source.local == place.source.local
        for language in other.source.languages
    } - set(place.source.languages)
    return [language for language, path in found if language not in others and parquet.files(path)]


def _has(row: Task, language: str, source: str, split: str = "") -> list[Place]:
    """The places that have the language: all of them if the task mixes them, else the first, or the
    first with that split."""
    found = [place for place in places(row, source) if language in _languages(row, place, source)]
    if row.mixed:
        return found
    return (
        [place for place in found if split and _files(place, split, language, source)] or found
    )[:1]


def _files(place: Place, split: str, language: str, source: str) -> list[Part]:
    """The files of one split, [] if the place has no such rows."""
    folder = place.folder(source, language)
    there = parquet.files(folder)
    for names in place.source.split_names(split, language):
        if all(part.path in there for part in layout.parts(folder, names)):
            return layout.parts(folder, names)
    return []


def _split_files(row: Task, split: str, language: str, source: str) -> list[tuple[Place, Part]]:
    there = _has(row, language, source, split)
    found = [(place, part) for place in there for part in _files(place, split, language, source)]
    asked = [place for place in there if place.source.split_names(split, language)]
    if len({id(place) for place, _ in found}) < max(
        1, len(asked)
    ):  # a part of a mixture must not be lost in silence
        looked = [name for place in there for name in place.source.split_names(split, language)]
        folders = [place.folder(source, language) for place in there]
        names = ", ".join(sorted(path.stem for folder in folders for path in parquet.files(folder)))
        raise UserError(
            f"{', '.join(map(str, folders))}: no {split} rows of {row.title} "
            f"(looked for {', '.join(looked)}; found {names or 'nothing'})"
        )
    return found


def split_found(row: Task, split: str, language: str, source: str) -> str:
    if row.name == "text" and not _has(row, language, source):
        _text_parts(language, source)
        return split
    return _joined(row, _split_files(row, split, language, source), source)


def _joined(row: Task, found: list[tuple[Place, Part]], source: str) -> str:
    return "+".join(
        part.path.relative_to(source).parts[0] + ":" + part.name if row.mixed else part.name
        for _, part in found
    )


def blocks(row: Task, split: str, language: str, source: str, limit: int) -> list[Block]:
    if row.name == "text" and not _has(row, language, source):
        return [
            Block(
                f"{source} text {language}",
                row,
                row.read,
                None,
                _words_as_text(split, language, source),
            )
        ]
    found = []
    for place, part in _split_files(row, split, language, source):
        check(row, place, part.path)
        whole = _block(row, place, part.path, parquet.read(part.path))
        found.append(dataclasses.replace(whole, items=whole.items[part.rows(len(whole.items))]))
        if row.kind == "mine":
            found += _distractors(whole, part.path.parent, language)
    return found


def _block(row: Task, place: Place, path: Path, table: pa.Table) -> Block:
    if place.source.label_column:
        row = dataclasses.replace(row, label_column=place.source.label_column)
    theirs = {
        ours: name for name, ours in parquet.mapped(place.columns, table.column_names, path).items()
    }
    names = (
        names_in(table.schema.metadata, theirs.get(column_of(row), column_of(row)), str(path))
        if row.kind in WITH_LABELS
        else None
    )
    return Block(
        str(path),
        row,
        place.source.read or row.read,
        names,
        parquet.items(parquet.renamed(table, place.columns, path), path),
    )


def _column(path: Path, name: str, columns: dict[str, str], what: str) -> list:
    """One column of a file, by our name of it. UserError where it is lacking, or has something else
    than `what` says."""
    table = parquet.renamed(parquet.read(path, [name, *columns]), columns, path)
    if name not in table.column_names:
        raise UserError(f"{path}: has no column {name!r}")
    found = [item[name] for item in parquet.items(table.select([name]), path)]
    for number, value in enumerate(found):
        texts = value if what == "a list of words" else [value]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise UserError(f"{path}: row {number}, column {name}: {value!r} is not {what}")
    return found


def _distractors(gold: Block, folder: Path, language: str) -> list[Block]:
    """Mining: the sentences without a translation, from the shared task's candidates, if they are
    there. `gold` has all
    pairs of the file: in a part of it the others' sentences are no distractors."""
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
            for sentence in dict.fromkeys(_column(path, "sentence", {}, "text"))
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


def check(row: Task, place: Place, path: Path) -> None:
    """UserError if the file is not parquet, has no rows, or its first row lacks what the task
    reads.

    Called where a study is drawn up: a bad file is found before anything is trained.
    """
    with suppress(Unusable):  # dropped and counted when the file is read
        read_row(_block(row, place, path, parquet.first_row(path)), 0)


def _tagged(language: str, source: str, *splits: str) -> list[tuple[Place, Part]]:
    """What the tagging tasks have of these splits: many languages have no training rows, a few no
    validation rows."""
    return [
        (place, part)
        for name in TEXT_FROM
        for split in splits
        for place in _has(TASKS[name], language, source, "test" if split == "test" else "")
        for part in _files(place, split, language, source)
    ]


def _text_parts(language: str, source: str) -> list[tuple[Place, Part]]:
    """What text is made of: training and validation rows, but of no file that is scored as a
    whole."""
    scored = {part.path for _, part in _tagged(language, source, "test") if part.whole}
    found = [
        (place, part)
        for place, part in _tagged(language, source, "train", "validation")
        if part.path not in scored
    ]
    if not found:
        raise _no_text(language, source)
    return found


def _no_text(language: str, source: str) -> UserError:
    return UserError(
        f"{source}: no text in {language!r}: neither text/{language} nor training or validation "
        "rows "
        f"of {' or '.join(TASKS[name].title for name in TEXT_FROM)} that are not scored"
    )


def _words_as_text(split: str, language: str, source: str) -> list[dict]:
    found, taken = [], {}  # taken: by file, rows that are scored or were read before
    tested, joiner = _tagged(language, source, "test"), "" if language in UNSPACED else " "
    for place, part in _text_parts(language, source):
        sentences = _column(part.path, "tokens", _of_words(place), "a list of words")
        rows = range(len(sentences))
        if part.path not in taken:
            taken[part.path] = {
                number
                for _, other in tested
                if other.path == part.path
                for number in rows[other.rows(len(rows))]
            }
        wanted = [number for number in rows[part.rows(len(rows))] if number not in taken[part.path]]
        taken[part.path].update(wanted)
        found += [{"text": joiner.join(sentences[number])} for number in wanted]
    if not found:
        raise _no_text(language, source)
    if split == "train":
        return [item for number, item in enumerate(found) if number % 20]
    return found[::20]  # every 20th sentence is kept for measuring the masked language model


def _text_names(language: str, source: str) -> str:
    """Which parts of its files text is made of; "" where it is each training and validation file,
    whole and once."""
    read = [part for _, part in _tagged(language, source, "train", "validation")]
    scored = [part for _, part in _tagged(language, source, "test")]
    paths = {part.path for part in read}
    if (
        len(paths) == len(read)
        and not paths & {part.path for part in scored}
        and all(part.whole for part in read)
    ):
        return ""
    return (
        f"{'+'.join(part.name for part in read)} without {'+'.join(part.name for part in scored)}"
    )


def _of_words(place: Place) -> dict[str, str]:
    """Of a place's mapping of columns what decides which words are read as text."""
    return {theirs: ours for theirs, ours in place.columns.items() if ours == "tokens"}


def fingerprint(row: Task, split: str, language: str, source: str) -> str:
    """The files' digests, and what the layout makes of them: parts of files, columns by other
    names."""
    words = row.name == "text" and not _has(row, language, source)
    if words:
        files = [
            (TASKS[name], place, path)
            for name in TEXT_FROM
            for place in _has(TASKS[name], language, source)
            for path in parquet.files(place.folder(source, language))
        ]
    else:
        parts = _split_files(row, split, language, source)
        files = [(row, place, part.path) for place, part in parts]
    for task, place, path in files:
        check(task, place, path)
    digests = [parquet.digest(path) for _, _, path in files]
    if words and (names := _text_names(language, source)):
        digests.append(names)
    if not words and any(not part.whole for _, part in parts):
        digests.append(_joined(row, parts, source))
    if row.kind == "mine":
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
                _of_words(place) if words else place.columns,
                parquet.first_row(path).column_names,
                path,
            )
        )
    ]
    if used:
        digests.append(json.dumps(used, sort_keys=True))
    if path := _entities(row, source):
        digests.append(f"searched {parquet.digest(path)}")
    if (
        row.open_labels and language != "en" and "en" in languages(row, source)
    ):  # they name the labels (`data.labelled`)
        digests.append(fingerprint(row, "train", "en", source))
    return " ".join(digests)


def _all_files(source: str) -> Iterator[Path]:
    for row in TASKS.values():
        for place in places(row, source):
            for _, folder in _folders(source, place.source.local):
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
