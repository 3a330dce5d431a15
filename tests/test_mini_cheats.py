"""Shortcuts in the synthetic benchmark: what a model without word order or without half of the row
must not be able to do.

The readers are those of data.mini_shortcuts: trained on 2,000 English training rows, scored on 500
test rows."""

from functools import cache

import numpy as np
import pytest

from xstilts import data, synthetic
from xstilts.chapters.embedded import shortcut_readers
from xstilts.study import profiles
from xstilts.synthetic.dials import LEVELS
from xstilts.tasks import metrics
from xstilts.tasks.table import TASKS
from xstilts.training import evaluate

TEST = 500


@cache
def scores(task, level=2):
    return shortcut_readers.scores(task, f"mini:difficulty={level}", test=TEST)


def within(score, chance):
    """At most 5 points above chance, and two standard errors of the test rows."""
    return score <= chance + 5 + 200 * np.sqrt(chance / 100 * (1 - chance / 100) / TEST)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("task", ["anli", "mnli", "xnli"])
def test_hypothesis_alone_does_not_decide(task, level):
    assert within(scores(task, level)["second text alone"], 100 / 3)


@pytest.mark.parametrize("task", ["anli", "mnli"])
def test_neither_words_nor_overlap_decide_inference(task):
    """Which label is neutral may show in part; which of the other two it is may not."""
    assert (
        max(scores(task)[reader] for reader in ("words of both, told apart", "words in common"))
        < 60
    )


@pytest.mark.parametrize("task", ["pawsx", "qqp"])
def test_words_of_a_pair_do_not_decide_paraphrase(task):
    assert within(scores(task)["words of both texts"], 50)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    "task, chance", [("hellaswag", 25), ("cosmosqa", 25), ("commonsenseqa", 20), ("xcopa", 50)]
)
def test_choices_alone_do_not_decide(task, chance, level):
    assert within(scores(task, level)["choices alone"], chance)
    assert within(scores(task, level)["most like the others"], chance)


@pytest.mark.parametrize("task", ["hellaswag", "cosmosqa"])
def test_the_last_thing_said_does_not_decide_what_comes_next(task):
    assert scores(task)["most like what was said"] < 50


@pytest.mark.parametrize(
    "task, level",
    [
        ("squad", 1),
        ("squad", 2),
        ("squad", 3),
        ("squad2", 1),
        ("squad2", 2),
        ("squad2", 3),
        ("xquad", 2),
        ("mlqa", 2),
        ("tydiqa", 2),
    ],
)
def test_neither_position_nor_candidate_alone_finds_the_answer(task, level):
    """At most 10 F1 above a random candidate: without the question, by what a candidate looks like,
    and by its place."""
    found = scores(task, level)
    assert max(found.values()) < found["a value at random"] + 10, found
    for row in data.load(task, "test", "en", f"mini:difficulty={level}", TEST):
        values = [value for value, _ in shortcut_readers.candidates(row["context"])]
        assert not row["answers"] or row["answers"][0] in values


@pytest.mark.parametrize(
    "language", [language for language in synthetic.LANGUAGES if language != "en"]
)
def test_letters_alone_do_not_find_the_translation(language):
    """Character n-grams: names recur and numbers in digits are left out, so cognates are what
    remains. Of the first five languages German has most (42)."""
    found = shortcut_readers.scores("tatoeba", language=language, test=TEST)["letters alone"]
    assert found < 55, found


def test_the_encoder_finds_far_more_than_letters_do(embedded):
    """As it ships, among 200 sentences; centred, as its vectors share a large offset."""
    model, tokenizer = embedded
    recipe = profiles.phase3_recipe(profiles.study(), "tatoeba")
    for language in ("de", "ru", "hi", "zh"):
        rows = data.load("tatoeba", "test", language, "mini", 200)
        found = evaluate.retrieval(model, tokenizer, TASKS["tatoeba"], rows, recipe)
        encoder = metrics.value(found["accuracy, centred", model.config.num_hidden_layers][1])
        letters = shortcut_readers.scores("tatoeba", language=language, test=200)["letters alone"]
        assert encoder > letters + 20, (language, encoder, letters)


def test_where_words_stand_tells_paraphrases_in_part_only():
    """Of two facts whose order is known only their pairing is left to find, so this is far from
    chance; reading is above it."""
    assert scores("pawsx")["equal words by place"] < 88
    rows = [dict(texts=(f"{a} b", f"{b} b"), label=int(a == b)) for a in "xyz" for b in "xyz"]
    assert shortcut_readers._by_place(rows, rows) == 100
