"""The embedded synthetic benchmark's interface: the same rows everywhere, the Hub's columns, the
dials."""

import random
import re
import subprocess
import sys
from functools import cache

import fingerprints
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts import data, synthetic
from xstilts.errors import UserError
from xstilts.runs import key
from xstilts.study import phases, profiles
from xstilts.study.conditions import NONE, Condition
from xstilts.synthetic import dials, world
from xstilts.synthetic.dials import PLAIN, Dials

TASKS, LANGUAGES, SPLITS = synthetic.TASKS, synthetic.LANGUAGES, world.SPLITS
QUESTION = ["id", "title", "context", "question", "answers"]
PAIR = ["premise", "hypothesis", "label"]
COLUMNS = {
    "anli": ["uid", *PAIR, "reason"],
    "mnli": [*PAIR, "idx"],
    "xnli": PAIR,
    "afrixnli": PAIR,
    "qqp": ["question1", "question2", "label", "idx"],
    "pawsx": ["id", "sentence1", "sentence2", "label"],
    "squad": QUESTION,
    "squad2": QUESTION,
    "tydiqa": QUESTION,
    "xquad": ["id", "context", "question", "answers"],
    "mlqa": ["context", "question", "answers", "id"],
    "lareqa": ["id", "context", "question", "answers", "sentence_breaks"],
    "hellaswag": [
        "ind",
        "activity_label",
        "ctx_a",
        "ctx_b",
        "ctx",
        "endings",
        "source_id",
        "split",
        "split_type",
        "label",
    ],
    "cosmosqa": ["id", "context", "question", "answer0", "answer1", "answer2", "answer3", "label"],
    "commonsenseqa": ["id", "question", "question_concept", "choices", "answerKey"],
    "xcopa": ["premise", "choice1", "choice2", "question", "label", "idx", "changed"],
    "ccg": ["tokens", "tags"],
    "udpos": ["tokens", "pos_tags"],
    "masakhapos": ["id", "tokens", "upos"],
    "panx": ["tokens", "ner_tags", "langs"],
    "masakhaner": ["id", "tokens", "ner_tags"],
    "tatoeba": ["source_sentence", "target_sentence", "source_lang", "target_lang"],
    "bucc": ["source_sentence", "target_sentence", "source_lang", "target_lang"],
    "text": ["text"],
}


@cache
def rows(task, language="en", split="train", size=400, dials=PLAIN):
    return synthetic.rows(task, language, split, size, dials)


# --- the same everywhere


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(TASKS),
    st.sampled_from(LANGUAGES),
    st.sampled_from(SPLITS),
    st.integers(0, 40),
    st.integers(0, 40),
    st.builds(Dials, st.sampled_from(dials.LEVELS), st.sampled_from((0.0, 0.3)), st.integers(0, 3)),
)
def test_fewer_rows_are_a_prefix_of_more(task, language, split, size, more, turned):
    if language in synthetic.languages(task):
        first = synthetic.rows(task, language, split, size, turned)
        assert len(first) == size
        assert synthetic.rows(task, language, split, size + more, turned)[:size] == first


def test_rows_are_those_of_the_version_that_keys_name():
    """The same bytes on any machine and Python, and under their own name."""
    version, kept = fingerprints.kept()
    assert not fingerprints.problem(version, kept, fingerprints.now())
    assert version == synthetic.FINGERPRINT, (
        "run python tests/fingerprints.py: the file is of another version"
    )


def test_a_changed_row_is_noticed_and_wants_another_version(monkeypatch):
    version, kept = fingerprints.kept()
    after = {**kept, "fi": {**kept["fi"], "xnli": "another"}}
    assert fingerprints.changed(kept, after) == ["xnli fi"]
    assert "xnli fi" in fingerprints.problem(version, kept, after)
    monkeypatch.setattr(synthetic, "FINGERPRINT", "another")
    assert not fingerprints.problem(version, kept, after)


