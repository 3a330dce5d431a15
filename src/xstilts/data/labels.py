"""Labels by name: whatever ids a source uses, rows leave the data layer with the task table's
ids."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping
from typing import Any

from xstilts.errors import UserError
from xstilts.tasks.columns import Unusable
from xstilts.tasks.task import Task

# an open label set's label that no training row has: never trained on, always scored as wrong
UNKNOWN = -1
NO_LABEL = (None, "", "-")  # of a pair: "-" is SNLI's, whose annotators did not agree


def label_names(features: Mapping[str, Any], column: str) -> list[str] | None:
    """The ClassLabel names of a column (or of the column's items), if `features`
    (datasets.Features) has any."""
    feature = features.get(column)
    return getattr(getattr(feature, "feature", feature), "names", None)


def names_in(metadata: dict[bytes, bytes] | None, column: str, where: str) -> list[str] | None:
    """The ClassLabel names that a parquet file's own metadata gives a column (or the column's
    items), None if it gives none.

    Whatever the column's type: who writes the file anew with another library often changes types,
    and keeps the metadata. UserError if the metadata cannot be understood as far as this column
    goes."""
    if not metadata or b"huggingface" not in metadata:
        return None
    try:
        feature = (
            (json.loads(metadata[b"huggingface"]).get("info") or {}).get("features") or {}
        ).get(column)
    except (ValueError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{where}: what its metadata says of columns (huggingface) is not readable "
            f"({type(error).__name__}), so the labels in the column {column} cannot be named"
        ) from error
    while (
        isinstance(feature, dict)
        and "feature" in feature
        or isinstance(feature, list)
        and len(feature) == 1
    ):
        feature = feature["feature"] if isinstance(feature, dict) else feature[0]
    if feature is None or isinstance(feature, dict) and feature.get("_type") == "Value":
        return None
    names, count = (
        (feature.get("names"), feature.get("num_classes"))
        if isinstance(feature, dict)
        else (None, None)
    )
    # a ClassLabel without names counts
    if names is None and isinstance(count, int) and 0 < count < 10_000:
        names = [str(number) for number in range(count)]
    if (
        not isinstance(names, list)
        or not all(isinstance(name, str) for name in names)
        or len({*names}) < len(names)
    ):
        raise UserError(
            f"{where}: what its metadata says of the column {column} (huggingface) is not a list "
            f"of different names of labels: {reprlib.repr(feature)}"
        )
    return names


def with_label_ids(item: dict, row: Task, names: list[str] | None, where: str) -> dict:
    """The raw row with its label column as the table's ids. `where` names file and row for people.

    A choice's label is a number, which its reader makes sense of (as where the column is "-"): only
    names, if there are any, take the place of ids."""
    column = row.labels_in
    if not row.labels or row.label_column == "-":
        if row.module.LABELS != "number" or names is None or item.get(column) in (None, -1):
            return item
        return {**item, column: _name(item[column], names, f"{where}, column {column}")}
    if column not in item:
        raise UserError(f"{where} has no column {column!r}; it has {', '.join(item)}")
    value = item[column]
    listed = row.module.LABELS == "list"
    if isinstance(value, list) != listed:
        raise UserError(f"{where}, column {column}: {value!r} is {'not ' * listed}a list of labels")
    many = value if isinstance(value, list) else [value]
    ids = [_label_id(label, row, names, f"{where}, column {column}") for label in many]
    return {**item, column: ids if isinstance(value, list) else ids[0]}


def _label_id(value: int | str, row: Task, names: list[str] | None, where: str) -> int:
    if value == -1 and type(value) is int:
        raise Unusable(f"{where}: label -1, which stands for no gold label")
    if row.module.LABELS == "name" and value in NO_LABEL:
        raise Unusable(f"{where}: no gold label")
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise UserError(f"{where}: label {value!r} is none of {', '.join(row.labels)}")
    name = value if names is None else _name(value, names, where)
    if isinstance(name, str):
        name = row.aliases.get(name, name)
    if isinstance(name, str) and (name in row.labels or row.open_labels):
        return row.label_ids.get(name, UNKNOWN)
    if isinstance(name, int) and 0 <= name < len(row.labels):
        return name
    raise UserError(f"{where}: label {value!r} is none of {', '.join(row.labels)}")


def _name(value: object, names: list[str], where: str) -> str:
    """The name of a label in a file that names its labels: the column has ids, or the names
    themselves."""
    if type(value) is int and 0 <= value < len(names):
        return names[value]
    if isinstance(value, str) and value in names:
        return value
    raise UserError(
        f"{where}: label {value!r} is none of the labels that the file's metadata names: "
        f"{', '.join(names[:20])}"
    )
