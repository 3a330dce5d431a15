"""A deliberately imperfect translator, word by word and phrase by phrase: what training rows look
like after machine translation from English.

    load("fi", noise=0.2)     # every fifth word goes wrong

Its errors are those of real ones: a word in a wrong sense (another word of its class), a word
dropped, two words in the wrong order, and names of things left in English. Like real ones it is
steady: the same sentence always gets the same translation. Names of people and the values that a
task is about stay, so that labels and spans hold."""

import random
import re
from functools import cache
from typing import Any

from xstilts.synthetic.tables import MARK, TOKEN, load, tokens

KINDS = ("sense", "drop", "order")


def left_in_english(kind: str, code: str, noise: float) -> bool:
    """Whether this word is one that the translator does not know."""
    return random.Random(f"copy/{kind}/{code}").random() < noise / 2


@cache
def _senses(language):
    """tag -> different words with that tag in a language's tagged sentences: what can be taken for
    each other."""
    words, found = load(language), {}
    for section in ("statements", "questions"):
        for wordings in words[section].values():
            for text, tags in wordings:
                for token, tag in tokens(text.replace("(", "").replace(")", ""), tags):
                    if token[0] != "{" and tag != "PUNCT" and "|" not in token:
                        found.setdefault(tag, {})[token] = tag
    tag_of = {token: tag for table in found.values() for token, tag in table.items()}
    return {tag: list(table) for tag, table in found.items()}, tag_of


def garbled(words: dict, sentence: Any, about: str) -> Any:
    """A template, or the (token, tag) pairs of one, as the translator gives it. `about`: the
    fillers of its slots.

    A template keeps its slots and its punctuation, and at least one word.
    """
    rng = random.Random(
        f"noise/{words['language']}/{words['noise']}/{about}/{sentence}".replace(MARK, "")
    )
    senses, tag_of = _senses(words["language"])
    if isinstance(sentence, str):
        pieces: list[list] = [[piece, None] for piece in re.split(rf"({TOKEN.pattern})", sentence)]
        words_at = range(1, len(pieces), 2)
    else:
        pieces = [list(pair) for pair in sentence]
        words_at = range(len(pieces))
    places = [place for place in words_at if not _fixed(pieces[place][0], MARK)]
    for at, place in enumerate(places):
        if rng.random() >= words["noise"]:
            continue
        error = KINDS[int(rng.random() * 3)]
        tag = pieces[place][1] or tag_of.get(pieces[place][0])
        if error == "sense" and len(senses.get(tag, ())) > 1:
            others = [token for token in senses[tag] if token != pieces[place][0]]
            pieces[place][0] = others[int(rng.random() * len(others))]
        elif error == "drop" and len(places) > 1 and sum(bool(pieces[p][0]) for p in places) > 1:
            pieces[place][0] = ""
        elif at + 1 < len(places):
            after = places[at + 1]
            pieces[place], pieces[after] = pieces[after], pieces[place]
    if not isinstance(sentence, str):
        return [tuple(pair) for pair in pieces if pair[0]]
    text = " ".join("".join(piece for piece, _ in pieces).split())
    # French has them spaced
    return text if re.search(r"\s[?!:;]", sentence) else re.sub(r" +(?=[.,;:?!।])", "", text)


def _fixed(token, mark):
    return token[:1] in ("{", mark) or not any(letter.isalnum() for letter in token)
