"""Kinds: what is encoded comes back out, and each learns in a training of seconds."""

import dataclasses
import inspect
import random
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts import data, encoders, synthetic
from xstilts.errors import UserError
from xstilts.runs.key import key, label
from xstilts.study import grid, phases, profiles
from xstilts.study.conditions import Condition
from xstilts.tasks import kinds, metrics
from xstilts.tasks.kinds import Feature, kind, retrieve, span, tag
from xstilts.tasks.table import TASKS, training_task
from xstilts.training import batches, evaluate
from xstilts.training.loop import train
from xstilts.training.recipe import Recipe

RECIPE = Recipe(steps=2, epochs=0, batch_size=16, learning_rate=1e-3, max_length=128, rows=64)
TRAINED = [
    name
    for name, row in TASKS.items()
    if row.kind in ("classify", "choice", "span", "tag") and name in synthetic.TASKS
]


# what every kind has, and what those that are trained have: how many arguments it takes
EVERY = {"check": 3, "encode": 4, "examples": 3, "baseline": 2, "named": 2, "shown": 3}
LEARNED = {"Head": 2, "prepare": 4, "loss": 2, "texts": 1}
CHOSEN = {
    "kept": 1,
    "capped": 2,
    "scored_rows": 1,
    "weight": 1,
    "outputs": 2,
    "unit": 1,
    "shuffled": 2,
}


def needed(function):
    """How many arguments must be given."""
    found = inspect.signature(function).parameters.values()
    return sum(parameter.default is parameter.empty for parameter in found)


@pytest.mark.parametrize("name", kinds.names())
def test_every_kind_has_the_interface(name):
    module = kind(name)
    wanted = EVERY | (LEARNED if module.TRAINED else {})
    wanted |= {"decode": 4} if module.TRAINED and not module.SEARCHED else {}
    wanted |= {"with_texts": 2} if module.TRANSLATED else {}
    wanted |= {name: count for name, count in CHOSEN.items() if getattr(module, name)}
    assert {name: needed(getattr(module, name)) for name in wanted} == wanted
    assert module.METRICS and module.PIECES > 0 and module.LABELS in ("", "name", "list", "number")
    for constant, value in kinds.DEFAULTS.items():
        if not callable(getattr(module, constant)) and value is not None:
            assert type(getattr(module, constant)) is type(value), constant
    assert set(module.TRANSLATED.values()) <= {"text", "texts", "numbers", "label"}


@pytest.mark.parametrize("name", [*EVERY, *LEARNED, *kinds.DEFAULTS, "METRICS", "PIECES"])
def test_the_interface_is_written_down(name):
    said = kinds.__doc__ + inspect.getsource(kinds).split("DEFAULTS: dict")[1]
    assert name in said


def test_nothing_else_asks_which_kind_a_task_is_of():
    """Except for runs: how a kind is searched or mined is not a function of the kind yet."""
    asking = re.compile(r"""\.kind (==|!=|(not )?in) \(?["']""")
    package = Path(kinds.__file__).parents[2]
    found = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        if asking.search(path.read_text()) and "kinds" not in path.parts
    }
    assert found <= {"runs"}


def test_an_unknown_kind_or_metric_is_told():
    with pytest.raises(UserError, match="unknown kind 'parse' of task; known: choice, classify"):
        kind("parse")
    row = dataclasses.replace(TASKS["udpos"], metrics=("F1", "LAS"))
    with pytest.raises(UserError, match="udpos asks for the metric 'LAS'.*F1, accuracy.*tag.py"):
        _ = row.module


@pytest.mark.parametrize("name", ["xnli", "xcopa", "xquad", "squad2"])
def test_a_row_is_the_same_after_a_translation_that_changes_nothing(name):
    module = TASKS[name].module
    for row in data.load(name, "validation", "en", "mini", 40):
        kept = module.kept(row)
        parts = [(text, kept.get(number)) for number, text in enumerate(module.texts(row))]
        again = module.with_texts(row, parts)
        first = {"answers": row.get("answers", ())[:1], "starts": row.get("starts", ())[:1]}
        expected = {column: first.get(column, row[column]) for column in module.TRANSLATED}
        assert {column: _tuple(again[column]) for column in again} == expected


def _tuple(value):
    return tuple(value) if isinstance(value, list) else value


def gold_outputs(row, features, rows):
    """What a perfect model's head would give."""
    for feature in features:
        if row.kind in ("classify", "choice"):
            size = len(row.labels) or len(rows[feature.row]["choices"])
            yield np.eye(size)[feature.gold]
        elif row.kind == "tag":
            yield np.array([np.eye(len(row.labels))[max(gold, 0)] for gold in feature.gold])
        else:
            logits = np.zeros((len(feature.ids[0]), 2))
            logits[feature.gold[0], 0] = logits[feature.gold[1], 1] = 10
            yield logits


