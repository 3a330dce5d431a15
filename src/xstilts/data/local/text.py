"""Monolingual text of a local folder that has none: the words of its tagged sentences."""

from __future__ import annotations

from pathlib import Path

from xstilts.data import parquet
from xstilts.data.layout import Part, Place
from xstilts.data.local.found import places_with, split_files
from xstilts.errors import UserError
from xstilts.tasks.table import TASKS

TEXT_FROM = ("udpos", "panx")
UNSPACED = ("zh", "ja", "th")


def column(path: Path, name: str, columns: dict[str, str], what: str) -> list:
    """One column of a file, by our name of it. UserError where it is lacking, or has something else
    than `what` says."""
    table = parquet.renamed(parquet.read(path, [name, *columns]), columns, path)
    if name not in table.column_names:
        raise UserError(f"{path}: has no column {name!r}")
    found = [item[name] for item in parquet.items(table.select([name]), path)]
    for number, value in enumerate(found):
        texts = value if what == "a list of words" else [value]
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise UserError(f"{path}: row {number}, column {name}: {value!r} is not {what}")
    return found


def _tagged(language: str, source: str, *splits: str) -> list[tuple[Place, Part]]:
    """What the tagging tasks have of these splits: many languages have no training rows, a few no
    validation rows."""
    return [
        (place, part)
        for name in TEXT_FROM
        for split in splits
        for place in places_with(TASKS[name], language, source, "test" if split == "test" else "")
        for part in split_files(place, split, language, source)
    ]


def text_parts(language: str, source: str) -> list[tuple[Place, Part]]:
    """What text is made of: training and validation rows, but of no file that is scored as a
    whole."""
    scored = {part.path for _, part in _tagged(language, source, "test") if part.whole}
    found = [
        (place, part)
        for place, part in _tagged(language, source, "train", "validation")
        if part.path not in scored
    ]
    if not found:
        raise _no_text(language, source)
    return found


def _no_text(language: str, source: str) -> UserError:
    return UserError(
        f"{source}: no text in {language!r}: neither text/{language} nor training or validation "
        f"rows of {' or '.join(TASKS[name].title for name in TEXT_FROM)} that are not scored"
    )


def words_as_text(split: str, language: str, source: str) -> list[dict]:
    found, taken = [], {}  # taken: by file, rows that are scored or were read before
    tested, joiner = _tagged(language, source, "test"), "" if language in UNSPACED else " "
    for place, part in text_parts(language, source):
        sentences = column(part.path, "tokens", columns_of_words(place), "a list of words")
        rows = range(len(sentences))
        if part.path not in taken:
            taken[part.path] = {
                number
                for _, other in tested
                if other.path == part.path
                for number in rows[other.rows(len(rows))]
            }
        wanted = [number for number in rows[part.rows(len(rows))] if number not in taken[part.path]]
        taken[part.path].update(wanted)
        found += [{"text": joiner.join(sentences[number])} for number in wanted]
    if not found:
        raise _no_text(language, source)
    if split == "train":
        return [item for number, item in enumerate(found) if number % 20]
    return found[::20]  # every 20th sentence is kept for measuring the masked language model


def text_names(language: str, source: str) -> str:
    """Which parts of its files text is made of; "" where it is each training and validation file,
    whole and once."""
    read = [part for _, part in _tagged(language, source, "train", "validation")]
    scored = [part for _, part in _tagged(language, source, "test")]
    paths = {part.path for part in read}
    if (
        len(paths) == len(read)
        and not paths & {part.path for part in scored}
        and all(part.whole for part in read)
    ):
        return ""
    return (
        f"{'+'.join(part.name for part in read)} without {'+'.join(part.name for part in scored)}"
    )


def columns_of_words(place: Place) -> dict[str, str]:
    """Of a place's mapping of columns what decides which words are read as text."""
    return {theirs: ours for theirs, ours in place.columns.items() if ours == "tokens"}
