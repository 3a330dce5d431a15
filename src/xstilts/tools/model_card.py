"""The card of an exported model: what it is, how well it does, where it is from."""

from __future__ import annotations

import json

from xstilts import data
from xstilts.analysis import differences, repeats, stats, wording
from xstilts.encoders import parse_name
from xstilts.encoders.names import EMBEDDED, KNOWN
from xstilts.runs import results
from xstilts.runs.key import Adapt, Score, key, starting_encoder, training
from xstilts.study import phases
from xstilts.study.conditions import Condition
from xstilts.study.grid import encoder
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS, Task

# kind -> what the Hub calls the use, how the model is read
USES = {
    "classify": ("text-classification", 'pipeline("text-classification", "{folder}")'),
    "tag": ("token-classification", 'pipeline("token-classification", "{folder}")'),
    "span": ("question-answering", 'AutoModelForQuestionAnswering.from_pretrained("{folder}")'),
    "choice": ("multiple-choice", 'AutoModelForMultipleChoice.from_pretrained("{folder}")'),
    "retrieve": ("sentence-similarity", 'AutoModel.from_pretrained("{folder}")'),
}
READ = {
    "classify": "One text, or two as a pair, is read; the class with the highest logit is said.",
    "tag": "A word's tag is that of its first piece that is more than the mark of a blank.",
    "span": "The question is read before the passage; the span with the highest sum of start and "
    "end logits is said, of 30 pieces at most.",
    "choice": "The context is read with each choice; the one with the highest logit is said.",
    "retrieve": "A sentence's vector is the mean of the last layer over its pieces; vectors are "
    "compared by cosine.",
}


def text(study: Study, condition: Condition, run: Score) -> str:
    """The card, as Markdown with the Hub's header."""
    target = TASKS[run.target]
    use, how = USES[target.kind]
    head = {
        "library_name": "transformers",
        "pipeline_tag": use,
        "language": list(run.languages),
        "license": "other",
        "tags": ["cross-lingual", "intermediate-task training"],
    }
    name = EMBEDDED if parse_name(study.encoder).base == EMBEDDED else study.encoder
    first = condition.title if condition.tasks else "no intermediate task"
    trained = [wording.title(first)] if condition.tasks else []
    trained += [] if target.untrained else [f"rows of {target.title} ({target.trained_in})"]
    lines = [
        "---",
        *(f"{field}: {json.dumps(value, ensure_ascii=False)}" for field, value in head.items()),
        "---",
        f"# {target.title}, after {wording.title(first)}",
        "",
        f"The encoder {wording.title(KNOWN.get(name, (name,))[0])}, trained on "
        f"{' and then on '.join(trained) or 'nothing further'}. {READ[target.kind]}",
        "",
        "```python",
        "from transformers import pipeline"
        if "pipeline" in how
        else f"from transformers import {how.partition('.')[0]}",
        f"model = {how.format(folder='PATH OR ID')}",
        "```",
        *_labels(target),
        *_scores(study, condition, run),
        *_rows(run),
        *_licences(run),
        *_how(study, run),
    ]
    return "\n".join(lines) + "\n"


def _labels(target: Task) -> list[str]:
    return ["", f"**Labels:** {', '.join(target.labels)}."] if target.labels else []


def _scores(study: Study, condition: Condition, run: Score) -> list[str]:
    """A row a language, over the seeds that are at hand."""
    seeds = {*study.seeds, run.seed}
    every = {
        (condition, run.target, seed): phases.phase3(
            study, encoder(study, condition, seed), run.target, seed
        )
        for seed in sorted(seeds)
    }
    found = {cell: some for cell, some in every.items() if results.has(some)}
    part = differences.examples(study, found)
    known = repeats.variance(study)
    lines = [
        "",
        f"## Scores by language ({TASKS[run.target].metric})",
        "",
        f"Means over {len(found)} seed(s) with 95 % intervals"
        + ("" if known else ", which speak of other test rows only: nothing was trained twice")
        + f". This model is of seed {run.seed}.",
        "",
        "| language | score | test rows |",
        "| --- | --- | --- |",
    ]
    for language in run.languages:
        each = stats.score(part, condition, run.target, language, training=known)
        lines.append(f"| {language} | {each.text()} | {each.n} |")
    return lines


def _rows(run: Score) -> list[str]:
    lines = ["", "## Rows", ""]
    for some in (starting_encoder(run), training(run)):
        if isinstance(some, Adapt):
            for name in some.trained:
                count = some.recipe.rows or "all"
                lines.append(
                    f"- trained on {wording.title(name)} ({', '.join(some.languages)}), at most "
                    f"{count} rows, {some.recipe.steps or 'its epochs of'} steps, from "
                    f"{data.where(some.data)}"
                )
    return lines


def _licences(run: Score) -> list[str]:
    """Of all rows behind the model, and of the encoder where it is known by name."""
    names = [
        name
        for some in (starting_encoder(run), training(run))
        if isinstance(some, Adapt)
        for name in some.trained
    ]
    lines = ["", "## Licences of the rows behind it", ""]
    for name in dict.fromkeys((*names, run.target)):
        said = sorted({source.licence for source in TASKS[name].sources})
        lines.append(f"- {wording.title(name)}: {'; '.join(said)}")
    return [*lines, "- the encoder: see its own page"]


def _how(study: Study, run: Score) -> list[str]:
    made = results.made(run) if results.has(run) else {}
    where = made.get("environment", {}).get("machine", "")
    return [
        "",
        "## How it was made",
        "",
        f"Run {key(run)}, training {key(training(run) or run.encoder)}, seed {run.seed}"
        + (f", on {where}" if where else "")
        + ". With the same rows, `xstilts export` makes it again: the encoder is "
        f"`{study.encoder}`, the profile `{study.profile}`, phase 2 has {study.phase2_steps} steps "
        f"and phase 3 {study.phase3_steps} (times each task's effort), learning rates "
        f"{study.phase2_learning_rate:g} and {study.phase3_learning_rate:g}.",
    ]
