"""Runs side by side: on this machine's cores, or on any Dask cluster. The graph and the artifacts
are those of one process.

    compute(lacking, root, "processes")     # one worker a core, one thread each; or one a GPU
    compute(lacking, root, "dask:tls://head:8786")

A worker has one run at a time. One that dies costs that run alone, which another worker takes up,
TRIES times in all. A run that fails stops only what starts from it. Two clients of one store do
each run once, by its locks."""

from __future__ import annotations

import importlib
import os
import pickle
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import torch

from xstilts import settings
from xstilts.errors import UserError, visible
from xstilts.runs import store
from xstilts.runs.key import Run, key, label, parents
from xstilts.study import costs
from xstilts.study.workers import cluster_file
from xstilts.study.workers.processes import Died, Processes

KNOWN = "local, processes, processes:N, dask, dask:tls://HOST:PORT, dask:CONFIG.yml"
TRIES = 4  # of a run whose worker dies
SECURE = "how to secure one is under “Many runs at once” in book/reproduce.md"


def check(scheduler: str) -> None:
    """UserError if it is not one that we know."""
    name, _, place = scheduler.partition(":")
    good = {
        "local": not place,
        "processes": not place or (place.isdigit() and int(place) > 0),
        "dask": not place or "://" in place or place.endswith((".yml", ".yaml")),
    }
    if not good.get(name, False):
        raise UserError(f"parameter scheduler: {scheduler!r} is none of {KNOWN}")
    if name == "dask" and place.endswith((".yml", ".yaml")) and not Path(place).is_file():
        raise UserError(f"parameter scheduler: there is no file {place}")


