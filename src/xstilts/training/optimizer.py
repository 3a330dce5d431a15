"""AdamW over all weights at once: full-precision masters in one vector, low-precision copies where
the model computes.

    optimizer = Optimizer(model, heads, recipe, low=[...], dtype=torch.bfloat16)
    loss.backward(); optimizer.collect()      # for each part of a batch
    optimizer.step(learning_rate)
    optimizer.release()                       # afterwards: every weight is full precision again

A weight in bf16 would lose small updates, so the masters are float32 (Micikevicius et al. 2018,
section 3.1). One vector instead of two hundred tensors: the update, its norm and its exchange
between machines are one operation each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from xstilts.training import process_group
from xstilts.training.recipe import Recipe


@dataclass
class _Group:
    """Weights with the same decay and precision."""

    weights: list[nn.Parameter]
    masters: torch.Tensor  # [numbers], float32, with its .grad
    # [numbers], what the model computes with; the masters themselves if they are not low
    copies: torch.Tensor
    gradients: list[torch.Tensor]  # views of the masters' gradient, one a weight


class Optimizer:
    def __init__(
        self,
        model: nn.Module,
        heads: nn.Module,
        recipe: Recipe,
        low: Sequence[nn.Parameter] = (),
        dtype: torch.dtype = torch.float32,
    ):
        """low: the weights that the model shall have in `dtype`."""
        lowered = {id(weight) for weight in low} if dtype != torch.float32 else set()
        weights = [
            weight for weight in (*model.parameters(), *heads.parameters()) if weight.requires_grad
        ]
        # fresh: the gradient holds nothing of the coming step yet
        self.clip, self.fresh = (
            recipe.clip,
            True,
        )
        self.groups, settings = [], []
        for is_vector in (False, True):
            for is_low in (False, True):
                chosen = [
                    weight
                    for weight in weights
                    if (weight.ndim < 2) == is_vector and (id(weight) in lowered) == is_low
                ]
                if chosen:
                    self.groups.append(_group(chosen, dtype if is_low else torch.float32))
                    # none on biases and LayerNorm
                    decay = 0.0 if is_vector else recipe.weight_decay
                    settings.append({"params": [self.groups[-1].masters], "weight_decay": decay})
        self.adamw = torch.optim.AdamW(
            settings, lr=recipe.learning_rate, eps=recipe.adam_epsilon, fused=True
        )

    def collect(self) -> None:
        """Moves what a backward pass left to the masters' gradient, adding up in full precision."""
        for group in self.groups:
            for weight, gradient in zip(group.weights, group.gradients, strict=True):
                if weight.grad is None:  # a weight that this batch did not need
                    if self.fresh:
                        gradient.zero_()
                elif self.fresh:
                    gradient.copy_(weight.grad)
                else:
                    # torch is ten times slower at adding numbers of two types
                    gradient.add_(weight.grad.float())
                weight.grad = None
        self.fresh = False

    def step(self, learning_rate: float) -> None:
        """Clips the gradient to the recipe's norm, updates the masters and the copies."""
        # nothing was collected, as other processes have all the rows: not the last step's gradient
        # again
        if self.fresh:
            self.collect()
        gradients = [process_group.total(group.masters.grad) for group in self.groups]
        norm = math.sqrt(
            sum(float(torch.linalg.vector_norm(gradient)) ** 2 for gradient in gradients)
        )
        if norm > self.clip:
            for gradient in gradients:
                gradient.mul_(self.clip / (norm + 1e-6))
        for settings in self.adamw.param_groups:
            settings["lr"] = learning_rate
        self.adamw.step()
        self._copy()
        self.fresh = True

    def tensors(self) -> dict[str, torch.Tensor]:
        """The masters and AdamW's two moments as they lie in memory: for a checkpoint."""
        found = {}
        for number, group in enumerate(self.groups):
            found[f"masters.{number}"] = group.masters.data
            for name in ("exp_avg", "exp_avg_sq"):
                found[f"{name}.{number}"] = self.adamw.state[group.masters][name]
        return found

    def restore(self, tensors: Mapping[str, torch.Tensor], steps: int) -> None:
        """Takes up where another stood after so many steps; of several processes, where the first
        one's file says."""
        for group in self.groups:
            state = {
                name: torch.zeros_like(group.masters.data) for name in ("exp_avg", "exp_avg_sq")
            }
            self.adamw.state[group.masters] = {
                "step": torch.tensor(float(steps), device=group.masters.device),
                **state,
            }
        for name, place in self.tensors().items():
            if name in tensors:
                place.copy_(tensors[name])
            process_group.share(place)
        self._copy()

    def _copy(self) -> None:
        for group in self.groups:
            if group.copies is not group.masters:
                with torch.no_grad():
                    group.copies.copy_(group.masters)

    def state(self) -> list[torch.Tensor]:
        """All weights as they are now, for `release`."""
        return [group.masters.detach().clone() for group in self.groups]

    def release(self, state: list[torch.Tensor] | None = None) -> None:
        """Gives every weight its master's value, now or at an earlier `state`."""
        for group, masters in zip(
            self.groups, state or [group.masters for group in self.groups], strict=True
        ):
            for weight, master in zip(group.weights, _views(masters, group.weights), strict=True):
                weight.data, weight.grad = master.clone(), None


def _group(weights: list[nn.Parameter], dtype: torch.dtype) -> _Group:
    masters = torch.cat([weight.detach().float().flatten() for weight in weights])
    masters.grad = torch.zeros_like(masters)
    copies = masters if dtype == torch.float32 else masters.to(dtype)
    for weight, data in zip(weights, _views(copies, weights), strict=True):
        weight.data, weight.grad = data, None
    return _Group(weights, masters, copies, _views(masters.grad, weights))


def _views(vector: torch.Tensor, weights: list[nn.Parameter]) -> list[torch.Tensor]:
    parts = vector.split([weight.numel() for weight in weights])
    return [part.view(weight.shape) for part, weight in zip(parts, weights, strict=True)]
