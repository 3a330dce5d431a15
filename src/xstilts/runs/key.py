"""What a run is: frozen dataclasses, and the key that names a run by everything it depends on.

    key(Score(encoder=Adapt(...), target="xnli", ...))  ->  "3f9c…"

Three kinds of run make up a study, and each yields one artifact:

    Base    an encoder as it ships, cut to its first layers and its vocabulary trimmed
    Adapt   an encoder trained further: phase 1 (masked language model) or phase 2 (intermediate
            tasks)
    Score   an encoder trained on a target's English rows and scored in every language (phase 3)
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

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
    scoring: str = _later(
        ""
    )  # `Task.scoring` of the tasks: dev scores are recorded, and with patience choose the weights

    @property
    def trained(self) -> tuple[str, ...]:
        """The tasks, and the text where it is mixed in (last)."""
        return self.tasks + (("text",) if self.mlm_share else ())


@dataclass(frozen=True)
class Score:
    encoder: Base | Adapt
    target: str
    languages: tuple[str, ...]  # that are scored; the training rows are English
    recipe: Recipe | None  # None: the encoder is scored as it is (retrieval)
    eval_rows: int  # scored rows a language, 0 = all
    split: str
    seed: int
    fingerprints: tuple[str, ...]  # of the training rows (if any) and of the scored rows
    data: str = _off_key(default="")
    scoring: str = _later("")  # `Task.scoring` of the target


Run = Base | Adapt | Score
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
        where = (
            ""
            if run.languages == ("en",) or run.tasks == ("text",)
            else f" in {','.join(run.languages)}"
        )
        return f"{label(run.encoder)} > {'+'.join(run.trained)}{where} (seed {run.seed})"
    return f"{label(run.encoder)} > {run.target} (seed {run.seed})"
