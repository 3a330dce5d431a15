"""One training loop, for one task or many, for phases 1, 2 and 3.

    heads = train(model, tokenizer, {"mnli": features}, recipe, seed=0, log=print)

Every task gets a newly drawn head; what is handed on afterwards is the encoder alone.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn
from tqdm import tqdm

from xstilts import settings
from xstilts.errors import UserError
from xstilts.tasks.kinds import Feature
from xstilts.tasks.table import TASKS, Task
from xstilts.training import batches, checkpoint, cpu, packed, process_group
from xstilts.training.optimizer import Optimizer
from xstilts.training.progress import Progress, keep, resume
from xstilts.training.recipe import Recipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LOG_EVERY = 20  # steps
RETURN_EVERY = 30.0  # seconds: after longer, batches of all lengths have left holes of gigabytes


class Diverged(RuntimeError):
    """A loss, or what an encoder makes of a text, is NaN or infinite."""


def device() -> torch.device:
    return process_group.device() or torch.device("cuda" if torch.cuda.is_available() else "cpu")


def number_type(precision: str, where: torch.device) -> torch.dtype:
    """bf16 where it is asked for, or ("auto") where the hardware computes bf16 natively; else
    float32."""
    if precision == "auto":
        native = (
            torch.cuda.is_bf16_supported(including_emulation=False)
            if where.type == "cuda"
            else cpu.multiplies_bf16()
        )
        precision = "bf16" if native else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


def autocast(precision: str, where: torch.device) -> torch.autocast:
    return torch.autocast(
        where.type, torch.bfloat16, enabled=number_type(precision, where) == torch.bfloat16
    )


def interactive() -> bool:
    """A person watches: a terminal, or a notebook opened in JupyterLab (papermill's kernels have no
    session name)."""
    return sys.stderr.isatty() or settings.in_jupyterlab()


def seed_everything(seed: int) -> None:
    torch.manual_seed(seed)
    # of dropout alone: each process drops other numbers, as `cpu.Dropout` does
    torch.cuda.manual_seed(seed + process_group.rank())


def draw_heads(
    model: PreTrainedModel,
    names: Sequence[str],
    where: torch.device,
    tasks: Mapping[str, Task] = TASKS,
) -> nn.ModuleDict:
    return nn.ModuleDict({name: tasks[name].module.Head(model, tasks[name]) for name in names}).to(
        where
    )


def hidden_states(
    model: PreTrainedModel, batch: dict, drop: packed.Drop | None = None
) -> torch.Tensor:
    """The last layer, [sequences, length, hidden]; only the positions that the batch calls "needed"
    have to be right.
    drop: dropout in training; an encoder of another family than BERT's has its own."""
    if packed.fits(model):
        return packed.forward(model, batch, drop)
    inputs = {
        name: batch[name]
        for name in ("input_ids", "attention_mask", "token_type_ids")
        if name in batch
    }
    return model(**inputs).last_hidden_state


def collated(
    features: Sequence[Feature],
    name: str,
    model: PreTrainedModel,
    info: batches.Info,
    masking: torch.Generator,
    where: torch.device,
) -> dict:
    """A batch of the task as the model and the head of its kind read it."""
    batch = batches.collate(features, info)
    TASKS[name].module.prepare(batch, features, info, masking)
    if packed.fits(model):
        batch = packed.pack(batch, model)
    return {name: item.to(where) if hasattr(item, "to") else item for name, item in batch.items()}


def _schedule(step: int, steps: int, warmup: float) -> float:
    """Linear from 0 to 1 over the warm-up, then linear to 0."""
    first = max(1, round(warmup * steps))
    return (step + 1) / first if step < first else max(0.0, (steps - step) / max(1, steps - first))


