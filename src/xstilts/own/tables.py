"""Rows as people keep them: CSV, TSV, JSON lines, parquet, a folder of these, a Hub data set.

    for table in read("reviews.csv", notes): table.where, table.rows

A table of text is decoded and split as its content says, not as its name does. What was put right
on the way is noted."""

from __future__ import annotations

import codecs
import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xstilts import files, hub_faults, revisions
from xstilts.data import parquet
from xstilts.data.labels import label_names, names_in
from xstilts.encoders.names import HUB_ID
from xstilts.errors import UserError, shown, visible

TEXT, ENDINGS = (".csv", ".tsv", ".txt"), (".csv", ".tsv", ".txt", ".jsonl", ".json", ".parquet")
DELIMITERS = ("\t", ",", ";", "|")
NAMED = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}
LARGEST = 1 << 30  # bytes of a file
MOST_ROWS = 2_000_000  # of all files together
FIELD = 1 << 24  # characters of a field
BAD = 0.01  # of the lines may have another number of fields


@dataclass(frozen=True)
class Table:
    """Rows of one file or split. where: for messages; names: what may say language and split."""

    where: str
    names: tuple[str, ...]
    rows: list[dict]


def read(given: str, notes: list[str]) -> list[Table]:
    """All tables of a file, a folder or a Hub data set. UserError where there is none, or one
    cannot be read."""
    path = Path(given).expanduser()
    if path.is_dir():
        inside = sorted(found for found in path.rglob("*") if found.suffix.lower() in ENDINGS)
        inside = [found for found in inside if not found.name.startswith(".")]
        if not inside:
            raise UserError(
                f"{visible(given)}: the folder has no rows; read are {', '.join(ENDINGS)}"
            )
        found = [_file(one, one.relative_to(path).with_suffix("").parts, notes) for one in inside]
    elif path.exists():
        found = [_file(path, (path.stem,), notes)]
    elif HUB_ID.fullmatch(given) and path.suffix.lower() not in ENDINGS:
        found = _hub(given)
    else:
        raise UserError(
            f"{visible(given)}: there is no such file or folder, and it is no Hub data set's id "
            "(OWNER/NAME)"
        )
    if sum(len(table.rows) for table in found) > MOST_ROWS:
        raise UserError(f"{visible(given)}: more than {MOST_ROWS} rows; give a sample of them")
    return found


def _file(path: Path, names: tuple[str, ...], notes: list[str]) -> Table:
    where, ending = visible(str(path)), path.suffix.lower()
    if ending not in ENDINGS:
        raise UserError(f"{where}: read are {', '.join(ENDINGS)}")
    if (size := files.regular(path).st_size) > LARGEST:
        raise UserError(f"{where}: has {size >> 20} MB; more than {LARGEST >> 20} are not read")
    if ending == ".parquet":
        rows = _parquet(path)
    else:
        text = _decoded(path, notes)
        rows = (
            _separated(text, where, ending, notes) if ending in TEXT else _json(text, where, ending)
        )
    if not rows:
        raise UserError(f"{where}: has no rows")
    return Table(where, names, rows)


def _parquet(path: Path) -> list[dict]:
    """Rows, with the labels' names where the file has them."""
    table = parquet.read(path)
    rows = parquet.items(table, path)
    for column in table.column_names:
        if names := names_in(table.schema.metadata, column, str(path)):
            for row in rows:
                row[column] = _named(row[column], names)
    return rows


def _named(value: object, names: list[str]) -> object:
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    if type(value) is not int:
        return value
    return names[value] if 0 <= value < len(names) else None


def _decoded(path: Path, notes: list[str]) -> str:
    """UTF-8 with or without a byte order mark, UTF-16 with one, else Windows' Latin-1."""
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        encoding = "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        text = content.decode("cp1252", errors="replace")
        notes.append(
            f"{visible(path.name)} is not UTF-8 (byte {error.start}), and was read as Windows-1252 "
            "(Latin-1). If letters look wrong, save it as UTF-8"
        )
    if "\0" in text:
        raise UserError(f"{visible(str(path))}: has zero bytes, which no text has")
    return text


