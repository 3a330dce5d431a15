"""What a run costs: its arithmetic, from which come the order of runs and the plan's estimates.

    cost(run) -> Cost(steps, training, evaluation);  memory(run) -> bytes;  total(runs) ->
                                                     operations

A training step takes about 6 operations a weight and piece, an evaluation 2 (Kaplan et al. 2020,
section 2.1); the weights are those of the layers, for embeddings are looked up. Where rows can't be
counted, official sizes stand in."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from xstilts import data, encoders
from xstilts.errors import UserError
from xstilts.runs.key import Adapt, Base, Run, Score, each_once
from xstilts.tasks.table import TASKS
from xstilts.training.loop import device, number_type
from xstilts.training.recipe import Recipe

# layers, hidden, inner size: of encoders that may be out of reach
SHAPES = {
    "mbert": (12, 768, 3072),
    "minilm": (12, 384, 1536),
    "multilingual-e5-small": (12, 384, 1536),
    "xlmr-base": (12, 768, 3072),
    "xlmr-large": (24, 1024, 4096),
    "xlmr-xl": (36, 2560, 10240),
    "xlmr-xxl": (48, 4096, 16384),
    "mdeberta": (12, 768, 3072),
    "rembert": (32, 1152, 4608),
    "xlm-v": (12, 768, 3072),
    "mmbert-small": (22, 384, 1152),
    "mmbert-base": (22, 768, 1152),
    "afro-xlmr-base": (12, 768, 3072),
    "afro-xlmr-large": (24, 1024, 4096),
    "afro-xlmr-large-76L": (24, 1024, 4096),
}
# English training rows, as the Hub's pages give them; scored rows a language where these are many
ROWS = {
    "text": 100_000,
    "anli": 1_104_934,
    "mnli": 392_702,
    "qqp": 363_846,
    "squad2": 130_319,
    "squad": 87_599,
    "hellaswag": 39_905,
    "ccg": 21_253,
    "cosmosqa": 25_262,
    "commonsenseqa": 9_741,
    "pawsx": 49_401,
    "udpos": 21_253,
    "panx": 20_000,
    "tydiqa": 3_696,
    "xcopa": 400,
    "lareqa": 87_599,
}
SCORED = {
    "xnli": 5_010,
    "pawsx": 2_000,
    "udpos": 2_000,
    "panx": 10_000,
    "xquad": 1_190,
    "mlqa": 6_000,
    "tydiqa": 1_000,
    "bucc": 20_000,
    "tatoeba": 2_000,
    "xcopa": 500,
    "lareqa": 1_190,
}
# operations a second, and seconds a step that no operation explains. Where the encoder is out of
# reach: a third of an A100's bf16 peak, and the launching of a thousand small kernels. Where it
# can't be timed on cores: a core of those in the book's log
ASSUMED, ASSUMED_STEP = 100e12, 0.04
SENTENCES = 5  # of a passage of XQuAD, about
PROCESS = (
    2e9  # bytes: the libraries, rows, and freed memory that `cpu.keep_memory` holds on to; measured
)
SAMPLE = 100  # rows that are tokenised to count pieces


@dataclass(frozen=True)
class Cost:
    steps: int  # of the optimiser
    training: float  # operations
    evaluation: float  # operations


def cost(run: Run) -> Cost:
    if isinstance(run, Base):
        return Cost(0, 0.0, 0.0)
    weights = layer_weights(_shipped(run).encoder)
    if isinstance(run, Adapt):
        steps = _steps(run.recipe, [_rows(name, run) for name in run.trained])
        pieces = sum(_pieces(name, run) for name in run.reads) / len(run.reads)
        read: float = run.recipe.dev_rows * len(run.reads) * _evaluations(run.recipe, steps)
        if TASKS[run.reads[0]].module.SEARCHED:  # queries, and the texts that they are ranked with
            read *= 1 + _texts_a_row(run.reads[0], run.data)
        return Cost(
            steps, 6 * weights * pieces * steps * run.recipe.batch_size, 2 * weights * pieces * read
        )
    pieces = _pieces(run.target, run)
    scored: float = (run.eval_rows or SCORED.get(run.target, 1000)) * len(run.languages)
    task = TASKS[run.target]
    if task.untrained:  # pairs have two sides
        scored *= 2
    if task.module.SEARCHED:  # the texts of the whole split, however few are scored
        scored += _texts(run)
    return Cost(0, 0.0, 2 * weights * pieces * scored)


def total(runs: Iterable[Run]) -> float:
    """Operations of runs, each once."""
    return sum(map(work, each_once(runs)))


def work(run: Run) -> float:
    """Operations, about: for the order of runs."""
    found = cost(run)
    return found.training + found.evaluation


def memory(run: Run) -> float:
    """Bytes while it trains, about: float32 weights, gradient and AdamW's two moments, copies,
    activations, and the process itself."""
    shipped = _shipped(run)
    layers, hidden, _ = shape(shipped.encoder)
    weights = (
        layer_weights(shipped.encoder)
        + (250_002 if shipped.vocabulary == "full" else 20_000) * hidden
    )
    if isinstance(run, Base) or not run.recipe.batch_size:
        return PROCESS + 8.0 * weights
    batch = run.recipe.micro_batch or run.recipe.batch_size
    # some 34 bytes an activation in half precision (Korthikanti et al. 2022, section 4.1), of the
    # padded batch; as much again for the holes that texts of all lengths leave between the other
    # tasks' tensors (measured)
    bytes_each = 34.0 if number_type(run.recipe.precision, device()) == torch.bfloat16 else 68.0
    bytes_each *= 2 if isinstance(run, Adapt) and run.mlm_share else 1
    return PROCESS + 18.0 * weights + bytes_each * layers * hidden * batch * run.recipe.max_length


@lru_cache(maxsize=64)
def shape(name: str) -> tuple[int, int, int]:
    """layers, hidden, inner size of an encoder. UserError where neither its configuration nor the
    table says."""
    parsed = encoders.parse_name(name)
    short = {place[0]: known for known, place in encoders.KNOWN.items()}.get(
        parsed.base, parsed.base
    )
    if short in SHAPES:
        layers, hidden, inner = SHAPES[short]
    else:
        folder = encoders.source_folder(parsed)
        if not Path(folder).is_dir():
            raise UserError(
                f"the size of {name} is not known here; known: {', '.join(SHAPES)}, or a local "
                "folder"
            )
        config = json.loads((Path(folder) / "config.json").read_text())
        layers, hidden, inner = (
            config["num_hidden_layers"],
            config["hidden_size"],
            config["intermediate_size"],
        )
    return parsed.layers or layers, hidden, inner


def layer_weights(name: str) -> int:
    layers, hidden, inner = shape(name)
    return layers * (4 * hidden * hidden + 2 * hidden * inner)


def _shipped(run: Run) -> Base:
    while not isinstance(run, Base):
        run = run.encoder
    return run


def _steps(recipe: Recipe, rows: list[int]) -> int:
    from xstilts.training.batches import steps

    return steps(rows, recipe)


def _evaluations(recipe: Recipe, steps: int) -> int:
    return 2 + steps // recipe.evaluate_every if recipe.evaluate_every else 1


def _rows(name: str, run: Adapt | Score) -> int:
    there = (
        ROWS.get(name, 10_000)
        if run.data == "hub"  # which would have to fetch them
        else data.size(name, "train", "en", run.data)
    )
    return min(there, run.recipe.rows) if run.recipe.rows else there


def _texts(run: Score) -> float:
    """Number of texts that are ranked."""
    if data.endless(run.data):
        rows = run.eval_rows or data.size(run.target, "test", "en", run.data)
    else:
        rows = (
            SCORED.get(run.target, 1000)
            if run.data == "hub"
            else data.size(run.target, "test", run.languages[0], run.data)
        )
    return rows * len(run.languages) * _texts_a_row(run.target, run.data)


def _texts_a_row(target: str, source: str) -> float:
    """Mean number of texts a row that are ranked, each read with its passage."""
    if not data.at_hand(source):
        return SENTENCES
    rows = _sample(target, source, "test")
    return sum(len(row["sentences"]) for row in rows) / len(rows)


def _pieces(name: str, run: Adapt | Score) -> float:
    """Mean pieces a row that is read as the task's, no more than the run's length."""
    task, folder = TASKS[name], encoders.source_folder(_shipped(run).encoder)
    found = float(task.module.PIECES)
    if data.at_hand(run.data) and Path(folder).is_dir():
        split = "train" if isinstance(run, Adapt) and not run.read_as else "test"
        found = _counted(name, run.data, split, str(folder))
    return min(found, run.recipe.max_length * task.module.SEQUENCES)


@data.while_unchanged(64)
def _sample(name: str, source: str, split: str) -> data.Rows:
    there = data.languages(name, source, split)
    return data.load(name, split, "en" if "en" in there else there[0], source, SAMPLE)


@lru_cache(maxsize=4)
def _tokenizer(folder: str):
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


@data.while_unchanged(256)
def _counted(name: str, source: str, split: str, encoder: str) -> float:
    task, rows, tokenizer = TASKS[name], _sample(name, source, split), _tokenizer(encoder)
    if sides := task.module.SIDES:
        texts = [row[side] for row in rows for side in sides if row[side]]
        return sum(map(len, tokenizer(texts)["input_ids"])) / max(1, len(texts))
    features = task.module.encode(rows, tokenizer, data.labelled(name, source), task.max_length)
    return sum(feature.pieces for feature in features) / len(rows)
