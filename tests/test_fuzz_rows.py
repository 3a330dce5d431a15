"""Generated parquet files and layouts, damaged and odd: each is read, or refused in words; never
another exception, never seconds of waiting, never rows that the file does not have."""

import json
import random

import hubrows
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from limits import within_limits

from xstilts import data
from xstilts.data.layout import FILE
from xstilts.errors import UserError
from xstilts.tasks.kinds import kind
from xstilts.tasks.table import TASKS

FUZZ = settings(
    max_examples=250,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
NAMES = (
    "xnli",
    "udpos",
    "xquad",
    "hellaswag",
    "commonsenseqa",
    "tatoeba",
    "bucc",
    "xcopa",
    "lareqa",
)


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    root = tmp_path_factory.mktemp("official")
    for name in NAMES:
        hubrows.write(root, TASKS[name])
    return root


def path_of(root, name):
    """A file that is scored."""
    source = TASKS[name].sources[0]
    language = next(
        language for language in source.languages if language in data.languages(name, str(root))
    )
    folder = root / source.local.format(language=language, name=source.name(language))
    found = data.split_found(name, "test", language, str(root)).rpartition(":")[
        2
    ]  # of a mixture the folder stands before it
    return folder / f"{found}.parquet", language


@pytest.fixture
def one(tmp_path, official):
    """A folder with one file, and a function that reads all that is read of it; None where it was
    refused."""

    def put(name, write):
        path, language = path_of(official, name)
        path = tmp_path / path.relative_to(official)
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path)
        try:
            return read(tmp_path, name, path, language)
        finally:
            path.unlink()

    return put


def read(root, name, path, language):
    source = str(root)
    with within_limits():
        try:
            data.fingerprint(name, "test", (language,), source)
            rows = data.load(name, "test", language, source)
        except UserError as error:
            assert path.name in str(error) or str(path.parent) in str(error), error
            assert "\n" not in str(error) and len(str(error)) < 100_000
            return None
        try:
            [*data.texts(source)]
        except UserError as error:
            assert path.name in str(error), error
        return rows


def sound(name, rows):
    """What is read is of the task's kind: labels of the table, text that is text, answers where
    they are said to be."""
    row = TASKS[name]
    for item in rows:
        if row.kind == "classify":
            assert item["label"] in range(len(row.labels)) and all(
                isinstance(text, str) and text.strip() for text in item["texts"]
            )
        elif row.kind == "tag":
            assert len(item["words"]) == len(item["tags"]) and all(
                tag in range(len(row.labels)) for tag in item["tags"]
            )
        elif row.kind == "choice":
            assert item["label"] in range(len(item["choices"])) and all(
                isinstance(text, str) for text in item["choices"]
            )
        elif row.kind == "span":
            assert all(
                item["context"][start : start + len(answer)] == answer
                for answer, start in zip(item["answers"], item["starts"], strict=True)
            )
    assert kind(row.kind)


DAMAGE = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "drop", "repeat", "zero", "footer"]),
        st.floats(0, 1),
        st.integers(1, 255),
    ),
    min_size=1,
    max_size=4,
)


@FUZZ
@given(st.sampled_from(NAMES), DAMAGE)
def test_damaged_bytes(one, official, name, damage):
    content = bytearray(path_of(official, name)[0].read_bytes())
    for how, where, value in damage:
        place = min(int(where * len(content)), max(0, len(content) - 1))
        if how == "flip" and content:
            content[place] ^= value
        elif how == "cut":
            del content[place:]
        elif how == "drop":
            del content[place : place + value]
        elif how == "repeat":
            content[place:place] = content[place : place + value]
        elif how == "zero":
            content[place : place + value] = bytes(len(content[place : place + value]))
        elif (
            how == "footer" and len(content) > 8
        ):  # how long the file says that its own description is
            content[-8:-4] = (value << 8 * (place % 4)).to_bytes(5, "little")[:4]
    rows = one(name, lambda path: path.write_bytes(content))
    if rows is not None:
        sound(name, rows)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=6)
    | st.binary(max_size=4)
    | st.dates()
    | st.datetimes()
    | st.decimals(allow_nan=False, places=2, min_value=-(10**6), max_value=10**6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=2)
    ),
    max_leaves=4,
)


@FUZZ
@given(st.sampled_from(NAMES), st.data())
def test_odd_values_and_schemas(one, official, name, drawn):
    """Columns of other types, lost, doubled, renamed; rows with anything in them; metadata of
    another file."""
    table = pq.read_table(path_of(official, name)[0])
    columns = {column: table[column] for column in table.column_names}
    for _ in range(drawn.draw(st.integers(1, 2))):
        column = drawn.draw(st.sampled_from(sorted(columns)))
        how = drawn.draw(st.sampled_from(["values", "value", "drop", "other", "null", "lists"]))
        if how == "drop" and len(columns) > 1:
            del columns[column]
        elif how == "other":
            columns[column] = columns[drawn.draw(st.sampled_from(sorted(columns)))]
        elif how == "null":
            columns[column] = pa.nulls(len(table))
        elif how == "lists":
            columns[column] = pa.array([[value] for value in columns[column].to_pylist()])
        else:
            values = columns[column].to_pylist()
            one_value = drawn.draw(VALUES)
            values = [one_value] * len(values) if how == "values" else [one_value, *values[1:]]
            try:
                columns[column] = pa.array(values)
            except (pa.ArrowException, ValueError, TypeError, OverflowError):
                return  # such a column cannot be made
    names, made = [*columns], [*columns.values()]
    if drawn.draw(st.booleans()) and len(names) > 1:
        names[0] = drawn.draw(
            st.sampled_from([names[-1], "", "label", "x\0y", "tokens.list", "\u202e"])
        )
    metadata = drawn.draw(
        st.sampled_from(
            [
                table.schema.metadata,
                {},
                {b"huggingface": b"{"},
                {b"huggingface": b"null"},
                pq.read_table(path_of(official, "udpos")[0]).schema.metadata,
            ]
        )
    )
    made = pa.table(made, names).replace_schema_metadata(metadata)

    def write(path):
        try:
            pq.write_table(made, path)
        except (pa.ArrowException, ValueError):
            pq.write_table(pa.table({"a": [1]}), path)

    rows = one(name, write)
    if rows is not None:
        sound(name, rows)


