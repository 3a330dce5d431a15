"""Metrics against values worked by hand and against the reference packages."""
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from sklearn.metrics import accuracy_score

from xstilts import metrics

BIO = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])
POS = st.sampled_from(["NOUN", "VERB", "X", "PUNCT"])


def sentences(tags):
    return st.lists(st.lists(st.tuples(tags, tags), min_size=1, max_size=8), min_size=1, max_size=8)


@given(sentences(BIO) | sentences(POS))
@settings(deadline=None)
def test_tagging_f1_is_seqevals(pairs):
    ours, gold = [[a for a, _ in s] for s in pairs], [[b for _, b in s] for s in pairs]
    value = metrics.value(metrics.tagging_f1(ours, gold))
    expected = 100 * f1_score(gold, ours, zero_division=0)
    if math.isnan(value):       # neither has an entity: seqeval says 0, which would be a score of nothing
        assert expected == 0
    else:
        assert value == pytest.approx(expected)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_accuracy_is_scikit_learns(pairs):
    ours, gold = zip(*pairs)
    assert metrics.value(metrics.accuracy(ours, gold)) == pytest.approx(100 * accuracy_score(gold, ours))


@pytest.mark.parametrize("prediction, golds, f1, exact", [
    ("the cat", ["cat"], 100, 100),                       # an article is not counted
    ("a black cat", ["cat"], 200 / 3, 0),                 # precision 1/2, recall 1
    ("cat!", ["dog", "Cat"], 100, 100),                   # the best of several, punctuation and case aside
    ("", ["cat"], 0, 0),
    ("dog", ["cat"], 0, 0),
    ("New York City", ["York New"], 80, 0),               # bags of words: 2 of 3, 2 of 2
])
def test_answers_by_hand(prediction, golds, f1, exact):
    assert metrics.value(metrics.answer_f1([prediction], [golds])) == pytest.approx(f1)
    assert metrics.value(metrics.answer_exact([prediction], [golds])) == pytest.approx(exact)


def test_gold_gives_100_and_nothing_gives_nan():
    tags = [["B-PER", "I-PER", "O"], ["O", "B-LOC"]]
    assert metrics.value(metrics.tagging_f1(tags, tags)) == 100
    assert math.isnan(metrics.value([]))


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="2 predicted tags for 1 words"):
        metrics.tagging_f1([["O", "O"]], [["O"]])
