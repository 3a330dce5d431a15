"""The study as a graph of runs, walked in order; and its results as one tidy table.

    wanted = single_tasks(study)           # {(condition, target, seed): Score}
    compute(wanted.values())               # what the store has is found, what it lacks is computed
    table = results(wanted)                # a row a condition, target, language, metric, layer, seed

The same run asked for twice, by two chapters or two conditions, has the same key and is done once.
"""
from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from . import data, encoders, profiles, runs, store
from .profiles import Study
from .spec import Adapt, Base, Run, Score, UserError, key, parents
from .tasks import TASKS, training_task

NONE = "none"   # the condition without intermediate training
Wanted = Mapping[tuple[str, str, int], Score]   # (condition, target, seed) -> run


def base(study: Study) -> Base:
    """The encoder as it ships, cut to its layers and, where asked, to the pieces of the source's texts."""
    texts = data.texts_fingerprint(study.data) if study.vocabulary == "data" else "full"
    return Base(study.encoder, encoders.fingerprint(study.encoder), texts, study.data)


def phase1(study: Study) -> Base | Adapt:
    """The multilingual encoder that phases 2 and 3 start from: one for all seeds, as the paper has one XLM-R."""
    if not study.phase1_steps:
        return base(study)
    languages = runs.task_languages("text", study.languages, study.data)
    return Adapt(base(study), ("text",), languages, profiles.phase1_recipe(study), 0,
                 _fingerprints("text", languages, study), study.data)


def phase2(study: Study, names: tuple[str, ...], seed: int) -> Adapt:
    """The encoder after intermediate training on English rows of the tasks."""
    names = tuple(sorted(names))
    fingerprints = tuple(item for name in names for item in _fingerprints(name, ("en",), study))
    return Adapt(phase1(study), names, ("en",), profiles.phase2_recipe(study, names), seed, fingerprints, study.data)


def phase3(study: Study, encoder: Base | Adapt, target: str, seed: int) -> Score:
    """The target: trained in English from `encoder`, scored in each of the study's languages that it has."""
    study = dataclasses.replace(study, data=data.as_target(study.data))
    row, there = TASKS[target], data.languages(target, study.data, "test")
    languages = tuple(language for language in study.languages if language in there)
    if not languages:
        raise UserError(f"{row.title} has none of the study's languages ({', '.join(study.languages)}); "
                        f"it has: {', '.join(there) or 'none'}")
    scored = (data.fingerprint(target, "test", languages, study.data),)
    if row.kind == "mine":     # its threshold is tuned on these
        scored += (data.fingerprint(target, "validation", languages, study.data),)
    if row.untrained:
        return Score(encoder, target, languages, profiles.phase3_recipe(study, target), study.eval_rows, "test", 0,
                     scored, study.data)
    return Score(encoder, target, languages, profiles.phase3_recipe(study, target), study.eval_rows, "test", seed,
                 _fingerprints(training_task(row).name, ("en",), study) + scored, study.data)


def _fingerprints(name: str, languages: tuple[str, ...], study: Study) -> tuple[str, ...]:
    return tuple(data.fingerprint(name, split, languages, study.data) for split in ("train", "validation"))


def single_tasks(study: Study) -> dict[tuple[str, str, int], Score]:
    """The paper's main table: no intermediate training and each task alone, against every target, for every seed."""
    conditions = {NONE: lambda seed: phase1(study)}
    conditions |= {name: lambda seed, name=name: phase2(study, (name,), seed) for name in study.intermediates
                   if name not in absent(study)}
    return grid(study, conditions)


def absent(study: Study) -> dict[str, str]:
    """Intermediate tasks asked for that the source does not have: name -> how to get it. Tables show a dash."""
    return {name: TASKS[name].obtain for name in study.intermediates
            if "en" not in data.languages(name, study.data, "train")}


