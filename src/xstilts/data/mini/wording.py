"""Says the facts of the synthetic world in a language: words and sentences come from languages/<language>.toml.

    words = load("fi");  say(words, Fact("Anna", "lives", "CL"), 1) -> "Henkilön Anna kotimaa on Chile."

`words` is what one language has: the tables of its file, CLDR's names added. The format is explained in en.toml.
"""
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

from . import cldr
from .translator import garbled, left_in_english
from .world import ALL_NAMES, POOLS, RELATIONS, SENTENCES, SPLITS, WOMEN

FOLDER = Path(__file__).parent / "languages"
LANGUAGES = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
# a slot, a word with the marks, apostrophes and hyphens in it, or one mark of punctuation
MARKS = re.escape(".,:;!?()¡¿\"«»“”„…&·。、，：；？！「」『』・؟،؛।")
TOKEN = re.compile(rf"\{{\w+\}}|[^\s{{}}{MARKS}]+|[{MARKS}]")
FORMS = re.compile(r"\(([^()|]*)\|([^()|]*)\)")
PLAIN = ("age", *SENTENCES)    # kinds whose codes need no word


class Fact(NamedTuple):
    person: str
    relation: str
    value: str     # a code of the relation's class


def entries(text, where):
    """'code: word, code: word' -> {code: word}. ValueError names the place of an entry without a colon."""
    table = {}
    for entry in " ".join(text.split()).rstrip(",").split(", "):
        code, colon, word = entry.partition(": ")
        if not colon or code in table:
            raise ValueError(f"{where}: {entry!r} is not 'code: word', or comes twice")
        table[code] = word.strip()
    return table


@cache
def load(language, noise=0.0):
    """The tables of one language, read once. noise: the share of words that the imperfect translator gets wrong.

    ValueError names the file, the key and the codes for which there is no word.
    """
    path = FOLDER / f"{language}.toml"
    words = tomllib.loads(path.read_text(encoding="utf-8"))
    own = {kind: entries(text, f"{path.name}: [words] {kind}") for kind, text in words["words"].items()}
    known = {kind: cldr.names(language, kind) for kind in cldr.KINDS}
    if not words["spaces"]:            # CLDR has a space in Japanese names of currencies
        known = {kind: {code: name.replace(" ", "") for code, name in names.items()} for kind, names in known.items()}
    words["words"] = {kind: known.get(kind, {}) | own.get(kind, {}) for kind in sorted({*known, *own})}
    for kind in POOLS:
        lacking = [code for split in SPLITS for code in POOLS[kind][split] if code not in words["words"].get(kind, {})]
        if kind not in PLAIN and lacking:
            raise ValueError(f"{path.name}: [words] {kind} lacks {', '.join(lacking)}")
    lacking = [name for name in ALL_NAMES if name not in words["words"].get("name", {})] if words["script"] != "Latin" else []
    if lacking:
        raise ValueError(f"{path.name}: [words] name lacks {', '.join(lacking)}")
    words["names"] = words["words"].pop("name", {})
    words["word_tags"] = {kind: tag for tag, kinds in words["word_tags"].items() for kind in kinds.split()}
    words["language"], words["gap"] = language, " " if words["spaces"] else ""
    # clauses that stand at the start as well as in the middle of a sentence, because a name begins them
    words["clauses"] = {relation: [re.sub(r"\s*[.。।]$", "", text) for text, _ in wordings if text.startswith("{p}")]
                        for relation, wordings in words["statements"].items()}
    words["noise"] = noise if language != "en" else 0.0
    return words


def name(words, person):
    """A person's name in the language's script."""
    return words["names"].get(person, person)


def word(words, kind, code, person=None):
    """The word for a value; in the form for the person who has it, where a language has two."""
    if kind == "age":
        return code
    if words["noise"] and left_in_english(kind, code, words["noise"]):
        words = load("en")
    if person in WOMEN and code in words["words"].get(f"{kind}_f", ()):
        kind = f"{kind}_f"
    return words["words"][kind][code]


def value(words, fact):
    return word(words, RELATIONS[fact.relation], fact.value, fact.person)


def agreeing(template, woman):
    """The template with one of each (form for men|form for women)."""
    return FORMS.sub(r"\2" if woman else r"\1", template) if "|" in template else template


def fill(words, template, **slots):
    """A template with its slots filled; names of people in the language's script, words that agree with {p}."""
    template = agreeing(template, slots.get("p") in WOMEN)
    if words["noise"]:
        template = garbled(words, template, " ".join(slots.values()))
    text = template.format(**{slot: words["names"].get(filler, filler) for slot, filler in slots.items()})
    return text if words["spaces"] else "".join(text.split())


def join(words, sentences):
    return words["gap"].join(sentences)


def _wording(wordings, k):
    return wordings[k % len(wordings)][0]


def say(words, fact, k):
    """The fact as a sentence, in its k-th wording."""
    return fill(words, _wording(words["statements"][fact.relation], k), p=fact.person, x=value(words, fact))


MARK = "\N{REPLACEMENT CHARACTER}"


def say_with_span(words, fact, k):
    """The fact as a sentence, and where in it the value begins."""
    return with_span(words, _wording(words["statements"][fact.relation], k), "x", p=fact.person, x=value(words, fact))


def with_span(words, template, slot, **slots):
    """The filled template, and where in it the filler of one slot begins."""
    text = fill(words, template.replace(f"{{{slot}}}", f"{MARK}{{{slot}}}"), **slots)
    return text.replace(MARK, ""), text.index(MARK)


def ask(words, person, relation, k):
    """The question for a person's value, in its k-th wording."""
    return fill(words, _wording(words["questions"][relation], k), p=person)


def clause(words, fact, k):
    """The fact without its full stop, in a wording that begins with the name."""
    clauses = words["clauses"][fact.relation]
    return fill(words, clauses[k % len(clauses)], p=fact.person, x=value(words, fact))


@cache
def tokens(text, tags):
    """(token, tag) for every token of a sentence with slots; a slot is its own tag."""
    found, tags = TOKEN.findall(text), tags.split()
    if len(found) != len(tags):
        raise ValueError(f"{len(found)} tokens but {len(tags)} tags in a language file: {text!r}")
    return list(zip(found, tags))


def tagged(words, sentence, slots, woman):
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
