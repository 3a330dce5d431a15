"""What pretended runs do in a worker. Light, for each worker that is started imports it: see
test_deaths."""

import os
import time
from pathlib import Path

from xstilts.runs.key import key, label


def work(_, run, root, number, threads):
    """In place of `cluster._work`. The culprit ends its process; the slow ones wait for a file."""
    with open(Path(root) / "begun", "a") as file:
        file.write(f"{label(run)}\n")
    if label(run) == "culprit":
        os._exit(7)
    while "slow" in label(run) and not (Path(root) / "go").exists():
        time.sleep(0.01)
    folder = Path(root) / key(run)
    folder.mkdir()
    (folder / "run.json").write_text("{}")
    return 1.0


def on_worker(call):
    """In place of `cluster._on_worker`."""
    return call(0, 1)
