"""The study as a graph of runs (`phases`), walked in order.

    wanted = single_tasks(study)           # {(condition, target, seed): Score}
    compute(wanted.values())               # what the store has is found, what it lacks is computed
    found = obtain(study, wanted)          # or, where the study says so, only what is in the store
                                           or recorded

The same run asked for twice, by two chapters or two conditions, has the same key and is done once.
"""

from __future__ import annotations

import contextlib
import math
import shutil
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from xstilts.errors import UserError
from xstilts.runs import execution, failures, remote, results, store
from xstilts.runs.key import Run, Wanted, each_once, key, line, parents, passing, training
from xstilts.study import costs
from xstilts.study.conditions import Runs
from xstilts.study.parameters import Study
from xstilts.study.workers import cluster
from xstilts.training import process_group
from xstilts.training.loop import Diverged


class RunsFailed(UserError):
    """Nothing of what was asked for could be computed."""


def compute(
    wanted: Iterable[Run], root: Path | None = None, scheduler: str = "local"
) -> dict[str, Path]:
    """key -> folder of every run asked for. Encoders are computed only if a run that is lacking
    starts from them. A target's training that is of no more use goes when the scores that start
    from it are there (see `passing`), unless it was asked for itself.
    scheduler: local, processes or dask (see `cluster`). A run that fails stops only what starts
    from it: those are not in what is returned, `results.lost` has their reasons and
    `results.scores` marks their cells. Raises where nothing of `wanted` has a result, and at once
    where the disk is full."""
    root, wanted = root or store.default_root(), _side_by_side(wanted)
    cluster.check(scheduler)
    todo = lacking(wanted, root)
    left = set(map(key, todo))
    for run in each_once(run for run in wanted if key(run) not in left):
        store.report(root, "found", run)
    remote.share_found(
        root, (step for run in wanted for step in line(run))
    )  # before workers on other machines look there
    failed: dict[
        str, BaseException
    ] = {}  # by key; of a run that could not start, what the one before it failed with
    for run in todo:
        before = failures.known(root, run)
        if before and before.what == "diverged":
            failed[key(run)] = Diverged(before.why)
            store.report(root, "diverged", run, before.why)
    asked, todo = todo, [run for run in todo if key(run) not in failed]
    todo = _in_step(todo, wanted)
    scores = _scores_after(wanted)
    do, clear = partial(once, awaiting=scores), partial(_clear, root, scores)
    while alone := _alone(todo, scheduler):
        try:
            do(alone, root)  # here, with all cores
            clear(alone)
        except Exception as error:  # noqa: BLE001  the others don't depend on it
            # several processes would lose step
            if process_group.size() > 1 or isinstance(error, (failures.NoRoom, store.Unwritable)):
                raise
            failed |= {key(other): error for other in todo if key(alone) in map(key, line(other))}
        todo = [other for other in todo if key(other) not in {key(alone), *failed}]
    if todo:
        first = priorities(todo)
        failed |= cluster.compute(todo, root, scheduler, do, lambda run: first[key(run)], clear)
    for run in wanted:  # what a process that was killed has left
        clear(run)
    failures.keep_reasons(root, asked, failed)
    there = {key(run): folder for run in wanted if (folder := store.find(root, run))}
    bad = [error for error in failed.values() if not isinstance(error, Diverged)]
    if bad and not there:
        raise RunsFailed(
            str(bad[0])
            if isinstance(bad[0], UserError)
            else f"{len(failed)} runs failed, or start from one that did. First: {bad[0]}"
        ) from bad[0]
    return there


def _side_by_side(wanted: Iterable[Run]) -> list[Run]:
    """The runs in their order, but scores of one training after each other, so that it can go."""
    groups: dict[str, list[Run]] = {}
    for run in wanted:
        groups.setdefault(key(training(run) or run), []).append(run)
    return [run for group in groups.values() for run in group]


def _ends(run: Run) -> bool:
    """Whether a training may go when the run is done: such runs come first, for disks are small."""
    before = training(run)
    return before is not None and passing(before)


def _scores_after(wanted: Iterable[Run]) -> dict[str, list[Run]]:
    """key of a training that passes -> the runs that start from it; none that was asked for."""
    found: dict[str, list[Run]] = {}
    for run in filter(_ends, wanted):
        before = training(run)
        assert before is not None
        found.setdefault(key(before), []).append(run)
    for run in wanted:
        found.pop(key(run), None)
    return found


def _clear(root: Path, scores: Mapping[str, Sequence[Run]], run: Run) -> None:
    """Removes the training that a run started from, once all of `scores` after it are there."""
    before = training(run)
    if before is None or process_group.rank() or not (after := scores.get(key(before))):
        return
    if not store.is_there(root, before) or not all(store.find(root, other) for other in after):
        return
    try:
        store.remove(root, key(before), store.folder_of(root, before))
    except (OSError, store.Unwritable):  # a process starts from it, and removes it after that
        return
    remote.remove(root, before)
    store.report(root, "removed", before, "what starts from it is done")


def _in_step(todo: list[Run], wanted: list[Run]) -> list[Run]:
    """What the first of several processes found to do: another job may have finished some of it
    before the others looked."""
    if process_group.size() == 1:
        return todo
    every = {key(step): step for run in wanted for step in line(run)}
    return [every[name] for name in process_group.texts(" ".join(map(key, todo)))[0].split()]


