"""Kinds of task, a module each. A file here is a kind: nothing else has a list of them, and what
depends on the kind of a task is asked of its module.

Every kind has

    METRICS                             the metrics that it can compute: names, or {name: function
                                        that gives a (numerator, denominator) pair an example}
    PIECES                              pieces that a row is read as, about, of an English data set
    check(row, where, task)             raises UserError for a row that is no such row, Unusable for
                                        one to be left out (see `columns`)
    encode(rows, tokenizer, task, max_length) -> list[Feature]   what the encoder reads
    examples(predictions, rows, task) -> {metric: [(num, den)]}  see `metrics`
    baseline(rows, task) -> float       score without reading, 0-100
    named(row, task) -> {name: text}    the row for people; what is right is marked with GOLD
    shown(row, prediction, task) -> (input, gold, prediction)    text for people

A kind that is trained has

    Head(model, task)                   torch module: hidden states -> logits
    prepare(batch, features, info, generator)   adds the batch's "gold", and "needed", where not all
                                        positions are: those that the head reads
    loss(logits, batch) -> scalar       tensor: a mean over weight(batch) things
    decode(outputs, features, rows, task) -> list                one prediction a row
    texts(row) -> (text, ...)           all of them, without labels

A kind may have a value of its own for each of DEFAULTS.

`retrieve`, `mine` and `rank` find sentences rather than label them: see `evaluate`. What encoding
cannot keep is counted in `Feature.lost`, and reported with the scores."""

from __future__ import annotations

import importlib
import pkgutil
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from xstilts.errors import UserError

if TYPE_CHECKING:
    from transformers import BatchEncoding, PreTrainedTokenizerBase

    from xstilts.tasks.task import Task


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


def _kept(row: dict) -> dict[int, tuple[int, int]]:
    return {}


def _shuffled(rows: Sequence[dict], draw: random.Random) -> list[dict]:
    """The rows with each other's labels."""
    labels = [row["label"] for row in rows]
    draw.shuffle(labels)
    return [row | {"label": label} for row, label in zip(rows, labels, strict=True)]


def _weight(batch: dict) -> int:
    return len(batch["gold"])


def _outputs(logits: Any, batch: dict) -> Sequence:
    return logits.float().cpu().numpy()


def _scored_rows(rows: Sequence[dict]) -> Sequence[dict]:
    return rows


# what a kind has of these where its module says nothing else
DEFAULTS: dict[str, Any] = {
    "TRAINED": True,  # False: the encoder is scored as it is, at every layer
    # what a row's label is: "name" of one of the task's labels, "list" of them, "number" of one of
    # the row's own texts; "" where rows have none
    "LABELS": "",
    # in words, where rows of the kind are read otherwise than in earlier versions: part of the
    # fingerprints of real rows, and so of the keys of runs
    "READ": "",
    "LANGUAGE": False,  # True: how a row is scored depends on its "language", which it is given
    "SIDES": (),  # of a pair of sentences; encode(..., side) reads one
    "TUNED": False,  # True: scoring needs validation rows in every language, for a threshold
    "DISTRACTORS": False,  # True: sentences without a pair lie in files candidates_<language>
    "SEARCHED": False,  # True: the texts of the whole split are read, however few rows are scored
    "WHOLE_BATCH": False,  # True: a batch's rows are each other's negatives, and never split
    "SEQUENCES": 1,  # of the longest length that a row is read as
    "LOST": "texts cut to the length",  # what the length costs, in words
    # columns of translated rows -> "text", "texts" or "numbers" ("label" is as LABELS says); {}
    # where rows cannot be translated. A kind that can has
    #   with_texts(row, [Part, ...]) -> row   the row with what its texts have become
    "TRANSLATED": {},
    "kept": _kept,  # of a row: {number of a text: where an answer stands, to be found again}
    # capped(rows, limit) -> (rows, how many there are to be scored): a part of all rows (limit 0:
    # all), where it is no sample of single ones
    "capped": None,
    "scored_rows": _scored_rows,  # of the rows: a prediction each
    # shuffled(rows, draw) -> rows whose labels say nothing about their texts: for a control
    "shuffled": _shuffled,
    "weight": _weight,  # of a batch: how many things its loss is the mean of
    "outputs": _outputs,  # of logits and batch: what is kept of each feature's logits
    "unit": None,  # of a row: what rows of one paragraph share
}
GOLD = "✓"
# a translated text, and where in it the answer stands
Part = tuple[str, tuple[int, int] | None]


@cache
def kind(name: str) -> ModuleType:
    """The module of a kind, with the DEFAULTS. UserError names the known ones."""
    if name not in names():
        raise UserError(
            f"unknown kind {name!r} of task; known: {', '.join(names())}. A kind is a file in "
            "tasks/kinds"
        )
    module = importlib.import_module(f"{__name__}.{name}")
    for constant, value in DEFAULTS.items():
        vars(module).setdefault(constant, value)
    return module


def names() -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def of(task: Task) -> ModuleType:
    """The kind of a task. UserError where it cannot compute one of the task's metrics."""
    module = kind(task.kind)
    unknown = [name for name in task.metrics if name not in module.METRICS]
    if unknown:
        raise UserError(
            f"the task {task.name} asks for the metric {unknown[0]!r}, which the kind {task.kind} "
            f"does not have; it has {', '.join(module.METRICS)}. Add it to METRICS in "
            f"tasks/kinds/{task.kind}.py"
        )
    return module


def cut(output: BatchEncoding, number: int) -> int:
    """1 if the tokenizer cut the sequence to its length, else 0."""
    return int(bool(output.encodings[number].overflowing))


def encode_texts(
    texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> list[Feature]:
    """Features of rows that are read as one text each."""
    features = []
    for part in chunks(len(texts)):
        output = tokenizer(list(texts[part]), truncation=True, max_length=max_length)
        types = output.get("token_type_ids")
        features += [
            Feature(
                part.start + number,
                [ids],
                None,
                [types[number]] if types else None,
                lost=cut(output, number),
            )
            for number, ids in enumerate(output["input_ids"])
        ]
    return features


def lost(name: str, features: list[Feature]) -> dict[str, int]:
    """What the encoded rows of a kind have lost, in words: {} if nothing."""
    count = sum(feature.lost for feature in features)
    return {kind(name).LOST: count} if count else {}


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
