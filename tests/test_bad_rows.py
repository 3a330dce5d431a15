"""Malformed rows and files: each ends in one clear error that says where, or is handled as
documented; n never changes in silence."""

import json
import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xstilts import data, encoders
from xstilts.data import local, parquet, rows
from xstilts.data.layout import FILE
from xstilts.errors import UserError
from xstilts.tasks.kinds import kind
from xstilts.tasks.table import TASKS

GOOD = {
    "xnli": {"premise": "It rains.", "hypothesis": "It is wet.", "label": 0},
    "xquad": {
        "id": "1",
        "context": "It rains in Oslo.",
        "question": "Where?",
        "answers": {"text": ["Oslo"], "answer_start": [12]},
    },
    "hellaswag": {"ctx": "It rains", "endings": ["a", "b", "c", "d"], "label": "1"},
    "tatoeba": {"source_sentence": "Es regnet.", "target_sentence": "It rains."},
}
COLUMN_OF_TAGS = TASKS["udpos"].label_column
GOOD["udpos"] = {"tokens": ["It", "rains"], COLUMN_OF_TAGS: [0, 1]}


def block(name, *items):
    row = TASKS[name]
    return rows.Block("rows.parquet", row, row.sources[0].read or row.read, None, list(items))


def read(name, *items):
    """The rows read with 19 good ones after them, so that an unusable one is dropped and
    counted."""
    items = [*items, *[GOOD[name]] * 19]
    found = block(name, *items)
    return rows.read([found], [(0, number) for number in range(len(items))])


WRONG = [None, 3, 2.5, True, b"bytes", ["list"], {"a": 1}, []]
TEXTS = [
    ("xnli", "premise"),
    ("xnli", "hypothesis"),
    ("xquad", "context"),
    ("xquad", "question"),
    ("hellaswag", "ctx"),
    ("tatoeba", "source_sentence"),
    ("tatoeba", "target_sentence"),
]


@pytest.mark.parametrize("value", WRONG, ids=repr)
@pytest.mark.parametrize("name, column", TEXTS)
def test_what_is_not_text_is_refused_with_file_row_and_column(name, column, value):
    with pytest.raises(UserError, match="rows.parquet: row 0"):
        read(name, {**GOOD[name], column: value})


@pytest.mark.parametrize("name, column", TEXTS)
def test_a_missing_column_is_told_with_those_that_are_there(name, column):
    item = {other: value for other, value in GOOD[name].items() if other != column}
    with pytest.raises(
        UserError,
        match=(
            f"rows.parquet: row 0 does not have the columns .*{column}.*it has {next(iter(item))}"
        ),
    ):
        read(name, item)


@pytest.mark.parametrize("text", ["", " ", "\n\t", "\u3000"], ids=repr)
@pytest.mark.parametrize("name, column", TEXTS)
def test_empty_text_is_dropped_and_counted(name, column, text):
    found = read(name, {**GOOD[name], column: text})
    assert len(found) == 19 and found.dropped == {"empty text": 1}
    with pytest.raises(UserError, match="row 0.*2 of 2 rows cannot be used"):
        rows.read([block(name, *[{**GOOD[name], column: text}] * 2)], [(0, 0), (0, 1)])


@pytest.mark.parametrize(
    "label", [3, -2, 99, "perhaps", 1.5, [0], {"a": 0}, True, "0", b"0", " ", "--"], ids=repr
)
def test_a_label_that_is_none_is_refused(label):
    with pytest.raises(UserError, match="rows.parquet: row 0, column label"):
        read("xnli", {**GOOD["xnli"], "label": label})


@pytest.mark.parametrize(
    "label", ["4", "-2", "x", 7, [1], "1.5", 1.0, True, " 1", "\u0661"], ids=repr
)
def test_a_choice_that_is_none_is_refused(label):
    with pytest.raises(
        UserError, match="rows.parquet: row 0, column label: .* is none of 4 choices"
    ):
        read("hellaswag", {**GOOD["hellaswag"], "label": label})


