"""The study as a graph of runs, walked in order.

    wanted = single_tasks(study)           # {(condition, target, seed): Score}
    compute(wanted.values())               # what the store has is found, what it lacks is computed
    found = obtain(study, wanted)          # or, where the study says so, only what is in the store
                                           or recorded

The same run asked for twice, by two chapters or two conditions, has the same key and is done once.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from xstilts import data, encoders
from xstilts.errors import UserError
from xstilts.runs import execution, failures, remote, results, sharing, store
from xstilts.runs.key import Adapt, Base, Run, Score, Wanted, each_once, key, line, parents
from xstilts.study import cluster, costs, profiles
from xstilts.study.conditions import NONE, Condition, Runs
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS, training_task
from xstilts.training import process_group
from xstilts.training.loop import Diverged


class RunsFailed(UserError):
    """Nothing of what was asked for could be computed."""


def base(study: Study) -> Base:
    """The encoder as it ships, cut to its layers and, where asked, to the pieces of the source's
    texts."""
    texts = data.texts_fingerprint(study.data) if study.vocabulary == "data" else "full"
    return Base(study.encoder, encoders.fingerprint(study.encoder), texts, study.data)


def phase1(study: Study) -> Base | Adapt:
    """The multilingual encoder that phases 2 and 3 start from: one for all seeds, as the paper has
    one XLM-R."""
    if not study.phase1_steps:
        return base(study)
    languages = execution.task_languages("text", study.languages, study.data)
    return Adapt(
        base(study),
        ("text",),
        languages,
        profiles.phase1_recipe(study),
        0,
        _fingerprints("text", languages, study),
        study.data,
    )


def phase2(
    study: Study,
    names: tuple[str, ...],
    seed: int,
    languages: tuple[str, ...] = ("en",),
    steps: int = 0,
    rows: int = 0,
    mlm_share: float = 0.0,
) -> Adapt:
    """The encoder after intermediate training on the tasks' rows: English ones, or `languages`'.

    steps, rows (of a task and language): other than the profile's. mlm_share: of the steps, on text
    of all languages."""
    names, recipe = tuple(sorted(names)), profiles.phase2_recipe(study, tuple(names))
    if steps:
        recipe = dataclasses.replace(recipe, steps=steps, epochs=0)
    recipe = dataclasses.replace(recipe, rows=rows or recipe.rows)
    texts = execution.task_languages("text", study.languages, study.data) if mlm_share else ()
    fingerprints = tuple(item for name in names for item in _fingerprints(name, languages, study))
    fingerprints += _fingerprints("text", texts, study) if texts else ()
    scoring = " ".join(sorted({TASKS[name].scoring for name in names} - {""}))
    return Adapt(
        phase1(study),
        names,
        languages,
        recipe,
        seed,
        fingerprints,
        study.data,
        mlm_share,
        texts,
        scoring,
    )


def phase3(
    study: Study, encoder: Base | Adapt, target: str, seed: int, split: str = "test"
) -> Score:
    """The target: trained in English from `encoder`, scored in each of the study's languages that
    it has."""
    study = dataclasses.replace(study, data=data.as_target(study.data))
    row, there = TASKS[target], data.languages(target, study.data, "test")
    languages = tuple(language for language in study.languages if language in there)
    if not languages:
        raise UserError(
            f"{row.title} has none of the study's languages ({', '.join(study.languages)}); "
            f"it has: {', '.join(there) or 'none'}"
        )
    scored = (data.fingerprint(target, split, languages, study.data),)
    if row.module.TUNED:  # its threshold is tuned on these
        scored += (data.fingerprint(target, "validation", languages, study.data),)
    if row.untrained:
        return Score(
            encoder,
            target,
            languages,
            profiles.phase3_recipe(study, target),
            study.eval_rows,
            split,
            0,
            scored,
            study.data,
            row.scoring,
        )
    return Score(
        encoder,
        target,
        languages,
        profiles.phase3_recipe(study, target),
        study.eval_rows,
        split,
        seed,
        _fingerprints(training_task(row).name, ("en",), study) + scored,
        study.data,
        row.scoring,
    )


def _fingerprints(name: str, languages: tuple[str, ...], study: Study) -> tuple[str, ...]:
    return tuple(
        data.fingerprint(name, split, languages, study.data) for split in ("train", "validation")
    )


def single_tasks(study: Study) -> Runs:
    """The paper's main table: no intermediate training and each task alone, against every target,
    for every seed."""
    conditions = {NONE: lambda seed: phase1(study)}
    conditions |= {
        Condition((name,)): lambda seed, name=name: phase2(study, (name,), seed)
        for name in study.intermediates
        if name not in absent(study)
    }
    return grid(study, conditions)


def absent(study: Study) -> dict[str, str]:
    """Intermediate tasks asked for that the source does not have: name -> how to get it. Tables
    show a dash."""
    return {
        name: TASKS[name].obtain
        for name in study.intermediates
        if "en" not in data.languages(name, study.data, "train")
    }


def grid(study: Study, conditions: Mapping[Condition, Callable[[int], Base | Adapt]]) -> Runs:
    """The conditions against every target, for every seed."""
    with data.looked_at_once():
        return {
            (condition, target, seed): phase3(study, encoder(seed), target, seed)
            for condition, encoder in conditions.items()
            for target in study.targets
            for seed in study.seeds
        }


def compute(
    wanted: Iterable[Run], root: Path | None = None, scheduler: str = "local"
) -> dict[str, Path]:
    """key -> folder of every run asked for. Encoders are computed only if a run that is lacking
    starts from them.
    scheduler: local, processes or dask (see `cluster`). A run that fails stops only what starts
    from it: those are not in what is returned, `results.lost` has their reasons and
    `results.scores` marks their cells. Raises where nothing of `wanted` has a result, and at once
    where the disk is full."""
    root, wanted = root or store.default_root(), list(wanted)
    cluster.check(scheduler)
    todo = lacking(wanted, root)
    for run in each_once(run for run in wanted if run not in todo):
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
    asked, todo = (
        todo,
        [run for group in sharing.together(todo) for run in group if key(run) not in failed],
    )
    todo = _in_step(todo, wanted)
    while todo and (
        scheduler == "local" or scheduler.startswith("processes") and _bottleneck(todo)
    ):
        run = todo[0] if scheduler == "local" else _bottleneck(todo)
        try:
            once(run, root)  # here, with all cores
        except Exception as error:  # noqa: BLE001  the others don't depend on it
            # several processes would lose step
            if process_group.size() > 1 or isinstance(error, (failures.NoRoom, store.Unwritable)):
                raise
            failed |= {key(other): error for other in todo if run in line(other)}
        todo = [other for other in todo if other != run and key(other) not in failed]
    if todo:
        chain = chains(todo)
        failed |= cluster.compute(todo, root, scheduler, once, lambda run: chain[key(run)])
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


def _in_step(todo: list[Run], wanted: list[Run]) -> list[Run]:
    """What the first of several processes found to do: another job may have finished some of it
    before the others looked."""
    if process_group.size() == 1:
        return todo
    every = {key(step): step for run in wanted for step in line(run)}
    return [every[name] for name in process_group.texts(" ".join(map(key, todo)))[0].split()]


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


def _bottleneck(todo: list[Run]) -> Run | None:
    """The run that all the others wait for, leaving aside those that nobody waits for."""
    awaited = {key(parent) for run in todo for parent in parents(run)}
    names = {key(run) for run in todo}
    ready = [run for run in todo if not any(key(parent) in names for parent in parents(run))]
    waited_for = [run for run in ready if key(run) in awaited]
    return waited_for[0] if len(waited_for) == 1 else None


def once(run: Run, root: Path, tell: bool = True) -> None:
    """Computes a run, and its parent where that was lost meanwhile, unless another process has just
    done it.
    tell: print it when it is done."""
    for parent in parents(run):
        if not _found(root, parent):
            once(parent, root)
    try:
        with store.lock(root, run):
            if not process_group.rank():
                store.set_aside(root, run)
            there = _found(root, run)
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
        return once(run, root, tell)
    if there:
        return
    store.report(
        root,
        "computed",
        run,
        f"{store.manifest(store.folder_of(root, run))['seconds']:.0f} s",
        tell,
    )


def _found(root: Path, run: Run) -> bool:
    """Whether the store has the run. Of several processes that do a run together the first looks,
    for it has the lock: were each to look, another job might finish the run in between, and some of
    them would train alone."""
    return bool(
        process_group.texts("there" if not process_group.rank() and store.find(root, run) else "")[
            0
        ]
    )


def _execute(run: Run, root: Path) -> None:
    """One run, to its artifact in the store; errors in words where we have them."""
    try:
        with store.writing(root, run) as unfinished:
            try:
                parent, alike = next(iter(parents(run)), None), sharing.alike(run)
                alike = alike if alike and _found(root, alike) else None
                execution.execute(
                    run,
                    unfinished,
                    parent and store.find(root, parent),
                    alike and store.find(root, alike),
                )
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


def chains(todo: list[Run]) -> dict[str, float]:
    """key -> the work from a run to the end of the longest chain that starts from it: long chains
    go first."""
    longest: dict[str, float] = {}
    for run in reversed(todo):  # children before parents
        after = max((longest[key(child)] for child in todo if run in parents(child)), default=0.0)
        longest[key(run)] = costs.work(run) + after
    return longest
