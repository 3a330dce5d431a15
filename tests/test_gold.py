"""Gold predictions score 100 in every metric, shuffled ones chance; what is lost is counted; bad
rows are told."""

import random

import hubrows
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_kinds import gold_outputs

from xstilts import data
from xstilts.data.labels import label_names
from xstilts.data.rows import Block, read
from xstilts.errors import UserError
from xstilts.tasks import metrics
from xstilts.tasks.kinds import kind, lost, span, tag
from xstilts.tasks.table import TASKS

SQUAD, SQUAD2, UDPOS = TASKS["squad"], TASKS["squad2"], TASKS["udpos"]
LABELLED = [
    name
    for name, row in TASKS.items()
    if row.kind in ("classify", "choice", "span", "tag") and not row.open_labels
]


def made(name):
    """Rows with texts that differ in every row, read through the table."""
    row = TASKS[name]
    source = row.sources[0]
    table = hubrows.dataset(
        row, source, ["en" if "en" in source.languages else source.languages[0]], 240
    )
    block = Block(
        "made", row, row.read, label_names(table.features, row.label_column), table.to_list()
    )
    return [
        {**item, "language": "en"}
        for item in read([block], [(0, number) for number in range(len(table))])
    ]


def golds(name, rows):
    if TASKS[name].kind == "span":
        return [(*row["answers"], "")[0] for row in rows]
    return [row["tags" if TASKS[name].kind == "tag" else "label"] for row in rows]


@pytest.mark.parametrize("name", LABELLED)
def test_gold_is_100_and_shuffled_is_chance(name):
    rows, row = made(name), TASKS[name]
    module, right = kind(row.kind), golds(name, rows)
    for metric, pairs in module.examples(right, rows, row).items():
        assert metrics.value(pairs) == 100, metric
    draw = random.Random(0)
    if row.kind in ("classify", "choice"):
        shares = np.bincount(right) / len(right)
        wrong = [draw.choice(right) for _ in rows]
        assert metrics.value(module.examples(wrong, rows, row)["accuracy"]) == pytest.approx(
            100 * (shares**2).sum(), abs=12
        )
    elif row.kind == "tag":
        every = [tag for tags in right for tag in tags]
        wrong = [draw.sample(every, len(tags)) for tags in right]
        assert metrics.value(module.examples(wrong, rows, row)[row.metric]) < 40
    else:
        wrong = [" ".join(draw.sample(item["context"].split(), 1)) for item in rows]
        assert metrics.value(module.examples(wrong, rows, row)["F1"]) < 25


def question(context, answer="", **more):
    found = (
        {"answers": (answer,), "starts": (context.index(answer),)}
        if answer
        else {"answers": (), "starts": ()}
    )
    return {
        "question": "What does Omar speak?",
        "context": context,
        "id": "1",
        "language": "en",
        **found,
        **more,
    }


@pytest.mark.parametrize("answer", ["Hausa", ""])
def test_no_answer_is_an_answer(tiny, answer):
    """SQuAD v2: <s> stands for none, in training and as a prediction; over all windows of a long
    context."""
    rows = [question("Anna lives in Chile. " * 30 + "Omar speaks Hausa.", answer)]
    features = span.encode(rows, tiny, SQUAD2, 64)
    assert len(features) > 3 and all(feature.gold == span.NOWHERE for feature in features) == (
        not answer
    )
    outputs = list(gold_outputs(TASKS["squad2"], features, rows))
    assert span.decode(outputs, features, rows, SQUAD2) == [answer]
    if not answer:  # the same logits under SQuAD v1.1's rules: some span must be the answer
        assert span.decode(outputs, features, rows, SQUAD) != [""]
    confident = [np.where(np.arange(len(output))[:, None] == 0, 99.0, output) for output in outputs]
    assert span.decode(confident, features, rows, SQUAD2) == [""]


def test_no_answer_needs_every_window_to_say_so(tiny):
    rows = [question("Anna lives in Chile. " * 30 + "Omar speaks Hausa.", "Hausa")]
    features = span.encode(rows, tiny, SQUAD2, 64)
    outputs = [np.zeros((len(feature.ids[0]), 2)) for feature in features]
    for output in outputs:
        output[0] = (
            4  # <s> scores 8 in every window but the last, which finds the answer with 6 to 2
        )
    outputs[-1][0], (first, last) = 1, features[-1].gold
    outputs[-1][first, 0] = outputs[-1][last, 1] = 3
    assert features[-1].gold != span.NOWHERE and span.decode(outputs, features, rows, SQUAD2) == [
        "Hausa"
    ]


