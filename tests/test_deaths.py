"""Workers that die: only the run that kills them is lost, after its own tries; the others are done
once."""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import culprit
import dask
import psutil
import pytest

from xstilts.errors import UserError
from xstilts.runs import store
from xstilts.runs.key import Adapt, Base, key, label
from xstilts.study.workers import cluster
from xstilts.study.workers.processes import Died

CULPRIT = Base("culprit")
AFTER = Adapt(CULPRIT, ("mnli",), ("fi",), None, 0, ())
SLOW = [Base(f"slow {number}", f"slow {number}") for number in range(2)]
HARMLESS = SLOW + [Base(f"harmless {number}", str(number)) for number in range(17)]


@pytest.fixture(autouse=True)
def light(monkeypatch):
    """Runs that are None, and tried twice."""
    monkeypatch.setattr(cluster, "_work", culprit.work)
    monkeypatch.setattr(cluster, "_on_worker", culprit.on_worker)
    monkeypatch.setattr(cluster, "TRIES", 2)


def first_the_culprit(run):
    return {CULPRIT: 100.0, AFTER: 90.0}.get(run, 50.0 if run in SLOW else 1.0)


def kill_every_worker(root):
    """Once, while both slow runs are at work."""
    while not (root / "begun").exists() or (root / "begun").read_text().count("slow") < 2:
        time.sleep(0.01)
    for worker in psutil.Process().children(recursive=True):
        if "spawn_main" in " ".join(worker.cmdline()):
            worker.send_signal(signal.SIGKILL)
    (root / "go").touch()


def logged(root, event):
    lines = map(json.loads, (root / "log.jsonl").read_text().splitlines())
    return [line for line in lines if line["event"] == event]


def only_the_culprit_is_lost(failed, root, tries=2):
    assert set(failed) == {key(CULPRIT), key(AFTER)}
    assert all(store.folder_of(root, run).is_dir() for run in HARMLESS)
    begun = Counter((root / "begun").read_text().splitlines())
    assert begun.pop("culprit") == tries
    return begun


def test_a_run_that_kills_its_worker_is_lost_alone_also_where_every_worker_is_killed(tmp_path):
    killer = threading.Thread(target=kill_every_worker, args=(tmp_path,), daemon=True)
    killer.start()
    runs = [CULPRIT, AFTER, *HARMLESS]
    failed = cluster.compute(runs, tmp_path, "processes:2", None, first_the_culprit)
    killer.join(1)
    begun = only_the_culprit_is_lost(failed, tmp_path)
    assert begun == Counter(map(label, HARMLESS)) + Counter(map(label, SLOW))  # killed once
    assert (
        "culprit: each of the 2 workers that tried it died; the last one ended by itself with "
        "code 7" in str(failed[key(AFTER)])
    )
    assert sorted(line["label"] for line in logged(tmp_path, "died")) == [
        "culprit",
        "culprit",
        *map(label, SLOW),
    ]
    # its second try waits for the others, of which one may be beginning
    before = (tmp_path / "begun").read_text().rpartition("culprit")[0].splitlines()
    assert len(set(before) - {"culprit"}) >= len(HARMLESS) - 1


def test_on_a_dask_cluster_too(tmp_path):
    from distributed import LocalCluster

    (tmp_path / "go").touch()
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1", silence_logs=50
    ) as made:
        failed = cluster.compute(
            [CULPRIT, AFTER, *HARMLESS],
            tmp_path,
            f"dask:{made.scheduler_address}",
            None,
            first_the_culprit,
        )
    assert only_the_culprit_is_lost(failed, tmp_path) == Counter(map(label, HARMLESS))


def test_a_scheduler_that_is_gone_is_told_in_words(tmp_path):
    from distributed import LocalCluster

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            protocol="tcp",
            host="127.0.0.1",
            dashboard_address=":0",
            silence_logs=50,
        ) as made,
    ):

        def close():
            while not (tmp_path / "begun").exists():
                time.sleep(0.01)
            threading.Timer(1, (tmp_path / "go").touch).start()  # its thread would not end
            made.close()

        threading.Thread(target=close, daemon=True).start()
        with pytest.raises(UserError, match="does not answer any more.*the same command goes on"):
            cluster.compute(SLOW, tmp_path, f"dask:{made.scheduler_address}", None, lambda run: 1.0)


class Pretended:
    """A worker that is none: what the culprit comes to is given."""

    def __init__(self, outcome):
        self.given, self.now, self.outcome = [], None, outcome

    def free(self):
        return [] if self.now else ["it"]

    def busy(self):
        return bool(self.now)

    def give(self, worker, name, call):
        self.now = name, call.args[1]
        self.given.append(call.args[1])

    def ended(self):
        if not self.now:
            return []
        (name, run), self.now = self.now, None
        return [(name, self.outcome if run == CULPRIT else 1.0)]


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """What failed, and what a worker was given: two runs, the culprit between them, and what comes
    after it."""

    def ran(outcome):
        worker = Pretended(outcome)
        monkeypatch.setattr(cluster, "crew", lambda scheduler, todo: contextlib.nullcontext(worker))
        runs = [HARMLESS[0], CULPRIT, HARMLESS[1], AFTER]
        return cluster.compute(runs, tmp_path, "processes", None, lambda run: 1.0), worker.given

    return ran


def test_what_took_its_worker_along_is_tried_again_after_the_others(beside):
    failed, given = beside(Died("died"))
    assert set(failed) == {key(CULPRIT), key(AFTER)}
    assert "each of the 2 workers" in str(failed[key(CULPRIT)])
    assert given == [HARMLESS[0], CULPRIT, HARMLESS[1], CULPRIT]


def test_what_starts_from_a_run_that_failed_is_not_begun(beside):
    failed, given = beside(UserError("no such rows"))
    assert set(failed) == {key(CULPRIT), key(AFTER)} and str(failed[key(AFTER)]) == "no such rows"
    assert given == [HARMLESS[0], CULPRIT, HARMLESS[1]]


POOL = """
import os, time
from xstilts.study.workers import processes

def me(_):
    time.sleep(0.3)
    return os.getpid()

if __name__ == "__main__":
    with processes.pool(2) as pool:
        there = set()
        while len(there) < 2:
            there |= set(pool.map(me, range(4)))
        print(*there, flush=True)
        time.sleep(600)
"""


def test_a_pools_processes_end_with_a_parent_that_is_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(POOL)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as one:
        workers = [psutil.Process(int(number)) for number in one.stdout.readline().split()]
        one.kill()
    assert len(workers) == 2
    _, left = psutil.wait_procs(workers, timeout=20)
    assert not left