def workers(place: str, todo: Sequence[Run]) -> int:
    """How many processes `processes` and `processes:N` (place: N) start here: else one a GPU, for a
    run may fill its memory, or one a core, but no more than have room beside each other."""
    from distributed.system import (
        MEMORY_LIMIT,  # what the machine has, or this process may take of it
    )

    most = int(place or torch.cuda.device_count())
    if not most:
        most = min(
            os.cpu_count() or 1, int(MEMORY_LIMIT // max(map(costs.memory, todo), default=1))
        )
    return max(1, min(most, len(todo)))


class Crew(Protocol):
    """Workers, each with one thing to do at a time; `Processes` is one."""

    def free(self) -> list: ...
    def busy(self) -> bool: ...
    def give(self, worker: Any, /, name: str, call: Callable[[int, int], object]) -> None: ...
    def ended(self) -> list[tuple[str, object]]: ...


@contextmanager
def crew(scheduler: str, todo: Sequence[Run]) -> Iterator[Crew]:
    """The workers of `processes` or `dask`; what was started for it is stopped at the end. todo:
    what they will be asked to do. UserError where a cluster does not answer."""
    check(scheduler)
    name, _, place = scheduler.partition(":")
    place = place or (settings.dask_scheduler() if name == "dask" else "")
    if name == "processes" or not place:
        with Processes(workers(place, todo)) as own:
            yield own
        return
    import dask
    from distributed import Client

    with dask.config.set(
        {
            "distributed.worker.memory.terminate": False,
            "distributed.worker.memory.pause": False,
            "distributed.admin.large-graph-warning-threshold": "1GB",
        }
    ):
        started = _from_file(Path(place)) if place.endswith((".yml", ".yaml")) else None
        try:
            try:
                client = Client(started or place)
            except (OSError, TypeError, ValueError, RuntimeError) as error:
                # nobody there; no certificate; no such protocol
                raise UserError(
                    f"no Dask scheduler answers at {place}: {error or type(error).__name__}. "
                    f"One that speaks TLS needs tls:// and certificates; {SECURE}"
                ) from error
            with client:
                at = client.scheduler.address
                if not at.startswith(("tls://", "wss://", "inproc://")):
                    print(
                        visible(
                            f"warning: the cluster at {at} is open: who reaches its ports can run "
                            f"code there in your name; {SECURE}"
                        ),
                        file=sys.stderr,
                        flush=True,
                    )
                yield Cluster(client)
        finally:
            if started:
                started.close()


class Cluster:
    """The workers of a Dask cluster. Each is given one run at a time, so that no other waits where
    a
    worker dies: Dask would count that death against it, too, and send the run that killed the
    worker to the next worker before all others."""

    def __init__(self, client):
        self.client, self.given, self.calls, self.changed = client, {}, 0, threading.Event()

    def _there(self) -> set[str]:
        try:
            return set(self.client.scheduler_info(n_workers=-1)["workers"])
        except (OSError, KeyError) as error:  # it has none where the client has given up
            raise UserError(
                "the Dask scheduler does not answer any more. Finished runs are kept; the same "
                "command goes on from there when it is back"
            ) from error

    def free(self) -> list[str]:
        return sorted(self._there() - {worker for worker, _ in self.given.values()})

    def busy(self) -> bool:
        return bool(self.given)

    def give(self, worker: str, name: str, call: Callable[[int, int], object]) -> None:
        self.calls += 1
        future = self.client.submit(
            _on_worker,
            call,
            workers=[worker],
            allow_other_workers=False,
            pure=False,
            key=f"xstilts-{name}-{self.client.id}-{self.calls}",
        )
        self.given[name] = worker, future
        future.add_done_callback(lambda _: self.changed.set())

    def ended(self) -> list[tuple[str, object]]:
        from distributed import KilledWorker

        self.changed.wait(1)
        self.changed.clear()
        there, found = self._there(), []
        for name, (worker, future) in list(self.given.items()):
            if future.status == "pending" and worker in there:
                continue
            del self.given[name]
            try:
                if future.status in ("pending", "lost"):
                    future.cancel()
                    raise TimeoutError
                found.append((name, future.result(timeout=10)))
            except (KilledWorker, TimeoutError):  # the result may be lost; the artifact is not
                found.append((name, Died(f"({worker}) is gone")))
            except Exception as error:  # noqa: BLE001  it came to nothing there: the run's error
                found.append((name, error))
        return found


def _from_file(path: Path):
    """The cluster that the file describes (see `cluster_file`), started."""
    asked = cluster_file.read(path)
    try:
        made = getattr(importlib.import_module(asked.package), asked.name)(**asked.options)
    except ImportError as error:
        raise UserError(
            f"{path}: {error}; install the package {asked.package.replace('_', '-')}"
        ) from error
    except (
        AttributeError,
        TypeError,
        ValueError,
    ) as error:  # no such class; no such option; no such value of it
        raise UserError(f"{path}: {error}; {cluster_file.KNOWN}") from error
    made.scale(jobs=asked.jobs) if asked.package == "dask_jobqueue" else made.scale(asked.jobs)
    return made


def compute(
    lacking: Sequence[Run],
    root: Path,
    scheduler: str,
    work: Callable[..., None],
    priority: Callable[[Run], float],
    finished: Callable[[Run], None] = lambda run: None,
) -> dict[str, BaseException]:
    """Does all of `lacking`, parents first. `work(run, root, tell)` does one; it runs in a worker,
    with its parent's artifact in the store. priority: the higher, the earlier. finished(run): is
    called here when one is done. Returns what failed: key -> why. A run that starts from one that
    failed has that one's error."""
    titles = {key(run): label(run) for run in lacking}
    died: Counter[str] = Counter()
    done: dict[str, object] = {}  # by run: seconds or None (see `_work`), or an error
    waiting = sorted(lacking, key=lambda run: -priority(run))
    given: dict[str, Run] = {}
    with crew(scheduler, lacking) as workers:
        while waiting or workers.busy():
            free = workers.free()
            waiting.sort(key=lambda run: died[key(run)])  # what took a worker along comes last
            for run in list(waiting):
                before = [name for name in map(key, parents(run)) if name in titles]
                if any(name not in done for name in before):
                    continue
                if lost := [done[name] for name in before if isinstance(done[name], BaseException)]:
                    done[key(run)] = lost[0]
                elif free:
                    given[key(run)] = run
                    workers.give(free.pop(0), key(run), partial(_work, work, run, str(root)))
                else:
                    continue
                waiting.remove(run)
            for name, outcome in workers.ended():
                run = given.pop(name)
                if isinstance(outcome, Died):
                    waiting += _again(run, outcome, died, done, root)
                    continue
                done[name] = outcome
                if isinstance(outcome, BaseException):
                    continue
                if outcome is not None:
                    print(
                        visible(f"computed  {name[:8]}  {titles[name]}  {outcome:.0f} s"),
                        flush=True,
                    )
                finished(run)
    return {name: found for name, found in done.items() if isinstance(found, BaseException)}


def _again(run: Run, how: Died, died: Counter, done: dict, root: Path) -> list[Run]:
    """The run whose worker has died, if it is to be tried again."""
    if not (store.folder_of(root, run) / store.MANIFEST).is_file():  # else it was done
        died[key(run)] += 1
        store.report(root, "died", run, f"its worker {how}; death {died[key(run)]} of {TRIES}")
    if died[key(run)] < TRIES:
        return [run]
    done[key(run)] = Died(
        f"{label(run)}: each of the {TRIES} workers that tried it died; the last one "
        f"{how}. If that was for want of memory, let fewer run side by side "
        "(-p scheduler processes:N)"
    )
    return []


def _work(
    work: Callable[..., None], run: Run, root: str, number: int, threads: int
) -> float | Exception | None:
    """In a worker: a run, with its threads on a CPU, or on the worker's own GPU. Returns its
    seconds, or why it failed; None where it was not needed any more."""
    if torch.cuda.is_available():
        torch.cuda.set_device(number % torch.cuda.device_count())
    else:
        torch.set_num_threads(threads)
    try:
        work(run, Path(root), tell=False)  # the client tells
        there = store.is_there(Path(root), run)
        return store.manifest(store.folder_of(Path(root), run))["seconds"] if there else None
    except Exception as error:  # noqa: BLE001  the others don't depend on it
        return _portable(error)


def _portable(error: Exception) -> Exception:
    """The same as another process can read it, with the traceback of this one."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001  whatever its class does
        return RuntimeError(f"{type(error).__name__}: {error}")


def _on_worker(call: Callable[[int, int], object]) -> object:
    """On a Dask worker."""
    from distributed import get_worker

    worker = get_worker()
    return call(int(worker.name) if str(worker.name).isdigit() else 0, worker.state.nthreads)
