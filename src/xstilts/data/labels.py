"""Labels by name: whatever ids a source uses, rows leave the data layer with the task table's ids."""
from __future__ import annotations

from ..spec import UserError
from ..tasks import Task

UNKNOWN = -1   # an open label set's label that no training row has: never trained on, always scored as wrong


class Unusable(ValueError):
    """A row that cannot be used: it has no gold label or no text. It is dropped, and counted."""


def label_names(features, column: str) -> list[str] | None:
    """The ClassLabel names of a column (or of the column's items), if `features` (datasets.Features) has any."""
    feature = features.get(column)
    return getattr(getattr(feature, "feature", feature), "names", None)


def with_label_ids(item: dict, row: Task, names: list[str] | None, where: str) -> dict:
    """The raw row with its label column as the table's ids. `where` names file and row for people."""
    column = row.label_column
    if not row.labels or column == "-":   # "-": the source's reader makes sense of its labels itself
        return item
    if column not in item:
        raise UserError(f"{where} has no column {column!r}; it has {', '.join(item)}")
    value = item[column]
    if isinstance(value, list) != (row.kind == "tag"):
        raise UserError(f"{where}, column {column}: {value!r} is {'not ' * (row.kind == 'tag')}a list of labels")
    many = value if isinstance(value, list) else [value]
    ids = [_label_id(label, row, names, f"{where}, column {column}") for label in many]
    return {**item, column: ids if isinstance(value, list) else ids[0]}


def _label_id(value: int | str, row: Task, names: list[str] | None, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise UserError(f"{where}: label {value!r} is none of {', '.join(row.labels)}")
    name = names[value] if names and isinstance(value, int) and 0 <= value < len(names) else value
    name = row.aliases.get(name, name)
    if isinstance(name, str) and (name in row.labels or row.open_labels):
        return row.label_ids.get(name, UNKNOWN)
    if isinstance(name, int) and names is None and 0 <= name < len(row.labels):
        return name
    if name == -1:
        raise Unusable(f"{where}: label -1, which stands for no gold label")
    raise UserError(f"{where}: label {value!r} is none of {', '.join(row.labels)}")
