"""The embedded synthetic benchmark: the same rows everywhere, the Hub's columns, no leaks between splits, no shortcuts."""
import random
import re
import unicodedata
from collections import Counter, defaultdict
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts.data import mini
from xstilts.data.mini import wording, world

TASKS, LANGUAGES, SPLITS = mini.TASKS, mini.LANGUAGES, world.SPLITS
COLUMNS = {
    "mnli": ["premise", "hypothesis", "label", "idx"],
    "xnli": ["premise", "hypothesis", "label"],
    "qqp": ["question1", "question2", "label", "idx"],
    "pawsx": ["id", "sentence1", "sentence2", "label"],
    "squad": ["id", "title", "context", "question", "answers"],
    "xquad": ["id", "context", "question", "answers"],
    "hellaswag": ["ind", "activity_label", "ctx_a", "ctx_b", "ctx", "endings", "source_id", "split", "split_type", "label"],
    "commonsenseqa": ["id", "question", "question_concept", "choices", "answerKey"],
    "udpos": ["tokens", "pos_tags"],
    "panx": ["tokens", "ner_tags", "langs"],
    "tatoeba": ["source_sentence", "target_sentence", "source_lang", "target_lang"],
    "text": ["text"],
}


@cache
def rows(task, language="en", split="train", size=400):
    return mini.rows(task, language, split, size)


def target(task, row):
    """What a model must answer, apart from the language."""
    if task in ("squad", "xquad"):
        return None
    if task == "tatoeba":
        return row["target_sentence"]
    return row.get("label", row.get("answerKey"))


# --- the interface

@settings(max_examples=60, deadline=None)
@given(st.sampled_from(TASKS), st.sampled_from(LANGUAGES), st.sampled_from(SPLITS), st.integers(0, 40),
       st.integers(0, 40), st.integers(0, 3))
def test_fewer_rows_are_a_prefix_of_more(task, language, split, size, more, seed):
    first = mini.rows(task, language, split, size, seed)
    assert len(first) == size
    assert mini.rows(task, language, split, size + more, seed)[:size] == first


def test_a_seed_changes_the_rows():
    for task in TASKS:
        if task != "tatoeba":
            assert mini.rows(task, "en", "train", 20, 0) != mini.rows(task, "en", "train", 20, 1)


def test_random_choices_are_the_same_on_every_python():
    rng = random.Random("a fixed string")
    assert world.some(rng, range(10), 4) == [0, 4, 7, 3]
    assert world.pick(rng, "abcdef") == "b"


@pytest.mark.parametrize("wrong, known", [(("nli", "en", "train"), "xnli"), (("xnli", "fr", "train"), "fi"),
                                          (("xnli", "en", "dev"), "validation")])
def test_errors_name_what_is_known(wrong, known):
    with pytest.raises(ValueError, match=known):
        mini.rows(*wrong, 1)
    with pytest.raises(ValueError, match="-1"):
        mini.rows("xnli", "en", "train", -1)


@pytest.mark.parametrize("task", TASKS)
def test_columns_and_label_types_are_the_hubs(task):
    for language in LANGUAGES:
        for row in rows(task, language, "test", 100):
            assert list(row) == COLUMNS[task]
            for column in ("label", "idx", "id", "ind"):
                if column in row:
                    text = (task, column) == ("hellaswag", "label") or (column == "id" and task != "pawsx")
                    assert type(row[column]) is (str if text else int)
            if task in ("mnli", "xnli", "qqp", "pawsx"):
                assert row["label"] in range(len(mini.LABELS[task]))
            if task in ("udpos", "panx"):
                tags = row["pos_tags" if task == "udpos" else "ner_tags"]
                assert len(tags) == len(row["tokens"]) and set(tags) <= set(range(len(mini.LABELS[task])))
            if task == "hellaswag":
                assert row["label"] in "0123" and len(set(row["endings"])) == 4
                assert row["ctx"] == f"{row['ctx_a']} {row['ctx_b']}".strip()
            if task == "commonsenseqa":
                assert row["choices"]["label"] == list("ABCDE") and row["answerKey"] in "ABCDE"
                assert len(set(row["choices"]["text"])) == 5


def test_fingerprint_is_one_sha256():
    assert mini.fingerprint() == mini.fingerprint() and re.fullmatch("[0-9a-f]{64}", mini.fingerprint())


