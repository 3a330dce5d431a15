"""Row makers of the synthetic benchmark for finding translations.

tatoeba(Random("tatoeba/test/0/7"), "test", load("fi"), 7)
-> {"source_sentence": ..., "target_sentence": ...}"""

import random
from functools import cache
from random import Random

from xstilts.synthetic.tables import load
from xstilts.synthetic.wording import Fact, join, say
from xstilts.synthetic.world import NAMES, RELATIONS, pool, some

# Without what gives a pair away by its letters or digits alone: numbers, and words that are alike
# in many languages (cities, languages, months). Countries stay, since a name and a country make two
# facts.
RELATED = {
    relation: kind
    for relation, kind in RELATIONS.items()
    if kind not in ("age", "city", "language", "month")
}


@cache
def all_facts(split: str) -> list[Fact]:
    """Every fact that a split can state, in one fixed random order."""
    names = NAMES[split]["women"] + NAMES[split]["men"]
    facts = [
        Fact(p, relation, code)
        for p in names
        for relation, kind in RELATED.items()
        for code in pool(kind, split)
    ]
    return some(random.Random(f"tatoeba/{split}"), facts, len(facts))


def tatoeba(rng: Random, split: str, words: dict, i: int) -> dict:
    """A fact in this language and in English. No fact comes twice, but every name, relation and
    value comes often, so that only all three together find the translation. Past the last single
    fact, rows have two facts."""
    facts = all_facts(split)
    lap, at = divmod(i, len(facts))
    chosen = [facts[at]] + [facts[(at + 101 * lap) % len(facts)]] * (lap > 0)
    ks = [int(rng.random() * 3) for _ in chosen]
    source, target = (
        join(w, [say(w, fact, k) for fact, k in zip(chosen, ks, strict=True)])
        for w in (words, load("en"))
    )
    return {
        "source_sentence": source,
        "target_sentence": target,
        "source_lang": words["language"],
        "target_lang": "en",
    }


def bucc(rng: Random, split: str, words: dict, i: int) -> dict:
    """Of ten rows four are pairs, three have no translation and three no source: "" stands for what
    is not there."""
    row = tatoeba(rng, split, words, i)
    if i % 10 >= 4:
        row["target_sentence" if i % 10 < 7 else "source_sentence"] = ""
    return row
