"""What a run does: the study's two verbs, `adapt` here and `score` beside (`scoring`), and the cut
of an encoder they start from.

    execute(run, folder, parent)   # fills `folder` with the run's artifact

encoder artifacts (Base, Adapt)  config.json, model.safetensors, tokenizer files; head.safetensors
                                 where a target may be scored with it
trainings and scores             log.jsonl (loss, learning rate, dev scores; a score's is that of
                                 its target's training), scores.csv, examples.parquet,
                                 predictions.parquet, counts.csv (rows read, and what was dropped
                                 or lost on the way)
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import random
from contextlib import nullcontext
from pathlib import Path

import tokenizers
import torch
from safetensors.torch import save_file
from transformers import PreTrainedTokenizerBase

from xstilts import data, encoders
from xstilts.encoders import vocabulary
from xstilts.errors import UserError
from xstilts.runs import scoring
from xstilts.runs.key import Adapt, Base, Run, in_which_trained, label, training
from xstilts.runs.scoring import HEAD, NO_LAYER, Counts, loaded
from xstilts.tasks.kinds import lost, pieces, rank
from xstilts.tasks.metrics import value
from xstilts.tasks.table import TASKS, Task
from xstilts.training import checkpoint, cpu, evaluate
from xstilts.training.loop import Diverged, interactive, train


def execute(run: Run, folder: Path, parent: Path | None) -> None:
    """Computes a run into `folder`; `parent` is the artifact of the encoder it starts from.
    UserError where rows or the encoder cannot be used, Diverged where numbers are none."""
    _same_rows(run)
    try:
        if isinstance(run, Base):
            base(run, folder)
        else:
            assert parent is not None  # only an encoder as it ships starts from none
            if isinstance(run, Adapt):
                adapt(run, folder, parent)
            else:
                scoring.score(run, folder, parent)
        _same_rows(run)
    except BaseException as error:
        if encoders.is_panic(error):
            raise UserError(
                f"{label(run)}: the encoder's tokenizer broke off ({error}); look at its "
                "tokenizer.json"
            ) from error
        raise
    finally:
        cpu.return_memory()
        torch.cuda.empty_cache()  # worker processes may be at the same GPU next


def _same_rows(run: Run) -> None:
    """UserError where the rows are others than those that the run is named by: a person edits them
    while a study is computed."""
    if not data.can_change(run.data):
        return
    named: str | tuple[str, ...]
    now: str | tuple[str, ...]
    if isinstance(run, Base):
        named, now = (
            run.vocabulary,
            run.vocabulary if run.vocabulary == "full" else data.texts_fingerprint(run.data),
        )
    elif isinstance(run, Adapt):
        read = [
            (name, split, run.languages) for name in run.tasks for split in ("train", "validation")
        ]
        read += [
            ("text", split, run.mlm_languages) for split in ("train", "validation") if run.mlm_share
        ]
        named, now = run.fingerprints, tuple(data.fingerprint(*part, run.data) for part in read)
    else:
        if before := training(run):  # scored rows are looked for among its rows
            _same_rows(before)
        named = run.fingerprints
        now = data.scored_fingerprints(run.target, run.split, run.languages, run.data)
    if named != now:
        raise UserError(
            f"{label(run)}: the rows in {run.data} have changed since the study was drawn up. "
            "Run the chapter again from its first cell"
        )


def base(run: Base, folder: Path) -> None:
    model, tokenizer = encoders.load(run.encoder)
    bad = [
        name
        for name, weight in model.named_parameters()
        if not math.isfinite(weight.detach().sum())
    ]
    if bad:
        raise Diverged(
            f"{run.encoder}: {len(bad)} tensors of its weights have NaN or infinite numbers, "
            f"such as {bad[0]}"
        )
    if run.vocabulary != "full":
        model, tokenizer = vocabulary.trim(model, tokenizer, _pieces_used(tokenizer, run))
    encoders.save(model, tokenizer, folder)


def _pieces_used(tokenizer: PreTrainedTokenizerBase, run: Base) -> list[int]:
    """The pieces that the texts of a source use. To find them takes longer than to cut an encoder,
    and all its sizes have the same."""
    version = f"{tokenizers.__version__} {tokenizer.backend_tokenizer.to_str()}"
    return data.kept(
        f"pieces-{run.vocabulary}-{hashlib.sha256(version.encode()).hexdigest()[:16]}",
        lambda: vocabulary.used(tokenizer, data.words(run.data)),
    )


def _features(
    name: str,
    languages: tuple[str, ...],
    run: Adapt,
    tokenizer: PreTrainedTokenizerBase,
    task: Task,
    counts: Counts,
    limit: int,
) -> list:
    """Features of a task's training rows in some languages, as `task` reads them; at most `limit`
    rows of each."""
    features: list = []
    for language in languages:
        rows = data.load(name, "train", language, run.data, limit, run.draw)
        if run.shuffled and name in run.tasks:
            draw = random.Random(f"{run.seed} {name} {language}")
            rows = data.Rows.of(task.module.shuffled(rows, draw), rows.dropped, rows.total)
        some = task.module.encode(rows, tokenizer, task, run.recipe.max_length)
        counts.read("train", name, language, rows)
        counts.note(
            "train", name, language, lost(task.kind, some)
        )  # the rows are one task's, and read as another's
        features += [
            dataclasses.replace(feature, row=feature.row + len(features)) for feature in some
        ]
    return features


def _dev_rows(name: str, language: str, run: Adapt, task: Task, limit: int) -> data.Rows:
    rows = data.load(name, "validation", language, run.data, limit)
    if not task.module.SEARCHED:
        return rows
    return data.Rows.of([rank.as_ranking(row) for row in rows], rows.dropped, rows.total)


def adapt(run: Adapt, folder: Path, parent: Path) -> None:
    """Trains the encoder on the tasks; keeps it, and the head where a target may be scored with
    it: a single task's in English."""
    model, tokenizer = loaded(run, parent)
    # by the task as which rows are read; `rows_of`: the task whose rows they are
    tasks = {name: data.labelled(name, run.data) for name in run.reads}
    rows_of = dict(zip(run.reads, run.trained, strict=True))
    languages = {
        name: run.mlm_languages  # as many rows of text as of a task, from all languages together
        if run.mlm_share and name not in run.tasks
        else task_languages(rows_of[name], run.languages, run.data)
        for name in tasks
    }
    counts, limits = Counts(), dict.fromkeys(tasks, run.recipe.rows)
    if run.mlm_share:
        limits["text"] = -(-run.recipe.rows // len(run.mlm_languages))
    sets = {
        name: _features(rows_of[name], languages[name], run, tokenizer, task, counts, limits[name])
        for name, task in tasks.items()
    }
    dev = {
        (name, language): _dev_rows(
            rows_of[name], language, run, task, -(-run.recipe.dev_rows // len(languages[name]))
        )
        for name, task in tasks.items()
        for language in languages[name]
    }
    for (name, language), rows in dev.items():
        counts.read("validation", rows_of[name], language, rows)
    ranked = any(task.module.SEARCHED for task in tasks.values())
    encoded = {
        (name, language): tasks[name].module.encode(
            rows, tokenizer, tasks[name], run.recipe.max_length
        )
        for (name, language), rows in dev.items()
        if not ranked
    }

    def dev_scores(heads) -> dict:
        return {
            (name, language): evaluate.ranking(
                model, tokenizer, tasks[name], {language: rows}, run.recipe
            )[language]
            if ranked
            else evaluate.score(
                model,
                heads[name],
                tokenizer,
                tasks[name],
                rows,
                run.recipe,
                encoded[name, language],
            )
            for (name, language), rows in dev.items()
        }

    # candidates of a ranking are texts of their own: all pieces stay
    used = pieces(tokenizer, *sets.values(), *encoded.values()) if not ranked else ()
    with nullcontext() if ranked else vocabulary.only(model, used):
        heads = train(
            model,
            tokenizer,
            sets,
            run.recipe,
            run.seed,
            _logger(folder, label(run)),
            lambda heads: _mean(dev_scores(heads)),
            label(run),
            tasks,
            run.mlm_share,
            folder / checkpoint.FILE,
        )
        found = dev_scores(heads)
    scoring.write_scores(
        folder,
        run,
        "validation",
        [
            (tasks[name], language, metric, NO_LAYER, dev[name, language], predictions, pairs)
            for (name, language), (predictions, by_metric) in found.items()
            for metric, pairs in by_metric.items()
        ],
    )
    counts.write(folder)
    encoders.save(model, tokenizer, folder)
    if len(tasks) == 1 and run.languages == in_which_trained(run) and run.tasks != ("text",):
        save_file(heads[run.reads[0]].state_dict(), folder / HEAD)


def task_languages(name: str, languages: tuple[str, ...], source: str) -> tuple[str, ...]:
    """Of the languages asked for, those in which the source has training rows of the task."""
    there = data.languages(name, source, "train")
    found = tuple(language for language in languages if language in there)
    if not found:
        raise UserError(
            f"{source}: {TASKS[name].title} has no rows in {', '.join(languages)}; "
            f"there are: {', '.join(there) or 'none'}"
        )
    return found


def _mean(scores: dict) -> float:
    values = [value(pairs[TASKS[name].metric]) for (name, _), (_, pairs) in scores.items()]
    return sum(values) / len(values)


def _logger(folder: Path, title: str):
    """Writes each entry to the run's log.jsonl; without a bar, prints about five lines a
    training."""
    path, told = folder / "log.jsonl", [0]

    def log(entry: dict) -> None:
        with open(path, "a") as file:
            file.write(json.dumps(entry) + "\n")
        if "loss" in entry and not interactive() and entry["step"] * 5 // entry["steps"] > told[0]:
            told[0] = entry["step"] * 5 // entry["steps"]
            print(
                f"{'':9} {'':8}  {title}  step {entry['step']}/{entry['steps']}  loss "
                f"{entry['loss']:.3f}  "
                f"{entry['seconds']:.0f} s",
                flush=True,
            )

    return log
