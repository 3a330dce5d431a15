"""A local folder of parquet files in the Hub's layout: <task>/<configuration>/<split>.parquet.

    XSTILTS_DATA=~/rows papermill notebooks/single_task.ipynb out.ipynb -p profile small

Column names are the Hub's. ClassLabel names stored in a file's metadata are mapped to the table's labels by name, never
by id. Folders that differ from the table say how (`layout`). Monolingual text, where the folder has none, is taken from
the words of the tagging tasks' training and validation rows, which are not parallel, without those that stand in for a
task's test rows.
"""
from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features

from ..spec import UserError
from ..tasks import TASKS, Task
from .labels import Unusable, label_names
from .layout import Place, places
from .rows import Block, read_row

TEXT_FROM = ("udpos", "panx")
UNSPACED = ("zh", "ja", "th")
UNREADABLE = (pa.ArrowException, OSError, ValueError, KeyError, TypeError)


def check_folder(source: str) -> None:
    folder = Path(source)
    if not folder.is_dir():
        raise UserError(f"data: {source!r} is not a folder, and not one of the sources 'mini' and 'hub'")
    tops = {place.source.local.split("/")[0] for row in TASKS.values() for place in places(row, source)}
    if not any((folder / top).is_dir() for top in tops):
        raise UserError(f"data: the folder {source!r} has none of the task folders: {', '.join(sorted(tops))}. "
                        "Expected <task>/<configuration>/<split>.parquet")


def languages(row: Task, source: str) -> list[str]:
    """In which there are any rows at all."""
    found = {language for place in places(row, source) for language in _languages(row, place, source)}
    if row.name == "text":
        found |= {language for name in TEXT_FROM for language in languages(TASKS[name], source)}
    return sorted(found)


def _folders(root: str, pattern: str) -> tuple[tuple[str, Path], ...]:
    """(what stands for {language} or {name}, folder): configurations that the table does not list are found, too."""
    if "{" not in pattern:
        return (("", Path(root) / pattern),)
    wanted = re.escape(pattern).replace(r"\{language\}", "{name}").replace(r"\{name\}", "{name}")
    wanted = wanted.replace("{name}", "(?P<name>[^/]+)", 1).replace("{name}", "(?P=name)")
    parent = Path(root) / pattern.split("{")[0].rpartition("/")[0]
    return tuple((match["name"], path) for path in sorted(parent.glob("*"))
                 if (match := re.fullmatch(wanted, path.relative_to(root).as_posix())))


def _languages(row: Task, place: Place, root: str) -> list[str]:
    codes = {name: code for code, name in place.source.names.items()}
    found = [(codes.get(name, name), path) for name, path in _folders(root, place.source.local)]
    if "{" not in place.source.local:   # a folder of one configuration, whose language the table says
        found = [(language, path) for language in place.source.languages for _, path in found]
    # XCOPA and the English COPA lie in one folder: a language belongs to the source that the table gives it to
    others = {language for other in places(row, root) if other.source.local == place.source.local
              for language in other.source.languages} - set(place.source.languages)
    return [language for language, path in found if language not in others and any(path.glob("*.parquet"))]


def _has(row: Task, language: str, source: str, split: str = "") -> list[Place]:
    """The places that have the language: all of them if the task mixes them, else the first, or the first with that split."""
    found = [place for place in places(row, source) if language in _languages(row, place, source)]
    if row.mixed:
        return found
    return ([place for place in found if split and _files(place, split, language, source)] or found)[:1]


@dataclasses.dataclass(frozen=True)
class Part:
    """A file, or some of its rows: "train[:-300]" are those of train.parquet but the last 300."""
    path: Path
    name: str
    rows: tuple[int | None, ...] = (None,)

    @staticmethod
    def of(folder: Path, name: str) -> Part:
        stem, _, inside = name.rstrip("]").partition("[")
        return Part(
            folder / f"{stem}.parquet", name, tuple(int(number) if number else None for number in inside.split(":"))
        )


def _files(place: Place, split: str, language: str, source: str) -> list[Part]:
    """The files of one split, [] if the place has no such rows."""
    folder = place.folder(source, language)
    for names in place.source.split_names(split, language):
        files = [Part.of(folder, name) for name in names.split("+")]
        if all(part.path.is_file() for part in files):
            return files
    return []


def _split_files(row: Task, split: str, language: str, source: str) -> list[tuple[Place, Part]]:
    there = _has(row, language, source, split)
    found = [(place, part) for place in there for part in _files(place, split, language, source)]
    asked = [place for place in there if place.source.split_names(split, language)]
    if len({id(place) for place, _ in found}) < max(1, len(asked)):   # a part of a mixture must not be lost in silence
        looked = [name for place in there for name in place.source.split_names(split, language)]
        folders = [place.folder(source, language) for place in there]
        names = ", ".join(sorted(path.stem for folder in folders for path in folder.glob("*.parquet")))
        raise UserError(f"{', '.join(map(str, folders))}: no {split} rows of {row.title} "
                        f"(looked for {', '.join(looked)}; found {names or 'nothing'})")
    return found