def test_texts_are_those_of_the_rows(monkeypatch):
    monkeypatch.setattr(mini, "SIZES", dict.fromkeys(SPLITS, 3))
    found = set(mini.texts())
    for task, column in (("mnli", "hypothesis"), ("squad", "context"), ("text", "text")):
        for language in LANGUAGES:
            assert mini.rows(task, language, "test", 3)[2][column] in found


# --- what is in the rows

@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("task", ["squad", "xquad"])
def test_answers_are_where_they_say(task, language):
    for split in SPLITS:
        for row in rows(task, language, split):
            (answer,), (start,) = row["answers"]["text"], row["answers"]["answer_start"]
            assert row["context"][start:start + len(answer)] == answer


def test_answers_are_anywhere_in_the_passage():
    """The sentence with the answer, counted in passages of as many sentences."""
    for n in (5, 6, 7):
        places = Counter(row["context"][:row["answers"]["answer_start"][0]].count(". ") for row in rows("squad", size=3000)
                         if row["context"].count(". ") + 1 == n)
        assert len(places) == n and max(places.values()) < 1.4 * min(places.values())


@pytest.mark.parametrize("task", [task for task in TASKS if task != "text"])
def test_rows_are_parallel(task):
    """Row i has one answer, names the same people and (in panx) has the same entities in every language."""
    names = {name for split in SPLITS for kind in world.NAMES[split].values() for name in kind}
    for split in SPLITS:
        for parallel in zip(*(rows(task, language, split, 200) for language in LANGUAGES)):
            assert len({target(task, row) for row in parallel}) == 1
            named = [frozenset(Counter(re.findall(r"\w+", " ".join(mini.texts_of(task, row)))).keys() & names) for row in parallel]
            assert len(set(named)) == 1, parallel
            if task in ("squad", "xquad"):
                codes = [{(kind, code) for kind, table in wording.load(language)["words"].items() for code, word in table.items()
                          if word == row["answers"]["text"][0]} for language, row in zip(LANGUAGES, parallel)]
                codes = [{(kind.removesuffix("_f"), code) for kind, code in found} for found in codes]
                assert set.intersection(*codes) or parallel[0]["answers"]["text"][0].isdigit()


def test_monolingual_passages_are_not_parallel_and_say_everything_twice():
    names = [[sorted(set(re.findall(r"\w+", row["text"])) & set(sum(world.NAMES["train"].values(), []))) for row in
              rows("text", language)] for language in LANGUAGES]
    assert sum(len(set(map(tuple, people))) == 1 for people in zip(*names)) < 20
    words = wording.load("en")["words"]
    for row in rows("text"):
        for country in words["country"].values():
            assert row["text"].count(country) != 1


def test_panx_spans_are_well_formed():
    tags = mini.LABELS["panx"]
    for language in LANGUAGES:
        seen = Counter()
        for row in rows("panx", language):
            for before, tag in zip([0] + row["ner_tags"], row["ner_tags"]):
                seen[tags[tag]] += 1
                assert tags[tag][0] != "I" or tags[before][1:] == tags[tag][1:]
            assert row["langs"] == [language] * len(row["tokens"])
        assert set(seen) >= {"B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC"}


def test_a_word_of_panx_and_udpos_does_not_decide_its_tag():
    for task, column in (("panx", "ner_tags"), ("udpos", "pos_tags")):
        kinds = defaultdict(set)
        for row in rows(task, size=2000):
            for token, tag in zip(row["tokens"], row[column]):
                kinds[token].add(tag)
        assert sum(len(found) > 1 for found in kinds.values()) >= (25 if task == "panx" else 5)


@pytest.mark.parametrize("language", LANGUAGES)
def test_paraphrase_pairs_have_the_same_words(language):
    bag = lambda text: Counter(re.findall(r"\w+|[^\w\s]", text))
    for row in rows("pawsx", language):
        assert bag(row["sentence1"]) == bag(row["sentence2"]) and row["sentence1"] != row["sentence2"]


def test_retrieval_has_one_translation_each():
    for language in LANGUAGES:
        for size in (500, 1000):
            pairs = rows("tatoeba", language, "test", size)
            assert len({row["source_sentence"] for row in pairs}) == len({row["target_sentence"] for row in pairs}) == size


@pytest.mark.parametrize("task", ["mnli", "xnli", "qqp", "pawsx", "hellaswag", "commonsenseqa"])
def test_labels_are_balanced(task):
    for split in SPLITS:
        counts = Counter(target(task, row) for row in rows(task, "en", split, 2000))
        n = {"mnli": 3, "xnli": 3, "qqp": 2, "pawsx": 2, "hellaswag": 4, "commonsenseqa": 5}[task]
        assert len(counts) == n and max(counts.values()) < 2000 / n + 100


