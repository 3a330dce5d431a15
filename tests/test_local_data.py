"""A folder of parquet files: labels by name, caps, splits, text for phase 1, and bad files that
name themselves."""

import inspect
import itertools
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from xstilts import data
from xstilts.data import local, parquet
from xstilts.data.layout import FILE
from xstilts.data.local.text import words_as_text
from xstilts.errors import UserError
from xstilts.study import profiles
from xstilts.tasks.table import TASKS


@pytest.fixture
def folder(tmp_path):
    """XNLI in German and English, with the labels in another order than the table's."""
    features = Features(
        {
            "premise": Value("string"),
            "hypothesis": Value("string"),
            "label": ClassLabel(names=["contradiction", "entailment", "neutral"]),
        }
    )
    for language in ("en", "de"):
        place = tmp_path / "xnli" / language
        place.mkdir(parents=True)
        Dataset.from_dict(
            {
                "premise": [f"p{i}" for i in range(30)],
                "hypothesis": [f"h{i}" for i in range(30)],
                "label": [i % 3 for i in range(30)],
            },
            features=features,
        ).to_parquet(place / "test.parquet")
    return tmp_path


def replace(folder, **columns):
    pq.write_table(pa.table(columns), folder / "xnli" / "de" / "test.parquet")
    return lambda: data.load("xnli", "test", "de", str(folder))


def test_labels_are_mapped_by_name(folder):
    rows = data.load("xnli", "test", "de", str(folder))
    assert [TASKS["xnli"].labels[row["label"]] for row in rows[:3]] == [
        "contradiction",
        "entailment",
        "neutral",
    ]
    assert rows[4]["texts"] == ("p4", "h4")


def test_a_cap_takes_the_same_rows_in_parallel_sets(folder):
    picked = [
        [row["texts"] for row in data.load("xnli", "test", language, str(folder), 7)]
        for language in ("en", "de")
    ]
    assert picked[0] == picked[1] and len(picked[0]) == 7
    assert picked[0] != [(f"p{i}", f"h{i}") for i in range(7)]


def test_a_language_that_the_table_does_not_know_is_found_by_its_folder(folder):
    (folder / "xnli" / "de").rename(folder / "xnli" / "yo")
    assert data.languages("xnli", str(folder)) == ("en", "yo")
    assert len(data.load("xnli", "test", "yo", str(folder))) == 30


@pytest.mark.parametrize(
    "labels, message",
    [
        (
            [7, 0],
            r"test.parquet: row 0, column label: label 7 is none of entailment, neutral, "
            r"contradiction",
        ),
        (["neutral", "perhaps"], "row 1, column label: label 'perhaps'"),
        ([-1, -1], "label -1"),
        ([2, 2], "every row of XNLI has the label 2; that is a placeholder"),
    ],
)
def test_bad_labels_are_refused(folder, labels, message):
    with pytest.raises(UserError, match=message):
        replace(folder, premise=["a", "b"], hypothesis=["c", "d"], label=labels)()


def test_missing_columns_empty_and_broken_files_are_told(folder):
    with pytest.raises(UserError, match="does not have the columns of XNLI.*it has premise, label"):
        replace(folder, premise=["a"], label=[1])()
    data.load.cache_clear()
    with pytest.raises(UserError, match="has no rows"):
        replace(
            folder,
            premise=pa.array([], pa.string()),
            hypothesis=pa.array([], pa.string()),
            label=pa.array([], pa.int64()),
        )()
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


NESTED = pa.struct([("text", pa.large_list(pa.string()))])
TYPES = {
    "large list": (pa.large_list(pa.large_string()), ["a", "b"]),
    "fixed list": (pa.list_(pa.string(), 2), ["a", "b"]),
    "view": (pa.string_view(), "a b"),
    "category": (pa.dictionary(pa.int32(), pa.string()), "a b"),
    "map": (pa.map_(pa.string(), pa.string()), [("a", "b")]),
    "list of views": (pa.list_(pa.string_view()), ["a", "b"]),
    "nested": (pa.list_(NESTED), [{"text": ["a"]}, {"text": ["b"]}]),
    "JSON": (pa.json_(), '"a b"'),
}


