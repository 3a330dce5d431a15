"""Shortcuts in the embedded synthetic benchmark: what readers reach who do not read. A score means
something above these.

    # 0-100, the task's first metric
    scores("mnli") -> {"second text alone": 34.2, "words of both texts": 36.0, ...}

Each reader is tf-idf and logistic regression, or a count, fitted on English training rows and
scored on test rows. Hypothesis-only readers: Poliak et al. 2018, Gururangan et al. 2018; without
the question: Kaushik and Lipton 2018."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

import numpy as np

from xstilts.data import labelled, load
from xstilts.synthetic import tables, wording, world
from xstilts.tasks import metrics
from xstilts.tasks.kinds import kind
from xstilts.tasks.table import Task, training_task

WORDS = dict(token_pattern=r"\w+", ngram_range=(1, 2))
Scores = dict[str, float]


def scores(
    name: str, source: str = "mini", language: str = "en", train: int = 2000, test: int = 500
) -> Scores:
    """reader -> score on the first `test` rows of a language; {} for a kind of task that has no
    such reader. The readers learn from the first `train` English rows."""
    task = labelled(name, source)
    readers = READERS.get(task.kind)
    if not readers:
        return {}
    known = () if task.untrained else load(training_task(task).name, "train", "en", source, train)
    return readers(known, load(name, "test", language, source, test), task)


def chance(name: str, source: str = "mini", language: str = "en", test: int = 500) -> float:
    """The majority label, a choice at random, a random run of words: what each kind calls its
    baseline, 0-100."""
    task = labelled(name, source)
    return (
        100 / test
        if task.untrained
        else task.module.baseline(load(name, "test", language, source, test), task)
    )


# --- pairs of texts


def _pairs(train, test, task: Task) -> Scores:
    return {
        reader: _by_words(train, test, text)
        for reader, text in {
            "second text alone": lambda row: row["texts"][1],
            "words of both texts": lambda row: " ".join(row["texts"]),
            "words of both, told apart": lambda row: (
                row["texts"][0] + " " + re.sub(r"(\w+)", r"h_\1", row["texts"][1])
            ),
            "words in common": _overlap,
        }.items()
    } | {"equal words by place": _by_place(train, test)}


def _by_words(train, test, text) -> float:
    """Accuracy from a text made of each row."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectors, model = TfidfVectorizer(**WORDS), LogisticRegression(C=10, max_iter=300)
    model.fit(vectors.fit_transform(map(text, train)), [row["label"] for row in train])
    return 100 * model.score(vectors.transform(map(text, test)), [row["label"] for row in test])


def _overlap(row) -> str:
    """Is a name or value of the second text in the first, how many words do they share, how many
    sentences are there?"""
    first, second = row["texts"]
    names = [set(re.findall(r"\b(?:[A-Z]\w+|\d+)", text)) for text in (first, second)]
    # no marks: "Rita?" would tell who comes last
    words = [set(re.findall(r"\w+", text)) for text in (first, second)]
    shared = len(words[0] & words[1])
    return (
        f"n{len(first.split('. '))} o{shared} c{len(names[0] & names[1])} l{len(words[1]) - shared}"
    )


def _by_place(train, test, ends: int = 4) -> float:
    """Accuracy of a small tree that knows in which of the first and last places both texts have the
    same word."""
    from sklearn.tree import DecisionTreeClassifier

    def same(row) -> list[bool]:
        first, second = (re.findall(r"\w+", text) for text in row["texts"])
        return [
            i < len(a) and i < len(b) and a[i] == b[i]
            for a, b in ((first, second), (first[::-1], second[::-1]))
            for i in range(ends)
        ]

    tree = DecisionTreeClassifier(max_depth=4, random_state=0).fit(
        [same(row) for row in train], [row["label"] for row in train]
    )
    return 100 * tree.score([same(row) for row in test], [row["label"] for row in test])


# --- choices


def _choices(train, test, task: Task) -> Scores:
    labels = np.array([row["label"] for row in test])
    options = [_without_question(row["choices"]) for row in test]
    learned = _likeness(
        [_without_question(row["choices"]) for row in train],
        [row["label"] for row in train],
        options,
    )
    bags = [[Counter(re.findall(r"\w+", choice)) for choice in each] for each in options]
    said = [set(re.findall(r"\w+", row["context"])) for row in test]
    guesses = {
        "choices alone": [each.argmax() for each in learned],
        "most like the others": [
            np.argmax([sum((a & b).total() for b in each) - a.total() for a in each])
            for each in bags
        ],
        "most like what was said": [
            np.argmax([len(set(bag) & words) / len(bag) for bag in each])
            for each, words in zip(bags, said, strict=True)
        ],
    }
    return {
        reader: float(100 * np.mean(np.array(found) == labels)) for reader, found in guesses.items()
    }


