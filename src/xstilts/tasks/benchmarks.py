"""XTREME's and XTREME-R's tasks by category, and their languages."""

from __future__ import annotations

from xstilts.tasks import languages
from xstilts.tasks.table import TASKS

CATEGORIES = {
    "XTREME": {
        "classification": ("xnli", "pawsx"),
        "structured prediction": ("udpos", "panx"),
        "question answering": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("bucc", "tatoeba"),
    },
    "XTREME-R": {
        "classification": ("xnli", "xcopa"),
        "structured prediction": ("udpos", "panx"),
        "question answering": ("xquad", "mlqa", "tydiqa"),
        "retrieval": ("tatoeba", "mewslix"),
        "multiple choice": ("xcopa",),
    },
}
# in the mean over all, and of retrieval, but not in evaluate.py's mean of it
ALONE = {"XTREME": (), "XTREME-R": ("lareqa",)}
# where a benchmark scores other languages than the task table has: XTREME-R's XCOPA has no English,
# and the Hub's copy of Tatoeba has XTREME's languages only
LANGUAGES = {
    "XTREME": {
        "udpos": tuple(languages.UD_NAMES),
        "panx": languages.PANX,
        "xquad": languages.XQUAD,
    },
    "XTREME-R": {
        "xcopa": languages.XCOPA,
        "tatoeba": (*languages.TATOEBA_NAMES, *languages.TATOEBA_ADDED),
    },
}


def category(target: str, benchmark: str = "XTREME-R") -> str:
    """The benchmark's kind of task that the target is of."""
    if target in ALONE[benchmark]:
        return "retrieval"
    return next(
        (name for name, targets in CATEGORIES[benchmark].items() if target in targets),
        "none of the benchmark's",
    )


def official_languages(benchmark: str, target: str) -> tuple[str, ...]:
    return LANGUAGES[benchmark].get(target, TASKS[target].languages)


def averaged(target: str) -> tuple[str, ...]:
    """The metrics whose mean is a target's value: the main one, and where that is F1 of answers
    exact match, too."""
    metrics = TASKS[target].metrics
    return metrics[: 2 if metrics[:2] == ("F1", "exact match") else 1]
