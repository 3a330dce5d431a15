"""A question and a context that holds its answer as a span. Scored by F1 and exact match under the
task's rules.

Contexts longer than the window are read in overlapping windows; the best span over all of them
wins. Where a question may have no answer (SQuAD v2), the piece <s> stands for it, in training and
as a prediction (Devlin et al. 2019, 4.3)."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from xstilts.errors import UserError
from xstilts.tasks import columns, metrics
from xstilts.tasks.columns import Unusable, check_text
from xstilts.tasks.kinds import Feature, Part, chunks

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from xstilts.tasks.task import Task
    from xstilts.training.batches import Info

METRICS = {"F1": metrics.answer_f1, "exact match": metrics.exact_match}
READ, PIECES = "answers without the blanks at their edges", 190
LANGUAGE = True  # some rules of comparing answers depend on it
LOST = "answers that no window holds"
TRANSLATED = {
    "id": "text",
    "question": "text",
    "context": "text",
    "answers": "texts",
    "starts": "numbers",
}
STRIDE, LONGEST_ANSWER, LONGEST_QUESTION = 128, 30, 64  # pieces; jiant's values
OUTSIDE = -1e4
NOWHERE = (0, 0)


def check(item: dict, where: str, row: Task) -> None:
    check_text(item["question"], where, "question")
    check_text(item["context"], where, "context")
    if len(item["answers"]) != len(item["starts"]):
        raise UserError(
            f"{where}, column answers: {len(item['answers'])} texts, {len(item['starts'])} starts"
        )
    if not item["answers"] and row.answers != "squad2":
        raise Unusable(f"{where}, column answers: no gold answer")
    for answer, start in zip(item["answers"], item["starts"], strict=True):
        check_text(answer, where, "answers")
        if columns.inner(answer) == (0, 0):
            raise Unusable(f"{where}, column answers: empty text")
        if type(start) is not int or start < 0:
            raise UserError(
                f"{where}, column answers: the start {start!r} is not a position in the context"
            )
        if item["context"][start : start + len(answer)] != answer:
            raise UserError(
                f"{where}, column answers: the context has "
                f"{item['context'][max(0, start) : max(0, start) + len(answer)]!r} at {start}, not "
                f"{answer!r}"
            )


def encode(
    rows: Sequence[dict], tokenizer: PreTrainedTokenizerBase, task: Task, max_length: int
) -> list[Feature]:
    features: list[Feature] = []
    for part in chunks(len(rows), 500):
        some = rows[part]
        questions = [
            _shortened(row["question"].strip(), tokenizer, min(LONGEST_QUESTION, max_length // 2))
            for row in some
        ]
        output = tokenizer(
            questions,
            [row["context"] for row in some],
            truncation="only_second",
            max_length=max_length,
            stride=min(STRIDE, max_length // 3),
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        types, kept, first = output.get("token_type_ids"), set(), len(features)
        for window, ids in enumerate(output["input_ids"]):
            number = output["overflow_to_sample_mapping"][window]
            inside = [
                position
                for position, sequence in enumerate(output.sequence_ids(window))
                if sequence == 1
            ]
            offsets = output["offset_mapping"][window]
            features.append(
                Feature(
                    part.start + number,
                    [ids],
                    _gold(some[number], inside, offsets),
                    [types[window]] if types else None,
                    (inside, [offsets[position] for position in inside]),
                )
            )
            if features[-1].gold != NOWHERE:
                kept.add(part.start + number)
        for feature in features[first:]:
            if some[feature.row - part.start]["answers"] and feature.row not in kept:
                feature.lost = 1
                kept.add(feature.row)  # counted once
    return features


def _shortened(question: str, tokenizer, most: int) -> str:
    """Some SQuAD questions are longer than the window leaves room for: their first `most` pieces
    stay."""
    offsets = tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)[
        "offset_mapping"
    ]
    return question if len(offsets) <= most else question[: offsets[most - 1][1]]


def _gold(row, inside: list[int], offsets) -> tuple[int, int]:
    """First and last piece of the first gold answer, without the blanks at its edges, which many
    tokenizers drop; (0, 0), the piece <s>, where the window does not hold it whole."""
    if not row["answers"]:
        return NOWHERE
    start, end = (row["starts"][0] + edge for edge in columns.inner(row["answers"][0]))
    pieces = [
        position
        for position in inside
        if offsets[position][0] < end and offsets[position][1] > start
    ]
    if not pieces:
        return NOWHERE
    first, last = pieces[0], pieces[-1]
    # what no piece covers was dropped by the tokenizer, or, at an end of the window, is beyond it
    if (
        first == inside[0]
        and offsets[first][0] > start
        or last == inside[-1]
        and offsets[last][1] < end
    ):
        return NOWHERE
    return first, last


class Head(nn.Module):
    """[B, L, H] -> [B, L, 2]: start and end"""

    def __init__(self, model: PreTrainedModel, task: Task):
        super().__init__()
        self.out = nn.Linear(model.config.hidden_size, 2)

    def forward(self, hidden: torch.Tensor, batch: dict) -> torch.Tensor:
        logits = self.out(hidden)
        return logits.masked_fill(~batch["attention_mask"].bool().unsqueeze(-1), OUTSIDE)


def prepare(batch: dict, features: list[Feature], info: Info, generator: torch.Generator) -> None:
    batch["gold"] = torch.tensor([feature.gold for feature in features])


def loss(logits: torch.Tensor, batch: dict) -> torch.Tensor:
    start, end = logits.float().unbind(-1)
    return (
        nn.functional.cross_entropy(start, batch["gold"][:, 0])
        + nn.functional.cross_entropy(end, batch["gold"][:, 1])
    ) / 2


def decode(
    outputs: Iterable, features: Sequence[Feature], rows: Sequence[dict], task: Task
) -> list[str]:
    """The text of the best span: exact characters of the context, at most 30 pieces. "" where the
    task has questions without answers and no span scores higher than <s> does in the window that
    likes <s> least."""
    best: dict[int, tuple[float, int, int]] = {}
    nothing: dict[int, float] = {}
    for logits, feature in zip(outputs, features, strict=True):
        inside, offsets = feature.where
        nothing[feature.row] = min(nothing.get(feature.row, np.inf), float(logits[0].sum()))
        if not inside:
            continue
        start, end = logits[inside, 0], logits[inside, 1]
        ordered = np.tri(len(inside), dtype=bool).T & np.tri(
            len(inside), k=LONGEST_ANSWER - 1, dtype=bool
        )
        scores = np.where(ordered, start[:, None] + end[None, :], -np.inf)
        first, last = np.unravel_index(scores.argmax(), scores.shape)
        candidate = (float(scores[first, last]), offsets[first][0], offsets[last][1])
        if feature.row not in best or candidate[0] > best[feature.row][0]:
            best[feature.row] = candidate
    texts = []
    for number, row in enumerate(rows):
        score, start, end = best.get(number, (-np.inf, 0, 0))
        none = _rules(task).none and nothing.get(number, np.inf) > score
        texts.append("" if none else row["context"][start:end].strip())
    return texts


def _rules(task) -> metrics.AnswerRules:
    return metrics.ANSWERS[task.answers]


def examples(
    predictions: Sequence, rows: Sequence[dict], task: Task
) -> dict[str, list[metrics.Pair]]:
    given = (
        predictions,
        [row["answers"] for row in rows],
        [row.get("language", "en") for row in rows],
        _rules(task),
    )
    return {name: METRICS[name](*given) for name in task.metrics}


def baseline(rows: Sequence[dict], task: Task) -> float:
    """F1 of a random run of words of the context, as many as the first gold answer has; of no
    answer at all, if that is more (SQuAD v2)."""
    draw, guesses = random.Random(0), []
    for row in rows:
        words, length = row["context"].split(), len((*row["answers"], "")[0].split())
        start = draw.randrange(max(1, len(words) - length + 1))
        guesses.append(" ".join(words[start : start + max(1, length)]))
    tried = [guesses] + [[""] * len(rows)] * _rules(task).none
    return max(metrics.value(examples(guess, rows, task)[task.metric]) for guess in tried)


def unit(row: dict) -> str:
    """Questions about one paragraph are not independent of each other."""
    return row["context"]


def texts(row: dict) -> tuple[str, ...]:
    return (row["question"], row["context"])


def kept(row: dict) -> dict[int, tuple[int, int]]:
    """The first answer in the context, without the blanks at its edges."""
    if not row["answers"]:
        return {}
    start, end = (row["starts"][0] + edge for edge in columns.inner(row["answers"][0]))
    return {1: (start, end)}


def with_texts(row: dict, parts: Sequence[Part]) -> dict:
    (question, _), (context, place) = parts
    return {
        "id": row["id"],
        "question": question,
        "context": context,
        "answers": [context[slice(*place)]] if place else [],
        "starts": [place[0]] if place else [],
    }


def shuffled(rows: Sequence[dict], draw: random.Random) -> list[dict]:
    """The answer is another run of as many words of the passage. A question without an answer stays
    so."""
    found = []
    for row in rows:
        words = list(re.finditer(r"\S+", row["context"]))
        if row["answers"] and words:
            count = min(len(words), len(row["answers"][0].split()))
            first = draw.randrange(len(words) - count + 1)
            start, end = words[first].start(), words[first + count - 1].end()
            row = row | {"answers": [row["context"][start:end]], "starts": [start]}
        found.append(row)
    return found


def named(row: dict, task: Task) -> dict[str, str]:
    answer = (*row["answers"], "(none)")[0]
    return {"passage": row["context"], "question": row["question"], "answer": answer}


def shown(row: dict, prediction: Any, task: Task) -> tuple[str, str, str]:
    return f"{row['question']} || {row['context']}", (*row["answers"], "")[0], prediction
