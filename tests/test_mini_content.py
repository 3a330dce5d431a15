"""What the rows of the embedded synthetic benchmark say: parallel, well formed, clean, and no leak
between splits."""

import re
import unicodedata
from collections import Counter, defaultdict

import pytest
from test_mini import rows, target_of

from xstilts import synthetic
from xstilts.synthetic import tables, wording, world
from xstilts.synthetic.makers.supertags import CATEGORIES, supertags

TASKS, LANGUAGES, SPLITS = synthetic.TASKS, synthetic.LANGUAGES, world.SPLITS
# what a word is made of: letters, and the marks that Devanagari and Yoruba have besides
LETTER = "[\\w\u0300-\u036f\u0900-\u0903\u093a-\u094f]"
NAMES = {}  # id of a language's words -> these, its names, their pattern
SPANS = ("squad", "squad2", "xquad", "mlqa", "tydiqa", "lareqa")


def names_in(words, text):
    """The people named in a text, as the world calls them. Names may touch other words where there
    are no spaces."""
    if id(words) not in NAMES:  # asked for thousands of times
        found = {wording.name(words, name): name for name in world.ALL_NAMES}
        longest = "|".join(sorted(map(re.escape, found), key=len, reverse=True))
        alone = rf"(?<!{LETTER})(?:{longest})(?!{LETTER})" if words["spaces"] else longest
        NAMES[id(words)] = words, found, re.compile(alone)
    _, found, pattern = NAMES[id(words)]
    return frozenset(found[name] for name in pattern.findall(text))


# --- the same facts in every language


@pytest.mark.parametrize("task", [task for task in TASKS if task != "text"])
def test_rows_are_parallel(task):
    """Row i has one answer, names the same people and (in panx) has the same entities in every
    language."""
    every = [tables.load(language) for language in synthetic.languages(task)]
    for split in SPLITS:
        for parallel in zip(
            *(rows(task, language, split, 60) for language in synthetic.languages(task)),
            strict=True,
        ):
            assert len({target_of(task, row) for row in parallel}) == 1
            said = [
                row["source_sentence"]
                if task == "bucc"
                else " ".join(synthetic.texts_of(task, row))
                for row in parallel
            ]
            named = set(map(names_in, every, said))
            assert len(named) == 1, parallel
            if task in SPANS and parallel[0]["answers"]["text"]:
                codes = [
                    {
                        (kind.removesuffix("_f"), code)
                        for kind, table in words["words"].items()
                        for code, word in table.items()
                        if word == row["answers"]["text"][0]
                    }
                    for words, row in zip(every, parallel, strict=True)
                ]
                assert set.intersection(*codes) or parallel[0]["answers"]["text"][0].isdigit()


def test_monolingual_passages_are_not_parallel_and_say_everything_twice():
    people = [
        [names_in(tables.load(language), row["text"]) for row in rows("text", language)]
        for language in LANGUAGES
    ]
    assert sum(len(set(same)) == 1 for same in zip(*people, strict=True)) < 20
    for row in rows("text"):
        for country in tables.load("en")["words"]["country"].values():
            assert row["text"].count(country) != 1


# --- well formed


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("task", SPANS)
def test_answers_are_where_they_say(task, language):
    answered = Counter()
    for split in SPLITS:
        for row in rows(task, language, split, 150):
            texts, starts = row["answers"]["text"], row["answers"]["answer_start"]
            assert len(texts) == len(starts) <= 1
            answered[len(texts)] += 1
            for answer, start in zip(texts, starts, strict=True):
                assert row["context"][start : start + len(answer)] == answer
            for first, last in row.get("sentence_breaks", ()):
                assert row["context"][first:last] == row["context"][first:last].strip()
            if task == "lareqa":
                assert sum(first <= starts[0] < last for first, last in row["sentence_breaks"]) == 1
                assert len(row["sentence_breaks"]) >= 5
    assert 100 < answered[0] < 200 if task == "squad2" else answered[0] == 0


