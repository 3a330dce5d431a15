"""Metrics as pure functions. Each gives one (numerator, denominator) pair an example.

    value([(1, 1), (0, 1)])  ->  50.0

Every score of the study is 100 * sum(numerators) / sum(denominators): a mean for accuracy and
answer F1, and exactly the micro-averaged F1 (2 TP / (2 TP + FP + FN)) for tagging. Keeping the
pairs is what lets intervals and paired differences be computed afterwards without predicting again.
"""

from __future__ import annotations

import collections
import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

Pair = tuple[float, float]
# predictions, golds -> a pair an example
Measure = Callable[[Sequence, Sequence], list[Pair]]


def value(pairs: Iterable[Pair]) -> float:
    """The score, 0-100. No examples, or nothing to find and nothing found, is NaN: not a zero."""
    array = np.asarray(list(pairs), dtype=float).reshape(-1, 2)
    total = array[:, 1].sum()
    return float(100 * array[:, 0].sum() / total) if total else float("nan")


def accuracy(predictions: Sequence, golds: Sequence) -> list[Pair]:
    return [(float(ours == gold), 1.0) for ours, gold in zip(predictions, golds, strict=True)]


def word_accuracy(
    predictions: Sequence[Sequence[str]], golds: Sequence[Sequence[str]]
) -> list[Pair]:
    return [
        (float(sum(ours == gold for ours, gold in zip(words, tags, strict=True))), float(len(tags)))
        for words, tags in zip(predictions, golds, strict=True)
    ]


def tagging_f1(predictions: Sequence[Sequence[str]], golds: Sequence[Sequence[str]]) -> list[Pair]:
    """The F1 of seqeval 0.0.12, which XTREME's evaluate.py uses for NER and for POS alike.

    POS tags carry no B-/I-: a run of equal tags is one entity, and a tag's first letter counts as
    its prefix (each SCONJ and SYM is an entity of its own). Later versions of seqeval cut that
    letter off, so that CCONJ and SCONJ are one class for them. They are given it twice ("C-CCONJ"),
    which gives the earlier version's score."""
    for words, tags in zip(predictions, golds, strict=True):
        if len(words) != len(tags):
            raise ValueError(f"{len(words)} predicted tags for {len(tags)} words")
    return [
        (2.0 * len(ours & gold), float(len(ours) + len(gold)))
        for ours, gold in zip(_entities(predictions), _entities(golds), strict=True)
    ]


def _entities(sentences: Sequence[Sequence[str]]) -> list[set[tuple[str, int, int]]]:
    """For each sentence its entities: (type, first word, last word)."""
    import warnings

    from seqeval.metrics.sequence_labeling import get_entities

    # seqeval warns about tags without B-/I-, which are XTREME's for POS
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return [
            set(get_entities([tag if "-" in tag else f"{tag[:1]}-{tag}" for tag in tags]))
            for tags in sentences
        ]


# ---------------------------------------------------------------- answers to questions

# MLQA takes away the articles of the context's language (its mlqa_evaluation_v1.py, which takes
# Arabic's "al-" wherever it stands), and every punctuation mark of Unicode where SQuAD takes
# ASCII's alone
MLQA_ARTICLES = {
    "en": r"\b(a|an|the)\b",
    "es": r"\b(un|una|unos|unas|el|la|los|las)\b",
    "vi": r"\b(của|là|cái|chiếc|những)\b",
    "ar": r"\sال^|ال",
    "de": r"\b(ein|eine|einen|einem|eines|einer|der|die|das|den|dem|des)\b",
}


