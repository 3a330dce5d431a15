"""Rows from the Hugging Face Hub, through `datasets`, always at one commit.

    papermill notebooks/single_task.ipynb out.ipynb -p profile paper

The task table pins a revision. Where that is a branch, its commit is looked up once a process and becomes part of the
data fingerprint, so a data set that changes on the Hub changes the key of every run that used it. No loading scripts,
no remote code.
"""
from __future__ import annotations

import dataclasses
from functools import lru_cache

from .. import revisions
from ..revisions import commit
from ..spec import UserError
from ..tasks import Source, Task
from .labels import label_names
from .rows import Block

TEXT_ROWS = 100_000   # of a Wikipedia: more is never trained on here, and whole Wikipedias are large


def languages(row: Task, source: str) -> list[str]:
    return sorted({language for place in _loadable(row) for language in place.languages})


def _loadable(row: Task) -> list[Source]:
    return [place for place in row.sources if place.hub or place.files]


def places(row: Task, language: str) -> list[Source]:
    """The sources that have the language: all of them if the task mixes them, else the first."""
    found = [place for place in _loadable(row) if language in place.languages]
    return found if row.mixed else found[:1]


def configuration(place: Source, language: str) -> str:
    return place.config.format(language=language, name=place.name(language))


def _where(place: Source, language: str, split: str) -> str:
    return f"{place.hub or place.files} {configuration(place, language)} {split}"


def blocks(row: Task, split: str, language: str, source: str, limit: int) -> list[Block]:
    if row.name == "text":
        place = row.sources[0]
        return [Block(_where(place, language, split), row, row.read, None, _text(place, split, language, limit))]
    found = []
    for place in places(row, language):
        own = dataclasses.replace(row, label_column=place.label_column or row.label_column)
        for name in splits_of(row, place, split, language):
            data = table(place, name, language)
            found.append(Block(_where(place, language, name), own, place.read or row.read,
                               label_names(data.features, own.label_column),
                               [item for item in data.to_list() if not place.keep or place.keep(item, language)]))
    if not found:
        raise UserError(f"{row.title}: no {split} rows in {language!r} on the Hub")
    return found


def table(place: Source, name: str, language: str):
    """One split of one configuration as a `datasets.Dataset`."""
    from datasets import load_dataset

    options = {"language": language, "name": place.name(language), "split": name, "revision": place.revision}
    if place.files.startswith("https://"):
        return _tagged_text(place.files.format(**options))
    revision = commit(place.hub, place.revision)
    if place.files:
        return load_dataset(place.hub, data_files={name: place.files.format(**options)}, split=name, revision=revision)
    return load_dataset(place.hub, configuration(place, language), split=name, revision=revision)


def _tagged_text(address: str):
    """Lines of "token TAG" with blank lines between sentences, as Masakhane publishes them. Columns tokens, upos."""
    from datasets import Dataset, load_dataset

    sentences, tokens, tags = [], [], []
    for line in [*load_dataset("text", data_files=address, split="train")["text"], ""]:
        if line.strip():
            token, _, tag = line.strip().rpartition(" ")
            tokens.append(token)
            tags.append(tag)
        elif tokens:
            sentences.append({"tokens": tokens, "upos": tags})
            tokens, tags = [], []
    return Dataset.from_list(sentences)


def splits_of(row: Task, place: Source, split: str, language: str) -> list[str]:
    """What the Hub calls our split; [] if the source has no such rows."""
    names = place.split_names(split, language)
    if not names:
        return []
    if place.files or revisions.unasked:   # files are named, not listed
        return names[0].split("+")
    there = _splits(place, language)
    for name in names:
        if {part.partition("[")[0] for part in name.split("+")} <= set(there):
            return name.split("+")
    raise UserError(f"{place.hub} {configuration(place, language)}: no {split} rows of {row.title} "
                    f"(looked for {', '.join(names)}; found {', '.join(there)})")


def split_found(row: Task, split: str, language: str, source: str) -> str:
    if row.name == "text":
        return split
    return "+".join(dict.fromkeys(name for place in places(row, language)
                                  for name in splits_of(row, place, split, language)))


@lru_cache(maxsize=512)
def _split_names(repository: str, configuration: str, revision: str) -> tuple[str, ...]:
    from datasets import get_dataset_split_names

    return tuple(get_dataset_split_names(repository, configuration, revision=revision))


def _splits(place: Source, language: str) -> tuple[str, ...]:
    return _split_names(place.hub, configuration(place, language), commit(place.hub, place.revision))


def _text(place: Source, split: str, language: str, limit: int) -> list[dict]:
    """Wikipedia has a train split only: its first 500 articles are held out for measuring."""
    from datasets import load_dataset

    stream = load_dataset(place.hub, configuration(place, language), split="train", streaming=True,
                          revision=commit(place.hub, place.revision))
    articles = stream.take(500) if split != "train" else stream.skip(500).take(limit or TEXT_ROWS)
    return [{"text": article["text"]} for article in articles]


def fingerprint(row: Task, split: str, language: str, source: str) -> str:
    return " ".join(
        f"{place.hub or place.files}@{commit(place.hub, place.revision)} {configuration(place, language)} {split}"
        for place in (row.sources[:1] if row.name == "text" else places(row, language))
    )


def texts_fingerprint(source: str) -> str:
    raise UserError("vocabulary='data' collects the pieces of every text at hand, which the Hub is not; "
                    "use vocabulary='full' with data='hub'")


texts = texts_fingerprint
