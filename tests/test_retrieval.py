"""Finding sentences: mining with a threshold from other rows, and ranking among the texts of all
languages."""

import numpy as np
import pytest

from xstilts import encoders
from xstilts.errors import UserError
from xstilts.study import profiles
from xstilts.tasks import columns, metrics
from xstilts.tasks.kinds import mine, rank
from xstilts.tasks.table import TASKS
from xstilts.training import evaluate
from xstilts.training.loop import train
from xstilts.training.recipe import Recipe

RECIPE = Recipe(
    steps=2, epochs=0, batch_size=8, learning_rate=1e-3, max_length=64, rows=0, precision="fp32"
)


def world(count, distractors, seed, noise=0.3):
    """Rows to mine, and vectors in which a pair's sides are near each other."""
    draw = np.random.default_rng(seed)
    rows = [{"source": f"s{seed}.{i}", "english": f"e{seed}.{i}"} for i in range(count)]
    rows += [{"source": f"s{seed}.x{i}", "english": ""} for i in range(distractors)]
    rows += [{"source": "", "english": f"e{seed}.y{i}"} for i in range(distractors)]
    shared = draw.normal(size=(count, 24))
    sides = [
        np.concatenate(
            [shared + noise * draw.normal(size=shared.shape), draw.normal(size=(distractors, 24))]
        )
        for _ in range(2)
    ]
    return rows, *sides


def mined(rows, source, english, tuning, centred=False):
    least = mine.threshold(mine.candidates(*tuning[1:], centred), tuning[0])
    return metrics.value(
        mine.examples(
            mine.decode(mine.candidates(source, english, centred), rows, least), rows, None
        )
    )


def test_near_pairs_are_mined_and_far_ones_are_not():
    tuning, scored = world(40, 60, 0), world(40, 60, 1)
    assert mined(*scored, tuning) > 95
    assert mined(*world(40, 60, 2, noise=30), tuning) < 20


def test_centring_takes_away_an_offset():
    tuning, (rows, source, english) = world(40, 60, 0), world(40, 60, 1)
    shifted = (tuning[0], tuning[1] + 20, tuning[2])
    assert mined(rows, source + 20, english, shifted, centred=True) > 95
    assert mined(rows, source + 20, english, shifted) < mined(
        rows, source + 20, english, shifted, centred=True
    )


def test_margin_scores_by_hand():
    """Two sentences a side: each score is the cosine over the mean of both sides' mean cosines."""
    angle = np.deg2rad([0, 90]), np.deg2rad([10, 60])
    x, y = ([[np.cos(a), np.sin(a)] for a in side] for side in angle)
    cosine = np.cos(angle[0][:, None] - angle[1][None, :])
    margin = cosine / (
        (cosine.mean(1)[:, None] + cosine.mean(0)[None, :]) / 2
    )  # two neighbours at most are there
    found = mine.candidates(np.array(x), np.array(y), False)
    assert [score for score, *_ in found] == sorted((score for score, *_ in found), reverse=True)
    assert {(left, right): score for score, left, right in found} == pytest.approx(
        {(0, 0): margin[0, 0], (1, 1): margin[1, 1]}, rel=1e-5
    )


def test_the_threshold_is_where_f1_is_best():
    rows = [{"source": f"s{i}", "english": f"e{i}"} for i in range(4)]
    # right, right, wrong, right: F1 is 1/2.5 after one, 2/3, 4/7, and best, 6/8, after all four;
    # then with the last wrong
    pairs = [(1.4, 0, 0), (1.3, 1, 1), (1.2, 2, 3), (1.0, 3, 3)]
    assert mine.threshold(pairs, rows) == pytest.approx(1.0)
    pairs[-1] = (1.0, 3, 2)
    assert mine.threshold(pairs, rows) == pytest.approx(
        1.25
    )  # half-way between the second and the third


def test_a_sentence_that_stands_twice_is_one_candidate():
    rows = [
        {"source": "a", "english": "A"},
        {"source": "a", "english": "A"},
        {"source": "b", "english": ""},
    ]
    assert mine.sentences(rows, "source") == ["a", "b"] and mine.sentences(rows, "english") == ["A"]
    assert metrics.value(mine.examples(["A", None], rows, None)) == 100
    assert metrics.value(mine.examples(["A", "A"], rows, None)) == pytest.approx(100 * 2 / 3)


def test_random_vectors_mine_nothing_much():
    draw = np.random.default_rng(0)
    rows, *_ = world(50, 50, 3)
    scores = [
        mined(rows, draw.normal(size=(100, 8)), draw.normal(size=(100, 8)), world(50, 50, 4))
        for _ in range(5)
    ]
    assert np.nanmean(scores) < 10


def passages(language, count=6):
    rows = []
    for number in range(count):
        context = (
            f"{language} {number} first. {language} {number} second! {language} {number} third?"
        )
        rows.append(
            columns.answer_sentence(
                {
                    "id": str(number),
                    "question": f"which {number}",
                    "context": context,
                    "answers": {"text": ["x"], "answer_start": [context.index("second")]},
                }
            )
        )
    return rows


