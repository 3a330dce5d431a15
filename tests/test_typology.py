"""Distance between grammars: by hand, by another library, and in the order that everybody would
expect."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy

from xstilts import settings
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


def test_of_the_list_of_real_rows_the_distances_are_those_that_were_counted():
    table = pd.read_csv(settings.project() / "book" / typology.FILE)
    assert table.nats.between(0, 5).all() and table.sentences.between(1, typology.ROWS).all()
    first = table.iloc[0]
    assert typology.distance(first.language, "en", "real") == first.nats
    assert math.isnan(typology.distance("en", first.language, "real"))
    assert math.isnan(typology.distance("xx", "en", "real"))


def test_distances_from_english_are_counted_on_the_rows():
    table = typology.from_english("mini").set_index("language")
    assert "en" not in table.index and len(table) > 10
    assert table.nats["fi"] == pytest.approx(typology.distance("fi", "en", "mini"), abs=1e-4)
