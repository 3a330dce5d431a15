"""A label for every word: POS, NER. Scored by seqeval's F1, as in XTREME, and by word accuracy.

A word is labelled at its first meaningful piece: in Chinese and other unspaced text many words
tokenise to a bare "▁" and their characters, and labelling the "▁" costs some 30 points there.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from xstilts.errors import UserError
from xstilts.tasks import metrics
from xstilts.tasks.columns import Unusable, check_characters
from xstilts.tasks.kinds import Feature

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from xstilts.tasks.task import Task
    from xstilts.training.batches import Info

METRICS: dict[str, metrics.Measure] = {
    "F1": metrics.tagging_f1,
    "accuracy": metrics.word_accuracy,
}
LABELS, PIECES = "list", 35
LOST = "words without a piece"
IGNORED = -100
# a gold tag that the training rows don't have (open label sets): not trained on, always wrong
UNKNOWN = -1
BARE = "▁"


def check(item: dict, where: str, row: Task) -> None:
    words, tags = item["words"], item["tags"]
    if not all(isinstance(part, (list, tuple)) for part in (words, tags)):
        raise UserError(f"{where}: tokens or {row.label_column} are not a list")
    if len(words) != len(tags):
        raise UserError(
            f"{where}, column {row.label_column}: {len(tags)} labels for {len(words)} tokens"
        )
    if not words:
        raise Unusable(f"{where}, column tokens: empty text")
    if not all(isinstance(word, str) for word in words):
        raise UserError(f"{where}, column tokens: not a list of text")
    check_characters("".join(words), where, "tokens")


def encode(
    rows: Sequence[dict], tokenizer: PreTrainedTokenizerBase, task: Task, max_length: int
) -> list[Feature]:
    """A sentence longer than max_length becomes several features: no word is lost."""
    # WordPiece has no such piece
    bare = tokenizer.convert_tokens_to_ids(BARE) if BARE in tokenizer.get_vocab() else None
    before = "" if _words_get_their_space(tokenizer) else " "
    features: list[Feature] = []
    for number, row in enumerate(rows):
        words = [before * (place > 0) + word for place, word in enumerate(row["words"])]
        output = tokenizer(
            words,
            is_split_into_words=True,
            truncation=True,
            max_length=max_length,
            return_overflowing_tokens=True,
        )
        labelled: set[int] = set()
        first = len(features)
        for window, ids in enumerate(output["input_ids"]):
            words = output.word_ids(window)
            gold, where = [IGNORED] * len(ids), {}
            for position, word in enumerate(words):
                last = position + 1 == len(ids) or words[position + 1] != word
                if word is None or word in labelled or (ids[position] == bare and not last):
                    continue
                tag = row["tags"][word]
                gold[position], where[word] = IGNORED if tag == UNKNOWN else tag, position
                labelled.add(word)
            features.append(Feature(number, [ids], gold, _types(output, window), where))
        features[first].lost = len(row["words"]) - len(labelled)
    return features


def _words_get_their_space(tokenizer) -> bool:
    """Some tokenizers (mmBERT's, byte-level ones) treat words given one by one as if they were
    glued together."""
    apart = tokenizer(["in", "in"], is_split_into_words=True, add_special_tokens=False)["input_ids"]
    return apart == tokenizer("in in", add_special_tokens=False)["input_ids"]


def _types(output, window: int) -> list[list[int]] | None:
    types = output.get("token_type_ids")
    return [types[window]] if types else None


class Head(nn.Module):
    """[B, L, H] -> [B, L, labels]"""

    def __init__(self, model: PreTrainedModel, task: Task):
        super().__init__()
        self.dropout = nn.Dropout(getattr(model.config, "hidden_dropout_prob", 0.1))
        self.out = nn.Linear(model.config.hidden_size, len(task.labels))

    def forward(self, hidden: torch.Tensor, batch: dict) -> torch.Tensor:
        return self.out(self.dropout(hidden))


def prepare(batch: dict, features: list[Feature], info: Info, generator: torch.Generator) -> None:
    length = batch["input_ids"].shape[1]
    batch["gold"] = torch.tensor(
        [feature.gold + [IGNORED] * (length - len(feature.gold)) for feature in features]
    )
    batch["needed"] = batch["gold"] != IGNORED


def weight(batch: dict) -> int:
    """Words that the loss is the mean of."""
    return int((batch["gold"] != IGNORED).sum())


def loss(logits: torch.Tensor, batch: dict) -> torch.Tensor:
    return nn.functional.cross_entropy(
        logits.float().flatten(0, 1), batch["gold"].flatten(), ignore_index=IGNORED
    )


def decode(
    outputs: Iterable, features: Sequence[Feature], rows: Sequence[dict], task: Task
) -> list[list[int]]:
    predictions = [[-1] * len(row["words"]) for row in rows]
    for logits, feature in zip(outputs, features, strict=True):
        best = logits.argmax(-1)
        for word, position in feature.where.items():
            predictions[feature.row][word] = int(best[position])
    return predictions


def _names(predictions, rows, task) -> tuple[list[list[str]], list[list[str]]]:
    """Tag names. A word that has no piece at all (an empty string, a character the tokenizer drops)
    counts as wrong."""
    ours = [[task.labels[tag] if tag >= 0 else "O" for tag in tags] for tags in predictions]
    return ours, [
        [task.labels[tag] if tag >= 0 else "unknown" for tag in row["tags"]] for row in rows
    ]


def examples(
    predictions: Sequence, rows: Sequence[dict], task: Task
) -> dict[str, list[metrics.Pair]]:
    ours, gold = _names(predictions, rows, task)
    return {name: METRICS[name](ours, gold) for name in task.metrics}


def baseline(rows: Sequence[dict], task: Task) -> float:
    """The most frequent tag for every word (for entities that is no entity, hence 0)."""
    most = Counter(tag for row in rows for tag in row["tags"]).most_common(1)[0][0]
    pairs = examples([[most] * len(row["words"]) for row in rows], rows, task)
    return metrics.value(pairs[task.metric])


def texts(row: dict) -> tuple[str, ...]:
    return tuple(row["words"])


def shuffled(rows: Sequence[dict], draw: random.Random) -> list[dict]:
    """Each sentence keeps its tags, on other words."""
    return [row | {"tags": draw.sample(row["tags"], len(row["tags"]))} for row in rows]


def named(row: dict, task: Task) -> dict[str, str]:
    pairs = zip(row["words"], row["tags"], strict=True)
    tagged = [f"{word}/{task.labels[tag] if tag >= 0 else '?'}" for word, tag in pairs]
    return {"words and tags": " ".join(tagged)}


def shown(row: dict, prediction: Any, task: Task) -> tuple[str, str, str]:
    return (
        " ".join(row["words"]),
        " ".join(task.labels[tag] if tag >= 0 else "?" for tag in row["tags"]),
        " ".join(task.labels[tag] if tag >= 0 else "-" for tag in prediction),
    )
