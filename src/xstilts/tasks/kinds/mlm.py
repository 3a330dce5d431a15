"""Masked language modelling: phase 1, and a part of phase 2 where it is mixed in.

15 % of the pieces are predicted; of these 80 % become <mask>, 10 % a random piece, 10 % stay
(BERT, Devlin et al. 2019, section 3.1; jiant's values). The head is tied to the embeddings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from xstilts.tasks import metrics
from xstilts.tasks.columns import check_text
from xstilts.tasks.kinds import Feature, encode_texts

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from xstilts.tasks.task import Task
    from xstilts.training.batches import Info

METRICS = ("masked accuracy", "loss")
PIECES = 120
IGNORED = -100


def check(item: dict, where: str, row: Task) -> None:
    check_text(item["text"], where, "text")


def encode(
    rows: Sequence[dict], tokenizer: PreTrainedTokenizerBase, task: Task, max_length: int
) -> list[Feature]:
    return encode_texts([row["text"] for row in rows], tokenizer, max_length)


class Head(nn.Module):
    """[B, L, H] -> [pieces to predict, vocabulary]

    The transformation starts as the identity: the encoder's own output is compared with its own
    embeddings from the first step on, which a few hundred steps need and millions would not.
    """

    def __init__(self, model: PreTrainedModel, task: Task):
        super().__init__()
        size = model.config.hidden_size
        embeddings = model.get_input_embeddings().weight
        self.embeddings = [embeddings]  # in a list: tied, not a parameter of the head
        width = embeddings.shape[1]  # RemBERT's embeddings are narrower than its layers
        self.dense, self.norm = nn.Linear(size, width), nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(len(embeddings)))
        with torch.no_grad():
            self.dense.weight.copy_(torch.eye(width, size))
            self.dense.bias.zero_()

    def forward(self, hidden: torch.Tensor, batch: dict) -> torch.Tensor:
        chosen = hidden[batch["gold"] != IGNORED]
        return nn.functional.linear(self.norm(self.dense(chosen)), self.embeddings[0], self.bias)


def prepare(batch: dict, features: list[Feature], info: Info, generator: torch.Generator) -> None:
    ids = batch["input_ids"]
    special = torch.isin(ids, torch.tensor(info.special_ids))
    chosen = (torch.rand(ids.shape, generator=generator) < info.mask) & ~special
    if not chosen.any():  # a batch of very short texts: predict its first piece rather than nothing
        chosen.view(-1)[(~special).view(-1).nonzero()[:1]] = True
    fate = torch.rand(ids.shape, generator=generator)
    random_ids = info.pieces[torch.randint(len(info.pieces), ids.shape, generator=generator)]
    batch["gold"] = torch.where(chosen, info.row[ids], IGNORED)
    ids = torch.where(chosen & (fate < 0.8), info.mask_id, ids)
    batch["input_ids"] = torch.where(chosen & (fate >= 0.8) & (fate < 0.9), random_ids, ids)
    batch["needed"] = chosen


def weight(batch: dict) -> int:
    """Pieces that the loss is the mean of."""
    return int((batch["gold"] != IGNORED).sum())


def loss(logits: torch.Tensor, batch: dict) -> torch.Tensor:
    return nn.functional.cross_entropy(logits.float(), batch["gold"][batch["gold"] != IGNORED])


def outputs(logits: torch.Tensor, batch: dict) -> list:
    """For each sequence: (right pieces, predicted pieces, summed loss). Logits are too large to be
    kept."""
    where = batch["gold"] != IGNORED
    gold, counts = batch["gold"][where], where.sum(1).tolist()
    right = (logits.argmax(-1) == gold).float()
    losses = nn.functional.cross_entropy(logits.float(), gold, reduction="none")
    return [
        (float(a.sum()), float(len(a)), float(b.sum()))
        for a, b in zip(right.split(counts), losses.split(counts), strict=True)
    ]


def decode(
    outputs: Iterable, features: Sequence[Feature], rows: Sequence[dict], task: Task
) -> list[tuple[float, float, float]]:
    return list(outputs)


def examples(
    predictions: Sequence, rows: Sequence[dict], task: Task
) -> dict[str, list[metrics.Pair]]:
    return {
        "masked accuracy": [(right, count) for right, count, _ in predictions],
        # nats: not a percentage
        "loss": [(total / 100, count) for _, count, total in predictions],
    }


def baseline(rows: Sequence[dict], task: Task) -> float:
    return 0.0


def texts(row: dict) -> tuple[str, ...]:
    return (row["text"],)


def named(row: dict, task: Task) -> dict[str, str]:
    return {"text": row["text"]}


def shown(row: dict, prediction: Any, task: Task) -> tuple[str, str, str]:
    right, count, _ = prediction
    return row["text"], f"{count:.0f} masked pieces", f"{right:.0f} right"
