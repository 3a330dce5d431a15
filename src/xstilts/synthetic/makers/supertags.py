r"""Supertags like those of combinatory categorial grammar, from universal tags and their
neighbours.

    supertags(["PROPN", "VERB", "ADP", "PROPN", "PUNCT"]) -> ["NP", r"(S\NP)/PP", "PP/NP", "NP",
    "."]

The categories are written as in CCGbank (Hockenmaier and Steedman 2007) and stand for the same
idea: a tag that says what a word still needs on its left and right. They are a rule of thumb over
tags, the same in every language, and no parse: a stand-in for CCGbank, which is licensed."""

from collections.abc import Sequence

NOMINAL = {"DET", "ADJ", "NUM", "NOUN", "PROPN", "PRON"}
VERBAL = {"VERB", "AUX"}
BREAK = {"PUNCT", "CCONJ", "SCONJ"}
CATEGORIES = (
    "N",
    "N/N",
    r"N\N",
    "NP",
    "NP/N",
    "NP/NP",
    "PP/NP",
    r"PP\NP",
    r"(NP\NP)/NP",
    "(S/S)/NP",
    "(S/S)/S",
    r"(S\S)/S",
    "S/S",
    r"S\S",
    r"S[adj]\NP",
    r"(S\NP)/(S\NP)",
    r"(S\NP)\(S\NP)",
    "(N/N)/(N/N)",
    "conj",
    ",",
    ".",
    *(
        f"{left}{right}"
        for left in ("S", r"(S\NP)")
        for right in ("/NP", "/PP", r"/(S\NP)", r"/(S[adj]\NP)")
    ),
    "S",
    r"S\NP",
)


def supertags(tags: Sequence[str]) -> list[str]:
    """One category a word; `tags` are the universal tags of a sentence."""
    return [_category(tags, i) for i in range(len(tags))]


def _category(tags, i):
    tag = tags[i]
    before, after = tags[i - 1] if i else "", tags[i + 1] if i + 1 < len(tags) else ""
    if tag == "PUNCT":
        return "." if i + 1 == len(tags) else ","
    if tag == "CCONJ":
        return "conj"
    if tag == "SCONJ":
        return "(S/S)/S" if not i or before == "PUNCT" else r"(S\S)/S"
    if tag == "INTJ":
        return "S/S"
    if tag == "DET":
        return (
            "NP/N"
            if after in ("ADJ", "NOUN", "NUM")
            else "NP/NP"
            if after in ("DET", "PROPN", "PRON")
            else "NP"
        )
    if tag in ("ADJ", "NUM"):
        if after in ("ADJ", "NOUN", "NUM", "PROPN"):
            return "N/N"
        return "N" if tag == "NUM" else r"N\N" if before == "NOUN" else r"S[adj]\NP"
    if tag == "NOUN":
        return "N/N" if after == "NOUN" else "N"
    if tag in ("PROPN", "PRON"):
        return "NP/NP" if tag == after == "PROPN" else "NP"
    if tag == "ADP":
        if after not in NOMINAL:
            return r"PP\NP"
        return "(S/S)/NP" if not i else r"(NP\NP)/NP" if before in NOMINAL else "PP/NP"
    if tag in VERBAL:
        return _verb(tags, i)
    if tag in ("ADV", "PART"):
        if after in VERBAL:
            return r"(S\NP)/(S\NP)"
        return (
            "(N/N)/(N/N)"
            if after in ("ADJ", "ADV")
            else r"(S\NP)\(S\NP)"
            if before in VERBAL
            else "S/S"
            if not i
            else r"S\S"
        )
    return "N"


def _verb(tags, i):
    """What stands in its clause before it, and what comes next: a subject, an object, a
    preposition, a verb."""
    subject = False
    for tag in reversed(tags[:i]):
        if tag in BREAK:
            break
        subject = subject or tag in NOMINAL
    after = next((tag for tag in tags[i + 1 :] if tag not in ("ADV",)), "PUNCT")
    nominal = after in NOMINAL
    if after == "ADJ":
        rest = [tag for tag in tags[i + 1 :] if tag not in ("ADV", "ADJ")]
        nominal = bool(rest) and rest[0] in ("NOUN", "PROPN", "NUM")
    need = (
        "/NP"
        if nominal
        else r"/(S[adj]\NP)"
        if after == "ADJ"
        else "/PP"
        if after == "ADP"
        else r"/(S\NP)"
        if after in VERBAL or after == "PART"
        else ""
    )
    if not need:
        return r"S\NP" if subject else "S"
    return (r"(S\NP)" if subject else "S") + need
