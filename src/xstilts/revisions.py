"""A branch on the Hugging Face Hub as the commit that it stands for today: what is read is always one commit.

    commit("google/rembert", "main", "model")     # 40 hex digits

The commit is part of the key of every run that reads the data set or the encoder, so what changes on the Hub changes
the key, and is never taken for what was there before.
"""
from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from .spec import UserError

COMMIT = re.compile("[0-9a-f]{40}")
unasked = False      # a plan without a network: branches stand for their commits, names for splits; the store has nothing


def commit(repository: str, revision: str, kind: str = "dataset") -> str:
    """The revision as a commit: itself if it is one. kind: dataset or model. UserError if the Hub cannot be reached, and
    the commit of a model is not in the local cache either."""
    return revision if COMMIT.fullmatch(revision) or unasked else _asked(repository, revision, kind)


@lru_cache(maxsize=64)
def _asked(repository: str, revision: str, kind: str) -> str:
    """Once a process, so that all of a study reads the same."""
    from huggingface_hub import repo_info, try_to_load_from_cache

    try:
        return repo_info(repository, revision=revision, repo_type=kind).sha
    except Exception as error:   # many kinds: network, DNS, authentication, an unknown id
        here = try_to_load_from_cache(repository, "config.json", revision=revision) if kind == "model" else None
        if isinstance(here, str):     # snapshots/COMMIT/config.json, as the branch was when it was downloaded
            return Path(here).parent.name
        instead = "encoder='e5-small', a folder, or ID@COMMIT of one that was downloaded before" if kind == "model" else \
            "data='mini' or a local folder (XSTILTS_DATA)"
        raise UserError(f"{'data' if kind == 'dataset' else 'encoder'}: the Hub does not answer for the "
                        f"{'data set' if kind == 'dataset' else 'model'} {repository!r} ({error}). "
                        f"Without the Hub use {instead}") from error