@pytest.mark.parametrize(
    "values",
    [
        pa.array([10**15], pa.timestamp("s")),
        pa.array([2**31 - 1], pa.date32()),
        pa.array([2**62], pa.timestamp("ns")),
        pa.array([2**62], pa.duration("s")),
        pa.Array.from_buffers(
            pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
        ),
        pa.StructArray.from_arrays([pa.array([1]), pa.array([2])], ["a", "a"]),
    ],
    ids=lambda values: str(values.type),
)
def test_what_python_does_not_have(one, official, values):
    """Years beyond 9999, text that is no UTF-8, fields of one name."""
    table = pq.read_table(path_of(official, "xnli")[0]).slice(0, 1)
    assert one(
        "xnli", lambda path: pq.write_table(table.append_column("strange", values), path)
    ) is None or len(values)
    table = table.set_column(0, "premise", values)
    assert one("xnli", lambda path: pq.write_table(table, path)) is None


# layouts

KEYS = ["folder", "splits", "names", "columns", "other", ""]
WORDS = st.sampled_from(
    [
        "test",
        "validation",
        "train",
        "test[:5]",
        "test[5]",
        "test[:a]",
        "test[::0]",
        "test[:10%]",
        "test+validation",
        "xnli/{language}",
        "{name}",
        "{0}",
        "{",
        "",
        ".",
        "..",
        "/etc",
        "../../x",
        "label",
        "premise",
        "de",
        "en",
        "\0",
        "a" * 300,
        "\u202e",
        "lost",
        "xnli/en",
        "xnli/{language}/{language}",
    ]
) | st.text(max_size=8)
TREES = st.recursive(
    WORDS | st.integers() | st.floats() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(WORDS | st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=8,
)
LAYOUTS = st.dictionaries(
    st.sampled_from(["xnli/{language}", "udpos/{name}", "text/{language}"]),
    st.dictionaries(
        st.sampled_from(KEYS),
        WORDS | st.dictionaries(WORDS, WORDS | st.lists(WORDS, max_size=2), max_size=3) | TREES,
        max_size=3,
    ),
    max_size=2,
)


def toml(value):
    """The value as TOML: JSON writes text and numbers alike."""
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{json.dumps(name)} = {toml(inner)}" for name, inner in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, float):
        return (
            repr(value)
            if "e" not in repr(value) or "." in repr(value)
            else repr(value).replace("e", ".0e")
        )
    return json.dumps(value, ensure_ascii=True)


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    root = tmp_path_factory.mktemp("layouts")
    for name in ("xnli", "udpos"):
        hubrows.write(root, TASKS[name])
    return root


def look(root, text):
    (root / FILE).write_bytes(
        text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    )
    with within_limits():
        for name in ("xnli", "udpos", "text"):
            try:
                for language in data.languages(name, str(root)):
                    data.fingerprint(
                        name, "test" if name != "text" else "train", (language,), str(root)
                    )
                    if name != "text":
                        sound(name, data.load(name, "test", language, str(root)))
            except UserError as error:
                assert str(root) in str(error), error
                assert len(str(error)) < 100_000


@FUZZ
@given(LAYOUTS)
@example({"xnli/{language}": {"splits": {"test": "test[:a]"}}})
@example({"xnli/{language}": {"folder": "{language}/{name}"}})
def test_layouts_of_any_content(two, layout):
    look(
        two,
        "\n".join(
            f"[{json.dumps(pattern)}]\n"
            + "\n".join(f"{json.dumps(name)} = {toml(value)}" for name, value in part.items())
            for pattern, part in layout.items()
        ),
    )


def test_layouts_of_any_bytes(two):
    draw = random.Random(0)
    whole = (
        b'["xnli/{language}"]\nsplits = { test = ["test[:5]", "validation"] }\n'
        b'names = { de = "de" }\ncolumns = { a = "b" }\n'
    )
    for _ in range(250):
        content = bytearray(whole)
        for _ in range(draw.randint(1, 6)):
            place = draw.randrange(len(content) + 1)
            content[place : place + draw.randint(0, 4)] = draw.choice(
                [
                    bytes([draw.randrange(256)]),
                    b"[",
                    b"]",
                    b"{",
                    b"=",
                    b'"',
                    b".",
                    b"%",
                    b"\n",
                    b"",
                    b"+",
                    b"-",
                    b":",
                    b"/",
                    content[:place],
                ]
            )
        look(two, bytes(content))
