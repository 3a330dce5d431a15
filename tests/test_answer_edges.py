"""Answers with blanks at their edges are trained and translated as the text between them, whatever
the blank is."""

import sys
import unicodedata

import pytest

from xstilts.data.rows import Block, read
from xstilts.tasks import columns
from xstilts.tasks.kinds import lost, rank, span
from xstilts.tasks.table import TASKS
from xstilts.tools import translate

SQUAD = TASKS["squad"]
BLANKS = [
    letter
    for letter in map(chr, range(sys.maxunicode + 1))
    if letter.isspace() or unicodedata.category(letter) in ("Zs", "Zl", "Zp", "Cc", "Cf")
]
NAMED = {
    "space": " ",
    "no-break space": "\u00a0",
    "line feed": "\n",
    "zero-width space": "\u200b",
    "left-to-right": "\u200e",
    "right-to-left": "\u200f",
    "byte order mark": "\ufeff",
    "isolate": "\u2068",
    "variation selector": "\ufe0f",
}
EDGES = [("{}", ""), ("", "{}"), ("{}", "{}"), ("{0}{0}", "{0}")]


def question(before, after, answer=None):
    """The answer stands at the end of a sentence, between the blanks; it has them, or is what is
    given."""
    context = f"Anna lives in Chile.{before}Omar speaks Hausa{after} Nobody doubts it."
    answer = answer or f"{before}Omar speaks Hausa{after}"
    return {
        "question": "What of Omar?",
        "context": context,
        "id": "1",
        "language": "en",
        "answers": (answer,),
        "starts": (context.index(answer),),
    }


def rows(blanks):
    return [tuple(edge.format(blank) for edge in edges) for blank in blanks for edges in EDGES]


def test_every_blank_of_unicode_is_known():
    visible = {letter for letter in BLANKS if columns.inner(letter) == (0, 1)}
    assert visible == set(
        "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
    )
    assert all(columns.inner(blank) == (0, 0) for blank in NAMED.values()) and len(BLANKS) > 200
    assert columns.inner(" \u200bab c\n") == (2, 6) and columns.inner("") == (0, 0)


def test_the_training_span_is_that_of_the_inner_text(tiny):
    edges = rows([blank for blank in BLANKS if columns.inner(blank) == (0, 0)])
    padded = span.encode([question(*each) for each in edges], tiny, SQUAD, 64)
    inner = span.encode([question(*each, "Omar speaks Hausa") for each in edges], tiny, SQUAD, 64)
    assert [feature.gold for feature in padded] == [feature.gold for feature in inner]
    assert span.NOWHERE not in {feature.gold for feature in padded} and lost("span", padded) == {}


@pytest.mark.parametrize("name", NAMED)
def test_the_embedded_encoder_trains_them_too(embedded, name):
    found = span.encode([question(*each) for each in rows([NAMED[name]])], embedded[1], SQUAD, 64)
    assert span.NOWHERE not in {feature.gold for feature in found}


def test_what_a_tokenizer_drops_inside_a_window_is_not_beyond_it():
    row = {"answers": ("́abc~",), "starts": (4,)}
    whole, cut = [1, 2, 3], [1, 2]
    offsets = {1: (0, 4), 2: (5, 8), 3: (9, 12)}  # no piece has the accent at 4 and the mark at 8
    assert span._gold(row, whole, offsets) == (2, 2)
    assert span._gold(row, cut, offsets) == span.NOWHERE  # its end may lie beyond the window


def test_translations_keep_them():
    for each in rows([blank for blank in BLANKS if columns.inner(blank) == (0, 0)]):
        row = question(*each)
        plan = translate._plan(row["context"], span.kept(row)[1])
        assert "[Omar speaks Hausa]" in plan.sentences[plan.place], ascii(each)
        text, start, end = translate.unmarked(plan.sentences[plan.place], plan.marks)
        assert text[start:end] == "Omar speaks Hausa"


@pytest.mark.parametrize("blank", NAMED.values(), ids=NAMED)
def test_the_sentence_of_such_an_answer_is_found(blank):
    found = rank.as_ranking(question(f" {blank}", ""))
    assert found["answer"][0].strip(columns.blanks()).startswith("Omar speaks Hausa")


def test_an_answer_of_blanks_alone_is_dropped_and_counted():
    items = [question("", "") | {"id": str(number)} for number in range(20)]
    items = [
        item | {"answers": {"text": list(item["answers"]), "answer_start": list(item["starts"])}}
        for item in items
    ]
    items[3] |= {"context": "Anna \u200b", "answers": {"text": ["\u200b"], "answer_start": [5]}}
    found = read(
        [Block("made", SQUAD, SQUAD.read, None, items)], [(0, number) for number in range(20)]
    )
    assert len(found) == 19 and found.dropped == {"empty text": 1}
