"""A query, and the text that it asks for among all texts in all languages. Scored by mAP@20.

Queries and texts are read by one encoder, mean-pooled at its last layer and compared by cosine.
Training pulls each query to its text against the other texts of the batch (in-batch softmax:
LAReQA, Roy et al. 2020; XTREME-R, Ruder et al. 2021), so a batch is read in one pass and by one
process: in parts it would have fewer negatives. Candidates for a query are the texts of every
language that is scored, of their whole split whatever part of it is asked for; relevant are those
with its id, in any language. An entity has one text, whatever the languages that mention it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from xstilts.errors import UserError
from xstilts.tasks import columns, metrics
from xstilts.tasks.columns import Unusable, check_text
from xstilts.tasks.kinds import Feature, chunks, cut

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from xstilts.tasks.task import Task
    from xstilts.training.batches import Info

METRICS, PIECES = ("mAP@20",), 190
READ = "entities once; the whole split is searched"
SEARCHED = WHOLE_BATCH = True
SCALE = 20.0  # of the cosines before the softmax
LONGEST_QUERY = 96


def check(item: dict, where: str, row: Task) -> None:
    if not item["id"] and row.one_text:
        raise Unusable(f"{where}, column entity: no entity")
    if not item["id"]:
        raise UserError(
            f"{where}, column id: there is none. Answers with the same id count as right in every "
            "language: give each question its own"
        )
    check_text(item["query"], where, "query")
    check_text(item["answer"][0], where, "answer")


def as_ranking(row: dict) -> dict:
    """A row of SQuAD, which LAReQA is trained on, as one of this kind; rows of this kind stay.
    Copies of SQuAD lack ids or repeat them, and there is one language: a question is known by what
    it asks, of what, and where the answer is."""
    if "query" in row:
        return row
    return columns.answer_sentence(
        {
            **row,
            "answers": {"text": row["answers"], "answer_start": row["starts"]},
            "id": f"{row['question']}\n{row['starts'][0]}\n{row['context']}",
        }
    )


def _sequences(pairs, tokenizer, max_length: int) -> list[tuple[list[int], list[int] | None, int]]:
    """(ids, types, cut) of each (text, context); "" as the context: the text alone."""
    found = []
    for part in chunks(len(pairs), 500):
        some = pairs[part]
        contexts = [context for _, context in some]
        output = tokenizer(
            [text for text, _ in some],
            contexts if any(contexts) else None,
            truncation=True,
            max_length=max_length,
        )
        types = output.get("token_type_ids")
        # the context is there to be cut, the text is not: only a text that alone fills the length
        # counts as lost
        found += [
            (
                ids,
                types[number] if types else None,
                cut(output, number) if not contexts[number] else 0,
            )
            for number, ids in enumerate(output["input_ids"])
        ]
    return found


def encode(
    rows: Sequence[dict], tokenizer: PreTrainedTokenizerBase, task: Task, max_length: int
) -> list[Feature]:
    """For training: each feature is two sequences, the query and its text; gold is the text, to
    find equal ones."""
    rows = [row for row in map(as_ranking, rows) if row["answer"][0]]
    queries = encode_queries(rows, tokenizer, max_length)
    texts = _sequences([row["answer"] for row in rows], tokenizer, max_length)
    return [
        Feature(
            number,
            [*query.ids, ids],
            rows[number]["id" if task.one_text else "answer"],
            [*query.types, types] if query.types and types else None,
            lost=query.lost + lost,
        )
        for number, (query, (ids, types, lost)) in enumerate(zip(queries, texts, strict=True))
    ]


def encode_queries(
    rows: Sequence[dict], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> list[Feature]:
    found = _sequences(
        [(row["query"], "") for row in rows], tokenizer, min(LONGEST_QUERY, max_length)
    )
    return [
        Feature(number, [ids], None, [types] if types else None, lost=lost)
        for number, (ids, types, lost) in enumerate(found)
    ]


def encode_texts(
    pairs: Sequence[tuple[str, str]], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> list[Feature]:
    return [
        Feature(number, [ids], None, [types] if types else None, lost=lost)
        for number, (ids, types, lost) in enumerate(_sequences(pairs, tokenizer, max_length))
    ]


class Head(nn.Module):
    """[k B, L, H] -> [k, B, H]: unit vectors, of queries and of texts in training (k = 2), of one
    of them else. It has nothing to learn."""

    def __init__(self, model: PreTrainedModel, task: Task):
        super().__init__()

    def forward(self, hidden: torch.Tensor, batch: dict) -> torch.Tensor:
        mask = batch["attention_mask"].unsqueeze(-1).float()
        pooled = nn.functional.normalize((hidden.float() * mask).sum(1) / mask.sum(1), dim=-1)
        return pooled.view(-1, batch["sequences"][0], pooled.shape[-1]).transpose(0, 1)


def prepare(batch: dict, features: list[Feature], info: Info, generator: torch.Generator) -> None:
    places: dict = {}
    batch["gold"] = torch.tensor(
        [places.setdefault(feature.gold, len(places)) for feature in features]
    )


def outputs(logits: torch.Tensor, batch: dict) -> np.ndarray:
    """The vector of each feature that is one text: [B, H]."""
    return logits[0].float().cpu().numpy()


def loss(logits: torch.Tensor, batch: dict) -> torch.Tensor:
    queries, texts = logits
    scores = SCALE * queries @ texts.T
    same = batch["gold"][:, None] == batch["gold"][None, :]
    own = torch.eye(len(scores), dtype=torch.bool, device=scores.device)
    # another query's copy of the same text is no negative
    scores = scores.masked_fill(same & ~own, -torch.inf)
    return nn.functional.cross_entropy(scores, torch.arange(len(scores), device=scores.device))


def entities(
    rows_by_language: Mapping[str, Sequence[dict]],
) -> tuple[list[tuple[str, str]], dict[str, set[int]]]:
    """(the first text of each id, {id: its position}). Other descriptions of an entity are not
    searched."""
    first: dict[str, tuple[str, str]] = {}
    for rows in rows_by_language.values():
        for row in rows:
            first.setdefault(row["id"], row["answer"])
    return list(first.values()), {name: {place} for place, name in enumerate(first)}


def candidates(
    rows_by_language: Mapping[str, Sequence[dict]],
) -> tuple[list[tuple[str, str]], dict[str, set[int]]]:
    """All texts of all languages, each once, and for each id the positions of the relevant ones.
    UserError for an id that stands for two questions in one language."""
    places: dict[tuple[str, str], int] = {}
    relevant: dict[str, set[int]] = {}
    for language, rows in rows_by_language.items():
        known: dict[str, tuple] = {}
        for row in rows:
            asked = row["query"], row["answer"]
            if known.setdefault(row["id"], asked) != asked:
                raise UserError(
                    f"{language}: the id {row['id']!r} stands for two questions "
                    f"({known[row['id']][0]!r}, {row['query']!r}), and the answers with a "
                    "question's id count as right: give each its own"
                )
            for text in row["sentences"]:
                places.setdefault(text, len(places))
            relevant.setdefault(row["id"], set()).add(places.setdefault(row["answer"], len(places)))
    return list(places), relevant


def nearest(
    queries: np.ndarray, texts: np.ndarray, cut_at: int = 20, block: int = 1024
) -> np.ndarray:
    """Positions of the texts with the highest cosines, best first. [n, H], [m, H] -> [n, 20]"""
    queries, texts = (
        side / np.maximum(np.linalg.norm(side, axis=1, keepdims=True), 1e-12)
        for side in (queries, texts)
    )
    return np.concatenate(
        [
            np.argsort(-(queries[i : i + block] @ texts.T), axis=1, kind="stable")[:, :cut_at]
            for i in range(0, len(queries), block)
        ]
    )


def examples(
    predictions: Sequence, rows: Sequence[dict], relevant: dict[str, set[int]]
) -> list[metrics.Pair]:
    return [
        (metrics.average_precision(list(found), relevant[row["id"]]), 1.0)
        for found, row in zip(predictions, rows, strict=True)
    ]


def baseline(rows: Sequence[dict], task: Task) -> float:
    """mAP@20 of a random order of this language's texts, one of them right: sum of 1/k, k = 1..20,
    over their number."""
    count = len({text for row in rows for text in row["sentences"]})
    return 100 * sum(1 / place for place in range(1, min(20, count) + 1)) / count


def texts(row: dict) -> tuple[str, ...]:
    return (as_ranking(row)["query"],)


def named(row: dict, task: Task) -> dict[str, str]:
    return {"question": row["query"], "sentence to find": row["answer"][0]}


def shown(row: dict, prediction: Any, task: Task) -> tuple[str, str, str]:
    return row["query"], row["answer"][0], prediction
