"""One training loop, for one task or many, for phases 1, 2 and 3.

    heads = train(model, tokenizer, {"mnli": features}, recipe, seed=0, log=print)

Every task gets a newly drawn head; what is handed on afterwards is the encoder alone.
"""
from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn
from tqdm import tqdm

from . import batches, cpu, packed, team
from .kinds import Feature, kind
from .optimizer import Optimizer
from .spec import Recipe
from .tasks import TASKS, Task

LOG_EVERY = 20   # steps


class Diverged(RuntimeError):
    """The loss became NaN or infinite."""


def device() -> torch.device:
    return team.device() or torch.device("cuda" if torch.cuda.is_available() else "cpu")


def number_type(precision: str, where: torch.device) -> torch.dtype:
    """bf16 where it is asked for, or ("auto") where the hardware computes bf16 natively; else float32."""
    if precision == "auto":
        native = torch.cuda.is_bf16_supported() if where.type == "cuda" else torch.ops.mkldnn._is_mkldnn_bf16_supported()
        precision = "bf16" if native else "fp32"
    return torch.bfloat16 if precision == "bf16" else torch.float32


def autocast(precision: str, where: torch.device):
    return torch.autocast(where.type, torch.bfloat16, enabled=number_type(precision, where) == torch.bfloat16)


def interactive() -> bool:
    """A person watches: a terminal, or a notebook opened in JupyterLab (papermill's kernels have no session name)."""
    return sys.stderr.isatty() or "JPY_SESSION_NAME" in os.environ


def seed_everything(seed: int) -> None:
    torch.manual_seed(seed)   # CUDA's generators too


def draw_heads(model, names: Sequence[str], where: torch.device, tasks: Mapping[str, Task] = TASKS) -> nn.ModuleDict:
    return nn.ModuleDict({name: kind(tasks[name].kind).Head(model, tasks[name]) for name in names}).to(where)


def hidden_states(model, batch: dict, drop: packed.Drop | None = None) -> torch.Tensor:
    """The last layer, [sequences, length, hidden]; only the positions that the batch calls "needed" have to be right.
    drop: dropout in training; an encoder of another family than BERT's has its own."""
    if packed.fits(model):
        return packed.forward(model, batch, drop)
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "token_type_ids") if name in batch}
    return model(**inputs).last_hidden_state


def collated(features: Sequence[Feature], name: str, model, info: batches.Info, masking: torch.Generator,
             where: torch.device) -> dict:
    """A batch of the task as the model and the head of its kind read it."""
    batch = batches.collate(features, info)
    kind(TASKS[name].kind).prepare(batch, features, info, masking)
    if packed.fits(model):
        batch = packed.pack(batch, model)
    return {name: item.to(where) if hasattr(item, "to") else item for name, item in batch.items()}


def _schedule(step: int, steps: int, warmup: float) -> float:
    """Linear from 0 to 1 over the warm-up, then linear to 0."""
    first = max(1, round(warmup * steps))
    return (step + 1) / first if step < first else max(0.0, (steps - step) / max(1, steps - first))


def train(model, tokenizer, sets: Mapping[str, Sequence[Feature]], recipe: Recipe, seed: int,
          log: Callable[[dict], None], dev_score: Callable[[nn.ModuleDict], float] | None = None,
          title: str = "", tasks: Mapping[str, Task] = TASKS) -> nn.ModuleDict:
    """Trains `model` in place on the features of one task or several and returns the heads, by task.

    log gets a dict every LOG_EVERY steps: step, loss (mean since the last one), learning rate, seconds.
    dev_score(heads) -> 0-100 is called every recipe.evaluate_every steps; with recipe.patience the best
    state is kept, else the last. Raises Diverged.
    """
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
    drop = torch.nn.functional.dropout if where.type == "cuda" else cpu.Dropout(seed + team.rank())
    best, best_state, waited = -math.inf, None, 0
    losses, started = [], time.perf_counter()
    if dev_score and recipe.evaluate_every:
        log({"step": 0, "dev": dev_score(heads)})     # where the curve starts: a head that knows nothing yet
    model.train(), heads.train()
    progress = tqdm(batches.stream(list(sets.values()), recipe, seed, steps), total=steps, desc=title,
                    disable=not interactive(), leave=False)
    for step, (which, features) in enumerate(progress):
        rate = recipe.learning_rate * _schedule(step, steps, recipe.warmup)
        losses.append(_gradients(model, heads[names[which]], names[which], features, recipe, info, masking, drop,
                                 optimizer))
        if not math.isfinite(losses[-1]):
            raise Diverged(f"{title}: the loss is {losses[-1]} at step {step + 1} of {steps}; "
                           f"try a learning rate below {recipe.learning_rate:g}")
        optimizer.step(rate)
        if (step + 1) % LOG_EVERY == 0 or step + 1 == steps:
            mean = sum(losses) / len(losses)
            log({"step": step + 1, "steps": steps, "loss": mean, "learning_rate": rate,
                 "seconds": time.perf_counter() - started})
            progress.set_postfix(loss=f"{mean:.3f}")
            losses = []
        if dev_score and recipe.evaluate_every and (step + 1) % recipe.evaluate_every == 0:
            score = dev_score(heads)
            model.train(), heads.train()
            log({"step": step + 1, "dev": score})
            if recipe.patience:
                if score > best:
                    best, waited = score, 0
                    best_state = optimizer.state()
                else:
                    waited += 1
                if waited >= recipe.patience:
                    break
    optimizer.release(best_state)
    model.eval(), heads.eval()
    return heads


def _gradients(model, head, name: str, features: list[Feature], recipe: Recipe, info: batches.Info,
               masking: torch.Generator, drop: packed.Drop, optimizer: Optimizer) -> float:
    """Forward and backward over one batch, in micro-batches if the recipe asks for them, or over this process's share of
    it. Returns the mean loss."""
    module, mean, where = kind(TASKS[name].kind), 0.0, device()
    share = features[team.rank()::team.size()]
    size = recipe.micro_batch or len(features)
    parts = [collated(share[start:start + size], name, model, info, masking, where) for start in range(0, len(share), size)]
    # a part counts by what its loss is the mean of, so that the parts' sum is the loss of the whole batch
    counts = [float(module.weight(batch)) if hasattr(module, "weight") else len(batch["gold"]) for batch in parts]
    total = team.total(torch.tensor(sum(counts, 0.0), device=where)).item()
    for batch, count in zip(parts, counts, strict=True):
        with autocast(recipe.precision, where):
            logits = head(hidden_states(model, batch, drop), batch)
        loss = module.loss(logits, batch) * (count / total)
        loss.backward()
        optimizer.collect()
        mean += loss.item()
    return team.total(torch.tensor(mean, device=where)).item()
