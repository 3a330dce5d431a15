"""Metrics against values worked by hand and against the reference packages."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from sklearn.metrics import accuracy_score

from xstilts.runs.key import key
from xstilts.study import phases, profiles
from xstilts.tasks import metrics
from xstilts.tasks.table import TASKS

BIO = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])
POS = st.sampled_from(["NOUN", "CCONJ", "SCONJ", "SYM", "INTJ", "X", "PUNCT", "O"])


def sentences(tags):
    return st.lists(st.lists(st.tuples(tags, tags), min_size=1, max_size=8), min_size=1, max_size=8)


def entities(tags):
    """Those of one sentence by the rules of seqeval 0.0.12, for tags with B-/I- and for whole
    ones."""
    found, begin, before = set(), 0, ("O", "O")
    for place, tag in enumerate([*tags, "O"]):
        now = tag[0], tag.split("-")[-1]
        changed = now[1] != before[1]
        if before[0] != "O" and (
            changed or before[0] == "S" or before[0] in "BI" and now[0] in "BSO"
        ):
            found.add((before[1], begin, place - 1))
        if now[0] in "BS" or now[0] == "I" and before[0] in "OS" or now[0] != "O" and changed:
            begin = place
        before = now
    return found


@given(sentences(POS) | sentences(BIO))
@example(
    [[("NOUN", "NOUN"), ("NOUN", "PUNCT")], [("X", "X"), ("NOUN", "NOUN")]]
)  # an X at the beginning of a sentence
@example([[("CCONJ", "SCONJ")]])
@settings(deadline=None)
def test_tagging_f1_is_that_of_the_papers_seqeval(pairs):
    (ours, gold), hits, every = (
        ([[pair[side] for pair in s] for s in pairs] for side in (0, 1)),
        0,
        0,
    )
    for left, right in zip(ours, gold, strict=True):
        hits, every = (
            hits + len(entities(left) & entities(right)),
            every + len(entities(left)) + len(entities(right)),
        )
    assert metrics.value(metrics.tagging_f1(ours, gold)) == pytest.approx(
        200 * hits / every if every else math.nan, nan_ok=True
    )


@pytest.mark.parametrize(
    "ours, gold, score",
    [  # what seqeval 0.0.12 itself says
        ("CCONJ SCONJ NOUN", "SCONJ SCONJ NOUN", 66.66666666666667),
        ("SYM SYM PUNCT", "SYM SYM PUNCT", 100.0),
        ("SYM SYM NOUN NOUN", "SYM X NOUN NOUN", 66.66666666666666),
        ("X NOUN NOUN", "X NOUN VERB", 40.0),
        ("INTJ INTJ NOUN", "INTJ NOUN NOUN", 0.0),
        ("O NOUN VERB", "ADP NOUN VERB", 80.0),
        ("B-PER I-PER O B-LOC", "B-PER I-PER O I-LOC", 100.0),
        ("B-PER B-PER O O", "B-PER I-PER O B-LOC", 0.0),
    ],
)
def test_tagging_f1_by_values_of_the_papers_seqeval(ours, gold, score):
    assert metrics.value(metrics.tagging_f1([ours.split()], [gold.split()])) == pytest.approx(score)


@given(sentences(BIO))
@settings(deadline=None)
def test_entities_are_todays_seqevals(pairs):
    ours, gold = [[a for a, _ in s] for s in pairs], [[b for _, b in s] for s in pairs]
    value = metrics.value(metrics.tagging_f1(ours, gold))
    expected = 100 * f1_score(gold, ours, zero_division=0)
    if math.isnan(
        value
    ):  # neither has an entity: seqeval says 0, which would be a score of nothing
        assert expected == 0
    else:
        assert value == pytest.approx(expected)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_accuracy_is_scikit_learns(pairs):
    ours, gold = zip(*pairs, strict=True)
    assert metrics.value(metrics.accuracy(ours, gold)) == pytest.approx(
        100 * accuracy_score(gold, ours)
    )


def answered(prediction, golds, rules="squad", language="en"):
    found = metrics.answers([prediction], [golds], [language], metrics.ANSWERS[rules])
    return [metrics.value(found[name]) for name in ("F1", "exact match")]


@pytest.mark.parametrize(
    "prediction, golds, f1, exact",
    [
        ("the cat", ["cat"], 100, 100),  # an article is not counted
        ("a black cat", ["cat"], 200 / 3, 0),  # precision 1/2, recall 1
        ("cat!", ["dog", "Cat"], 100, 100),  # the best of several, punctuation and case aside
        ("", ["cat"], 0, 0),
        ("dog", ["cat"], 0, 0),
        ("New York City", ["York New"], 80, 0),  # bags of words: 2 of 3, 2 of 2
        ("la casa", ["casa"], 200 / 3, 0),  # other languages' articles do count (XQuAD, TyDiQA)
        ("¿casa?", ["¿casa"], 100, 100),  # ASCII punctuation goes, other punctuation stays
        ("1990年", ["1990"], 0, 0),  # unspaced scripts are words as they stand
        ("the", ["The"], 0, 100),  # normalised to nothing: SQuAD v1.1 finds no common word
    ],
)
def test_squad_answers_by_hand(prediction, golds, f1, exact):
    assert answered(prediction, golds) == pytest.approx([f1, exact])


@pytest.mark.parametrize(
    "prediction, golds, f1, exact",
    [
        ("", [], 100, 100),  # no answer, and none was given
        ("cat", [], 0, 0),
        ("", ["cat"], 0, 0),
        ("the", [], 100, 100),  # normalises to nothing
        ("cat", ["the", "cat"], 100, 100),  # a gold that normalises to nothing is left out
        ("the", ["the"], 100, 100),
    ],
)
def test_squad_v2_answers_by_hand(prediction, golds, f1, exact):
    assert answered(prediction, golds, "squad2") == pytest.approx([f1, exact])


@pytest.mark.parametrize(
    "language, prediction, gold, f1, exact",
    [
        ("es", "la casa", "casa", 100, 100),  # the language's own articles
        ("en", "la casa", "casa", 200 / 3, 0),
        ("de", "Der Hund „Bello“", "hund bello", 100, 100),  # punctuation beyond ASCII
        ("vi", "những con mèo", "con mèo", 100, 100),
        ("ar", "الكتاب", "كتاب", 100, 100),  # "al-" wherever it stands
        ("hi", "राम।", "राम", 100, 100),  # the danda is punctuation
        ("zh", "北京市", "北京", 80, 0),  # characters: 2 of 3, 2 of 2
        (
            "zh",
            "1990年 in 北京",
            "1990年in北京",
            100,
            100,
        ),  # mixed scripts: digits and Latin words, single characters
        ("zh", "北京。", "北京", 100, 100),
    ],
)
def test_mlqa_answers_by_hand(language, prediction, gold, f1, exact):
    assert answered(prediction, [gold], "mlqa", language) == pytest.approx([f1, exact])


@given(st.text(max_size=20), st.sampled_from(["en", "es", "hi", "vi", "de", "ar", "zh"]))
def test_an_answer_equals_itself(text, language):
    for rules in metrics.ANSWERS:
        f1, exact = answered(text, [text], rules, language)
        assert exact == 100 and f1 == (
            100 if metrics.ANSWERS[rules].words(text, language) or rules == "squad2" else 0
        )


@given(st.lists(st.booleans(), min_size=1, max_size=18))
def test_average_precision_is_scikit_learns_where_nothing_is_cut(hits):
    from sklearn.metrics import average_precision_score

    relevant = {place for place, hit in enumerate(hits) if hit}
    ours = metrics.average_precision(range(len(hits)), relevant)
    if relevant:
        assert ours == pytest.approx(average_precision_score(hits, -np.arange(len(hits))))
    else:
        assert math.isnan(ours)


@pytest.mark.parametrize(
    "ranked, relevant, expected",
    [
        ([7, 1, 2], {7}, 1.0),
        ([1, 7, 2], {7}, 1 / 2),
        ([7, 1, 8], {7, 8}, (1 + 2 / 3) / 2),
        ([*range(20), 99], {99}, 0.0),  # the 21st place is too late
        (list(range(25)), set(range(25)), 1.0),  # 25 are relevant, 20 can be shown
    ],
)
def test_average_precision_by_hand(ranked, relevant, expected):
    assert metrics.average_precision(ranked, relevant) == pytest.approx(expected)


def test_mined_pairs_by_hand():
    """Two right of three proposed, of four there are: 2 * 2 / (3 + 4)."""
    pairs = metrics.mining_f1(["a", "b", "x", None, None, None], ["a", "b", "c", "d", None, None])
    assert metrics.value(pairs) == pytest.approx(100 * 4 / 7)
    assert math.isnan(metrics.value(metrics.mining_f1([None], [None])))


def test_gold_gives_100_and_nothing_gives_nan():
    tags = [["B-PER", "I-PER", "O"], ["O", "B-LOC"]]
    assert metrics.value(metrics.tagging_f1(tags, tags)) == 100
    assert math.isnan(metrics.value([]))


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="2 predicted tags for 1 words"):
        metrics.tagging_f1([["O", "O"]], [["O"]])


def test_the_scoring_of_parts_of_speech_is_in_the_keys_of_what_it_changes(tiny_encoder):
    assert {name for name, row in TASKS.items() if row.scoring} == {"udpos", "masakhapos"}
    study = profiles.study(
        encoder=str(tiny_encoder), languages="en,fi", vocabulary="full", phase1_steps=0
    )
    runs = [phases.phase3(study, phases.base(study), name, 0) for name in ("udpos", "xnli", "panx")]
    runs += [
        phases.phase2(study, (name,), 0) for name in ("udpos", "mnli")
    ]  # where UDPOS stands in for CCG
    earlier = [dataclasses.replace(run, scoring="") for run in runs]
    assert [key(run) == key(before) for run, before in zip(runs, earlier, strict=True)] == [
        False,
        True,
        True,
        False,
        True,
    ]
