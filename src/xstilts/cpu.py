"""What makes training faster on a CPU, beside the layers themselves (`packed.py`). Figures are in the book's log."""
from __future__ import annotations

import ctypes
import sys

import torch

POOL = 1 << 22   # random numbers in a pool, 8 MB
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3   # malloc.h


def keep_memory() -> None:
    """Asks glibc to keep freed memory rather than to return it to the system: every large tensor would else be new
    pages, cleared by the kernel one fault at a time. On other systems nothing happens."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        for option, value in ((M_MMAP_THRESHOLD, 32 << 20), (M_TRIM_THRESHOLD, 1 << 30), (M_TOP_PAD, 64 << 20)):
            library.mallopt(option, value)


class Dropout:
    """Dropout whose masks are read from a pool of random numbers at a random place: drawing each number anew takes a
    fifth of a training step.

        drop = Dropout(seed); values = drop(values, 0.1)
    """

    def __init__(self, seed: int):
        self.generator = torch.Generator().manual_seed(seed)
        self.pools: dict[tuple[float, torch.dtype], torch.Tensor] = {}

    def __call__(self, values: torch.Tensor, p: float) -> torch.Tensor:
        return values * self.mask(values.shape, p, values.dtype) if p else values

    def mask(self, shape: torch.Size, p: float, dtype: torch.dtype) -> torch.Tensor:
        """0 with probability p, else 1 / (1 - p), so that the mean is 1."""
        if (p, dtype) not in self.pools:
            # the scale is rounded to the type, so the share is, too: the mean stays 1
            scale = float(torch.tensor(1 / (1 - p), dtype=dtype))
            self.pools[p, dtype] = torch.empty(POOL).bernoulli_(1 / scale, generator=self.generator).to(dtype) * scale
        pool, size = self.pools[p, dtype], shape.numel()
        if size > POOL:
            pool = pool.repeat(-(-size // POOL))
        start = int(torch.randint(len(pool) - size + 1, (), generator=self.generator))
        return pool[start:start + size].view(shape)
