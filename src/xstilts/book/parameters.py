"""The table of all parameters, for the page on reruns: made from the fields of `Study`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from xstilts.study.profiles import PROFILES, Study

PLACE = Path("book/chapters/parameters.md")  # in the project; the page on reruns includes it


def table() -> str:
    """Markdown: a row a parameter, with what it means and what the profiles have."""
    rows = [["parameter", "meaning", *PROFILES], ["---"] * (2 + len(PROFILES))]
    for field in dataclasses.fields(Study):
        values = (getattr(profile, field.name) for profile in PROFILES.values())
        rows.append([f"`{field.name}`", field.metadata["says"], *map(_worded, values)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _worded(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "[]"
    return str(value)
