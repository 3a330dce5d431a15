"""One training loop, for one task or many, for phases 1, 2 and 3.

    heads = train(model, tokenizer, {"mnli": features}, recipe, seed=0, log=print)

Every task gets a newly drawn head; what is handed on afterwards is the encoder alone.
"""
from __future__ import annotations

import copy
import math
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn
from tqdm import tqdm

from . import batches
from .kinds import Feature, kind
from .spec import Recipe
from .tasks import TASKS, Task

LOG_EVERY = 20   # steps


class Diverged(RuntimeError):
    """The loss became NaN or infinite."""


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(precision: str, where: torch.device):
    """bf16 autocast where it is asked for, or ("auto") where the hardware computes bf16 natively."""
    if precision == "auto":
        native = torch.cuda.is_bf16_supported() if where.type == "cuda" else torch.ops.mkldnn._is_mkldnn_bf16_supported()
        precision = "bf16" if native else "fp32"
    return torch.autocast(where.type, torch.bfloat16, enabled=precision == "bf16")


def interactive() -> bool:
    """A person watches: a terminal, or a notebook opened in JupyterLab (papermill's kernels have no session name)."""
    return sys.stderr.isatty() or "JPY_SESSION_NAME" in os.environ


def seed_everything(seed: int) -> None:
    torch.manual_seed(seed)   # CUDA's generators too


def draw_heads(model, names: Sequence[str], where: torch.device, tasks: Mapping[str, Task] = TASKS) -> nn.ModuleDict:
    return nn.ModuleDict({name: kind(tasks[name].kind).Head(model, tasks[name]) for name in names}).to(where)


def hidden_states(model, batch: dict) -> torch.Tensor:
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask", "token_type_ids") if name in batch}
    return model(**inputs).last_hidden_state


def to_device(batch: dict, where: torch.device) -> dict:
    return {name: item.to(where) if isinstance(item, torch.Tensor) else item for name, item in batch.items()}


def _optimizer(model, heads, recipe: Recipe) -> torch.optim.Optimizer:
    parameters = [p for p in (*model.parameters(), *heads.parameters()) if p.requires_grad]
    groups = [{"params": [p for p in parameters if p.ndim >= 2], "weight_decay": recipe.weight_decay},
              {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0}]   # biases and LayerNorm
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, eps=recipe.adam_epsilon, fused=True)


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
    heads = draw_heads(model, names, where, tasks)
    for module in [*model.modules(), *heads.modules()]:
        if isinstance(module, nn.Dropout) and module.p > 0:
            module.p = recipe.dropout
    steps = batches.steps([len(features) for features in sets.values()], recipe)
    info = batches.Info.of(tokenizer, recipe)
    masking = torch.Generator().manual_seed(seed)
    optimizer = _optimizer(model, heads, recipe)
    best, best_state, waited = -math.inf, None, 0
    losses, started = [], time.perf_counter()
    if dev_score and recipe.evaluate_every:
        log({"step": 0, "dev": dev_score(heads)})     # where the curve starts: a head that knows nothing yet
    model.train(), heads.train()
    progress = tqdm(batches.stream(list(sets.values()), recipe, seed, steps), total=steps, desc=title,
                    disable=not interactive(), leave=False)
    for step, (which, features) in enumerate(progress):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _schedule(step, steps, recipe.warmup)
        losses.append(_step(model, heads[names[which]], names[which], features, recipe, info, masking, where))
        if not math.isfinite(losses[-1]):
            raise Diverged(f"{title}: the loss is {losses[-1]} at step {step + 1} of {steps}; "
                           f"try a learning rate below {recipe.learning_rate:g}")
        nn.utils.clip_grad_norm_([*model.parameters(), *heads.parameters()], recipe.clip)
        optimizer.step()
        optimizer.zero_grad()
        if (step + 1) % LOG_EVERY == 0 or step + 1 == steps:
            mean = sum(losses) / len(losses)
            log({"step": step + 1, "steps": steps, "loss": mean, "learning_rate": optimizer.param_groups[0]["lr"],
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
                    best_state = copy.deepcopy((model.state_dict(), heads.state_dict()))
                else:
                    waited += 1
                if waited >= recipe.patience:
                    break
    if best_state:
        model.load_state_dict(best_state[0])
        heads.load_state_dict(best_state[1])
    model.eval(), heads.eval()
    return heads


def _step(model, head, name: str, features: list[Feature], recipe: Recipe, info, masking, where) -> float:
    """Forward and backward over one batch, in micro-batches if the recipe asks for them. Returns the mean loss."""
    module, total = kind(TASKS[name].kind), 0.0
    size = recipe.micro_batch or len(features)
    for start in range(0, len(features), size):
        part = features[start:start + size]
        batch = batches.collate(part, info)
        module.prepare(batch, part, info, masking)
        batch = to_device(batch, where)
        with autocast(recipe.precision, where):
            logits = head(hidden_states(model, batch), batch)
        loss = module.loss(logits, batch) * (len(part) / len(features))
        loss.backward()
        total += loss.item()
    return total
