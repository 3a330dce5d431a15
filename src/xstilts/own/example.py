"""The page's own example: a file as a person might have it, made of rows of the embedded benchmark.

    path = example.write(folder)    # questions.csv: question, topic, lang, part

The target: does a question ask for a place? Its rows are those of the benchmark's reading
comprehension; labels come from the English words of the same row."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from xstilts import data

NAME = "example"
LANGUAGES = ("en", "de", "fi", "hi", "sw")  # with labels
WITHOUT = "tr"  # whose labels the file does not have
ROWS = {"train": 300, "validation": 60, "test": 100}
PLACE = re.compile(r"\b(country|city|live|lives|home|where|workplace)\b", re.IGNORECASE)


def write(folder: Path) -> Path:
    """Writes the file into the folder."""
    path = folder / "questions.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "topic", "lang", "part"])
        for split in ("train", "validation"):
            for row in data.load("squad", split, "en", "mini", ROWS[split]):
                writer.writerow([row["question"], _topic(row["question"]), "en", split])
        english = [
            row["question"] for row in data.load("xquad", "test", "en", "mini", ROWS["test"])
        ]
        for language in (*LANGUAGES, WITHOUT):
            # the benchmark's test rows are parallel: a row says the same in every language
            rows = data.load("xquad", "test", language, "mini", ROWS["test"])
            for row, first in zip(rows, english, strict=True):
                topic = _topic(first) if language != WITHOUT else ""
                writer.writerow([row["question"], topic, language, "test"])
    return path


def _topic(question: str) -> str:
    return "place" if PLACE.search(question) else "other"
