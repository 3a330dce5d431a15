"""Row makers of the synthetic benchmark for pairs of sentences: inference and paraphrase.

    mnli(Random("mnli/train/0/7"), "train", load("fi"), 7, 2)
    -> {"premise": ..., "hypothesis": ..., "label": 1}

Every maker draws what a row says from rng, split and level alone and only then words it, so a row
says the same in all languages. The label is drawn first and what could give it away (which person,
which relation, which wording, whether the value was mentioned) is drawn alike for every label.
`level` is the difficulty; 2 is the default's."""

from random import Random

from xstilts.synthetic.wording import Fact, ask, fill, join, say, word
from xstilts.synthetic.world import COUNTRY_OF, RELATIONS, people, pick, pool, some, values

ENTAILMENT, NEUTRAL, CONTRADICTION = range(3)


def wording(rng: Random) -> int:
    return int(rng.random() * 6)  # taken modulo the number of wordings, 1, 2 or 3


def nli(rng: Random, split: str, words: dict, i: int, level: int = 2) -> dict:
    """Both people have relation r, one of them also s. Whether the hypothesis is about r or s, and
    whether its value is in the premise, tells no more than one label of two from the other: 50 % at
    best; the rest is who has what.

    Level 1: one fact a premise, so that names and values in common tell two labels of three. 2: one
    to three. 3: three, and three about somebody else, who has the values that the two have not. A
    premise of one fact is the easiest to learn from."""
    a, b, c = people(rng, split, 3)
    r, s = some(rng, RELATIONS, 2)
    v, w = values(rng, r, split, 2)
    left = [
        code
        for code in pool(RELATIONS[s], split)
        if RELATIONS[r] != RELATIONS[s] or code not in (v, w)
    ]
    u, unsaid = some(rng, left, 2)
    has, lacks = some(rng, (a, b), 2)
    premise = [Fact(a, r, v), Fact(b, r, w), Fact(has, s, u)]
    label, about_r, said = int(rng.random() * 3), rng.random() < 0.5, rng.random() < 0.5
    if label == NEUTRAL:
        about_r, hypothesis = False, Fact(lacks, s, u if said else unsaid)
    elif about_r:
        me, mine, other = pick(rng, [(a, v, w), (b, w, v)])
        hypothesis = Fact(me, r, mine if label == ENTAILMENT else other)
    else:
        hypothesis = Fact(has, s, u if label == ENTAILMENT else unsaid)
    size = {1: 1, 2: 1 + int(rng.random() * 3), 3: 3}[level]
    if size == 2:  # leave out the one that no label needs
        premise = (
            premise[:2]
            if about_r
            else [fact for fact in premise if fact.person == lacks or fact.relation == s]
        )
    elif size == 1:  # the fact in question, or for a neutral hypothesis one that leaves it open
        about_it = [
            fact
            for fact in premise
            if (fact.person, fact.relation) == (hypothesis.person, hypothesis.relation)
        ]
        premise = about_it or [
            pick(rng, [fact for fact in premise if fact.person == lacks or fact.relation == s])
        ]
    if level == 3:
        t = pick(rng, [t for t in RELATIONS if t not in (r, s)])
        premise += [
            Fact(c, r, pick(rng, (v, w))),
            Fact(c, s, pick(rng, (u, unsaid))),
            Fact(c, t, values(rng, t, split, 1)[0]),
        ]
    premise = some(rng, premise, len(premise))
    return {
        "premise": join(words, [say(words, fact, wording(rng)) for fact in premise]),
        "hypothesis": say(words, hypothesis, wording(rng)),
        "label": label,
    }


def xnli(rng: Random, split: str, words: dict, i: int) -> dict:
    return nli(rng, split, words, i)


def mnli(rng: Random, split: str, words: dict, i: int, level: int = 2) -> dict:
    return nli(rng, split, words, i, level) | {"idx": i}


