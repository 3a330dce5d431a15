"""What one run does: the study's two verbs, `adapt` and `score`, and the cut of an encoder they
start from.

    execute(run, folder, parent)   # fills `folder` with the run's artifact

encoder artifacts (Base, Adapt)  config.json, model.safetensors, tokenizer files; head.safetensors
                                 where a target may train alike
both trainings                   log.jsonl (loss, learning rate, dev scores), scores.csv,
                                 examples.parquet,
                                 predictions.parquet, counts.csv (rows read, and what was dropped or
                                 lost on the way)
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from functools import partial
from pathlib import Path

import pandas as pd
import tokenizers
import torch
from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerBase

from xstilts import data, encoders
from xstilts.data.overlap import Seen
from xstilts.encoders import vocabulary
from xstilts.errors import UserError
from xstilts.runs import sharing
from xstilts.runs.key import Adapt, Base, Run, Score, label
from xstilts.synthetic import dials
from xstilts.tasks.kinds import kind, lost, pieces
from xstilts.tasks.table import TASKS, Task, training_task
from xstilts.training import checkpoint, cpu, evaluate
from xstilts.training.loop import Diverged, device, interactive, train

# what `sharing.training` names, of this process's last one -> what came of it (see `_trained`)
_last: dict = {}
HEAD = "head.safetensors"
NO_LAYER = -1  # in tables: the score is not of one layer
EXACT, NORMALISED = (
    "also among the training rows",
    "also among the training rows, but for case and punctuation",
)


def execute(run: Run, folder: Path, parent: Path | None, alike: Path | None = None) -> None:
    """Computes a run into `folder`; `parent` is the artifact of the encoder it starts from, `alike`
    that of `sharing.alike`."""
    if sharing.training(run) not in _last:
        _last.clear()
    _same_rows(run)
    try:
        if isinstance(run, Base):
            base(run, folder)
        elif isinstance(run, Adapt):
            adapt(run, folder, parent)
        else:
            score(run, folder, parent, alike)
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
    if dials.is_mini(run.data):  # its rows are this code's
        return
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
        target = TASKS[run.target]
        read = (
            []
            if target.untrained
            else [(training_task(target).name, split, ("en",)) for split in ("train", "validation")]
        )
        read += [(run.target, run.split, run.languages)]
        read += [(run.target, "validation", run.languages)] if target.kind == "mine" else []
        named, now = run.fingerprints, tuple(data.fingerprint(*part, run.data) for part in read)
    if named != now:
        raise UserError(
            f"{label(run)}: the rows in {run.data} have changed since the study was drawn up. "
            "Run the chapter again from "
            "its first cell"
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


class Counts:
    """Rows that went into a run, and what was dropped (unusable rows) or lost (cut off by the
    length) on the way."""

    def __init__(self):
        self.table: list[dict] = []

    def read(self, split: str, name: str, language: str, rows: data.Rows) -> None:
        self.note(split, name, language, {"rows": len(rows), **rows.dropped})

    def encoded(self, split: str, task: Task, language: str, features: list) -> None:
        self.note(split, task.name, language, lost(task.kind, features))

    def note(self, split: str, name: str, language: str, counts: dict[str, int]) -> None:
        self.table += [
            {"split": split, "task": name, "language": language, "what": what, "count": count}
            for what, count in counts.items()
        ]

    def write(self, folder: Path) -> None:
        table = pd.DataFrame(self.table)
        table.to_csv(folder / "counts.csv", index=False)
        missing = (
            table[(table.what != "rows") & (table["count"] > 0)]
            .groupby(["split", "task", "what"])["count"]
            .sum()
        )
        for (split, name, what), count in missing.items():
            print(f"{'':9} {'':8}  {name} {split}: {count} {what}", flush=True)


def _loaded(run: Adapt | Score, parent: Path):
    """The encoder that a run starts from, and its tokenizer; UserError if the run's rows are too
    long for it."""
    model, tokenizer = encoders.load(parent)
    encoders.check_length(model, tokenizer, run.recipe.max_length)
    return model, tokenizer


def _features(
    name: str,
    languages: tuple[str, ...],
    run: Adapt | Score,
    tokenizer,
    task: Task,
    counts: Counts,
    limit: int,
) -> list:
    """Features of a task's training rows in some languages, as `task` reads them; at most `limit`
    rows of each."""
    features: list = []
    for language in languages:
        rows = data.load(name, "train", language, run.data, limit)
        some = kind(task.kind).encode(rows, tokenizer, task, run.recipe.max_length)
        counts.read("train", name, language, rows)
        counts.note(
            "train", name, language, lost(task.kind, some)
        )  # the rows are one task's, and read as another's
        features += [
            dataclasses.replace(feature, row=feature.row + len(features)) for feature in some
        ]
    return features


def adapt(run: Adapt, folder: Path, parent: Path) -> None:
    """Phases 1 and 2: train the encoder on the tasks; keep the encoder, drop the heads."""
    model, tokenizer = _loaded(run, parent)
    tasks = {name: data.labelled(name, run.data) for name in run.trained}
    languages = {name: task_languages(name, run.languages, run.data) for name in run.tasks}
    limits = dict.fromkeys(run.tasks, run.recipe.rows)
    if run.mlm_share:  # as many rows of text as of a task, from all languages together
        languages["text"] = run.mlm_languages
        limits["text"] = -(-run.recipe.rows // len(run.mlm_languages))
    counts = Counts()
    sets = {
        name: _features(name, languages[name], run, tokenizer, task, counts, limits[name])
        for name, task in tasks.items()
    }
    dev = {
        (name, language): data.load(
            name, "validation", language, run.data, -(-run.recipe.dev_rows // len(languages[name]))
        )
        for name in tasks
        for language in languages[name]
    }
    for (name, language), rows in dev.items():
        counts.read("validation", name, language, rows)
    encoded = {
        where: kind(tasks[where[0]].kind).encode(
            rows, tokenizer, tasks[where[0]], run.recipe.max_length
        )
        for where, rows in dev.items()
    }

    def dev_scores(heads) -> dict:
        return {
            (name, language): evaluate.score(
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

    with vocabulary.only(model, pieces(tokenizer, *sets.values(), *encoded.values())):
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
    _write_scores(
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
    if sharing.training(run):
        save_file(heads[run.tasks[0]].state_dict(), folder / HEAD)


def score(run: Score, folder: Path, parent: Path, alike: Path | None) -> None:
    """Phase 3: train on the target's English rows, then score every language with the model loaded
    once."""
    target = data.labelled(run.target, run.data)
    counts, seen = Counts(), None
    if target.untrained:
        model, tokenizer = _loaded(run, parent)
    else:
        model, tokenizer, head = _trained(run, target, parent, folder, counts, alike)
        seen = Seen(
            data.load(training_task(target).name, "train", "en", run.data, run.recipe.rows),
            target.kind,
        )

    def rows(language: str, split: str = run.split):
        found = data.load(run.target, split, language, run.data, run.eval_rows)
        counts.read(split, run.target, language, found)
        if target.kind == "mine" and all(row["source"] and row["english"] for row in found):
            counts.note(
                split,
                run.target,
                language,
                {"pairs without any other sentence among them": len(found)},
            )
        if seen:
            exact, alike = seen.overlap(found)
            counts.note(split, run.target, language, {EXACT: exact, NORMALISED: alike})
        return found

    found = []
    if target.untrained:
        for language in run.languages:
            part, note = rows(language), partial(counts.encoded, run.split, target, language)
            scores = (
                evaluate.retrieval(model, tokenizer, target, part, run.recipe, note)
                if target.kind == "retrieve"
                else evaluate.mining(
                    model, tokenizer, target, part, rows(language, "validation"), run.recipe, note
                )
            )
            found += [
                (target, language, metric, layer, part, predictions, pairs)
                for (metric, layer), (predictions, pairs) in scores.items()
            ]
    elif target.kind == "rank":  # one pool of candidates for all languages
        part = {language: rows(language) for language in run.languages}
        scores = evaluate.ranking(
            model,
            tokenizer,
            target,
            part,
            run.recipe,
            partial(counts.encoded, run.split, target, "all"),
            _searched(run, target, counts),
        )
        found = [
            (target, language, metric, NO_LAYER, part[language], predictions, pairs)
            for language, (predictions, by_metric) in scores.items()
            for metric, pairs in by_metric.items()
        ]
    else:
        for language in run.languages:
            part = rows(language)
            features = kind(target.kind).encode(part, tokenizer, target, run.recipe.max_length)
            counts.encoded(run.split, target, language, features)
            predictions, by_metric = evaluate.score(
                model, head, tokenizer, target, part, run.recipe, features
            )
            found += [
                (target, language, metric, NO_LAYER, part, predictions, pairs)
                for metric, pairs in by_metric.items()
            ]
    _write_scores(folder, run, run.split, found)
    counts.write(folder)


def _searched(run: Score, target: Task, counts: Counts) -> dict[str, data.Rows]:
    """The rows whose texts are searched: those of each scored language, after those of a file of
    candidates."""
    found = {
        language: data.pool(run.target, run.split, language, run.data, run.eval_rows)
        for language in run.languages
    }
    if not target.one_text:
        return found
    file = data.candidates(run.target, run.data)
    count = len({row["id"] for rows in found.values() for row in rows})
    counts.note(
        run.split,
        run.target,
        "all",
        {"candidates of the file": len(file), **file.dropped}
        if file
        else {
            "entities of the split are the only candidates: there is no candidates.parquet": count
        },
    )
    return {"candidates.parquet": file, **found}


def _trained(
    run: Score, target: Task, parent: Path, folder: Path, counts: Counts, alike: Path | None
):
    """Model, tokenizer and head. A run that trains like the last one, or like an intermediate
    training, takes what came of that, with its log and counts."""
    name = sharing.training(run)
    if name not in _last and alike and (alike / HEAD).is_file():
        _last[name] = _of_intermediate(alike, target)
    if name in _last:
        *there, log, counted = _last[name]
        (folder / "log.jsonl").write_text(log)
        counts.table += counted
        return there
    model, tokenizer = _loaded(run, parent)
    heads = _train_target(run, target, model, tokenizer, folder, counts)
    _last[name] = (
        model,
        tokenizer,
        heads[target.name],
        (folder / "log.jsonl").read_text(),
        list(counts.table),
    )
    return _last[name][:3]


def _of_intermediate(folder: Path, target: Task) -> tuple:
    """What an intermediate training left: model, tokenizer, head, log, counts of its training
    rows."""
    model, tokenizer = encoders.load(folder)
    head = kind(target.kind).Head(model, target)
    head.load_state_dict(load_file(folder / HEAD))
    counts = pd.read_csv(folder / "counts.csv")
    return (
        model.to(device()),
        tokenizer,
        head.to(device()).eval(),
        (folder / "log.jsonl").read_text(),
        counts[counts.split == "train"].to_dict("records"),
    )


def _train_target(run: Score, target: Task, model, tokenizer, folder: Path, counts: Counts):
    """The training task's English rows, the target's own head: XNLI trains on MNLI, XQuAD on
    SQuAD."""
    training = training_task(target)
    features = _features(training.name, ("en",), run, tokenizer, target, counts, run.recipe.rows)
    dev = (
        data.load(training.name, "validation", "en", run.data, run.recipe.dev_rows)
        if run.recipe.evaluate_every
        else ()
    )

    def fit(dev_score):
        return train(
            model,
            tokenizer,
            {target.name: features},
            run.recipe,
            run.seed,
            _logger(folder, label(run)),
            dev_score,
            label(run),
            {target.name: target},
            kept=folder / checkpoint.FILE,
        )

    if target.kind == "rank":  # candidates are texts of their own: all pieces stay
        return fit(
            lambda heads: _mean(
                {
                    (target.name, "en"): evaluate.ranking(
                        model, tokenizer, target, {"en": dev}, run.recipe
                    )["en"]
                }
            )
        )

    encoded = kind(target.kind).encode(dev, tokenizer, target, run.recipe.max_length)
    with vocabulary.only(model, pieces(tokenizer, features, encoded)):
        return fit(
            lambda heads: _mean(
                {
                    (target.name, "en"): evaluate.score(
                        model, heads[target.name], tokenizer, target, dev, run.recipe, encoded
                    )
                }
            )
        )


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
    from xstilts.tasks.metrics import value

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


def _write_scores(
    folder: Path,
    run: Adapt | Score,
    split: str,
    found: list[tuple[Task, str, str, int, tuple, list, list]],
) -> None:
    """scores.csv: a row a task, language, metric, layer. examples.parquet: a row an example.
    predictions.parquet."""
    from xstilts.tasks.metrics import value

    table, examples, texts = [], [], []
    for task, language, metric, layer, rows, predictions, pairs in found:
        where = {"task": task.name, "language": language, "metric": metric, "layer": layer}
        baseline = (
            kind(task.kind).baseline(rows, task) if metric.startswith(task.metric) else float("nan")
        )
        table.append(
            {
                **where,
                "split": data.split_found(task.name, split, language, run.data),
                "value": value(pairs),
                "n": len(pairs),
                "of": rows.total,
                "baseline": baseline,
            }
        )
        part = pd.DataFrame(pairs, columns=["numerator", "denominator"])
        examples.append(
            part.assign(**where, example=range(len(part)), unit=_units(task, rows, len(part)))
        )
        if metric == task.metric and layer in (NO_LAYER, max(layers(found))):
            module = kind(task.kind)
            scored = module.scored_rows(rows) if hasattr(module, "scored_rows") else rows
            shown = [
                module.shown(row, guess, task)
                for row, guess in zip(scored, predictions, strict=True)
            ]
            texts.append(
                pd.DataFrame(shown, columns=["input", "gold", "prediction"]).assign(
                    task=task.name,
                    language=language,
                    example=range(len(shown)),
                    id=[row.get("id") or str(number) for number, row in enumerate(scored)],
                    golds=[
                        json.dumps(row.get("answers", ()), ensure_ascii=False) for row in scored
                    ],
                )
            )
    pd.DataFrame(table).to_csv(folder / "scores.csv", index=False)
    pd.concat(examples, ignore_index=True).to_parquet(folder / "examples.parquet", index=False)
    pd.concat(texts, ignore_index=True).to_parquet(folder / "predictions.parquet", index=False)


def _units(task: Task, rows: tuple, count: int) -> list[int]:
    """For each example the number of its paragraph, in their order: parallel test sets have the
    same numbers."""
    unit, places = getattr(kind(task.kind), "unit", None), {}
    return (
        [places.setdefault(unit(row), len(places)) for row in rows] if unit else list(range(count))
    )


def layers(found: list) -> set[int]:
    return {layer for _, _, _, layer, *_ in found}
