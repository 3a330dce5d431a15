"""Labels by name: a file's metadata names them by column, whatever the column's type; where a name
cannot be given the file is refused, and never read in the table's order."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Features, List, Value
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts import data
from xstilts.data import local
from xstilts.data.labels import names_in
from xstilts.data.rows import read_row
from xstilts.errors import UserError
from xstilts.tasks.table import TASKS

INTEGERS = [
    pa.int8(),
    pa.int16(),
    pa.int32(),
    pa.int64(),
    pa.uint8(),
    pa.uint16(),
    pa.uint32(),
    pa.uint64(),
]
DICTIONARIES = [pa.dictionary(index, kind) for index in INTEGERS for kind in INTEGERS]
TEXTS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
OTHERS = [
    pa.float16(),
    pa.float32(),
    pa.float64(),
    pa.bool_(),
    pa.decimal128(20, 1),
    pa.binary(),
    pa.timestamp("s"),
    pa.date32(),
    pa.duration("s"),
    pa.struct([("a", pa.int64())]),
    pa.list_(pa.int64()),
    pa.map_(pa.string(), pa.int64()),
]
LISTS = [
    pa.list_,
    pa.large_list,
    lambda kind: pa.list_(kind, 3),
    pa.list_view,
    pa.large_list_view,
    lambda kind: pa.list_(pa.field("item", kind, nullable=False)),
]


def metadata(column, feature):
    """What `datasets` writes into a file, with other columns of types that nobody knows."""
    features = {"strange": {"shape": 3, "_type": "Hologram"}, column: feature}
    return {b"huggingface": json.dumps({"info": {"features": features}}).encode()}


def array(values, kind):
    if pa.types.is_dictionary(kind):
        return pa.DictionaryArray.from_arrays(
            pa.array(range(len(values)), kind.index_type), pa.array(values, kind.value_type)
        )
    return pa.array(values, kind)


def lists(make, values, kind):
    """Three values a row; of dictionaries, too."""
    whole = make(kind)
    flat = array(values, kind)
    if pa.types.is_fixed_size_list(whole):
        return pa.FixedSizeListArray.from_arrays(flat, 3)
    offsets, sizes = list(range(0, len(values), 3)), [3] * (len(values) // 3)
    wide = pa.types.is_large_list(whole) or pa.types.is_large_list_view(whole)
    number = pa.int64() if wide else pa.int32()
    if pa.types.is_list_view(whole) or pa.types.is_large_list_view(whole):
        cls = pa.LargeListViewArray if wide else pa.ListViewArray
        return cls.from_arrays(pa.array(offsets, number), pa.array(sizes, number), flat)
    cls = pa.LargeListArray if wide else pa.ListArray
    return cls.from_arrays(pa.array([*offsets, len(values)], number), flat, type=whole)


def read(name, column, labels, feature, nullable=True, **others):
    """The labels of a task's rows, read from a table in memory (not every type can be in a parquet
    file)."""
    count = len(labels)
    columns = {
        **{other: pa.array([value] * count) for other, value in others.items()},
        column: labels,
    }
    schema = pa.schema(
        [
            pa.field(key, value.type, nullable=nullable or key != column)
            for key, value in columns.items()
        ],
        metadata=metadata(column, feature),
    )
    block = local._block(
        TASKS[name],
        local.places(TASKS[name], "/nowhere")[0],
        Path("made.parquet"),
        pa.table(columns, schema),
    )
    return [read_row(block, number) for number in range(count)]


def pairs(labels, names, **more):
    rows = read(
        "xnli",
        "label",
        labels,
        {"names": names, "_type": "ClassLabel"},
        premise="a",
        hypothesis="b",
        **more,
    )
    return [TASKS["xnli"].labels[row["label"]] for row in rows]


def tags(labels, names, wrapper="List"):
    feature = {"names": names, "_type": "ClassLabel"}
    feature = [feature] if wrapper == "[]" else {"feature": feature, "_type": wrapper}
    rows = read("panx", "ner_tags", labels, feature, tokens=["x", "y", "z"])
    return [[TASKS["panx"].labels[tag] for tag in row["tags"]] for row in rows]


ORDERS = st.permutations(TASKS["xnli"].labels)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.sampled_from(INTEGERS + DICTIONARIES + TEXTS),
    ORDERS,
    st.lists(st.sampled_from(TASKS["xnli"].labels), min_size=1),
    st.booleans(),
)
def test_the_names_of_a_label_column_of_any_type(kind, names, labels, nullable):
    values = labels if kind in TEXTS else [names.index(label) for label in labels]
    assert pairs(array(values, kind), names, nullable=nullable) == labels


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.sampled_from(LISTS),
    st.sampled_from(INTEGERS + DICTIONARIES + TEXTS[:1]),
    st.permutations(TASKS["panx"].labels),
    st.lists(
        st.lists(st.sampled_from(TASKS["panx"].labels), min_size=3, max_size=3),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["List", "Sequence", "LargeList", "[]"]),
)
def test_the_names_of_a_column_of_tags_of_any_type(make, kind, names, labels, wrapper):
    flat = [tag if kind == pa.string() else names.index(tag) for row in labels for tag in row]
    assert tags(lists(make, flat, kind), names, wrapper) == labels


@pytest.mark.parametrize("kind", OTHERS, ids=str)
def test_what_cannot_be_named_is_refused(kind):
    value = {
        pa.binary(): b"neutral",
        pa.struct([("a", pa.int64())]): {"a": 1},
        pa.list_(pa.int64()): [1],
        pa.map_(pa.string(), pa.int64()): [("a", 1)],
        pa.bool_(): True,
    }.get(kind, 1)
    if kind == pa.decimal128(20, 1):
        value = __import__("decimal").Decimal(1)
    with pytest.raises(UserError, match="made.parquet: row 0, column label: "):
        pairs(pa.array([value], kind), list(TASKS["xnli"].labels))


@pytest.mark.parametrize("value", [3, -2, 2**62, "0", "1", "maybe"])
def test_an_id_or_text_that_has_no_name_is_refused(value):
    with pytest.raises(
        UserError,
        match="row 0, column label: label .* is none of the labels that the file's metadata names",
    ):
        pairs(pa.array([value]), list(TASKS["xnli"].labels))


def test_a_file_whose_column_changed_its_type_keeps_its_names(tmp_path):
    """Through a real file: int8 and not nullable, where `datasets` says int64."""
    names = ["contradiction", "entailment", "neutral"]
    features = Features(
        {
            "premise": Value("string"),
            "hypothesis": Value("string"),
            "label": ClassLabel(names=names),
        }
    )
    schema = features.arrow_schema.set(2, pa.field("label", pa.int8(), nullable=False))
    (tmp_path / "xnli" / "en").mkdir(parents=True)
    pq.write_table(
        pa.table([["a", "b", "c"], ["d", "e", "f"], pa.array([0, 1, 2], pa.int8())], schema),
        tmp_path / "xnli" / "en" / "test.parquet",
    )
    rows = data.load("xnli", "test", "en", str(tmp_path))
    assert [TASKS["xnli"].labels[row["label"]] for row in rows] == names


def test_what_datasets_itself_writes_is_understood():
    for features, column in (
        (Features({"l": ClassLabel(names=["b", "a"])}), "l"),
        (Features({"l": List(ClassLabel(names=["b", "a"]))}), "l"),
        (Features({"l": List(ClassLabel(names=["b", "a"]), length=3)}), "l"),
    ):
        assert names_in(features.arrow_schema.metadata, column, "made") == ["b", "a"]
    assert names_in(
        Features({"l": ClassLabel(num_classes=2)}).arrow_schema.metadata, "l", "made"
    ) == ["0", "1"]
    assert names_in(Features({"l": Value("int64")}).arrow_schema.metadata, "l", "made") is None
    assert names_in(Features({"other": Value("int64")}).arrow_schema.metadata, "l", "made") is None
    assert names_in(None, "l", "made") is names_in({b"pandas": b"{}"}, "l", "made") is None


@pytest.mark.parametrize(
    "feature",
    [
        {"_type": "Hologram"},
        {"names": ["a", "a"], "_type": "ClassLabel"},
        3,
        "x",
        [],
        {},
        {"names": ["a", 1], "_type": "ClassLabel"},
        {"names": "abc", "_type": "ClassLabel"},
        {"num_classes": 10**12, "_type": "ClassLabel"},
    ],
    ids=repr,
)
def test_metadata_of_a_label_column_that_gives_no_names_is_refused(feature):
    with pytest.raises(UserError, match="made: what its metadata says of the column label"):
        names_in(metadata("label", feature), "label", "made")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"info": 3}',
        b'{"info": {"features": [1]}}',
        b"[" * 100_000,
    ],
    ids=lambda content: ascii(content[:20]),
)
def test_metadata_that_is_none_is_refused_where_labels_are_read(content):
    with pytest.raises(UserError, match="made: what its metadata says of columns"):
        names_in({b"huggingface": content}, "label", "made")


def test_a_choice_with_names_is_read_by_them():
    """Social IQA counts from "1": an id is another number than its name."""
    row = {"context": "c", "question": "q", "answerA": "a", "answerB": "b", "answerC": "c"}
    block = local._block(
        TASKS["xcopa"],
        local.places(TASKS["xcopa"], "/nowhere")[2],
        Path("made.parquet"),
        pa.table(
            {**{name: [text] for name, text in row.items()}, "label": [1]}
        ).replace_schema_metadata(
            metadata("label", {"names": ["1", "2", "3"], "_type": "ClassLabel"})
        ),
    )
    assert read_row(block, 0)["label"] == 1
