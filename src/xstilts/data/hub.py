"""Rows from the Hugging Face Hub, through `datasets`, always at one commit.

    papermill notebooks/single_task.ipynb out.ipynb -p profile paper

The task table pins a revision. Where that is a branch, its commit is looked up once a process and
becomes part of the data fingerprint, so a data set that changes on the Hub changes the key of every
run that used it. No loading scripts, no remote code. What was read once is read from the cache of
`datasets` then, at the same commit, without a request.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from xstilts import revisions, settings
from xstilts.data import local, tagged
from xstilts.data.labels import label_names
from xstilts.data.rows import Block
from xstilts.errors import UserError
from xstilts.hub_faults import ask
from xstilts.revisions import commit
from xstilts.tasks.task import Source, Task

if TYPE_CHECKING:
    from datasets import Dataset

# what a repository says of its configurations
ABOUT = ("README.md", ".huggingface.yaml", "dataset_infos.json")
CAN_CHANGE, ENDLESS, AT_HAND = True, False, False
TEXT_ROWS = 100_000  # of a Wikipedia: more is never trained on here, and whole Wikipedias are large


def check(source: str) -> None:
    """UserError where XSTILTS_OWN is no folder of rows."""
    if own := settings.own_rows():
        local.check_folder(own, "XSTILTS_OWN")


def title(source: str) -> str:
    """How pages and tables call the source."""
    return "Hugging Face Hub"


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


def size(row: Task, split: str, language: str, source: str) -> int:
    """How many rows there are, usable or not."""
    return sum(len(block.items) for block in blocks(row, split, language, source, 0))


def has_split(row: Task, split: str, language: str, source: str) -> bool:
    """The task table says what there is; whether there are rows, the Hub is not asked."""
    return True


def blocks(row: Task, split: str, language: str, source: str, limit: int) -> list[Block]:
    if row.name == "text":
        place = row.sources[0]
        return [
            Block(
                _where(place, language, split),
                row,
                row.read,
                None,
                _text(place, split, language, limit),
            )
        ]
    found = []
    for place in places(row, language):
        own = dataclasses.replace(row, label_column=place.label_column or row.label_column)
        for name in splits_of(row, place, split, language):
            data = table(place, name, language)
            found.append(
                Block(
                    _where(place, language, name),
                    own,
                    place.read or row.read,
                    label_names(data.features, own.label_column),
                    [
                        item
                        for item in data.to_list()
                        if not place.keep or place.keep(item, language)
                    ],
                )
            )
    if not found:
        raise UserError(f"{row.title}: no {split} rows in {language!r} on the Hub")
    return found


def table(place: Source, name: str, language: str) -> Dataset:
    """One split of one configuration as a `datasets.Dataset`. UserError where the Hub does not give
    it."""
    options = {
        "language": language,
        "name": place.name(language),
        "split": name,
        "revision": place.revision,
    }
    if "://" in place.files:
        return tagged.table(place.files.format(**options))
    revision = commit(place.hub, place.revision)

    def load():
        builder = _builder(
            place,
            language,
            revision,
            {name: place.files.format(**options)} if place.files else None,
        )
        if builder.info.features:
            _name_labels(builder, revision)
        builder.download_and_prepare()
        return builder.as_dataset(split=name)

    return ask(load, place.hub, place.revision)


class LoadingScript(RuntimeError):
    """The repository has code instead of rows."""


@lru_cache(maxsize=16)
def _module(repository: str, revision: str):
    """What `datasets` makes of a repository at a commit. Its card is read once: that of XTREME has
    180 configurations, which takes seconds. `load_dataset` reads it at each call; and where the Hub
    fails it takes any commit that it finds in its cache."""
    from datasets.load import HubDatasetModuleFactory

    script = repository.rpartition("/")[2] + ".py"
    if _has(repository, script, revision):
        raise LoadingScript(script)
    # where one does not come, `datasets` goes on as if there were none, and loses names of labels
    for file in ABOUT:
        _has(repository, file, revision)
    return HubDatasetModuleFactory(repository, commit_hash=revision).get_module()


def _has(repository: str, file: str, revision: str) -> bool:
    """Whether the Hub has the file, which is in the client's cache then. Raises what the client
    does where it does not say."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError, RemoteEntryNotFoundError

    try:
        return bool(hf_hub_download(repository, file, repo_type="dataset", revision=revision))
    except LocalEntryNotFoundError:  # no answer
        raise
    except RemoteEntryNotFoundError:
        return False


