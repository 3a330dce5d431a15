"""The rows of the study on real rows beside those of the Hugging Face Hub.

    xstilts fetch ~/rows --public --only xnli --compare     # a line a file

The copies say of themselves which official rows they have. Who has the Hub can check that: each row
of a file, with all its texts, is looked for in the split of the Hub that should have it."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from pathlib import Path

import pandas as pd

from xstilts.data import hub, layout, parquet
from xstilts.data.labels import label_names
from xstilts.public_rows import counts
from xstilts.public_rows.sources import Table, data_sets
from xstilts.tasks.table import TASKS
from xstilts.tasks.task import Source
from xstilts.tools import fetch
from xstilts.tools.fetch.public import chosen

COLUMNS = ["file", "rows", "on the Hub", "with this label", "where", "rows there"]


def compare(folder: Path, only: str = "") -> pd.DataFrame:
    """Of each file that the folder has and the Hub should have: how many of its rows the Hub has,
    how many of these with the same label, and where it was looked. UserError at the end, if some
    could not be had."""
    found: list[list] = []
    lost: dict[str, list[str]] = {}
    for table in chosen(only):
        split = data_sets()[table.data_set].get("hub_splits", {}).get(table.path.split("/")[2])
        if not split or not (folder / table.name).exists():
            continue
        for source, language in _sources(folder, table):
            row = fetch.tried(
                partial(_compared, folder, table, source, language, split), table.name, lost
            )
            if row:
                print(f"{row[0]}: {row[2]} of {row[1]} rows are on the Hub", flush=True)
                found.append(row)
    fetch.tell(lost)
    return pd.DataFrame(found, columns=COLUMNS)


def _sources(folder: Path, table: Table) -> list[tuple[Source, str]]:
    """The Hub's data set, and our language, that the table's folder stands for."""
    place, language = table.path.rpartition("/")[0], counts.language(table)
    return [
        (source, language)
        for row in TASKS.values()
        for source, laid in zip(row.sources, layout.places(row, str(folder)), strict=False)
        if source.hub
        and language in source.languages
        and source.local.format(language=language, name=laid.source.name(language)) == place
    ][:1]


def _compared(folder: Path, table: Table, source: Source, language: str, split: str) -> list:
    path = folder / table.name
    ours = parquet.items(parquet.read(path), path)
    data = hub.table(source, split, language)
    theirs = [item for item in data.to_list() if not source.keep or source.keep(item, language)]
    texts = sorted(counts.TEXTS & {*table.columns} & {*data.features})
    label = next((name for name in counts.LABELS if name in table.columns), "")
    names = counts.names_of(table.columns.get(label, ""))
    known = defaultdict(list)
    for item in theirs:
        said = _named(item.get(label), label_names(data.features, label))
        known[_key(item, texts)].append(said)
    there = [(item, known[_key(item, texts)]) for item in ours if _key(item, texts) in known]
    same = sum(_named(item.get(label), names) in labels for item, labels in there)
    where = f"{source.hub} {hub.configuration(source, language)} {split}"
    return [table.path, len(ours), len(there), same, where, len(theirs)]


def _key(item: dict, columns: list[str]) -> tuple:
    return tuple(tuple(counts.strings(item[name])) for name in columns)


def _named(value: object, names: list[str] | tuple[str, ...] | None) -> object:
    """A label, or a list of them, by name: ids differ from place to place."""
    if isinstance(value, list):
        return [_named(one, names) for one in value]
    return names[value] if names and isinstance(value, int) and value >= 0 else str(value)
