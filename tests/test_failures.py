"""A full disk, too little memory, a training that diverges or learns nothing: told in words, kept,
marked."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import safetensors.torch

from xstilts import data, encoders
from xstilts.analysis import score_tables
from xstilts.book import figures, tables
from xstilts.commands import chapters
from xstilts.errors import UserError
from xstilts.runs import execution, failures, results, store
from xstilts.runs.key import key
from xstilts.study import graph, phases, profiles
from xstilts.study.conditions import NONE, Condition
from xstilts.tasks.kinds import kind
from xstilts.tasks.table import TASKS
from xstilts.training import checkpoint, evaluate
from xstilts.training.loop import Diverged
from xstilts.training.recipe import Recipe

FULL = OSError(28, "No space left on device")

MNLI = Condition(("mnli",))


@pytest.fixture
def study(tiny_encoder):
    return profiles.study(
        encoder=str(tiny_encoder),
        intermediates="mnli",
        targets="xnli",
        languages="en,fi",
        phase1_steps=0,
        phase2_steps=3,
        phase3_steps=3,
        phase2_rows=20,
        phase3_rows=20,
        eval_rows=12,
        max_length=48,
        vocabulary="full",
    )


def contents(root):
    return {
        path.relative_to(root): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.suffix not in (".jsonl", ".lock")
    }


def fail(error):
    def failing(*arguments, **options):
        raise error

    return failing


@pytest.mark.parametrize(
    "place, name",
    [
        (pd.DataFrame, "to_parquet"),
        (pd.DataFrame, "to_csv"),
        (execution.encoders, "save"),
        (safetensors.torch, "save_file"),
        (store.os, "rename"),
        (store.Path, "write_text"),
    ],
)
def test_a_full_disk_leaves_the_store_as_it_was_and_says_what_is_needed(
    study, monkeypatch, place, name
):
    root, run = store.default_root(), phases.phase2(study, ("mnli",), 0)
    graph.compute([phases.base(study)])
    before = contents(root)
    monkeypatch.setenv("XSTILTS_CHECKPOINT", "0")
    with monkeypatch.context() as patch:
        patch.setattr(place, name, fail(FULL))
        with pytest.raises(
            UserError,
            match=r"no space left for .*mnli.*it needs about \d+ MB.*are free.*XSTILTS_STORE",
        ):
            graph._execute(run, root)
    after = contents(root)
    assert {
        path: content for path, content in after.items() if path.name != checkpoint.FILE
    } == before
    assert graph.compute([run])  # and there is nothing to clear up first
    assert not list(root.glob(".writing-*"))


def test_a_full_disk_is_known_by_what_libraries_say(study):
    from safetensors import SafetensorError

    error = SafetensorError(
        "Error while serializing: I/O error: No space left on device (os error 28)"
    )
    assert isinstance(
        failures.explained(error, phases.base(study), store.default_root()), UserError
    )
    assert failures.explained(ValueError("shape"), phases.base(study), store.default_root()) is None


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    ],
)
def test_too_little_memory_is_known_by_what_libraries_say(study, error):
    told = failures.explained(error, phases.phase2(study, ("mnli",), 0), store.default_root())
    assert isinstance(told, failures.OutOfMemory) and "give micro_batch 16" in str(told)


def test_too_little_memory_names_the_setting_and_stops_only_what_depends_on_it(study, monkeypatch):
    study = dataclasses.replace(study, phase3_steps=2)  # else MNLI is XNLI's training, too
    wanted = phases.single_tasks(study)
    real = execution.adapt

    def failing(run, *others):
        fail(MemoryError())() if run.recipe.steps == 3 else real(run, *others)

    monkeypatch.setattr(execution, "adapt", failing)
    assert set(graph.compute(wanted.values())) == {key(wanted[NONE, "xnli", 0])}
    assert (
        len(list(store.default_root().glob(".failed-*"))) == 1
    )  # of the run itself, not of what starts from it
    why = results.lost(wanted.values())
    assert list(why.what) == ["failed"] and "out of memory" in why.why[0]
    assert "32 rows a forward pass: give micro_batch 16" in tables.reasons(why).data
    table, examples = results.scores(wanted), results.examples(wanted)
    gains = score_tables.differences(study, table, examples)
    assert gains.marks[gains.intermediate == MNLI].str.startswith("failed: seed 0").all()
    assert figures.heatmap(study, gains)
    assert score_tables.verdicts(gains) | {"not_learned": "", "twice": ""} == dict.fromkeys(
        score_tables.verdicts(gains), "–"
    ) | {
        "cells": 0,
        "up": 0,
        "down": 0,
        "same": 0,
        "unclear": 0,
        "verdict": "is not known",
        "not_learned": "",
        "twice": "",
    }
    with pytest.raises(
        graph.RunsFailed, match="1 runs failed, or start from one that did. First: .*out of memory"
    ):
        graph.compute([phases.phase2(study, ("mnli",), 0)])  # nothing of what was asked for
    monkeypatch.setattr(execution, "adapt", real)
    assert len(graph.compute(wanted.values())) == 2  # not held against it
    assert not len(results.lost(wanted.values())) and not list(
        store.default_root().glob(".failed-*")
    )


def test_a_target_whose_rows_are_refused_does_not_stop_the_others(study, capsys):
    """What is wrong in row 7 of a file is found when it is read: that cell has a reason, the others
    a score."""
    both = dataclasses.replace(study, targets=("xnli", "udpos"))
    wanted = phases.grid(both, {NONE: lambda seed: phases.phase1(both)})
    bad = dataclasses.replace(wanted[NONE, "udpos", 0], languages=("en", "xx"))
    wanted[NONE, "udpos", 0] = bad
    assert set(graph.compute(wanted.values())) == {key(wanted[NONE, "xnli", 0])}
    table = results.scores(wanted)
    assert set(table[table.state == ""].target) == {"xnli"} and list(
        table[table.state == "failed"].target
    ) == ["udpos"]
    assert "no rows of UDPOS in 'xx'" in results.lost(wanted.values()).why[0]
    assert (
        chapters.tell_lost(results.lost(wanted.values())) == 1
        and "udpos (seed 0) failed: mini: no rows" in capsys.readouterr().err
    )
    with pytest.raises(UserError, match="no rows of UDPOS in 'xx'"):
        graph.compute([bad])


def test_a_full_disk_stops_the_study_at_once(study, monkeypatch):
    wanted, tried = phases.single_tasks(study), []
    graph.compute([phases.base(study)])

    def execute(run, *others):
        tried.append(run)
        raise FULL

    monkeypatch.setattr(execution, "execute", execute)
    with pytest.raises(failures.NoRoom, match="no space left"):
        graph.compute(wanted.values())
    assert len(tried) == 1 and not list(store.default_root().glob(".failed-*"))


def test_divergence_is_kept_marked_and_not_tried_again(study, monkeypatch):
    bad = profiles.study(
        **{name: value for name, value in vars(study).items() if value not in ("", ())}
        | dict(phase2_learning_rate=1e30, seeds=(0, 1))
    )
    wanted, root = phases.single_tasks(bad), store.default_root()
    graph.compute(wanted.values())
    kept = list(root.glob(".failed-*"))
    assert (
        len(kept) == 2
        and "learning rate below 1e+30" in json.loads((kept[0] / "failed.json").read_text())["why"]
    )
    monkeypatch.setattr(execution, "train", fail(AssertionError("trained again")))
    graph.compute(wanted.values())
    table, examples = results.scores(wanted), results.examples(wanted)
    gains = score_tables.differences(bad, table, examples).set_index("intermediate")
    assert (
        gains.marks[MNLI].startswith("diverged: seed 0, 1")
        and pd.isna(gains.difference[MNLI])
        and gains.n[MNLI] == 0
    )
    assert "diverged: seed 0, 1" in tables.show(gains.reset_index()).data
    assert figures.heatmap(bad, gains.reset_index()).axes[0].texts[-1].get_text() == "– †"
    assert figures.by_language(bad, table)
    with pytest.raises(UserError, match="the loss is"):
        results.predictions(wanted[MNLI, "xnli", 0])
    with pytest.raises(
        UserError, match="none of these runs has a result; the first: .*the loss is"
    ):
        results.finished({cell: run for cell, run in wanted.items() if cell[0] == MNLI})
    assert results.examples({cell: run for cell, run in wanted.items() if cell[0] == MNLI}).empty


@pytest.mark.parametrize(
    "name", ["xnli", "xcopa", "xquad", "udpos", "text", "lareqa", "tatoeba", "bucc"]
)
def test_an_encoder_that_gives_no_numbers_gives_no_score(tiny_encoder, name):
    model, tokenizer = encoders.load(tiny_encoder)
    model.encoder.layer[1].output.dense.weight.data[0, 0] = float("nan")
    task, recipe = TASKS[name], Recipe(0, 0, 0, 0.0, 64, 0, precision="fp32")
    rows = data.load(name, "test", "de", "mini", 8)
    with pytest.raises(
        Diverged, match=f"{task.title}: the encoder's output is not a number.* make it anew"
    ):
        if task.kind == "retrieve":
            evaluate.retrieval(model, tokenizer, task, rows, recipe)
        elif task.kind == "mine":
            evaluate.mining(model, tokenizer, task, rows, rows, recipe)
        elif task.kind == "rank":
            evaluate.ranking(model, tokenizer, task, {"de": rows}, recipe)
        else:
            evaluate.score(model, kind(task.kind).Head(model, task), tokenizer, task, rows, recipe)


def test_a_choice_that_a_row_does_not_have_is_no_divergence(tiny_encoder):
    model, tokenizer = encoders.load(tiny_encoder)
    rows = [
        {"context": "Who?", "choices": ("Anna", "Omar", "Nobody")[:count], "label": 0}
        for count in (2, 3)
    ]
    task = TASKS["cosmosqa"]
    predictions, _ = evaluate.score(
        model,
        kind("choice").Head(model, task),
        tokenizer,
        task,
        rows,
        Recipe(0, 0, 0, 0.0, 64, 0, precision="fp32"),
    )
    assert len(predictions) == 2


def test_an_encoder_whose_output_is_no_number_makes_a_retrieval_diverge(
    study, tiny_encoder, tmp_path
):
    """Its weights are numbers, which is looked at first."""
    model, tokenizer = encoders.load(tiny_encoder)
    model.encoder.layer[-1].output.LayerNorm.weight.data[0] = 3e38
    encoders.save(model, tokenizer, tmp_path / "broken")
    broken = dataclasses.replace(
        study, encoder=str(tmp_path / "broken"), phase1_steps=0, targets=("tatoeba",)
    )
    run = phases.phase3(broken, phases.base(broken), "tatoeba", 0)
    assert graph.compute([run]) == {}
    known = failures.known(store.default_root(), run)
    assert known.what == "diverged" and "Tatoeba: the encoder's output is not a number" in known.why
    assert set(results.scores({(NONE, "tatoeba", 0): run}).state) == {"diverged"}


def test_runs_of_one_label_are_each_told(study):
    """Two conditions of a chapter may differ in their steps alone, which a label does not have."""
    encoders = [phases.phase2(study, ("mnli",), 0, steps=steps) for steps in (3, 6)]
    for run, why in zip(encoders, ("the first", "the second"), strict=True):
        failures.keep(store.default_root(), run, RuntimeError(why))
    assert list(results.lost([*encoders, encoders[0]]).why) == ["the first", "the second"]


def test_a_last_step_that_breaks_the_weights_is_no_result(study):
    """The loss was computed before it."""
    bad = dataclasses.replace(study, phase3_steps=1, phase3_learning_rate=float("inf"))
    run = phases.phase3(bad, phases.base(bad), "xnli", 0)
    assert graph.compute([run]) == {}
    why = results.lost([run])
    assert (
        list(why.what) == ["diverged"]
        and "the last step left weights that are no numbers" in why.why[0]
    )


def scored(english):
    """A table and examples: (condition, seed) -> XNLI accuracy in English, of 100 rows each; None:
    diverged."""
    table, examples = [], []
    for (condition, seed), value in english.items():
        row = {
            "condition": condition,
            "target": "xnli",
            "seed": seed,
            "language": "en",
            "metric": "accuracy",
            "layer": -1,
            "value": value,
            "n": 100,
            "baseline": 33.0,
            "state": "" if value is not None else "diverged",
        }
        table.append(row)
        if value is not None:
            examples.append(
                {
                    name: row[name]
                    for name in ("condition", "target", "seed", "language", "metric", "layer")
                }
                | {"numerator": (np.arange(100) < value) * 1.0, "denominator": np.ones(100)}
            )
    return pd.DataFrame(table), pd.DataFrame(examples)


def test_a_training_that_was_not_learned_is_marked_and_left_out(study):
    table, examples = scored({(NONE, 0): 80, (NONE, 1): 82, (MNLI, 0): 34, (MNLI, 1): 84})
    gains = score_tables.differences(study, table, examples).set_index("intermediate")
    assert (
        gains.marks[MNLI] == "not learned: seed 0"
        and pd.isna(gains.marks[NONE])
        and gains.seeds[MNLI] == 2
    )
    assert gains.difference[MNLI] == pytest.approx(84 - 81) and gains.learned[MNLI] == "1/2 | 2/2"
    assert gains["with failures"][MNLI] == pytest.approx(59 - 81)
    assert score_tables.scores(study, table, examples, MNLI).marks[0] == "not learned: seed 0"


def test_nothing_is_marked_where_all_learned_and_nothing_graded_where_nobody_did(study):
    nobody = scored({(NONE, 0): 34, (MNLI, 0): 33})
    gains = score_tables.differences(study, *nobody).set_index("intermediate")
    assert gains.grade[MNLI] == "not learned" and pd.isna(gains.difference[MNLI])
    everybody = scored({(NONE, 0): 70, (MNLI, 0): 80})
    assert "marks" not in score_tables.differences(study, *everybody)


def test_a_diverged_seed_is_left_out_and_the_other_side_keeps_its_seeds(study):
    table, examples = scored({(NONE, 0): 80, (NONE, 1): 90, (MNLI, 0): 70, (MNLI, 1): None})
    gains = score_tables.differences(study, table, examples).set_index("intermediate")
    assert gains.difference[MNLI] == pytest.approx(-15) and gains.seeds[MNLI] == 1
    assert gains.marks[MNLI] == "diverged: seed 1"
    reference = score_tables.differences(
        study, *scored({(NONE, 0): 80, (NONE, 1): None, (MNLI, 0): 70, (MNLI, 1): 80})
    )
    assert reference.set_index("intermediate").marks[MNLI] == "the reference diverged: seed 1"