@pytest.mark.parametrize("kind, value", TYPES.values(), ids=TYPES)
def test_text_is_found_in_columns_of_every_type(folder, kind, value):
    """Polars writes large lists and views, pandas categories: words passed over would be cut from
    the vocabulary."""
    (folder / "xnli" / "en" / "test.parquet").unlink()
    place = folder / "xnli" / "de" / "test.parquet"
    pq.write_table(
        pa.table({"premise": pa.array([value, None], kind), "label": pa.array([1, 2])}), place
    )
    assert {"a", "b"} == set(" ".join(data.texts(str(folder))).replace('"', "").split())


def test_a_column_that_cannot_be_searched_for_text_is_told():
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array(["a"])])
    with pytest.raises(
        UserError, match="x.parquet: cannot look for text in a column of the type sparse_union"
    ):
        list(parquet._strings(pa.chunked_array([union]), Path("x.parquet")))


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="has none of the task folders"):
        profiles.study(data=str(tmp_path))


@pytest.mark.parametrize(
    "name, split, language, n",
    [
        ("mnli", "train", "en", 6870),
        ("qqp", "train", "en", 9917),
        ("squad", "train", "en", 4253),
        ("hellaswag", "train", "en", 9042),
        ("commonsenseqa", "train", "en", 9699),
        ("xnli", "test", "sw", 1000),
        ("pawsx", "train", "en", 1000),
        ("pawsx", "test", "ja", None),
        ("udpos", "test", "af", 425),
        ("panx", "test", "fi", 1000),
        ("xquad", "test", "th", None),
        ("tatoeba", "test", "sw", 390),
        ("text", "train", "yo", None),
    ],
)
def test_real_rows_are_read(realdata, name, split, language, n):
    if language not in data.languages(name, realdata):
        pytest.skip(f"these rows have no {name} in {language}")
    rows = data.load(name, split, language, realdata)
    assert n is None or len(rows) == n
    if TASKS[name].kind == "span":
        assert all(
            row["context"][start : start + len(answer)] == answer
            for row in rows
            for answer, start in zip(row["answers"], row["starts"], strict=True)
        )
    if TASKS[name].kind == "tag":
        assert all(
            len(row["words"]) == len(row["tags"]) and max(row["tags"]) < len(TASKS[name].labels)
            for row in rows
        )


def test_a_bad_file_is_found_before_anything_is_trained(folder):
    path = folder / "xnli" / "de" / "test.parquet"
    path.write_bytes(b"nonsense")
    with pytest.raises(UserError, match="test.parquet: not a readable parquet file"):
        data.fingerprint("xnli", "test", ("de",), str(folder))


def test_a_few_rows_with_one_label_by_chance_are_no_placeholder(folder):
    texts = [str(number) for number in range(30)]
    replace(folder, premise=texts, hypothesis=texts, label=[1] * 29 + [0])
    rows = data.load("xnli", "test", "de", str(folder), 2)
    assert [row["label"] for row in rows] == [1, 1]
    replace(folder, premise=texts, hypothesis=texts, label=[1] * 30)
    data.load.cache_clear()
    with pytest.raises(UserError, match="every row of XNLI has the label 1; that is a placeholder"):
        data.load("xnli", "test", "de", str(folder), 2)
    assert len(data.load("xnli", "test", "de", "mini", 2)) == 2


