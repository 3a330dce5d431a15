"""Several processes on one store: each run done once, nobody waits for the dead. With the system's
locks, and without."""

import dataclasses
import json
import multiprocessing
import os
import re
import shutil
import signal
import time

import pandas as pd
import pytest
from filelock import Timeout

from xstilts.errors import UserError
from xstilts.runs import execution, results, store
from xstilts.runs.key import Base, key
from xstilts.study import graph, phases, profiles
from xstilts.tools import inventory
from xstilts.training import checkpoint

SMALL = dict(
    intermediates="mnli",
    languages="en,fi",
    phase1_steps=2,
    phase2_steps=2,
    phase3_steps=2,
    phase1_rows=20,
    phase2_rows=20,
    phase3_rows=20,
    eval_rows=12,
    max_length=48,
    vocabulary="full",
)
PARTS = [("xnli",), ("xnli", "tatoeba"), ("tatoeba",), ("tatoeba", "xnli")]


@pytest.fixture
def study(tiny_encoder):
    return profiles.study(encoder=str(tiny_encoder), targets="xnli,tatoeba", **SMALL)


APART = multiprocessing.get_context(
    "forkserver"
)  # a fork of this process, which has threads, may wait for ever
APART.set_forkserver_preload(["xstilts.study.graph", "xstilts.training.loop"])


def start(function, *arguments):
    process = APART.Process(
        target=apart, args=(os.environ["XSTILTS_LOCK"], function, *arguments), daemon=True
    )
    process.start()
    return process


def apart(how, function, *arguments):
    os.environ["XSTILTS_LOCK"] = how
    function(*arguments)


def compute(study, targets, root):
    graph.compute(phases.single_tasks(dataclasses.replace(study, targets=targets)).values(), root)


@pytest.mark.parametrize("how", ["system", "lease"])
def test_four_processes_with_overlapping_studies_do_each_run_once(
    study, tmp_path, monkeypatch, how
):
    monkeypatch.setenv("XSTILTS_LOCK", how)
    root, wanted = tmp_path / "shared", phases.single_tasks(study)
    workers = [start(compute, study, targets, root) for targets in PARTS]
    for _ in range(12000):  # one of them dies while it computes
        at_it = [
            path
            for path in root.glob(".writing-*")
            if int(path.name.rsplit("-", 1)[1]) == workers[0].pid
        ]
        if at_it:
            os.kill(workers[0].pid, signal.SIGKILL)
            break
        time.sleep(0.005)
    [worker.join(120) for worker in workers]
    assert [worker.exitcode for worker in workers] == [-signal.SIGKILL if at_it else 0, 0, 0, 0]
    done = [
        line["key"]
        for line in map(json.loads, (root / "log.jsonl").read_text().splitlines())
        if line["event"] == "computed"
    ]
    assert len(done) == len(set(done)) and set(graph.compute(wanted.values(), root)) == {
        key(run) for run in wanted.values()
    }
    assert not list(root.glob(".writing-*")) and not list(root.glob(".damaged-*"))
    if how == "system":
        alone = tmp_path / "alone"
        graph.compute(wanted.values(), alone)
        pd.testing.assert_frame_equal(
            results.scores(wanted, root), results.scores(wanted, alone), check_exact=True
        )


RUN = Base("e", "e")


def hold(root, ready):
    with store.lock(root, RUN):
        ready.set()
        time.sleep(60)


@pytest.mark.parametrize("how", ["system", "lease"])
def test_a_lock_is_held_while_its_process_lives_and_nobodys_when_it_is_dead(
    tmp_path, monkeypatch, how
):
    monkeypatch.setenv("XSTILTS_LOCK", how)
    ready = APART.Event()
    holder = start(hold, tmp_path, ready)
    assert ready.wait(60)
    with pytest.raises(Timeout):
        store.locked(tmp_path, key(RUN), timeout=0.3).acquire()
    assert inventory.busy(tmp_path, key(RUN))
    holder.kill()
    holder.join()
    with store.locked(tmp_path, key(RUN), timeout=10):
        pass
    assert not inventory.busy(tmp_path, key(RUN))


def test_a_lock_of_another_machine_that_gives_no_sign_of_life_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "LEASE", 0.6)
    held = store.locked(tmp_path, key(RUN), "lease")
    with held:
        path = tmp_path / ".locks" / f"{key(RUN)}.lease"
        text = path.read_text()
    import socket

    assert socket.gethostname() in text
    path.write_text(text.replace(socket.gethostname(), "elsewhere"))
    began = time.monotonic()
    with store.locked(tmp_path, key(RUN), "lease", timeout=20):
        assert 0.5 < time.monotonic() - began < 10


