"""One parquet file of a person's own: whether it is a file at all, its rows, its texts, and what
tells that it has changed."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Hashable, Iterator
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.errors import UserError
from xstilts.files import regular, sha256

# what pyarrow raises for a damaged file, or for values that Python does not have (a date in the
# year 300,000)
UNREADABLE = (
    pa.ArrowException,
    OSError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    RecursionError,
)
MOST_ROWS = 20_000_000  # of a file; a few bytes can claim billions
JUST_NOW = 2_000_000_000  # nanoseconds: the coarsest clock of a file system in use


def stamp(path: str | Path) -> Hashable:
    """A value that changes whenever the file may have changed."""
    return _stamp(regular(path))


def _stamp(found: os.stat_result) -> Hashable:
    """A file that was just written may change at any time: several changes in one tick of a file
    system's clock look alike."""
    if abs(time.time_ns() - found.st_ctime_ns) < JUST_NOW:
        return object()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _entries(folder: str | Path) -> list[os.DirEntry]:
    """What is in the folder, by name. Hidden files are left out: macOS puts one beside every file
    on some disks."""
    try:
        with os.scandir(folder) as found:
            return sorted(
                (entry for entry in found if not entry.name.startswith(".")),
                key=lambda entry: entry.name,
            )
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({error.strerror})") from error


def _files(folder: str | Path) -> list[os.DirEntry]:
    found = [entry for entry in _entries(folder) if entry.name.endswith(".parquet")]
    for entry in found:
        if not entry.is_file(follow_symlinks=False):
            regular(entry.path)
    return found


def files(folder: str | Path) -> list[Path]:
    """The folder's parquet files, by name; [] if there is no such folder. UserError if one is no
    file (see `regular`)."""
    return [Path(entry.path) for entry in _files(folder)]


def stamps(folder: str | Path) -> list[tuple[str, Hashable]]:
    """The folder's parquet files, each with its `stamp`."""
    return [(entry.path, _stamp(entry.stat())) for entry in _files(folder)]


def folders(folder: str | Path) -> list[str]:
    """Names of the folders in a folder. UserError for a link that leads nowhere: rows would be lost
    in silence."""
    found = []
    for entry in _entries(folder):
        if entry.is_symlink() and not os.path.exists(entry.path):
            regular(entry.path)
        if entry.is_dir():
            found.append(entry.name)
    return found


def _unreadable(path: Path, error: BaseException) -> UserError:
    return UserError(f"{path}: not a readable parquet file ({' '.join(str(error)[:500].split())})")


def _open(path: Path) -> pq.ParquetFile:
    regular(path)
    file = pq.ParquetFile(path, page_checksum_verification=True)  # where its pages have checksums
    if file.metadata.num_rows > MOST_ROWS:
        file.close()
        raise UserError(
            f"{path}: {file.metadata.num_rows} rows, which is more than a study can read "
            f"({MOST_ROWS})"
        )
    return file


def read(path: Path, columns: list[str] | None = None) -> pa.Table:
    """The file's rows, or some of their columns. UserError if it cannot be read."""
    try:
        with _open(path) as file:
            return file.read(columns)
    except UserError:
        raise
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


def first_row(path: Path) -> pa.Table:
    """UserError if the file cannot be read or has no rows."""
    try:
        with _open(path) as file:
            first = next(file.iter_batches(batch_size=1), None)
    except UserError:
        raise
    except UNREADABLE as error:
        raise _unreadable(path, error) from error
    if not first:
        raise UserError(f"{path}: has no rows")
    return pa.Table.from_batches([first])


def items(table: pa.Table, path: Path) -> list[dict]:
    """Rows as Python has them. What a damaged file contains may be found only here."""
    try:
        return table.to_pylist()
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


def mapped(columns: dict[str, str], there: list[str], path: Path) -> dict[str, str]:
    """The part of a mapping (theirs -> ours) that concerns a file with these columns. UserError
    where two columns would get one name."""
    found = {theirs: ours for theirs, ours in columns.items() if theirs in there}
    for names in (there, [*found.values()]):
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise UserError(
                f"{path}: two columns are named {twice[0]!r}"
                + " by the layout" * (names is not there)
            )
    return found


def renamed(table: pa.Table, columns: dict[str, str], path: Path) -> pa.Table:
    """The table with our names of columns. A column that the mapping names goes before the file's
    own column of that name."""
    found = mapped(columns, table.column_names, path)
    kept = [name for name in table.column_names if name in found or name not in found.values()]
    return table.select(kept).rename_columns([found.get(name, name) for name in kept])


@lru_cache(maxsize=4096)
def _sha256(path: Path, state: Hashable) -> str:
    return sha256(path)


def digest(path: Path) -> str:
    """sha256 of the file's bytes."""
    try:
        return _sha256(path, stamp(path))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error


def strings(path: Path) -> Iterator[str]:
    """Every string in the file, at any depth."""
    try:
        for column in read(path).columns:
            yield from _strings(column, path)
    except UserError:
        raise
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


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
    elif types.is_nested(kind) and hasattr(kind, "value_type"):  # lists of every sort
        inner = [[chunk.flatten() for chunk in chunks]]
    elif types.is_nested(kind) or types.is_run_end_encoded(kind):
        raise UserError(f"{path}: cannot look for text in a column of the type {kind}")
    for arrays in inner:
        if arrays:
            yield from _strings(pa.chunked_array(arrays), path)