# --- leaks between splits

@pytest.mark.parametrize("language", LANGUAGES)
def test_no_person_and_no_value_of_a_later_split_in_an_earlier_one(language):
    words = wording.load(language)["words"]
    said = {}
    for split in SPLITS:
        names = [name for kind in world.NAMES[split].values() for name in kind]
        values = [table[code] for kind, table in words.items() for code in
                  world.POOLS.get(kind.removesuffix("_f"), {split: ()})[split]]
        said[split] = set(names + values + world.pool("age", split))
    for split, later in (("train", said["validation"] | said["test"]), ("validation", said["test"])):
        found = re.compile(r"\b(" + "|".join(map(re.escape, sorted(later, key=len, reverse=True))) + r")\b")
        text = "\n".join(text for task in TASKS for row in rows(task, language, split, 1000) for text in mini.texts_of(task, row))
        assert set(found.findall(text)) == set()


@pytest.mark.parametrize("task", TASKS)
def test_no_row_is_in_two_splits(task):
    for language in ("en", "fi"):
        seen = [{tuple(mini.texts_of(task, row)) for row in rows(task, language, split, 500)} for split in SPLITS]
        assert not (seen[0] & seen[1] or seen[0] & seen[2] or seen[1] & seen[2])


# --- the language files

@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_clean(language):
    for task in TASKS:
        for split in SPLITS:
            for row in rows(task, language, split, 200):
                for text in mini.texts_of(task, row):
                    assert text == unicodedata.normalize("NFC", text) == " ".join(text.split())
                    assert text and not set(text) & set("{}|_")


def shape(tree):
    """The keys of a language file, and how many sentences stand under each; words and titles left out."""
    if isinstance(tree, dict):
        return {key: shape(value) for key, value in tree.items()}
    return len(tree) if isinstance(tree, list) else str


@pytest.mark.parametrize("language", LANGUAGES)
def test_language_files_have_the_same_entries(language):
    ours, english = (dict(wording.load(name)) for name in (language, "en"))
    for tables in (ours, english):
        del tables["clauses"]
        tables["words"] = {kind: set(table) for kind, table in tables["words"].items() if kind != "profession_f"}
        tables["events"] = tables["events"] | {"scripts": list(map(len, tables["events"]["scripts"].values()))}
    assert shape(ours) == shape(english) and ours["words"] == english["words"]
    for kind, splits in world.POOLS.items():
        codes = sum(splits.values(), [])
        assert len(codes) == len(set(codes)) and (kind == "age" or set(codes) == ours["words"][kind])


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_a_class_differ_and_every_sentence_has_its_tags(language):
    tables = wording.load(language)
    for kind, table in tables["words"].items():
        assert len(set(table.values())) == len(table), kind
    slots = lambda sentence: set(re.findall(r"\{\w+\}", sentence))
    for relation in world.RELATIONS:
        assert tables["clauses"][relation]
        for section, names in (("statements", {"{p}", "{x}"}), ("questions", {"{p}"})):
            for text, tags in tables[section][relation]:
                wording.tokens(text, tags)
                assert slots(text) == slots(tags) == names
    for (text, tags), (english, _) in zip(tables["scenes"]["list"], wording.load("en")["scenes"]["list"]):
        wording.tokens(text, tags)
        assert slots(text) == slots(tags) == slots(english) and "{p}" in text


def test_articles_fit_the_words_after_them():
    english, hungarian = (wording.load(language)["words"] for language in ("en", "hu"))
    for words, kinds, vowels in ((english, ("profession", "animal", "object"), "aeiou"),
                                 (hungarian, ("colour", "food", "weekday"), "aáeéiíoóöőuúüű")):
        for kind in kinds:
            assert not [word for word in words[kind].values() if word[0].lower() in vowels]


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_are_those_of_cldr(language):
    """Nearly all: names change a little from one CLDR to the next, and the benchmark must not change with them."""
    babel = pytest.importorskip("babel")
    locale, words = babel.Locale(language), wording.load(language)["words"]
    cities = {zone.split("/")[-1]: names["city"] for zone, names in locale.time_zones.items() if "city" in names}
    months = {str(i): name for i, name in locale.months["stand-alone"]["wide"].items()}
    weekdays = dict(zip("mon tue wed thu fri sat sun".split(), (locale.days["stand-alone"]["wide"][i] for i in range(7))))
    for kind, names in (("country", locale.territories), ("language", locale.languages), ("currency", locale.currencies),
                        ("month", months), ("weekday", weekdays), ("city", cities)):
        known = {code: names[code] for code in words[kind] if code in names}
        same = sum(words[kind][code] == name for code, name in known.items())
        assert same >= 0.9 * len(known), {code: (words[kind][code], name) for code, name in known.items()}