def _separated(text: str, where: str, ending: str, notes: list[str]) -> list[dict]:
    """Rows of a table of text. The delimiter is the one by which the lines fit the header best."""
    first, _, rest = text.partition("\n")
    said = ""
    if first.strip().lower().startswith("sep="):  # Excel's own line
        said, text = first.strip()[4:5], rest
    usual = {".csv": ",", ".tsv": "\t"}.get(ending, "\t")
    tried = [
        (_misfits(lines), -len(lines[0]), delimiter != usual, quoting, delimiter, lines)
        for delimiter in ([said] if said in DELIMITERS else DELIMITERS)
        for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_NONE)
        if (lines := _lines(text, delimiter, quoting)) and (len(lines[0]) > 1 or delimiter == usual)
    ]
    if not tried:
        return []
    several = [one for one in tried if one[1] < -1] or tried
    misfits, columns, other, quoting, delimiter, lines = min(several, key=lambda one: one[:4])
    if columns == -1:
        raise UserError(
            f"{where}: there is one column, {shown(lines[0][0])}. Rows need a text and a label, "
            "between commas, semicolons, tabs or bars"
        )
    header = [name.strip() for name in lines[0]]
    if len({*header}) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise UserError(f"{where}: two columns are named {shown(twice)}; name each otherwise")
    bad = [number for number, line in enumerate(lines) if len(line) != len(header)]
    if misfits > BAD:
        raise UserError(
            f"{where}: row {bad[0]} has {len(lines[bad[0]])} fields between "
            f"{NAMED[delimiter]}, and the header has {len(header)}; so have {len(bad) - 1} more "
            'rows. Texts with a delimiter in them need quotes: "like, this"'
        )
    if bad:
        notes.append(f"{where}: {len(bad)} rows with too many or too few fields were left out")
    if other:
        notes.append(f"{where}: its columns lie between {NAMED[delimiter]}")
    return [dict(zip(header, line, strict=True)) for line in lines[1:] if len(line) == len(header)]


def _lines(text: str, delimiter: str, quoting: Any) -> list[list[str]]:
    """Fields of the lines that have any; [] where it cannot be split so."""
    csv.field_size_limit(FIELD)
    try:
        found = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting)
        return [line for line in found if any(field.strip() for field in line)]
    except csv.Error:
        return []


def _misfits(lines: list[list[str]]) -> float:
    """The share of rows that have not as many fields as the header. A field with many lines in it
    has swallowed rows after a stray quote."""
    bad = [len(line) != len(lines[0]) for line in lines[1:]]
    swallowed = sum(max(0, field.count("\n") - 50) for line in lines[1:] for field in line)
    return (sum(bad) + swallowed) / max(1, len(bad) + swallowed)


def _json(text: str, where: str, ending: str) -> list[dict]:
    """A line an object, or one list of objects."""
    if ending == ".json" and text.lstrip().startswith("["):
        try:
            rows = files.parsed(text)
        except ValueError as error:
            raise UserError(f"{where}: is no JSON ({error})") from error
        lines = list(enumerate(rows, 1))
    else:
        lines = []
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                try:
                    lines.append((number, files.parsed(line)))
                except ValueError as error:
                    raise UserError(
                        f"{where}: line {number} is no JSON ({error}). Each line is an object "
                        f"such as {json.dumps({'text': '…', 'label': '…'}, ensure_ascii=False)}"
                    ) from error
    for number, row in lines:
        if not isinstance(row, dict):
            raise UserError(f"{where}: line {number} is {shown(row)}, and no object with columns")
    return [row for _, row in lines]


def _hub(name: str) -> list[Table]:
    """All splits of all configurations, at the commit of the main branch."""
    from datasets import get_dataset_config_names, load_dataset

    def load() -> list[Table]:
        found, commit = [], revisions.commit(name, "main", "dataset")
        for configuration in get_dataset_config_names(name, revision=commit):
            for split, part in load_dataset(name, configuration, revision=commit).items():
                rows = list(part)
                for column in part.column_names:
                    if names := label_names(part.features, column):
                        for row in rows:
                            row[column] = _named(row[column], names)
                where = f"{name} {configuration} {split}"
                found.append(Table(where, (configuration, split), rows))
        return found

    return hub_faults.ask(load, name)