def test_the_answer_is_the_sentence_that_holds_it():
    row = passages("de")[3]
    assert row["answer"][0] == "de 3 second!" and len(row["sentences"]) == 3
    given = {
        "id": "q",
        "question": "?",
        "context": "Dr. A. said so. Yes.",
        "sentence_breaks": [[0, 15], [16, 20]],
        "answers": {"text": ["A."], "answer_start": [4]},
    }
    assert (
        columns.answer_sentence(given)["answer"][0] == "Dr. A. said so."
    )  # the data set's own breaks come first


@pytest.mark.parametrize(
    "text, found",
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("北京。上海！", ["北京。", "上海！"]),
        ("राम। सीता।", ["राम।", "सीता।"]),
        ("It cost 3.5 million. Why?", ["It cost 3.5 million.", "Why?"]),
        ("Γιατί\u037e Έτσι.", ["Γιατί\u037e", "Έτσι."]),
        ("هل؟ نعم.", ["هل؟", "نعم."]),
        ("No end", ["No end"]),
        ('He said "so." Then', ['He said "so."', "Then"]),
    ],
)
def test_sentences_end_at_the_punctuation_of_their_script(text, found):
    assert [text[start:end] for start, end in columns.sentences(text)] == found


def test_relevant_are_the_answers_in_every_language():
    rows = {language: passages(language) for language in ("en", "de")}
    texts, relevant = rank.candidates(rows)
    assert len(texts) == 2 * 6 * 3 and relevant["2"] == {
        texts.index(rows["en"][2]["answer"]),
        texts.index(rows["de"][2]["answer"]),
    }
    perfect = [
        sorted(range(len(texts)), key=lambda place: place not in relevant[row["id"]])[:20]
        for row in rows["en"]
    ]
    assert metrics.value(rank.examples(perfect, rows["en"], relevant)) == 100
    draw = np.random.default_rng(0)
    by_chance = np.mean(
        [
            metrics.value(
                rank.examples([draw.permutation(36)[:20] for _ in range(6)], rows["en"], relevant)
            )
            for _ in range(100)
        ]
    )
    assert by_chance < 20


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_pulls_queries_to_their_texts(tiny_encoder, precision):
    """Two layers learn 24 pairs by heart, and are measured on the way, when their weights are of
    the training's type."""
    model, tokenizer = encoders.load(tiny_encoder)
    words = "house river Chile Kenya doctor teacher green seven January money".split()
    rows = [
        {
            "id": str(i),
            "query": f"{words[i % 10]} {words[i // 10]}",
            "answer": (f"{words[-1 - i % 10]} {words[5 + i // 10]}", ""),
            "sentences": ((f"{words[-1 - i % 10]} {words[5 + i // 10]}", ""),),
        }
        for i in range(24)
    ]
    task = TASKS["lareqa"]
    before = metrics.value(
        evaluate.ranking(model, tokenizer, task, {"en": rows}, RECIPE)["en"][1]["mAP@20"]
    )
    recipe = Recipe(
        steps=60,
        epochs=0,
        batch_size=12,
        learning_rate=3e-3,
        max_length=64,
        rows=0,
        precision=precision,
        dropout=0.0,
        evaluate_every=30,
    )
    train(
        model,
        tokenizer,
        {"lareqa": rank.encode(rows, tokenizer, task, 64)},
        recipe,
        0,
        lambda entry: None,
        lambda heads: metrics.value(
            evaluate.ranking(model, tokenizer, task, {"en": rows}, recipe)["en"][1]["mAP@20"]
        ),
    )
    predictions, by_metric = evaluate.ranking(model, tokenizer, task, {"en": rows}, RECIPE)["en"]
    assert metrics.value(by_metric["mAP@20"]) > max(80, before + 20)
    assert len(predictions) == 24


def test_mining_is_scored_at_every_layer(tiny_encoder):
    model, tokenizer = encoders.load(tiny_encoder)
    rows = [{"source": f"house {i}", "english": f"house {i}"} for i in range(10)] + [
        {"source": "river", "english": ""}
    ]
    found = evaluate.mining(model, tokenizer, TASKS["bucc"], rows, rows, RECIPE)
    assert set(found) == {(metric, layer) for metric in ("F1", "F1, centred") for layer in range(3)}
    assert all(
        metrics.value(pairs) > 80 and len(predictions) == 11
        for predictions, pairs in found.values()
    )


def ranked(tiny_encoder, **more):
    """The losses of a training on eight queries, in batches of eight."""
    model, tokenizer = encoders.load(tiny_encoder)
    rows = [rank.as_ranking(row) for row in passages("en", 8)]
    recipe, log = Recipe(**vars(RECIPE) | {"steps": 4, "dropout": 0.0} | more), []
    train(
        model,
        tokenizer,
        {"lareqa": rank.encode(rows, tokenizer, TASKS["lareqa"], 64)},
        recipe,
        0,
        log.append,
    )
    return [entry["loss"] for entry in log]


def test_negatives_are_the_whole_batch_whatever_is_read_at_once(tiny_encoder):
    assert ranked(tiny_encoder, micro_batch=2) == ranked(tiny_encoder)
    paper = {
        name: profiles.phase3_recipe(profiles.PROFILES["paper"], name)
        for name in ("lareqa", "mewslix", "xquad")
    }
    assert [recipe.micro_batch for recipe in paper.values()] == [0, 0, 4]


def test_processes_that_would_split_the_negatives_are_refused(tiny_encoder, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="LAReQA: .* 2 processes .* start again as one process"):
        ranked(tiny_encoder)
