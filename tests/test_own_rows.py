"""A person's own rows: files as people make them become a target of the study, or are refused in a
clear sentence."""

import csv
import json

import own_files
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xstilts import data, own
from xstilts.errors import UserError
from xstilts.own import columns, languages, splits, tables
from xstilts.own.rows import Item
from xstilts.tasks.table import TASKS

SPLITS = ("train", "validation", "test")


def load(name, language="en"):
    return {
        split: data.load(name, split, language, "mini")
        for split in SPLITS
        if language in data.languages(name, "mini", split)
    }


def notes(added):
    return "\n".join(added.notes)


def test_a_table_of_reviews_becomes_a_target_that_the_data_layer_reads(tmp_path):
    rows = own_files.reviews()
    added = own.add(str(own_files.csv(tmp_path / "My Reviews.csv", rows)), columns=["text=review"])
    assert (added.name, added.kind, added.trained_in) == ("my-reviews", "classify", "en")
    row, there = TASKS["my-reviews"], load("my-reviews")
    assert row.labels == ("bad", "good", "mixed") and row.own and row.role == "target"
    found = {
        (*item["texts"], row.labels[item["label"]]) for part in there.values() for item in part
    }
    assert found == set(rows)
    assert sum(map(len, there.values())) == len(rows) and all(map(len, there.values()))


def test_the_study_does_not_see_own_targets(tmp_path):
    before = list(TASKS), data.available("mini")
    own.add(str(own_files.csv(tmp_path / "reviews.csv", own_files.reviews())))
    assert (list(TASKS), data.available("mini")) == before
    assert "reviews" in TASKS and "nothing-of-it" not in TASKS
    with pytest.raises(KeyError):
        TASKS["nothing-of-it"]


@pytest.mark.parametrize("kind", ["classify", "pairs", "tag", "span", "choice", "retrieve"])
@pytest.mark.parametrize("ending", ["jsonl", "parquet", "json"])
def test_each_kind_is_recognised_by_its_columns(kind, ending, tmp_path):
    rows, path = own_files.of_kind(kind), tmp_path / f"mine.{ending}"
    if ending == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif ending == "json":
        path.write_text(json.dumps(rows))
    else:
        own_files.jsonl(path, rows)
    added = own.add(str(path))
    assert added.kind == ("classify" if kind == "pairs" else kind)
    first = load("mine")["test"][0]
    if kind in ("classify", "pairs"):
        assert len(first["texts"]) == (2 if kind == "pairs" else 1)
    assert TASKS["mine"].module.baseline(load("mine")["test"], TASKS["mine"]) < 100


