"""Rows are checked when they enter: columns, types, empty text, spans that are not where they are
said to be.

A row without gold label or text is dropped and counted (GLUE, SNLI and PAWS-X have some); a file
with many of them, or with anything else amiss, is refused with its name, row and column."""

from __future__ import annotations

from dataclasses import dataclass

from xstilts.data.labels import Unusable, column_of, with_label_ids
from xstilts.errors import UserError
from xstilts.tasks.columns import Reader, inner
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
    _CHECKS[row.kind](item, where, row)
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


def _text(value: object, where: str, column: str) -> None:
    if not isinstance(value, str):
        raise UserError(f"{where}, column {column}: {value!r} is not text")
    if not value.strip():
        raise Unusable(f"{where}, column {column}: empty text")
    _characters(value, where, column)


def _characters(value: str, where: str, column: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"{where}, column {column}: half a surrogate pair at {error.start}, which is no "
            "character; the file was decoded wrongly when it was made"
        ) from None


def _classify(item: dict, where: str, row: Task) -> None:
    for column, text in zip(("first text", "second text"), item["texts"], strict=True):
        _text(text, where, column)


def _tag(item: dict, where: str, row: Task) -> None:
    words, tags = item["words"], item["tags"]
    if not all(isinstance(part, (list, tuple)) for part in (words, tags)):
        raise UserError(f"{where}: tokens or {row.label_column} are not a list")
    if len(words) != len(tags):
        raise UserError(
            f"{where}, column {row.label_column}: {len(tags)} labels for {len(words)} tokens"
        )
    if not words:
        raise Unusable(f"{where}, column tokens: empty text")
    if not all(isinstance(word, str) for word in words):
        raise UserError(f"{where}, column tokens: not a list of text")
    _characters("".join(words), where, "tokens")


def _span(item: dict, where: str, row: Task) -> None:
    _text(item["question"], where, "question")
    _text(item["context"], where, "context")
    if len(item["answers"]) != len(item["starts"]):
        raise UserError(
            f"{where}, column answers: {len(item['answers'])} texts, {len(item['starts'])} starts"
        )
    if not item["answers"] and row.answers != "squad2":
        raise Unusable(f"{where}, column answers: no gold answer")
    for answer, start in zip(item["answers"], item["starts"], strict=True):
        _text(answer, where, "answers")
        if inner(answer) == (0, 0):
            raise Unusable(f"{where}, column answers: empty text")
        if type(start) is not int or start < 0:
            raise UserError(
                f"{where}, column answers: the start {start!r} is not a position in the context"
            )
        if item["context"][start : start + len(answer)] != answer:
            raise UserError(
                f"{where}, column answers: the context has "
                f"{item['context'][max(0, start) : max(0, start) + len(answer)]!r} at {start}, not "
                f"{answer!r}"
            )


def _choice(item: dict, where: str, row: Task) -> None:
    _text(item["context"], where, "context")
    for choice in item["choices"]:
        _text(choice, where, "choices")
    label, column = item["label"], column_of(row)
    if label is None:
        raise Unusable(f"{where}, column {column}: no gold label")
    if type(label) is not int or not -1 <= label < len(item["choices"]):
        raise UserError(
            f"{where}, column {column}: {label!r} is none of {len(item['choices'])} choices"
        )
    if label == -1:
        raise Unusable(f"{where}, column {column}: label -1, which stands for no gold label")


def _retrieve(item: dict, where: str, row: Task) -> None:
    _text(item["source"], where, "source_sentence")
    _text(item["english"], where, "target_sentence")


def _mine(item: dict, where: str, row: Task) -> None:
    for side, column in (("source", "source_sentence"), ("english", "target_sentence")):
        if item[side] != "":  # "": the sentence of the other side has no translation
            _text(item[side], where, column)
    _text(item["source"] or item["english"], where, "source_sentence")


def _rank(item: dict, where: str, row: Task) -> None:
    if not item["id"] and row.one_text:
        raise Unusable(f"{where}, column entity: no entity")
    if not item["id"]:
        raise UserError(
            f"{where}, column id: there is none. Answers with the same id count as right in every "
            "language: give each question its own"
        )
    _text(item["query"], where, "query")
    _text(item["answer"][0], where, "answer")


def _mlm(item: dict, where: str, row: Task) -> None:
    _text(item["text"], where, "text")


_CHECKS = {
    "classify": _classify,
    "tag": _tag,
    "span": _span,
    "choice": _choice,
    "retrieve": _retrieve,
    "mine": _mine,
    "rank": _rank,
    "mlm": _mlm,
}
