"""What scores a target, and what is written of a run's scores: tables, examples, counts of rows.

score(run, folder, parent);  write_scores(folder, run, split, found);  Counts().write(folder)
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pandas as pd
from safetensors.torch import load_file
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from xstilts import data, encoders
from xstilts.data.local import unlabelled
from xstilts.data.overlap import Seen
from xstilts.runs import artifact
from xstilts.runs.key import Adapt, Score, training
from xstilts.tasks.kinds import lost
from xstilts.tasks.metrics import value
from xstilts.tasks.table import Task
from xstilts.training import evaluate
from xstilts.training.loop import device

HEAD, COUNTS = "head.safetensors", "counts.csv"
UNLABELLED = "unlabelled.parquet"  # predictions for rows without labels
NO_LAYER = -1  # in tables: the score is not of one layer
EXACT, NORMALISED = (
    "also among the training rows",
    "also among the training rows, but for case and punctuation",
)


class Counts:
    """Rows that went into a run, and what was dropped (unusable rows) or lost (cut off by the
    length) on the way."""

    def __init__(self) -> None:
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
        table.to_csv(folder / COUNTS, index=False)
        missing = (
            table[(table.what != "rows") & (table["count"] > 0)]
            .groupby(["split", "task", "what"])["count"]
            .sum()
        )
        for (split, name, what), count in missing.items():
            print(f"{'':9} {'':8}  {name} {split}: {count} {what}", flush=True)


def loaded(run: Adapt | Score, parent: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The encoder that a run starts from, and its tokenizer; UserError if the run's rows are too
    long for it."""
    model, tokenizer = encoders.load(parent)
    encoders.check_length(model, tokenizer, run.recipe.max_length)
    return model, tokenizer


def _left(run: Score, target: Task, model, parent: Path, folder: Path, counts: Counts):
    """The head that the target's training left, and its rows. What tables tell of the training is
    copied, for its own artifact may pass (see `key.passing`): the log, and the counts of rows."""
    head, before = target.module.Head(model, target), training(run)
    assert before is not None  # who has a head was trained
    head.load_state_dict(load_file(parent / HEAD))
    (folder / artifact.LOG).write_bytes((parent / artifact.LOG).read_bytes())
    read = pd.read_csv(parent / COUNTS)
    counts.table += read[read.split == "train"].to_dict("records")
    seen = data.load(
        before.tasks[0], "train", *before.languages, run.data, before.recipe.rows, before.draw
    )
    return head.to(device()).eval(), seen


def score(run: Score, folder: Path, parent: Path) -> None:
    """Scores every language of a target with the model loaded once. `parent`: the artifact of its
    training, or the encoder of a target that has none."""
    target = data.labelled(run.target, run.data)
    counts, seen = Counts(), None
    model, tokenizer = loaded(run, parent)
    model.to(device()).eval()
    if not target.untrained:
        head, trained_on = _left(run, target, model, parent, folder, counts)
        seen = Seen(trained_on, target.kind)

    def rows(language: str, split: str = run.split):
        found = data.load(run.target, split, language, run.data, run.eval_rows)
        counts.read(split, run.target, language, found)
        if target.module.TUNED and all(row["source"] and row["english"] for row in found):
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
    elif target.module.SEARCHED:  # one pool of candidates for all languages
        part = {language: rows(language) for language in run.languages}
        ranked = evaluate.ranking(
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
            for language, (predictions, by_metric) in ranked.items()
            for metric, pairs in by_metric.items()
        ]
    else:
        for language in run.languages:
            part = rows(language)
            features = target.module.encode(part, tokenizer, target, run.recipe.max_length)
            counts.encoded(run.split, target, language, features)
            predictions, by_metric = evaluate.score(
                model, head, tokenizer, target, part, run.recipe, features
            )
            found += [
                (target, language, metric, NO_LAYER, part, predictions, pairs)
                for metric, pairs in by_metric.items()
            ]
        if languages := unlabelled.languages(target):
            _predict(model, head, tokenizer, target, languages, run, folder)
    write_scores(folder, run, run.split, found)
    counts.write(folder)


def _predict(model, head, tokenizer, target: Task, languages, run: Score, folder: Path) -> None:
    """Predictions for an own target's unlabelled rows: UNLABELLED, a row each."""
    found = []
    for language in languages:
        rows = unlabelled.rows(target, language, run.eval_rows)
        predictions, _ = evaluate.score(model, head, tokenizer, target, rows, run.recipe)
        for number, (row, guess) in enumerate(zip(rows, predictions, strict=True)):
            text, _, said = target.module.shown(row, guess, target)
            found.append(
                {"language": language, "example": number, "input": text, "prediction": said}
            )
    pd.DataFrame(found).to_parquet(folder / UNLABELLED, index=False)


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


def write_scores(
    folder: Path,
    run: Adapt | Score,
    split: str,
    found: list[tuple[Task, str, str, int, data.Rows, list, list]],
) -> None:
    """scores.csv: a row a task, language, metric, layer. examples.parquet: a row an example.
    predictions.parquet."""
    table, examples, texts = [], [], []
    for task, language, metric, layer, rows, predictions, pairs in found:
        where = {"task": task.name, "language": language, "metric": metric, "layer": layer}
        rows_of = run.tasks[0] if isinstance(run, Adapt) and run.read_as else task.name
        baseline = (
            task.module.baseline(rows, task) if metric.startswith(task.metric) else float("nan")
        )
        table.append(
            {
                **where,
                "split": data.split_found(rows_of, split, language, run.data),
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
            module = task.module
            scored = module.scored_rows(rows)
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
    unit = task.module.unit
    places: dict[object, int] = {}
    return (
        [places.setdefault(unit(row), len(places)) for row in rows] if unit else list(range(count))
    )


def layers(found: list) -> set[int]:
    return {layer for _, _, _, layer, *_ in found}
