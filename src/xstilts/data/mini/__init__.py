"""The embedded synthetic benchmark: every task of the study in five languages, made from one small seeded world.

    rows("xnli", "fi", "test", 3) -> [{"premise": ..., "hypothesis": ..., "label": 2}, ...]

It needs no download and is no replacement for the real data sets: real words and grammatical sentences, but invented
facts and few sentence patterns. Row i says the same in every language (except in `text`), is the same on every
machine and does not depend on how many rows are asked for. Columns and label types are those of the data sets on
the Hub. The words, sentences and tags are in languages/*.toml, who and what exists is in world.py.
"""
import hashlib
import random
from pathlib import Path

from . import labelling, understanding
from .wording import LANGUAGES, load
from .world import SPLITS

MAKERS = {
    "mnli": understanding.mnli,
    "xnli": understanding.nli,
    "qqp": understanding.qqp,
    "pawsx": understanding.pawsx,
    "squad": understanding.squad,
    "xquad": understanding.xquad,
    "hellaswag": understanding.hellaswag,
    "commonsenseqa": understanding.commonsenseqa,
    "udpos": labelling.udpos,
    "panx": labelling.panx,
    "tatoeba": labelling.tatoeba,
    "text": labelling.text,
}
TASKS = tuple(MAKERS)
LABELS = {
    "mnli": ("entailment", "neutral", "contradiction"),
    "xnli": ("entailment", "neutral", "contradiction"),
    "qqp": ("not_duplicate", "duplicate"),
    "pawsx": ("0", "1"),
    "udpos": labelling.POS_TAGS,
    "panx": labelling.NER_TAGS,
}
SIZES = {"train": 8000, "validation": 500, "test": 1000}

# the columns that hold text
TEXTS = {
    "mnli": ("premise", "hypothesis"), "xnli": ("premise", "hypothesis"), "qqp": ("question1", "question2"),
    "pawsx": ("sentence1", "sentence2"), "squad": ("title", "context", "question"), "xquad": ("context", "question"),
    "hellaswag": ("activity_label", "ctx", "endings"), "commonsenseqa": ("question", "question_concept", "choices"),
    "udpos": ("tokens",), "panx": ("tokens",), "tatoeba": ("source_sentence", "target_sentence"), "text": ("text",),
}


def _known(what, name, names):
    if name not in names:
        raise ValueError(f"unknown {what} {name!r}; known: {', '.join(names)}")


def rows(task, language, split, size, seed=0):
    """The first `size` rows of an endless stream. The seed changes what happens, not who and what exists.

    ValueError for a task, language or split that does not exist, and for a negative size.
    """
    _known("task", task, TASKS)
    _known("language", language, LANGUAGES)
    _known("split", split, SPLITS)
    if size < 0:
        raise ValueError(f"size must not be negative: {size}")
    words = load(language)
    # passages for language modelling are the one thing that must not be parallel
    stream = f"{task}/{split}/{seed}" + (f"/{language}" if task == "text" else "")
    return [MAKERS[task](random.Random(f"{stream}/{i}"), split, words, i) for i in range(size)]


def texts_of(task, row):
    """The texts of one row; the tokens of a tagged sentence as one text."""
    for column in TEXTS[task]:
        field = row[column]
        if column == "tokens":
            yield " ".join(field)
        elif column == "choices":
            yield from field["text"]
        elif column == "endings":
            yield from field
        else:
            yield field


def texts():
    """Every text of every task, language and split at the default sizes."""
    for task in TASKS:
        for language in LANGUAGES:
            for split in SPLITS:
                for row in rows(task, language, split, SIZES[split]):
                    yield from texts_of(task, row)


def fingerprint():
    """sha256 over the files of this package: it changes with every edit of a word or a rule."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted([*folder.glob("*.py"), *folder.glob("languages/*.toml")]):
        digest.update(f"{path.relative_to(folder).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()
