"""Row makers of the synthetic benchmark for tagging, retrieval and masked language modelling.

    udpos(random.Random("udpos/train/0/7"), "train", load("fi"), 7) -> {"tokens": [...], "pos_tags": [...]}
"""
import random
from functools import cache

from .wording import TOKEN, Fact, ask, load, say, tagged, value, word
from .world import NAMES, POOLS, RELATIONS, people, pick, pool, some

POS_TAGS = tuple("ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split())
NER_TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")


def scene(rng, split, words):
    """One of the free scenes: its [text, tags] pair and what fills its slots, as udpos and text need it."""
    sentence = pick(rng, words["scenes"]["list"])
    p, q = people(rng, split, 2)
    slots = {"p": (p, "PROPN"), "q": (q, "PROPN")}
    for kind in ("adj", "adv", "num", "object"):
        codes = pool(kind, split) if kind in POOLS else list(words["words"][kind])
        slots[kind] = (word(words, kind, pick(rng, codes)), words["word_tags"][kind])
    return sentence, slots


def udpos(rng, split, words, i):
    """A fact, a question or a scene, tagged word by word: half of the rows are scenes."""
    kind = rng.random()
    if kind < 0.5:
        sentence, slots = scene(rng, split, words)
    else:
        relation = pick(rng, list(RELATIONS))
        fact = Fact(people(rng, split, 1)[0], relation, pick(rng, pool(RELATIONS[relation], split)))
        sentence = pick(rng, words["statements" if kind < 0.85 else "questions"][relation])
        slots = {"p": (fact.person, "PROPN"), "x": (value(words, fact), words["word_tags"][RELATIONS[relation]])}
    tokens, tags = tagged(sentence, slots)
    return {"tokens": tokens, "pos_tags": [POS_TAGS.index(tag) for tag in tags]}


def panx(rng, split, words, i):
    """Names in context: a surname or a city is one entity by itself and part of another inside an organisation."""
    entities = words["entities"]
    women_or_men = NAMES[split]["women" if rng.random() < 0.5 else "men"]
    first, (surname, other, *more) = some(rng, women_or_men, 2), some(rng, NAMES[split]["surnames"], 6)
    cities = some(rng, pool("city", split), 4)
    town, elsewhere, *seats = (word(words, "city", code) for code in cities)
    slots = {"p": (f"{first[0]} {surname}", "PER"), "q": (f"{first[1]} {other}", "PER"), "l": (surname, "PER"),
             "m": (other, "PER"), "t": (town, "LOC"), "u": (elsewhere, "LOC"),
             "c": (word(words, "country", pick(rng, pool("country", split))), "LOC")}
    patterns = some(rng, entities["organisations"], 2)
    for name, pattern, seat, founders in zip("on", patterns, seats, (more[:2], more[2:])):
        slots[name] = (pattern.format(t=seat, l=founders[0], m=founders[1]), "ORG")
    tokens, tags = [], []
    for token in TOKEN.findall(pick(rng, entities["sentences"])):
        if token[0] == "{":
            filler, kind = slots[token[1:-1]]
            parts = filler.split()
            tokens += parts
            tags += [NER_TAGS.index(f"B-{kind}")] + [NER_TAGS.index(f"I-{kind}")] * (len(parts) - 1)
        else:
            tokens.append(token)
            tags.append(0)
    return {"tokens": tokens, "ner_tags": tags, "langs": [words["language"]] * len(tokens)}


@cache
def all_facts(split):
    """Every fact that a split can state, in one fixed random order."""
    rng = random.Random(f"tatoeba/{split}")
    names = NAMES[split]["women"] + NAMES[split]["men"]
    facts = [Fact(p, relation, code) for p in names for relation, kind in RELATIONS.items() for code in pool(kind, split)]
    return some(rng, facts, len(facts))


def tatoeba(rng, split, words, i):
    """A fact in this language and in English. No fact comes twice, but every name, relation and value comes often, so
    that only all three together find the translation. Past the last single fact, rows have two facts."""
    facts = all_facts(split)
    lap, at = divmod(i, len(facts))
    chosen = [facts[at]] + [facts[(at + 101 * lap) % len(facts)]] * (lap > 0)
    ks = [int(rng.random() * 3) for _ in chosen]
    source, target = (" ".join(say(w, fact, k) for fact, k in zip(chosen, ks)) for w in (words, load("en")))
    return {"source_sentence": source, "target_sentence": target, "source_lang": words["language"], "target_lang": "en"}


def text(rng, split, words, i):
    """A passage in which every fact comes twice in two wordings, the second time now and then as question and answer,
    with a scene between: a masked name or value can be found by looking across sentences."""
    trio = people(rng, split, 3)
    kinds = some(rng, RELATIONS, 3)
    facts = some(rng, [(p, relation) for p in trio for relation in kinds], 3 + int(rng.random() * 2))
    facts = [Fact(p, relation, pick(rng, pool(RELATIONS[relation], split))) for p, relation in facts]
    ks = {fact: int(rng.random() * 3) for fact in facts}
    sentences = [say(words, fact, ks[fact]) for fact in facts]
    if rng.random() < 0.5:
        sentence, slots = scene(rng, split, words)
        sentences.append(sentence[0].format(**{name: filler for name, (filler, _) in slots.items()}))
    for fact in some(rng, facts, len(facts)):
        if rng.random() < 0.3:
            sentences.append(ask(words, fact.person, fact.relation, int(rng.random() * 2)))
        sentences.append(say(words, fact, ks[fact] + 1 + int(rng.random() * 2)))
    return {"text": " ".join(sentences)}
