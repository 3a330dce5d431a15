"""Predictions and scores: every language of a target with the model loaded once.

    for language in languages:
        predictions, pairs = score(model, head, tokenizer, task, rows[language], recipe)
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from . import batches
from .kinds import Feature, kind, retrieve
from .metrics import Pair
from .spec import Recipe
from .tasks import Task
from .train import autocast, device, hidden_states, to_device

TOKENS = 4096   # padded pieces a batch; also the bound on what evaluation holds in memory


@torch.no_grad()
def predict(model, head, task: Task, features: Sequence[Feature], tokenizer, recipe: Recipe) -> list:
    """The head's output for each feature, as float32 arrays in the features' order."""
    module, where = kind(task.kind), device()
    info = batches.Info.of(tokenizer, recipe)
    masking = torch.Generator().manual_seed(0)    # MLM: the same pieces are masked in every evaluation
    model.to(where).eval(), head.to(where).eval()
    found: list = [None] * len(features)
    for positions in batches.by_tokens(features, TOKENS):
        part = [features[position] for position in positions]
        batch = batches.collate(part, info)
        module.prepare(batch, part, info, masking)
        batch = to_device(batch, where)
        with autocast(recipe.precision, where):
            logits = head(hidden_states(model, batch), batch)
        outputs = module.outputs(logits, batch) if hasattr(module, "outputs") else logits.float().cpu().numpy()
        for position, output in zip(positions, outputs, strict=True):
            found[position] = output
    return found


def score(model, head, tokenizer, task: Task, rows: Sequence[dict],
          recipe: Recipe) -> tuple[list, dict[str, list[Pair]]]:
    """One prediction a row, and each metric's (numerator, denominator) a row."""
    module = kind(task.kind)
    features = module.encode(rows, tokenizer, task, recipe.max_length)
    predictions = module.decode(predict(model, head, task, features, tokenizer, recipe), features, rows, task)
    return predictions, module.examples(predictions, rows, task)


@torch.no_grad()
def pooled(model, tokenizer, features: Sequence[Feature], recipe: Recipe) -> np.ndarray:
    """Mean over the pieces at every layer, the embedding layer first. [layers + 1, n, hidden], float32"""
    where, info = device(), batches.Info.of(tokenizer, recipe)
    model.to(where).eval()
    found = None
    for positions in batches.by_tokens(features, TOKENS):
        batch = to_device(batches.collate([features[position] for position in positions], info), where)
        inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "token_type_ids") if name in batch}
        with autocast(recipe.precision, where):
            states = model(**inputs, output_hidden_states=True).hidden_states
        mask = batch["attention_mask"].unsqueeze(-1).float()
        means = torch.stack([(state.float() * mask).sum(1) / mask.sum(1) for state in states]).cpu().numpy()
        if found is None:
            found = np.empty((len(means), len(features), means.shape[-1]), dtype=np.float32)
        found[:, positions] = means
    return found


def retrieval(model, tokenizer, task: Task, rows: Sequence[dict],
              recipe: Recipe) -> dict[tuple[str, int], tuple[list, list[Pair]]]:
    """(metric, layer) -> predictions (the English text found) and pairs, for every layer, raw and centred."""
    source, english = (pooled(model, tokenizer, retrieve.encode(rows, tokenizer, task, recipe.max_length, side), recipe)
                       for side in ("source", "english"))
    found = {}
    for layer in range(len(source)):
        for metric in task.metrics:
            nearest = retrieve.nearest(source[layer], english[layer], centred=metric.endswith("centred"))
            found[metric, layer] = ([rows[i]["english"] for i in nearest],
                                    retrieve.examples(nearest, rows, task))
    return found