FAULTS = {
    # what people's programs write: (content in bytes, words of a note or "")
    "semicolons": (b"text;label\n", "semicolons"),
    "tabs": (b"text\tlabel\n", "tabs"),
    "byte order mark": (b"\xef\xbb\xbftext,label\n", ""),
    "Excel's own line": (b"sep=;\r\ntext;label\n", "semicolons"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_programs_write_otherwise_is_read(fault, tmp_path):
    header, said = FAULTS[fault]
    delimiter = header.split(b"text")[1][:1].decode()
    body = "".join(f"{text}{delimiter}{label}\n" for text, label in own_files.reviews())
    (tmp_path / "mine.csv").write_bytes(header + body.encode())
    added = own.add(str(tmp_path / "mine.csv"))
    assert sum(map(len, load("mine").values())) == 200
    assert said in notes(added)


def test_latin_1_and_utf_16_are_read_and_the_first_is_told(tmp_path):
    rows = [(f"{text} größer", label) for text, label in own_files.reviews(language="de")]
    for encoding, told in (("latin-1", True), ("utf-16", False)):
        path = own_files.csv(tmp_path / "mine_de.csv", rows, encoding=encoding)
        added = own.add(str(path), columns=["text=review"])
        assert ("Windows-1252" in notes(added)) == told
        assert all("größer" in item["texts"][0] for item in load("mine-de", "de")["test"])


def test_quotes_of_excel_keep_delimiters_lines_and_quotes_in_a_text(tmp_path):
    rows = [(f'He said "{text}",\nthen; left', label) for text, label in own_files.reviews()]
    with open(tmp_path / "mine.csv", "w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    own.add(str(tmp_path / "mine.csv"))
    assert {item["texts"][0] for item in load("mine")["train"]} <= {text for text, _ in rows}


def test_a_quote_that_nobody_closed_does_not_swallow_rows(tmp_path):
    rows = own_files.reviews()
    rows[10] = ('"' + rows[10][0], rows[10][1])
    own_files.csv(tmp_path / "mine.tsv", rows, ("text", "label"), "\t")
    own.add(str(tmp_path / "mine.tsv"))
    assert sum(map(len, load("mine").values())) == 200


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts=st.lists(st.text("ab,;|\t\"'\nß ", min_size=1, max_size=12), min_size=3, max_size=12))
def test_any_text_that_a_csv_writer_quotes_comes_back(texts, tmp_path_factory):
    tmp_path = tmp_path_factory.mktemp("table")
    with open(tmp_path / "mine.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerows([("text", "label"), *((text, "x") for text in texts)])
    [table] = tables.read(str(tmp_path / "mine.csv"), [])
    assert [row["text"] for row in table.rows] == texts


def test_labels_with_blanks_or_another_case_are_one(tmp_path):
    rows = own_files.reviews()
    rows[0], rows[3] = (rows[0][0], " Good "), (rows[3][0], "good\u00a0")
    added = own.add(str(own_files.csv(tmp_path / "mine.csv", rows, ("text", "label"))))
    assert TASKS["mine"].labels == ("bad", "good", "mixed")
    assert "differ in case are one: Good → good" in notes(added)


def test_whole_numbers_in_a_table_with_holes_are_labels(tmp_path):
    rows = [{"text": text, "label": float(len(label))} for text, label in own_files.reviews()]
    rows.append({"text": "unlabelled here", "label": None})
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "mine.parquet")
    added = own.add(str(tmp_path / "mine.parquet"))
    assert TASKS["mine"].labels == ("3", "4", "5") and added.rows["en", "unlabelled"] == 1


REFUSED = {
    # name -> (rows, header, words)
    "one class": (
        [(t, "x") for t, _ in own_files.reviews()],
        ("text", "label"),
        "nothing to learn",
    ),
    "12 rows": (own_files.reviews(12), ("text", "label"), "too few labelled rows"),
    "ids for labels": (
        [(t, f"id{n}") for n, (t, _) in enumerate(own_files.reviews())],
        ("text", "label"),
        "200 different labels in 200 places.*no label",
    ),
    "no such columns": (own_files.reviews(), ("a", "b"), "it has a, b.*--column"),
    "one column": ([(t,) for t, _ in own_files.reviews()], ("text",), "there is one column"),
    "a column twice": (own_files.reviews(), ("text", "text"), "two columns are named 'text'"),
    "fields without quotes": (
        [(f"{t}, and {t}", label) for t, label in own_files.reviews()],
        ("text", "label"),
        "row 1 has 3 fields between commas, and the header has 2.*need quotes",
    ),
    "a language that is none": (
        [(t, label, "klingonic") for t, label in own_files.reviews()],
        ("text", "label", "lang"),
        "row 1, column lang: 'klingonic' is no language",
    ),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_rows_that_are_no_target_are_refused_in_words(fault, tmp_path):
    rows, header, words = REFUSED[fault]
    with pytest.raises(UserError, match=f"(?s){words}"):
        own.add(str(own_files.csv(tmp_path / "mine.csv", rows, header)))
    assert "mine" not in TASKS


def test_ten_thousand_tags_are_refused(tmp_path):
    rows = own_files.of_kind("tag")
    for number, row in enumerate(rows):
        row["ner"] = [f"tag{number} {place}" for place in range(len(row["words"]))]
    rows += [{"words": ["a"] * 400, "ner": [f"t{n} {m}" for m in range(400)]} for n in range(3)]
    with pytest.raises(UserError, match="different labels in .* no label"):
        own.add(str(own_files.jsonl(tmp_path / "mine.jsonl", rows)))
    rows = own_files.of_kind("tag")
    rows[5]["ner"].pop()
    with pytest.raises(UserError, match="row 6: 8 words and 7 tags"):
        own.add(str(own_files.jsonl(tmp_path / "mine.jsonl", rows)))


def test_spans_that_do_not_match_are_found_or_left_out(tmp_path):
    rows = own_files.of_kind("span")
    for row in rows:
        row["answer_start"] = row["passage"].index(row["answer"]) + 1  # another program counts so
    rows[0] |= {"answer": "nowhere at all"}
    added = own.add(str(own_files.jsonl(tmp_path / "mine.jsonl", rows)))
    assert "119 answers that were not at their start" in notes(added)
    assert "1 rows whose answer is not in the context were left out" in notes(added)
    for item in load("mine")["test"]:
        start = item["starts"][0]
        assert item["context"][start : start + len(item["answers"][0])] == item["answers"][0]


@pytest.mark.parametrize("labels", ["abc", "123", "012", "text"])
def test_the_right_choice_is_a_letter_a_number_or_a_text(labels, tmp_path):
    rows = own_files.of_kind("choice")
    for number, row in enumerate(rows):
        place = number % 3
        row["label"] = row["endings"][place] if labels == "text" else labels[place]
    added = own.add(str(own_files.jsonl(tmp_path / "mine.jsonl", rows)))
    assert ("count from 1" in notes(added)) == (labels == "123")
    places = {row["ctx"]: number % 3 for number, row in enumerate(rows)}
    assert all(
        item["label"] == places[item["context"]] for part in load("mine").values() for item in part
    )


# ---------------------------------------------------------------- splits and languages


def texts_of(name, language="en"):
    return {
        split: {TASKS[name].module.texts(item)[0].casefold() for item in part}
        for split, part in load(name, language).items()
    }


def test_found_splits_stay_and_training_rows_give_way(tmp_path):
    train, test = own_files.reviews(150), own_files.reviews(80, seed=1)
    (tmp_path / "mine").mkdir()
    own_files.csv(tmp_path / "mine" / "train.csv", [*train, *test[:7], *train[:5]])
    shouted = [(text.upper(), label) for text, label in test[:1]]  # the same but for case
    own_files.csv(tmp_path / "mine" / "test.csv", [*test[1:], *shouted])
    added = own.add(str(tmp_path / "mine"), columns=["text=review"])
    there = texts_of("mine")
    assert len(there["test"]) == 80 and len(there["train"]) + len(there["validation"]) == 150
    assert not there["train"] & there["test"] and not there["validation"] & there["test"]
    assert "there is no validation split" in notes(added)
    assert "rows are repetitions" in notes(added) and "a text of another split" in notes(added)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([f"text {n}" for n in range(60)]),
            st.sampled_from("xyz"),
            st.sampled_from(["", "train", "validation", "test"]),
            st.sampled_from(["en", "de"]),
        ),
        min_size=80,
        max_size=300,
    )
)
def test_no_text_is_ever_in_two_splits(rows):
    items = [
        Item({"texts": [text], "label": label}, True, language, split)
        for text, label, split, language in rows
    ]
    try:
        found = splits.split(splits.once(items, []), "en", [])
    except UserError:
        return
    there = {split: {item.texts() for item in found if item.split == split} for split in SPLITS}
    assert not there["train"] & there["validation"]
    assert not there["train"] & there["test"] and not there["validation"] & there["test"]
    assert all(item.language == "en" for item in found if item.split != "test")