@pytest.mark.parametrize("language", ["en", "fi"])
@pytest.mark.parametrize("name", TRAINED)
def test_gold_logits_decode_to_a_score_of_100(name, language, tiny):
    if language not in synthetic.languages(name):
        language = "sw"  # the African sets
    task, rows = data.labelled(name, "mini"), data.load(name, "test", language, "mini", 40)
    module = kind(task.kind)
    features = module.encode(rows, tiny, task, 128)
    predictions = module.decode(list(gold_outputs(task, features, rows)), features, rows, task)
    for metric, pairs in module.examples(predictions, rows, task).items():
        assert metrics.value(pairs) == 100, metric
        assert len(pairs) == len(rows)
    assert 0 <= module.baseline(rows, task) < 90


@pytest.mark.parametrize("name", TRAINED)
def test_every_task_trains_and_predicts_each_row(name, tiny_encoder):
    task, rows = data.labelled(name, "mini"), data.load(name, "test", "sw", "mini", 20)
    model, tokenizer = encoders.load(tiny_encoder)
    features = kind(task.kind).encode(
        data.load(training_task(task).name, "train", "en", "mini", 64), tokenizer, task, 128
    )
    logged = []
    heads = train(model, tokenizer, {name: features}, RECIPE, 0, logged.append, tasks={name: task})
    predictions, pairs = evaluate.score(model, heads[name], tokenizer, task, rows, RECIPE)
    assert len(predictions) == len(rows) and set(pairs) >= set(task.metrics)
    assert logged[-1]["step"] == 2


def test_a_task_is_learned(tiny_encoder):
    """Tags of words can be learned by two narrow layers in seconds: the loop, the loss and the
    metric work together."""
    task = TASKS["udpos"]
    model, tokenizer = encoders.load(tiny_encoder)
    features = tag.encode(data.load("udpos", "train", "en", "mini", 600), tokenizer, task, 64)
    recipe = Recipe(steps=120, epochs=0, batch_size=32, learning_rate=5e-3, max_length=64, rows=600)
    logged = []
    heads = train(model, tokenizer, {"udpos": features}, recipe, 0, logged.append)
    rows = data.load("udpos", "validation", "en", "mini", 100)
    _, pairs = evaluate.score(model, heads["udpos"], tokenizer, task, rows, recipe)
    assert metrics.value(pairs["accuracy"]) > 60
    assert logged[-1]["loss"] < logged[0]["loss"] / 2


def test_masked_language_modelling_learns_and_masks_alike_every_time(tiny_encoder):
    task, rows = TASKS["text"], data.load("text", "train", "en", "mini", 100)
    model, tokenizer = encoders.load(tiny_encoder)
    recipe = Recipe(steps=60, epochs=0, batch_size=16, learning_rate=5e-3, max_length=64, rows=100)
    heads = train(
        model,
        tokenizer,
        {"text": kind("mlm").encode(rows, tokenizer, task, 64)},
        recipe,
        0,
        lambda e: None,
    )
    first = evaluate.score(model, heads["text"], tokenizer, task, rows, recipe)[1]
    assert first == evaluate.score(model, heads["text"], tokenizer, task, rows, recipe)[1]
    masked = sum(count for _, count in first["masked accuracy"])
    pieces = sum(
        len(ids) - 2
        for ids in tokenizer([row["text"] for row in rows], truncation=True, max_length=64)[
            "input_ids"
        ]
    )
    assert masked / pieces == pytest.approx(0.15, abs=0.02)
    assert (
        metrics.value(first["masked accuracy"]) > 10
    )  # the most frequent piece alone gives about 5
    assert heads["text"].embeddings[0] is model.get_input_embeddings().weight  # tied
    assert not any(
        parameter.shape == heads["text"].embeddings[0].shape for parameter in heads.parameters()
    )


def test_long_contexts_are_read_in_windows(tiny):
    context = "Anna lives in Chile. " * 40 + "Omar speaks Hausa."
    row = {
        "question": "What does Omar speak?",
        "context": context,
        "answers": ("Hausa",),
        "starts": (context.index("Hausa"),),
    }
    features = span.encode([row], tiny, TASKS["squad"], 64)
    assert len(features) > 5 and all(len(feature.ids[0]) <= 64 for feature in features)
    assert any(feature.gold != (0, 0) for feature in features)
    outputs = list(gold_outputs(TASKS["squad"], features, [row]))
    assert span.decode(outputs, features, [row], TASKS["squad"]) == ["Hausa"]


def test_a_span_never_ends_before_it_starts(tiny):
    row = data.load("squad", "test", "en", "mini", 1)[0]
    (feature,) = span.encode([row], tiny, TASKS["squad"], 128)
    draw = np.random.default_rng(0)
    for _ in range(50):
        logits = draw.normal(size=(len(feature.ids[0]), 2)) * 5
        (text,) = span.decode([logits], [feature], [row], TASKS["squad"])
        assert text and text in row["context"]


