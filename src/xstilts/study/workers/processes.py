"""Worker processes of this machine, each at the end of a pipe of its own. No port listens: other
users have nothing to connect to.

    with Processes(2) as crew:
        for worker in crew.free():
            crew.give(worker, "name", call)    # call(number of the worker, its threads), there
        crew.ended()                           # [("name", what it returned, or Died)]

A worker has one call at a time, so one that dies takes no other with it. It is started anew.
Workers end with the process that started them, however that one ends."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process, resource_tracker
from multiprocessing.process import BaseProcess

import cloudpickle

from xstilts.errors import UserError

STARTS = 6  # a worker that dies so often before it could begin anything is given up
# read once, at import
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
GRACE = 5.0  # seconds to clean up before a worker is killed


class Died(Exception):
    """The process that did something has ended before it was done."""


@dataclass
class Worker:
    process: BaseProcess
    pipe: connection.Connection
    starts: int = 1  # since it last was ready
    ready: bool = False
    name: str = ""  # of what it does


class Processes:
    """`count` worker processes, which end with the block."""

    def __init__(self, count: int):
        self.count = count
        self.workers: dict[int, Worker] = {}

    def __enter__(self) -> Processes:
        try:
            for number in range(self.count):
                self.workers[number] = Worker(*_start(number))
        except BaseException:  # Ctrl-C, too
            self.__exit__()
            raise
        return self

    def free(self) -> list[int]:
        """Workers that are ready and have nothing to do."""
        return [number for number, one in self.workers.items() if one.ready and not one.name]

    def busy(self) -> bool:
        """Whether any of them has something to do."""
        return any(worker.name for worker in self.workers.values())

    def give(self, number: int, name: str, call: Callable[[int, int], object]) -> None:
        """Lets a free worker do call(number, 1)."""
        self.workers[number].name = name
        with contextlib.suppress(OSError):  # it has just died: `ended` says so
            self.workers[number].pipe.send_bytes(cloudpickle.dumps(call))

    def ended(self) -> list[tuple[str, object]]:
        """What has ended, after a second at most: name, and what the call returned, or Died.
        UserError when no worker can be started."""
        connection.wait(
            [
                end
                for worker in self.workers.values()
                for end in (worker.pipe, worker.process.sentinel)
            ],
            timeout=1,
        )
        found = []
        for number, worker in list(self.workers.items()):
            code = (
                worker.process.exitcode
            )  # before the pipe is read: what a dead one said is there now
            try:
                while worker.pipe.poll():
                    told = pickle.loads(worker.pipe.recv_bytes())
                    if worker.ready:
                        found.append((worker.name, told))
                    worker.ready, worker.starts, worker.name = True, 0, ""
            except (EOFError, OSError):
                worker.process.join()
                code = worker.process.exitcode
            if code is not None:
                found += self._again(number, worker, _how(code))
        return found

    def _again(self, number: int, worker: Worker, how: str) -> list[tuple[str, Died]]:
        """Starts a new one in its place, unless too many have not even become ready."""
        worker.pipe.close()
        if worker.starts < STARTS:
            self.workers[number] = Worker(*_start(number), worker.starts + 1)
        else:
            del self.workers[number]
            if not self.workers:
                raise UserError(
                    f"worker processes end before they are ready: the last one {how}. Is there "
                    "memory for them? With `-p scheduler local` this process does the runs itself"
                )
        return [(worker.name, Died(how))] if worker.name else []

    def __exit__(self, *_) -> None:
        for worker in self.workers.values():
            worker.process.terminate()
        for worker in self.workers.values():
            worker.process.join(GRACE)
            worker.process.kill()
            worker.process.join()
            worker.pipe.close()


def _how(code: int) -> str:
    if code >= 0:
        return f"ended by itself with code {code}"
    return f"was killed by signal {-code} ({signal.strsignal(-code)})"


def _start(number: int) -> tuple[BaseProcess, connection.Connection]:
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(
        target=_serve, args=(number, there), daemon=True, name=f"xstilts-{number}"
    )
    with _inherited():
        process.start()
    there.close()
    return process, here


_starting = threading.Lock()  # the environment is that of all threads


@contextlib.contextmanager
def _inherited() -> Iterator[None]:
    """What a worker has from its start. One thread. No Ctrl-C, which a terminal sends to all: this
    process ends them."""
    with _starting:
        before = {name: os.environ.get(name) for name in ONE_THREAD}
        resource_tracker.ensure_running()  # started with the first one it would unblock signals
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        try:
            os.environ.update(ONE_THREAD)
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _serve(number: int, pipe: connection.Connection) -> None:
    """The worker's side: says that it is ready, then does what it is given and says what came of
    it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what is half-written is cleaned up
    _end_with_parent()
    told: object = None
    while True:
        try:
            pipe.send_bytes(cloudpickle.dumps(told))
            call = pickle.loads(pipe.recv_bytes())
        except (EOFError, OSError):  # nobody is there any more
            return
        told = call(number, 1)


def pool(count: int) -> ProcessPoolExecutor:
    """For calls that are no runs: processes of their own, which end when this one does. Those of
    the standard library wait for ever when it is killed."""
    return ProcessPoolExecutor(count, get_context("spawn"), initializer=_end_with_parent)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None  # this is the worker's side

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
