"""What a run is: frozen dataclasses, and the key that names a run by everything it depends on.

    key(Score(encoder=Adapt(...), target="xnli", ...))  ->  "3f9c…"

Three kinds of run make up a study, and each yields one artifact:

    Base    an encoder as it ships, cut to its first layers and its vocabulary trimmed
    Adapt   an encoder trained further: phase 1 (masked language model), phase 2 (intermediate
            tasks) or the training of a target in phase 3 (English rows)
    Score   a target scored in every language (phase 3), by the encoder and the head that its
            training left; one that has no training (retrieval) by the encoder of phase 1 or 2

A target's training is a run like any other. Targets that train on the same rows in the same way
have the same one by its key (XQuAD and MLQA), and it can be an intermediate task's (XNLI and MNLI).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from xstilts.tasks.table import TASKS
from xstilts.training.recipe import Recipe

# Raise it whenever the same inputs would give another result: it is part of every key.
RECIPE_VERSION = 4


def _later(default):
    """A field that came later: it is in the key only where it says something, so that older keys
    stay."""
    return field(default=default, metadata={"later": True})


def _off_key(**kwargs):
    """A field that says where something lies. What lies there is in a fingerprint; the place is not
    in the key."""
    return field(metadata={"in_key": False}, **kwargs)


@dataclass(frozen=True)
class Base:
    encoder: str = _off_key()  # a name that `encoders.load` knows
    fingerprint: str = ""  # of that encoder's files
    vocabulary: str = "full"  # "full", or a fingerprint of the texts whose pieces are kept
    data: str = _off_key(default="")  # where those texts are


@dataclass(frozen=True)
class Adapt:
    encoder: Base | Adapt
    tasks: tuple[str, ...]
    languages: tuple[str, ...]  # of the training rows
    recipe: Recipe
    seed: int
    fingerprints: tuple[str, ...]  # of each task's rows
    data: str = _off_key(default="")
    mlm_share: float = _later(0.0)  # of the steps: masked language modelling on text, mixed in
    mlm_languages: tuple[str, ...] = _later(())
    # `Task.scoring` of the tasks: dev scores are recorded, and with patience choose the weights
    scoring: str = _later("")
    # the target that reads the task's rows in a way of its own (LAReQA ranks SQuAD's sentences)
    read_as: str = _later("")
    # the seed draws which rows are trained on, where not all are; else they are the same for all
    own_rows: bool = _later(False)
    # the training rows' labels are shuffled, so that nothing of the task can be learned: a control
    shuffled: bool = _later(False)

    @property
    def trained(self) -> tuple[str, ...]:
        """The tasks, and the text where it is mixed in (last)."""
        return self.tasks + (("text",) if self.mlm_share else ())

    @property
    def reads(self) -> tuple[str, ...]:
        """As which tasks the rows of `trained` are read: head, loss and metrics are theirs."""
        return (self.read_as,) if self.read_as else self.trained

    @property
    def draw(self) -> str:
        """What chooses the training rows, for `data.load`; "": the same for every seed."""
        return f"seed {self.seed}" if self.own_rows else ""


@dataclass(frozen=True)
class Score:
    encoder: Base | Adapt  # the target's training, or what is scored as it is (retrieval)
    target: str
    languages: tuple[str, ...]  # that are scored
    recipe: Recipe  # how rows are read: length and precision. Nothing is trained
    eval_rows: int  # scored rows a language, 0 = all
    split: str
    seed: int  # of the training; 0 where there is none
    fingerprints: tuple[str, ...]  # of the scored rows
    data: str = _off_key(default="")
    scoring: str = _later("")  # `Task.scoring` of the target


Run = Base | Adapt | Score
Kind = TypeVar("Kind", bound=Run)  # one of them, or several
Wanted = Mapping[tuple[Any, str, int], Score]  # (condition, target, seed) -> run


def describe(value: object) -> object:
    """JSON-ready form of a run for its key: places are left out, parents are replaced by their
    keys."""
    if isinstance(value, (Base, Adapt, Score, Recipe)):
        fields = {
            f.name: getattr(value, f.name)
            for f in dataclasses.fields(value)
            if f.metadata.get("in_key", True)
            and not (f.metadata.get("later") and getattr(value, f.name) == f.default)
        }
        if "encoder" in fields:
            fields["encoder"] = key(fields["encoder"])
        return {
            "run": type(value).__name__,
            **{name: describe(item) for name, item in fields.items()},
        }
    if isinstance(value, tuple):
        return [describe(item) for item in value]
    return value


def key(run: Run) -> str:
    """20 hex digits that stand for everything the run's result depends on."""
    return _key(run, RECIPE_VERSION)


@lru_cache(maxsize=1 << 16)  # a chapter asks for the same keys thousands of times
def _key(run: Run, version: int) -> str:
    text = json.dumps([version, describe(run)], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def line(run: Run) -> list[Run]:
    """The run and all that it starts from."""
    return [run, *(further for parent in parents(run) for further in line(parent))]


def each_once(runs: Iterable[Kind]) -> list[Kind]:
    """Without those that have been there before, by key."""
    return list({key(run): run for run in runs}.values())


def parents(run: Run) -> tuple[Run, ...]:
    return () if isinstance(run, Base) else (run.encoder,)


def training(run: Run) -> Adapt | None:
    """The training of a score's target, which left its encoder and its head. None for a target
    without one, and for what is no score."""
    if isinstance(run, Score) and not TASKS[run.target].untrained:
        assert isinstance(run.encoder, Adapt)
        return run.encoder
    return None


def in_which_trained(run: Adapt) -> tuple[str, ...]:
    """The language of a target's training rows: English, but for a person's own target."""
    return (TASKS[run.tasks[0]].trained_in,)


def starting_encoder(run: Score) -> Base | Adapt:
    """The encoder of phase 1 or 2 that the score tells of: that its target's training starts from,
    or that is scored as it is."""
    before = training(run)
    return before.encoder if before else run.encoder


def intermediate(run: Run) -> Adapt | None:
    """The encoder of phase 2 that a score tells of; None where it tells of none."""
    encoder = starting_encoder(run) if isinstance(run, Score) else None
    return encoder if isinstance(encoder, Adapt) and encoder.tasks != ("text",) else None


def passing(run: Run) -> bool:
    """Whether an artifact is of no use once all scores that start from it are there. So is the
    training of a target, whose encoder is large, unless it is an intermediate encoder as well: one
    task of phase 2, read as what it is, after phase 1."""
    if not isinstance(run, Adapt) or len(run.trained) > 1 or run.languages != in_which_trained(run):
        return False
    first = run.encoder
    phase1 = isinstance(first, Base) or first.tasks == ("text",) and isinstance(first.encoder, Base)
    role = TASKS[run.tasks[0]].role
    return role != "text" and (role == "target" or bool(run.read_as) or not phase1)


def label(run: Run) -> str:
    """A short name for people: logs, tables. A score is called by the encoder that it tells of,
    whatever its target is trained on."""
    if isinstance(run, Base):
        return run.encoder
    if isinstance(run, Adapt):
        where = (
            ""
            if run.languages == in_which_trained(run) or run.tasks == ("text",)
            else f" in {','.join(run.languages)}"
        )
        where += f" as {run.read_as}" * bool(run.read_as) + " shuffled" * run.shuffled
        return f"{label(run.encoder)} > {'+'.join(run.trained)}{where} (seed {run.seed})"
    return f"{label(starting_encoder(run))} > {run.target} (seed {run.seed})"
