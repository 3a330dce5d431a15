"""Several processes that do one run together, each with its share of every batch and a GPU of its
own.

    accelerate launch --num_processes 4 --module xstilts.cli compute single_task -p profile paper

All processes walk the same graph in step. A batch is split between them and gradients are summed,
so that the same recipe with the same global batch is the same training. Where rows are each other's
negatives (kind `rank`) a share is another batch: `train` refuses it. The first process alone
writes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from xstilts import settings

# what takes seconds to import is imported where several processes use it
if TYPE_CHECKING:
    import torch

# how many processes there are, the number of this one, and a check of what a launcher says of them
size = settings.processes
rank = settings.process_number
check = settings.check_launcher


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
        import torch

        _state()
        torch.distributed.all_reduce(tensor)
    return tensor


def wait() -> None:
    """Until all processes are here."""
    if size() > 1:
        import torch

        _state()
        torch.distributed.barrier()


def share(tensor: torch.Tensor) -> torch.Tensor:
    """The first process's values, in place."""
    if size() > 1:
        import torch

        _state()
        torch.distributed.broadcast(tensor, 0)
    return tensor


def texts(own: str) -> list[str]:
    """The text of every process. As numbers, so that nothing has to be unpickled."""
    if size() == 1:
        return [own]
    import torch

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
