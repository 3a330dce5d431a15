"""Metrics as pure functions. Each gives one (numerator, denominator) pair an example.

    value([(1, 1), (0, 1)])  ->  50.0

Every score of the study is 100 * sum(numerators) / sum(denominators): a mean for accuracy and answer
F1, and exactly the micro-averaged F1 (2 TP / (2 TP + FP + FN)) for tagging. Keeping the pairs is what
lets intervals and paired differences be computed afterwards without predicting again.
"""
from __future__ import annotations

import collections
import re
import string
from collections.abc import Iterable, Sequence

import numpy as np

Pair = tuple[float, float]


def value(pairs: Iterable[Pair]) -> float:
    """The score, 0-100. No examples, or nothing to find and nothing found, is NaN: not a zero."""
    array = np.asarray(list(pairs), dtype=float).reshape(-1, 2)
    total = array[:, 1].sum()
    return float(100 * array[:, 0].sum() / total) if total else float("nan")


def accuracy(predictions: Sequence, golds: Sequence) -> list[Pair]:
    return [(float(ours == gold), 1.0) for ours, gold in zip(predictions, golds, strict=True)]


def word_accuracy(predictions: Sequence[Sequence[str]], golds: Sequence[Sequence[str]]) -> list[Pair]:
    return [(float(sum(ours == gold for ours, gold in zip(words, tags, strict=True))), float(len(tags)))
            for words, tags in zip(predictions, golds, strict=True)]


def tagging_f1(predictions: Sequence[Sequence[str]], golds: Sequence[Sequence[str]]) -> list[Pair]:
    """seqeval's F1, as XTREME's evaluate.py uses it for NER and for POS alike.

    POS tags carry no B-/I-: seqeval then takes a run of equal tags for one entity, and so does XTREME.
    """
    pairs = []
    for words, tags in zip(predictions, golds, strict=True):
        if len(words) != len(tags):
            raise ValueError(f"{len(words)} predicted tags for {len(tags)} words")
        ours, gold = _entities(words), _entities(tags)
        pairs.append((2.0 * len(ours & gold), float(len(ours) + len(gold))))
    return pairs


def _entities(tags: Sequence[str]) -> set[tuple[str, int, int]]:
    import warnings

    from seqeval.metrics.sequence_labeling import get_entities

    with warnings.catch_warnings():   # seqeval warns about tags without B-/I-, which are XTREME's for POS
        warnings.simplefilter("ignore", UserWarning)
        return set(get_entities(list(tags)))


def normalise_answer(text: str) -> str:
    """SQuAD's: lower case, no ASCII punctuation, no English articles, single spaces."""
    text = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def answer_exact(predictions: Sequence[str], golds: Sequence[Sequence[str]]) -> list[Pair]:
    """SQuAD exact match: the best over the gold answers."""
    return [(float(max(normalise_answer(ours) == normalise_answer(gold) for gold in answers)), 1.0)
            for ours, answers in zip(predictions, golds, strict=True)]


def answer_f1(predictions: Sequence[str], golds: Sequence[Sequence[str]]) -> list[Pair]:
    """SQuAD F1 over words: the best over the gold answers. XQuAD uses the English normalisation for all languages."""
    return [(max(_word_f1(ours, gold) for gold in answers), 1.0)
            for ours, answers in zip(predictions, golds, strict=True)]


def _word_f1(prediction: str, gold: str) -> float:
    ours, words = normalise_answer(prediction).split(), normalise_answer(gold).split()
    common = sum((collections.Counter(ours) & collections.Counter(words)).values())
    if not common:
        return 0.0
    precision, recall = common / len(ours), common / len(words)
    return 2 * precision * recall / (precision + recall)