def test_keys_hang_on_the_stated_version_and_not_on_the_code():
    """These change with mini.FINGERPRINT alone: recorded runs are found again wherever the code
    lies."""
    assert synthetic.FINGERPRINT.startswith("60e1b36f2170")
    assert data.fingerprint("xnli", "test", ("de",), "mini") == "7a0fcdea9f792bef"
    assert (
        data.fingerprint("mnli", "train", ("en", "fi"), "mini:difficulty=3,noise=0.2")
        == "ef2ddad629c9a79e"
    )
    assert data.texts_fingerprint("mini") == "60e1b36f21703a17"


def test_random_choices_are_the_same_on_every_python():
    rng = random.Random("a fixed string")
    assert world.some(rng, range(10), 4) == [0, 4, 7, 3]
    assert world.pick(rng, "abcdef") == "b"


def test_a_stream_does_not_grow():
    """In a fresh process: many rows of a task in which every row differs take no more memory than a
    few."""
    code = (
        "import resource, itertools; from xstilts import synthetic as mini\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "for task in ('mnli', 'tatoeba', 'udpos'):\n"
        "    rows = mini.stream(task, 'sw', 'train', mini.Dials(noise=0.2))\n"
        "    next(itertools.islice(rows, 2000, None)); before = peak()\n"
        "    next(itertools.islice(rows, 6000, None)); assert peak() - before <= 2, (task, "
        "before, peak())"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_all_rows_are_made_within_a_minute_and_a_gigabyte():
    """One core, in a fresh process; measured on every fiftieth part of each task, language and
    split. Reading the languages' tables counts once. Rows are given back, but for the largest set
    that a run holds: all of a task in one language. A minute is what 1.2 billion turns of a loop
    take, measured beside it: processors differ by a factor of two."""
    code = (
        "import time, itertools; from xstilts import synthetic as mini\n"
        "def seconds(part):\n"
        "    begun = time.process_time()\n"
        "    for task in mini.TASKS:\n"
        "        for language in mini.languages(task):\n"
        "            for split in mini.SPLITS:\n"
        "                for row in itertools.islice(mini.stream(task, language, split), "
        "mini.size(task, language, split) // part): pass\n"
        "    return time.process_time() - begun\n"
        "def turns():\n"
        "    begun, total = time.process_time(), 0\n"
        "    for i in range(10_000_000): total += i * i % 7\n"
        "    return time.process_time() - begun\n"
        "loop = turns()\n"
        "once = seconds(200)\n"
        "every = 50 * seconds(50)\n"
        "loop += turns()\n"
        "held = [mini.rows('squad', 'en', split, mini.size('squad', 'en', split)) for split in "
        "mini.SPLITS]\n"
        # not ru_maxrss, in which a child starts with its parent's
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print((once + every) / (loop / 20e6 * 1.2e9 / 60), int(peak.split()[1]) / 2 ** 20)"
    )
    seconds, gigabytes = map(
        float,
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True
        ).stdout.split(),
    )
    assert seconds < 60 and gigabytes < 1, (seconds, gigabytes)


# --- the interface


@pytest.mark.parametrize(
    "wrong, known",
    [
        (("nli", "en", "train"), "xnli"),
        (("xnli", "xx", "train"), "fi"),
        (("xnli", "en", "dev"), "validation"),
        (("masakhaner", "de", "test"), "sw"),
    ],
)
def test_errors_name_what_is_known(wrong, known):
    with pytest.raises(ValueError, match=known):
        synthetic.rows(*wrong, 1)
    with pytest.raises(ValueError, match="-1"):
        synthetic.rows("xnli", "en", "train", -1)


@pytest.mark.parametrize("task", TASKS)
def test_columns_and_label_types_are_the_hubs(task):
    for language in synthetic.languages(task):
        for row in rows(task, language, "test", 50):
            assert list(row) == COLUMNS[task]
            for column in ("label", "idx", "ind", "id"):
                if column in row:
                    text = (task, column) == ("hellaswag", "label") or (
                        column == "id" and task != "pawsx"
                    )
                    assert type(row[column]) is (str if text else int)
            if task in synthetic.LABELS and "label" in row:
                assert row["label"] in range(len(synthetic.LABELS[task]))
            tags = next(
                (
                    row[column]
                    for column in ("pos_tags", "ner_tags", "upos", "tags")
                    if column in row
                ),
                None,
            )
            if tags is not None:
                assert len(tags) == len(row["tokens"])
                assert task == "ccg" or set(tags) <= set(range(len(synthetic.LABELS[task])))
            if task == "hellaswag":
                assert row["label"] in "0123" and len(set(row["endings"])) == 4
                assert row["ctx"] == f"{row['ctx_a']} {row['ctx_b']}".strip()
            if task == "cosmosqa":
                assert row["label"] in range(4) and len({row[f"answer{n}"] for n in range(4)}) == 4
            if task == "xcopa":
                assert (
                    row["label"] in (0, 1)
                    and row["choice1"] != row["choice2"]
                    and row["question"] in ("cause", "effect")
                )
            if task == "commonsenseqa":
                assert row["choices"]["label"] == list("ABCDE") and row["answerKey"] in "ABCDE"
                assert len(set(row["choices"]["text"])) == 5


