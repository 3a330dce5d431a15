"""A source by its name: the module that has its rows, and what differs between sources.

Each such module (`hub`, `local`, `listed`, `synthetic_rows`) has languages, has_split, size,
blocks, split_found, fingerprint, texts, texts_fingerprint, check (UserError for a source that is
none), title, and

    CAN_CHANGE      whether its rows can be others at another time or place
    ENDLESS         whether it makes as many rows as are asked for
    AT_HAND         whether rows can be read here, without a network"""

from __future__ import annotations

from types import ModuleType

from xstilts.synthetic import dials


def module(source: str) -> ModuleType:
    from xstilts.data import hub, listed, local, synthetic_rows

    if dials.is_mini(source):
        return synthetic_rows
    return {"hub": hub, listed.NAME: listed}.get(source, local)


def is_folder(source: str) -> bool:
    """Whether the source is a folder of rows."""
    from xstilts.data import local

    return module(source) is local


def can_change(source: str) -> bool:
    """Whether rows of that name can be others at another time or place. Those of the embedded
    benchmark are this code's: they are the same everywhere."""
    return module(source).CAN_CHANGE


def endless(source: str) -> bool:
    """Whether the source makes as many rows as are asked for."""
    return module(source).ENDLESS


def at_hand(source: str) -> bool:
    """Whether the source's rows can be read here, without a network."""
    return module(source).AT_HAND


def has_dials(source: str) -> bool:
    """Whether difficulty, noise and another draw of the rows can be chosen."""
    return dials.is_mini(source)


def rows_are(source: str) -> str:
    """What pages call rows of the source."""
    return "synthetic rows" if has_dials(source) else "real rows"
