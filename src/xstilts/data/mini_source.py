"""The embedded synthetic benchmark as a source: it has every task in every one of its languages."""
from __future__ import annotations

from ..tasks import Task
from . import mini
from .rows import Block


def languages(row: Task, source: str) -> list[str]:
    if row.name not in mini.TASKS:
        return []
    english = row.kind in ("retrieve", "mine")   # the other side of every pair is English
    return [language for language in mini.LANGUAGES if not (english and language == "en")]


def split_found(row: Task, split: str, language: str, source: str) -> str:
    return split


def blocks(row: Task, split: str, language: str, source: str, limit: int) -> list[Block]:
    items = mini.rows(row.name, language, split, limit or mini.SIZES[split])
    return [Block(f"mini {row.name} {split} {language}", row, row.read, None, items)]


def fingerprint(row: Task, split: str, language: str, source: str) -> str:
    return f"mini {mini.fingerprint()} {row.name} {split} {language}"


def texts_fingerprint(source: str) -> str:
    return mini.fingerprint()[:16]


def texts(source: str):
    return mini.texts()