def test_the_baseline_of_squad_v2_is_no_answer():
    rows = [question("a b c d e f g h", "b")] * 3 + [question("a b c")] * 7
    assert span.baseline(rows, SQUAD2) >= 70


@pytest.mark.parametrize(
    "context, answer",
    [
        ("安娜住在智利。奥马尔说豪萨语，也说法语。", "豪萨语"),
        ("アンナはチリに住んでいます。", "チリ"),
        ("تعيش آنا في تشيلي ويتحدث عمر الهوسا.", "الهوسا"),
        ("عمر يتكلم\u200fالهوسا", "الهوسا"),
        ("อันนาอาศัยอยู่ในชิลี", "ชิลี"),
        ("अन्ना चिली में रहती है।", "चिली"),
        ("  two  spaces   here ", "spaces"),
        ("ﬁne ligature ½ cup", "ligature"),
    ],
)
def test_answers_are_the_exact_text_of_the_context(embedded, context, answer):
    """Unspaced and right-to-left scripts, marks that the tokenizer drops, characters that it
    rewrites."""
    rows, tokenizer = [question(context, answer)], embedded[1]
    features = span.encode(rows, tokenizer, SQUAD, 64)
    (text,) = span.decode(list(gold_outputs(TASKS["squad"], features, rows)), features, rows, SQUAD)
    assert (
        text in context and answer in text and len(text) <= len(answer) + 6
    )  # a piece may reach over its edge
    assert lost("span", features) == {}


@given(st.text(alphabet="ab .北京\u0627\u0644\u200d", min_size=4, max_size=120), st.data())
@settings(deadline=None, max_examples=60)
def test_a_predicted_answer_is_part_of_its_context(tiny, text, draw):
    start = draw.draw(st.integers(0, len(text) - 2))
    answer = text[start : start + draw.draw(st.integers(1, 8))]
    if not answer.strip():
        return
    rows = [{"question": "?", "context": text, "answers": (answer,), "starts": (start,)}]
    features = span.encode(rows, tiny, SQUAD, 32)
    values = np.random.default_rng(0)
    outputs = [values.normal(size=(len(feature.ids[0]), 2)) for feature in features]
    (found,) = span.decode(outputs, features, rows, SQUAD)
    assert found in text
    assert sum(feature.lost for feature in features) == all(
        feature.gold == span.NOWHERE for feature in features
    )


def test_what_the_length_cuts_off_is_counted(tiny):
    long, short = "house river Chile " * 40, "house"
    nli = kind("classify").encode(
        [{"texts": (text, "river"), "label": 0} for text in (long, short, long)],
        tiny,
        TASKS["mnli"],
        32,
    )
    assert lost("classify", nli) == {"texts cut to the length": 2}
    choice = kind("choice").encode(
        [{"context": long, "choices": ("a", "b"), "label": 0}], tiny, TASKS["hellaswag"], 32
    )
    assert lost("choice", choice) == {"texts cut to the length": 2}
    retrieval = kind("retrieve").encode(
        [{"source": long}, {"source": short}], tiny, TASKS["tatoeba"], 32
    )
    assert lost("retrieve", retrieval) == {"texts cut to the length": 1}
    answer = "house river " * 30
    rows = [
        question(f"Omar says {answer}", answer.strip()),
        question("Omar speaks Hausa.", "Hausa"),
    ]
    assert lost("span", span.encode(rows, tiny, SQUAD, 32)) == {"answers that no window holds": 1}


def test_words_without_a_piece_are_counted_and_wrong(tiny):
    row = {"words": ["house", "", "\u200b", "river"], "tags": [7, 7, 7, 7]}
    features = tag.encode([row], tiny, UDPOS, 32)
    missing = len(row["words"]) - sum(len(feature.where) for feature in features)
    assert missing >= 1 and lost("tag", features) == {"words without a piece": missing}
    predictions = tag.decode(
        list(gold_outputs(TASKS["udpos"], features, [row])), features, [row], UDPOS
    )
    value = metrics.value(tag.examples(predictions, [row], UDPOS)["accuracy"])
    assert value == pytest.approx(100 * (4 - missing) / 4)


def test_a_document_of_one_token(tiny):
    row = {"words": ["x"], "tags": [12]}
    features = tag.encode([row], tiny, UDPOS, 16)
    assert tag.decode(
        list(gold_outputs(TASKS["udpos"], features, [row])), features, [row], UDPOS
    ) == [[12]]
    rows = [question("Hausa", "Hausa")]
    features = span.encode(rows, tiny, SQUAD, 32)
    assert span.decode(
        list(gold_outputs(TASKS["squad"], features, rows)), features, rows, SQUAD
    ) == ["Hausa"]


