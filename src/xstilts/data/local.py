"""A local folder of parquet files in the Hub's layout: <task>/<configuration>/<split>.parquet.

    XSTILTS_DATA=~/rows papermill notebooks/single_task.ipynb out.ipynb -p profile small

Column names are the Hub's. ClassLabel names stored in a file's metadata are mapped to the table's
labels by name, never by id. Monolingual text, where the folder has none, is taken from the words of
the tagging tasks' training and validation rows, which are not parallel and are never scored.
"""
from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features

from ..spec import UserError
from ..tasks import TASKS, Task
from .labels import label_names, with_label_ids

TEXT_FROM = ("udpos", "panx")
UNSPACED = ("zh", "ja", "th")


def _configuration(row: Task, language: str) -> str:
    name = row.local_names.get(language) or row.names.get(language, language)
    return row.local.format(language=language, name=name)


def check_folder(source: str) -> None:
    folder = Path(source)
    if not folder.is_dir():
        raise UserError(f"data: {source!r} is not a folder, and not one of the sources 'mini' and 'hub'")
    if not any((folder / row.local.split("/")[0]).is_dir() for row in TASKS.values()):
        expected = ", ".join(sorted({row.local.split("/")[0] for row in TASKS.values()}))
        raise UserError(f"data: the folder {source!r} has none of the task folders: {expected}. "
                        "Expected <task>/<configuration>/<split>.parquet")


def languages(row: Task, source: str) -> list[str]:
    if row.name == "text":
        found = {language for name in TEXT_FROM for language in languages(TASKS[name], source)}
        return sorted(found | set(_languages_by_folder(row, source)))
    known = [language for language in row.languages if _files(row, language, source)]
    return sorted({*known, *_languages_by_folder(row, source)})


def _languages_by_folder(row: Task, source: str) -> list[str]:
    """Configurations named by a language code: those that the table does not list are found too."""
    if "{language}" not in row.local:
        return []
    parent, pattern = (Path(source) / row.local).parent, Path(row.local).name
    before, after = pattern.split("{language}")
    found = [path.name[len(before):len(path.name) - len(after) or None] for path in parent.glob(before + "*" + after)
             if path.is_dir()]
    return [language for language in found if _files(row, language, source)]


def _files(row: Task, language: str, source: str) -> list[Path]:
    return sorted((Path(source) / _configuration(row, language)).glob("*.parquet"))


def _file(row: Task, split: str, language: str, source: str) -> Path:
    folder = Path(source) / _configuration(row, language)
    for name in row.split_names(split):
        if (folder / f"{name}.parquet").is_file():
            return folder / f"{name}.parquet"
    there = ", ".join(path.stem for path in _files(row, language, source)) or "nothing"
    raise UserError(f"{folder}: no {split} rows of {row.title} "
                    f"(looked for {', '.join(row.split_names(split))}; found {there})")


def split_found(row: Task, split: str, language: str, source: str) -> str:
    if row.name == "text" and not _files(row, language, source):
        return split
    return _file(row, split, language, source).stem


def rows(row: Task, split: str, language: str, source: str, limit: int) -> list[dict]:
    if row.name == "text":
        return _text_rows(split, language, source)
    path = _file(row, split, language, source)
    check(row, path)
    table = _read(path)
    names = _label_names(row, table.schema)
    return [with_label_ids(item, row, names, str(path), number) for number, item in enumerate(table.to_pylist())]


def _read(path: Path, columns: list[str] | None = None) -> pa.Table:
    try:
        return pq.read_table(path, columns=columns)
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path}: not a readable parquet file ({error})") from error


def _label_names(row: Task, schema: pa.Schema) -> list[str] | None:
    """The Hub's parquet files keep the names of their ClassLabels."""
    if b"huggingface" not in (schema.metadata or {}):
        return None
    return label_names(Features.from_arrow_schema(schema), row.label_column)


def check(row: Task, path: Path) -> None:
    """UserError if the file is not parquet, has no rows, or its first row lacks what the task reads.

    Called where a study is drawn up: a bad file is found before anything is trained.
    """
    try:
        with pq.ParquetFile(path) as file:
            first = next(file.iter_batches(batch_size=1), None)
            schema = file.schema_arrow
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"{path}: not a readable parquet file ({error})") from error
    if not first:
        raise UserError(f"{path}: has no rows")
    item = with_label_ids(first.to_pylist()[0], row, _label_names(row, schema), str(path), 0)
    try:
        row.read(item)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: row 0 does not have the columns of {row.title} ({error!r}); "
                        f"it has {', '.join(schema.names)}") from error


def _text_rows(split: str, language: str, source: str) -> list[dict]:
    own = TASKS["text"]
    if _files(own, language, source):
        return _read(_file(own, split, language, source)).to_pylist()
    found = []
    for name in TEXT_FROM:
        row = TASKS[name]
        for part in ("train", "validation"):
            try:
                path = _file(row, part, language, source)
            except UserError:
                continue   # many languages have no training rows, a few no validation rows
            joiner = "" if language in UNSPACED else " "
            found += [{"text": joiner.join(words)} for words in _read(path, ["tokens"])["tokens"].to_pylist()]
    if not found:
        raise UserError(f"{source}: no text in {language!r}: neither text/{language} nor training or validation rows "
                        f"of {' or '.join(TASKS[name].title for name in TEXT_FROM)}")
    held_out = range(0, len(found), 20)    # every 20th sentence is kept for measuring the masked language model
    if split == "train":
        return [item for number, item in enumerate(found) if number % 20]
    return [found[number] for number in held_out]


@lru_cache(maxsize=4096)
def _sha256(path: Path, size: int, modified: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(path: Path) -> str:
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns)


def fingerprint(row: Task, split: str, language: str, source: str) -> str:
    if row.name == "text" and not _files(row, language, source):
        return " ".join(_checked(TASKS[name], path) for name in TEXT_FROM
                        for path in _files(TASKS[name], language, source))
    return _checked(row, _file(row, split, language, source))


def _checked(row: Task, path: Path) -> str:
    check(row, path)
    return _digest(path)


def _all_files(source: str) -> list[tuple[Task, Path]]:
    return [(row, path) for row in TASKS.values() for language in languages(row, source) if row.name != "text"
            for path in _files(row, language, source)]


def texts_fingerprint(source: str) -> str:
    return hashlib.sha256("\n".join(_digest(path) for _, path in _all_files(source)).encode()).hexdigest()[:16]


def texts(source: str):
    """Every string of every known task's files, labels and ids aside: columns of text, at any depth."""
    for _, path in _all_files(source):
        for column in _read(path).columns:
            yield from _strings(column)


def _strings(column: pa.ChunkedArray):
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield from (text for text in column.to_pylist() if text)
    elif pa.types.is_list(kind):
        yield from _strings(pa.chunked_array([chunk.flatten() for chunk in column.chunks], kind.value_type))
    elif pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            yield from _strings(pa.chunked_array([chunk.field(index) for chunk in column.chunks],
                                                 kind.field(index).type))