LETTERS = {
    "question": "Who?",
    "choices": {"label": list("ABCDE"), "text": list("vwxyz")},
    "answerKey": "B",
}
GOOD["commonsenseqa"] = LETTERS
NO_GOLD = [("xnli", "label", value) for value in (None, "", "-")] + [
    ("hellaswag", "label", None),
    ("hellaswag", "label", ""),
    ("commonsenseqa", "answerKey", None),
    ("commonsenseqa", "answerKey", ""),
]


@pytest.mark.parametrize("name, column, value", NO_GOLD, ids=repr)
def test_a_row_without_a_gold_label_is_dropped_and_counted(name, column, value):
    found = read(name, {**GOOD[name], column: value})
    assert len(found) == 19 and found.dropped == {"no gold label": 1}
    with pytest.raises(
        UserError, match=f"row 0, column {column}: no gold label. 2 of 2 rows cannot be used"
    ):
        rows.read([block(name, *[{**GOOD[name], column: value}] * 2)], [(0, 0), (0, 1)])


@pytest.mark.parametrize("answer", ["F", "b", 1, ["B"]], ids=repr)
def test_an_answer_that_no_choice_has_is_refused_with_the_reason(answer):
    with pytest.raises(UserError, match="row 0, column answerKey: .* is none of 5 choices"):
        read("commonsenseqa", {**LETTERS, "answerKey": answer})


def test_an_answer_whose_letter_two_choices_have_is_refused():
    with pytest.raises(UserError, match="'B' is none of 5 choices"):
        read(
            "commonsenseqa", {**LETTERS, "choices": {"label": list("ABBDE"), "text": list("vwxyz")}}
        )


def test_contradictory_is_a_contradiction():
    """As XTREME reads XNLI's translated training rows, which have it in some languages."""
    assert read("xnli", {**GOOD["xnli"], "label": "contradictory"})[0]["label"] == 2


@pytest.mark.parametrize(
    "name, item",
    [
        (
            "cosmosqa",
            {
                "context": "c",
                "question": "q",
                **{f"answer{number}": "a" for number in range(4)},
                "label": 0,
            },
        ),
        (
            "xcopa",
            {"premise": "p", "choice1": "a", "choice2": "b", "question": "cause", "label": 0},
        ),
    ],
)
def test_a_missing_text_is_not_read_as_the_word_none(name, item):
    for column in item.keys() - {"label"}:
        with pytest.raises(UserError, match="row 0"):
            rows.read_row(block(name, {**item, column: None}), 0)


def test_a_pair_to_mine_has_text_on_both_sides():
    for side in ("source_sentence", "target_sentence"):
        with pytest.raises(UserError, match=f"column {side}: None is not text"):
            rows.read_row(
                block("bucc", {"source_sentence": "a", "target_sentence": "b", side: None}), 0
            )


@pytest.mark.parametrize(
    "endings", [[], ["a", None], ["a", 3], None, "abcd", ["a", ["b"]]], ids=repr
)
def test_endings_that_are_no_list_of_text_are_refused(endings):
    with pytest.raises(UserError, match="rows.parquet: row 0"):
        read("hellaswag", {**GOOD["hellaswag"], "endings": endings})


@pytest.mark.parametrize(
    "tokens, tags",
    [
        (["a"], [0, 1]),
        (["a", "b"], [0]),
        (None, [0]),
        (["a"], None),
        ("ab", [0, 1]),
        ([1, 2], [0, 1]),
        (["a", None], [0, 1]),
        (["a"], [99]),
        (["a"], ["NOUNS"]),
        (["a"], [None]),
        (["a"], [[0]]),
        ([["a"]], [0]),
        ({"a": 1}, [0]),
        (["a", "b"], "ab"),
    ],
    ids=repr,
)
def test_words_and_tags_that_do_not_fit_are_refused(tokens, tags):
    with pytest.raises(UserError, match="rows.parquet: row 0"):
        read("udpos", {"tokens": tokens, COLUMN_OF_TAGS: tags})


