"""Row makers of the synthetic benchmark for questions about a passage: SQuAD and its relatives.

squad(Random("squad/train/0/7"), "train", load("fi"), 7, 2)
-> {"id": ..., "title": ..., "context": ..., "question": ..., "answers": {...}}
"""

import re
from collections.abc import Sequence
from random import Random

from xstilts.synthetic.makers.inference import wording
from xstilts.synthetic.wording import Fact, ask, fill, name, say_with_span, value, with_span, word
from xstilts.synthetic.world import COUNTRY_OF, RELATIONS, people, pick, pool, some, values

END = re.compile(r"[.。।]\s*")  # no name and no word has such a mark


def passage(
    words: dict,
    rng: Random,
    sentences: Sequence[tuple[str, int]],
    answer: tuple[str, int] | None,
) -> tuple[str, int | None]:
    """Shuffled (text, start) sentences as one text, and where in it the answer's value begins."""
    context, start = "", None
    for text, at in some(rng, sentences, len(sentences)):
        context += words["gap"] if context else ""
        if (text, at) == answer:
            start = len(context) + at
        context += text
    return context, start


def squad(
    rng: Random,
    split: str,
    words: dict,
    i: int,
    level: int = 2,
    unseen: bool = False,
    answerable: float = 1.0,
) -> dict:
    """A passage about three people; two or three of them have the relation asked for, so the name
    decides.

    Level 1: three facts, one of each. 2: five to seven. 3: nine or ten, and half of the questions
    are two steps away: in which country does somebody work, who works in a city that another
    sentence places. unseen: a question in words of its own.
    answerable: share of the questions that have an answer; the others ask for what the passage says
    of the other two."""
    trio = people(rng, split, 3)
    r = pick(rng, list(RELATIONS))
    facts = [Fact(p, r, x) for p, x in zip(trio, values(rng, r, split, 3), strict=False)]
    size = {1: 3, 2: 5 + int(rng.random() * 3), 3: 9}[level]
    # a split may have but two values of a relation
    told = trio[len(facts) :] if level == 1 else trio
    others = some(rng, [(p, s) for p in told for s in RELATIONS if s != r], size - len(facts))
    q = int(rng.random() * 2)
    asked = pick(rng, facts)
    for p, s in others:
        facts.append(Fact(p, s, pick(rng, pool(RELATIONS[s], split))))
    # the relation asked for is never worded like the question, for none of the three
    ks = {
        fact: pick(rng, [k for k in range(3) if k != q]) if fact.relation == r else wording(rng)
        for fact in facts
    }
    has_answer = answerable == 1 or rng.random() < answerable
    if level == 3 and rng.random() < 0.5:
        return _two_steps(
            rng,
            split,
            words,
            i,
            trio,
            [fact for fact in facts if RELATIONS[fact.relation] not in ("city", "country")],
            has_answer,
        )
    said = {
        fact: say_with_span(words, fact, ks[fact]) for fact in facts if has_answer or fact != asked
    }
    context, start = passage(words, rng, list(said.values()), said.get(asked))
    question = (
        fill(words, words["unseen"][r], p=asked.person)
        if unseen
        else ask(words, asked.person, r, q)
    )
    return _row(words, split, i, trio, context, question, value(words, asked), start)


def _two_steps(rng, split, words, i, trio, facts, has_answer):
    """Three people, five cities: a country that is named is the answer no more often than one of
    the five."""
    towns = some(rng, [town for town in pool("city", split) if town in COUNTRY_OF], 5)
    at = int(rng.random() * 3)
    country = word(words, "country", COUNTRY_OF[towns[at]])
    sentences = [say_with_span(words, fact, 1) for fact in facts[:2]]
    sentences += [
        say_with_span(words, Fact(p, "city", town), 1)
        for p, town in zip(trio, towns, strict=False)
        if has_answer or p != trio[at]
    ]
    places = [
        with_span(
            words,
            words["place"]["city_in"],
            "y",
            x=word(words, "city", town),
            y=word(words, "country", COUNTRY_OF[town]),
        )
        for town in towns
    ]
    context, start = passage(words, rng, sentences + places, places[at] if has_answer else None)
    question = fill(words, words["place"]["asks"], p=trio[at])
    return _row(words, split, i, trio, context, question, country, start)


def _row(words, split, i, trio, context, question, answer, start):
    answers = (
        {"text": [], "answer_start": []}
        if start is None
        else {"text": [answer], "answer_start": [start]}
    )
    return {
        "id": f"{split}-{i}",
        "title": ", ".join(name(words, p) for p in trio),
        "context": context,
        "question": question,
        "answers": answers,
    }


def squad2(rng: Random, split: str, words: dict, i: int, level: int = 2) -> dict:
    """A third of the questions have no answer: the passage has the relation, but not for the person
    asked about."""
    return squad(rng, split, words, i, level, answerable=2 / 3)


def xquad(rng: Random, split: str, words: dict, i: int) -> dict:
    row = squad(rng, split, words, i)
    del row["title"]
    return row


def mlqa(rng: Random, split: str, words: dict, i: int) -> dict:
    row = squad(rng, split, words, i)
    return {column: row[column] for column in ("context", "question", "answers", "id")}


def tydiqa(rng: Random, split: str, words: dict, i: int) -> dict:
    """The question is written without a look at the passage: it shares the name with it, and little
    words."""
    return squad(rng, split, words, i, unseen=True)


def lareqa(rng: Random, split: str, words: dict, i: int) -> dict:
    """A question, and a passage with the ends of its sentences: to find the one that answers, among
    all passages'. The names of all three people stand before the question, for one name is in many
    passages."""
    row = squad(rng, split, words, i)
    breaks, start = [], 0
    for match in END.finditer(row["context"]):
        breaks.append([start, match.start() + 1])
        start = match.end()
    return {
        "id": row["id"],
        "context": row["context"],
        "question": f"{row['title']}: {row['question']}",
        "answers": row["answers"],
        "sentence_breaks": breaks,
    }