# --- shortcuts: what a model without word order or without half of the row must not be able to do

def accuracy(train, labels, test, truth, **tfidf):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    model = make_pipeline(TfidfVectorizer(token_pattern=r"\w+", ngram_range=(1, 2), **tfidf), LogisticRegression(C=10, max_iter=300))
    model.fit(train, labels)
    return 100 * np.mean(model.predict(test) == np.array(truth)), model


def score_texts(task, text):
    """Accuracy on English test rows of tf-idf and logistic regression over a text made of each row."""
    sets = [rows(task, "en", split, size) for split, size in (("train", 2000), ("test", 500))]
    (train, labels), (test, truth) = ([[f(row) for row in part] for f in (text, lambda row: row["label"])] for part in sets)
    return accuracy(train, labels, test, truth)[0]


def score_choices(choices, right):
    """The same over single choices; the prediction is the choice with the highest score."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    train, test = choices
    vectors = TfidfVectorizer(token_pattern=r"\w+", ngram_range=(1, 2))
    x = vectors.fit_transform([c for cs in train for c in cs])
    y = [j == label for cs, label in zip(train, right[0]) for j in range(len(cs))]
    model = LogisticRegression(C=10, max_iter=300).fit(x, y)
    scores = model.decision_function(vectors.transform([c for cs in test for c in cs])).reshape(len(test), -1)
    return 100 * np.mean(scores.argmax(1) == np.array(right[1]))


def within(score, chance):
    """At most 5 points above chance, and two standard errors of 500 rows."""
    return score <= chance + 5 + 200 * np.sqrt(chance / 100 * (1 - chance / 100) / 500)


@pytest.mark.parametrize("task", ["mnli", "xnli"])
def test_hypothesis_alone_does_not_decide(task):
    assert within(score_texts(task, lambda row: row["hypothesis"]), 100 / 3)


def test_words_of_an_inference_pair_are_not_enough():
    both = lambda row: row["premise"] + " " + re.sub(r"(\w+)", r"h_\1", row["hypothesis"])
    assert score_texts("mnli", both) < 60


def inference_cues(row):
    """Is a value of the hypothesis in the premise, how many facts there share a word with it, how many facts are there?"""
    capital = lambda text: set(re.findall(r"\b(?:[A-Z]\w+|\d+)", text))
    facts = row["premise"].split(". ")
    shared = set(row["hypothesis"].strip(".").split()) & set(row["premise"].replace(".", " ").split())
    return (f"n{len(facts)} o{len(shared)} c{len(capital(row['hypothesis']) & capital(row['premise']))} "
            f"l{len(row['hypothesis'].split()) - len(shared)}")


def test_overlap_does_not_decide_inference():
    assert score_texts("mnli", inference_cues) < 60


@pytest.mark.parametrize("task, columns", [("pawsx", ("sentence1", "sentence2")), ("qqp", ("question1", "question2"))])
def test_words_of_a_pair_do_not_decide_paraphrase(task, columns):
    score = score_texts(task, lambda row: " ".join(row[column] for column in columns))
    assert within(score, 50)


def test_endings_alone_do_not_decide():
    parts = [rows("hellaswag", "en", split, size) for split, size in (("train", 2000), ("test", 500))]
    right = [[int(row["label"]) for row in part] for part in parts]
    assert within(score_choices([[row["endings"] for row in part] for part in parts], right), 25)
    bags = [[Counter(re.findall(r"\w+", ending)) for ending in row["endings"]] for row in parts[1]]
    most_alike = [int(np.argmax([sum((a & b).total() for b in endings) - a.total() for a in endings])) for endings in bags]
    assert within(100 * np.mean(np.array(most_alike) == right[1]), 25)


def test_choices_alone_do_not_decide():
    parts = [rows("commonsenseqa", "en", split, size) for split, size in (("train", 2000), ("test", 500))]
    right = [["ABCDE".index(row["answerKey"]) for row in part] for part in parts]
    assert within(score_choices([[row["choices"]["text"] for row in part] for part in parts], right), 20)