def test_an_open_sets_labels_are_known_by_their_names(tmp_path):
    """Whatever ids a file gives them: here another in each split."""
    for split, names in (("train", ["PUNCT", "N", "NP/N"]), ("test", ["N", "new", "NP/N"])):
        (tmp_path / "ccg" / "en").mkdir(parents=True, exist_ok=True)
        features = Features(
            {"tokens": List(Value("string")), "tags": List(ClassLabel(names=names))}
        )
        tags = [
            [names.index(name) for name in ("NP/N", "N")],
            [names.index("N"), 1 if split == "test" else -1],
        ]
        Dataset.from_dict(
            {"tokens": [["the", "cat"], ["cats", "sit"]], "tags": tags}, features=features
        ).to_parquet(tmp_path / "ccg" / "en" / f"{split}.parquet")
    assert data.labelled("ccg", str(tmp_path)).labels == ("N", "NP/N")
    assert [row["tags"] for row in data.load("ccg", "test", "en", str(tmp_path))] == [
        [1, 0],
        [0, -1],
    ]


def test_the_other_sentences_of_mining_are_its_distractors(tmp_path):
    """From the shared task's candidates, each once; the pairs of the other half are none."""
    place = tmp_path / "bucc2018" / "bucc18.de"
    place.mkdir(parents=True)
    (tmp_path / FILE).write_text(
        '["bucc2018/bucc18.{language}"]\nsplits = { validation = "test[0::2]", test = '
        '"test[1::2]" }\n'
    )
    for name, sentences in (("source", "ABCD"), ("target", "abcd")):
        language = "de" if name == "source" else "en"
        pq.write_table(
            pa.table(
                {
                    "id": [f"{language}-{number}" for number in range(7)],
                    "sentence": [*sentences, f"{language} 1", f"{language} 2", f"{language} 1"],
                }
            ),
            place / f"candidates_{language}.parquet",
        )
    pq.write_table(
        pa.table({"source_sentence": list("ABCD"), "target_sentence": list("abcd")}),
        place / "test.parquet",
    )
    rows = data.load("bucc", "test", "de", str(tmp_path))
    assert [(row["source"], row["english"]) for row in rows] == [
        ("B", "b"),
        ("D", "d"),
        ("de 1", ""),
        ("de 2", ""),
        ("", "en 1"),
        ("", "en 2"),
    ] and rows.total == 4
    before = local.fingerprint(TASKS["bucc"], "test", "de", str(tmp_path))
    (place / "candidates_en.parquet").unlink()  # one side alone is of no use
    data.load.cache_clear()
    assert len(data.load("bucc", "test", "de", str(tmp_path))) == 2
    assert local.fingerprint(TASKS["bucc"], "test", "de", str(tmp_path)) != before


# words of tagging tasks as text


def tagged(root, **splits):
    """UDPOS in Finnish: n sentences "<split> <number>" a split. A function that reads them all as
    text."""
    place = root / "udpos" / "Finnish"
    place.mkdir(parents=True)
    for split, count in splits.items():
        pq.write_table(
            pa.table(
                {
                    "tokens": [[split, str(number)] for number in range(count)],
                    "pos_tags": [[0, 1]] * count,
                }
            ),
            place / f"{split}.parquet",
        )

    def read(layout="", language="fi"):
        (root / FILE).write_text('["udpos/{name}"]\n' + layout)
        parts = [words_as_text(split, language, str(root)) for split in ("train", "validation")]
        texts = [item["text"].split() for item in itertools.chain(*parts)]
        return [
            f"{split} {number}"
            for split, number in sorted((split, int(number)) for split, number in texts)
        ]

    return read


def sentences(split, *numbers):
    return [f"{split} {number}" for number in range(*numbers)]


def test_without_text_the_words_of_tagging_tasks_are_read(tmp_path):
    read = tagged(tmp_path, train=30, validation=15, test=5)
    assert read() == sentences("train", 30) + sentences("validation", 15)
    source = str(tmp_path)
    assert data.languages("text", source, "train") == ("fi",)
    train, held_out = (data.load("text", split, "fi", source) for split in ("train", "validation"))
    assert [row["text"] for row in held_out] == ["train 0", "train 20", "validation 10"] and len(
        train
    ) == 42
    with pytest.raises(UserError, match="no text in 'hu'"):
        local.blocks(TASKS["text"], "train", "hu", source, 0)
    (tmp_path / "text" / "fi").mkdir(parents=True)
    pq.write_table(pa.table({"text": ["Kissa istui."]}), tmp_path / "text" / "fi" / "train.parquet")
    assert local.blocks(TASKS["text"], "train", "fi", source, 0)[0].items == [
        {"text": "Kissa istui."}
    ]