def test_unanswerable_questions_are_asked_of_people_of_whom_the_passage_does_not_say_it():
    english = tables.load("en")
    for row in rows("squad2", size=1000):
        if not row["answers"]["text"]:
            relation, p = next(
                (relation, p)
                for relation in world.RELATIONS
                for p in row["title"].split(", ")
                for k in (0, 1)
                if wording.ask(english, p, relation, k) == row["question"]
            )
            for code in world.pool(world.RELATIONS[relation], "train"):
                for k in range(3):
                    assert (
                        wording.say(english, wording.Fact(p, relation, code), k)
                        not in row["context"]
                    )


def test_answers_are_anywhere_in_the_passage():
    """The sentence with the answer, counted in passages of as many sentences."""
    for n in (5, 6, 7):
        places = Counter(
            row["context"][: row["answers"]["answer_start"][0]].count(". ")
            for row in rows("squad", size=3000)
            if row["context"].count(". ") + 1 == n
        )
        assert len(places) == n and max(places.values()) < 1.4 * min(places.values())


def test_a_question_without_a_look_at_the_passage_shares_few_words_with_it():
    little = set(
        (
            "is are the of to for in what which who how where when does did do can on a one should "
            "would has have"
        ).split()
    )
    shared = {task: Counter() for task in ("squad", "tydiqa")}
    for task, counts in shared.items():
        for row in rows(task):
            question, passage = (
                set(re.findall(r"\w+", row[column].lower()))
                - little
                - set(map(str.lower, world.ALL_NAMES))
                for column in ("question", "context")
            )
            counts[bool(question & passage)] += 1
    assert shared["tydiqa"][True] < 0.05 * 400 < shared["squad"][True]


@pytest.mark.parametrize("task", ["panx", "masakhaner"])
def test_entities_are_well_formed(task):
    tags = synthetic.LABELS[task]
    for language in synthetic.languages(task):
        seen = Counter()
        for row in rows(task, language):
            for before, tag in zip([0] + row["ner_tags"], row["ner_tags"], strict=False):
                seen[tags[tag]] += 1
                assert tags[tag][0] != "I" or tags[before][1:] == tags[tag][1:]
        assert set(seen) >= {"B-PER", "B-ORG", "B-LOC"}


def test_a_word_does_not_decide_its_tag():
    for task, column, least in (
        ("panx", "ner_tags", 25),
        ("udpos", "pos_tags", 5),
        ("ccg", "tags", 25),
    ):
        kinds = defaultdict(set)
        for row in rows(task, size=2000):
            for token, tag in zip(row["tokens"], row[column], strict=True):
                kinds[token].add(tag)
        assert sum(len(found) > 1 for found in kinds.values()) >= least, task


