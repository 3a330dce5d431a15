"""Row makers of the synthetic benchmark for tasks over sentences: inference, paraphrase, questions, common sense.

    nli(random.Random("mnli/train/0/7"), "train", load("fi"), 7) -> {"premise": ..., "hypothesis": ..., "label": 1}

Every maker draws what a row says from rng and split alone and only then words it, so a row says the same in all
languages. The label is drawn first and what could give it away (which person, which relation, which wording,
whether the value was mentioned) is drawn alike for every label.
"""
from .wording import Fact, ask, clause, say, say_with_span, value, word
from .world import POOLS, RELATIONS, people, pick, pool, some, values

ENTAILMENT, NEUTRAL, CONTRADICTION = range(3)


def wording(rng):
    return int(rng.random() * 6)       # taken modulo the number of wordings, 1, 2 or 3


def nli(rng, split, words, i):
    """Both people have relation r, one of them also s. Whether the hypothesis is about r or s, and whether its value
    is in the premise, tells no more than one label of two from the other: 50 % at best; the rest is who has what."""
    a, b = people(rng, split, 2)
    r, s = some(rng, RELATIONS, 2)
    v, w = values(rng, r, split, 2)
    left = [code for code in pool(RELATIONS[s], split) if RELATIONS[r] != RELATIONS[s] or code not in (v, w)]
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
    size = 1 + int(rng.random() * 3)   # a third of the premises have one fact: something to begin with
    if size == 2:                      # leave out the one that no label needs
        premise = premise[:2] if about_r else [fact for fact in premise if fact.person == lacks or fact.relation == s]
    elif size == 1:                    # the fact in question, or for a neutral hypothesis one that leaves it open
        mine = [fact for fact in premise if (fact.person, fact.relation) == (hypothesis.person, hypothesis.relation)]
        premise = mine or [pick(rng, [fact for fact in premise if fact.person == lacks or fact.relation == s])]
    premise = some(rng, premise, 3)
    return {"premise": " ".join(say(words, fact, wording(rng)) for fact in premise),
            "hypothesis": say(words, hypothesis, wording(rng)), "label": label}


def mnli(rng, split, words, i):
    return nli(rng, split, words, i) | {"idx": i}


def qqp(rng, split, words, i):
    """Two questions in different wordings. Comparisons turn around both ways, so neither the words nor the order of
    the two names decides; in the second kind both people are named in both questions; the third changes the relation."""
    a, b = people(rng, split, 2)
    label, kind, k = int(rng.random() * 2), pick(rng, (0, 0, 1, 1, 2)), int(rng.random() * 2)
    if kind == 0:
        scale = pick(rng, sorted(words["pairs"]["converse"]))
        pole, turned = int(rng.random() * 2), rng.random() < 0.5
        p, q = (b, a) if turned else (a, b)
        other = pole ^ turned ^ (label == 0)
        compare, comparative = words["pairs"]["compare"], words["pairs"]["converse"][scale]
        first = compare[k].format(p=a, q=b, c=comparative[pole])
        second = compare[1 - k].format(p=p, q=q, c=comparative[other])
    else:
        r, s = some(rng, RELATIONS, 2)
        leads = [""] * 2
        if kind == 1:
            s = r
            leads = [words["pairs"]["lead"].format(p=p, q=q) + " " for p, q in (some(rng, (a, b), 2), some(rng, (a, b), 2))]
        same = label == 1
        first = leads[0] + ask(words, a, r, k)
        second = leads[1] + ask(words, a if same or kind == 2 else b, r if same else s, 1 - k)
    return {"question1": first, "question2": second, "label": label, "idx": i}


def pawsx(rng, split, words, i):
    """The same clauses in another order; label 0 also swaps the values of two of them. The words are the same."""
    a, b = people(rng, split, 2)
    r, s, t = some(rng, RELATIONS, 3)
    if rng.random() < 0.5:
        s = r
    v = values(rng, r, split, 2)
    facts = [Fact(a, r, v[0]), Fact(b, s, v[1] if s == r else values(rng, s, split, 1)[0])]
    if rng.random() < 0.5:
        facts.append(Fact(pick(rng, (a, b)), t, values(rng, t, split, 1)[0]))
    ks = [wording(rng) for _ in facts]
    order = list(range(len(facts)))
    while order == sorted(order):
        order = some(rng, order, len(order))
    label = int(rng.random() * 2)
    x, y = facts[:2]
    if label == 1:
        swapped = facts
    elif r == s:
        swapped = [Fact(x.person, r, y.value), Fact(y.person, r, x.value), *facts[2:]]
    else:
        swapped = [x._replace(person=y.person), y._replace(person=x.person), *facts[2:]]
    shown = some(rng, range(len(facts)), 3)
    joins = words["pairs"]["join" if len(facts) == 2 else "join3"]
    join = joins[wording(rng) % len(joins)]

    def sentence(facts, places):
        return join.format(**{name: clause(words, facts[j], ks[j]) for name, j in zip("abc", places)})

    return {"id": i, "sentence1": sentence(facts, shown), "sentence2": sentence(swapped, [shown[j] for j in order]),
            "label": label}


