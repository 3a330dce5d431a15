"""The examples of a score, as a record keeps them: packed numbers, and the score of these."""

from __future__ import annotations

import json
import math
import re
from typing import TypeAlias

import numpy as np

MOST = 1_000_000  # examples a language: twice the longest list of BUCC
NEAR = 1e-9  # points: sums in another order
NUMBER = (int, float)
Packed: TypeAlias = float | str | np.ndarray


def shown(value: object) -> str:
    """What a file says, short, for a message."""
    return text if len(text := repr(value)) <= 60 else f"{text[:60]}…"


def pack(values: np.ndarray) -> float | str:
    """One number for all, hex digits for noughts and ones, else numbers with spaces between: small,
    and to the last digit."""
    values = np.asarray(values, float)
    if len(set(values)) == 1:
        return _plain(values[0])
    if set(values) == {0.0, 1.0}:
        return format(int("".join(str(int(value)) for value in values), 2), "x")
    return " ".join(str(_plain(value)) for value in values)


def unpack(packed: Packed, n: int) -> np.ndarray:
    """[n], n at most MOST; what is unpacked stays. ValueError where these are not n numbers."""
    if isinstance(packed, np.ndarray):
        return packed
    if not 0 < n <= MOST:
        raise ValueError(f"n is {shown(n)}")
    if not isinstance(packed, str):
        if type(packed) not in NUMBER or not math.isfinite(packed):
            raise ValueError(f"examples are {shown(packed)}")
        return np.full(n, float(packed))
    if " " in packed:
        return _numbers(packed, n)
    whole = _bits(packed, n).to_bytes((n + 7) // 8, "big")
    return np.unpackbits(np.frombuffer(whole, np.uint8))[-n:].astype(float)


def _numbers(packed: str, n: int) -> np.ndarray:
    """JSON's reader takes half the time of `split` and `float`."""
    if re.search("[^0-9.e -]", packed):
        raise ValueError(f"examples are {shown(packed)}")
    values = np.array(json.loads(f"[{packed.replace(' ', ',')}]"), float)
    need(len(values) == n, f"{len(values)} examples are kept of {n}")
    return values


def _bits(packed: str, n: int) -> int:
    if not re.fullmatch("[1-9a-f][0-9a-f]*", packed):
        raise ValueError(f"examples are {shown(packed)}")
    found = int(packed, 16)
    if found.bit_length() > n:
        raise ValueError(f"more examples are kept than {n}")
    return found


def _plain(value: float) -> float:
    return int(value) if float(value).is_integer() else float(value)


def need(holds: object, otherwise: str) -> None:
    if not holds:  # where an f-string costs, this is written out
        raise ValueError(otherwise)


def paragraphs(packed: float | str, n: int) -> np.ndarray:
    """Numbers of paragraphs, which count up as they appear."""
    found = unpack(packed, n)
    highest = np.maximum.accumulate(found)
    if not (
        found[0] == 0
        and (found >= 0).all()
        and (found % 1 == 0).all()
        and (np.diff(highest) <= 1).all()
    ):
        raise ValueError("the numbers of their paragraphs do not count up")
    return found


def packed_score(above: Packed, below: Packed, n: int) -> tuple[Packed, Packed, float | None]:
    """Numerators, denominators, their score. Noughts and ones, which most are, stay packed."""
    if isinstance(above, str) and " " not in above and type(below) is int and below == 1:
        return above, below, 100 * _bits(above, n).bit_count() / n
    above, below = unpack(above, n), unpack(below, n)
    if not (above.min() >= 0 and below.max() <= 1e9 and (above <= below).all()):
        raise ValueError("a numerator is not between 0 and its denominator")
    total = float(below.sum())
    return above, below, 100 * float(above.sum()) / total if total else None