def test_supertags_say_what_a_word_needs():
    anna = "PROPN VERB ADP PROPN PUNCT".split()
    assert supertags(anna) == ["NP", r"(S\NP)/PP", "PP/NP", "NP", "."]
    assert supertags("DET ADJ NOUN VERB DET NOUN PUNCT".split()) == [
        "NP/N",
        "N/N",
        "N",
        r"(S\NP)/NP",
        "NP/N",
        "N",
        ".",
    ]
    assert supertags("AUX DET NOUN ADJ PUNCT".split())[0] == "S/NP"
    for language in LANGUAGES:
        assert {tag for row in rows("ccg", language) for tag in row["tags"]} <= set(CATEGORIES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_paraphrase_pairs_have_the_same_words(language):
    bag = (
        Counter
        if not tables.load(language)["spaces"]
        else lambda text: Counter(tables.TOKEN.findall(text))
    )
    for row in rows("pawsx", language, "test", 150) + rows("pawsx", language, "validation", 150):
        assert (
            bag(row["sentence1"]) == bag(row["sentence2"]) and row["sentence1"] != row["sentence2"]
        )


def test_retrieval_has_one_translation_each_and_near_duplicates():
    for language in LANGUAGES:
        pairs = rows("tatoeba", language, "test", 700)
        for column in ("source_sentence", "target_sentence"):
            found = [row[column] for row in pairs]
            assert len(set(found)) == len(found) and not any(
                re.search(r"\d", text) for text in found
            )
    assert Counter(
        bool(row["source_sentence"]) + 2 * bool(row["target_sentence"])
        for row in rows("bucc", "de", "test")
    ) == {3: 160, 1: 120, 2: 120}


@pytest.mark.parametrize(
    "task, n",
    [
        ("anli", 3),
        ("mnli", 3),
        ("xnli", 3),
        ("qqp", 2),
        ("pawsx", 2),
        ("hellaswag", 4),
        ("cosmosqa", 4),
        ("commonsenseqa", 5),
        ("xcopa", 2),
    ],
)
def test_labels_are_balanced(task, n):
    for split in SPLITS:
        counts = Counter(target_of(task, row) for row in rows(task, "en", split, 2000))
        assert len(counts) == n and max(counts.values()) < 2000 / n + 100


# --- leaks between splits


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_person_value_or_event_of_a_later_split_in_an_earlier_one(language):
    words, said = tables.load(language), {}
    for split in SPLITS:
        found = {
            wording.name(words, name) for names in world.NAMES[split].values() for name in names
        }
        found |= {
            table[code]
            for kind, table in words["words"].items()
            if kind not in ("adj", "adv", "num")
            for code in world.POOLS[kind.removesuffix("_f")][split]
            if code in table
        }
        events = [
            half for code in world.pool("cause", split) for half in words["causes"]["pairs"][code]
        ] + [
            step
            for code in world.pool("script", split)
            for step in words["events"]["scripts"][code][1:]
        ]
        said[split] = (
            found,
            [wording.agreeing(event, woman) for event in events for woman in (True, False)],
        )
    for split, later in (("train", ("validation", "test")), ("validation", ("test",))):
        text = "\n".join(
            text
            for task in TASKS
            if language in synthetic.languages(task)
            for row in rows(task, language, split, 300)
            for text in synthetic.texts_of(task, row)
        )
        values = set().union(*(said[name][0] for name in later))
        if words["spaces"]:
            longest = "|".join(map(re.escape, sorted(values, key=len, reverse=True)))
            pattern = re.compile(rf"(?<!{LETTER})({longest})(?!{LETTER})")
            assert set(pattern.findall(text)) == set()
        for name in later:
            for event in said[name][1]:
                tail = (
                    event.partition("{p}")[2]
                    if event.startswith("{p}")
                    else event.partition("{p}")[0]
                )
                assert (
                    tail if words["spaces"] else "".join(tail.split())
                ) not in text or tail.strip() in ("", "."), event


def normalised(text):
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", text).casefold()))


@pytest.mark.parametrize("task", TASKS)
def test_no_row_is_in_two_splits(task):
    """Neither exactly nor but for case, punctuation and spaces; bare enumerations of choices
    included."""
    for language in synthetic.languages(task):
        seen = [
            {
                tuple(map(normalised, synthetic.texts_of(task, row)))
                for row in rows(task, language, split, 300)
            }
            for split in SPLITS
        ]
        assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])


@pytest.mark.parametrize(
    "task",
    [task for task in TASKS if task not in ("hellaswag", "xcopa", "udpos", "masakhapos", "ccg")],
)
def test_hardly_a_row_comes_twice(task):
    language = synthetic.languages(task)[0]
    found = [tuple(synthetic.texts_of(task, row)) for row in rows(task, language, "train", 1000)]
    assert len(set(found)) > 900


# --- clean text


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_clean(language):
    for task in TASKS:
        for split in SPLITS if language in synthetic.languages(task) else ():
            for row in rows(task, language, split, 150):
                for text in synthetic.texts_of(task, row):
                    assert text == unicodedata.normalize("NFC", text) == " ".join(text.split())
                    assert text and not set(text) & set("{}|_()\N{REPLACEMENT CHARACTER}"), text
