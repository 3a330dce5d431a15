"""Rows of a table: which of a file's are taken, and how they are written.

Another order of columns, another type or another compression would be another file with another
fingerprint: all of that is stated here."""

from __future__ import annotations

import hashlib
import io
import json
import random
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq

# a column's type: "string", ("name", "name") for labels, [type] for a list, {name: type} for parts
Shape = str | tuple | list | dict
COMPRESSION = {"compression": "zstd", "compression_level": 15}
TYPES = {"string": pa.string(), "int32": pa.int32(), "bool": pa.bool_()}

Take = Callable[[list[dict]], list[dict]]


def whole(rows: list[dict]) -> list[dict]:
    """All of them."""
    return rows


def first(count: int) -> Take:
    """The first ones."""
    return lambda rows: rows[:count]


def drawn(count: int, seed: int = 13) -> Take:
    """So many at random, in the file's order; all where there are no more."""

    def take(rows: list[dict]) -> list[dict]:
        chosen = random.Random(seed).sample(range(len(rows)), min(count, len(rows)))
        return [rows[number] for number in sorted(chosen)]

    return take


def shuffled(start: int | None, end: int | None, seed: int = 13) -> Take:
    """Those from `start` to before `end` of all in a random order."""

    def take(rows: list[dict]) -> list[dict]:
        order = list(range(len(rows)))
        random.Random(seed).shuffle(order)
        return [rows[number] for number in order[start:end]]

    return take


def _feature(shape: Shape) -> dict:
    """As `datasets` writes it into a file's metadata."""
    if isinstance(shape, tuple):
        return {"names": list(shape), "_type": "ClassLabel"}
    if isinstance(shape, list):
        return {"feature": _feature(shape[0]), "_type": "List"}
    if isinstance(shape, dict):
        return {name: _feature(inner) for name, inner in shape.items()}
    return {"dtype": shape, "_type": "Value"}


def _type(shape: Shape) -> pa.DataType:
    if isinstance(shape, tuple):
        return pa.int64()
    if isinstance(shape, list):
        return pa.list_(_type(shape[0]))
    if isinstance(shape, dict):
        return pa.struct([(name, _type(inner)) for name, inner in shape.items()])
    return TYPES[shape]


def parquet(rows: list[dict], columns: dict[str, Shape]) -> bytes:
    """The table as a parquet file, with the names of labels where `datasets` keeps them."""
    schema = pa.schema(
        [(name, _type(shape)) for name, shape in columns.items()],
        metadata={"huggingface": json.dumps({"info": {"features": _feature(columns)}})},
    )
    content = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), content, **COMPRESSION)
    return content.getvalue()


def digest(rows: list[dict], columns: dict[str, Shape]) -> str:
    """16 hex digits of the rows themselves, whatever wrote them: text, order, types, names of
    labels."""
    ordered = [{name: row[name] for name in columns} for row in rows]
    text = json.dumps([_feature(columns), ordered], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
