"""What the page about the benchmark shows: every language, every task, nothing unfilled, every
script its own way."""

import re

import pandas as pd
import pytest

from xstilts import synthetic
from xstilts.book import tables
from xstilts.chapters.embedded import benchmark
from xstilts.synthetic.dials import LEVELS, PLAIN
from xstilts.tasks.table import TASKS


def texts(table):
    return [str(cell) for cell in table.to_numpy().flat]


def test_ten_sentences_in_every_language():
    table = benchmark.sentences(synthetic.LANGUAGES)
    assert table.shape == (len(synthetic.LANGUAGES), 11) and table.language[0] == "English (en)"
    assert len(set(texts(table))) == table.size, "two languages say the same"
    assert not any(re.search(r"[{}|]|  ", text) for text in texts(table))


def test_every_task_is_shown_in_both_languages():
    shown = [benchmark.examples(role, "ar", "mini") for role in ("intermediate", "target")]
    titles = {title for table in shown for title in table.task if title}
    assert titles == {
        TASKS[name].title for name in synthetic.TASKS if name not in (*synthetic.AFRICAN, "text")
    }
    for table in shown:
        for part, english, arabic in table[["part", "English", "Arabic (ar)"]].itertuples(
            index=False
        ):
            assert english and arabic and (part == "label" or re.search("[\u0600-\u06ff]", arabic))


def test_every_difficulty_has_an_example():
    table = benchmark.levels(PLAIN)
    assert len(table) == len(LEVELS) * len(synthetic.INTERMEDIATE) and all(
        texts(table[["example"]])
    )


def test_readers_are_fitted_once(tmp_path, monkeypatch):
    monkeypatch.setenv("XSTILTS_CACHE", str(tmp_path))
    asked = []
    monkeypatch.setattr(
        benchmark.shortcut_readers,
        "scores",
        lambda name, source, test: asked.append(name) or {"a reader": 100 / 3},
    )
    first = benchmark.shortcuts("mini", rows=20)
    assert len(asked) == len(set(asked)) == len(first) and set(first.score) == {100 / 3}
    assert benchmark.shortcuts("mini", rows=20).equals(first) and len(asked) == len(first)
    benchmark.shortcuts("mini:difficulty=3", rows=20)
    assert len(asked) == 2 * len(first), "other rows, other scores"


def test_noise_is_shown_beside_the_true_sentence():
    table = benchmark.translations(("en", "fi"), (0.0, 0.3), rows=20)
    assert list(table.language) == ["Finnish (fi)"] * 2 and table.chrF[0] == 100 > table.chrF[1]
    assert (
        table.premise[0]
        == synthetic.rows("mnli", "fi", "train", 3)[2]["premise"]
        != table.premise[1]
    )


@pytest.mark.parametrize(
    "text, way",
    [
        ("ريتا تعيش في اليابان.", "rtl"),
        ("1. ريتا", "rtl"),
        ('"ريتا"', "rtl"),
        ("Rita lives in Japan.", ""),
        ("丽塔住在日本。", ""),
        ("12.5", ""),
    ],
)
def test_a_cell_runs_as_its_text_does(text, way):
    cell = re.search("<td([^>]*)>", tables.show(pd.DataFrame([[text]])).data).group(1)
    assert ('dir="rtl"' in cell) == bool(way)


def test_what_is_shown_is_escaped():
    assert "<script>" not in tables.show(pd.DataFrame([["<script>alert(1)</script> ريتا"]])).data