def split_found(row: Task, split: str, language: str, source: str) -> str:
    if row.name == "text" and not _has(row, language, source):
        _text_parts(language, source)
        return split
    return "+".join(part.path.relative_to(source).parts[0] + ":" + part.name if row.mixed else part.name
                    for _, part in _split_files(row, split, language, source))


def blocks(row: Task, split: str, language: str, source: str, limit: int) -> list[Block]:
    if row.name == "text" and not _has(row, language, source):
        return [Block(f"{source} text {language}", row, row.read, None, _words_as_text(split, language, source))]
    found = []
    for place, part in _split_files(row, split, language, source):
        check(row, place, part.path)
        whole = _block(row, place, part.path, _read(part.path))
        found.append(dataclasses.replace(whole, items=whole.items[slice(*part.rows)]))
        if row.kind == "mine":
            found += _distractors(whole, part.path.parent, language)
    return found


def _block(row: Task, place: Place, path: Path, table: pa.Table) -> Block:
    try:
        return _as_block(row, place, path, table)
    except UNREADABLE as error:     # what a damaged file can contain is found late
        raise UserError(f"{path}: not a readable parquet file ({error})") from error


def _as_block(row: Task, place: Place, path: Path, table: pa.Table) -> Block:
    schema = table.schema
    table = table.rename_columns([place.columns.get(name, name) for name in table.column_names])
    if place.source.label_column:
        row = dataclasses.replace(row, label_column=place.source.label_column)
    names = None
    if b"huggingface" in (schema.metadata or {}):   # the Hub's files keep the names of their ClassLabels
        theirs = {ours: name for name, ours in place.columns.items()}
        names = label_names(Features.from_arrow_schema(schema),
                            theirs.get(row.label_column, row.label_column))
    return Block(str(path), row, place.source.read or row.read, names, table.to_pylist())


def _distractors(gold: Block, folder: Path, language: str) -> list[Block]:
    """Mining: the sentences without a translation, from the shared task's candidates, if they are there. `gold` has all
    pairs of the file: in a part of it the others' sentences are no distractors."""
    files = {"source": folder / f"candidates_{language}.parquet", "target": folder / "candidates_en.parquet"}
    if not all(path.is_file() for path in files.values()):
        return []
    found = []
    for side, path in files.items():
        paired = {item[f"{side}_sentence"] for item in gold.items}
        other = "target" if side == "source" else "source"
        items = [{f"{side}_sentence": sentence, f"{other}_sentence": ""}
                 for sentence in dict.fromkeys(_read(path)["sentence"].to_pylist()) if sentence not in paired]
        found.append(Block(str(path), gold.task, gold.read, None, items))
    return found


def _entities(row: Task, source: str) -> Path | None:
    """The file of all texts that are searched, where the task has one text an id and the folder has the file."""
    found = [path for place in places(row, source) if row.one_text
             if (path := place.folder(source, "any").parent / "candidates.parquet").is_file()]
    return found[0] if found else None


def candidates(row: Task, source: str) -> list[Block]:
    """All texts that are searched, beside those of the scored rows; [] where there is no such file."""
    path = _entities(row, source)
    if not path:
        return []

    def read(item: dict) -> dict:
        return row.read({**item, "mention": item["description"]})

    whole = _block(row, places(row, source)[0], path, _read(path))
    return [dataclasses.replace(whole, read=read)]


def _read(path: Path, columns: list[str] | None = None) -> pa.Table:
    try:
        return pq.read_table(path, columns=columns)
    except UNREADABLE as error:
        raise UserError(f"{path}: not a readable parquet file ({error})") from error


def check(row: Task, place: Place, path: Path) -> None:
    """UserError if the file is not parquet, has no rows, or its first row lacks what the task reads.

    Called where a study is drawn up: a bad file is found before anything is trained.
    """
    try:
        with pq.ParquetFile(path) as file:
            first = next(file.iter_batches(batch_size=1), None)
    except UNREADABLE as error:
        raise UserError(f"{path}: not a readable parquet file ({error})") from error
    if not first:
        raise UserError(f"{path}: has no rows")
    try:
        read_row(_block(row, place, path, pa.Table.from_batches([first])), 0)
    except Unusable:
        pass   # dropped and counted when the file is read


def _tagged(language: str, source: str, *splits: str) -> list[tuple[Place, Part]]:
    """What the tagging tasks have of these splits: many languages have no training rows, a few no validation rows."""
    return [(place, part) for name in TEXT_FROM for split in splits
            for place in _has(TASKS[name], language, source, "test" if split == "test" else "")
            for part in _files(place, split, language, source)]


def _text_parts(language: str, source: str) -> list[tuple[Place, Part]]:
    """What text is made of: training and validation rows, but of no file that is scored as a whole."""
    scored = {part.path for _, part in _tagged(language, source, "test") if part.rows == (None,)}
    found = [(place, part) for place, part in _tagged(language, source, "train", "validation") if part.path not in scored]
    if not found:
        raise _no_text(language, source)
    return found