def test_intermediate_tasks_have_many_rows_and_some_targets_few():
    for task in TASKS:
        sizes = {split: synthetic.size(task, "en", split) for split in SPLITS}
        assert sizes["train"] >= 8000 if task in synthetic.INTERMEDIATE else sizes["train"] > 0
    assert (
        synthetic.size("tydiqa", "en", "train") <= 1000
        and synthetic.size("tydiqa", "fi", "test") == synthetic.SIZES["test"]
    )


def test_texts_are_those_of_the_rows(monkeypatch):
    monkeypatch.setattr(synthetic, "SIZES", dict.fromkeys(SPLITS, 3))
    monkeypatch.setattr(synthetic, "TRANSLATED", dict.fromkeys(SPLITS, 3))
    found = set(synthetic.texts())
    for task, column in (
        ("mnli", "hypothesis"),
        ("squad", "context"),
        ("text", "text"),
        ("cosmosqa", "answer3"),
    ):
        for language in LANGUAGES:
            assert synthetic.rows(task, language, "test", 3)[2][column] in found


# --- the dials


@pytest.mark.parametrize(
    "source, expected",
    [
        ("mini", Dials()),
        ("mini:", Dials()),
        ("mini:difficulty=3", Dials(difficulty=3)),
        ("mini: noise=0.25, seed=2", Dials(noise=0.25, seed=2)),
    ],
)
def test_dials_are_read_from_the_name_of_the_source(source, expected):
    assert dials.parse(source) == expected and dials.parse(dials.name(expected)) == expected


@pytest.mark.parametrize(
    "source, said",
    [
        ("mini:hard=3", "unknown setting 'hard'; known: difficulty, noise, seed"),
        ("mini:difficulty=9", "none of 1, 2, 3"),
        ("mini:difficulty=high", "'high' is not a number"),
        ("mini:noise=2", "between 0 and 1"),
        ("mini:seed=-1", "not be negative"),
        ("mini:seed=1,seed=2", "twice"),
        ("mini:3", "unknown setting '3'"),
    ],
)
def test_wrong_dials_are_told(source, said):
    with pytest.raises(UserError, match=re.escape(said)):
        dials.parse(source)


def test_a_seed_changes_the_rows():
    for task in TASKS:
        if task not in ("tatoeba", "bucc"):
            language = synthetic.languages(task)[0]
            assert rows(task, language, size=20) != synthetic.rows(
                task, language, "train", 20, Dials(seed=1)
            )


def test_dials_are_in_the_keys_of_what_they_touch_and_in_no_other():
    """Another difficulty is another intermediate training; phase 1 and the target's own training
    are shared."""

    def keys(source):
        asked = profiles.study(data=source, intermediates=["mnli"], targets=["xnli"])
        wanted = phases.single_tasks(asked)
        return [
            key.key(run)
            for run in (
                phases.phase1(asked),
                wanted[NONE, "xnli", 0],
                wanted[Condition(("mnli",)), "xnli", 0],
            )
        ]

    plain, harder, noisy, drawn_again = map(
        keys, ("mini", "mini:difficulty=3", "mini:noise=0.2", "mini:seed=1")
    )
    assert keys("mini:difficulty=2,noise=0") == plain == noisy  # the intermediate rows are English
    assert harder[:2] == plain[:2] and harder[2] != plain[2]
    assert not set(drawn_again) & set(plain)
    assert data.fingerprint("mnli", "train", ("fi",), "mini:noise=0.2") != data.fingerprint(
        "mnli", "train", ("fi",), "mini"
    )
    assert (
        data.where("mini:difficulty=3,noise=0.2")
        == "embedded synthetic benchmark (difficulty 3, noise 0.2)"
    )
    with pytest.raises(UserError, match="unknown setting 'hard'"):
        profiles.study(data="mini:hard=1")