def test_a_disk_without_locks_gets_leases(tmp_path, monkeypatch):
    import errno
    import fcntl

    def none(*arguments):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", none)
    with store.lock(tmp_path, RUN):
        assert [path.name for path in (tmp_path / ".locks").glob("*.lease")] == [
            f"{key(RUN)}.lease"
        ]
    assert not list((tmp_path / ".locks").glob("*.lease"))


def test_who_comes_second_keeps_the_first_ones_artifact(tmp_path):
    """A process that was taken for dead and lives: the artifact is whole, and of one of them."""
    with store.writing(tmp_path, RUN) as folder:
        (folder / "scores.csv").write_text("the first")
    first = tmp_path / "first"
    os.rename(store.folder_of(tmp_path, RUN), first)
    with store.writing(tmp_path, RUN) as folder:
        (folder / "scores.csv").write_text("the second")
        shutil.copytree(first, store.folder_of(tmp_path, RUN))
    assert (store.find(tmp_path, RUN) / "scores.csv").read_text() == "the first"
    assert not list(tmp_path.glob(".writing-*"))


def test_two_of_one_number_do_not_write_into_one_folder(tmp_path):
    """Containers number their processes alike: the first was stopped past its lease, and goes on
    beside the second."""
    with (
        pytest.raises(store.TakenOver, match="took this one for dead"),
        store.writing(tmp_path, RUN) as first,
    ):
        (first / "log.jsonl").write_text("the first")
        (first / checkpoint.FILE).write_text("its checkpoint")
        with store.writing(tmp_path, RUN) as second:
            assert second != first and [path.name for path in second.iterdir()] == [checkpoint.FILE]
            first.mkdir()  # as a library does that saves a model
            (first / "model.safetensors").write_text("the first")
            (second / "log.jsonl").write_text("the second")
    found = store.find(tmp_path, RUN)
    assert {path.name for path in found.iterdir()} == {"log.jsonl", "run.json"}
    assert (found / "log.jsonl").read_text() == "the second" and not list(
        tmp_path.glob(".writing-*")
    )


def compute_slowly(root, ready):
    """A run of three files, a second each."""
    store.LEASE = 1.0

    def execute(run, folder, *others):
        for name in "abc":
            with open(folder / name, "a") as file:
                file.write(str(os.getpid()))
            ready.set()
            time.sleep(1)

    execution.execute = execute
    graph.once(RUN, root)


def test_a_process_that_was_stopped_past_its_lease_waits_for_what_the_other_makes(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("XSTILTS_LOCK", "lease")
    ready = [APART.Event(), APART.Event()]
    first = start(compute_slowly, tmp_path, ready[0])
    assert ready[0].wait(60)
    os.kill(first.pid, signal.SIGSTOP)
    second = start(compute_slowly, tmp_path, ready[1])
    assert ready[1].wait(60)  # it has taken over
    os.kill(first.pid, signal.SIGCONT)
    [process.join(60) for process in (first, second)]
    assert (first.exitcode, second.exitcode) == (0, 0)
    found = store.find(tmp_path, RUN)
    assert {(found / name).read_text() for name in "abc"} == {str(second.pid)}
    done = [json.loads(line)["event"] for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert done == ["waiting", "computed"] and not [path for path in tmp_path.glob(".*-*")]


def test_a_link_among_what_is_unfinished_is_not_followed(tmp_path, capsys):
    root, elsewhere = tmp_path / "store", tmp_path / "elsewhere"
    elsewhere.mkdir(), root.mkdir()
    (elsewhere / "thesis.tex").write_text("mine")
    for end in (f"host-00-{os.getpid()}", str(os.getpid())):
        (root / f".writing-{key(RUN)}-{end}").symlink_to(elsewhere)
    with store.writing(root, RUN) as folder:
        (folder / "scores.csv").write_text("x")
    assert [path.name for path in elsewhere.iterdir()] == ["thesis.tex"] and store.find(root, RUN)
    assert "is a link or a file, which the store did not make" in capsys.readouterr().out
    assert not inventory.leftovers(root)


def test_an_unknown_kind_of_lock_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("XSTILTS_LOCK", "hope")
    with pytest.raises(UserError, match=re.escape("XSTILTS_LOCK: 'hope' is none of system, lease")):
        store.locked(tmp_path, "x")
