"""Exact nearest neighbours between two sets of vectors, both ways in one pass, in bounded memory.

    # (cosines, rows) of x's nearest in y, and of y's in x
    forward, backward = neighbours(x, y, 4)

The matrix of cosines is made tile by tile and never held: a million sentences against a million
need memory for the vectors, their few best, and one tile."""

from __future__ import annotations

import torch

# rows, columns: 8 MB in float32 stay in a processor's cache, 64 feed a GPU
TILE = {
    "cpu": (1024, 2048),
    "cuda": (2048, 8192),
}

Nearest = tuple[torch.Tensor, torch.Tensor]  # cosines [n, k], best first, and their rows [n, k]


def neighbours(
    x: torch.Tensor, y: torch.Tensor, k: int, tile: tuple[int, int] | None = None
) -> tuple[Nearest, Nearest]:
    """x: [n, size], y: [m, size], float32, of length 1. On a GPU where there is one; results are on
    the CPU."""
    where = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows, columns = tile or TILE[where.type]
    forward, backward = _none(len(x), min(k, len(y)), where), _none(len(y), min(k, len(x)), where)
    for top in range(0, len(x), rows):
        part = x[top : top + rows].to(where)
        for left in range(0, len(y), columns):
            cosines = part @ y[left : left + columns].to(where).T
            _merge(tuple(item[top : top + rows] for item in forward), cosines, left)
            _merge(tuple(item[left : left + columns] for item in backward), cosines.T, top)
    return tuple(item.cpu() for item in forward), tuple(item.cpu() for item in backward)


def _none(count: int, k: int, where: torch.device) -> Nearest:
    return torch.full((count, k), -torch.inf, device=where), torch.zeros(
        (count, k), dtype=torch.long, device=where
    )


def _merge(best: Nearest, cosines: torch.Tensor, offset: int) -> None:
    """Takes into `best`, in place, those of a tile whose first column is `offset`."""
    k = best[0].shape[1]
    # a tile rarely has a better one: the cheap look at its maxima spares most of the sorting
    better = (cosines.amax(1) > best[0][:, -1]).nonzero().squeeze(1)
    if len(better):
        values, found = cosines[better].topk(min(k, cosines.shape[1]))
        values, order = torch.cat([best[0][better], values], 1).sort(
            dim=1, descending=True, stable=True
        )
        found = torch.cat([best[1][better], found + offset], 1).gather(1, order)
        best[0][better], best[1][better] = values[:, :k], found[:, :k]