def train(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    sets: Mapping[str, Sequence[Feature]],
    recipe: Recipe,
    seed: int,
    log: Callable[[dict], None],
    dev_score: Callable[[nn.ModuleDict], float] | None = None,
    title: str = "",
    tasks: Mapping[str, Task] = TASKS,
    last_share: float = 0.0,
    kept: Path | None = None,
) -> nn.ModuleDict:
    """Trains `model` in place on the features of one task or several and returns the heads, by
    task.

    log gets a dict every LOG_EVERY steps: step, loss (mean since the last one), learning rate,
    seconds. dev_score(heads) -> 0-100 is called every recipe.evaluate_every steps, or at the end of
    a training that has fewer; with recipe.patience the best state is kept, else the last. Raises
    Diverged. kept: where a checkpoint is kept; what it has is not done again. UserError for a
    task whose batches are never split (rank) in several processes."""
    for name in sets:
        if process_group.size() > 1 and tasks[name].module.WHOLE_BATCH:
            raise UserError(
                f"{tasks[name].title}: a query's negatives are the other texts of its batch, which "
                f"{process_group.size()} processes would split: start again as one process "
                "(without a launcher); what is finished is kept"
            )
    where, names = device(), list(sets)
    seed_everything(seed)
    model.to(where)
    if where.type == "cpu":
        cpu.keep_memory()
    heads = draw_heads(model, names, where, tasks)
    for module in [*model.modules(), *heads.modules()]:
        if isinstance(module, nn.Dropout) and module.p > 0:
            module.p = recipe.dropout
    steps = batches.steps([len(features) for features in sets.values()], recipe)
    info = batches.Info.of(tokenizer, recipe, model)
    masking = torch.Generator().manual_seed(seed)
    low = model.encoder.layer.parameters() if packed.fits(model) else ()
    optimizer = Optimizer(model, heads, recipe, list(low), number_type(recipe.precision, where))
    drop = (
        torch.nn.functional.dropout
        if where.type == "cuda"
        else cpu.Dropout(seed + process_group.rank())
    )
    at, began = Progress(), time.monotonic()
    if kept and resume(kept, at, optimizer, masking, drop, where):
        for entry in at.log:
            log(entry)
        log({"step": at.step, "resumed": at.seconds})

    def note(entry: dict) -> None:
        at.log.append(entry)
        log(entry)

    broken = (
        f"{title}: the last step left weights that are no numbers; try a learning rate below "
        f"{recipe.learning_rate:g}"
    )

    def measured(score: Callable[[nn.ModuleDict], float]) -> float:
        try:
            return score(heads)
        except Diverged as error:
            if not at.step:  # it came so
                raise
            raise Diverged(broken) from error

    every = min(recipe.evaluate_every, steps)
    if dev_score and every and not at.step:
        # where the curve starts: a head that knows nothing yet
        note({"step": 0, "dev": measured(dev_score)})
    model.train(), heads.train()
    before, last_kept, returned = at.seconds, time.monotonic(), time.monotonic()
    stream = islice(
        batches.stream(list(sets.values()), recipe, seed, steps, last_share), at.step, None
    )
    progress = tqdm(
        stream, total=steps, initial=at.step, desc=title, disable=not interactive(), leave=False
    )
    for step, (which, features) in enumerate(progress, at.step + 1):
        at.step = step
        rate = recipe.learning_rate * _schedule(at.step - 1, steps, recipe.warmup)
        at.losses.append(
            _gradients(
                model,
                heads[names[which]],
                names[which],
                features,
                recipe,
                info,
                masking,
                drop,
                optimizer,
            )
        )
        if not math.isfinite(at.losses[-1]):
            raise Diverged(
                f"{title}: the loss is {at.losses[-1]} at step {at.step} of {steps}; try a "
                f"learning rate below {recipe.learning_rate:g}"
            )
        optimizer.step(rate)
        at.seconds = before + time.monotonic() - began
        if at.step % LOG_EVERY == 0 or at.step == steps:
            mean = sum(at.losses) / len(at.losses)
            note(
                {
                    "step": at.step,
                    "steps": steps,
                    "loss": mean,
                    "learning_rate": rate,
                    "seconds": at.seconds,
                }
            )
            progress.set_postfix(loss=f"{mean:.3f}")
            at.losses = []
        if dev_score and every and at.step % every == 0:
            score = measured(dev_score)
            model.train(), heads.train()
            note({"step": at.step, "dev": score})
            if recipe.patience:
                if score > at.best:
                    at.best, at.waited, at.best_state = score, 0, optimizer.state()
                else:
                    at.waited += 1
                if at.waited >= recipe.patience:
                    break
        if where.type == "cpu" and time.monotonic() - returned > RETURN_EVERY:
            cpu.return_memory()
            returned = time.monotonic()
        if kept and at.step < steps and checkpoint.due(last_kept):
            keep(kept, at, optimizer, masking, drop, where)
            last_kept = time.monotonic()
    optimizer.release(at.best_state)
    if not all(weight.isfinite().all() for weight in (*model.parameters(), *heads.parameters())):
        raise Diverged(broken)
    model.eval(), heads.eval()
    return heads


def _gradients(
    model,
    head,
    name: str,
    features: list[Feature],
    recipe: Recipe,
    info: batches.Info,
    masking: torch.Generator,
    drop: packed.Drop,
    optimizer: Optimizer,
) -> float:
    """Forward and backward over one batch, in micro-batches if the recipe asks for them, or over
    this process's share of it. Returns the mean loss. Some kinds' batches are never split."""
    module, mean, where = TASKS[name].module, 0.0, device()
    share = features[process_group.rank() :: process_group.size()]
    size = recipe.micro_batch if recipe.micro_batch and not module.WHOLE_BATCH else len(features)
    parts = [
        collated(share[start : start + size], name, model, info, masking, where)
        for start in range(0, len(share), size)
    ]
    # a part counts by what its loss is the mean of, so that the parts' sum is the loss of the whole
    # batch
    counts = [float(module.weight(batch)) for batch in parts]
    total = process_group.total(torch.tensor(sum(counts, 0.0), device=where)).item()
    for batch, count in zip(parts, counts, strict=True):
        if not count:  # no word of it has a label: the mean over none is no number
            continue
        with autocast(recipe.precision, where):
            logits = head(hidden_states(model, batch, drop), batch)
        loss = module.loss(logits, batch) * (count / total)
        loss.backward()
        optimizer.collect()
        mean += loss.item()
    return process_group.total(torch.tensor(mean, device=where)).item()
