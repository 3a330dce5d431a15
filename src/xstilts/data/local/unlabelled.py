"""Rows of a person's own target without labels: they are predicted, and not scored."""

from __future__ import annotations

from xstilts import settings
from xstilts.data import parquet
from xstilts.data.labels import with_label_ids
from xstilts.data.layout import places
from xstilts.tasks.task import Task

UNLABELLED = "unlabelled"  # the file's name, as that of a split


def languages(row: Task) -> tuple[str, ...]:
    """The languages that have such rows, sorted; none of a task of the study."""
    if not row.own:
        return ()
    folder = settings.targets() / row.name
    return tuple(
        name
        for name in parquet.folders(folder)
        if any(path.stem == UNLABELLED for path in parquet.files(folder / name))
    )


def fingerprint(row: Task) -> str:
    """What the rows are; "" where there are none."""
    folder = settings.targets() / row.name
    parts = [
        f"{name} {parquet.digest(folder / name / f'{UNLABELLED}.parquet')}"
        for name in languages(row)
    ]
    return " ".join(parts)


def rows(row: Task, language: str, limit: int) -> list[dict]:
    """The first `limit` rows (0: all), with a placeholder for the label."""
    if language not in languages(row):
        return []
    path = settings.targets() / row.name / language / f"{UNLABELLED}.parquet"
    items = parquet.items(parquet.read(path), path)[: limit or None]
    read = places(row, str(settings.targets()))[0].source.read or row.read
    found = [read(with_label_ids(item, row, None, str(path))) for item in items]
    if row.module.LANGUAGE:
        found = [{**item, "language": language} for item in found]
    return found
