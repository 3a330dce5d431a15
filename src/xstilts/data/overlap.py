"""Test rows that are among the training rows: counted, reported, never hidden.

    # (3, 5): exactly the same texts; the same but for case, marks and spaces
    Seen(training, "classify").overlap(rows)

A score on such rows is partly memory. Rows are compared by all their texts (premise and hypothesis,
question and context, the words of a sentence), without their labels."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from xstilts.tasks import kinds

Texts = tuple[str, ...]


@lru_cache(maxsize=1)
def _marks() -> dict[int, None]:
    """Punctuation, symbols, spaces and what is not seen; not the marks that are part of a
    letter."""
    return {
        code: None
        for code in range(sys.maxunicode + 1)
        if (category := unicodedata.category(chr(code)))[0] in "PZS" or category in ("Cc", "Cf")
    }


def normalised(texts: Texts) -> Texts:
    """The text without letter case, compatibility forms, punctuation and spaces: two copies of a
    text may differ in these."""
    return tuple(
        unicodedata.normalize("NFKC", text).casefold().translate(_marks()) for text in texts
    )


class Seen:
    """Training rows, to ask of other rows whether they are among them."""

    def __init__(self, rows: Iterable[dict], kind: str):
        self.texts = kinds.kind(kind).texts
        self.exact = {self.texts(row) for row in rows}
        self.normalised = {normalised(texts) for texts in self.exact}

    def overlap(self, rows: Iterable[dict]) -> tuple[int, int]:
        """How many of the rows are among them: exactly, and normalised (which counts the exact
        ones, too)."""
        asked = [self.texts(row) for row in rows]
        return sum(texts in self.exact for texts in asked), sum(
            normalised(texts) in self.normalised for texts in asked
        )
