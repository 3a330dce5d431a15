"""What a run is: frozen dataclasses, and the key that names a run by everything it depends on.

    key(Score(encoder=Adapt(...), target="xnli", ...))  ->  "3f9c…"

Three kinds of run make up a study, and each yields one artifact:

    Base    an encoder as it ships, cut to its first layers and its vocabulary trimmed
    Adapt   an encoder trained further: phase 1 (masked language model) or phase 2 (intermediate tasks)
    Score   an encoder trained on a target's English rows and scored in every language (phase 3)
"""
from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

# Raise it whenever the same inputs would give another result: it is part of every key.
RECIPE_VERSION = 4


class UserError(ValueError):
    """A mistake in what a person asked for or supplied. The message says what is wrong, where, and what to do."""


# control characters but for tab and line feed (a terminal obeys ESC), marks that turn the direction of text, halves of pairs
_UNSEEN = {code: chr(0x2400 + code) for code in range(32) if code not in (9, 10)} | {0x7F: "\u2421"} | {
    code: "\ufffd" for code in (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0xD800, 0xE000))}


def visible(text: str) -> str:
    """Text from outside as it may be printed or put on a page: what would act on a terminal or turn the line around is shown
    as a sign in its place."""
    return text.translate(_UNSEEN)


def shown(value: object) -> str:
    """A value as an error names it: no longer than a line."""
    try:
        text = repr(value)
    except ValueError:     # Python writes no number of more than 4300 digits
        return "a number of thousands of digits"
    return visible(text if len(text) <= 60 else f"{text[:60]}…")


def whole(name: str, given: object, least: int, most: int) -> int:
    """A number that a person gave, or its decimal digits as text, as a whole number from `least` to `most`. UserError names it."""
    digits = isinstance(given, str) and re.fullmatch(r"\s*([+-]?[0-9]{1,20})\s*", given, re.ASCII)
    number = int(digits[1]) if digits else given
    if type(number) is not int or not least <= number <= most:
        raise UserError(f"{name}: {shown(given)} is no whole number from {least} to {most}")
    return number


@dataclass(frozen=True)
class Recipe:
    """How one training is done. `steps` counts optimiser steps; 0 means `epochs` passes over the rows.

    Several tasks are sampled in proportion to min(rows, cap), one task a step (jiant's
    ProportionalMultiTaskSampler with `train_examples_cap`).
    """
    steps: int
    epochs: int
    batch_size: int              # rows a step
    learning_rate: float         # peak, reached after the warm-up, then linear to 0
    max_length: int              # pieces a sequence
    rows: int                    # training rows a task, 0 = all
    cap: int = 0                 # for the sampling only, 0 = none
    micro_batch: int = 0         # rows a forward pass (gradient accumulation), 0 = batch_size
    warmup: float = 0.1          # share of the steps
    weight_decay: float = 0.01   # none on biases and LayerNorm
    adam_epsilon: float = 1e-8
    clip: float = 1.0            # norm of the gradient
    dropout: float = 0.1
    precision: str = "auto"      # auto: bf16 autocast where the hardware has it; bf16; fp32
    mask: float = 0.15           # MLM: share of the pieces that are predicted
    evaluate_every: int = 0      # steps between scores on the English dev rows, a shorter training's at its end; 0 = none
    patience: int = 0            # keep the best of those and stop after so many without a better one; 0 = keep the last
    dev_rows: int = 500          # of a task, all languages together


def _later(default):
    """A field that came later: it is in the key only where it says something, so that older keys stay."""
    return field(default=default, metadata={"later": True})


def _off_key(**kwargs):
    """A field that says where something lies. What lies there is in a fingerprint; the place is not in the key."""
    return field(metadata={"in_key": False}, **kwargs)


@dataclass(frozen=True)
class Base:
    encoder: str = _off_key()      # a name that `encoders.load` knows
    fingerprint: str = ""          # of that encoder's files
    vocabulary: str = "full"       # "full", or a fingerprint of the texts whose pieces are kept
    data: str = _off_key(default="")   # where those texts are


@dataclass(frozen=True)
class Adapt:
    encoder: Base | Adapt
    tasks: tuple[str, ...]
    languages: tuple[str, ...]     # of the training rows
    recipe: Recipe
    seed: int
    fingerprints: tuple[str, ...]  # of each task's rows
    data: str = _off_key(default="")
    mlm_share: float = _later(0.0)             # of the steps: masked language modelling on text, mixed in
    mlm_languages: tuple[str, ...] = _later(())
    scoring: str = _later("")      # `Task.scoring` of the tasks: dev scores are recorded, and with patience choose the weights

    @property
    def trained(self) -> tuple[str, ...]:
        """The tasks, and the text where it is mixed in (last)."""
        return self.tasks + (("text",) if self.mlm_share else ())


@dataclass(frozen=True)
class Score:
    encoder: Base | Adapt
    target: str
    languages: tuple[str, ...]     # that are scored; the training rows are English
    recipe: Recipe | None          # None: the encoder is scored as it is (retrieval)
    eval_rows: int                 # scored rows a language, 0 = all
    split: str
    seed: int
    fingerprints: tuple[str, ...]  # of the training rows (if any) and of the scored rows
    data: str = _off_key(default="")
    scoring: str = _later("")      # `Task.scoring` of the target


Run = Base | Adapt | Score
Wanted = Mapping[tuple[str, str, int], Score]   # (condition, target, seed) -> run


def describe(value: object) -> object:
    """JSON-ready form of a run for its key: places are left out, parents are replaced by their keys."""
    if isinstance(value, (Base, Adapt, Score, Recipe)):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.metadata.get("in_key", True)
                  and not (f.metadata.get("later") and getattr(value, f.name) == f.default)}
        if "encoder" in fields:
            fields["encoder"] = key(fields["encoder"])
        return {"run": type(value).__name__, **{name: describe(item) for name, item in fields.items()}}
    if isinstance(value, tuple):
        return [describe(item) for item in value]
    return value


def key(run: Run) -> str:
    """20 hex digits that stand for everything the run's result depends on."""
    return _key(run, RECIPE_VERSION)


@lru_cache(maxsize=1 << 16)      # a chapter asks for the same keys thousands of times
def _key(run: Run, version: int) -> str:
    text = json.dumps([version, describe(run)], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def each_once(runs: Iterable[Run]) -> list[Run]:
    """Without those that have been there before, by key."""
    return list({key(run): run for run in runs}.values())


def parents(run: Run) -> tuple[Run, ...]:
    return () if isinstance(run, Base) else (run.encoder,)


def label(run: Run) -> str:
    """A short name for people: logs, tables."""
    if isinstance(run, Base):
        return run.encoder
    if isinstance(run, Adapt):
        where = "" if run.languages == ("en",) or run.tasks == ("text",) else f" in {','.join(run.languages)}"
        return f"{label(run.encoder)} > {'+'.join(run.trained)}{where} (seed {run.seed})"
    return f"{label(run.encoder)} > {run.target} (seed {run.seed})"
