"""From a row in the Hub's columns to a row of a kind. Labels have been mapped to the table's ids
before.

    classify  texts (first, second), label
    tag       words, tags
    choice    context, choices, label
    span      question, context, answers, starts, id
    mlm       text
    retrieve  source, english
    mine      source, english; "" for what has no translation
    rank      id, query, answer (text, context), sentences"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache

from xstilts.errors import UserError, visible
from xstilts.tasks.languages import TYDIQA_NAMES

Reader = Callable[[dict], dict]
# XCOPA asks in one of two ways; the English words are used for every language, as the labels are
# English, too
ASKED = {"cause": "What was the cause?", "effect": "What happened as a result?"}
# ends of sentences in the scripts of XQuAD-R's languages: Latin, Greek, Cyrillic, Arabic,
# Devanagari before a space, so that 3.5 is one number; Chinese and Japanese anywhere
SENTENCE_END = re.compile("""[.!?\u037e\u061f\u0964]+["'”’»)]*(?=\\s|$)|[。！？]+[」』”’）]*""")

# format characters that are seen: Arabic and Syriac signs around numbers and verses, Kaithi number
# signs
SEEN = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
# letters and marks that are not: joiners and fillers, inherent vowels, variation selectors, the
# empty Braille cell
UNSEEN = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2065\u2800\u3164\uffa0",
    *map(chr, range(0xFE00, 0xFE10)),
    *map(chr, range(0xE0100, 0xE01F0)),
)


@cache
def blanks() -> str:
    """Every character that shows nothing: white space, control characters, zero-width ones, marks
    of direction."""
    return "".join(UNSEEN) + "".join(
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if character not in SEEN
        and (
            character.isspace() or unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp")
        )
    )


def inner(text: str) -> tuple[int, int]:
    """Beginning and end of a text without the blanks at its edges; (0, 0) where there is nothing
    else."""
    found = text.strip(blanks())
    start = len(text) - len(text.lstrip(blanks())) if found else 0
    return start, start + len(found)


class Unusable(ValueError):
    """A row that cannot be used: it has no gold label or no text. It is dropped, and counted."""


def check_text(value: object, where: str, column: str) -> None:
    """UserError for what is not text, Unusable where it is empty."""
    if not isinstance(value, str):
        raise UserError(f"{where}, column {column}: {value!r} is not text")
    if not value.strip():
        raise Unusable(f"{where}, column {column}: empty text")
    check_characters(value, where, column)


def check_characters(value: str, where: str, column: str) -> None:
    """UserError for a text that was decoded wrongly."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UserError(
            f"{where}, column {column}: half a surrogate pair at {error.start}, which is no "
            "character; the file was decoded wrongly when it was made"
        ) from None


def identity(value: object) -> str:
    """An id as text; "" for none. Null is no id, and not the text "None"."""
    return "" if value is None else str(value).strip()


def pair(first: str, second: str) -> Reader:
    return lambda row: {"texts": (row[first], row[second]), "label": row["label"]}


def words(tags: str) -> Reader:
    return lambda row: {"words": row["tokens"], "tags": row[tags]}


def listed(value: object) -> tuple:
    """A list as a tuple. TypeError for anything else: text is no list of letters."""
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"{value!r} is not a list")
    return tuple(value)


def joined(first: object, second: object) -> str:
    """Two texts as one. TypeError for anything else: a missing one would be read as "None"."""
    if not isinstance(first, str) or not isinstance(second, str):
        raise TypeError(f"{first!r} or {second!r} is not text")
    return f"{first} {second}"


def question(row: dict) -> dict:
    """SQuAD and its translations; no answers means that the context does not answer the question
    (SQuAD v2)."""
    answers = row["answers"]
    return {
        "question": row["question"],
        "context": row["context"],
        "id": identity(row.get("id")),
        "answers": listed(answers["text"]),
        "starts": listed(answers["answer_start"]),
    }


def number(value: object) -> object:
    """The number of a choice, which data sets have as a number or as text. None for no gold label;
    what is neither is left as it is, and refused where rows are checked."""
    if value is None or value == "":
        return None
    return int(value) if isinstance(value, str) and re.fullmatch("-1|[0-9]", value) else value


def hellaswag(row: dict) -> dict:
    return {"context": row["ctx"], "choices": listed(row["endings"]), "label": number(row["label"])}


def commonsenseqa(row: dict) -> dict:
    """Its choices have letters. Test rows come without the answer's."""
    choices, answer = row["choices"], row["answerKey"]
    letters = listed(choices["label"])
    label = (
        None
        if answer is None or answer == ""
        else letters.index(answer)
        if letters.count(answer) == 1
        else str(answer)
    )
    return {"context": row["question"], "choices": listed(choices["text"]), "label": label}


