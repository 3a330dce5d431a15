"""Kinds of task, one module each. A kind is a module with these names:

    encode(rows, tokenizer, task, max_length) -> list[Feature]   what the encoder reads
    Head(model, task)                   torch module: hidden states -> logits
    prepare(batch, features, info, generator)   adds the batch's "gold", and "needed", where not all
                                        positions are: those that the head reads
    loss(logits, batch) -> scalar       tensor, a mean over rows; where the kind has weight(batch),
                                        a mean over so many things
    decode(outputs, features, rows, task) -> list                one prediction a row
    examples(predictions, rows, task) -> {metric: [(num, den)]}  see `metrics`
    baseline(rows, task) -> float       score without reading, 0-100
    unit(row)                           what rows of one paragraph share, where the kind has such
    shown(row, prediction, task) -> (input, gold, prediction)    text for people

`retrieve`, `mine` and `rank` find sentences rather than label them: see `evaluate`. What encoding
cannot keep is counted in `Feature.lost`, and reported with the scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import BatchEncoding, PreTrainedTokenizerBase


@dataclass(slots=True)
class Feature:
    """What the encoder reads for one row, or for one window of a long row."""

    row: int  # position of the row it comes from
    ids: list[list[int]]  # one sequence of pieces; one a choice in multiple choice
    gold: Any = None  # what the kind's loss needs
    types: list[list[int]] | None = None  # token types, for encoders that have them
    where: Any = None  # what the kind's decoder needs: offsets, word positions
    lost: int = 0  # texts that were cut, or gold answers and tags that no sequence holds

    @property
    def length(self) -> int:
        return max(len(sequence) for sequence in self.ids)

    @property
    def pieces(self) -> int:
        return sum(len(sequence) for sequence in self.ids)


def kind(name: str) -> ModuleType:
    from xstilts.tasks.kinds import choice, classify, mine, mlm, rank, retrieve, span, tag

    return {
        "choice": choice,
        "classify": classify,
        "mine": mine,
        "mlm": mlm,
        "rank": rank,
        "retrieve": retrieve,
        "span": span,
        "tag": tag,
    }[name]


# what the length costs, by kind; elsewhere: texts cut to the length
LOST = {"span": "answers that no window holds", "tag": "words without a piece"}


def cut(output: BatchEncoding, number: int) -> int:
    """1 if the tokenizer cut the sequence to its length, else 0."""
    return int(bool(output.encodings[number].overflowing))


def lost(name: str, features: list[Feature]) -> dict[str, int]:
    """What the encoded rows of a kind have lost, in words: {} if nothing."""
    count = sum(feature.lost for feature in features)
    return {LOST.get(name, "texts cut to the length"): count} if count else {}


def pieces(tokenizer: PreTrainedTokenizerBase, *sets: Sequence[Feature]) -> set[int]:
    """The pieces that occur in some sets of features, and the special ones."""
    found = set(tokenizer.all_special_ids)
    for features in sets:
        for feature in features:
            found.update(*feature.ids)
    return found


def chunks(count: int, size: int = 2000) -> Iterator[slice]:
    """Slices over `count` rows: the tokenizer gets lists of bounded size."""
    return (slice(start, start + size) for start in range(0, count, size))
