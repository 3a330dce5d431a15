"""A context and several endings or answers, one of them right. Scored by accuracy."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from xstilts.errors import UserError
from xstilts.tasks.columns import Unusable, check_text
from xstilts.tasks.kinds import GOLD, Feature, Part, chunks, cut
from xstilts.tasks.kinds.classify import METRICS, decode, examples, loss, prepare
from xstilts.tasks.kinds.classify import Head as ClassifyHead

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from xstilts.tasks.task import Task

# a choice is a class once scored
__all__ = ["METRICS", "Head", "decode", "examples", "loss", "prepare"]


LABELS, PIECES, SEQUENCES = "number", 240, 4
TRANSLATED = {"context": "text", "choices": "texts", "label": "label"}


def check(item: dict, where: str, row: Task) -> None:
    check_text(item["context"], where, "context")
    for choice in item["choices"]:
        check_text(choice, where, "choices")
    label, column = item["label"], row.labels_in
    if label is None:
        raise Unusable(f"{where}, column {column}: no gold label")
    if type(label) is not int or not -1 <= label < len(item["choices"]):
        raise UserError(
            f"{where}, column {column}: {label!r} is none of {len(item['choices'])} choices"
        )
    if label == -1:
        raise Unusable(f"{where}, column {column}: label -1, which stands for no gold label")


def encode(
    rows: Sequence[dict], tokenizer: PreTrainedTokenizerBase, task: Task, max_length: int
) -> list[Feature]:
    features = []
    for part in chunks(len(rows), 500):
        pairs = [(row["context"], text) for row in rows[part] for text in row["choices"]]
        output = tokenizer(
            [context for context, _ in pairs],
            [text for _, text in pairs],
            truncation="longest_first",
            max_length=max_length,
        )
        types, position = output.get("token_type_ids"), 0
        for number, row in enumerate(rows[part]):
            end = position + len(row["choices"])
            features.append(
                Feature(
                    part.start + number,
                    output["input_ids"][position:end],
                    row["label"],
                    types[position:end] if types else None,
                    lost=sum(cut(output, place) for place in range(position, end)),
                )
            )
            position = end
    return features


class Head(ClassifyHead):
    """One number a choice; a batch holds all choices of its rows one after the other. [B*k, L, H]
    -> [B, k]"""

    def __init__(self, model: PreTrainedModel, task: Task):
        super().__init__(model, task, outputs=1)

    def forward(self, hidden: torch.Tensor, batch: dict) -> torch.Tensor:
        scores = super().forward(hidden, batch).squeeze(-1).split(batch["sequences"])
        return nn.utils.rnn.pad_sequence(scores, batch_first=True, padding_value=-torch.inf)


def baseline(rows: Sequence[dict], task: Task) -> float:
    """A choice at random."""
    return 100 * sum(1 / len(row["choices"]) for row in rows) / len(rows)


def texts(row: dict) -> tuple[str, ...]:
    return (row["context"], *row["choices"])


def with_texts(row: dict, parts: Sequence[Part]) -> dict:
    context, *choices = (text for text, _ in parts)
    return {"context": context, "choices": choices, "label": row["label"]}


def shuffled(rows: Sequence[dict], draw: random.Random) -> list[dict]:
    """Rows may have different numbers of choices, so that each draws one of its own."""
    return [row | {"label": draw.randrange(len(row["choices"]))} for row in rows]


def named(row: dict, task: Task) -> dict[str, str]:
    marked = [
        choice + f" {GOLD}" * (number == row["label"])
        for number, choice in enumerate(row["choices"])
    ]
    return {"context": row["context"], "choices": " / ".join(marked)}


def shown(row: dict, prediction: Any, task: Task) -> tuple[str, str, str]:
    return (
        " | ".join((row["context"], *row["choices"])),
        row["choices"][row["label"]],
        row["choices"][prediction],
    )
