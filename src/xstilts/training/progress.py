"""How far a training is: kept in a checkpoint, and put back from it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path

import torch

from xstilts.training import checkpoint, cpu, packed, process_group
from xstilts.training.optimizer import Optimizer


@dataclass
class Progress:
    """How far a training is, beside its weights and its optimiser."""

    step: int = 0  # done
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)  # since the last entry of the log
    log: list[dict] = field(default_factory=list)
    best: float = -math.inf  # dev score
    waited: int = 0  # dev scores since
    best_state: list[torch.Tensor] | None = None


def keep(
    path: Path,
    at: Progress,
    optimizer: Optimizer,
    masking: torch.Generator,
    drop: packed.Drop,
    where: torch.device,
) -> None:
    """Writes a checkpoint. The order of batches and the schedule follow from the step."""
    randoms: dict[str, object] = {
        "torch": cpu.as_text(torch.get_rng_state()),
        "masking": cpu.as_text(masking.get_state()),
    }
    if isinstance(drop, cpu.Dropout):
        randoms["dropout"] = drop.state()
    if where.type == "cuda":
        randoms["cuda"] = cpu.as_text(torch.cuda.get_rng_state())
    notes = {name: value for name, value in vars(at).items() if name != "best_state"}
    notes |= {
        "best": None if at.best == -math.inf else at.best,
        "randoms": process_group.texts(json.dumps(randoms)),
    }
    best = {f"best.{number}": masters for number, masters in enumerate(at.best_state or ())}
    if not process_group.rank():
        checkpoint.write(path, optimizer.tensors() | best, notes)


def resume(
    path: Path,
    at: Progress,
    optimizer: Optimizer,
    masking: torch.Generator,
    drop: packed.Drop,
    where: torch.device,
) -> bool:
    """Puts everything back to where the checkpoint has it, if there is one of as many processes.
    The first one reads it."""
    tensors, notes = (None if process_group.rank() else checkpoint.read(path)) or ({}, {})
    notes = json.loads(process_group.texts(json.dumps(notes))[0])
    if len(notes.get("randoms", ())) != process_group.size():
        return False
    for name in ("step", "seconds", "losses", "log", "waited"):
        setattr(at, name, notes[name])
    optimizer.restore(tensors, at.step)
    if notes["best"] is not None:
        at.best, at.best_state = notes["best"], optimizer.state()
        for number, masters in enumerate(at.best_state):
            if not process_group.rank():
                masters.copy_(tensors[f"best.{number}"])
            process_group.share(masters)
    randoms = json.loads(notes["randoms"][process_group.rank()])
    torch.set_rng_state(cpu.as_state(randoms["torch"]))
    masking.set_state(cpu.as_state(randoms["masking"]))
    if isinstance(drop, cpu.Dropout):
        drop.restore(randoms["dropout"])
    if where.type == "cuda":
        torch.cuda.set_rng_state(cpu.as_state(randoms["cuda"]))
    return True
