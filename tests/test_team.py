"""Two processes on one run (accelerate, gloo) give the loss curve and the weights of one, and write one artifact."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = '''
import json, sys
from pathlib import Path
from xstilts import data, encoders, study as graph, profiles, team, train
from xstilts.kinds import kind
from xstilts.spec import Recipe
from xstilts.tasks import TASKS

folder, out = Path(sys.argv[1]), Path(sys.argv[2])
model, tokenizer = encoders.load(folder)
features = kind("tag").encode(data.load("udpos", "train", "en", "mini", 100), tokenizer, TASKS["udpos"], 64)
log = []
train.train(model, tokenizer, {"udpos": features}, Recipe(60, 0, 7, 2e-3, 64, 100, dropout=0.0, precision="fp32"), 0, log.append)
if not team.rank():
    norm = sum(float(weight.detach().double().pow(2).sum()) for weight in model.parameters())
    (out / "log.json").write_text(json.dumps([[entry["loss"] for entry in log], norm, team.size()]))

def weights(stop, kept=None):    # of a training with dropout that ends with an error at a step
    def log(entry):
        if entry["step"] == stop and "loss" in entry:
            raise KeyboardInterrupt

    model, tokenizer = encoders.load(folder)
    try:
        train.train(model, tokenizer, {"udpos": features}, Recipe(50, 0, 7, 2e-3, 64, 100), 0, log, kept=kept)
    except KeyboardInterrupt:
        return None
    return [weight.detach() for weight in model.parameters()]

if team.size() > 1:
    import os, torch
    os.environ["XSTILTS_CHECKPOINT"] = "0"
    whole, stopped = weights(0), weights(40, out / "checkpoint")
    assert stopped is None and all(map(torch.equal, whole, weights(0, out / "checkpoint"))), "resumed differently"

study = profiles.study(encoder=str(folder), targets="udpos", intermediates="mnli", languages="en", phase1_steps=2, phase3_steps=2,
                       phase1_rows=10, phase3_rows=10, eval_rows=5, scheduler="local", vocabulary="full")
graph.compute([graph.phase3(study, graph.phase1(study), "udpos", 0)], out / "store")
'''


def test_two_processes_train_as_one_does(tiny_encoder, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    found = {}
    # accelerate's own launcher starts several CPU processes only through MPI; torch's does without
    for name, launcher in {"one": [sys.executable],
                           "two": [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port",
                                   "0", "--rdzv_backend", "c10d", "--rdzv_endpoint", "localhost:0"]}.items():
        out = tmp_path / name
        out.mkdir()
        done = subprocess.run([*launcher, str(program), str(tiny_encoder), str(out)], capture_output=True, text=True, timeout=240,
                              cwd=Path(__file__).parents[1], env=os.environ | {"ACCELERATE_USE_CPU": "true"})
        assert done.returncode == 0, done.stderr[-3000:]
        found[name] = json.loads((out / "log.json").read_text())
        assert len(list((out / "store").glob("*/run.json"))) == 3 and not list((out / "store").glob(".writing*"))
    assert found["one"][2] == 1 and found["two"][2] == 2
    assert found["two"][0] == pytest.approx(found["one"][0], abs=1e-4)
    assert found["two"][1] == pytest.approx(found["one"][1], rel=1e-5)
    assert found["one"][0][-1] < found["one"][0][0]