def _no_text(language: str, source: str) -> UserError:
    return UserError(f"{source}: no text in {language!r}: neither text/{language} nor training or validation rows "
                     f"of {' or '.join(TASKS[name].title for name in TEXT_FROM)} that are not scored")


def _words_as_text(split: str, language: str, source: str) -> list[dict]:
    found, taken = [], {}      # taken: by file, rows that are scored or were read before
    tested, joiner = _tagged(language, source, "test"), "" if language in UNSPACED else " "
    for place, part in _text_parts(language, source):
        column = {ours: theirs for theirs, ours in place.columns.items()}.get("tokens", "tokens")
        sentences = _read(part.path, [column])[column].to_pylist()
        rows = range(len(sentences))
        if part.path not in taken:
            taken[part.path] = {number for _, other in tested if other.path == part.path for number in rows[slice(*other.rows)]}
        wanted = [number for number in rows[slice(*part.rows)] if number not in taken[part.path]]
        taken[part.path].update(wanted)
        found += [{"text": joiner.join(sentences[number])} for number in wanted]
    if not found:
        raise _no_text(language, source)
    if split == "train":
        return [item for number, item in enumerate(found) if number % 20]
    return found[::20]    # every 20th sentence is kept for measuring the masked language model


def _text_names(language: str, source: str) -> str:
    """Which parts of its files text is made of; "" where it is each training and validation file, whole and once."""
    read = [part for _, part in _tagged(language, source, "train", "validation")]
    scored = [part for _, part in _tagged(language, source, "test")]
    paths = {part.path for part in read}
    if len(paths) == len(read) and not paths & {part.path for part in scored} and all(part.rows == (None,) for part in read):
        return ""
    return f"{'+'.join(part.name for part in read)} without {'+'.join(part.name for part in scored)}"


@lru_cache(maxsize=4096)
def _sha256(path: Path, size: int, modified: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(path: Path) -> str:
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


def fingerprint(row: Task, split: str, language: str, source: str) -> str:
    if row.name == "text" and not _has(row, language, source):
        files = [(TASKS[name], place, path) for name in TEXT_FROM for place in _has(TASKS[name], language, source)
                 for path in sorted(place.folder(source, language).glob("*.parquet"))]
    else:
        files = [(row, place, part.path) for place, part in _split_files(row, split, language, source)]
    for task, place, path in files:
        check(task, place, path)
    digests = [_digest(path) for _, _, path in files]
    if row.name == "text" and not _has(row, language, source) and (names := _text_names(language, source)):
        digests.append(names)
    if any("[" in name for name in split_found(row, split, language, source).split("+")):
        digests.append(split_found(row, split, language, source))
    if row.kind == "mine":
        digests += [_digest(path) for path in sorted(files[0][2].parent.glob("candidates_*.parquet"))]
    if path := _entities(row, source):
        digests.append(f"searched {_digest(path)}")
    return " ".join(digests)


def _all_files(source: str) -> Iterator[Path]:
    for row in TASKS.values():
        for place in places(row, source):
            for _, folder in _folders(source, place.source.local):
                yield from sorted(folder.glob("*.parquet"))
        if path := _entities(row, source):
            yield path


def texts_fingerprint(source: str) -> str:
    return hashlib.sha256("\n".join(dict.fromkeys(map(_digest, _all_files(source)))).encode()).hexdigest()[:16]


def texts(source: str) -> Iterator[str]:
    """Every string in every known task's files, at any depth: texts, and labels, ids and titles where they are strings."""
    for path in dict.fromkeys(_all_files(source)):
        for column in _read(path).columns:
            yield from _strings(column, path)


def _strings(column: pa.ChunkedArray, path: Path) -> Iterator[str]:
    kind, chunks, types = column.type, column.chunks, pa.types
    inner: list[list[pa.Array]] = []
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        yield from (text for text in column.to_pylist() if text)
    elif types.is_struct(kind):
        inner = [[chunk.field(index) for chunk in chunks] for index in range(kind.num_fields)]
    elif types.is_map(kind):
        inner = [[chunk.keys for chunk in chunks], [chunk.items for chunk in chunks]]
    elif types.is_dictionary(kind):
        inner = [[chunk.dictionary_decode() for chunk in chunks]]
    elif isinstance(kind, pa.BaseExtensionType):
        inner = [[chunk.storage for chunk in chunks]]
    elif types.is_nested(kind) and hasattr(kind, "value_type"):      # lists of every sort
        inner = [[chunk.flatten() for chunk in chunks]]
    elif types.is_nested(kind) or types.is_run_end_encoded(kind):
        raise UserError(f"{path}: cannot look for text in a column of the type {kind}")
    for arrays in inner:
        if arrays:
            yield from _strings(pa.chunked_array(arrays), path)