def cosmosqa(row: dict) -> dict:
    """The question goes with each answer, so that a long context is what truncation cuts."""
    return {
        "context": row["context"],
        "label": number(row["label"]),
        "choices": tuple(joined(row["question"], row[f"answer{which}"]) for which in range(4)),
    }


def copa(row: dict) -> dict:
    return {
        "context": row["premise"],
        "label": row["label"],
        "choices": tuple(
            joined(ASKED[row["question"]], row[name]) for name in ("choice1", "choice2")
        ),
    }


def social_iqa(row: dict) -> dict:
    """Its labels count from "1"."""
    label = number(row["label"])
    return {
        "context": row["context"],
        "label": label - 1 if type(label) is int else label,
        "choices": tuple(joined(row["question"], row[f"answer{letter}"]) for letter in "ABC"),
    }


def translation(row: dict) -> dict:
    return {"source": row["source_sentence"], "english": row["target_sentence"]}


def text(row: dict) -> dict:
    return {"text": row["text"]}


def sentences(context: str) -> list[tuple[int, int]]:
    """Beginning and end of each sentence, by its punctuation alone."""
    found, start = [], 0
    for end in [*(match.end() for match in SENTENCE_END.finditer(context)), len(context)]:
        inside = context[start:end]
        if inside.strip():
            found.append((end - len(inside.lstrip()), start + len(inside.rstrip())))
        start = end
    return found


def answer_sentence(row: dict) -> dict:
    """LAReQA: find the sentence that answers the question, among all sentences in all languages.

    XQuAD-R as its authors publish it says where sentences break (`sentence_breaks`); the Hub's copy
    does not, nor does SQuAD, from which the task is trained: there punctuation decides. Thai has
    none: its candidates are nearly whole paragraphs there."""
    context, answers = row["context"], row["answers"]
    # blanks before it may end the sentence before
    start = answers["answer_start"][0] + inner(answers["text"][0])[0]
    breaks = [tuple(part) for part in row.get("sentence_breaks") or ()] or sentences(context)
    # none: "", which is dropped
    own = next((part for part in breaks if part[0] <= start < part[1]), (0, 0))
    return {
        "id": identity(row["id"]),
        "query": row["question"],
        "answer": (context[own[0] : own[1]], context),
        "sentences": tuple((context[first:last], context) for first, last in breaks),
    }


def mention(row: dict) -> dict:
    """Mewsli-X: find the entity that a mention in its context means. `entity` is its id,
    `description` its text."""
    found = (row["description"], "")
    return {
        "id": identity(row["entity"]),
        "query": row["mention"],
        "answer": found,
        "sentences": (found,),
    }


def translated(names: Iterable[str]) -> Reader:
    """Rows that `translate` wrote: they are of their kind already, and have these columns."""
    names = tuple(names)

    def read(row: dict) -> dict:
        lacking = [name for name in names if name not in row]
        if lacking:
            raise KeyError(f"{', '.join(lacking)}; translated rows have {', '.join(names)}")
        return {
            name: tuple(row[name]) if isinstance(row[name], list) else row[name] for name in names
        }

    return read


def is_tydiqa_language(row: dict, language: str) -> bool:
    """TyDiQA has one configuration for all languages; the id begins with the language's English
    name. UserError for a row without one."""
    if not identity(row["id"]):
        raise UserError(
            "a row of TyDiQA-GoldP has no id, which says its language; its question: "
            f"{visible(str(row['question']))}"
        )
    return row["id"].startswith(TYDIQA_NAMES[language])
