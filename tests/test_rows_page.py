"""The page on the rows: its tables are those of the committed counts, and the counts are right."""

import os
from pathlib import Path

import pandas as pd
import pytest

from xstilts.book.reference import rows_page
from xstilts.errors import UserError
from xstilts.public_rows import counts, raw, rows, sources
from xstilts.tasks.table import TASKS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "book" / "rows.md").read_text(encoding="utf-8")
COUNTED, OVERLAP = (pd.read_csv(ROOT / "book" / name) for name in ("rows.csv", "rows_overlap.csv"))


def test_the_page_has_the_tables_of_the_counts():
    assert rows_page.filled(PAGE, COUNTED, OVERLAP) == PAGE
    assert PAGE.count("% table: ") == PAGE.count("% end") == 6
    for about in sources.data_sets().values():
        assert PAGE.count(f"| {about['title']} |") >= 4, about["title"]
    assert f"reads {len(COUNTED)} files" in PAGE and f"of {len(raw.known())} raw files" in PAGE
    megabytes = round(sum(file.size for file in raw.known().values()) / 1e6)
    assert f"from GitHub, {megabytes} MB" in PAGE
    assert "file: book/rows\n" in (ROOT / "_toc.yml").read_text()


def test_every_file_is_counted_with_the_rows_that_it_has():
    counted = dict(zip(COUNTED.file, COUNTED.rows, strict=True))
    assert counted == {path: known.rows for path, known in sources.known().items()}
    assert [*COUNTED.columns] == counts.COLUMNS


def test_a_table_that_there_is_none_of_is_told():
    with pytest.raises(UserError, match="a table 'foo'; known: data sets"):
        rows_page.filled("% table: foo\n% end", COUNTED, OVERLAP)


def table(path, columns):
    return sources.Table(path, (), list, columns)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Four small files of a study."""
    tagged = {"tokens": ["string"], "pos_tags": [("NOUN", "VERB")]}
    made = [
        (
            table("mnli/default/train", sources.PAIR),
            [
                {"premise": "One.", "hypothesis": "Two!", "label": 0},
                {"premise": "One.", "hypothesis": "Two!", "label": 1},
            ],
        ),
        (
            table("xnli/en/test", sources.PAIR),
            [
                {"premise": "One.", "hypothesis": "Two!", "label": 2},
                {"premise": "one", "hypothesis": "TWO", "label": 2},
                {"premise": "Three", "hypothesis": "Two!", "label": 1},
            ],
        ),
        (
            table("xnli/ru/test", sources.PAIR),
            [
                {"premise": "Да", "hypothesis": "не", "label": 0},
                {"premise": "Да", "hypothesis": "OK", "label": 1},
            ],
        ),
        (table("udpos/Russian/test", tagged), [{"tokens": ["Да", "да"], "pos_tags": [1, 1]}]),
        (table("bucc2018/bucc18.zh/gold_ids", {"source_id": "string"}), [{"source_id": "1"}]),
    ]
    for one, found in made:
        path = tmp_path / one.name
        path.parent.mkdir(parents=True)
        path.write_bytes(rows.parquet(found, one.columns))
    monkeypatch.setattr(counts, "tables", lambda: [one for one, _ in made])
    return tmp_path


def test_rows_are_counted(folder):
    found = counts.count(folder).set_index("file").astype(object).fillna("")
    assert found.loc["mnli/default/train"].to_list() == [
        *(2, 1, 8.0, 8, "entailment 1; neutral 1", 1.0)
    ]
    assert found.loc["xnli/ru/test"].to_list() == [2, 0, 4.0, 4, "entailment 1; neutral 1", 0.75]
    assert found.loc["udpos/Russian/test"].to_list() == [1, 0, 4.0, 4, "VERB 2", 1.0]
    assert found.loc["bucc2018/bucc18.zh/gold_ids"].to_list() == [1, 0, 0.0, 0, "", ""]


def test_overlap_is_counted_by_language(folder):
    found = counts.overlap(folder).values.tolist()
    assert found == [["XNLI", TASKS["mnli"].title, "en", 3, 1, 2], ["XNLI", "MNLI", "ru", 2, 0, 0]]


def test_the_counts_are_those_of_the_studys_rows(realdata, monkeypatch):
    some = sources.tables()[:: 1 if os.environ.get("XSTILTS_LONG") else 29]
    monkeypatch.setattr(counts, "tables", lambda: some)
    wanted = COUNTED[COUNTED.file.isin([one.path for one in some])].reset_index(drop=True)
    found = counts.count(Path(realdata))
    found["labels"] = found["labels"].replace("", float("nan"))
    pd.testing.assert_frame_equal(found, wanted)