def anli(rng: Random, split: str, words: dict, i: int, level: int = 2) -> dict:
    """Two people at work in two cities, where the cities are, and a third person: the hypothesis
    names a city, or, two steps away, a country. A neutral one is about the third person. The city
    or country of the hypothesis is in the premise whatever the label, as an adversary would have
    it, but for the short premises.

    Level 1: short premises, about one of the two. 2: half of them short, a quarter two steps away.
    3: all two steps away, with two more facts between."""
    a, b, c = people(rng, split, 3)
    towns = some(rng, [town for town in pool("city", split) if town in COUNTRY_OF], 2)
    label, short, far = int(rng.random() * 3), rng.random() < 0.5, rng.random() < 0.5
    short, far = {1: (True, False), 2: (short, far and not short), 3: (False, True)}[level]
    at = int(rng.random() * 2)
    place, other = towns[at], towns[1 - at]
    who = {ENTAILMENT: (a, b)[at], CONTRADICTION: (b, a)[at], NEUTRAL: c}[label]
    r = pick(rng, [r for r in RELATIONS if RELATIONS[r] not in ("city", "country")])
    v = values(rng, r, split, 3)
    at_work = [Fact(p, "city", town) for p, town in zip((a, b), towns, strict=True)]
    if short:  # the fact in question, or for a neutral hypothesis one that leaves it open
        at_work = [fact for fact in at_work if fact.person == who] or [pick(rng, at_work)]
    sentences = [say(words, fact, 1) for fact in at_work]
    if not short:
        sentences += [
            fill(
                words,
                words["place"]["city_in"],
                x=word(words, "city", town),
                y=word(words, "country", COUNTRY_OF[town]),
            )
            for town in (place, other)
        ]
    sentences.append(say(words, Fact(c, r, v[0]), wording(rng)))
    if level == 3:
        sentences += [
            say(words, Fact(p, r, x), wording(rng)) for p, x in zip((a, b), v[1:], strict=False)
        ]
    if far:
        hypothesis = fill(
            words, words["place"]["works_in"], p=who, y=word(words, "country", COUNTRY_OF[place])
        )
    else:
        hypothesis = say(words, Fact(who, "city", place), pick(rng, (0, 2)))
    return {
        "uid": f"{split}-{i}",
        "premise": join(words, some(rng, sentences, len(sentences))),
        "hypothesis": hypothesis,
        "label": label,
        "reason": "",
    }


def qqp(rng: Random, split: str, words: dict, i: int, level: int = 2) -> dict:
    """Two questions in different wordings. What makes two of them different is the relation, or the
    person where a sentence before them names both, or which way a comparison runs, which turns
    around both ways, so that neither the words nor the order of the two names decides.

    Level 1: the relation. 2: half of the pairs the person. 3: two of five a comparison, two the
    person."""
    a, b = people(rng, split, 2)
    label, kind, k = (
        int(rng.random() * 2),
        pick(rng, {1: (2,), 2: (1, 2), 3: (0, 0, 1, 1, 2)}[level]),
        int(rng.random() * 2),
    )
    leads = ["", ""]
    if kind == 1:
        leads = [
            fill(words, words["pairs"]["lead"], p=p, q=q) + words["gap"]
            for p, q in (some(rng, (a, b), 2), some(rng, (a, b), 2))
        ]
    if kind == 0:
        scale = pick(rng, sorted(words["pairs"]["converse"]))
        pole, turned = int(rng.random() * 2), rng.random() < 0.5
        p, q = (b, a) if turned else (a, b)
        other = pole ^ turned ^ (label == 0)
        compare, comparative = words["pairs"]["compare"], words["pairs"]["converse"][scale]
        first = fill(words, compare[k].replace("{c}", comparative[pole]), p=a, q=b)
        second = fill(words, compare[1 - k].replace("{c}", comparative[other]), p=p, q=q)
    else:
        r, s = some(rng, RELATIONS, 2)
        s = r if kind == 1 else s
        same = label == 1
        first = ask(words, a, r, k)
        second = ask(words, a if same or kind == 2 else b, r if same else s, 1 - k)
    return {"question1": leads[0] + first, "question2": leads[1] + second, "label": label, "idx": i}


def pawsx(rng: Random, split: str, words: dict, i: int) -> dict:
    """Two facts, in one order and in the other; with label 0 what they say is swapped, in that
    order or not. The words are the same. So are all rows that a model is measured on, and half of
    those that it is trained on. A quarter has a person or value replaced instead of swapped, and
    another is one fact alone, in two wordings: comparing is learned from these, nothing without
    them. Facts are told in all wordings, so that who and what stands nowhere in particular."""
    a, b, c = people(rng, split, 3)
    r, s = some(rng, RELATIONS, 2)
    if rng.random() < 0.5:
        s = r
    v = values(rng, r, split, 3)
    x, y = Fact(a, r, v[0]), Fact(b, s, v[1] if s == r else values(rng, s, split, 1)[0])
    label, other, kind = (
        int(rng.random() * 2),
        rng.random() < 0.5,
        int(rng.random() * 4) if split == "train" else 3,
    )
    # a third one: training has as many of each
    replaced = x._replace(person=c) if other else x._replace(value=v[-1])
    if kind == 0:
        first, second = (
            say(words, fact, k)
            for fact, k in zip((x, x if label else replaced), some(rng, range(6), 2), strict=True)
        )
        return {"id": i, "sentence1": first, "sentence2": second, "label": label}
    if label == 1:
        told = (x, y)
    elif kind == 1:
        told = (replaced, y)
    elif r == s:
        told = (x._replace(value=y.value), y._replace(value=x.value))
    else:
        told = (x._replace(person=b), y._replace(person=a))
    turned, again, ks = (
        rng.random() < 0.5,
        label == 0 and rng.random() < 0.5,
        (wording(rng), wording(rng)),
    )

    def sentences(facts, turned):
        return join(
            words,
            [say(words, fact, k) for fact, k in zip(facts, ks, strict=True)][
                :: -1 if turned else 1
            ],
        )

    return {
        "id": i,
        "sentence1": sentences((x, y), turned),
        "sentence2": sentences(told, turned if again else not turned),
        "label": label,
    }
