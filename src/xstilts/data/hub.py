"""Rows from the Hugging Face Hub, through `datasets`, always at one commit.

    papermill notebooks/single_task.ipynb out.ipynb -p profile paper

The commit is looked up once a process and becomes part of the data fingerprint, so a data set that
changes on the Hub changes the key of every run that used it. No loading scripts, no remote code.
"""
from __future__ import annotations

from functools import lru_cache

from ..spec import UserError
from ..tasks import PANX_LANGUAGES, Task
from .labels import label_names, with_label_ids

TEXT_ROWS = 100_000   # of a Wikipedia: more is never trained on here, and whole Wikipedias are large


def languages(row: Task, source: str) -> list[str]:
    if row.name == "text":
        return list(PANX_LANGUAGES)
    return list(row.languages)


@lru_cache(maxsize=64)
def commit(repository: str) -> str:
    """The repository's present commit. UserError if the Hub cannot be reached."""
    from huggingface_hub import dataset_info

    try:
        return dataset_info(repository).sha
    except Exception as error:   # many kinds: network, DNS, authentication, an unknown id
        raise UserError(f"data: the Hub does not answer for the data set {repository!r} ({error}). "
                        "Without the Hub use data='mini' or a local folder (XSTILTS_DATA)") from error


def _configuration(row: Task, language: str) -> str:
    return row.config.format(language=language, name=row.names.get(language, language))


def rows(row: Task, split: str, language: str, source: str, limit: int) -> list[dict]:
    from datasets import load_dataset

    configuration, revision = _configuration(row, language), commit(row.hub)
    if row.name == "text":
        return _text(row, split, configuration, revision, limit)
    name = split_found(row, split, language, source)
    data = load_dataset(row.hub, configuration, split=name, revision=revision)
    names = label_names(data.features, row.label_column)
    return [with_label_ids(item, row, names, f"{row.hub} {configuration} {name}", number)
            for number, item in enumerate(data)]


def split_found(row: Task, split: str, language: str, source: str) -> str:
    if row.name == "text":
        return split
    there = _splits(row.hub, _configuration(row, language))
    for name in row.split_names(split):
        if name in there:
            return name
    raise UserError(f"{row.hub} {_configuration(row, language)}: no {split} rows "
                    f"(looked for {', '.join(row.split_names(split))}; found {', '.join(there)})")


@lru_cache(maxsize=512)
def _splits(repository: str, configuration: str) -> tuple[str, ...]:
    from datasets import get_dataset_split_names

    return tuple(get_dataset_split_names(repository, configuration, revision=commit(repository)))


def _text(row: Task, split: str, configuration: str, revision: str, limit: int) -> list[dict]:
    """Wikipedia has a train split only: its first 500 articles are held out for measuring."""
    from datasets import load_dataset

    stream = load_dataset(row.hub, configuration, split="train", revision=revision, streaming=True)
    articles = stream.take(500) if split != "train" else stream.skip(500).take(limit or TEXT_ROWS)
    return [{"text": article["text"]} for article in articles]


def fingerprint(row: Task, split: str, language: str, source: str) -> str:
    return f"{row.hub}@{commit(row.hub)} {_configuration(row, language)} {split}"


def texts_fingerprint(source: str) -> str:
    raise UserError("vocabulary='data' collects the pieces of every text at hand, which the Hub is not; "
                    "use vocabulary='full' with data='hub'")


texts = texts_fingerprint
