"""One or two texts, one label: a review's rating, NLI, paraphrase. Scored by accuracy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from xstilts.tasks import metrics
from xstilts.tasks.columns import check_text
from xstilts.tasks.kinds import Feature, Part, chunks, cut

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from xstilts.tasks.task import Task
    from xstilts.training.batches import Info


METRICS: dict[str, metrics.Measure] = {"accuracy": metrics.accuracy}
LABELS, PIECES = "name", 45
TRANSLATED = {"texts": "texts", "label": "label"}
# how a row's texts are called, by how many it has
NAMES = {1: ("text",), 2: ("first text", "second text")}


def check(item: dict, where: str, row: Task) -> None:
    columns = NAMES[len(item["texts"])]
    for column, text in zip(columns, item["texts"], strict=True):
        check_text(text, where, column)


def encode(
    rows: Sequence[dict], tokenizer: PreTrainedTokenizerBase, task: Task, max_length: int
) -> list[Feature]:
    features = []
    for part in chunks(len(rows)):
        texts = [row["texts"] for row in rows[part]]
        # all rows of a task have one text, or all have two
        sides = [list(side) for side in zip(*texts, strict=True)]
        output = tokenizer(*sides, truncation=True, max_length=max_length)
        types = output.get("token_type_ids")
        for number, ids in enumerate(output["input_ids"]):
            features.append(
                Feature(
                    part.start + number,
                    [ids],
                    rows[part.start + number]["label"],
                    [types[number]] if types else None,
                    lost=cut(output, number),
                )
            )
    return features


class Head(nn.Module):
    """First piece -> dense -> tanh -> labels, as in RoBERTa's classification head. [B, L, H] -> [B,
    labels]"""

    def __init__(self, model: PreTrainedModel, task: Task, outputs: int = 0):
        super().__init__()
        size = model.config.hidden_size
        self.dropout = nn.Dropout(getattr(model.config, "hidden_dropout_prob", 0.1))
        self.dense = nn.Linear(size, size)
        self.out = nn.Linear(size, outputs or len(task.labels))

    def forward(self, hidden: torch.Tensor, batch: dict) -> torch.Tensor:
        first = self.dropout(hidden[:, 0])
        return self.out(self.dropout(torch.tanh(self.dense(first))))


def prepare(batch: dict, features: list[Feature], info: Info, generator: torch.Generator) -> None:
    batch["gold"] = torch.tensor([feature.gold for feature in features])
    batch["needed"] = torch.zeros_like(batch["input_ids"], dtype=torch.bool)
    batch["needed"][:, 0] = True


def loss(logits: torch.Tensor, batch: dict) -> torch.Tensor:
    return nn.functional.cross_entropy(logits.float(), batch["gold"])


def decode(
    outputs: Iterable, features: Sequence[Feature], rows: Sequence[dict], task: Task
) -> list[int]:
    return [int(logits.argmax()) for logits in outputs]


def examples(
    predictions: Sequence, rows: Sequence[dict], task: Task
) -> dict[str, list[metrics.Pair]]:
    gold = [row["label"] for row in rows]
    return {name: METRICS[name](predictions, gold) for name in task.metrics}


def baseline(rows: Sequence[dict], task: Task) -> float:
    """Always the most frequent label."""
    return 100 * max(Counter(row["label"] for row in rows).values()) / len(rows)


def texts(row: dict) -> tuple[str, ...]:
    return tuple(row["texts"])


def with_texts(row: dict, parts: Sequence[Part]) -> dict:
    return {"texts": [text for text, _ in parts], "label": row["label"]}


def unit(row: dict) -> str:
    """XNLI has three hypotheses of each premise."""
    return row["texts"][0]


def named(row: dict, task: Task) -> dict[str, str]:
    texts = row["texts"]
    return dict(zip(NAMES[len(texts)], texts, strict=True)) | {"label": task.labels[row["label"]]}


def shown(row: dict, prediction: Any, task: Task) -> tuple[str, str, str]:
    return " || ".join(row["texts"]), task.labels[row["label"]], task.labels[prediction]
