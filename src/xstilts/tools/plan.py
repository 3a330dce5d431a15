"""What a chapter or the book would cost, before anything runs: runs, those that the store has,
time, memory; and how long it would take on more workers.

    print(text(study, "single_task"))         # for people
    made = plan(study, "single_task")         # for a program

Times are measured here (see `pace`) and multiplied out; the simulation then walks the real graph as
the scheduler would, long chains first."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass

import torch

from xstilts import revisions, settings
from xstilts.analysis.wording import duration
from xstilts.chapters import needed
from xstilts.hub_faults import Refused
from xstilts.runs import records, store
from xstilts.runs.key import Adapt, Base, Run, key, line, parents
from xstilts.study import costs, graph
from xstilts.study.profiles import Study
from xstilts.study.workers import cluster
from xstilts.tools.pace import Speed, measured

WORKERS = (1, 4, 16, 64)


def _said(speed: Speed, study: Study, threads: int, workers: int) -> str:
    side_by_side = (
        f"{workers} {'run' if workers == 1 else 'runs'} side by side, {threads} "
        f"{'thread' if threads == 1 else 'threads'} each"
    )
    if speed.assumed:
        return (
            f"could not be measured, as {speed.assumed}; assumed are {_rate(speed.training)}, "
            f"{1000 * speed.step:.0f} ms a step and {duration(speed.run)} a run"
        )
    busy = (
        f". While it was measured other programs were at work, and a run had {speed.share:.0%} "
        f"of a core; if they stay, all takes {1 / speed.share:.1f} times as long"
        if speed.share < 0.75
        else ""
    )
    return (
        f"are measured here: {_rate(speed.training)} in training, {_rate(speed.evaluation)} "
        f"in evaluation, {side_by_side}{busy}"
    )


def _rate(each: float) -> str:
    """Operations a second, from the seconds of one."""
    return f"{1e-12 / each:.0f} TFLOP/s" if each < 1e-13 else f"{1e-9 / each:.3g} GFLOP/s"


@dataclass(frozen=True)
class Walk:
    """A simulated study: seconds until the end, the share of time that workers are busy, and that
    share until nothing more waits to be started (the last wave)."""

    wall: float
    busy: float
    busy_before_last_wave: float


def simulate(todo: list[Run], seconds: dict[str, float], workers: int) -> Walk:
    """Walks the graph as the scheduler does: the ready run with the longest chain goes first, after
    those that end a training."""
    priority = graph.priorities(todo, seconds)
    places = {key(run): number for number, run in enumerate(todo)}
    before = [[places[name] for name in map(key, parents(run)) if name in places] for run in todo]
    after: list[list[int]] = [[] for _ in todo]
    for number, some in enumerate(before):
        for place in some:
            after[place].append(number)
    waits = list(map(len, before))
    ready = [(-priority[key(run)], number) for number, run in enumerate(todo) if not waits[number]]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    now, last_start, starts = 0.0, 0.0, []
    while ready or running:
        while ready and len(running) < workers:
            number = heapq.heappop(ready)[1]
            length = seconds[key(todo[number])]
            heapq.heappush(running, (now + length, number))
            starts.append((now, length))
            last_start = now
        now, number = heapq.heappop(running)
        for place in after[number]:
            waits[place] -= 1
            if not waits[place]:
                heapq.heappush(ready, (-priority[key(todo[place])], place))
    done_before = sum(min(length, max(0.0, last_start - start)) for start, length in starts)
    total = sum(seconds[key(run)] for run in todo)
    return Walk(
        now,
        total / (workers * now) if now else 1.0,
        done_before / (workers * last_start) if last_start else 1.0,
    )


@dataclass(frozen=True)
class Group:
    """Runs that do the same. seconds: of one of them; steps and memory (bytes): the most of any."""

    what: str
    runs: int
    seconds: float
    steps: int
    memory: float


@dataclass(frozen=True)
class Plan:
    """What is needed and what it would cost. Times are in seconds."""

    chapter: str  # "" for the whole book
    profile: str
    runs: int  # that are needed, with those that they start from
    to_compute: int
    speed: Speed
    speed_in_words: str
    notes: list[str]
    groups: list[Group]  # of what is to be computed
    worker_seconds: float
    workers_here: int
    seconds_here: float
    longest_chain: float
    waves: list[int]  # how many runs are how many steps away from the encoder
    walks: dict[int, Walk]  # number of workers -> the simulated study


def plan(study: Study, chapter: str = "", unrecorded: bool = False) -> Plan:
    """What the chapter ("": the book) would cost; of what is not recorded, if asked. UserError for
    an unknown chapter."""
    root, notes = store.default_root(), []

    def asked() -> tuple[list[Run], list[Run]]:
        runs = needed.needed(chapter, study)
        return runs, graph.lacking(records.unrecorded(runs) if unrecorded else runs, root)

    try:
        runs, todo = asked()
    except Refused as refused:
        if not refused.away:
            raise
        revisions.unasked = True
        runs, todo = asked()
        notes.append(
            "The Hub can't be reached: rows are counted by the official sizes, and what the "
            "store has is not known."
        )
    workers, words = _workers(study.scheduler, todo)
    notes += [words] if words else []
    on_gpu = torch.cuda.is_available()
    threads = torch.get_num_threads() if on_gpu or words or study.scheduler == "local" else 1
    # on a GPU the memory may not do for several to be measured at once
    side_by_side = 1 if on_gpu else workers
    speed = measured(study, threads, side_by_side)
    seconds = speed.of(todo)
    groups: dict[str, list[Run]] = {}
    for run in todo:
        groups.setdefault(_what(run), []).append(run)
    waves = Counter(len(line(run)) for run in todo)
    return Plan(
        chapter,
        study.profile,
        len({key(run) for wanted in runs for run in line(wanted)}),
        len(todo),
        speed,
        _said(speed, study, threads, side_by_side),
        notes,
        [
            Group(
                what,
                len(alike),
                sum(seconds[key(run)] for run in alike) / len(alike),
                max(costs.cost(run).steps for run in alike),
                max(costs.memory(run) for run in alike),
            )
            for what, alike in groups.items()
        ],
        sum(seconds.values()),
        workers,
        simulate(todo, seconds, workers).wall,
        simulate(todo, seconds, max(1, len(todo))).wall,
        [count for _, count in sorted(waves.items())],
        {count: simulate(todo, seconds, count) for count in WORKERS} if todo else {},
    )


def text(study: Study, chapter: str = "", unrecorded: bool = False) -> str:
    """The plan, for people. UserError for an unknown chapter."""
    made = plan(study, chapter, unrecorded)
    lines = [
        f"{chapter or 'the whole book'}, profile {made.profile}: {made.runs} runs, "
        f"{made.to_compute} to compute. Times {made.speed_in_words}.",
        *made.notes,
        "",
        f"{'runs':>5}  {'seconds each':>12}  {'steps':>6}  {'GB':>5}  what",
    ]
    for group in made.groups:
        lines.append(
            f"{group.runs:>5}  {group.seconds:>12.0f}  {group.steps:>6}  "
            f"{group.memory / 1e9:>5.1f}  {group.what}"
        )
    if not made.to_compute:
        return "\n".join(lines)
    lines += [
        "",
        f"Worker time {duration(made.worker_seconds)}; here, on {made.workers_here} worker(s), "
        f"about {duration(made.seconds_here)}.",
        f"No number of workers needs less than the longest chain, {duration(made.longest_chain)}.",
        "",
        f"{'workers':>7}  {'time':>9}  {'busy':>5}  {'busy before the last wave':>25}",
    ]
    for count, walk in made.walks.items():
        lines.append(
            f"{count:>7}  {duration(walk.wall):>9}  {walk.busy:>5.0%}  "
            f"{walk.busy_before_last_wave:>25.0%}"
        )
    if made.walks[WORKERS[-1]].busy_before_last_wave < 0.85:
        lines.append(
            f"At {WORKERS[-1]} workers the graph is the bound: it has {made.to_compute} runs in "
            f"{len(made.waves)} waves of {', '.join(map(str, made.waves))}; later waves wait for "
            "earlier ones."
        )
    return "\n".join(lines)


def _workers(scheduler: str, todo: list[Run]) -> tuple[int, str]:
    """How many runs will be done side by side, and what is to be said of that."""
    name, _, place = scheduler.partition(":")
    place = place or (settings.dask_scheduler() if name == "dask" else "")
    if name == "dask" and place:
        return 1, (
            f"How many workers {place} has, and how fast they are, is not known here: times are "
            "of one worker like this machine, and the last table is of several."
        )
    return 1 if name == "local" else cluster.workers(place, todo), ""


def _what(run: Run) -> str:
    if isinstance(run, Base):
        return f"{run.encoder} as it ships"
    if isinstance(run, Adapt):
        return f"train on {'+'.join(run.trained)}{f' as {run.read_as}' * bool(run.read_as)}"
    return f"score {run.target}"
