"""Exact nearest neighbours between two sets of vectors, both ways in one pass, in bounded memory.

    forward, backward = neighbours(x, y, 4)     # (cosines, rows) of x's nearest in y, and of y's in x

The matrix of cosines is made tile by tile and never held: a million sentences against a million need memory for the
vectors, their few best, and one tile.
"""
from __future__ import annotations

import torch

ROWS, COLUMNS = 2048, 8192   # of a tile: 64 MB in float32

Nearest = tuple[torch.Tensor, torch.Tensor]   # cosines [n, k], best first, and their rows [n, k]


def neighbours(x: torch.Tensor, y: torch.Tensor, k: int, rows: int = ROWS, columns: int = COLUMNS) -> tuple[Nearest, Nearest]:
    """x: [n, size], y: [m, size], float32, of length 1. On a GPU where there is one; results are on the CPU."""
    where = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    forward, backward = _none(len(x), min(k, len(y))), _none(len(y), min(k, len(x)))
    for top in range(0, len(x), rows):
        part = x[top:top + rows].to(where)
        best = _none(len(part), forward[0].shape[1], where)
        for left in range(0, len(y), columns):
            tile = part @ y[left:left + columns].to(where).T
            best = _merged(best, tile, left)
            across = slice(left, left + columns)
            for kept, new in zip(backward, _merged(tuple(item[across].to(where) for item in backward), tile.T.contiguous(), top),
                                 strict=True):
                kept[across] = new.cpu()
        for kept, new in zip(forward, best, strict=True):
            kept[top:top + rows] = new.cpu()
    return forward, backward


def _none(count: int, k: int, where: torch.device | str = "cpu") -> Nearest:
    return torch.full((count, k), -torch.inf, device=where), torch.zeros((count, k), dtype=torch.long, device=where)


def _merged(best: Nearest, tile: torch.Tensor, offset: int) -> Nearest:
    """The best so far, and those of a tile whose first column is `offset`."""
    # a tile rarely has a better one: the cheap look at its maxima spares most of the sorting
    better = (tile.amax(1) > best[0][:, -1]).nonzero().squeeze(1)
    if len(better):
        values, found = tile[better].topk(min(best[0].shape[1], tile.shape[1]))
        values, order = torch.cat([best[0][better], values], 1).sort(dim=1, descending=True, stable=True)
        found = torch.cat([best[1][better], found + offset], 1).gather(1, order)
        k = best[0].shape[1]
        best[0][better], best[1][better] = values[:, :k], found[:, :k]
    return best