def squad_words(text: str, language: str = "en") -> list[str]:
    """SQuAD's normalisation, in every language: lower case, no ASCII punctuation, no English
    articles."""
    text = "".join(character for character in text.lower() if character not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def mlqa_words(text: str, language: str) -> list[str]:
    """MLQA's normalisation: the language's own articles, all punctuation; Chinese in single
    characters."""
    text = "".join(character for character in text.lower() if not _is_punctuation(character))
    if language in MLQA_ARTICLES:
        text = re.sub(MLQA_ARTICLES[language], " ", text)
    if language == "zh":
        text = re.sub("([\u4e00-\u9fa5])", r" \1 ", text)
    return text.split()


def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")


@dataclass(frozen=True)
class AnswerRules:
    """How a data set compares answers. `none`: an empty answer may be right (SQuAD v2), and is so
    only against none."""

    words: Callable[[str, str], list[str]]
    none: bool = False


ANSWERS = {
    "squad": AnswerRules(squad_words),
    "squad2": AnswerRules(squad_words, none=True),
    "mlqa": AnswerRules(mlqa_words),
}


def answer_f1(
    predictions: Sequence[str],
    golds: Sequence[Sequence[str]],
    languages: Sequence[str],
    rules: AnswerRules,
) -> list[Pair]:
    """F1 over words, the best over the gold answers. XQuAD and TyDiQA-GoldP use SQuAD's rules in
    every language (XTREME's evaluate.py). No gold answer at all stands for "no answer"."""
    return [
        (max(_word_f1(ours, words, rules.none) for words in wanted), 1.0)
        for ours, wanted in _compared(predictions, golds, languages, rules)
    ]


def exact_match(
    predictions: Sequence[str],
    golds: Sequence[Sequence[str]],
    languages: Sequence[str],
    rules: AnswerRules,
) -> list[Pair]:
    """Whether all words are those of a gold answer, under the rules of `answer_f1`."""
    return [
        (float(ours in wanted), 1.0)
        for ours, wanted in _compared(predictions, golds, languages, rules)
    ]


def answers(
    predictions: Sequence[str],
    golds: Sequence[Sequence[str]],
    languages: Sequence[str],
    rules: AnswerRules,
) -> dict[str, list[Pair]]:
    """F1 and exact match together."""
    given = (predictions, golds, languages, rules)
    return {"F1": answer_f1(*given), "exact match": exact_match(*given)}


def _compared(
    predictions: Sequence[str],
    golds: Sequence[Sequence[str]],
    languages: Sequence[str],
    rules: AnswerRules,
) -> Iterator[tuple[list[str], list[list[str]]]]:
    """The words of each answer, and those of its gold answers."""
    for prediction, accepted, language in zip(predictions, golds, languages, strict=True):
        wanted = [rules.words(gold, language) for gold in accepted]
        if rules.none:  # SQuAD v2 leaves out golds that normalise to nothing
            wanted = [words for words in wanted if words] or [[]]
        yield rules.words(prediction, language), wanted


def _word_f1(ours: list[str], words: list[str], none: bool) -> float:
    if none and not (ours and words):
        return float(ours == words)
    common = sum((collections.Counter(ours) & collections.Counter(words)).values())
    if not common:
        return 0.0
    precision, recall = common / len(ours), common / len(words)
    return 2 * precision * recall / (precision + recall)


# ---------------------------------------------------------------- retrieval


def average_precision(ranked: Sequence, relevant: set, cut: int = 20) -> float:
    """Average precision at `cut`, 0-1: precision at each hit, over as many hits as could be
    (XTREME-R's mAP@20)."""
    hits, total = 0, 0.0
    for place, found in enumerate(ranked[:cut], 1):
        if found in relevant:
            hits += 1
            total += hits / place
    return total / min(len(relevant), cut) if relevant else float("nan")


def mining_f1(found: Sequence, golds: Sequence) -> list[Pair]:
    """F1 of mined pairs as BUCC counts them, a pair an example: what was found for a sentence
    (None: nothing) against its translation (None: it has none)."""
    return [
        (2.0 * (ours is not None and ours == gold), float((ours is not None) + (gold is not None)))
        for ours, gold in zip(found, golds, strict=True)
    ]
