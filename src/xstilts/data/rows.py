"""Rows are checked when they enter: columns, types, empty text, spans that are not where they are
said to be.

A row without gold label or text is dropped and counted (GLUE, SNLI and PAWS-X have some); a file
with many of them, or with anything else amiss, is refused with its name, row and column."""

from __future__ import annotations

from dataclasses import dataclass

from xstilts.data.labels import with_label_ids
from xstilts.errors import UserError
from xstilts.tasks.columns import Reader, Unusable
from xstilts.tasks.task import Task

MOST_UNUSABLE = 0.1  # of a file's rows


@dataclass(frozen=True)
class Block:
    """Rows of one file, or of one split of the Hub, in the Hub's columns."""

    where: str  # for messages
    task: Task  # with the block's own label column
    read: Reader
    names: list[str] | None  # of the ClassLabel column
    items: list[dict]


class Rows(tuple):
    """Rows of a kind, what was dropped on the way ({"no gold label": 3}), and how many the split
    has to be scored."""

    dropped: dict[str, int]
    total: int

    @staticmethod
    def of(rows: list[dict], dropped: dict[str, int], total: int) -> Rows:
        found = Rows(rows)
        found.dropped, found.total = dropped, total
        return found


def read_row(block: Block, number: int) -> dict:
    """Row `number` of a block as a row of the task's kind. Raises UserError, or Unusable where it
    is to be dropped."""
    where, row = f"{block.where}: row {number}", block.task
    try:
        item = block.read(with_label_ids(block.items[number], row, block.names, where))
    except (UserError, Unusable):
        raise
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise UserError(
            f"{where} does not have the columns of {row.title} ({error!r}); it has "
            f"{', '.join(block.items[number])}"
        ) from error
    row.module.check(item, where, row)
    return item


def labels_of(block: Block, number: int) -> list[str]:
    """The names of the labels that a row of an open set has, whatever they are. UserError where
    they have none."""
    where, column = f"{block.where}: row {number}", block.task.label_column
    labels = block.items[number].get(column)
    if not isinstance(labels, list):
        raise UserError(f"{where}, column {column}: {labels!r} is not a list of labels")
    if block.names is not None:  # ids; -1 is no label
        labels = [
            block.names[label] if type(label) is int and 0 <= label < len(block.names) else label
            for label in labels
            if label != -1
        ]
    if not all(isinstance(label, str) for label in labels):
        raise UserError(
            f"{where}, column {column}: the labels are neither text nor have names: {labels!r}"
        )
    return labels


def read(blocks: list[Block], chosen: list[tuple[int, int]]) -> Rows:
    """The chosen (block, row) pairs, read and checked; unusable ones are left out and counted."""
    rows: list[dict] = []
    dropped: dict[str, int] = {}
    worst = None
    for which, number in chosen:
        try:
            rows.append(read_row(blocks[which], number))
        except Unusable as error:
            worst = worst or error
            reason = str(error).rsplit(": ", 1)[1]
            dropped[reason] = dropped.get(reason, 0) + 1
    count = sum(dropped.values())
    if count > MOST_UNUSABLE * len(chosen):
        raise UserError(
            f"{worst}. {count} of {len(chosen)} rows cannot be used, which is too many for a slip"
        )
    return Rows.of(rows, dropped, len(chosen))
