"""What makes training faster on a CPU, beside the layers themselves (`packed.py`). Figures are in
the book's log."""

from __future__ import annotations

import ctypes
import sys

import torch

POOL = 1 << 22  # random numbers in a pool, 8 MB
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h
# instructions that multiply bf16: x86's, then ARM's
BF16 = (
    "avx512_bf16",
    "amx_bf16",
    "bf16",
    "sve_bf16",
)


def multiplies_bf16() -> bool:
    """Whether bf16 is native. oneDNN says it supports bf16 on every AVX-512 processor, also where
    it converts number by number and is five times slower than float32."""
    return any(torch.cpu.get_capabilities().get(name) for name in BF16)


def keep_memory() -> None:
    """Asks glibc to keep freed memory rather than to return it to the system: every large tensor
    would else be new pages, cleared by the kernel one fault at a time. On other systems nothing
    happens."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        for option, value in (
            (M_MMAP_THRESHOLD, 32 << 20),
            (M_TRIM_THRESHOLD, 1 << 30),
            (M_TOP_PAD, 64 << 20),
        ):
            library.mallopt(option, value)


def return_memory() -> None:
    """Gives the freed memory that `keep_memory` held on to back to the system. Between runs: else a
    worker process ends up with the pieces of all of its runs' tensors, three times what any of them
    needs."""
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "malloc_trim"):
        library.malloc_trim(0)


class Dropout:
    """Dropout whose masks are read from a pool of random numbers at a random place: drawing each
    number anew takes a fifth of a training step.

        drop = Dropout(seed); values = drop(values, 0.1)
    """

    def __init__(self, seed: int):
        self.generator = torch.Generator().manual_seed(seed)
        self.pools: dict[tuple[float, torch.dtype], torch.Tensor] = {}
        self.drawn_at: dict[
            tuple[float, torch.dtype], torch.Tensor
        ] = {}  # the generator's state before each pool

    def __call__(self, values: torch.Tensor, p: float) -> torch.Tensor:
        return values * self.mask(values.shape, p, values.dtype) if p else values

    def mask(self, shape: torch.Size, p: float, dtype: torch.dtype) -> torch.Tensor:
        """0 with probability p, else 1 / (1 - p), so that the mean is 1."""
        if (p, dtype) not in self.pools:
            self._draw(p, dtype)
        pool, size = self.pools[p, dtype], shape.numel()
        if size > POOL:
            pool = pool.repeat(-(-size // POOL))
        start = int(torch.randint(len(pool) - size + 1, (), generator=self.generator))
        return pool[start : start + size].view(shape)

    def _draw(self, p: float, dtype: torch.dtype) -> None:
        # the scale is rounded to the type, so the share is, too: the mean stays 1
        scale = float(torch.tensor(1 / (1 - p), dtype=dtype))
        self.drawn_at[p, dtype] = self.generator.get_state()
        self.pools[p, dtype] = (
            torch.empty(POOL).bernoulli_(1 / scale, generator=self.generator).to(dtype) * scale
        )

    def state(self) -> dict:
        """JSON-ready: what the masks to come depend on."""
        return {
            "generator": as_text(self.generator.get_state()),
            "pools": [
                [p, str(dtype).removeprefix("torch."), as_text(state)]
                for (p, dtype), state in self.drawn_at.items()
            ],
        }

    def restore(self, state: dict) -> None:
        for p, dtype, drawn_at in state["pools"]:
            self.generator.set_state(as_state(drawn_at))
            self._draw(p, getattr(torch, dtype))
        self.generator.set_state(as_state(state["generator"]))


def as_text(state: torch.Tensor) -> str:
    """A generator's state in hex digits."""
    return state.numpy().tobytes().hex()


def as_state(text: str) -> torch.Tensor:
    return torch.frombuffer(bytearray.fromhex(text), dtype=torch.uint8)
