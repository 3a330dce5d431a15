"""How one training is done: steps, rates, lengths. A recipe is part of the key of its run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """How one training is done. `steps` counts optimiser steps; 0 means `epochs` passes over the
    rows.

    Several tasks are sampled in proportion to min(rows, cap), one task a step (jiant's
    ProportionalMultiTaskSampler with `train_examples_cap`).
    """

    steps: int
    epochs: int
    batch_size: int  # rows a step
    learning_rate: float  # peak, reached after the warm-up, then linear to 0
    max_length: int  # pieces a sequence
    rows: int  # training rows a task, 0 = all
    cap: int = 0  # for the sampling only, 0 = none
    micro_batch: int = 0  # rows a forward pass (gradient accumulation), 0 = batch_size
    warmup: float = 0.1  # share of the steps
    weight_decay: float = 0.01  # none on biases and LayerNorm
    adam_epsilon: float = 1e-8
    clip: float = 1.0  # norm of the gradient
    dropout: float = 0.1
    precision: str = "auto"  # auto: bf16 autocast where the hardware has it; bf16; fp32
    mask: float = 0.15  # MLM: share of the pieces that are predicted
    # steps between scores on the English dev rows, a shorter training's at its end; 0 = none
    evaluate_every: int = 0
    # keep the best of those and stop after so many without a better one; 0 = keep the last
    patience: int = 0
    dev_rows: int = 500  # of a task, all languages together