def length(task, row):
    """Words of a row but for those of its choices."""
    columns = [
        column for column in synthetic.TEXTS[task] if column not in ("endings", "choices", "title")
    ]
    return sum(
        len(row[column].split() if isinstance(row[column], str) else row[column])
        for column in columns
    )


@pytest.mark.parametrize("task", synthetic.INTERMEDIATE)
def test_difficulty_changes_what_is_said(task):
    by_level = {level: rows(task, dials=Dials(difficulty=level)) for level in dials.LEVELS}
    assert by_level[2] == rows(task)
    mean = {
        level: sum(length(task, row) for row in found) / len(found)
        for level, found in by_level.items()
    }
    assert by_level[1] != by_level[2] != by_level[3]
    if task not in (
        "hellaswag",
        "cosmosqa",
        "commonsenseqa",
        "qqp",
    ):  # there it is which, not how much
        assert mean[1] < mean[2] < mean[3], mean


def test_difficulty_asks_for_more_steps():
    steps = {
        level: sum(
            "In which country does" in row["question"]
            and " works" in row["context"]
            or row["question"].endswith("work?")
            for row in rows("squad", dials=Dials(difficulty=level))
        )
        for level in dials.LEVELS
    }
    assert steps[1] < steps[3] and steps[2] < steps[3]
    near = {
        level: sum(
            "this country" in row["hypothesis"]
            for row in rows("anli", dials=Dials(difficulty=level))
        )
        for level in dials.LEVELS
    }
    assert near[1] == 0 < near[2] < near[3] == 400


def test_the_hardest_supertags_are_of_sentences_that_were_not_in_training():
    def unseen(level):
        known = {word for row in rows("ccg", dials=Dials(level)) for word in row["tokens"]}
        words = [
            word for row in rows("ccg", split="test", dials=Dials(level)) for word in row["tokens"]
        ]
        return sum(word not in known for word in words) / len(words)

    assert unseen(3) > 1.5 * max(unseen(1), unseen(2))


def test_difficulty_and_noise_leave_targets_and_english_alone():
    for task in synthetic.OTHER:
        assert (
            synthetic.rows(task, "sw", "test", 20, Dials(difficulty=3, noise=0.5))
            == rows(task, "sw", "test")[:20]
        )
    for task in synthetic.INTERMEDIATE:
        assert (
            synthetic.rows(task, "en", "test", 20, Dials(noise=0.5))
            == rows(task, "en", "test")[:20]
        )


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_translation_noise_is_reported_by_chrf(language):
    """More noise, less agreement with the true sentence; labels and spans hold."""
    scores = [synthetic.translation_quality(language, noise, size=40) for noise in (0.0, 0.1, 0.3)]
    assert scores[0] == 100 and 60 < scores[1] < 97 and 25 < scores[2] < scores[1] - 5, scores
    for task, column in (("mnli", "label"), ("cosmosqa", "label"), ("squad", "question")):
        true, noisy = (
            rows(task, language, "train", 60),
            rows(task, language, "train", 60, Dials(noise=0.3)),
        )
        assert true != noisy and (
            column != "label" or [r[column] for r in true] == [r[column] for r in noisy]
        )
    for row in rows("squad", language, "train", 60, Dials(noise=0.3)):
        (answer,), (start,) = row["answers"]["text"], row["answers"]["answer_start"]
        assert row["context"][start : start + len(answer)] == answer
    for row in rows("ccg", language, "train", 60, Dials(noise=0.3)):
        assert len(row["tokens"]) == len(row["tags"]) > 0


def target_of(task, row):
    """What a model must answer, apart from the language."""
    if "answers" in row:
        return len(row["answers"]["text"])
    if task == "tatoeba":
        return row["target_sentence"]
    return row.get("label", row.get("answerKey"))
