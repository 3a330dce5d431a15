"""Row makers of the synthetic benchmark for choices: what comes next, why, what a word is.

hellaswag(Random("hellaswag/train/0/7"), "train", load("fi"), 7, 2)
-> {"ctx": ..., "endings": [...], ...}"""

from random import Random

from xstilts.synthetic.makers.inference import wording
from xstilts.synthetic.wording import ask, fill, join, word
from xstilts.synthetic.world import (
    COUNTRY_OF,
    POOLS,
    RELATIONS,
    WHOLE_OF,
    people,
    pick,
    pool,
    some,
    values,
)


def hellaswag(rng: Random, split: str, words: dict, i: int, level: int = 2) -> dict:
    """Two people and a chain of events. Of the four endings two have the right moment and two the
    right person (or thing), one has both: so neither an ending by itself nor what most endings
    share tells the right one.

    Level 1: the endings at the wrong moment are from another kind of chain. 2: half of the time. 3:
    never, and the events are told out of order, among those of another kind of chain."""
    a, b = people(rng, split, 2)
    events = words["events"]
    first, second = some(rng, (a, b), 2)
    lead = fill(words, words["pairs"]["lead"], p=first, q=second)
    plain = level == 1 or (level == 2 and rng.random() < 0.5)
    kind = int(rng.random() * (2 if plain else 3))

    def script():  # the next step of a script, by the person it is about
        title, *steps = events["scripts"][pick(rng, pool("script", split))]
        k, wrong = some(rng, range(3, 7), 2)
        return (
            title,
            [fill(words, steps[j], p=a) for j in range(k - 3, k)],
            [[fill(words, steps[j], p=p) for p in (a, b)] for j in (k, wrong)],
        )

    def days(kind):  # day after day, two things or two people take turns
        topic = pick(rng, ("colour", "food", "city"))
        template = events["visit" if topic == "city" else "choose"]
        x, y = values(rng, topic, split, 2)
        turns = [(a, x), (a, y)] if kind == 1 else [(a, x), (b, x)]
        k, wrong = some(rng, range(2, 6), 2)

        def day(j, turn):
            return fill(
                words, template, o=events["days"][j], p=turn[0], x=word(words, topic, turn[1])
            )

        return (
            events["title"],
            [day(j, turns[j % 2]) for j in range(k)],
            [[day(j, turn) for turn in (turns[k % 2], turns[1 - k % 2])] for j in (k, wrong)],
        )

    title, chain, (right, wrong) = script() if kind == 0 else days(kind)
    if plain:
        wrong = (days(kind=2) if kind == 0 else script())[2][0]
        wrong = wrong if rng.random() < 0.5 else wrong[::-1]
    endings = [*right, *wrong]
    if level == 3:
        chain = chain + (script() if kind else days(kind=2))[1]
        chain = some(rng, chain, len(chain))
    order = some(rng, range(4), 4)
    context = join(words, [lead, *chain])
    return {
        "ind": i,
        "activity_label": fill(words, title),
        "ctx_a": context,
        "ctx_b": "",
        "ctx": context,
        "endings": [endings[j] for j in order],
        "source_id": f"synthetic~{i}",
        "split": {"train": "train", "validation": "val", "test": "test"}[split],
        "split_type": "indomain" if split == "train" else "zeroshot",
        "label": str(order.index(0)),
    }


