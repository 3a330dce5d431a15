"""Predictions and scores: every language of a target with the model loaded once.

for language in languages:
    predictions, pairs = score(model, head, tokenizer, task, rows[language], recipe)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from xstilts.tasks.kinds import Feature, mine, rank, retrieve
from xstilts.tasks.metrics import Pair
from xstilts.tasks.task import Task
from xstilts.training import batches, packed
from xstilts.training.loop import Diverged, autocast, collated, device, hidden_states, number_type
from xstilts.training.recipe import Recipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def _finite(found: torch.Tensor, task: str) -> torch.Tensor:
    """The same tensor. Raises Diverged where it is no number. Minus infinity alone stands for a
    choice that a row does not have."""
    if found.isnan().any() or found.isposinf().any() or found.numel() and found.isneginf().all():
        raise Diverged(
            f"{task}: the encoder's output is not a number. Its weights are damaged, or the "
            "training that made it diverged: make it anew, or try a lower learning rate"
        )
    return found


# is shown what was encoded: what the length cuts off is counted
Note = Callable[[list[Feature]], None]

TOKENS = 4096  # padded pieces a batch; also the bound on what evaluation holds in memory


@torch.no_grad()
def predict(
    model: PreTrainedModel,
    head: nn.Module,
    task: Task,
    features: Sequence[Feature],
    tokenizer: PreTrainedTokenizerBase,
    recipe: Recipe,
) -> list:
    """The head's output for each feature, as float32 arrays in the features' order. Raises Diverged
    where it is no number."""
    module, where = task.module, device()
    info = batches.Info.of(tokenizer, recipe, model)
    # MLM: the same pieces are masked in every evaluation
    masking = torch.Generator().manual_seed(0)
    model.to(where).eval(), head.to(where).eval()
    found: list = [None] * len(features)
    with packed.lowered(model, number_type(recipe.precision, where)):
        for positions in batches.by_tokens(features, TOKENS):
            part = [features[position] for position in positions]
            batch = collated(part, task.name, model, info, masking, where)
            with autocast(recipe.precision, where):
                logits = _finite(head(hidden_states(model, batch), batch), task.title)
            outputs = module.outputs(logits, batch)
            for position, output in zip(positions, outputs, strict=True):
                found[position] = output
    return found


def score(
    model: PreTrainedModel,
    head: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    task: Task,
    rows: Sequence[dict],
    recipe: Recipe,
    features: Sequence[Feature] = (),
) -> tuple[list, dict[str, list[Pair]]]:
    """One prediction a row, and each metric's (numerator, denominator) a row. features: of the
    rows, where known."""
    module = task.module
    features = features or module.encode(rows, tokenizer, task, recipe.max_length)
    predictions = module.decode(
        predict(model, head, task, features, tokenizer, recipe), features, rows, task
    )
    return predictions, module.examples(predictions, rows, task)


@torch.no_grad()
def pooled(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    features: Sequence[Feature],
    recipe: Recipe,
    title: str = "retrieval",
) -> np.ndarray:
    """Mean over the pieces at every layer, the embedding layer first. [layers + 1, n, hidden].
    Raises Diverged."""
    where, info = device(), batches.Info.of(tokenizer, recipe, model)
    model.to(where).eval()
    found = None
    for positions in batches.by_tokens(features, TOKENS):
        batch = batches.collate([features[position] for position in positions], info)
        inputs = {
            name: batch[name].to(where)
            for name in ("input_ids", "attention_mask", "token_type_ids")
            if name in batch
        }
        with autocast(recipe.precision, where):
            states = model(**inputs, output_hidden_states=True).hidden_states
        mask = inputs["attention_mask"].unsqueeze(-1).float()
        means = torch.stack([(state.float() * mask).sum(1) / mask.sum(1) for state in states])
        means = _finite(means, title).cpu().numpy()
        if found is None:
            found = np.empty((len(means), len(features), means.shape[-1]), dtype=np.float32)
        found[:, positions] = means
    return found


def _sides(
    model, tokenizer, task: Task, rows: Sequence[dict], recipe: Recipe, note: Note
) -> list[np.ndarray]:
    """Vectors of the source sentences and of the English ones, each at every layer."""
    found = []
    for side in task.module.SIDES:
        features = task.module.encode(rows, tokenizer, task, recipe.max_length, side)
        note(features)
        found.append(pooled(model, tokenizer, features, recipe, task.title))
    return found


def retrieval(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    task: Task,
    rows: Sequence[dict],
    recipe: Recipe,
    note: Note = lambda features: None,
) -> dict[tuple[str, int], tuple[list, list[Pair]]]:
    """(metric, layer) -> predictions (the English text found) and pairs, for every layer, raw and
    centred."""
    source, english = _sides(model, tokenizer, task, rows, recipe, note)
    found = {}
    for layer in range(len(source)):
        for metric in task.metrics:
            nearest = retrieve.nearest(
                source[layer], english[layer], centred=metric.endswith("centred")
            )
            found[metric, layer] = (
                [rows[i]["english"] for i in nearest],
                retrieve.examples(nearest, rows, task),
            )
    return found


def mining(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    task: Task,
    rows: Sequence[dict],
    tuning: Sequence[dict],
    recipe: Recipe,
    note: Note = lambda features: None,
) -> dict[tuple[str, int], tuple[list, list[Pair]]]:
    """(metric, layer) -> the English text paired with each source sentence (or None) and pairs, for
    every layer, raw and centred. The threshold is tuned on the rows `tuning`."""
    vectors = [_sides(model, tokenizer, task, part, recipe, note) for part in (tuning, rows)]
    found = {}
    for layer in range(len(vectors[0][0])):
        for metric in task.metrics:
            tried, scored = (
                mine.candidates(source[layer], english[layer], metric.endswith("centred"))
                for source, english in vectors
            )
            predictions = mine.decode(scored, rows, mine.threshold(tried, tuning))
            found[metric, layer] = (predictions, mine.examples(predictions, rows, task))
    return found


def ranking(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    task: Task,
    rows: Mapping[str, Sequence[dict]],
    recipe: Recipe,
    note: Note = lambda features: None,
    pool: Mapping[str, Sequence[dict]] | None = None,
) -> dict[str, tuple[list, dict[str, list[Pair]]]]:
    """language -> the text ranked first for each query, and average precisions. Candidates are the
    texts of all the rows of `pool` together, or of `rows`: only their vectors are kept."""
    rows = {language: [rank.as_ranking(row) for row in part] for language, part in rows.items()}
    texts, relevant = (rank.entities if task.one_text else rank.candidates)(pool or rows)

    def vectors(features: list[Feature]) -> np.ndarray:
        note(features)
        return np.stack(predict(model, rank.Head(model, task), task, features, tokenizer, recipe))

    candidates, found = vectors(rank.encode_texts(texts, tokenizer, recipe.max_length)), {}
    for language, part in rows.items():
        ranked = rank.nearest(
            vectors(rank.encode_queries(part, tokenizer, recipe.max_length)), candidates
        )
        found[language] = (
            [texts[order[0]][0] for order in ranked],
            {task.metric: rank.examples(ranked, part, relevant)},
        )
    return found
