"""A training that is stopped goes on from its checkpoint, and ends bit for bit where it would have
ended."""

import pytest
import torch

from xstilts import data, encoders
from xstilts.errors import UserError
from xstilts.runs import store
from xstilts.runs.key import key
from xstilts.study import graph, phases, profiles
from xstilts.tasks.kinds import kind
from xstilts.tasks.table import TASKS
from xstilts.training import checkpoint, loop
from xstilts.training.recipe import Recipe

RECIPE = Recipe(24, 0, 4, 2e-3, 48, 60, micro_batch=3)


class Stopped(BaseException):
    """As sudden as Ctrl-C."""


def features(tokenizer, name, count=60):
    rows = data.load(name, "train", "en", "mini", count)
    return kind(TASKS[name].kind).encode(rows, tokenizer, TASKS[name], 48)


def trained(folder, names, recipe, kept=None, log=lambda entry: None):
    """All weights after a training, as one list."""
    model, tokenizer = encoders.load(folder)
    scores = iter(
        [10.0, 40.0, 30.0, 20.0, 10.0, 5.0]
    )  # the second is the best: its weights are kept
    dev = None if not recipe.evaluate_every else lambda heads: 50.0 - abs(4 - next(scores) / 10)
    heads = loop.train(
        model,
        tokenizer,
        {name: features(tokenizer, name) for name in names},
        recipe,
        3,
        log,
        dev,
        kept=kept,
    )
    return [weight.detach().clone() for weight in (*model.parameters(), *heads.parameters())]


@pytest.mark.parametrize(
    "every, measured", [(2, [0, 2, 4, 6]), (4, [0, 4]), (6, [0, 6]), (100, [0, 6]), (0, [])]
)
def test_dev_rows_are_scored_on_the_way_and_at_the_end_of_a_short_training(
    tiny_encoder, every, measured
):
    log = []
    trained(
        tiny_encoder,
        ["mnli"],
        Recipe(**vars(RECIPE) | {"steps": 6, "evaluate_every": every}),
        log=log.append,
    )
    assert [entry["step"] for entry in log if "dev" in entry] == measured


def stop_after(monkeypatch, count):
    """The process ends with the count-th checkpoint, after it is written."""
    write, seen = checkpoint.write, []

    def stopping(*arguments):
        write(*arguments)
        seen.append(1)
        if len(seen) == count:
            raise Stopped

    monkeypatch.setattr(checkpoint, "write", stopping)


@pytest.mark.parametrize("names, precision", [(["text"], "fp32"), (["mnli", "text"], "bf16")])
@pytest.mark.parametrize("stop", [1, 20, 23])
def test_a_stopped_training_ends_where_it_would_have_ended(
    tiny_encoder, tmp_path, monkeypatch, names, precision, stop
):
    recipe = Recipe(**vars(RECIPE) | {"precision": precision})
    whole = trained(tiny_encoder, names, recipe)
    monkeypatch.setenv("XSTILTS_CHECKPOINT", "0")
    log = []
    with monkeypatch.context() as patch:
        stop_after(patch, stop)
        with pytest.raises(Stopped):
            trained(tiny_encoder, names, recipe, tmp_path / checkpoint.FILE)
    torch.rand(7)  # another process has other random states
    resumed = trained(tiny_encoder, names, recipe, tmp_path / checkpoint.FILE, log.append)
    assert all(torch.equal(a, b) for a, b in zip(whole, resumed, strict=True))
    assert [entry["step"] for entry in log if "resumed" in entry] == [stop]
    assert [entry["step"] for entry in log if "loss" in entry] == [20, 24]


def test_encoders_with_their_own_dropout_go_on_too(family_of, tmp_path, monkeypatch):
    folder = family_of("modernbert")
    recipe = Recipe(6, 0, 2, 1e-3, 24, 20)
    whole = trained(folder, ["mnli"], recipe)
    monkeypatch.setenv("XSTILTS_CHECKPOINT", "0")
    with monkeypatch.context() as patch:
        stop_after(patch, 3)
        with pytest.raises(Stopped):
            trained(folder, ["mnli"], recipe, tmp_path / checkpoint.FILE)
    assert all(
        torch.equal(a, b)
        for a, b in zip(
            whole, trained(folder, ["mnli"], recipe, tmp_path / checkpoint.FILE), strict=True
        )
    )


