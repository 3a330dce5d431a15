"""What a score rests on: changed rows are other data, rows seen in training are counted, fewer rows
than there are are told."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts import data
from xstilts.analysis import score_tables
from xstilts.book import tables
from xstilts.data.overlap import Seen, normalised
from xstilts.runs import results
from xstilts.runs.key import key
from xstilts.study import graph, phases, profiles
from xstilts.study.conditions import NONE


@pytest.fixture
def folder(tmp_path):
    """XNLI and MNLI in a local folder: 40 training rows, of which test rows repeat some."""
    train = [
        {
            "premise": f"It rains in town {number}.",
            "hypothesis": f"It is wet in {number}.",
            "label": number % 3,
        }
        for number in range(40)
    ]
    test = (
        train[:3]
        + [{**train[3], "premise": "it RAINS in  town 3"}]
        + [
            {"premise": f"The sun {number}", "hypothesis": f"shines {number}", "label": number % 3}
            for number in range(26)
        ]
    )
    for place, split, rows in (
        ("mnli/default", "train", train),
        ("mnli/default", "validation_matched", train),
        ("xnli/en", "test", test),
        ("xnli/fi", "test", test[4:]),
    ):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).to_parquet(tmp_path / place / f"{split}.parquet")
    return tmp_path


def asked(folder, encoder, **more):
    for cached in (data.load, data.languages, data.fingerprint):
        cached.cache_clear()
    return profiles.study(
        data=str(folder),
        encoder=str(encoder),
        targets="xnli",
        intermediates="mnli",
        phase1_steps=0,
        phase3_steps=2,
        phase3_rows=0,
        max_length=32,
        vocabulary="full",
        **more,
    )


def test_rows_seen_in_training_are_counted_and_reported(folder, tiny_encoder):
    study = asked(folder, tiny_encoder, eval_rows=0)
    wanted = {(NONE, "xnli", 0): phases.phase3(study, phases.base(study), "xnli", 0)}
    graph.compute(wanted.values())
    assert results.overlap(wanted).to_dict("records") == [
        {"target": "xnli", "rows": 56, "exact": 3, "normalised": 4}
    ]
    assert "<td" in tables.show(results.overlap(wanted)).data
    table, examples = results.scores(wanted), results.examples(wanted)
    assert "of" not in score_tables.scores(study, table, examples)  # every row was scored


def test_a_score_on_fewer_rows_than_the_split_has_says_so(folder, tiny_encoder):
    study = asked(folder, tiny_encoder, eval_rows=10)
    wanted = {(NONE, "xnli", 0): phases.phase3(study, phases.base(study), "xnli", 0)}
    graph.compute(wanted.values())
    table, examples = results.scores(wanted), results.examples(wanted)
    assert dict(zip(table.language, zip(table.n, table.of, strict=True), strict=True)) == {
        "en": (10, 30),
        "fi": (10, 26),
    }
    for shown in (
        score_tables.scores(study, table, examples),
        score_tables.differences(study, table, examples),
    ):
        assert (
            list(shown.n) == [10] and list(shown.of) == ["26"] and "n of" in " ".join(shown.columns)
        )


def test_one_changed_row_is_other_data(folder, tiny_encoder):
    def run():
        study = asked(folder, tiny_encoder)
        return key(phases.phase3(study, phases.base(study), "xnli", 0))

    before = run()
    assert run() == before
    path = folder / "xnli" / "fi" / "test.parquet"
    table = pd.read_parquet(path)
    table.loc[7, "hypothesis"] += " "
    table.to_parquet(path)
    assert run() != before


@pytest.mark.parametrize(
    "kind, row, other",
    [
        ("classify", {"texts": ("Ça va?", "Oui")}, {"texts": ("ça va", "OUI!")}),
        ("tag", {"words": ["The", "cat", "."]}, {"words": ["the", "Cat", ""]}),
        ("span", {"question": "Who?", "context": "A. B"}, {"question": "who", "context": "a b"}),
        (
            "choice",
            {"context": "It", "choices": ("a", "b")},
            {"context": "it ", "choices": ("A", "b.")},
        ),
        ("rank", {"query": "Who?"}, {"query": "WHO"}),
        ("mlm", {"text": "ﬁne"}, {"text": "FINE."}),
    ],
)
def test_overlap_of_every_kind(kind, row, other):
    assert Seen([row], kind).overlap([row, other, row]) == (2, 3)
    assert Seen([], kind).overlap([row]) == (0, 0)


@given(st.lists(st.text(max_size=8), min_size=1, max_size=3))
def test_copies_that_differ_in_marks_are_the_same_and_other_rows_are_not(texts):
    row = {"texts": tuple(texts)}
    assert normalised(tuple(texts)) == normalised(tuple(f" {text}!\t" for text in texts))
    assert Seen([row], "classify").overlap([row, {"texts": (*texts, "x")}]) == (1, 1)