def test_no_word_of_a_long_sentence_is_lost(tiny):
    row = {"words": ["house"] * 100, "tags": list(range(10)) * 10}
    features = tag.encode([row], tiny, TASKS["udpos"], 32)
    outputs = list(gold_outputs(TASKS["udpos"], features, [row]))
    assert len(features) > 1
    assert tag.decode(outputs, features, [row], TASKS["udpos"]) == [row["tags"]]


def test_a_bare_piece_is_not_labelled(tiny):
    """Where a word becomes "▁" and more, the more is labelled."""
    bare = tiny.convert_tokens_to_ids("▁")
    row = {"words": ["中文", "x"], "tags": [7, 12]}
    (feature,) = tag.encode([row], tiny, TASKS["udpos"], 32)
    for position in feature.where.values():
        assert feature.ids[0][position] != bare


def test_retrieval_finds_itself_and_centring_removes_an_offset():
    draw = np.random.default_rng(0)
    english = draw.normal(size=(50, 16))
    shifted = english + draw.normal(size=16) * 30
    assert (retrieve.nearest(english, english, centred=False) == np.arange(50)).all()
    assert (retrieve.nearest(shifted, english, centred=True) == np.arange(50)).all()
    assert (retrieve.nearest(shifted, english, centred=False) == np.arange(50)).mean() < 0.9


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=200), st.integers(1, 16), st.integers(0, 3)
)
@settings(deadline=None)
def test_an_epoch_has_every_row_once(lengths, size, seed):
    found = batches.epoch(lengths, size, str(seed))
    assert sorted(position for batch in found for position in batch) == list(range(len(lengths)))
    assert all(len(batch) <= size for batch in found)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=80), st.integers(1, 300))
@settings(deadline=None)
def test_evaluation_batches_keep_to_their_budget(lengths, budget):
    features = [Feature(number, [[0] * length]) for number, length in enumerate(lengths)]
    found = batches.by_tokens(features, budget)
    assert sorted(position for batch in found for position in batch) == list(range(len(lengths)))
    for batch in found:
        assert (
            len(batch) == 1 or len(batch) * max(lengths[position] for position in batch) <= budget
        )


def test_tasks_are_sampled_in_proportion_to_capped_size():
    sets = [[Feature(0, [[0]])] * size for size in (1000, 100, 100)]
    capped = Recipe(
        steps=0, epochs=1, batch_size=10, learning_rate=1, max_length=8, rows=0, cap=300
    )
    drawn = [which for which, _ in batches.stream(sets, capped, 0, 5000)]
    assert [drawn.count(which) / 5000 for which in range(3)] == pytest.approx(
        [0.6, 0.2, 0.2], abs=0.03
    )
    assert batches.steps([1000, 100, 100], capped) == 30 + 10 + 10


@pytest.mark.parametrize("max_length", [32, 64, 384])
def test_a_long_question_leaves_room_for_the_context(tiny, max_length):
    row = {
        "question": "Where does Amina work? " * 30,
        "context": "Amina lives in Kenya. " * 40,
        "answers": ["Kenya"],
        "starts": [15],
    }
    features = span.encode([row], tiny, TASKS["squad"], max_length)
    assert all(len(feature.ids[0]) <= max_length and feature.where[0] for feature in features)
    read = [offset for feature in features for offset in feature.where[1]]
    assert {at for start, end in read for at in range(start, end)} >= {
        at for at, c in enumerate(row["context"]) if c != " "
    }


@pytest.mark.parametrize("name", ("mnli", "squad", "squad2", "hellaswag", "udpos"))
def test_shuffled_rows_keep_their_texts_and_lose_their_labels(name):
    """A control: what is trained on them has nothing to learn."""
    row = TASKS[name]
    rows = data.load(name, "train", "en", "mini", 200)
    labelled = data.labelled(name, "mini")
    some, again = (labelled.module.shuffled(rows, random.Random("0")) for _ in range(2))
    assert some == again and len(some) == len(rows)
    gold = {"tag": "tags", "span": "answers"}.get(row.kind, "label")
    for before, after in zip(rows, some, strict=True):
        labelled.module.check(after, "row", labelled)
        assert labelled.module.texts(before) == labelled.module.texts(after)
    same = np.mean([a[gold] == b[gold] for a, b in zip(rows, some, strict=True)])
    assert same < 0.75
    if row.kind == "span":
        answers = [(*each["answers"], *each["starts"], each) for each in some if each["answers"]]
        assert all(each["context"][at:].startswith(text) for text, at, each in answers)


def test_shuffled_labels_are_another_run():
    study = profiles.study(missing="dash")
    plain, shuffled = (
        grid.encoder(study, Condition(("mnli",), shuffled=each), 0) for each in (False, True)
    )
    assert key(plain) != key(shuffled) and label(shuffled).endswith("mnli shuffled (seed 0)")
    assert key(plain) == key(phases.phase2(study, ("mnli",), 0))
