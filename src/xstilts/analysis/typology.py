"""How far the grammar of one language is from another's, as measured on tagged sentences of both.

    typology.distance("fi", "et", "mini") -> 0.7      # nats; 0 for equal distributions

Measured on the study's own rows, because it then exists for every language of the study and says
what it was measured on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import pandas as pd

from xstilts import data, settings
from xstilts.data import listed

ROWS = 500  # sentences a language
FILE = "rows_grammar.csv"  # of the list of real rows


def distance(of: str, other: str, source: str, rows: int = ROWS) -> float:
    """KLcpos3 of UDPOS's test sentences of one language from another's (see `divergence`). NaN
    where the data has none. Of the list of real rows: what was counted on them, from English."""
    if source == listed.NAME:
        counted = _counted(settings.project() / "book" / FILE)
        return counted.get(of, math.nan) if other == "en" else math.nan
    if not {of, other} <= set(data.languages("udpos", source, "test")):
        return math.nan
    return divergence(_tags(of, source, rows), _tags(other, source, rows))


def from_english(source: str) -> pd.DataFrame:
    """language, sentences, nats: how far each of UDPOS's languages is from English, for the list of
    real rows."""
    found = [
        (code, len(_tags(code, source, ROWS)), distance(code, "en", source))
        for code in data.languages("udpos", source, "test")
        if code != "en"
    ]
    return pd.DataFrame(found, columns=["language", "sentences", "nats"]).round(4)


@cache
def _counted(path: Path) -> dict[str, float]:
    return pd.read_csv(path, index_col="language").nats.to_dict()


@cache
def _tags(language: str, source: str, rows: int) -> list[list[str]]:
    return [row["tags"] for row in data.load("udpos", "test", language, source, rows)]


def divergence(of: Iterable[Sequence[str]], other: Iterable[Sequence[str]]) -> float:
    """KLcpos3 of Rosa and Žabokrtský (2015): the Kullback-Leibler divergence, in nats, of the
    trigrams of tags in `of` from those in `other`. The ends of a sentence are a tag; what `other`
    lacks counts there as seen once. It is not symmetric. NaN where one has no tags."""
    first, second = _trigrams(of), _trigrams(other)
    n, m = first.total(), second.total()
    if not n or not m:
        return math.nan
    return sum(
        count / n * math.log((count / n) / (max(second[trigram], 1) / m))
        for trigram, count in first.items()
    )


def _trigrams(sentences: Iterable[Sequence[str]]) -> Counter:
    ended = (("", *tags, "") for tags in sentences)
    return Counter(
        trigram for tags in ended for trigram in zip(tags, tags[1:], tags[2:], strict=False)
    )
