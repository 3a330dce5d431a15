"""Distance between grammars: by hand, by another library, and in the order that everybody would
expect."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from xstilts.analysis import typology
from xstilts.chapters import explain
from xstilts.questions import rq2
from xstilts.study import profiles

SENTENCES = st.lists(
    st.lists(st.sampled_from(["NOUN", "VERB", "ADJ"]), min_size=1, max_size=5),
    min_size=1,
    max_size=6,
)


def test_by_hand():
    """Two trigrams a sentence of two words; the second of them is not in the other language, where
    it counts as seen once."""
    of, other = [["NOUN", "VERB"]], [["NOUN", "VERB"], ["NOUN", "VERB"], ["NOUN", "ADJ"]]
    assert typology.divergence(of, other) == pytest.approx(math.log(0.5 / (2 / 6)))
    assert typology.divergence(other, of) == pytest.approx(
        2 * 2 / 6 * math.log((2 / 6) / 0.5) + 2 / 6 * math.log((1 / 6) / 0.5)
    )


@given(SENTENCES)
def test_nothing_is_far_from_itself(sentences):
    assert typology.divergence(sentences, sentences * 2) == pytest.approx(0)


@given(SENTENCES, SENTENCES)
def test_as_scipy_where_all_trigrams_are_seen(first, second):
    other = first + second
    one, two = typology._trigrams(first), typology._trigrams(other)
    order = sorted(one)
    expected = entropy(
        [one[key] for key in order], [two[key] for key in order]
    )  # it makes both sum to one
    seen = sum(two[key] for key in order) / two.total()
    assert typology.divergence(first, other) == pytest.approx(expected - math.log(seen))


def test_finnish_is_nearer_to_estonian_than_to_japanese():
    near, middle, far = (
        typology.distance("fi", other, "mini", 200) for other in ("et", "de", "ja")
    )
    assert 0 < near < middle < far


def test_no_tags_no_distance():
    assert math.isnan(typology.divergence([], [["NOUN"]])) and math.isnan(
        typology.distance("fi", "xx", "mini")
    )


def test_every_source_language_is_shown_for_each_scored_one():
    study = profiles.study(languages="en,de,et,fi,hu")
    table = explain.sources(study, rq2.compared(study), {}, ("fi", "hu"))
    assert set(zip(table.source, table.scored, strict=True)) == {
        (source, scored)
        for source in ("de", "et", "fi", "hu", "mixture")
        for scored in ("fi", "hu")
    }
    assert table[explain.DISTANCE].isna().tolist() == (table.source == "mixture").tolist()
    own = table[table.source == table.scored]
    assert set(own[explain.DISTANCE].round(9)) == {0} and set(own.family) == {"Uralic"}
    assert explain.related(table, "mean difference", explain.DISTANCE).n == 0, "nothing was run"