def test_a_language_whose_rows_all_have_one_label_is_not_scored(tmp_path):
    rows = [(text, label, "en") for text, label in own_files.reviews()]
    rows += [(text, "good", "de") for text, label in own_files.reviews(40, "de")]
    added = own.add(str(own_files.csv(tmp_path / "mine.csv", rows, ("text", "label", "lang"))))
    assert "all scored rows in 'de' have the label 'good'" in notes(added)
    assert data.languages("mine", "mini", "test") == ("en",)


def test_a_label_of_test_rows_alone_is_told(tmp_path):
    (tmp_path / "mine").mkdir()
    own_files.csv(tmp_path / "mine" / "train.csv", own_files.reviews(150), ("text", "label"))
    rows = [*own_files.reviews(60, seed=1), ("a text of its own", "odd")]
    own_files.csv(tmp_path / "mine" / "test.csv", rows, ("text", "label"))
    added = own.add(str(tmp_path / "mine"))
    assert "labels that no training row has cannot be learned" in notes(added)
    assert "odd (1 places)" in notes(added) and "odd" in TASKS["mine"].labels


def test_languages_come_from_a_column_or_the_files_name(tmp_path):
    rows = [(text, label, "en-US") for text, label in own_files.reviews()]
    rows += [(text, label, "German") for text, label in own_files.reviews(40, "de")]
    own.add(str(own_files.csv(tmp_path / "mine.csv", rows, ("text", "label", "lang"))))
    assert data.languages("mine", "mini", "test") == ("de", "en")
    assert data.languages("mine", "mini", "train") == ("en",)
    (tmp_path / "two").mkdir()
    own_files.csv(tmp_path / "two" / "reviews_en.csv", own_files.reviews(), ("text", "label"))
    own_files.csv(tmp_path / "two" / "reviews_de.csv", own_files.reviews(40, "de"), ("text", "y"))
    own.add(str(tmp_path / "two"))
    assert data.languages("two", "mini", "test") == ("de", "en")