def _without_question(choices) -> list[str]:
    """The choices alone, where a question stands before each of them."""
    question = re.match(r".*?[?] ", choices[0])
    start = (
        question.end()
        if question and all(choice.startswith(question.group()) for choice in choices)
        else 0
    )
    return [choice[start:] for choice in choices]


def _likeness(train: list[list[str]], right: list[int], test: list[list[str]]) -> list[np.ndarray]:
    """A score for each choice of the test rows: how much it looks like the right ones among the
    training rows'."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectors = TfidfVectorizer(**WORDS)
    seen = vectors.fit_transform([choice for choices in train for choice in choices])
    chosen = [
        place == label
        for choices, label in zip(train, right, strict=True)
        for place in range(len(choices))
    ]
    model = LogisticRegression(C=10, max_iter=300).fit(seen, chosen)
    found = model.decision_function(
        vectors.transform([choice for choices in test for choice in choices])
    )
    return np.split(found, np.cumsum([len(choices) for choices in test])[:-1])


# --- spans


def _spans(train, test, task: Task) -> Scores:
    """F1 of the answered questions: a value of the passage at random (the mean over them), the one
    whose sentence looks like an answer's, the one at the best place."""
    train, test = ([row for row in rows if row["answers"]] for rows in (train, test))
    golds, found = [row["answers"][0] for row in test], [candidates(row["context"]) for row in test]
    known = [candidates(row["context"]) for row in train]
    right = [
        [text for text, _ in each].index(row["answers"][0])
        for each, row in zip(known, train, strict=True)
    ]
    learned = _likeness(
        [[sentence for _, sentence in each] for each in known],
        right,
        [[sentence for _, sentence in each] for each in found],
    )

    def f1(guesses: list[str]) -> float:
        return metrics.value(
            metrics.answers(
                guesses,
                [[gold] for gold in golds],
                ["en"] * len(golds),
                metrics.ANSWERS[task.answers],
            )["F1"]
        )

    at_random = [
        metrics.value(
            metrics.answers(
                [text for text, _ in each],
                [[gold]] * len(each),
                ["en"] * len(each),
                metrics.ANSWERS[task.answers],
            )["F1"]
        )
        for each, gold in zip(found, golds, strict=True)
    ]
    return {
        "a value at random": float(np.mean(at_random)),
        "without the question": f1(
            [each[score.argmax()][0] for each, score in zip(found, learned, strict=True)]
        ),
        "by its place": max(
            f1([each[min(place, len(each) - 1)][0] for each in found]) for place in range(-1, 7)
        ),
    }


def candidates(context: str) -> list[tuple[str, str]]:
    """The values that an English passage states, in order, each with its sentence."""
    return [
        (value, sentence)
        for sentence in re.split(r"(?<=\.) ", context)
        for value in _values().findall(sentence)[-1:]
    ]


@cache
def _values() -> re.Pattern:
    english = tables.load("en")
    known = {
        wording.word(english, kind, code)
        for kind in set(world.RELATIONS.values())
        for split in world.SPLITS
        for code in world.pool(kind, split)
    }
    return re.compile(
        r"(?<!\w)(?:" + "|".join(sorted(map(re.escape, known), key=len, reverse=True)) + r")(?!\w)"
    )


# --- words and sentences


def _tags(train, test, task: Task) -> Scores:
    """Every word its most frequent tag; a word that was never seen gets that of all words."""
    seen: dict[str, Counter] = {}
    for row in train:
        for word, tag in zip(row["words"], row["tags"], strict=True):
            seen.setdefault(word, Counter())[tag] += 1
    most = {word: tags.most_common(1)[0][0] for word, tags in seen.items()}
    other = sum(seen.values(), Counter()).most_common(1)[0][0]
    guesses = [[most.get(word, other) for word in row["words"]] for row in test]
    return {
        "each word by itself": metrics.value(kind("tag").examples(guesses, test, task)[task.metric])
    }


def _retrieval(train, test, task: Task) -> Scores:
    """Character n-grams of both sides: cognates, names and digits."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
    english = vectors.fit_transform([row["english"] for row in test])
    likeness = (vectors.transform([row["source"] for row in test]) @ english.T).toarray()
    return {"letters alone": float(100 * np.mean(likeness.argmax(1) == np.arange(len(test))))}


READERS = {
    "classify": _pairs,
    "choice": _choices,
    "span": _spans,
    "tag": _tags,
    "retrieve": _retrieval,
}