# ---------------------------------------------------------------- bad rows


def spoiled(folder, name, number=3, count=40, **columns):
    """A task's test file with one row changed."""
    row = TASKS[name]
    hubrows.write(folder, row)
    source = row.sources[0]
    split = next(
        split
        for split in source.split_names("test", "en")
        if (
            folder / source.local.format(language="en", name=source.name("en")) / f"{split}.parquet"
        ).is_file()
    )
    path = folder / source.local.format(language="en", name=source.name("en")) / f"{split}.parquet"
    items = hubrows.dataset(row, row.sources[0], ["en"], count).to_list()
    for column, value in columns.items():
        items[number][column] = value
    pd.DataFrame(items).to_parquet(path)
    return lambda: data.load(name, "test", "en", str(folder))


ANSWER = {"text": ["Omar"], "answer_start": [2]}


@pytest.mark.parametrize(
    "name, columns, message",
    [
        (
            "xquad",
            dict(answers=ANSWER),
            r"validation.parquet: row 3, column answers: the context has 'na l' at 2, not 'Omar'",
        ),
        (
            "xquad",
            dict(answers={"text": ["Omar"], "answer_start": []}),
            "row 3, column answers: 1 texts, 0 starts",
        ),
        (
            "udpos",
            dict(pos_tags=[1, 2]),
            r"test.parquet: row 3, column pos_tags: 2 labels for 8 tokens",
        ),
        ("udpos", dict(pos_tags=[99] * 8), "row 3, column pos_tags: label 99 is none of ADJ"),
        ("hellaswag", dict(label="7"), "row 3, column label: 7 is none of 4 choices"),
        ("hellaswag", dict(label="x"), "row 3, column label: 'x' is none of 4 choices"),
        ("hellaswag", dict(endings=None), "row 3 does not have the columns of HellaSwag"),
        ("pawsx", dict(label=5), "row 3, column label: label 5 is none of 0, 1"),
    ],
)
def test_a_bad_row_is_named(fresh, tmp_path, name, columns, message):
    with pytest.raises(UserError, match=message):
        spoiled(tmp_path, name, **columns)()


@pytest.mark.parametrize(
    "name, columns, reason",
    [
        ("pawsx", dict(label=-1), "label -1, which stands for no gold label"),
        ("pawsx", dict(sentence2=" "), "empty text"),
        ("xquad", dict(answers={"text": [], "answer_start": []}), "no gold answer"),
        ("hellaswag", dict(label=""), "no gold label"),
        ("udpos", dict(tokens=[], pos_tags=[]), "empty text"),
    ],
)
def test_an_unusable_row_is_dropped_and_counted(fresh, tmp_path, name, columns, reason):
    rows = spoiled(tmp_path, name, **columns)()
    assert len(rows) == 39 and rows.dropped == {reason: 1}


def test_many_unusable_rows_are_a_bad_file(fresh, tmp_path):
    """XTREME's own copies of XQuAD, TyDiQA and others come without their answers."""
    hubrows.write(tmp_path, TASKS["xquad"])
    row = TASKS["xquad"]
    items = hubrows.dataset(row, row.sources[0], ["en"], 20).to_list()
    blank = [item | {"answers": {"text": [""], "answer_start": [0]}} for item in items]
    pd.DataFrame(blank).to_parquet(tmp_path / "xquad" / "en" / "validation.parquet")
    with pytest.raises(
        UserError, match="row 0, column answers: empty text. 20 of 20 rows cannot be used"
    ):
        data.load("xquad", "test", "en", str(tmp_path))


@pytest.mark.parametrize(
    "name, column, value", [("udpos", "pos_tags", [7] * 8), ("xcopa", "label", 0)]
)
def test_placeholder_labels_are_not_scored(fresh, tmp_path, name, column, value):
    """Test files that come without their labels: every tag the same, every label 0 (SuperGLUE's
    COPA)."""
    row = TASKS[name]
    hubrows.write(tmp_path, row)
    path = next(iter(sorted(tmp_path.rglob("*/test.parquet"))))
    pd.DataFrame(
        [item | {column: value} for item in pd.read_parquet(path).to_dict("records")]
    ).to_parquet(path)
    (language,) = [
        each
        for each in data.languages(name, str(tmp_path))
        if (source := row.sources[0]).local.format(language=each, name=source.name(each))
        == path.parent.relative_to(tmp_path).as_posix()
    ]
    with pytest.raises(UserError, match="every row of .* has the label .; that is a placeholder"):
        data.load(name, "test", language, str(tmp_path))
