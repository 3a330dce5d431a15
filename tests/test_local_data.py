"""A folder of parquet files: labels by name, caps, splits, and bad files that name themselves."""
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Value

from xstilts import data, profiles
from xstilts.spec import UserError
from xstilts.tasks import TASKS


@pytest.fixture
def folder(tmp_path):
    """XNLI in German and English, with the labels in another order than the table's."""
    features = Features({"premise": Value("string"), "hypothesis": Value("string"),
                         "label": ClassLabel(names=["contradiction", "entailment", "neutral"])})
    for language in ("en", "de"):
        place = tmp_path / "xnli" / language
        place.mkdir(parents=True)
        Dataset.from_dict({"premise": [f"p{i}" for i in range(30)], "hypothesis": [f"h{i}" for i in range(30)],
                           "label": [i % 3 for i in range(30)]}, features=features).to_parquet(place / "test.parquet")
    return tmp_path


def replace(folder, **columns):
    pq.write_table(pa.table(columns), folder / "xnli" / "de" / "test.parquet")
    return lambda: data.load("xnli", "test", "de", str(folder))


def test_labels_are_mapped_by_name(folder):
    rows = data.load("xnli", "test", "de", str(folder))
    assert [TASKS["xnli"].labels[row["label"]] for row in rows[:3]] == ["contradiction", "entailment", "neutral"]
    assert rows[4]["texts"] == ("p4", "h4")


def test_a_cap_takes_the_same_rows_in_parallel_sets(folder):
    picked = [[row["texts"] for row in data.load("xnli", "test", language, str(folder), 7)] for language in ("en", "de")]
    assert picked[0] == picked[1] and len(picked[0]) == 7
    assert picked[0] != [(f"p{i}", f"h{i}") for i in range(7)]


def test_a_language_that_the_table_does_not_know_is_found_by_its_folder(folder):
    (folder / "xnli" / "de").rename(folder / "xnli" / "yo")
    assert data.languages("xnli", str(folder)) == ("en", "yo")
    assert len(data.load("xnli", "test", "yo", str(folder))) == 30


@pytest.mark.parametrize("labels, message", [
    ([7, 0], r"test.parquet: row 0, column label: label 7 is none of entailment, neutral, contradiction"),
    (["neutral", "perhaps"], "row 1, column label: label 'perhaps'"),
    ([-1, -1], "label -1"),
    ([2, 2], "every row of XNLI has the label 2; that is a placeholder"),
])
def test_bad_labels_are_refused(folder, labels, message):
    with pytest.raises(UserError, match=message):
        replace(folder, premise=["a", "b"], hypothesis=["c", "d"], label=labels)()


def test_missing_columns_empty_and_broken_files_are_told(folder):
    with pytest.raises(UserError, match="does not have the columns of XNLI.*it has premise, label"):
        replace(folder, premise=["a"], label=[1])()
    data.load.cache_clear()
    with pytest.raises(UserError, match="has no rows"):
        replace(folder, premise=pa.array([], pa.string()), hypothesis=pa.array([], pa.string()),
                label=pa.array([], pa.int64()))()
    path = folder / "xnli" / "de" / "test.parquet"
    path.write_bytes(path.read_bytes()[:40])
    data.load.cache_clear()
    with pytest.raises(UserError, match="test.parquet: not a readable parquet file"):
        data.load("xnli", "test", "de", str(folder))


def test_a_missing_split_says_what_is_there(folder):
    with pytest.raises(UserError, match="no train rows of XNLI.*found test"):
        data.load("xnli", "train", "de", str(folder))


def test_every_text_is_found_for_the_vocabulary(folder):
    assert set(data.texts(str(folder))) == {f"{letter}{i}" for letter in "ph" for i in range(30)}


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="has none of the task folders"):
        profiles.study(data=str(tmp_path))


@pytest.mark.parametrize("name, split, language, n", [
    ("mnli", "train", "en", 6870), ("qqp", "train", "en", 9917), ("squad", "train", "en", 4253),
    ("hellaswag", "train", "en", 9042), ("commonsenseqa", "train", "en", 9699), ("xnli", "test", "sw", 1000),
    ("pawsx", "train", "en", 1000), ("pawsx", "test", "ja", None), ("udpos", "test", "af", 425),
    ("panx", "test", "fi", 1000), ("xquad", "test", "th", None), ("tatoeba", "test", "sw", 390), ("text", "train", "yo", None)])
def test_real_rows_are_read(realdata, name, split, language, n):
    if language not in data.languages(name, realdata):
        pytest.skip(f"these rows have no {name} in {language}")
    rows = data.load(name, split, language, realdata)
    assert n is None or len(rows) == n
    if TASKS[name].kind == "span":
        assert all(row["context"][start:start + len(answer)] == answer
                   for row in rows for answer, start in zip(row["answers"], row["starts"]))
    if TASKS[name].kind == "tag":
        assert all(len(row["words"]) == len(row["tags"]) and max(row["tags"]) < len(TASKS[name].labels) for row in rows)


def test_a_bad_file_is_found_before_anything_is_trained(folder):
    path = folder / "xnli" / "de" / "test.parquet"
    path.write_bytes(b"nonsense")
    with pytest.raises(UserError, match="test.parquet: not a readable parquet file"):
        data.fingerprint("xnli", "test", ("de",), str(folder))