def _builder(place: Source, language: str, revision: str, files: dict[str, str] | None = None):
    """The configuration's `datasets.DatasetBuilder`: of the cache where this commit is there, else
    of the Hub."""
    from datasets.load import get_dataset_builder_class
    from datasets.packaged_modules.cache.cache import Cache
    from datasets.packaged_modules.parquet.parquet import Parquet
    from huggingface_hub import HfApi

    # not as load_dataset names it, which does not look for names of labels in the files
    known = {
        "repo_id": place.hub,
        "dataset_name": place.hub.rpartition("/")[2],
        "hash": f"{revision}-named",
    }
    name = re.sub(r"\W+", "-", "".join(files.values())) if files else configuration(place, language)
    kept = Cache(config_name=name, **known)
    if os.path.isdir(kept.cache_dir):
        return kept
    try:
        if files:
            return Parquet(
                config_id=name,
                data_files=files,
                base_path=f"hf://datasets/{place.hub}@{revision}",
                **known,
            )
        module = _module(place.hub, revision)
        info = (module.dataset_infos or {}).get(name)
        return get_dataset_builder_class(module)(
            config_name=name,
            info=info and info.copy(),
            base_path=module.builder_kwargs["base_path"],
            **known,
        )
    except FileNotFoundError:
        # which is what `datasets` makes of a listing that failed, too: then this raises why
        list(HfApi().list_repo_tree(place.hub, revision=revision, repo_type="dataset"))
        raise


def _name_labels(builder, revision: str) -> None:
    """Gives labels the names that the files have, where the card has none. `datasets` goes by the
    card alone, so that ids would be read in the table's order. UserError where both have names, and
    different ones."""
    import pyarrow.parquet as pq
    from datasets import ClassLabel, List
    from huggingface_hub import hf_hub_download

    for address in [
        file
        for files in (builder.config.data_files or {}).values()
        for file in files
        if file.endswith(".parquet")
    ]:
        path = hf_hub_download(
            builder.repo_id,
            address.split(f"@{revision}/", 1)[1],
            repo_type="dataset",
            revision=revision,
        )
        metadata = json.loads((pq.read_schema(path).metadata or {}).get(b"huggingface", b"{}"))
        for column, feature in metadata.get("info", {}).get("features", {}).items():
            names, known = _names_in(feature), label_names(builder.info.features, column)
            if not names or names == known or column not in builder.info.features:
                continue
            if known:
                raise UserError(
                    f"{address}: the file calls the labels of {column} {', '.join(names)}; the "
                    f"data set's card calls them {', '.join(known)}. One is wrong, so that neither "
                    "is used. Give the rows as a local folder (XSTILTS_DATA)"
                )
            label = ClassLabel(names=names)
            listed = hasattr(builder.info.features[column], "feature")
            builder.info.features[column] = List(label) if listed else label


def _names_in(feature: dict | list) -> list[str] | None:
    """The label names of a ClassLabel, or of a list's items, in a file's metadata as `datasets`
    writes it."""
    feature = (feature or [{}])[0] if isinstance(feature, list) else feature
    return feature.get("names") or (
        _names_in(feature["feature"]) if isinstance(feature.get("feature"), (dict, list)) else None
    )


def splits_of(row: Task, place: Source, split: str, language: str) -> list[str]:
    """What the Hub calls our split; [] if the source has no such rows."""
    names = place.split_names(split, language)
    if not names:
        return []
    if place.files or revisions.unasked:  # files are named, not listed
        return names[0].split("+")
    there = _splits(place, language)
    for name in names:
        if {part.partition("[")[0] for part in name.split("+")} <= set(there):
            return name.split("+")
    raise UserError(
        f"{place.hub} {configuration(place, language)}: no {split} rows of {row.title} (looked for "
        f"{', '.join(names)}; found {', '.join(there)})"
    )


def split_found(row: Task, split: str, language: str, source: str) -> str:
    if row.name == "text":
        return split
    return "+".join(
        dict.fromkeys(
            name
            for place in places(row, language)
            for name in splits_of(row, place, split, language)
        )
    )


def _splits(place: Source, language: str) -> tuple[str, ...]:
    revision = commit(place.hub, place.revision)

    def listed() -> tuple[str, ...]:
        builder = _builder(place, language, revision)
        return tuple(builder.info.splits or builder.config.data_files)

    return ask(listed, place.hub, place.revision)


def _stream(place: Source, language: str):
    """The articles of a Wikipedia, as they come."""
    return _builder(place, language, commit(place.hub, place.revision)).as_streaming_dataset(
        split="train"
    )


def _text(place: Source, split: str, language: str, limit: int) -> list[dict]:
    """Wikipedia has a train split only: its first 500 articles are held out for measuring."""

    def read() -> list[dict]:
        stream = _stream(place, language)
        articles = (
            stream.take(500) if split != "train" else stream.skip(500).take(limit or TEXT_ROWS)
        )
        return [{"text": article["text"]} for article in articles]

    return ask(read, place.hub, place.revision)


def fingerprint(row: Task, split: str, language: str, source: str) -> str:
    return " ".join(
        f"{place.hub or place.files}@{commit(place.hub, place.revision)} "
        f"{configuration(place, language)} {split}"
        for place in (row.sources[:1] if row.name == "text" else places(row, language))
    )


def texts_fingerprint(source: str) -> str:
    raise UserError(
        "vocabulary='data' collects the pieces of every text at hand, which the Hub is not; use "
        "vocabulary='full' with data='hub'"
    )


texts = texts_fingerprint
