"""A branch on the Hugging Face Hub as the commit that it stands for today: what is read is always
one commit.

    commit("google/rembert", "main", "model")     # 40 hex digits

The commit is part of the key of every run that reads the data set or the encoder, so what changes
on the Hub changes the key, and is never taken for what was there before.
"""

from __future__ import annotations

import re
from functools import lru_cache

from xstilts.hub_faults import Refused, ask

COMMIT = re.compile("[0-9a-f]{40}")
# a plan without a network: branches stand for their commits, names for splits; the store has
# nothing
unasked = False


def commit(repository: str, revision: str, kind: str = "dataset") -> str:
    """The revision as a commit: itself if it is one. kind: dataset or model. UserError if the Hub
    does not say, and it was not asked before on this machine either."""
    return revision if COMMIT.fullmatch(revision) or unasked else _asked(repository, revision, kind)


@lru_cache(maxsize=64)
def _asked(repository: str, revision: str, kind: str) -> str:
    """Once a process, so that all of a study reads the same. Where the Hub cannot be reached, its
    client remembers what it said last."""
    from huggingface_hub import HfApi

    try:
        return ask(
            lambda: (
                HfApi().resolve_revision(repository, revision=revision, repo_type=kind).resolved
            ),
            repository,
            revision,
            kind,
        )
    except Refused as refused:
        instead = (
            "encoder='e5-small', a folder, or ID@COMMIT of one that was downloaded before"
            if kind == "model"
            else "data='mini' or a local folder (XSTILTS_DATA)"
        )
        raise Refused(
            f"{'data' if kind == 'dataset' else 'encoder'}: {refused}. Without the Hub use "
            f"{instead}",
            refused.away,
            refused.passing,
        ) from refused
