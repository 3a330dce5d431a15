"""Bitext mining without training: find the pairs of translations among many sentences. Scored by
BUCC's F1.

A pair's score is its cosine over the mean cosine of both sentences to their four nearest neighbours
(the ratio margin of Artetxe and Schwenk 2019, as in LASER and XTREME); pairs are taken best first,
each sentence once, down to a threshold that is tuned on other rows than are scored. Pooling, layers
and centring are those of `retrieve`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from xstilts.tasks import metrics
from xstilts.tasks.columns import check_text
from xstilts.tasks.kinds import Feature, encode_texts
from xstilts.tasks.neighbours import neighbours

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from xstilts.tasks.task import Task

METRICS = ("F1", "F1, centred")
TRAINED, SIDES, PIECES = False, ("source", "english"), 30
TUNED = DISTRACTORS = True
NEIGHBOURS = 4


def check(item: dict, where: str, row: Task) -> None:
    for side, column in (("source", "source_sentence"), ("english", "target_sentence")):
        if item[side] != "":  # "": the sentence of the other side has no translation
            check_text(item[side], where, column)
    check_text(item["source"] or item["english"], where, "source_sentence")


def sentences(rows: Sequence[dict], side: str) -> list[str]:
    """The different sentences of one side, in their order. A row is a pair, or has one side only
    ("")."""
    return list(dict.fromkeys(row[side] for row in rows if row[side]))


def gold(rows: Sequence[dict]) -> dict[str, str]:
    """source sentence -> its translation. One that has two different ones keeps the first."""
    found: dict[str, str] = {}
    for row in rows:
        if row["source"] and row["english"]:
            found.setdefault(row["source"], row["english"])
    return found


def encode(
    rows: Sequence[dict],
    tokenizer: PreTrainedTokenizerBase,
    task: Task,
    max_length: int,
    side: str = "source",
) -> list[Feature]:
    return encode_texts(sentences(rows, side), tokenizer, max_length)


def candidates(
    source: np.ndarray, english: np.ndarray, centred: bool
) -> list[tuple[float, int, int]]:
    """Mined pairs, best first: (margin score, source row, English row), each row at most once. [n,
    H], [m, H]"""
    x, y = (_unit(side - side.mean(0) if centred else side) for side in (source, english))
    forward, backward = neighbours(x, y, NEIGHBOURS)
    means = forward[0].mean(1), backward[0].mean(1)
    pairs = []
    for (near, found), own, other in (
        (forward, means[0], means[1]),
        (backward, means[1], means[0]),
    ):
        scores = near / ((own[:, None] + other[found]) / 2)
        best = scores.argmax(1)
        rows = torch.arange(len(scores))
        pairs.append((scores[rows, best], found[rows, best]))
    scores = torch.cat([pairs[0][0], pairs[1][0]]).numpy()
    left = np.concatenate([np.arange(len(source)), pairs[1][1].numpy()])
    right = np.concatenate([pairs[0][1].numpy(), np.arange(len(english))])
    taken, seen_left, seen_right = [], set(), set()
    for place in np.argsort(-scores, kind="stable"):
        if left[place] not in seen_left and right[place] not in seen_right:
            seen_left.add(left[place])
            seen_right.add(right[place])
            taken.append((float(scores[place]), int(left[place]), int(right[place])))
    return taken


def _unit(side: np.ndarray) -> torch.Tensor:
    return torch.nn.functional.normalize(
        torch.from_numpy(np.ascontiguousarray(side, dtype=np.float32))
    )


def threshold(pairs: list[tuple[float, int, int]], rows: Sequence[dict]) -> float:
    """The margin score that separates pairs from the rest. The best F1 takes in pairs down to some
    last one. The threshold is half-way between this one and the next (BUCC's rule, as in LASER and
    XTREME)."""
    left, right, wanted = sentences(rows, "source"), sentences(rows, "english"), gold(rows)
    hits, best, found = 0, 0.0, np.inf
    for count, (score, source, english) in enumerate(pairs, 1):
        hits += wanted.get(left[source]) == right[english]
        f1 = 2 * hits / (count + len(wanted))
        if f1 > best:
            below = pairs[count][0] if count < len(pairs) else score
            best, found = f1, (score + below) / 2
    return found


def decode(
    pairs: list[tuple[float, int, int]], rows: Sequence[dict], least: float
) -> list[str | None]:
    """For each source sentence the English one it was paired with, or None."""
    found: list[str | None] = [None] * len(sentences(rows, "source"))
    english = sentences(rows, "english")
    for score, left, right in pairs:
        if score >= least:
            found[left] = english[right]
    return found


def capped(rows: Sequence[dict], limit: int) -> tuple[list[dict], int]:
    """At most `limit` pairs and, on each side, ten times as many sentences without a translation.
    To be scored are the source sentences."""
    total = sum(bool(row["source"]) for row in rows)
    if not limit:
        return list(rows), total
    draw, found = random.Random(f"mine {len(rows)}"), []
    for wanted, most in (
        ((True, True), limit),
        ((True, False), 10 * limit),
        ((False, True), 10 * limit),
    ):
        part = [row for row in rows if (bool(row["source"]), bool(row["english"])) == wanted]
        found += [part[i] for i in sorted(draw.sample(range(len(part)), min(most, len(part))))]
    return found, total


def scored_rows(rows: Sequence[dict]) -> list[dict]:
    """What is scored: each different source sentence, with its translation or ""."""
    wanted = gold(rows)
    return [{"source": text, "english": wanted.get(text, "")} for text in sentences(rows, "source")]


def examples(predictions: Sequence, rows: Sequence[dict], task: Task) -> list[metrics.Pair]:
    return metrics.mining_f1(predictions, [row["english"] or None for row in scored_rows(rows)])


def baseline(rows: Sequence[dict], task: Task) -> float:
    """A random English sentence for each source sentence."""
    count, wanted, english = (
        len(sentences(rows, "source")),
        len(gold(rows)),
        len(sentences(rows, "english")),
    )
    return 100 * 2 * (wanted / english) / (count + wanted)


def named(row: dict, task: Task) -> dict[str, str]:
    return {"sentence": row["source"], "in English": row["english"]}


def shown(row: dict, prediction: Any, task: Task) -> tuple[str, str, str]:
    return row["source"], row["english"], prediction or ""
