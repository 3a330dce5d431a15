"""Ids decide what belongs together: unique, repeated, null or empty, they never do so by
accident."""

import json

import hubrows
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xstilts import data, encoders
from xstilts.data.rows import Block, read
from xstilts.errors import UserError
from xstilts.runs import results
from xstilts.study import graph, phases, profiles
from xstilts.tasks import columns, metrics
from xstilts.tasks.kinds import rank
from xstilts.tasks.table import TASKS
from xstilts.tools import submission
from xstilts.training import evaluate
from xstilts.training.recipe import Recipe

LAREQA, MEWSLIX = TASKS["lareqa"], TASKS["mewslix"]
RECIPE = Recipe(
    steps=0, epochs=0, batch_size=8, learning_rate=0.0, max_length=32, rows=0, precision="fp32"
)
IDS = st.lists(
    st.sampled_from(["", "q", "q (2)", "q (3)", "None", "0", "1", "한"])
    | st.none()
    | st.integers(0, 3),
    max_size=12,
)


@given(IDS)
def test_each_answer_has_an_id_of_its_own_on_both_sides_of_a_submission(ids):
    rows = [
        columns.question(
            {
                "id": name,
                "question": "?",
                "context": "a",
                "answers": {"text": ["a"], "answer_start": [0]},
            }
        )
        for name in ids
    ]
    named = [
        row["id"] or str(number) for number, row in enumerate(rows)
    ]  # as a run writes its predictions
    part = pd.DataFrame(
        {
            "id": named,
            "prediction": [f"said {n}" for n in range(len(ids))],
            "golds": [json.dumps([f"said {n}" if n % 2 else "other"]) for n in range(len(ids))],
        }
    )
    ours, gold = map(json.loads, submission._answers(part, "en"))
    asked = [
        question
        for article in gold["data"]
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    ]
    assert len(ours) == len(ids) and [question["id"] for question in asked] == list(ours)
    assert [ours[question["id"]] for question in asked] == list(part.prediction)
    assert [question["answers"][0]["text"] == ours[question["id"]] for question in asked] == [
        n % 2 == 1 for n in range(len(ids))
    ]
    assert all(
        name == kept for name, kept in zip(named, ours, strict=True) if named.count(name) == 1
    )  # as the rows have it
    assert "None" not in ours or "None" in ids


def test_null_is_no_id():
    assert [columns.identity(value) for value in (None, "", " ", 7, "q")] == ["", "", "", "7", "q"]


def block(task, items):
    return Block("made", task, task.read, None, items), [
        (0, number) for number in range(len(items))
    ]


def mention(number, entity, text=None):
    return {
        "mention": f"[Anna] {number}",
        "entity": entity,
        "description": text or f"entity {entity}",
    }


@pytest.mark.parametrize("none", [None, "", " "])
def test_rows_without_an_entity_are_dropped_and_counted(none):
    blocks, chosen = block(
        MEWSLIX, [mention(number, f"Q{number}") for number in range(20)] + [mention(20, none)] * 2
    )
    found = read([blocks], chosen)
    assert len(found) == 20 and found.dropped == {"no entity": 2}


@pytest.mark.parametrize("none", [None, "", " "])
def test_questions_without_an_id_are_refused_where_ids_decide_what_is_right(none):
    item = hubrows.row(LAREQA, LAREQA.sources[0], "de", 3) | {"id": none}
    blocks, chosen = block(LAREQA, [item])
    with pytest.raises(
        UserError, match="row 0, column id: there is none.*give each question its own"
    ):
        read([blocks], chosen)
    blocks, chosen = block(TASKS["xquad"], [item])
    assert read([blocks], chosen)[0]["id"] == ""  # there it decides nothing


def test_a_row_of_tydiqa_without_an_id_has_no_language():
    row = {"id": "korean-1", "question": "?"}
    assert columns.is_tydiqa_language(row, "ko") and not columns.is_tydiqa_language(row, "fi")
    with pytest.raises(UserError, match="no id, which says its language"):
        columns.is_tydiqa_language(row | {"id": None}, "ko")


def passage(name, number):
    return {
        "id": name,
        "query": f"which {number}",
        "answer": (f"answer {number}", ""),
        "sentences": ((f"answer {number}", ""),),
    }


def test_an_id_of_two_questions_in_one_language_is_refused():
    rows = [passage("a", 0), passage("b", 1), passage("a", 0)]
    assert rank.candidates({"en": rows, "de": [passage("a", 2)]})[1] == {"a": {0, 2}, "b": {1}}
    with pytest.raises(
        UserError, match="de: the id 'a' stands for two questions .'which 0', 'which 3'"
    ):
        rank.candidates({"en": rows, "de": [*rows, passage("a", 3)]})


