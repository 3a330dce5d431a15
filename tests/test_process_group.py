"""Two processes on one run (accelerate, gloo) give the loss curve and the weights of one, and write
one artifact."""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import json, os, sys
from pathlib import Path
from xstilts import data, encoders
from xstilts.runs import store
from xstilts.study import graph, phases, profiles
from xstilts.tasks.kinds import kind
from xstilts.tasks.table import TASKS
from xstilts.training import loop, process_group
from xstilts.training.recipe import Recipe


def trained(encoder, rows, steps, batch, log, dropout=0.0, precision="fp32", kept=None):
    model, tokenizer = encoders.load(encoder)
    features = kind("tag").encode(
        data.load("udpos", "train", "en", "mini", rows), tokenizer, TASKS["udpos"], 64
    )
    recipe = Recipe(steps, 0, batch, 2e-3, 64, rows, dropout=dropout, precision=precision)
    loop.train(model, tokenizer, {"udpos": features}, recipe, 0, log, kept=kept)
    return [weight.detach() for weight in model.parameters()]


def losses_and_norm(encoder, rows, steps, batch):
    log = []
    weights = trained(encoder, rows, steps, batch, log.append)
    return [entry["loss"] for entry in log], sum(
        float(weight.double().pow(2).sum()) for weight in weights
    )


def stopped_and_resumed(encoder, folder):
    # whether the weights are those of a training, with dropout, that was not stopped
    import torch

    def weights(stop, kept=None):
        def log(entry):
            if entry["step"] == stop and "loss" in entry:
                raise KeyboardInterrupt

        return trained(encoder, 100, 30, 7, log, 0.1, "auto", kept)

    os.environ["XSTILTS_CHECKPOINT"] = "0"
    whole = weights(0)
    try:
        weights(20, folder / "checkpoint")
    except KeyboardInterrupt:
        return all(map(torch.equal, whole, weights(0, folder / "checkpoint")))


def run(encoder, root, **given):
    study = profiles.study(
        encoder=str(encoder),
        targets="udpos",
        intermediates="mnli",
        languages="en",
        phase3_steps=2,
        phase1_rows=10,
        phase3_rows=10,
        eval_rows=5,
        scheduler="local",
        vocabulary="full",
        **given,
    )
    graph.compute([phases.phase3(study, phases.phase1(study), "udpos", 0)], root)


if __name__ == "__main__":
    encoder, out = map(Path, sys.argv[1:])
    found = {
        "losses": losses_and_norm(encoder, 100, 60, 7),
        "last row": losses_and_norm(encoder, 9, 40, 4),
        "resumed": stopped_and_resumed(encoder, out),
        "size": process_group.size(),
    }
    run(encoder, out / "store", phase1_steps=2)
    find = store.find
    # another job has finished everything just after the first process looked
    if process_group.rank():
        store.find = lambda root, run: find(root, run) or Path("done meanwhile")
    run(encoder, out / "elsewhere", phase1_steps=0)
    if not process_group.rank():
        (out / "found.json").write_text(json.dumps(found))
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("program") / "program.py"
    path.write_text(PROGRAM)
    return path


@pytest.fixture(scope="module")
def two(program, tiny_encoder, tmp_path_factory):
    """The folder of what two processes did."""
    # accelerate's own launcher starts several CPU processes only through MPI; torch's does without
    out = tmp_path_factory.mktemp("two")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--nproc_per_node",
            "2",
            "--master_port",
            "0",
            "--rdzv_backend",
            "c10d",
            "--rdzv_endpoint",
            "localhost:0",
            str(program),
            str(tiny_encoder),
            str(out),
        ],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=Path(__file__).parents[1],
        env=os.environ | {"ACCELERATE_USE_CPU": "true"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return out


# in batches of 7 rows, of which one process has 4; and of 4, 4 and 1, of whose last one process has
# none
@pytest.mark.parametrize(
    "name, rows, steps, batch", [("losses", 100, 60, 7), ("last row", 9, 40, 4)]
)
def test_two_processes_train_as_one_does(two, program, tiny_encoder, name, rows, steps, batch):
    found = json.loads((two / "found.json").read_text())
    losses, norm = runpy.run_path(str(program))["losses_and_norm"](tiny_encoder, rows, steps, batch)
    assert found["size"] == 2
    assert found[name][0] == pytest.approx(losses, abs=1e-4) and losses[-1] < losses[0]
    assert found[name][1] == pytest.approx(norm, rel=1e-5)


def test_two_processes_go_on_from_a_checkpoint_to_the_same_weights(two):
    assert json.loads((two / "found.json").read_text())["resumed"] is True


def test_two_processes_write_one_artifact(two):
    assert len(list((two / "store").glob("*/run.json"))) == 3 and not list(
        (two / "store").glob(".writing*")
    )


def test_two_processes_stay_in_step_where_another_job_finishes_a_run_between_their_looks(two):
    assert len(list((two / "elsewhere").glob("*/run.json"))) == 2


def test_the_command_line_runs_as_a_module():
    """As `accelerate launch --module xstilts.cli` starts it."""
    done = subprocess.run(
        [sys.executable, "-m", "xstilts.cli", "tasks"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0 and "xnli" in done.stdout