def cosmosqa(rng: Random, split: str, words: dict, i: int, level: int = 2) -> dict:
    """What people are like and what they do: the question is why somebody does that, or what
    somebody does then. Of the four answers two are about the right person and two are the right
    thing, one is both.

    Level 1: two people, and the passage says what is asked. 2: three people, and half the time it
    has only the cause or the effect, so that common sense must supply the other. 3: four people,
    and never both."""
    told = words["causes"]
    trio = people(rng, split, level + 1)
    codes = some(rng, pool("cause", split), 3)
    codes.append(pick(rng, codes))  # of four people two are alike
    pairs = [
        [fill(words, half, p=p) for half in told["pairs"][code]]
        for p, code in zip(trio, codes, strict=False)
    ]
    why, stated = rng.random() < 0.5, {1: True, 2: rng.random() < 0.5, 3: False}[level]
    asked, other = some(rng, range(min(len(trio), 3)), 2)
    lines = [told["reason"].format(a=a, b=b) if stated else (b if why else a) for a, b in pairs]
    lines = lines if words["spaces"] else ["".join(line.split()) for line in lines]
    # the other half of each: causes for why, effects for what then
    answers = [
        fill(words, told["pairs"][codes[j]][not why], p=trio[k])
        for j in (asked, other)
        for k in (asked, other)
    ]
    order = some(rng, range(4), 4)
    return {
        "id": f"{split}-{i}",
        "context": join(words, some(rng, lines, len(lines))),
        "question": fill(words, told["before" if why else "next"], p=trio[asked]),
        **{f"answer{n}": answers[j] for n, j in enumerate(order)},
        "label": order.index(0),
    }


def xcopa(rng: Random, split: str, words: dict, i: int) -> dict:
    """A cause or an effect, and the other half of it beside that of another. A third of them are
    two steps of a script."""
    p = people(rng, split, 1)[0]

    def draw():  # where it is from, and two sentences, one because of the other
        if rng.random() < 2 / 3:
            code = pick(rng, pool("cause", split))
            return code, words["causes"]["pairs"][code]
        code, k = pick(rng, pool("script", split)), 1 + int(rng.random() * 6)
        return code, words["events"]["scripts"][code][k : k + 2]

    code, told = draw()
    other, wrong = draw()
    while other == code:
        other, wrong = draw()
    why, label = rng.random() < 0.5, int(rng.random() * 2)
    halves = [fill(words, pair[not why], p=p) for pair in (told, wrong)]
    return {
        "premise": fill(words, told[why], p=p),
        "choice1": halves[label],
        "choice2": halves[1 - label],
        "question": "cause" if why else "effect",
        "label": label,
        "idx": i,
        "changed": False,
    }


CLASSES = [
    kind
    for kind in POOLS
    if kind not in ("food", "object", "age", "part", "adj", "adv", "num", "script", "cause")
]
PLAIN_CLASSES = ("country", "city", "month", "profession", "animal", "colour")


def commonsenseqa(rng: Random, split: str, words: dict, i: int, level: int = 2) -> dict:
    """Five words of five classes; the question names the class of one of them, any of the five
    alike.

    Level 1: of the six plainest classes. 2: of twelve (a fruit is food and a guitar is an object,
    so these two are none). 3: half of the questions are where a city is, or what has a part."""
    p, right = people(rng, split, 1)[0], int(rng.random() * 5)
    who, kind = None, pick(rng, ("class", "class", "place", "part")) if level == 3 else "class"
    if kind == "class":
        kinds = some(rng, PLAIN_CLASSES if level == 1 else CLASSES, 5)
        chosen = [(kind, pick(rng, pool(kind, split))) for kind in kinds]
        concept, phrase = (fill(words, name) for name in words["classes"]["names"][kinds[right]])
        relations = [relation for relation, kind in RELATIONS.items() if kind == kinds[right]]
        if relations and rng.random() < 0.3:  # whose profession it is: a word may agree with that
            who, question = p, ask(words, p, pick(rng, relations), 0)
        else:
            template = words["classes"]["questions"][wording(rng) % 3]
            question = fill(words, template.replace("{c}", phrase), p=p)
    elif kind == "place":
        chosen = [
            ("city", town)
            for town in some(rng, [town for town in pool("city", split) if town in COUNTRY_OF], 5)
        ]
        concept = word(words, "country", COUNTRY_OF[chosen[right][1]])
        question = fill(words, words["place"]["which"], y=concept)
    else:
        parts = some(rng, pool("part", split), 5)
        chosen = [WHOLE_OF[part] for part in parts]
        concept = word(words, "part", parts[right])
        question = fill(words, words["place"]["part"], x=concept)
    return {
        "id": f"{split}-{i}",
        "question": question,
        "question_concept": concept,
        "choices": {"label": list("ABCDE"), "text": [word(words, *each, who) for each in chosen]},
        "answerKey": "ABCDE"[right],
    }
