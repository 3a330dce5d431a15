"""Which rows go into which batch, and how a batch looks as tensors.

    for which, features in stream([features_of_task_a, features_of_task_b], recipe, seed, steps):
        ...

The order is a pure function of the seed, so a training that starts again at step k sees what it
would have seen."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from xstilts.encoders.vocabulary import Rows
from xstilts.tasks.kinds import Feature
from xstilts.training.recipe import Recipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

BUCKET = 32  # batches that are sorted by length together: little padding, and still random batches


@dataclass(frozen=True)
class Info:
    """What collating needs to know of a tokenizer, a recipe and an encoder."""

    pad_id: int
    mask_id: int
    special_ids: tuple[int, ...]
    pieces: torch.Tensor  # [rows] the piece of each of the encoder's embeddings
    row: torch.Tensor  # [vocabulary] the other way round
    types: bool
    mask: float

    @staticmethod
    def of(tokenizer: PreTrainedTokenizerBase, recipe: Recipe, model: PreTrainedModel) -> Info:
        embeddings = model.get_input_embeddings()
        everything = torch.arange(len(embeddings.weight))
        pieces, row = (
            (embeddings.ids.cpu(), embeddings.row.cpu())
            if isinstance(embeddings, Rows)
            else (everything[: len(tokenizer)], everything)
        )
        return Info(
            tokenizer.pad_token_id,
            tokenizer.mask_token_id,
            tuple(tokenizer.all_special_ids),
            pieces,
            row,
            "token_type_ids" in tokenizer.model_input_names,
            recipe.mask,
        )


def epoch(lengths: Sequence[int], batch_size: int, seed: str) -> list[list[int]]:
    """Batches of row positions for one pass over the rows: every row once, similar lengths
    together."""
    draw = random.Random(seed)
    order = list(range(len(lengths)))
    draw.shuffle(order)
    batches = []
    for start in range(0, len(order), batch_size * BUCKET):
        bucket = sorted(
            order[start : start + batch_size * BUCKET], key=lambda position: lengths[position]
        )
        batches += [bucket[i : i + batch_size] for i in range(0, len(bucket), batch_size)]
    draw.shuffle(batches)
    return batches


def stream(
    sets: Sequence[Sequence[Feature]],
    recipe: Recipe,
    seed: int,
    steps: int,
    last_share: float = 0.0,
) -> Iterator[tuple[int, list[Feature]]]:
    """(which set, its next batch), `steps` times. Sets are drawn in proportion to min(size, cap);
    last_share: the last one instead so often."""
    sizes: list[float] = [min(len(features), recipe.cap or len(features)) for features in sets]
    if last_share:
        sizes[-1] = sum(sizes[:-1]) * last_share / (1 - last_share)
    draw = random.Random(f"mixture {seed}")
    passes: list[Iterator[list[int]]] = [
        _forever(features, recipe.batch_size, f"{seed} {which}")
        for which, features in enumerate(sets)
    ]
    for _ in range(steps):
        which = draw.choices(range(len(sets)), sizes)[0] if len(sets) > 1 else 0
        yield which, [sets[which][position] for position in next(passes[which])]


def _forever(features: Sequence[Feature], batch_size: int, seed: str) -> Iterator[list[int]]:
    lengths, number = [feature.length for feature in features], 0
    while True:
        yield from epoch(lengths, batch_size, f"{seed} {number}")
        number += 1


def steps(sizes: Sequence[int], recipe: Recipe) -> int:
    """Optimiser steps of a training: as the recipe says, or its epochs over the (capped) rows
    (jiant's rule)."""
    if recipe.steps:
        return recipe.steps
    return sum(
        recipe.epochs * -(-min(size, recipe.cap or size) // recipe.batch_size) for size in sizes
    )


def by_tokens(features: Sequence[Feature], budget: int) -> list[list[int]]:
    """Batches for evaluation: positions sorted by length, each batch at most `budget` padded pieces
    (or one row)."""
    order = sorted(range(len(features)), key=lambda position: -features[position].length)
    batches: list[list[int]] = []
    pieces = 0
    for position in order:
        longest = features[batches[-1][0]].length if batches else 0
        count = len(features[position].ids)
        if not batches or (pieces + count) * longest > budget:
            batches.append([])
            pieces = 0
        batches[-1].append(position)
        pieces += count
    return batches


def collate(features: Sequence[Feature], info: Info) -> dict:
    """{"input_ids", "attention_mask"[, "token_type_ids"]: [sequences, length], "sequences": how
    many a row}"""
    sequences = [ids for feature in features for ids in feature.ids]
    length = max(map(len, sequences))
    ids = torch.full((len(sequences), length), info.pad_id)
    mask = torch.zeros((len(sequences), length), dtype=torch.long)
    for number, sequence in enumerate(sequences):
        ids[number, : len(sequence)] = torch.tensor(sequence)
        mask[number, : len(sequence)] = 1
    batch = {
        "input_ids": ids,
        "attention_mask": mask,
        "sequences": [len(feature.ids) for feature in features],
    }
    if info.types and features[0].types:
        types = torch.zeros((len(sequences), length), dtype=torch.long)
        for number, sequence in enumerate(
            sequence for feature in features for sequence in feature.types or ()
        ):
            types[number, : len(sequence)] = torch.tensor(sequence)
        batch["token_type_ids"] = types
    return batch