@pytest.mark.parametrize(
    "names, expected",
    [
        (("test.de",), "de"),
        (("de", "test"), "de"),
        (("german",), "de"),
        (("my_reviews",), ""),
        (("reviews-sw_train",), "sw"),
        (("data", "deu"), "de"),
        (("train",), ""),
    ],
)
def test_a_name_says_a_language(names, expected):
    assert languages.of_names(names) == expected


def test_mislabelled_languages_are_doubted(tmp_path):
    rows = [(text, label, "en") for text, label in own_files.reviews()]
    rows += [(text, label, "ru") for text, label in own_files.reviews(40, "de")]
    rows += [(text, label, "bg") for text, label in own_files.reviews(40, "ru")]
    added = own.add(str(own_files.csv(tmp_path / "mine.csv", rows, ("text", "label", "lang"))))
    [doubt] = [note for note in added.notes if "letters" in note]
    assert "'ru' are mostly in Latin letters" in doubt and "Cyrillic" in doubt


def test_a_target_in_another_language_is_trained_in_it(tmp_path):
    own_files.csv(tmp_path / "kritiken_de.csv", own_files.reviews(language="de"))
    added = own.add(str(tmp_path / "kritiken_de.csv"), columns=["text=review"])
    assert added.trained_in == TASKS[added.name].trained_in == "de"
    assert data.languages(added.name, "mini", "train") == ("de",)


def test_unlabelled_rows_lie_beside_the_scored_ones(tmp_path):
    (tmp_path / "mine").mkdir()
    own_files.csv(tmp_path / "mine" / "en.csv", own_files.reviews(), ("text", "label"))
    rows = [(text,) for text, _ in own_files.reviews(30, "de")]
    own_files.jsonl(tmp_path / "mine" / "de.jsonl", [{"text": text} for (text,) in rows])
    added = own.add(str(tmp_path / "mine"))
    assert added.rows["de", "unlabelled"] == 30
    assert data.languages("mine", "mini", "test") == ("en",)


def test_another_reading_of_the_same_rows_has_the_same_fingerprint(tmp_path):
    path = own_files.csv(tmp_path / "mine.csv", own_files.reviews(), ("text", "label"))
    own.add(str(path))
    before = data.fingerprint("mine", "train", ("en",), "mini")
    own.add(str(path))
    assert data.fingerprint("mine", "train", ("en",), "mini") == before
    own_files.csv(path, own_files.reviews(201), ("text", "label"))
    own.add(str(path))
    assert data.fingerprint("mine", "train", ("en",), "mini") != before


def test_names_that_a_target_cannot_have(tmp_path):
    path = str(own_files.csv(tmp_path / "xnli.csv", own_files.reviews(), ("text", "label")))
    assert own.add(path).name == "my-xnli"
    for name, words in (("xnli", "is a task of the study"), ("../x", "small letters")):
        with pytest.raises(UserError, match=words):
            own.add(path, name=name)
    with pytest.raises(UserError, match="write WHAT=COLUMN"):
        columns.named(["review"])
    with pytest.raises(UserError, match="no such file or folder"):
        own.add(str(tmp_path / "nothing.csv"))


def test_a_damaged_description_is_told(tmp_path, monkeypatch):
    own.add(str(own_files.csv(tmp_path / "mine.csv", own_files.reviews(), ("text", "label"))))
    (tmp_path / "targets" / "mine" / "target.toml").write_text('kind = "poem"\n')
    with pytest.raises(UserError, match="does not describe a target.*Make it anew"):
        TASKS["mine"]