@pytest.mark.parametrize(
    "answers",
    [
        {"text": ["Oslo"], "answer_start": [11]},
        {"text": ["Oslo"], "answer_start": [999]},
        {"text": ["Oslo"], "answer_start": [-5]},
        {"text": ["Oslo"], "answer_start": []},
        {"text": [], "answer_start": [1]},
        {"text": ["Oslo"], "answer_start": ["12"]},
        {"text": ["Oslo"], "answer_start": [None]},
        {"text": ["Oslo"], "answer_start": [12.0]},
        {"text": [4], "answer_start": [12]},
        {"text": ["Oslo"]},
        {"answer_start": [12]},
        None,
        [],
        "Oslo",
        {"text": None, "answer_start": None},
        {"text": "Oslo", "answer_start": [12]},
        {"text": ["Oslo"], "answer_start": 12},
    ],
    ids=repr,
)
def test_an_answer_that_is_not_where_it_is_said_to_be_is_refused(answers):
    with pytest.raises(UserError, match="rows.parquet: row 0"):
        read("xquad", {**GOOD["xquad"], "answers": answers})


def test_minus_one_everywhere_is_refused_and_in_one_row_dropped():
    found = read("xnli", {**GOOD["xnli"], "label": -1})
    assert len(found) == 19 and list(found.dropped.values()) == [1]
    with pytest.raises(UserError, match="row 0, column label: label -1.*20 of 20 rows"):
        rows.read(
            [block("xnli", *[{**GOOD["xnli"], "label": -1}] * 20)],
            [(0, number) for number in range(20)],
        )


STRANGE = {
    "NUL": "a\0b",
    "right-to-left override": "a\u202eb\u202c",
    "BOM": "\ufeffab",
    "combining": "a" + "\u0301" * 500,
    "a hundred thousand characters": "x" * 100_000,
    "fifty thousand words": "x " * 50_000,
    "private use": "\ue000\U0010ffff",
    "zero width": "a\u200b\u200d\u2060b",
    "controls": "\x01\x1b[31mred\x7f\x85",
    "mixed encodings": "GrÃ¼ÃŸe \ufffd",
    "html": "<script>alert(1)</script>",
    "emoji": "👩‍👩‍👧‍👦" * 50,
    "unspaced": "猫" * 5000,
    "only NUL": "\0",
    "quote": "\"'`\\",
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("name", ["xnli", "udpos", "xquad"])
def test_strange_text_is_read_and_every_row_of_it_scored(tiny, name, text):
    item = {
        "xnli": {"premise": text},
        "udpos": {"tokens": ["It", text]},
        "xquad": {"question": text},
    }[name]
    task = TASKS[name]
    found = read(name, {**GOOD[name], **item})
    assert len(found) == 20
    features = kind(task.kind).encode(found, tiny, task, 48)
    assert {feature.row for feature in features} == set(range(20)) and max(
        feature.length for feature in features
    ) <= 48


@pytest.mark.parametrize("name, column", TEXTS[:2] + TEXTS[2:4] + [("tatoeba", "source_sentence")])
def test_half_a_surrogate_pair_is_refused(name, column):
    """It is no character: neither parquet nor a tokenizer could take it."""
    with pytest.raises(UserError, match="rows.parquet: row 0.*surrogate"):
        read(name, {**GOOD[name], column: "a\ud800b"})


def test_half_a_surrogate_pair_among_words_choices_and_answers_is_refused():
    for name, item in (
        ("udpos", {"tokens": ["a", "\udfff"]}),
        ("hellaswag", {"endings": ["a", "b", "c", "\ud800"]}),
        (
            "xquad",
            {"context": "\ud800slo", "answers": {"text": ["\ud800slo"], "answer_start": [0]}},
        ),
    ):
        with pytest.raises(UserError, match="row 0.*surrogate"):
            read(name, {**GOOD[name], **item})


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.data())
def test_any_value_in_any_column_is_read_dropped_or_refused(data):
    name = data.draw(st.sampled_from(sorted(GOOD)))
    item = {**GOOD[name], data.draw(st.sampled_from(sorted(GOOD[name]))): data.draw(ANYTHING)}
    try:
        found = read(name, item)
    except UserError as error:
        assert "rows.parquet" in str(error) and "row 0" in str(error)
    else:
        assert len(found) + sum(found.dropped.values()) == 20


