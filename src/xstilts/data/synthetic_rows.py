"""The embedded synthetic benchmark as a source: "mini", or with its dials
"mini:difficulty=3,noise=0.2,seed=1"."""

from __future__ import annotations

from collections.abc import Iterable

from xstilts import synthetic
from xstilts.data.rows import Block
from xstilts.synthetic import dials
from xstilts.tasks.task import Task

CAN_CHANGE, ENDLESS, AT_HAND = False, True, True


def check(source: str) -> None:
    """UserError for unknown dials."""
    dials.parse(source)


def title(source: str) -> str:
    """How pages and tables call the source."""
    turned = dials.name(dials.parse(source)).partition(":")[2].replace(",", ", ").replace("=", " ")
    return "embedded synthetic benchmark" + (f" ({turned})" if turned else "")


def _dials(row: Task, language: str, source: str) -> dials.Dials:
    return dials.of(dials.parse(source), row.name in synthetic.INTERMEDIATE, language)


def languages(row: Task, source: str) -> list[str]:
    if row.name not in synthetic.TASKS:
        return []
    english = "english" in row.module.SIDES  # the other side of every pair
    return [
        language for language in synthetic.languages(row.name) if not (english and language == "en")
    ]


def size(row: Task, split: str, language: str, source: str) -> int:
    return synthetic.size(row.name, language, split)


def has_split(row: Task, split: str, language: str, source: str) -> bool:
    return True


def split_found(row: Task, split: str, language: str, source: str) -> str:
    return split


def blocks(row: Task, split: str, language: str, source: str, limit: int) -> list[Block]:
    items = synthetic.rows(
        row.name,
        language,
        split,
        limit or synthetic.size(row.name, language, split),
        _dials(row, language, source),
    )
    return [Block(f"{source} {row.name} {split} {language}", row, row.read, None, items)]


def fingerprint(row: Task, split: str, language: str, source: str) -> str:
    """The stated version of the rows, and the dials that have a say in them."""
    return (
        f"{dials.name(_dials(row, language, source))} {synthetic.FINGERPRINT} {row.name} {split} "
        f"{language}"
    )


def texts_fingerprint(source: str) -> str:
    """The dials choose and order words; they add none."""
    return synthetic.FINGERPRINT[:16]


def texts(source: str) -> Iterable[str]:
    return synthetic.texts()
