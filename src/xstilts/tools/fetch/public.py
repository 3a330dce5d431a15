"""The folder of the study on real rows, made from public repositories.

    xstilts fetch ~/rows --public                               # from the repositories' host
    xstilts fetch ~/rows --public --from ~/clones               # from clones at hand
    xstilts fetch ~/rows --public --only xnli,tydiqa            # a part
    XSTILTS_DATA=~/rows xstilts run single_task out.ipynb -p profile small

A file is written when it has, to the byte, the checksum of the file that the study read: so keys
and records fit. What is there already is not made again. What cannot be had is named, and the rest
is made. xstilts.toml in the folder says which splits stand in for others, fetched.json where each
file came from."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

import pyarrow as pa

from xstilts import files
from xstilts.data import layout
from xstilts.errors import UserError, visible
from xstilts.files import sha256
from xstilts.public_rows import raw, rows
from xstilts.public_rows.sources import Table, data_sets, known, tables
from xstilts.tools import fetch

WRITER = "26.0.1"  # of pyarrow: others write the same rows as other bytes
LAYOUT = "realdata"


def fetch_public(folder: Path, only: str = "", clones: Path | None = None) -> dict[str, dict]:
    """Makes the files of the data sets in `only` (folders, separated by commas; all if it is
    empty). clones: a folder of clones, which is asked instead of the network. Returns what the
    folder then has, by file. UserError at the end, if some could not be had."""
    wanted = chosen(only)
    if clones and not clones.is_dir():
        raise UserError(f"--from: {clones} is no folder")
    fetch.made(folder)
    for name in dict.fromkeys(table.data_set for table in wanted):
        about = data_sets()[name]
        print(f"{about['title']}: {about['whose']}. Licence: {about['licence']}", flush=True)
    found, lost = fetch.manifest(folder), dict[str, list[str]]()
    _lay_out(folder)
    for table in wanted:
        path, is_known = folder / table.name, known()[table.path]
        if not (files.is_file(path) and sha256(path) == is_known.sha256):
            if not fetch.tried(partial(_make, table, path, clones), table.name, lost):
                continue
            print(f"made     {table.name}  {is_known.rows} rows", flush=True)
        found[table.name] = _entry(table)
        fetch.save(folder, found)
    fetch.tell(lost)
    return found


def chosen(only: str) -> list[Table]:
    """The tables of these data sets. UserError for one that is not known."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in data_sets()]
    if unknown:
        raise UserError(
            f"--only: {visible(unknown[0])!r} is no data set; known: {', '.join(data_sets())}"
        )
    return [table for table in tables() if not names or table.data_set in names]


def _entry(table: Table) -> dict:
    about, made = [raw.known()[reference] for reference in table.raw], known()[table.path]
    return {
        "from": ", ".join(dict.fromkeys(file.where for file in about)),
        "commit": about[0].commit,
        "licence": data_sets()[table.data_set]["licence"],
        "rows": made.rows,
        "sha256": made.sha256,
    }


def _make(table: Table, path: Path, clones: Path | None) -> bool:
    """Writes the file. UserError where it would not be the one that the study read."""
    found = table.rows(partial(raw.content, clones=clones))
    content, is_known = rows.parquet(found, table.columns), known()[table.path]
    if hashlib.sha256(content).hexdigest() == is_known.sha256:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, content)
        return True
    if rows.digest(found, table.columns) == is_known.digest:
        raise UserError(
            f"the rows are those that the study read, but pyarrow {pa.__version__} writes them as "
            f"other bytes. Install pyarrow {WRITER}, as requirements.txt has it, and start again"
        )
    raise UserError(f"{len(found)} rows came out, which are not those that the study read")


def _lay_out(folder: Path) -> None:
    """xstilts.toml, as the study's own folder is read."""
    shipped = Path(layout.__file__).parent / "layouts" / f"{LAYOUT}.toml"
    lines = shipped.read_text(encoding="utf-8").splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("known_by"))
    path = folder / layout.FILE
    if not files.is_there(path):
        fetch.put(path, text.encode())
    elif files.regular(path).st_size > layout.LARGEST or path.read_bytes() != text.encode():
        raise UserError(
            f"{path} is another layout than that of the study: rows would be read otherwise. "
            "Remove it, or give another folder"
        )