# files


@pytest.fixture
def folder(tmp_path):
    data.load.cache_clear(), data.languages.cache_clear(), data.fingerprint.cache_clear()
    place = tmp_path / "rows" / "xnli" / "en"
    place.mkdir(parents=True)
    pq.write_table(
        pa.table({"premise": ["a"] * 9, "hypothesis": ["b"] * 9, "label": [0, 1, 2] * 3}),
        place / "test.parquet",
    )
    return tmp_path / "rows"


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.5, 0.9, 0.99])
def test_a_truncated_file_is_refused_by_name(folder, share):
    path = folder / "xnli" / "en" / "test.parquet"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match="test.parquet: not a readable parquet file"):
        data.fingerprint("xnli", "test", ("en",), str(folder))


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(place=st.integers(0, 10_000), value=st.integers(1, 255))
def test_a_file_with_a_changed_byte_is_read_or_refused_by_name(folder, place, value):
    path = folder / "xnli" / "en" / "damaged.parquet"
    content = bytearray((folder / "xnli" / "en" / "test.parquet").read_bytes())
    content[place % len(content)] ^= value
    path.write_bytes(content)
    try:
        table = parquet.read(path)
        local._block(TASKS["xnli"], local.places(TASKS["xnli"], str(folder))[0], path, table)
    except UserError as error:
        assert "damaged.parquet" in str(error)


@pytest.mark.parametrize(
    "content",
    [b"", b"PAR1", b"PAR1PAR1", b"a,b\n1,2\n", b"{}", b"\0" * 100, pickle.dumps({"a": 1})],
    ids=repr,
)
def test_what_is_not_parquet_is_refused_by_name(folder, content):
    (folder / "xnli" / "en" / "test.parquet").write_bytes(content)
    with pytest.raises(UserError, match="test.parquet: not a readable parquet file"):
        data.load("xnli", "test", "en", str(folder))


def test_a_folder_in_the_place_of_a_file_is_told(folder):
    (folder / "xnli" / "en" / "test.parquet").unlink()
    (folder / "xnli" / "en" / "test.parquet").mkdir()
    with pytest.raises(UserError, match="test.parquet: is a folder, where a file is expected"):
        data.load("xnli", "test", "en", str(folder))


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "a = ",
        '["../../etc"]\nfolder = "x"',
        '["xnli/{language}"]\nfolder = 3',
        "x = 1",
        '["xnli/{language}"]\nfolder = "../../../etc"',
        '["xnli/{language}"]\nfolder = "/etc"',
        '["xnli/{language}"]\nsplits = { test = "../../secret" }',
        '["xnli/{language}"]\nnames = { en = "../../../etc" }',
        '["xnli/{language}"]\nsplits = { test = 3 }',
        "\0",
        "\udcff",
    ],
    ids=repr,
)
def test_a_layout_that_is_no_layout_or_leaves_the_folder_is_refused(folder, text):
    (folder / FILE).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match="xstilts.toml"):
        data.load("xnli", "test", "en", str(folder))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", json.dumps({"model_type": "no-such"}), "null", "\0"], ids=repr
)
def test_an_encoder_with_a_bad_configuration_is_refused_by_name(tmp_path, text):
    folder = tmp_path / "encoder"
    folder.mkdir()
    (folder / "config.json").write_text(text)
    with pytest.raises(UserError, match="encoder"):
        encoders.load(folder)