def test_the_best_state_so_far_outlives_the_stop(tiny_encoder, tmp_path, monkeypatch):
    """Patience: best at step 8; stopped at 13; ends early at 20 with the weights of step 8."""
    recipe = Recipe(**vars(RECIPE) | {"evaluate_every": 4, "patience": 3})
    told = []
    whole = trained(tiny_encoder, ["mnli"], recipe, log=told.append)
    scores = {entry["step"]: entry["dev"] for entry in told if "dev" in entry}
    monkeypatch.setenv("XSTILTS_CHECKPOINT", "0")
    with monkeypatch.context() as patch:
        stop_after(patch, 13)
        with pytest.raises(Stopped):
            trained(tiny_encoder, ["mnli"], recipe, tmp_path / checkpoint.FILE)
    model, tokenizer = encoders.load(tiny_encoder)
    left = iter([scores[step] for step in sorted(scores) if step > 13])
    heads = loop.train(
        model,
        tokenizer,
        {"mnli": features(tokenizer, "mnli")},
        recipe,
        3,
        lambda entry: None,
        lambda heads: next(left),
        kept=tmp_path / checkpoint.FILE,
    )
    resumed = [*model.parameters(), *heads.parameters()]
    assert max(scores) < RECIPE.steps and max(scores, key=scores.get) < 13
    assert all(torch.equal(a, b) for a, b in zip(whole, resumed, strict=True))


def test_a_short_training_writes_no_checkpoint(tiny_encoder, tmp_path):
    trained(tiny_encoder, ["mnli"], RECIPE, tmp_path / checkpoint.FILE)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["bit", "cut", "empty"])
def test_a_damaged_checkpoint_is_not_used(tmp_path, damage):
    path = tmp_path / checkpoint.FILE
    checkpoint.write(path, {"masters.0": torch.arange(100.0)}, {"step": 3})
    assert checkpoint.read(path)[1]["step"] == 3
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes({"bit": bytes(content), "cut": content[:-9], "empty": b""}[damage])
    assert checkpoint.read(path) is None


def test_a_write_that_fails_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    path = tmp_path / checkpoint.FILE
    checkpoint.write(path, {"a": torch.zeros(2)}, {"step": 1})
    with monkeypatch.context() as patch, pytest.raises(OSError):
        patch.setattr(
            checkpoint.os,
            "fsync",
            lambda number: (_ for _ in ()).throw(OSError(28, "No space left on device")),
        )
        checkpoint.write(path, {"a": torch.ones(2)}, {"step": 2})
    assert checkpoint.read(path)[1]["step"] == 1 and [item.name for item in tmp_path.iterdir()] == [
        checkpoint.FILE
    ]


def test_a_number_of_minutes_is_asked_for(monkeypatch):
    monkeypatch.setenv("XSTILTS_CHECKPOINT", "often")
    with pytest.raises(UserError, match="XSTILTS_CHECKPOINT: 'often' is not a number of minutes"):
        checkpoint.due(0.0)


def test_an_unfinished_run_keeps_its_checkpoint_and_nothing_else(tiny_encoder, monkeypatch):
    study = profiles.study(
        encoder=str(tiny_encoder),
        intermediates="mnli",
        targets="xnli",
        languages="en",
        phase1_steps=0,
        phase2_steps=8,
        phase2_rows=20,
        max_length=48,
        vocabulary="full",
    )
    run, root = phases.phase2(study, ("mnli",), 0), store.default_root()
    monkeypatch.setenv("XSTILTS_CHECKPOINT", "0")
    with monkeypatch.context() as patch:
        stop_after(patch, 4)
        with pytest.raises(Stopped):
            graph.compute([run])
    left = [path for folder in root.glob(".writing-*") for path in folder.iterdir()]
    assert [path.name for path in left] == [checkpoint.FILE] and store.find(root, run) is None
    left[0].parent.rename(
        left[0].parent.with_name(f"{left[0].parent.name.rsplit('-', 1)[0]}-1")
    )  # another process's
    folder = graph.compute([run])[key(run)]
    assert not list(root.glob(".writing-*")) and not (folder / checkpoint.FILE).exists()
    assert "resumed" in (folder / "log.jsonl").read_text()
