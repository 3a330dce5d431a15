"""Tagged text as Masakhane publishes it: lines of "token TAG", blank lines between sentences. No
data set of the Hub.

    table("https://raw.githubusercontent.com/masakhane-io/masakhane-pos/REVISION/data/swa/test.txt")

A file is known by its checksum (masakhapos.sha256), and kept in the cache under it: what came
otherwise is refused, and what is kept is read without a network.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from xstilts import settings
from xstilts.errors import UserError
from xstilts.hub_faults import ask

if TYPE_CHECKING:
    from datasets import Dataset


@lru_cache(maxsize=1)
def _checksums() -> dict[str, str]:
    """path -> sha256, of the commit that the task table pins"""
    lines = Path(__file__).with_name("masakhapos.sha256").read_text().splitlines()
    return {path: checksum for checksum, path in map(str.split, lines)}


def table(address: str) -> Dataset:
    """The file's sentences as a `datasets.Dataset` with the columns tokens and upos."""
    from datasets import Dataset

    sentences, tokens, tags = [], [], []
    for line in [*_content(address).decode().split("\n"), ""]:
        if line.strip():
            token, _, tag = line.strip().rpartition(" ")
            tokens.append(token)
            tags.append(tag)
        elif tokens:
            sentences.append({"tokens": tokens, "upos": tags})
            tokens, tags = [], []
    return Dataset.from_list(sentences)


def _content(address: str) -> bytes:
    checksum = _checksums().get("/".join(address.split("/")[-3:]))
    if not checksum:
        raise UserError(
            f"no checksum is known of {address}: the task table names another file than "
            "masakhapos.sha256"
        )
    kept = settings.cache() / "tagged" / f"{checksum}.txt"
    if kept.is_file() and hashlib.sha256(kept.read_bytes()).hexdigest() == checksum:
        return kept.read_bytes()
    content = ask(lambda: _downloaded(address), address, kind="file")
    if hashlib.sha256(content).hexdigest() != checksum:
        raise UserError(
            f"{address} is not what it was when its checksum was written down; it is not read. Try "
            "again: if it stays so, something on the way changes it"
        )
    kept.parent.mkdir(parents=True, exist_ok=True)
    unfinished = kept.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(content)
    os.replace(unfinished, kept)
    return content


def _downloaded(address: str) -> bytes:
    """Through the Hub's client, which needs no further package, and obeys HF_HUB_OFFLINE."""
    from huggingface_hub import get_session

    answer = get_session().get(address, follow_redirects=True, timeout=60)
    answer.raise_for_status()
    return answer.content