def grid(study: Study, conditions: Mapping) -> dict[tuple[str, str, int], Score]:
    """conditions: name -> (seed -> encoder run)"""
    return {(name, target, seed): phase3(study, encoder(seed), target, seed)
            for name, encoder in conditions.items() for target in study.targets for seed in study.seeds}


def closure(wanted: Iterable[Run]) -> list[Run]:
    """The runs and all that they start from, parents first, each once; the order is that of `wanted`."""
    found: dict[str, Run] = {}

    def visit(run: Run) -> None:
        if key(run) not in found:
            for parent in parents(run):
                visit(parent)
            found[key(run)] = run

    for run in wanted:
        visit(run)
    return list(found.values())


def compute(wanted: Iterable[Run], root: Path | None = None) -> dict[str, Path]:
    """key -> folder of every run asked for. Encoders are computed only if a run that is lacking starts from them."""
    root = root or store.default_root()
    wanted, folders = list(wanted), {}

    def have(run: Run) -> Path:
        folder = store.find(root, run)
        if folder:
            store.report(root, "found", run)
            return folder
        parent = have_once(parents(run)[0]) if parents(run) else None
        with store.lock(root, run):
            folder = store.find(root, run)   # another process may have done it while this one waited
            if not folder:
                with store.writing(root, run) as unfinished:
                    runs.execute(run, unfinished, parent)
                folder = store.folder_of(root, run)
                store.report(root, "computed", run, f"{store.manifest(folder)['seconds']:.0f} s")
        return folder

    def have_once(run: Run) -> Path:
        if key(run) not in folders:
            folders[key(run)] = have(run)
        return folders[key(run)]

    for run in wanted:
        have_once(run)
    return folders


def results(wanted: Wanted, root: Path | None = None) -> pd.DataFrame:
    """Scores, tidy: condition, target, seed, language, metric, layer (-1: not of one layer), value 0-100, n,
    baseline 0-100 (chance or majority), key."""
    root = root or store.default_root()
    return pd.concat([_table(root, run, "scores.csv").assign(condition=condition, target=target, seed=seed,
                                                             key=key(run))
                      for (condition, target, seed), run in wanted.items()], ignore_index=True)


def examples(wanted: Wanted, root: Path | None = None) -> pd.DataFrame:
    """Numerators and denominators of each example: what intervals are computed from."""
    root = root or store.default_root()
    return pd.concat([_table(root, run, "examples.parquet").assign(condition=condition, target=target, seed=seed)
                      for (condition, target, seed), run in wanted.items()], ignore_index=True)


def history(run: Run, root: Path | None = None) -> pd.DataFrame:
    """A training's log: step, loss, learning_rate, seconds, dev (mean score on the dev rows)."""
    return pd.read_json(_folder(root or store.default_root(), run) / "log.jsonl", lines=True)


def dev_scores(run: Adapt, root: Path | None = None) -> pd.DataFrame:
    """An adapted encoder's scores on its own tasks' validation rows, before its heads were dropped."""
    return pd.read_csv(_folder(root or store.default_root(), run) / "scores.csv")


def predictions(run: Run, root: Path | None = None) -> pd.DataFrame:
    """input, gold, prediction, task, language, example."""
    return pd.read_parquet(_folder(root or store.default_root(), run) / "predictions.parquet")


def vocabulary_size(run: Base, root: Path | None = None) -> int:
    """Pieces in the encoder's vocabulary, special ones included."""
    return json.loads((_folder(root or store.default_root(), run) / "config.json").read_text())["vocab_size"]


def seconds(run: Run, root: Path | None = None) -> float:
    return store.manifest(_folder(root or store.default_root(), run))["seconds"]


def _folder(root: Path, run: Run) -> Path:
    folder = store.find(root, run)
    if not folder:
        raise UserError(f"{key(run)} is not in the store {root}: call compute first")
    return folder


def _table(root: Path, run: Run, name: str) -> pd.DataFrame:
    path = _folder(root, run) / name
    return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
