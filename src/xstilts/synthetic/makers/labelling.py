"""Row makers of the synthetic benchmark for words and their tags, and the passages of masked
language modelling.

    udpos(Random("udpos/train/0/7"), "train", load("fi"), 7)
    -> {"tokens": [...], "pos_tags": [...]}"""

from collections.abc import Sequence
from random import Random

from xstilts.synthetic.makers.supertags import supertags
from xstilts.synthetic.tables import TOKEN
from xstilts.synthetic.wording import (
    Fact,
    agreeing,
    ask,
    fill,
    join,
    name,
    say,
    tagged,
    value,
    word,
)
from xstilts.synthetic.world import NAMES, RELATIONS, people, pick, pool, some

POS_TAGS = tuple(
    "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()
)
NER_TAGS = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

OWNER = ("train", "train", "train", "validation", "test")


def scene(
    rng: Random, split: str, words: dict, own: bool = False
) -> tuple[Sequence[str], dict[str, tuple[str, str]], str]:
    """One of the free scenes: its [text, tags] pair and what fills its slots, as udpos and text
    need it. own: of those that only this split has; of five in a row three are for train."""
    scenes = words["scenes"]["list"]
    sentence = pick(
        rng, [each for i, each in enumerate(scenes) if OWNER[i % 5] == split] if own else scenes
    )
    p, q = people(rng, split, 2)
    slots = {"p": (p, "PROPN"), "q": (q, "PROPN")}
    for kind in ("adj", "adv", "num", "object"):
        slots[kind] = (word(words, kind, pick(rng, pool(kind, split)), p), words["word_tags"][kind])
    return sentence, slots, p


def sentence_and_tags(
    rng: Random, split: str, words: dict, level: int = 2
) -> tuple[list[str], list[str]]:
    """A fact, a question or a scene: tokens and universal tags. Level 1: facts alone, each relation
    in one wording. 2: half scenes. 3: scenes, which no other split has."""
    kind = {1: 0.6, 2: rng.random(), 3: 0.0}[level]
    if kind < 0.5:
        sentence, slots, p = scene(rng, split, words, own=level == 3)
    else:
        relation = pick(rng, list(RELATIONS))
        fact = Fact(people(rng, split, 1)[0], relation, pick(rng, pool(RELATIONS[relation], split)))
        wordings = words["statements" if kind < 0.85 else "questions"][relation]
        sentence, p = pick(rng, wordings[:1] if level == 1 else wordings), fact.person
        slots = {
            "p": (p, "PROPN"),
            "x": (value(words, fact), words["word_tags"][RELATIONS[relation]]),
        }
    return tagged(words, sentence, slots, p in _WOMEN)


_WOMEN = {woman for names in NAMES.values() for woman in names["women"]}


def udpos(rng: Random, split: str, words: dict, i: int) -> dict:
    tokens, tags = sentence_and_tags(rng, split, words)
    return {"tokens": tokens, "pos_tags": [POS_TAGS.index(tag) for tag in tags]}


def masakhapos(rng: Random, split: str, words: dict, i: int) -> dict:
    row = udpos(rng, split, words, i)
    return {"id": str(i), "tokens": row["tokens"], "upos": row["pos_tags"]}


def ccg(rng: Random, split: str, words: dict, i: int, level: int = 2) -> dict:
    """A tag that says what the word needs on its left and right. Level 1 has twelve sentences with
    other words in them, 3 has two scenes a row, and tests on sentences that were not in
    training."""
    tokens, tags = sentence_and_tags(rng, split, words, level)
    categories = supertags(tags)
    if level == 3:
        more, tags = sentence_and_tags(rng, split, words, level)
        tokens, categories = tokens + more, categories + supertags(tags)
    return {"tokens": tokens, "tags": categories}


def panx(rng: Random, split: str, words: dict, i: int) -> dict:
    """Names in context: a surname or a city is one entity by itself and part of another inside an
    organisation."""
    entities = words["entities"]
    woman = rng.random() < 0.5
    first = [name(words, p) for p in some(rng, NAMES[split]["women" if woman else "men"], 2)]
    surname, other, *more = [name(words, p) for p in some(rng, NAMES[split]["surnames"], 6)]
    cities = some(rng, pool("city", split), 4)
    town, elsewhere, *seats = (word(words, "city", code) for code in cities)
    full = words["full_name"]
    slots = {
        "p": (full.format(f=first[0], l=surname), "PER"),
        "q": (full.format(f=first[1], l=other), "PER"),
        "l": (surname, "PER"),
        "m": (other, "PER"),
        "t": (town, "LOC"),
        "u": (elsewhere, "LOC"),
        "c": (word(words, "country", pick(rng, pool("country", split))), "LOC"),
    }
    patterns = some(rng, entities["organisations"], 2)
    for slot, pattern, seat, founders in zip(
        "on", patterns, seats, (more[:2], more[2:]), strict=True
    ):
        slots[slot] = (pattern.format(t=seat, l=founders[0], m=founders[1]), "ORG")
    tokens, tags = [], []
    for token in TOKEN.findall(agreeing(pick(rng, entities["sentences"]), woman)):
        if token[0] == "{":
            filler, kind = slots[token[1:-1]]
            parts = filler.split()
            tokens += parts
            tags += [NER_TAGS.index(f"B-{kind}")] + [NER_TAGS.index(f"I-{kind}")] * (len(parts) - 1)
        else:
            tokens.append(token)
            tags.append(0)
    return {"tokens": tokens, "ner_tags": tags, "langs": [words["language"]] * len(tokens)}


def masakhaner(rng: Random, split: str, words: dict, i: int) -> dict:
    row = panx(rng, split, words, i)
    return {"id": str(i), "tokens": row["tokens"], "ner_tags": row["ner_tags"]}


def text(rng: Random, split: str, words: dict, i: int) -> dict:
    """A passage in which every fact comes twice in two wordings, the second time now and then as
    question and answer, with a scene between: a masked name or value can be found by looking across
    sentences."""
    trio = people(rng, split, 3)
    kinds = some(rng, RELATIONS, 3)
    pairs = some(
        rng, [(p, relation) for p in trio for relation in kinds], 3 + int(rng.random() * 2)
    )
    facts = [
        Fact(p, relation, pick(rng, pool(RELATIONS[relation], split))) for p, relation in pairs
    ]
    ks = {fact: int(rng.random() * 3) for fact in facts}
    sentences = [say(words, fact, ks[fact]) for fact in facts]
    if rng.random() < 0.5:
        sentence, slots, _ = scene(rng, split, words)
        sentences.append(
            fill(words, sentence[0], **{slot: filler for slot, (filler, _) in slots.items()})
        )
    for fact in some(rng, facts, len(facts)):
        if rng.random() < 0.3:
            sentences.append(ask(words, fact.person, fact.relation, int(rng.random() * 2)))
        sentences.append(say(words, fact, ks[fact] + 1 + int(rng.random() * 2)))
    return {"text": join(words, sentences)}
