"""Several processes that do one run together, each with its share of every batch and a GPU of its
own.

    accelerate launch --num_processes 4 --module xstilts.cli compute single_task -p profile paper

All processes walk the same graph in step. A batch is split between them and gradients are summed,
so that the same recipe with the same global batch is the same training. Where rows are each other's
negatives (kind `rank`) a share is another batch: `train` refuses it. The first process alone
writes."""

from __future__ import annotations

import os
from functools import lru_cache

import torch

from xstilts.errors import UserError, whole

MOST = 100_000  # processes


def size() -> int:
    """How many processes there are: 1 unless a launcher says otherwise. UserError where it says no
    number."""
    return whole("the environment's WORLD_SIZE", os.environ.get("WORLD_SIZE") or 1, 1, MOST)


def rank() -> int:
    """This process's number, from 0. UserError where the launcher says none that there can be."""
    return (
        whole("the environment's RANK", os.environ.get("RANK") or 0, 0, size() - 1)
        if size() > 1
        else 0
    )


def check() -> None:
    """UserError where a launcher's variables are not all there, or are no numbers: what reads them
    later stops without words."""
    if size() == 1:
        return
    for name, most in (
        ("RANK", size() - 1),
        ("LOCAL_RANK", size() - 1),
        ("LOCAL_WORLD_SIZE", size()),
        ("MASTER_PORT", 65535),
    ):
        if os.environ.get(name):
            whole(f"the environment's {name}", os.environ[name], 0, most)
        elif name in ("RANK", "LOCAL_RANK"):
            raise UserError(
                f"the environment's WORLD_SIZE is {size()}, and {name} is not set: start with "
                "`accelerate launch` or `torchrun`, which set both, or unset WORLD_SIZE"
            )


@lru_cache(maxsize=1)
def _state():
    from accelerate import PartialState

    check()
    return PartialState()


def device() -> torch.device | None:
    """The device that the launcher gave this process; None without one."""
    return _state().device if size() > 1 else None


def total(tensor: torch.Tensor) -> torch.Tensor:
    """The sum over all processes, in place."""
    if size() > 1:
        _state()
        torch.distributed.all_reduce(tensor)
    return tensor


def wait() -> None:
    """Until all processes are here."""
    if size() > 1:
        _state()
        torch.distributed.barrier()


def share(tensor: torch.Tensor) -> torch.Tensor:
    """The first process's values, in place."""
    if size() > 1:
        _state()
        torch.distributed.broadcast(tensor, 0)
    return tensor


def texts(own: str) -> list[str]:
    """The text of every process. As numbers, so that nothing has to be unpickled."""
    if size() == 1:
        return [own]
    coded = torch.tensor(list(own.encode()), dtype=torch.int32)
    lengths = torch.zeros(size(), dtype=torch.int32)
    lengths[rank()] = len(coded)
    lengths = total(lengths.to(device())).tolist()
    table = torch.zeros(size(), max(1, *lengths), dtype=torch.int32)
    table[rank(), : len(coded)] = coded
    return [
        bytes(row[:length]).decode()
        for row, length in zip(total(table.to(device())).tolist(), lengths, strict=True)
    ]
