"""What was read in, as a folder that the study reads: rows in the local layout, and target.toml."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts import settings
from xstilts.data.local.unlabelled import UNLABELLED as UNLABELLED
from xstilts.errors import UserError, visible
from xstilts.own.rows import Item
from xstilts.tasks.own import FILE

TEXT, TEXTS = pa.string(), pa.list_(pa.string())
SCHEMAS = {
    "classify": {"texts": TEXTS, "label": TEXT},
    "tag": {"tokens": TEXTS, "tags": TEXTS},
    "choice": {"context": TEXT, "choices": TEXTS, "label": pa.int64()},
    "span": {
        "id": TEXT,
        "question": TEXT,
        "context": TEXT,
        "answers": TEXTS,
        "starts": pa.list_(pa.int64()),
    },
    "retrieve": {"source_sentence": TEXT, "target_sentence": TEXT},
}
RENAMED = {"tokens": "words", "source_sentence": "source", "target_sentence": "english"}
METRICS = {
    "classify": ("accuracy",),
    "choice": ("accuracy",),
    "span": ("F1", "exact match"),
    "retrieve": ("accuracy", "accuracy, centred"),
}


@dataclass(frozen=True)
class Target:
    """What is said of a target. labels: () where the kind has none of its own."""

    name: str
    kind: str
    labels: tuple[str, ...]
    trained_in: str
    licence: str


def write(target: Target, labelled: Sequence[Item], unlabelled: Sequence[Item]) -> Path:
    """Puts the target into its folder, all or none; one of that name is replaced. UserError where
    it cannot be written."""
    root = settings.targets()
    place, unfinished = root / target.name, root / f".{target.name}-{os.getpid()}"
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        for item in labelled:
            (unfinished / item.language).mkdir(parents=True, exist_ok=True)
        for (language, split), items in sorted(_parts(labelled).items()):
            _rows(target, items, unfinished / language / f"{split}.parquet")
        for (language, _), items in sorted(_parts(unlabelled).items()):
            (unfinished / language).mkdir(parents=True, exist_ok=True)
            some = [_with_placeholder(target, item) for item in items]
            _rows(target, some, unfinished / language / f"{UNLABELLED}.parquet")
        (unfinished / FILE).write_text(_said(target, labelled), encoding="utf-8")
        if place.is_dir():
            shutil.rmtree(place)
        os.rename(unfinished, place)
    except OSError as error:
        raise UserError(
            f"the target cannot be written to {visible(str(place))} ({error.strerror}); set "
            "XSTILTS_TARGETS to a folder of your own"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return place


def _parts(items: Sequence[Item]) -> dict[tuple[str, str], list[Item]]:
    found: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        split = item.split if item.labelled else ""
        found.setdefault((item.language, split), []).append(item)
    return found


def _rows(target: Target, items: Sequence[Item], path: Path) -> None:
    schema = SCHEMAS[target.kind]
    columns = {
        name: pa.array([item.row[RENAMED.get(name, name)] for item in items], kind)
        for name, kind in schema.items()
    }
    pq.write_table(pa.table(columns), path)


def _with_placeholder(target: Target, item: Item) -> Item:
    """An unlabelled row with some label in the place of its own: it is encoded like any other, and
    its label is never looked at."""
    first = (*target.labels, "")[0]
    row = dict(item.row)
    if "words" in row:
        row["tags"] = [first] * len(row["words"])
    if "label" in row:
        row["label"] = 0 if "choices" in row else first
    return Item(row, False, item.language)


def _said(target: Target, labelled: Sequence[Item]) -> str:
    """The file's text. JSON's texts and lists of texts are TOML's, too."""
    unanswered = any(item.row.get("answers") == [] for item in labelled)
    entities = any(label.startswith(("B-", "I-")) for label in target.labels)
    tagged = ("F1", "accuracy") if entities else ("accuracy", "F1")
    said = {
        "title": target.name,
        "kind": target.kind,
        "labels": list(target.labels),
        "metrics": list(METRICS.get(target.kind, tagged)),
        "licence": target.licence,
        "trained_in": target.trained_in,
        "answers": "squad2" if unanswered else "squad",
    }
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in said.items()]
    return "\n".join(lines).replace("\x7f", "\\u007f") + "\n"
