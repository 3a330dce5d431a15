"""Questions about texts, choices, and sentences in two languages."""

from __future__ import annotations

import bz2
import re

from xstilts.errors import UserError
from xstilts.public_rows.formats import (
    Raw,
    fields,
    is_held_out,
    lines,
    objects,
    parsed,
    questions,
    records,
)

# the last sentence of a context, where an ending goes on with it
BEGUN = re.compile(r'(.*[.!?]"?) ([a-z].*)', re.DOTALL)
COSMOS = ("id", "context", "question", "answer0", "answer1", "answer2", "answer3", "label")
LETTERS = ("A", "B", "C", "D", "E")


def without(rows: list[dict], *columns: str) -> list[dict]:
    return [{name: row[name] for name in row if name not in columns} for row in rows]


def xquad(raw: Raw) -> list[dict]:
    """SQuAD's JSON without the titles: XQuAD and MLQA."""
    return without(questions(raw), "title")


def lareqa(raw: Raw) -> list[dict]:
    """With the sentences of the paragraph, among which an answer is looked for."""
    found = []
    for article in parsed(raw)["data"]:
        for paragraph in article["paragraphs"]:
            found += [
                {
                    "sentences": paragraph["sentences"],
                    "sentence_breaks": paragraph["sentence_breaks"],
                }
            ] * len(paragraph["qas"])
    return [
        {**row, **there} for row, there in zip(without(questions(raw), "title"), found, strict=True)
    ]


def squad_of_tokens(contexts: Raw, asked: Raw, answers: Raw, spans: Raw) -> list[dict]:
    """Four files with a line a row, as tokens. Rows are left out whose answer is not what the span
    of tokens has."""
    files = [lines(file) for file in (contexts, asked, answers, spans)]
    found = []
    for number, (context, question, answer, span) in enumerate(zip(*files, strict=True)):
        tokens, (first, last) = context.split(" "), map(int, span.split())
        if " ".join(tokens[first : last + 1]) != answer:
            continue
        start = len(" ".join([*tokens[:first], ""]))
        found.append(
            {
                "id": f"qasystem-val-{number}",
                "title": "",
                "context": context,
                "question": question,
                "answers": {"text": [answer], "answer_start": [start]},
            }
        )
    return found


def squad_without_xquad(raw: Raw, xquad: Raw) -> list[dict]:
    """SQuAD's development rows, but for the paragraphs that XQuAD has."""
    tested = {row["context"].strip() for row in questions(xquad)}
    return [row for row in questions(raw) if row["context"].strip() not in tested]


def answered(raw: Raw, xquad: Raw) -> list[dict]:
    """Of these the ones that have an answer: SQuAD 1.1."""
    return [row for row in squad_without_xquad(raw, xquad) if row["answers"]["text"]]


def squad_articles(raw: Raw, xquad: Raw, held_out: bool) -> list[dict]:
    """Rows of one article are on one side: every fourth title is held out."""
    rows = squad_without_xquad(raw, xquad)
    titles = sorted({row["title"] for row in rows})[::4]
    return [row for row in rows if (row["title"] in titles) is held_out]


def hellaswag(raw: Raw) -> list[dict]:
    """Plain text, six lines a row: the context after its activity, the label, four endings."""
    said = lines(Raw(raw.where, bz2.decompress(raw.content)))
    if len(said) % 6:
        raise UserError(f"{raw.where}: {len(said)} lines, where each row has 6")
    found = []
    for number in range(0, len(said), 6):
        activity, _, context = said[number].partition(": ")
        begun = BEGUN.fullmatch(context)
        found.append(
            {
                "ind": number // 6,
                "activity_label": activity,
                "ctx_a": begun[1] if begun else context,
                "ctx_b": begun[2] if begun else "",
                "ctx": context,
                "endings": said[number + 2 : number + 6],
                "source_id": "",
                "split": "val",
                "split_type": "",
                "label": said[number + 1],
            }
        )
    return found


def cosmos(raw: Raw, held_out: bool) -> list[dict]:
    """Rows of one context are on one side: a fifth of the contexts is held out."""
    return [
        {**{name: row[name] for name in COSMOS}, "label": int(row["label"])}
        for row in records(raw, *COSMOS)
        if is_held_out(row["context"], 5) is held_out
    ]


def commonsense(raw: Raw, split: str) -> list[dict]:
    """Rows whose answer is written in several options are left out."""
    found = []
    for number, row in enumerate(parsed(raw)):
        if row["cands"].count(row["answer"]) == 1:
            found.append(
                {
                    "id": f"gkp-{split}-{number}",
                    "question": row["query"],
                    "question_concept": "",
                    "choices": {"label": list(LETTERS), "text": row["cands"]},
                    "answerKey": LETTERS[row["cands"].index(row["answer"])],
                }
            )
    return found


def copa(raw: Raw) -> list[dict]:
    """UserError where all labels are one: the English test file hides them so."""
    found = [{**row, "changed": bool(row.get("changed", False))} for row in objects(raw)]
    if len({row["label"] for row in found}) == 1:
        raise UserError(f"{raw.where}: all labels are {found[0]['label']}, a placeholder")
    return found


def tatoeba(raw: Raw, english: Raw, language: str) -> list[dict]:
    here, there = lines(raw), lines(english)
    if len(here) != len(there):
        raise UserError(f"{raw.where}: {len(here)} sentences, {len(there)} in English")
    return [_translation(*pair, language) for pair in zip(here, there, strict=True) if all(pair)]


def _translation(source: str, target: str, language: str) -> dict:
    return {
        "source_sentence": source,
        "target_sentence": target,
        "source_lang": language,
        "target_lang": "en",
    }


def candidates(raw: Raw) -> list[dict]:
    """BUCC's sentences with their ids."""
    return [{"id": name, "sentence": sentence} for name, sentence in fields(raw, 2)]


def gold(raw: Raw) -> list[dict]:
    """BUCC's pairs of ids."""
    return [{"source_id": one, "target_id": other} for one, other in fields(raw, 2)]


def mined(raw: Raw, english: Raw, pairs: Raw, language: str) -> list[dict]:
    """BUCC's pairs. UserError for one whose sentence is not there."""
    here, there = dict(fields(raw, 2)), dict(fields(english, 2))
    try:
        return [_translation(here[one], there[two], language) for one, two in fields(pairs, 2)]
    except KeyError as error:
        raise UserError(f"{pairs.where}: no sentence has the id {error}") from error
