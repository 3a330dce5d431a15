"""Raw files as their repositories have them, parsed into plain Python.

Every parser is strict. The bytes are known by a checksum, so that what does not fit is a mistake in
the table of sources, or a file that a repository has changed: UserError, with the line."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from xstilts import files
from xstilts.errors import UserError, shown

NLI = ("entailment", "neutral", "contradiction")  # names of labels, in the order of their ids


@dataclass(frozen=True)
class Raw:
    """A file as its repository has it."""

    where: str  # for messages
    content: bytes


def text(raw: Raw) -> str:
    """UTF-8. UserError where the bytes are none."""
    try:
        return raw.content.decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{raw.where}: byte {error.start} is no UTF-8") from error


def lines(raw: Raw) -> list[str]:
    """Lines end with a line feed alone: a text may have other signs that Python takes for ends."""
    return text(raw).removesuffix("\n").split("\n")


def fields(raw: Raw, count: int) -> list[list[str]]:
    """Tab-separated text. Quotes are signs like others: no CSV. UserError for a line that has more
    or fewer fields."""
    found = [line.split("\t") for line in lines(raw)]
    for number, line in enumerate(found, 1):
        if len(line) != count:
            raise UserError(
                f"{raw.where}: line {number} has {len(line)} fields, where {count} are expected"
            )
    return found


def sentences(raw: Raw, separator: str) -> list[tuple[list[str], list[str]]]:
    """(tokens, tags) of lines of a token and its tag, with a blank line between sentences.
    UserError for a token without a tag: test files that are made for a contest have none."""
    found: list[tuple[list[str], list[str]]] = []
    begun = False
    for number, line in enumerate(lines(raw), 1):
        if not line.strip():
            begun = False
            continue
        token, _, tag = line.rpartition(separator)
        if not token or not tag.strip():
            raise UserError(f"{raw.where}: line {number} has no tag")
        if not begun:
            found.append(([], []))
            begun = True
        found[-1][0].append(token)
        found[-1][1].append(tag.strip())
    return found


def conllu(raw: Raw) -> Iterator[tuple[dict[str, str], list[list[str]]]]:
    """(what the comments say, the ten columns of each word) of each sentence. Words that several
    tokens share (3-4) and words that were not said (5.1) are left out."""
    said: dict[str, str] = {}
    words: list[list[str]] = []
    for number, line in enumerate([*lines(raw), ""], 1):
        if line.startswith("#"):
            name, _, value = line[1:].partition("=")
            said[name.strip()] = value.strip()
        elif line.strip():
            word = line.split("\t")
            if len(word) != 10:
                raise UserError(f"{raw.where}: line {number} has {len(word)} columns and not 10")
            if word[0].isdigit():
                words.append(word)
        elif words:
            yield said, words
            said, words = {}, []


def records(raw: Raw, *columns: str) -> list[dict[str, str]]:
    """Rows of a CSV file with a head. UserError where it lacks a column or a row is not whole."""
    found = list(csv.DictReader(io.StringIO(text(raw), newline=""), strict=True))
    for number, row in enumerate(found, 1):
        if None in row or None in row.values() or not set(columns) <= set(row):
            raise UserError(
                f"{raw.where}: row {number} does not have the columns {', '.join(columns)}"
            )
    return found


def parsed(raw: Raw) -> Any:
    """JSON. UserError where it is none."""
    try:
        return files.parsed(text(raw))
    except ValueError as error:
        raise UserError(f"{raw.where}: no JSON ({str(error)[:200]})") from error


def objects(raw: Raw) -> list[dict]:
    """A JSON object a line."""
    return [
        parsed(Raw(f"{raw.where}: line {number}", line.encode()))
        for number, line in enumerate(lines(raw), 1)
        if line.strip()
    ]


def questions(raw: Raw) -> list[dict]:
    """SQuAD's JSON as rows: id, title, context, question, answers. UserError for an answer that is
    not where it is said to be: blank ones stand in files whose answers are withheld."""
    found = []
    for article in parsed(raw)["data"]:
        for paragraph in article["paragraphs"]:
            for asked in paragraph["qas"]:
                answers = asked["answers"]
                row = {
                    "id": str(asked["id"]),
                    "title": article.get("title", ""),
                    "context": paragraph["context"],
                    "question": asked["question"],
                    "answers": {
                        "text": [answer["text"] for answer in answers],
                        "answer_start": [answer["answer_start"] for answer in answers],
                    },
                }
                _check_answers(row, raw)
                found.append(row)
    return found


def _check_answers(row: dict, raw: Raw) -> None:
    for said, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True):
        if not said.strip() or row["context"][start : start + len(said)] != said:
            raise UserError(
                f"{raw.where}: question {shown(row['id'])}: the answer {shown(said)} is not at "
                f"{shown(start)} in its paragraph; such rows cannot be scored"
            )


def label(name: str, names: tuple[str, ...], raw: Raw) -> int:
    """The id of a label. UserError where it has none: a file without labels cannot be scored."""
    if name not in names:
        raise UserError(f"{raw.where}: {shown(name)} is none of the labels {', '.join(names)}")
    return names.index(name)


def is_held_out(text: str, parts: int) -> bool:
    """Of one of so many parts of all texts, by the text's own digest, whatever other texts there
    are."""
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), 16) % parts == 0
