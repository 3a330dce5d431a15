"""Sentence retrieval without training: find each sentence's English translation. Scored by
accuracy.

Sentences are mean-pooled over all pieces at every layer, compared by cosine, raw and after each
language's mean is taken away ("centred"): the space is anisotropic, and a training that only
removes a common offset would otherwise look like progress."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from xstilts.tasks import metrics
from xstilts.tasks.columns import check_text
from xstilts.tasks.kinds import Feature, encode_texts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from xstilts.tasks.task import Task


METRICS = ("accuracy", "accuracy, centred")
TRAINED, SIDES, PIECES = False, ("source", "english"), 20


def check(item: dict, where: str, row: Task) -> None:
    check_text(item["source"], where, "source_sentence")
    check_text(item["english"], where, "target_sentence")


def encode(
    rows: Sequence[dict],
    tokenizer: PreTrainedTokenizerBase,
    task: Task,
    max_length: int,
    side: str = "source",
) -> list[Feature]:
    return encode_texts([row[side] for row in rows], tokenizer, max_length)


def nearest(
    source: np.ndarray, english: np.ndarray, centred: bool, block: int = 1024
) -> np.ndarray:
    """For each source sentence the row of the English sentence with the highest cosine. [n, H], [m,
    H] -> [n]"""
    if centred:
        source, english = source - source.mean(0), english - english.mean(0)
    source = source / np.maximum(np.linalg.norm(source, axis=1, keepdims=True), 1e-12)
    english = english / np.maximum(np.linalg.norm(english, axis=1, keepdims=True), 1e-12)
    return np.concatenate(
        [(source[i : i + block] @ english.T).argmax(1) for i in range(0, len(source), block)]
    )


def examples(predictions: np.ndarray, rows: Sequence[dict], task: Task) -> list[metrics.Pair]:
    """A hit is the sentence's own translation, or another row with the very same English text."""
    english = [row["english"] for row in rows]
    return [(float(english[found] == english[own]), 1.0) for own, found in enumerate(predictions)]


def baseline(rows: Sequence[dict], task: Task) -> float:
    """An English sentence at random."""
    return 100 / len(rows)


def named(row: dict, task: Task) -> dict[str, str]:
    return {"sentence": row["source"], "in English": row["english"]}


def shown(row: dict, prediction: Any, task: Task) -> tuple[str, str, str]:
    return row["source"], row["english"], prediction