def test_scored_rows_are_no_text(tmp_path):
    read = tagged(tmp_path, train=30, validation=15)
    whole = read() and local.fingerprint(TASKS["text"], "train", "fi", str(tmp_path))
    assert read('splits = { test = "validation" }') == sentences(
        "train", 30
    )  # what stands in for the test rows
    assert local.fingerprint(TASKS["text"], "train", "fi", str(tmp_path)) != whole
    validation = sentences("validation", 15)
    assert (
        read('splits = { train = "train[:-10]", test = "train[-10:]" }')
        == sentences("train", 20) + validation
    )
    assert read('splits = { test = "train[::2]" }') == sentences("train", 1, 30, 2) + validation
    assert (
        read('splits = { train = "train[:10]", test = "none" }')
        == sentences("train", 10) + validation
    )
    assert read('splits = { train = "train[:20]", validation = "train[10:]" }') == sentences(
        "train", 30
    )  # each once
    with pytest.raises(UserError, match="no text in 'fi'.*not scored"):
        read('splits = { train = "train", validation = "train", test = "train+validation" }')
    data.languages.cache_clear()
    assert data.languages("text", str(tmp_path), "train") == ()  # told when a study is drawn up


def test_words_are_read_whatever_the_layout_calls_them(tmp_path):
    read = tagged(tmp_path, train=3)
    path = tmp_path / "udpos" / "Finnish" / "train.parquet"
    pq.write_table(pq.read_table(path).rename_columns(["words", "pos_tags"]), path)
    assert read('columns = { words = "tokens" }') == sentences("train", 3)


# the layout that is shipped with this code is one collection's, not any folder's of its name


@pytest.mark.parametrize("its_files", [False, True])
def test_a_folder_that_has_only_the_name_of_a_known_collection_is_read_as_any_other(
    tmp_path, its_files
):
    root = tmp_path / "realdata"
    place = root / "panx" / "PAN-X.fi"
    place.mkdir(parents=True)
    for split in ("test", "validation", "heldout_from_train"):
        pq.write_table(
            pa.table({"tokens": [["Anna"], ["on"]], "ner_tags": [["B-PER"], ["O"]]}),
            place / f"{split}.parquet",
        )
    for name in ("MANIFEST.json", "SOURCES.md")[: 2 if its_files else 1]:
        (root / name).write_text("{}")
    assert data.split_found("panx", "test", "fi", str(root)) == (
        "heldout_from_train" if its_files else "test"
    )


@pytest.mark.parametrize(
    "source, can_change, endless, has_dials, title",
    [
        ("mini", False, True, True, "embedded synthetic benchmark"),
        ("mini:seed=1", False, True, True, "embedded synthetic benchmark (seed 1)"),
        ("hub", True, False, False, "Hugging Face Hub"),
        ("/rows/mine", True, False, False, "local rows (mine)"),
        ("minimal", True, False, False, "local rows (minimal)"),
    ],
)
def test_a_source_answers_by_its_name(source, can_change, endless, has_dials, title):
    found = data.can_change(source), data.endless(source), data.has_dials(source)
    assert found == (can_change, endless, has_dials) and data.where(source) == title


def test_every_source_has_the_same_interface():
    modules = [data.sources.module(source) for source in ("mini", "hub", "/rows")]
    for name in (
        "languages blocks split_found fingerprint texts texts_fingerprint check title CAN_CHANGE "
        "ENDLESS"
    ).split():
        assert all(hasattr(module, name) for module in modules), name
        if name.islower():
            counts = {
                len(inspect.signature(getattr(module, name)).parameters) for module in modules
            }
            assert len(counts) == 1, name
