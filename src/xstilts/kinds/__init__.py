"""Kinds of task, one module each. A kind is a module with these names:

    encode(rows, tokenizer, task, max_length) -> list[Feature]     what the encoder reads
    Head(model, task)                                              torch module: hidden states -> logits
    prepare(batch, features, info, generator)                      adds the batch's "gold" tensor
    loss(logits, batch) -> scalar tensor
    decode(outputs, features, rows, task) -> list                  one prediction a row
    examples(predictions, rows, task) -> {metric: [(num, den)]}    see `metrics`
    baseline(rows, task) -> float                                  score without reading, 0-100
    shown(row, prediction, task) -> (input, gold, prediction)      text for people
"""
from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any


@dataclass(slots=True)
class Feature:
    """What the encoder reads for one row, or for one window of a long row."""
    row: int                            # position of the row it comes from
    ids: list[list[int]]                # one sequence of pieces; one a choice in multiple choice
    gold: Any = None                    # what the kind's loss needs
    types: list[list[int]] | None = None    # token types, for encoders that have them
    where: Any = None                   # what the kind's decoder needs: offsets, word positions

    @property
    def length(self) -> int:
        return max(len(sequence) for sequence in self.ids)

    @property
    def pieces(self) -> int:
        return sum(len(sequence) for sequence in self.ids)


def kind(name: str) -> ModuleType:
    from . import choice, classify, mlm, retrieve, span, tag

    return {"choice": choice, "classify": classify, "mlm": mlm, "retrieve": retrieve, "span": span, "tag": tag}[name]


def chunks(count: int, size: int = 2000):
    """Slices over `count` rows: the tokenizer gets lists of bounded size."""
    return (slice(start, start + size) for start in range(0, count, size))
