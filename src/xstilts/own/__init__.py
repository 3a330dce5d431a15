"""A person's own target: rows as people keep them, read, checked and put where the study finds
them.

    added = own.add("reviews.csv")       # writes targets/reviews; added.notes say what was done

A target is a folder of rows as `data.local` reads them, and a small file that says what it is
(`tasks.own`). No chapter of the study reads it, so that none of the study's keys changes."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from xstilts.errors import UserError, shown
from xstilts.own import columns as recognise
from xstilts.own import folder, labels, languages, splits, tables
from xstilts.own.rows import Item, Reader
from xstilts.own.tables import Table
from xstilts.tasks import own as described
from xstilts.tasks.table import TASKS

LEAST_ENGLISH = 60  # labelled rows: with fewer, the language with the most trains


@dataclass(frozen=True)
class Added:
    """A target that was read in."""

    name: str
    kind: str
    trained_in: str
    notes: tuple[str, ...]  # what was taken for what, put right or left out
    rows: dict[tuple[str, str], int]  # (language, split) -> rows

    def words(self) -> str:
        """A few lines for people."""
        counts: dict[str, list[str]] = {}
        for (language, split), count in sorted(self.rows.items()):
            counts.setdefault(language, []).append(f"{split} {count}")
        lines = [f"{self.name}: {KINDS[self.kind]}, trained in {self.trained_in!r}"]
        lines += [f"  {language}: {', '.join(parts)}" for language, parts in counts.items()]
        return "\n".join(lines + [f"  note: {note}" for note in self.notes])


KINDS = {
    "classify": "classification of a text or of two",
    "tag": "a tag for each word",
    "span": "answers in a passage",
    "choice": "multiple choice",
    "retrieve": "retrieval of translations",
}


def add(
    given: str,
    name: str = "",
    kind: str = "",
    columns: Sequence[str] = (),
    language: str = "",
    licence: str = "",
) -> Added:
    """Reads rows in as an own target, and replaces one of that name.

    given: a file, a folder, a Hub data set. name: "" takes the file's. kind: "" is recognised by
    the columns; columns: "text=review" names one. language: of rows for which no column says it.
    UserError says what is wrong with the rows, where, and what to do."""
    name, notes = name or _name(given), list[str]()
    check_name(name)
    found = tables.read(given, notes)
    kind, items = _items(found, kind, recognise.named(columns), language, notes)
    names = labels.settled(kind, items, notes)
    items = splits.once(items, notes)
    labelled = [item for item in items if item.labelled]
    trained_in = "en" if kind == "retrieve" else _trained_in(labelled)
    if kind == "retrieve":
        labelled = splits.scored(labelled, notes)
    else:
        labelled = splits.split(labelled, trained_in, notes)
    unlabelled = [item for item in items if not item.labelled]
    kept = [*labelled, *unlabelled]
    for code in sorted({item.language for item in kept}):
        texts = [item.texts()[0] for item in kept if item.language == code]
        if doubt := languages.doubt(code, texts):
            notes.append(doubt)
    what = folder.Target(name, kind, names, trained_in, licence or "not stated")
    folder.write(what, labelled, unlabelled)
    counts = Counter((item.language, item.split) for item in labelled)
    counts.update((item.language, folder.UNLABELLED) for item in unlabelled)
    return Added(name, kind, trained_in, tuple(notes), dict(counts))


def check_name(name: str) -> None:
    """UserError for a name that a target cannot have."""
    if not described.NAME.fullmatch(name):
        raise UserError(
            f"name {shown(name)}: a target's name has small letters, digits, - and _, and begins "
            "with a letter (--name)"
        )
    if name in TASKS and not TASKS[name].own or name in ("translated", "text"):
        raise UserError(f"name {name!r} is a task of the study; give another one (--name)")


def _name(given: str) -> str:
    """A name from that of the file; a task of the study gets "my-" before it."""
    plain = unicodedata.normalize("NFKD", Path(given).expanduser().stem.lower())
    plain = re.sub("[^a-z0-9]+", "-", plain.encode("ascii", "ignore").decode()).strip("-")[:36]
    if not plain or not plain[0].isalpha() or plain in TASKS and not TASKS[plain].own:
        plain = f"my-{plain}".strip("-")
    return plain


def _items(
    found: Sequence[Table], kind: str, given: dict[str, str], language: str, notes: list[str]
) -> tuple[str, list[Item]]:
    """All rows as items of one kind, with their language and split as far as they are said."""
    said: str = languages.asked(language) if language else ""
    by_size = sorted(found, key=lambda table: -len(table.rows[0]))
    kind, _ = _recognised(by_size, kind, given)
    items, counts, unsaid = [], Counter[str](), 0
    for table in found:
        there = list(dict.fromkeys(name for row in table.rows[:50] for name in row))
        _, columns = recognise.recognised(there, given, kind, table.where, unlabelled=True)
        reader = Reader(kind, columns, counts)
        of_file = said or languages.of_names(table.names)
        split_of_file = next(filter(None, map(splits.named, _words(table.names))), "")
        for number, row in enumerate(table.rows, 1):
            where = f"{table.where}: row {number}"
            item = reader.item(row, where)
            if item is None:
                continue
            item.language = _language(row, columns, where) or of_file
            unsaid += not item.language
            item.language = item.language or "en"
            column = columns.get("split")
            item.split = splits.named(row.get(column[0])) if column else split_of_file
            items.append(item)
    if unsaid:
        notes.append(
            "no column and no file's name says a language: the rows were taken as English "
            "(--language says another one)"
        )
    notes += [
        f"{count} {what} were left out" if "answers that" not in what else f"{count} {what}"
        for what, count in counts.items()
    ]
    if not items:
        raise UserError(f"{found[0].where}: no row can be used")
    return kind, items


def _recognised(
    found: Sequence[Table], kind: str, given: dict[str, str]
) -> tuple[str, dict[str, list[str]]]:
    """Of the first table that has all columns; else the first one's error."""
    first: UserError | None = None
    for table in found:
        try:
            return recognise.recognised(list(table.rows[0]), given, kind, table.where)
        except UserError as error:
            first = first or error
    assert first
    raise first


def _words(names: Sequence[str]) -> list[str]:
    return [part for name in reversed(names) for part in (name, *re.split(r"[._\-\s]+", name))]


def _language(row: dict, columns: dict[str, list[str]], where: str) -> str:
    if "language" not in columns or not (value := row.get(columns["language"][0])):
        return ""
    if not (found := languages.code(value)):
        raise UserError(
            f"{where}, column {columns['language'][0]}: {shown(value)} is no language; write a "
            "code such as en or de"
        )
    return found


def _trained_in(labelled: Sequence[Item]) -> str:
    """The language that trains: English where there is enough of it, else the one with the most
    rows."""
    counts = Counter(item.language for item in labelled)
    if counts["en"] >= LEAST_ENGLISH or not counts:
        return "en"
    return counts.most_common(1)[0][0]