def squad(rng, split, words, i):
    """A passage about three people; two or three of them have the relation asked for, so the name decides."""
    trio = people(rng, split, 3)
    r = pick(rng, list(RELATIONS))
    facts = [Fact(p, r, x) for p, x in zip(trio, values(rng, r, split, 3))]
    others = some(rng, [(p, s) for p in trio for s in RELATIONS if s != r], 5 + int(rng.random() * 3) - len(facts))
    q = int(rng.random() * 2)
    asked = pick(rng, facts)
    for p, s in others:
        facts.append(Fact(p, s, pick(rng, pool(RELATIONS[s], split))))
    context, start = "", None
    for fact in some(rng, facts, len(facts)):
        # the relation asked for is never worded like the question, for none of the three
        k = pick(rng, [k for k in range(3) if k != q]) if fact.relation == r else wording(rng)
        sentence, at = say_with_span(words, fact, k)
        context += " " if context else ""
        if fact == asked:
            start = len(context) + at
        context += sentence
    return {"id": f"{split}-{i}", "title": ", ".join(trio), "context": context, "question": ask(words, asked.person, r, q),
            "answers": {"text": [value(words, asked)], "answer_start": [start]}}


def xquad(rng, split, words, i):
    row = squad(rng, split, words, i)
    del row["title"]
    return row


def hellaswag(rng, split, words, i):
    """Two people and a chain of events. Of the four endings two have the right moment and two the right person (or
    thing), one has both: so neither an ending by itself nor what most endings share tells the right one."""
    a, b = people(rng, split, 2)
    events = words["events"]
    first, second = some(rng, (a, b), 2)
    lead = words["pairs"]["lead"].format(p=first, q=second) + " "
    kind = int(rng.random() * 3)
    if kind == 0:                                          # the next step of a script, by the person it is about
        script = int(rng.random() * len(events["scripts"]))
        label_of_activity, steps = list(events["scripts"].items())[script]
        k, wrong = some(rng, range(3, 7), 2)
        chain = [steps[j].format(p=a) for j in range(k - 3, k)]
        endings = [steps[j].format(p=p) for j in (k, wrong) for p in (a, b)]
    else:                                                  # day after day, two things or two people take turns
        label_of_activity = events["title"]
        topic = pick(rng, ("colour", "food", "city"))
        template = events["visit" if topic == "city" else "choose"]
        x, y = values(rng, topic, split, 2)
        turns = [(a, x), (a, y)] if kind == 1 else [(a, x), (b, x)]
        k, wrong = some(rng, range(2, 6), 2)

        def day(j, turn):
            return template.format(o=events["days"][j], p=turn[0], x=word(words, topic, turn[1]))

        chain = [day(j, turns[j % 2]) for j in range(k)]
        endings = [day(j, turn) for j in (k, wrong) for turn in (turns[k % 2], turns[1 - k % 2])]
    order = some(rng, range(4), 4)
    context = lead + " ".join(chain)
    return {"ind": i, "activity_label": label_of_activity, "ctx_a": context, "ctx_b": "", "ctx": context,
            "endings": [endings[j] for j in order], "source_id": f"synthetic~{i}",
            "split": {"train": "train", "validation": "val", "test": "test"}[split],
            "split_type": "indomain" if split == "train" else "zeroshot", "label": str(order.index(0))}


CLASSES = [kind for kind in POOLS if kind not in ("food", "object", "age")]  # a fruit is food, a guitar is an object


def commonsenseqa(rng, split, words, i):
    """Five words of five classes; the question names the class of one of them, any of the five alike."""
    kinds = some(rng, CLASSES, 5)
    codes = [pick(rng, pool(kind, split)) for kind in kinds]
    right = int(rng.random() * 5)
    p = people(rng, split, 1)[0]
    concept, phrase = words["classes"]["names"][kinds[right]]
    relations = [relation for relation, kind in RELATIONS.items() if kind == kinds[right]]
    who = None                         # whose profession it is, once the question is about somebody
    if relations and rng.random() < 0.3:
        who, question = p, ask(words, p, pick(rng, relations), 0)
    else:
        question = words["classes"]["questions"][wording(rng) % 3].format(p=p, c=phrase)
    return {"id": f"{split}-{i}", "question": question, "question_concept": concept,
            "choices": {"label": list("ABCDE"), "text": [word(words, *chosen, who) for chosen in zip(kinds, codes)]},
            "answerKey": "ABCDE"[right]}
