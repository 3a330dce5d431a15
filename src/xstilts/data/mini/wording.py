"""Says the facts of the synthetic world in a language: words and sentences come from languages/<language>.toml.

    words = load("fi");  say(words, Fact("Anna", "lives", "CL"), 1) -> "Henkilön Anna kotimaa on Chile."
"""
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from .world import RELATIONS, WOMEN

LANGUAGES = ("en", "de", "fi", "hu", "sw")
TOKEN = re.compile(r"\{\w+\}|\w+(?:['-]\w+)*|[^\w\s]")


class Fact(NamedTuple):
    person: str
    relation: str
    value: str     # a code of the relation's class


@cache
def load(language):
    """The tables of one language file, read once."""
    path = Path(__file__).parent / "languages" / f"{language}.toml"
    words = tomllib.loads(path.read_text(encoding="utf-8"))
    words["language"] = language
    # clauses that stand at the start as well as in the middle of a sentence, because a name begins them
    words["clauses"] = {relation: [text.removesuffix(".") for text, _ in wordings if text.startswith("{p}")]
                        for relation, wordings in words["statements"].items()}
    return words


def word(words, kind, code, person=None):
    """The word for a value; a profession in the form for the person who has it, where a language has two."""
    if kind == "age":
        return code
    if kind == "profession" and person in WOMEN and "profession_f" in words["words"]:
        kind = "profession_f"
    return words["words"][kind][code]


def value(words, fact):
    return word(words, RELATIONS[fact.relation], fact.value, fact.person)


def _fill(wordings, k, **slots):
    return wordings[k % len(wordings)][0].format(**slots)


def say(words, fact, k):
    """The fact as a sentence, in its k-th wording."""
    return _fill(words["statements"][fact.relation], k, p=fact.person, x=value(words, fact))


def say_with_span(words, fact, k):
    """The fact as a sentence, and where in it the value begins."""
    wordings = words["statements"][fact.relation]
    before = wordings[k % len(wordings)][0].partition("{x}")[0]
    return say(words, fact, k), len(before.format(p=fact.person))


def ask(words, person, relation, k):
    """The question for a person's value, in its k-th wording."""
    return _fill(words["questions"][relation], k, p=person)


def clause(words, fact, k):
    """The fact without its full stop, in a wording that begins with the name."""
    clauses = words["clauses"][fact.relation]
    return clauses[k % len(clauses)].format(p=fact.person, x=value(words, fact))


@cache
def tokens(text, tags):
    """(token, tag) for every token of a sentence with slots; a slot is its own tag."""
    found, tags = TOKEN.findall(text), tags.split()
    if len(found) != len(tags):
        raise ValueError(f"{len(found)} tokens but {len(tags)} tags in a language file: {text!r}")
    return list(zip(found, tags))


def tagged(sentence, slots):
    """Tokens and tags of a [text, tags] pair; slots: name -> (filler, tag of each of its words)."""
    words, tags = [], []
    for token, tag in tokens(*sentence):
        if token[0] == "{":
            filler, tag = slots[token[1:-1]]
            for part in filler.split():
                words.append(part)
                tags.append(tag)
        else:
            words.append(token)
            tags.append(tag)
    return words, tags
