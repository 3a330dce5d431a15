"""Shortcuts in the synthetic benchmark: what a model without word order or without half of the row must not be able to do.

Each reader is a scikit-learn baseline, trained on English train and scored on English test.
"""
import re
from collections import Counter

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from test_mini import rows, target_of

from xstilts.data import mini
from xstilts.data.mini import tables, wording, world
from xstilts.data.mini.dials import LEVELS, Dials

TRAIN, TEST = 2000, 500
WORDS = dict(token_pattern=r"\w+", ngram_range=(1, 2))


def splits(task, dials=Dials()):
    return rows(task, "en", "train", TRAIN, dials), rows(task, "en", "test", TEST, dials)


def score_texts(task, text, level=2):
    """Accuracy on English test rows of tf-idf and logistic regression over a text made of each row."""
    train, test = splits(task, Dials(level))
    vectors = TfidfVectorizer(**WORDS)
    model = LogisticRegression(C=10, max_iter=300)
    model.fit(vectors.fit_transform(map(text, train)), [target_of(task, row) for row in train])
    return 100 * model.score(vectors.transform(map(text, test)), [target_of(task, row) for row in test])


def scores_of_choices(train, right, test):
    """A score for each of the test rows' choices: how much it looks like the right ones among the train rows'."""
    vectors = TfidfVectorizer(**WORDS)
    x = vectors.fit_transform([choice for choices in train for choice in choices])
    y = [j == label for choices, label in zip(train, right) for j in range(len(choices))]
    model = LogisticRegression(C=10, max_iter=300).fit(x, y)
    scores = model.decision_function(vectors.transform([choice for choices in test for choice in choices]))
    return np.split(scores, np.cumsum([len(choices) for choices in test])[:-1])


def within(score, chance):
    """At most 5 points above chance, and two standard errors of the test rows."""
    return score <= chance + 5 + 200 * np.sqrt(chance / 100 * (1 - chance / 100) / TEST)


# --- inference and paraphrase

@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("task", ["anli", "mnli", "xnli"])
def test_hypothesis_alone_does_not_decide(task, level):
    assert within(score_texts(task, lambda row: row["hypothesis"], level), 100 / 3)


@pytest.mark.parametrize("task", ["anli", "mnli"])
def test_words_of_an_inference_pair_are_not_enough(task):
    assert score_texts(task, lambda row: row["premise"] + " " + re.sub(r"(\w+)", r"h_\1", row["hypothesis"])) < 60


def inference_cues(row):
    """Is a value of the hypothesis in the premise, how many facts there share a word with it, how many facts are there?"""
    capital = lambda text: set(re.findall(r"\b(?:[A-Z]\w+|\d+)", text))
    facts = row["premise"].split(". ")
    shared = set(row["hypothesis"].strip(".").split()) & set(row["premise"].replace(".", " ").split())
    return (f"n{len(facts)} o{len(shared)} c{len(capital(row['hypothesis']) & capital(row['premise']))} "
            f"l{len(row['hypothesis'].split()) - len(shared)}")


@pytest.mark.parametrize("task", ["anli", "mnli"])
def test_overlap_does_not_decide_inference(task):
    assert score_texts(task, inference_cues) < 60


@pytest.mark.parametrize("task, columns", [("pawsx", ("sentence1", "sentence2")), ("qqp", ("question1", "question2"))])
def test_words_of_a_pair_do_not_decide_paraphrase(task, columns):
    assert within(score_texts(task, lambda row: " ".join(row[column] for column in columns)), 50)


# --- choices

def options(task, row):
    if task == "hellaswag":
        return row["endings"]
    if task == "commonsenseqa":
        return row["choices"]["text"]
    return [row[f"answer{n}"] for n in range(4)] if task == "cosmosqa" else [row["choice1"], row["choice2"]]


