"""The embedded synthetic benchmark: every task of the study in many languages, made from one small
seeded world.

    rows("xnli", "fi", "test", 3) -> [{"premise": ..., "hypothesis": ..., "label": 2}, ...]

It needs no download and is no replacement for the real data sets: real words and grammatical
sentences, but invented facts and few sentence patterns. Row i says the same in every language
(except in `text`), is the same on every machine and does not depend on how many rows are asked for.
Columns and label types are those of the data sets on the Hub. The words, sentences and tags are in
languages/*.toml, who and what exists is in world.py, what can be turned (difficulty, translation
noise, seed) in dials.py."""

import random
from collections.abc import Iterator
from itertools import count, islice

from xstilts.synthetic.dials import PLAIN, Dials
from xstilts.synthetic.makers import choices, inference, labelling, reading, retrieval
from xstilts.synthetic.tables import LANGUAGES, load
from xstilts.synthetic.world import SPLITS

# Names these rows in the key of every run that reads them. It is a stated version and no hash of
# this code, so that code can move and comments can change. Give it another value when a row, a
# label or a size changes: a test compares the rows with tests/fingerprints.json and fails when they
# changed and this did not.
FINGERPRINT = "60e1b36f21703a17c4ed05a791335c245a5710c671a471c716fbf99b188f9da7"

# Of an intermediate task the difficulty can be chosen; of the other tasks not.
INTERMEDIATE = {
    "anli": inference.anli,
    "mnli": inference.mnli,
    "qqp": inference.qqp,
    "squad": reading.squad,
    "squad2": reading.squad2,
    "hellaswag": choices.hellaswag,
    "ccg": labelling.ccg,
    "cosmosqa": choices.cosmosqa,
    "commonsenseqa": choices.commonsenseqa,
}
OTHER = {
    "text": labelling.text,
    "xnli": inference.xnli,
    "pawsx": inference.pawsx,
    "udpos": labelling.udpos,
    "panx": labelling.panx,
    "xquad": reading.xquad,
    "mlqa": reading.mlqa,
    "tydiqa": reading.tydiqa,
    "bucc": retrieval.bucc,
    "tatoeba": retrieval.tatoeba,
    "xcopa": choices.xcopa,
    "lareqa": reading.lareqa,
    "masakhaner": labelling.masakhaner,
    "masakhapos": labelling.masakhapos,
    "afrixnli": inference.xnli,
}
MAKERS = INTERMEDIATE | OTHER
TASKS = tuple(MAKERS)
AFRICAN = ("masakhaner", "masakhapos", "afrixnli")
NLI = ("entailment", "neutral", "contradiction")
LABELS = {
    "anli": NLI,
    "mnli": NLI,
    "xnli": NLI,
    "afrixnli": NLI,
    "qqp": ("not_duplicate", "duplicate"),
    "pawsx": ("0", "1"),
    "udpos": labelling.POS_TAGS,
    "masakhapos": labelling.POS_TAGS,
    "panx": labelling.NER_TAGS,
    "masakhaner": labelling.NER_TAGS,
}
# Rows of a split where a study sets no limit. As in life intermediate tasks have many, targets few,
# and English most.
SIZES = {"train": 8000, "validation": 500, "test": 1000}
FEW = {"tydiqa": 1000, "xcopa": 500}
TRANSLATED = {"train": 2000, "validation": 200, "test": 1000}

# the columns that hold text
TEXTS = {
    **dict.fromkeys(("anli", "mnli", "xnli", "afrixnli"), ("premise", "hypothesis")),
    **dict.fromkeys(("squad", "squad2", "tydiqa"), ("title", "context", "question")),
    **dict.fromkeys(("xquad", "mlqa", "lareqa"), ("context", "question")),
    **dict.fromkeys(("udpos", "panx", "ccg", "masakhaner", "masakhapos"), ("tokens",)),
    **dict.fromkeys(("tatoeba", "bucc"), ("source_sentence", "target_sentence")),
    "qqp": ("question1", "question2"),
    "pawsx": ("sentence1", "sentence2"),
    "text": ("text",),
    "hellaswag": ("activity_label", "ctx", "endings"),
    "commonsenseqa": ("question", "question_concept", "choices"),
    "cosmosqa": ("context", "question", "answer0", "answer1", "answer2", "answer3"),
    "xcopa": ("premise", "choice1", "choice2"),
}


def _known(what: str, name: str, names) -> None:
    if name not in names:
        raise ValueError(f"unknown {what} {name!r}; known: {', '.join(names)}")


def languages(task: str) -> tuple[str, ...]:
    """Languages of a task: all; but the African sets have African languages (Afrikaans, Swahili,
    Yoruba)."""
    _known("task", task, TASKS)
    return tuple(
        language for language in LANGUAGES if task not in AFRICAN or language in ("af", "sw", "yo")
    )


def size(task: str, language: str, split: str) -> int:
    """Number of rows where a study sets no limit."""
    least = (SIZES if language == "en" else TRANSLATED)[split]
    return min(least, FEW.get(task, least)) if split == "train" else least


def stream(task: str, language: str, split: str, dials: Dials = PLAIN) -> Iterator[dict]:
    """The task's rows without end, one at a time: a million of them take no more memory than one.

    The seed changes what happens, not who and what exists. ValueError for a task, language or split
    that does not exist."""
    _known("task", task, TASKS)
    _known(f"language of {task}", language, languages(task) if task in AFRICAN else LANGUAGES)
    _known("split", split, SPLITS)
    return (row(task, language, split, i, dials) for i in count())


def row(task: str, language: str, split: str, i: int, dials: Dials = PLAIN) -> dict:
    """Row i of the stream. It needs no row before it."""
    intermediate = task in INTERMEDIATE
    words = load(language, dials.noise) if intermediate else load(language)
    # passages for language modelling are the one thing that must not be parallel
    draw = f"{task}/{split}/{dials.seed}" + (f"/{language}" if task == "text" else "") + f"/{i}"
    return MAKERS[task](random.Random(draw), split, words, i, *[dials.difficulty] * intermediate)


def rows(task: str, language: str, split: str, size: int, dials: Dials = PLAIN) -> list[dict]:
    """The first `size` rows of the stream. ValueError as in `stream`, and for a negative size."""
    if size < 0:
        raise ValueError(f"size must not be negative: {size}")
    return list(islice(stream(task, language, split, dials), size))


def texts_of(task: str, row: dict) -> Iterator[str]:
    """The texts of one row; the tokens of a tagged sentence as one text."""
    for column in TEXTS[task]:
        field = row[column]
        if column == "tokens":
            yield " ".join(field)
        elif column == "choices":
            yield from field["text"]
        elif column == "endings":
            yield from field
        elif field:
            yield field


def texts() -> Iterator[str]:
    """Every text of every task, language and split at the default sizes."""
    for task in TASKS:
        for language in languages(task):
            for split in SPLITS:
                for row in islice(stream(task, language, split), size(task, language, split)):
                    yield from texts_of(task, row)


def translation_quality(language: str, noise: float, size: int = 200) -> float:
    """chrF (0-100, sacrebleu's default) of intermediate rows as the imperfect translator gives them
    against the true sentences, over the first `size` training rows of each sentence task."""
    from sacrebleu import corpus_chrf

    noisy, true = (
        [
            text
            for task in INTERMEDIATE
            if task != "ccg"
            for row in islice(stream(task, language, "train", Dials(noise=amount)), size)
            for text in texts_of(task, row)
        ]
        for amount in (noise, 0.0)
    )
    return corpus_chrf(noisy, [true]).score