def lasting(run: Run) -> list[Run]:
    """The same without the training of a score's target, which the score's own artifact and record
    tell of."""
    before = training(run)
    return [run, *line(before.encoder)] if before else line(run)


def obtain(study: Study, wanted: Wanted, root: Path | None = None) -> Runs:
    """The scores that are in the store or recorded; with `missing` = compute the others are
    computed first."""
    root = root or store.default_root()
    if study.missing == "compute":
        remote.share_found(root, wanted.values())
        try:
            compute(
                [run for run in wanted.values() if not results.has(run, root)],
                root,
                study.scheduler,
            )
        except RunsFailed:  # none of those; what there was before is shown beside their dashes
            if not any(results.has(run, root) for run in wanted.values()):
                raise
    return {cell: run for cell, run in wanted.items() if results.has(run, root)}


def lacking(wanted: Iterable[Run], root: Path) -> list[Run]:
    """Of the runs and those that they start from, what has to be computed; parents first, each
    once."""
    found: dict[str, Run] = {}

    def visit(run: Run) -> None:
        if key(run) not in found and not store.find(root, run):
            for parent in parents(run):
                visit(parent)
            found[key(run)] = run

    for run in wanted:
        visit(run)
    return list(found.values())


def _alone(todo: list[Run], scheduler: str) -> Run | None:
    """The run that is done next and beside no other, if there is one."""
    if todo and scheduler == "local":
        return todo[0]
    return _bottleneck(todo) if todo and scheduler.startswith("processes") else None


def _bottleneck(todo: list[Run]) -> Run | None:
    """The run that all the others wait for, leaving aside those that nobody waits for."""
    awaited = {key(parent) for run in todo if not _ends(run) for parent in parents(run)}
    names = {key(run) for run in todo}
    ready = [run for run in todo if not any(key(parent) in names for parent in parents(run))]
    waited_for = [run for run in ready if key(run) in awaited]
    return waited_for[0] if len(waited_for) == 1 else None


def once(
    run: Run, root: Path, tell: bool = True, awaiting: Mapping[str, Sequence[Run]] | None = None
) -> None:
    """Computes a run, and its parent where that was lost meanwhile, unless another process has just
    done it.
    tell: print it when it is done. awaiting: key of a training that passes -> the scores that it is
    for: where they are all there, it is not done."""
    held = [store.in_use(root, parent, run) for parent in parents(run) if passing(parent)]
    with contextlib.ExitStack() as in_use:
        for lock in held:
            in_use.enter_context(lock)
        done = _done(run, root, tell, (awaiting or {}).get(key(run), ()))
    if not done:  # another process took over: wait for it
        once(run, root, tell, awaiting)


def _done(run: Run, root: Path, tell: bool, after: Sequence[Run]) -> bool:
    """`once`; False where another process took this one for dead."""
    for parent in parents(run) if not _found(root, run) else ():
        if passing(parent) or not _found(root, parent):  # under its lock: it may just be going
            once(parent, root)
    try:
        with store.lock(root, run):
            if not process_group.rank():
                store.set_aside(root, run)
            there = _found(root, run)
            if not there and after and all([_found(root, other) for other in after]):
                return True
            if not there:
                _execute(run, root)
            if not process_group.rank():
                failures.forget(root, run)
                remote.share(root, run, anew=not there)
            process_group.wait()
    except store.TakenOver as error:
        if process_group.size() > 1:  # the others would lose step
            raise
        store.report(root, "waiting", run, str(error))
        return False
    if not there:
        seconds = store.manifest(store.folder_of(root, run))["seconds"]
        store.report(root, "computed", run, f"{seconds:.0f} s", tell)
    return True


def _found(root: Path, run: Run) -> bool:
    """Whether the store has the run. Of several processes that do a run together the first looks,
    for it has the lock: were each to look, another job might finish the run in between, and some of
    them would train alone."""
    there = not process_group.rank() and store.find(root, run)
    return bool(process_group.texts("there" if there else "")[0])


def _execute(run: Run, root: Path) -> None:
    """One run, to its artifact in the store; errors in words where we have them."""
    try:
        with store.writing(root, run) as unfinished:
            try:
                parent = next((store.find(root, parent) for parent in parents(run)), None)
                execution.execute(run, unfinished, parent)
                if training(run):  # what it cost stays when it goes
                    assert parent is not None
                    shutil.copyfile(parent / store.MANIFEST, unfinished / store.TRAINING)
            except Diverged as error:
                if not process_group.rank():
                    failures.keep(root, run, error, unfinished)
                raise
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001  only to say it better
        words = failures.explained(error, run, root)
        if not words:
            raise
        raise words from error


def chains(todo: Sequence[Run], lengths: Mapping[str, float] | None = None) -> dict[str, float]:
    """key -> the length of the longest chain that starts with a run, to its end: long chains go
    first. lengths: by key, of each run; by default its work."""
    longest: dict[str, float] = {}
    after: dict[str, float] = {}  # a run -> the longest chain of those that start from it
    for run in reversed(todo):  # children before parents
        name = key(run)
        longest[name] = after.get(name, 0.0) + (lengths[name] if lengths else costs.work(run))
        for parent in parents(run):
            after[key(parent)] = max(after.get(key(parent), 0.0), longest[name])
    return longest


def priorities(todo: Sequence[Run], lengths: Mapping[str, float] | None = None) -> dict[str, float]:
    """key -> the higher, the earlier: scores that end a training, then long chains."""
    longest = chains(todo, lengths)
    return longest | {key(run): math.inf for run in todo if _ends(run)}
