"""Runs side by side: on this machine's cores, or on any Dask cluster. The graph and the artifacts are those of one process.

    compute(lacking, root, "processes")     # one worker a core, as memory allows, one thread each; or one a GPU
    compute(lacking, root, "dask:tcp://head:8786")

A worker that dies costs the run that it was at, which another worker takes up (Dask gives up after four deaths). A run
that fails stops only what starts from it. Two clients of one store do each run once, by its locks.
"""
from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from . import costs
from .spec import Run, UserError, key, label, parents

KNOWN = "local, processes, processes:N, dask, dask:tcp://HOST:PORT, dask:CONFIG.yml"
CLUSTERS = ("dask_jobqueue", "distributed", "dask_cuda", "dask_kubernetes")   # packages whose clusters a file may name


def check(scheduler: str) -> None:
    """UserError if it is not one that we know."""
    name, _, place = scheduler.partition(":")
    good = {"local": not place, "processes": not place or (place.isdigit() and int(place) > 0),
            "dask": not place or "://" in place or place.endswith((".yml", ".yaml"))}
    if not good.get(name, False):
        raise UserError(f"parameter scheduler: {scheduler!r} is none of {KNOWN}")
    if name == "dask" and place.endswith((".yml", ".yaml")) and not Path(place).is_file():
        raise UserError(f"parameter scheduler: there is no file {place}")


def workers(place: str, todo: Sequence[Run]) -> int:
    """How many processes `processes` and `processes:N` (place: N) start here: else one a GPU, for a run may fill its memory, or
    one a core, but no more than have room beside each other."""
    from distributed.system import MEMORY_LIMIT      # what the machine has, or this process may take of it

    most = int(place or torch.cuda.device_count())
    if not most:
        most = min(os.cpu_count() or 1, int(MEMORY_LIMIT // max(map(costs.memory, todo), default=1)))
    return max(1, min(most, len(todo)))


@contextmanager
def client(scheduler: str, todo: Sequence[Run]) -> Iterator:
    """A Dask client for `processes` or `dask`; what it started is stopped at the end. todo: what it will be asked to do."""
    import dask
    from distributed import Client, LocalCluster

    check(scheduler)
    name, _, place = scheduler.partition(":")
    started = None
    with dask.config.set({"distributed.worker.memory.terminate": False, "distributed.worker.memory.pause": False,
                          "distributed.admin.large-graph-warning-threshold": "1GB"}):
        if name == "dask" and "://" in place:
            made = Client(place)
        elif name == "dask" and not place and os.environ.get("DASK_SCHEDULER_ADDRESS"):
            made = Client(os.environ["DASK_SCHEDULER_ADDRESS"])
        else:
            if place.endswith((".yml", ".yaml")):
                started = _from_file(Path(place))
            else:   # one thread each: two processes of one thread do more than one of two (figures in the book's log)
                started = LocalCluster(n_workers=workers(place, todo), threads_per_worker=1, dashboard_address=None,
                                       host="127.0.0.1", silence_logs=40)
            made = Client(started)
        try:
            yield made
        finally:
            made.close()
            if started:
                started.close()


def _from_file(path: Path):
    """{"cluster": "dask_jobqueue.SLURMCluster", "jobs": 8, "options": {...}} -> that cluster, started."""
    import yaml

    known = f"it has cluster (a class of {', '.join(CLUSTERS)}), jobs (a number) and options (of that class)"
    try:
        asked = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, ValueError) as error:
        raise UserError(f"{path}: not readable ({str(error).splitlines()[0]}); {known}") from error
    asked = asked if isinstance(asked, dict) else {}
    package, _, name = str(asked.get("cluster", "")).rpartition(".")
    jobs, options = asked.get("jobs", 1), asked.get("options", {})
    unknown = sorted(map(str, set(asked) - {"cluster", "jobs", "options"}))
    if unknown or package not in CLUSTERS or type(jobs) is not int or not isinstance(options, dict):
        wrong = f"unknown entry {unknown[0]!r}" if unknown else f"cluster {package or None}" if package not in CLUSTERS else \
            f"jobs {jobs!r}, options {options!r}"
        raise UserError(f"{path}: {wrong}; {known}")
    try:
        made = getattr(importlib.import_module(package), name)(**options)
    except ImportError as error:
        raise UserError(f"{path}: {error}; install the package {package.replace('_', '-')}") from error
    except (AttributeError, TypeError) as error:      # no such class; no such option
        raise UserError(f"{path}: {error}; {known}") from error
    made.scale(jobs=jobs) if package == "dask_jobqueue" else made.scale(jobs)
    return made


def compute(lacking: Sequence[Run], root: Path, scheduler: str, work: Callable[..., None],
            priority: Callable[[Run], float]) -> dict[str, BaseException]:
    """Does all of `lacking`, parents first. `work(run, root, tell)` does one; it runs in a worker, with its parent's artifact in
    the store. priority: the higher, the earlier. Returns what failed: key -> why. A run that starts from one that failed has
    that one's error."""
    from distributed import as_completed

    titles = {key(run): label(run) for run in lacking}
    with client(scheduler, lacking) as dask:
        futures: dict = {}     # of every run, its group's
        # the first ones start as they come, before there are others to choose from. A parent's priority is never below its
        # children's, so it stays before them
        ordered = sorted(costs.together(lacking), key=lambda group: -max(map(priority, group)))
        groups = {key(group[0]): group for group in ordered}
        for name, group in groups.items():
            needed = [futures[key(parent)] for parent in parents(group[0]) if key(parent) in futures]
            # a name of this client's own: one that two share is at times forgotten when the first of them leaves. Which of
            # them does a run is decided by the store's lock
            submitted = dask.submit(_work, work, group, str(root), needed, key=f"xstilts-{name}-{dask.id}",
                                    priority=max(map(priority, group)), pure=False)
            futures |= {key(run): submitted for run in group}
        failed = {}
        # by this client's own loop: left to itself it takes the newest client's of the process, which may close before
        for future in as_completed(set(futures.values()), loop=dask.loop, raise_errors=False):
            group = groups[future.key.split("-")[1]]
            for name, outcome in (future.result() if future.status == "finished" else
                                  {key(run): future.exception() for run in group}).items():
                if isinstance(outcome, BaseException):
                    failed[name] = outcome
                else:
                    print(f"computed  {name[:8]}  {titles[name]}  {outcome:.0f} s", flush=True)
    return failed


def _work(work: Callable[..., None], group: list[Run], root: str, needed: list) -> dict[str, float | Exception]:
    """In a worker: runs that share a training, with one thread on a CPU, or on the worker's own GPU. Returns the seconds of
    each, or why it failed; the error of a run by itself is raised, and that of the one that the group starts from."""
    from distributed import get_worker

    from . import store

    for before in needed:     # what came of the group of the one that these start from
        if isinstance(error := before[key(parents(group[0])[0])], Exception):
            raise error
    worker = get_worker()
    if torch.cuda.is_available():
        torch.cuda.set_device(int(worker.name) % torch.cuda.device_count() if str(worker.name).isdigit() else 0)
    else:
        torch.set_num_threads(worker.state.nthreads)
    found: dict[str, float | Exception] = {}
    for run in group:
        try:
            work(run, Path(root), tell=False)   # the client tells
            found[key(run)] = store.manifest(store.folder_of(Path(root), run))["seconds"]
        except Exception as error:   # noqa: BLE001  the others of the group don't depend on it
            if len(group) == 1:
                raise
            found[key(run)] = error
    return found
