"""Which folders and files of a local folder have rows of a task, a language and a split."""

from __future__ import annotations

import os
import re

from xstilts.data import layout, parquet
from xstilts.data.layout import Part, Place, places
from xstilts.tasks.table import Task


def configurations(root: str, pattern: str) -> list[tuple[str, str]]:
    """(what stands for {language} or {name}, folder): configurations that the table does not list
    are found, too."""
    if "{" not in pattern:
        return [("", os.path.join(root, pattern))]
    wanted = re.escape(pattern).replace(r"\{language\}", "{name}").replace(r"\{name\}", "{name}")
    wanted = wanted.replace("{name}", "(?P<name>[^/]+)", 1).replace("{name}", "(?P=name)")
    found = [""]
    for step in pattern.split("/"):
        found = [
            os.path.join(folder, name)
            for folder in found
            for name in (parquet.folders(os.path.join(root, folder)) if "{" in step else [step])
        ]
    return [
        (match["name"], os.path.join(root, folder))
        for folder in found
        if (match := re.fullmatch(wanted, folder))
    ]


def languages_at(row: Task, place: Place, root: str) -> list[str]:
    codes = {name: code for code, name in place.source.names.items()}
    found = [
        (codes.get(name, name), path) for name, path in configurations(root, place.source.local)
    ]
    # a folder of one configuration, whose language the table says
    if "{" not in place.source.local:
        found = [(language, path) for language in place.source.languages for _, path in found]
    # XCOPA and the English COPA lie in one folder: a language belongs to the source that the table
    # gives it to
    others = {
        language
        for other in places(row, root)
        if other.source.local == place.source.local
        for language in other.source.languages
    } - set(place.source.languages)
    return [language for language, path in found if language not in others and parquet.files(path)]


def places_with(row: Task, language: str, source: str, split: str = "") -> list[Place]:
    """The places that have the language: all of them if the task mixes them, else the first, or the
    first with that split."""
    found = [place for place in places(row, source) if language in languages_at(row, place, source)]
    if row.mixed:
        return found
    return (
        [place for place in found if split and split_files(place, split, language, source)] or found
    )[:1]


def split_files(place: Place, split: str, language: str, source: str) -> list[Part]:
    """The files of one split, [] if the place has no such rows."""
    folder = place.folder(source, language)
    there = parquet.files(folder)
    for names in place.source.split_names(split, language):
        if all(part.path in there for part in layout.parts(folder, names)):
            return layout.parts(folder, names)
    return []
