"""Who else can run code in a study: with `processes` nobody, on a named cluster who reaches an open
port."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask
import psutil
import pytest

from xstilts.errors import UserError
from xstilts.runs import store
from xstilts.runs.key import Base, key
from xstilts.study.workers import cluster
from xstilts.study.workers.processes import Processes

NOBODY = 65534


def listening(process):
    """Places at which others could reach a process: ports, and sockets that have a name."""
    return {
        found.laddr.port if found.family.name.startswith("AF_INET") else found.laddr
        for found in process.net_connections("all")
        if found.laddr and (found.status == psutil.CONN_LISTEN or found.family.name == "AF_UNIX")
    }


def intrude(ports, user):
    """port -> the uid under which a function of another user's process ran there, or None."""
    intruder = Path(__file__).with_name("intruder.py")
    done = subprocess.run(
        [sys.executable, intruder, str(user), *map(str, ports)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return {int(port): uid for port, uid in json.loads(done.stdout).items()}


@pytest.fixture(params=["the same user", "another user"])
def stranger(request):
    if request.param == "the same user":
        return os.getuid()
    if os.getuid():
        pytest.skip("only root can start a process as another user")
    return NOBODY


@pytest.fixture
def certificates(tmp_path):
    """As book/reproduce.md makes them."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not here")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "30",
            "-subj",
            "/CN=xstilts",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
        ],
        check=True,
        cwd=tmp_path,
        capture_output=True,
    )
    pair = {"cert": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}
    return {
        "distributed.comm.tls.ca-file": pair["cert"],
        **{f"distributed.comm.tls.{role}": pair for role in ("client", "scheduler", "worker")},
    }


def served(protocol):
    """A scheduler and a worker in this process, on ports."""
    from distributed import LocalCluster

    return LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        processes=False,
        protocol=protocol,
        host="127.0.0.1",
        dashboard_address=":0",
        silence_logs=50,
    )


def on(made, name, root):
    """What failed of a run that is pretended."""
    return cluster.compute(
        [Base(name)], root, f"dask:{made.scheduler_address}", write, lambda run: 1
    )


def write(run, root, tell):
    """Stands for a run."""
    with store.writing(root, run) as folder:
        (folder / "result").write_text("done")


def test_a_stranger_gets_into_an_open_cluster_of_which_we_warn(stranger, tmp_path, capsys):
    before = listening(psutil.Process())
    with served("tcp") as made:
        ports = listening(psutil.Process()) - before
        assert os.getuid() in intrude(ports, stranger).values()
        assert not on(made, "a", tmp_path)
    warned = capsys.readouterr().err
    assert f"the cluster at {made.scheduler_address} is open" in warned and "reproduce.md" in warned
    assert (tmp_path / key(Base("a"))).is_dir()


def test_a_stranger_does_not_get_in_where_there_are_certificates(
    certificates, stranger, tmp_path, capsys
):
    before = listening(psutil.Process())
    with dask.config.set(certificates), served("tls") as made:
        ports = listening(psutil.Process()) - before
        assert len(ports) >= 2 and set(intrude(ports, stranger).values()) == {None}
        assert made.scheduler_address.startswith("tls://")
        assert not on(made, "a", tmp_path)
        assert (tmp_path / key(Base("a"))).is_dir() and not capsys.readouterr().err
        with (
            dask.config.set({"distributed.comm.tls.ca-file": None}),
            pytest.raises(UserError, match="needs tls:// and certificates"),
        ):
            on(made, "b", tmp_path)


def test_a_place_where_no_scheduler_is_is_told_in_words():
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        pytest.raises(UserError, match="no Dask scheduler answers at tcp://127.0.0.1:1:"),
        cluster.crew("dask:tcp://127.0.0.1:1", []),
    ):
        pass


def test_worker_processes_have_no_port():
    own = psutil.Process()
    before, others = listening(own), own.children(recursive=True)  # of other tests
    with cluster.crew("processes:2", [Base("a"), Base("b")]) as crew:
        while len(crew.free()) < 2:
            crew.ended()
        family = [child for child in own.children(recursive=True) if child not in others]
        assert len(family) >= 2
        assert not set().union(*map(listening, family)) and listening(own) == before


def alive(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_workers_end_with_the_process_that_started_them(tmp_path):
    """However that ends: by Ctrl-C, which a terminal sends to all of them, or killed."""
    program = (
        # a suite that was started in the background ignores Ctrl-C, and so would this
        "import signal, time\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from xstilts.study.workers.processes import Processes\nwith Processes(2) as crew:\n"
        "    while len(free := crew.free()) < 2:\n        crew.ended()\n"
        "    crew.give(free[0], 'long', lambda number, threads: __import__('time').sleep(600))\n"
        "    print('ready', flush=True)\n    time.sleep(600)\n"
    )
    for how, group in (("SIGINT", True), ("SIGTERM", False), ("SIGKILL", False)):
        started = subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert started.stdout.readline() == "ready\n"
        family = psutil.Process(started.pid).children(recursive=True)
        (os.killpg if group else os.kill)(started.pid, signal.Signals[how])
        errors = started.communicate(timeout=60)[1]
        end = time.monotonic() + 30
        while any(map(alive, family)) and time.monotonic() < end:
            time.sleep(0.05)
        assert len(family) >= 2 and time.monotonic() < end, how
        assert errors.count("Traceback") <= 1, errors  # the parent's own


def test_workers_that_cannot_start_are_told_and_not_started_for_ever(monkeypatch):
    # which takes no two arguments
    monkeypatch.setattr("xstilts.study.workers.processes._serve", os._exit)
    told = "before they are ready: the last one ended by itself with code 1.*scheduler local"
    with pytest.raises(UserError, match=told), Processes(1) as crew:
        while True:
            crew.ended()
