"""The file of repeats: what recorded runs came to when another processor computed them again.

    lines()      # of book/recorded/again.jsonl, each checked

A line that cannot be true is refused: its differences make its means. Newer lines have a checksum,
too."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from xstilts.errors import UserError, visible
from xstilts.runs import credible, records
from xstilts.tasks.table import TASKS

AGAIN = "again.jsonl"
LARGEST = "largest difference of a language"
FIELDS = {
    "key": str,
    "run": str,
    "trained": bool,
    **dict.fromkeys(("recorded", "again", LARGEST), credible.NUMBER),
    "differences": dict,
    "from": str,
    "to": str,
    "when": str,
}
NEAR = 5.1e-5  # points: differences have four decimals


def place() -> Path:
    return records.folder() / AGAIN


def lines() -> tuple[dict, ...]:
    """Each repeat as it was noted; none where there is no file. UserError names a line that cannot
    be true."""
    path = place()
    return _read(path, path.stat().st_mtime_ns) if path.is_file() else ()


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> tuple[dict, ...]:
    lines: list[dict] = []
    try:
        if path.stat().st_size > records.LARGEST:
            raise ValueError(f"it has more than {records.LARGEST >> 20} MB")
        for text in path.read_text(encoding="utf-8").split("\n"):
            lines += [_checked(credible.parsed(text))] if text else []
        if len({(line["key"], line["when"]) for line in lines}) < len(lines):
            raise ValueError("the line of a run is there twice")
    except (ValueError, OSError) as error:
        raise UserError(
            visible(
                f"{path}, line {len(lines) + 1}: {error}; take the file from the repository "
                "again, or delete "
                "the line"
            )
        ) from error
    return tuple(lines)


def _checked(line: dict) -> dict:
    """The line, as it may be printed. ValueError says what of it cannot be true."""
    credible.fields(line, FIELDS, {credible.SEAL: str, "history": str})
    credible.check_seal(line)
    credible.when(line["when"])
    found, moved = re.search(r" > (\w+) \(seed \d+\)$", line["run"]), line["differences"]
    if not re.fullmatch("[0-9a-f]{20}", line["key"]) or not found or found[1] not in TASKS:
        raise ValueError(
            f"it is of no run: {credible.shown(line['run'])}, {credible.shown(line['key'])}"
        )
    if line["trained"] == TASKS[found[1]].untrained:
        raise ValueError(f"{found[1]} is {'not ' * line['trained']}trained")
    if not moved or not all(type(value) in credible.NUMBER for value in moved.values()):
        raise ValueError(f"its differences are {credible.shown(moved)}")
    means, largest = line["again"] - line["recorded"], max(map(abs, moved.values()))
    if not (
        0 <= line["recorded"] <= 100
        and 0 <= line["again"] <= 100
        and largest <= line[LARGEST] + NEAR <= 100 + 2 * NEAR
    ):
        raise ValueError("scores are 0-100, and its largest difference is no smaller than another")
    if (
        abs(sum(moved.values()) / len(moved) - means) > NEAR
        or line["trained"]
        and abs(line[LARGEST] - largest) > NEAR
    ):
        raise ValueError("its differences are not those of its means")
    return line | {name: visible(line[name]) for name in ("run", "from", "to")}
