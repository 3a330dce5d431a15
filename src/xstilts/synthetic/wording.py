"""Says the facts of the synthetic world in a language; words and sentences come from its `tables`.

words = load("fi");  say(words, Fact("Anna", "lives", "CL"), 1) -> "Henkilön Anna kotimaa on Chile."
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from xstilts.synthetic.tables import MARK, load, tokens
from xstilts.synthetic.translator import garbled, left_in_english
from xstilts.synthetic.world import RELATIONS, WOMEN

FORMS = re.compile(r"\(([^()|]*)\|([^()|]*)\)")


class Fact(NamedTuple):
    person: str
    relation: str
    value: str  # a code of the relation's class


def name(words: dict, person: str) -> str:
    """A person's name in the language's script."""
    return words["names"].get(person, person)


def word(words: dict, kind: str, code: str, person: str | None = None) -> str:
    """The word for a value; in the form for the person who has it, where a language has two."""
    if kind == "age":
        return code
    if words["noise"] and left_in_english(kind, code, words["noise"]):
        words = load("en")
    if person in WOMEN and code in words["words"].get(f"{kind}_f", ()):
        kind = f"{kind}_f"
    return words["words"][kind][code]


def value(words: dict, fact: Fact) -> str:
    return word(words, RELATIONS[fact.relation], fact.value, fact.person)


def agreeing(template: str, woman: bool) -> str:
    """The template with one of each (form for men|form for women)."""
    return FORMS.sub(r"\2" if woman else r"\1", template) if "|" in template else template


def fill(words: dict, template: str, **slots: str) -> str:
    """A template with its slots filled; names of people in the language's script, words that agree
    with {p}."""
    template = agreeing(template, slots.get("p") in WOMEN)
    if words["noise"]:
        template = garbled(words, template, " ".join(slots.values()))
    text = template.format(
        **{slot: words["names"].get(filler, filler) for slot, filler in slots.items()}
    )
    return text if words["spaces"] else "".join(text.split())


def join(words: dict, sentences: Iterable[str]) -> str:
    return words["gap"].join(sentences)


def _wording(wordings, k):
    return wordings[k % len(wordings)][0]


def say(words: dict, fact: Fact, k: int) -> str:
    """The fact as a sentence, in its k-th wording."""
    return fill(
        words, _wording(words["statements"][fact.relation], k), p=fact.person, x=value(words, fact)
    )


def say_with_span(words: dict, fact: Fact, k: int) -> tuple[str, int]:
    """The fact as a sentence, and where in it the value begins."""
    return with_span(
        words,
        _wording(words["statements"][fact.relation], k),
        "x",
        p=fact.person,
        x=value(words, fact),
    )


def with_span(words: dict, template: str, slot: str, **slots: str) -> tuple[str, int]:
    """The filled template, and where in it the filler of one slot begins."""
    text = fill(words, template.replace(f"{{{slot}}}", f"{MARK}{{{slot}}}"), **slots)
    return text.replace(MARK, ""), text.index(MARK)


def ask(words: dict, person: str, relation: str, k: int) -> str:
    """The question for a person's value, in its k-th wording."""
    return fill(words, _wording(words["questions"][relation], k), p=person)


def tagged(
    words: dict, sentence: Sequence[str], slots: Mapping[str, tuple[str, str]], woman: bool
) -> tuple[list[str], list[str]]:
    """Tokens and tags of a [text, tags] pair; slots: name -> (filler, tag of each of its words)."""
    pairs = tokens(agreeing(sentence[0], woman), sentence[1])
    if words["noise"]:
        pairs = garbled(words, pairs, " ".join(filler for filler, _ in slots.values()))
    found, tags = [], []
    for token, tag in pairs:
        parts = [token]
        if token[0] == "{":
            filler, tag = slots[token[1:-1]]
            parts = name(words, filler).split()
        found += parts
        tags += [tag] * len(parts)
    return found, tags