def right(task, row):
    return "ABCDE".index(row["answerKey"]) if task == "commonsenseqa" else int(row["label"])


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("task, chance", [("hellaswag", 25), ("cosmosqa", 25), ("commonsenseqa", 20), ("xcopa", 50)])
def test_choices_alone_do_not_decide(task, chance, level):
    train, test = splits(task, Dials(level))
    choices = [options(task, row) for row in test]
    labels = np.array([right(task, row) for row in test])
    scores = scores_of_choices([options(task, row) for row in train], [right(task, row) for row in train], choices)
    assert within(100 * np.mean([s.argmax() for s in scores] == labels), chance)
    bags = [[Counter(re.findall(r"\w+", choice)) for choice in each] for each in choices]
    most_alike = [int(np.argmax([sum((a & b).total() for b in each) - a.total() for a in each])) for each in bags]
    assert within(100 * np.mean(np.array(most_alike) == labels), chance)


def test_the_last_thing_said_does_not_decide_what_comes_next():
    """The answer of Cosmos QA that shares most words with the passage, and the ending most like the last event."""
    for task, column in (("cosmosqa", "context"), ("hellaswag", "ctx")):
        test = splits(task)[1]
        bag = lambda text: set(re.findall(r"\w+", text))
        guesses = [int(np.argmax([len(bag(choice) & bag(row[column])) / len(bag(choice)) for choice in options(task, row)]))
                   for row in test]
        assert 100 * np.mean([guess == right(task, row) for guess, row in zip(guesses, test)]) < 50


# --- spans

def f1(found, golds):
    """Mean F1 over words, 0-100."""
    scores = []
    for text, gold in zip(found, golds, strict=True):
        shared = (Counter(text.lower().split()) & Counter(gold.lower().split())).total()
        scores.append(2 * shared / (len(text.split()) + len(gold.split())))
    return 100 * np.mean(scores)


def candidates(row):
    """The values that a passage states, in order, with the sentence of each."""
    found = []
    for number, sentence in enumerate(re.split(r"(?<=\.) ", row["context"])):
        found += [(value, number, sentence) for value in VALUES.findall(sentence)[-1:]]
    return found


VALUES = re.compile(r"(?<!\w)(?:" + "|".join(sorted(map(re.escape, {
    word for kind in set(world.RELATIONS.values()) for split in world.SPLITS for code in world.pool(kind, split)
    for word in [wording.word(tables.load("en"), kind, code)]}), key=len, reverse=True)) + r")(?!\w)")


@pytest.mark.parametrize("task, level", [("squad", 1), ("squad", 2), ("squad", 3), ("squad2", 1), ("squad2", 2), ("squad2", 3),
                                         ("xquad", 2), ("mlqa", 2), ("tydiqa", 2)])
def test_neither_position_nor_candidate_alone_finds_the_answer(task, level):
    """At most 10 F1 above a random candidate: without the question, by what a candidate looks like, and by its place."""
    train, test = ([row for row in part if row["answers"]["text"]] for part in
                   (splits("squad" if task in ("xquad", "mlqa") else task, Dials(level))[0], splits(task, Dials(level))[1]))
    golds = [row["answers"]["text"][0] for row in test]
    found = [candidates(row) for row in test]
    assert all(gold in [value for value, _, _ in each] for gold, each in zip(golds, found))
    random = np.mean([f1([v for v, _, _ in each], [gold] * len(each)) for each, gold in zip(found, golds)])
    known = [candidates(row) for row in train]
    labels = [[v for v, _, _ in each].index(row["answers"]["text"][0]) for each, row in zip(known, train)]
    scores = scores_of_choices([[text for _, _, text in each] for each in known], labels,
                               [[text for _, _, text in each] for each in found])
    questionless = f1([each[s.argmax()][0] for each, s in zip(found, scores)], golds)
    by_place = [f1([each[min(at, len(each) - 1)][0] for each in found], golds) for at in range(-1, 7)]
    assert questionless < random + 10 and max(by_place) < random + 10, (random, questionless, by_place)


# --- retrieval

@pytest.mark.parametrize("language", [language for language in mini.LANGUAGES if language != "en"])
def test_letters_alone_do_not_find_the_translation(language):
    """Character n-grams: names recur and numbers in digits are left out, so cognates are what remains. Of the first five
    languages German has most (42); the encoder as it ships finds far more."""
    pairs = rows("tatoeba", language, "test", 500)
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5))
    english = vectors.fit_transform([row["target_sentence"] for row in pairs])
    likeness = (vectors.transform([row["source_sentence"] for row in pairs]) @ english.T).toarray()
    found = 100 * np.mean(likeness.argmax(1) == np.arange(len(pairs)))
    assert found < 55, found
