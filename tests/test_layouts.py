"""What a layout can say of splits, names and folders; what nobody can mean is refused in words
where the layout is read."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets.arrow_reader import ReadInstruction
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts import data
from xstilts.data import layout
from xstilts.data.layout import FILE, Part
from xstilts.errors import UserError


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "xnli" / "en"
    place.mkdir(parents=True)
    for split in ("test", "validation"):
        pq.write_table(
            pa.table(
                {
                    "premise": [f"{split} {number}" for number in range(20)],
                    "hypothesis": ["h"] * 20,
                    "label": [number % 3 for number in range(20)],
                }
            ),
            place / f"{split}.parquet",
        )
    return tmp_path


def premises(folder, text):
    (folder / FILE).write_text(f'["xnli/{{language}}"]\n{text}\n')
    return [row["texts"][0] for row in data.load("xnli", "test", "en", str(folder))]


PARTS = {
    "test[:10%]": range(2),
    "test[90%:]": range(18, 20),
    "test[-10%:]": range(18, 20),
    "test[:-90%]": range(2),
    "test[10%:20%]": range(2, 4),
    "test[:]": range(20),
    "test": range(20),
    "test[5:6]": range(5, 6),
    "test[0::2]": range(0, 20, 2),
    "test[:8:2]": range(0, 8, 2),
    "test[-3:]": range(17, 20),
    "test[15:99]": range(15, 20),
    "test[50%::5]": range(10, 20, 5),
}


@pytest.mark.parametrize("text, numbers", PARTS.items())
def test_a_part_of_a_file(folder, text, numbers):
    assert premises(folder, f'splits = {{ test = "{text}" }}') == [
        f"test {number}" for number in numbers
    ]


def test_parts_are_joined(folder):
    assert premises(folder, 'splits = { test = "test[:5%]+validation[-2:]" }') == [
        "test 0",
        "validation 18",
        "validation 19",
    ]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.integers(0, 300),
    st.integers(-100, 100) | st.none(),
    st.integers(-100, 100) | st.none(),
    st.sampled_from(["", "%"]),
)
def test_parts_are_those_of_datasets(count, first, end, unit):
    cut = ":".join("" if number is None else f"{number}{unit}" for number in (first, end))
    (absolute,) = ReadInstruction.from_spec(f"train[{cut}]").to_absolute({"train": count})
    assert [*range(count)[Part(None, f"train[{cut}]").rows(count)]] == [
        *range(absolute.from_, absolute.to)
    ]


WRONG = [
    "test[5]",
    "test[:a]",
    "test[::0]",
    "test[::-1]",
    "test[",
    "test]",
    "test[]",
    "test[:10%%]",
    "test[:101%]",
    "test[:5:10%]",
    "test[1:50%]",
    "test[:1e3]",
    "test[:1.5]",
    "test[: 10]",
    "test[:9999999999]",
    "test[1:2:3:4]",
    "test[:5]x",
    "test[:5][:2]",
    "+",
    "test+",
    "+test",
    "",
    "test[:\\u0661]",
    "{language.__class__}",
    "{0}",
    "{name}",
    "{",
    "{language:>999999999}",
    "a/b",
    "..",
    ".",
    "a\\u0000b",
    "[:5]",
]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_part_is_refused_where_the_layout_is_read(folder, text):
    (folder / FILE).write_text(f'["xnli/{{language}}"]\nsplits = {{ train = "{text}" }}\n')
    with pytest.raises(UserError, match=r"xstilts.toml: xnli/\{language\}: splits = "):
        data.languages("xnli", str(folder))


@pytest.mark.parametrize(
    "text",
    [
        "splits = { tset = 'test' }",
        "splits = { test = [] }",
        "splits = { test = [['test']] }",
        "splits = { test = { a = 'b' } }",
        "splits = 'test'",
        "splits = { test = true }",
        "names = { de = ['x'] }",
        "names = { de = '' }",
        "names = { '../x' = 'de' }",
        "names = { de = 'German', deu = 'German' }",
        "names = { '' = 'German' }",
        "columns = { a = 1 }",
        "columns = { a = '' }",
        "columns = ['a']",
        "folder = '{other}'",
        'folder = "a\\u0000"',
        "folder = '{language'",
        "folder = 3",
        "folder = '/etc'",
        "folder = 'a/../..'",
        "other = 1",
        "columns = 2020-01-01",
        "splits = { train = nan }",
    ],
)
def test_what_nobody_can_mean_is_refused(folder, text):
    (folder / FILE).write_text(f'["xnli/{{language}}"]\n{text}\n')
    with pytest.raises(UserError, match="xstilts.toml: "):
        data.languages("xnli", str(folder))


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 50_000,
        "a = " + "[" * 900 + "]" * 900,
        "a." * 49_000 + "a = 1",
        "[" + "a." * 49_000 + "a]",
        ("a." * 190 + "a = 1\n") * 200,
        "x = " + "9" * 90_000,
        "#" * 200_000,
        '["xnli/{language}"]\nfolder = ' + "[" * 400 + "]" * 400,
        '["xnli/{language}"]\nsplits.' + "a." * 800 + "b = 1",
        '["xnli/{language}"]\nfolder = "' + "a" * 90_000 + '"',
        "[a]\n" * 20_000,
    ],
    ids=lambda text: text[:30],
)
def test_an_absurd_layout_is_refused_at_once(folder, text):
    (folder / FILE).write_text(text)
    with pytest.raises(UserError) as error:
        data.load("xnli", "test", "en", str(folder))
    assert "xstilts.toml" in str(error.value) and len(str(error.value)) < 3_000


def test_rows_may_lie_deeper_than_the_official_folders(folder):
    (folder / "ner" / "en" / "data").mkdir(parents=True)
    (folder / "xnli" / "en" / "test.parquet").rename(
        folder / "ner" / "en" / "data" / "test.parquet"
    )
    assert len(premises(folder, 'folder = "ner/{language}/data"')) == 20


def test_two_columns_of_one_name_are_refused(folder):
    path = folder / "xnli" / "en" / "test.parquet"
    with pytest.raises(
        UserError, match="test.parquet: two columns are named 'hypothesis' by the layout"
    ):
        premises(folder, 'columns = { premise = "hypothesis", label = "hypothesis" }')
    (folder / FILE).unlink()
    pq.write_table(
        pa.table([["a"], ["b"], [0], [1]], ["premise", "hypothesis", "label", "label"]), path
    )
    with pytest.raises(UserError, match="test.parquet: two columns are named 'label'"):
        data.load("xnli", "test", "en", str(folder))


def test_columns_may_change_places(folder):
    rows = data.load("xnli", "test", "en", str(folder))
    (folder / FILE).write_text(
        '["xnli/{language}"]\ncolumns = { premise = "hypothesis", hypothesis = "premise" }\n'
    )
    assert [row["texts"][::-1] for row in rows] == [
        row["texts"] for row in data.load("xnli", "test", "en", str(folder))
    ]


def test_the_layout_that_comes_with_this_code_is_one():
    for path in (layout.Path(layout.__file__).parent / "layouts").glob("*.toml"):
        assert layout._layout(str(path), layout.SHIPPED)