@pytest.mark.parametrize("ids", [["1", "2"], ["1", "1"], ["", ""]])
def test_dev_questions_of_squad_are_right_by_what_they_ask(ids):
    """Copies of SQuAD lack ids; a wrong ranking must not count because two rows lack one."""
    rows = [
        rank.as_ranking(
            {
                "question": f"{n}?",
                "context": f"One. Two {n}.",
                "answers": (f"Two {n}",),
                "starts": (5,),
                "id": name,
            }
        )
        for n, name in enumerate(ids)
    ]
    texts, relevant = rank.candidates({"en": rows})
    wrong = [[texts.index(rows[1]["answer"])], [texts.index(rows[0]["answer"])]]
    assert metrics.value(rank.examples(wrong, rows, relevant)) == 0


def test_an_entity_counts_once_whatever_describes_it():
    rows = {
        "en": [columns.mention(mention(0, "Q1")), columns.mention(mention(1, "Q2"))],
        "de": [
            columns.mention(mention(2, "Q1", "another description")),
            columns.mention(mention(3, "Q3", "entity Q2")),
        ],
    }
    texts, relevant = rank.entities(rows)
    assert texts == [("entity Q1", ""), ("entity Q2", ""), ("entity Q2", "")]
    assert relevant == {"Q1": {0}, "Q2": {1}, "Q3": {2}}
    # the reference's score: one over the rank of the entity
    assert metrics.value(rank.examples([[1, 0, 2]], rows["de"][:1], relevant)) == 50


def write(folder, rows, **more):
    for language, items in rows.items():
        (folder / "mewsli-x" / language).mkdir(parents=True)
        for split in ("train", "validation", "test"):
            pd.DataFrame(items).to_parquet(folder / "mewsli-x" / language / f"{split}.parquet")
    for name, items in more.items():
        pd.DataFrame(items).to_parquet(folder / "mewsli-x" / f"{name}.parquet")


def test_a_file_of_candidates_is_searched_and_fingerprinted(fresh, tiny_encoder, tmp_path):
    rows = {
        language: [
            mention(number, f"Q{number}", f"{language} entity {number}") for number in range(8)
        ]
        for language in ("en", "de")
    }
    write(tmp_path, rows)
    source = str(tmp_path)
    before = data.fingerprint("mewslix", "test", ("en",), source)
    assert not data.candidates("mewslix", source) and data.languages("mewslix", source) == (
        "de",
        "en",
    )
    pd.DataFrame(
        [{"entity": f"Q{number}", "description": f"all {number}"} for number in range(30)]
    ).to_parquet(tmp_path / "mewsli-x" / "candidates.parquet")
    data.fingerprint.cache_clear()
    assert data.fingerprint("mewslix", "test", ("en",), source) != before
    assert data.languages("mewslix", source) == ("de", "en") and "all 29" in set(data.texts(source))
    file, part = (
        data.candidates("mewslix", source),
        {"en": data.load("mewslix", "test", "en", source)},
    )
    texts, relevant = rank.entities({"file": file, **part})
    assert len(texts) == 30 and texts[3] == ("all 3", "") and relevant["Q7"] == {7}
    model, tokenizer = encoders.load(tiny_encoder)
    predictions, by_metric = evaluate.ranking(
        model, tokenizer, MEWSLIX, part, RECIPE, pool={"file": file, **part}
    )["en"]
    assert (
        set(predictions) <= {f"all {number}" for number in range(30)}
        and len(by_metric["mAP@20"]) == 8
    )


def test_few_scored_rows_do_not_make_a_search_easier(fresh, tiny_encoder, tmp_path, monkeypatch):
    hubrows.write(tmp_path, LAREQA)
    hubrows.write(tmp_path, TASKS["squad"])
    source, asked, real = str(tmp_path), [], rank.candidates
    assert (
        len(data.load("lareqa", "test", "en", source, 4)) == 4
        and len(data.pool("lareqa", "test", "en", source, 4)) == 12
    )
    assert (
        len(data.pool("lareqa", "test", "en", "mini", 4)) == 4
    )  # which makes rows as they are asked for
    study = profiles.study(
        "small",
        encoder=str(tiny_encoder),
        data=source,
        intermediates=[],
        targets="lareqa",
        languages="en",
        phase1_steps=0,
        phase3_steps=1,
        eval_rows=4,
        max_length=64,
        vocabulary="full",
    )
    monkeypatch.setattr(
        rank, "candidates", lambda rows: asked.append(sum(map(len, rows.values()))) or real(rows)
    )
    run = phases.phase3(study, phases.base(study), "lareqa", 0)
    graph.compute([run])
    scores = results.scores({("none", "lareqa", 0): run})
    assert asked[-1] == 12 and set(scores.n) == {4} and scores.value.notna().all()
