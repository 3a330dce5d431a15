"""Raw files that cannot be scored are refused, with the file and the line."""

import bz2

import pytest
from test_public_rows import ENGLISH, asked, made, squad

from xstilts.errors import UserError
from xstilts.public_rows import formats, pairs, tags, texts

REFUSED = {
    "a test file without labels": (pairs.xnli_validation, ["a\tb\n"], "line 1 has 2 fields"),
    "another label": (pairs.xnli_validation, ["a\tb\tmaybe\n"], "'maybe' is none of the labels"),
    "no UTF-8": (pairs.xnli_validation, [b"a\tb\xff\tneutral\n"], "byte 3 is no UTF-8"),
    "labels of other rows": (
        pairs.xnli_test,
        ["a\tb\n" * 8, "".join(f"Other {n}\tIt is {n}.\n" for n in range(8)), ENGLISH],
        "only 0 of 8 rows have the same text",
    ),
    "labels of fewer rows": (
        pairs.xnli_test,
        ["a\tb\n"] * 2 + [ENGLISH],
        "1 rows, and 8",
    ),
    "a CSV without a column": (pairs.anli, ["uid,context\nu,c\n"], "does not have the columns uid"),
    "a CSV row cut short": (
        pairs.anli,
        ["uid,context,statement,gold_label,reason\nu,c\n"],
        "row 1",
    ),
    "a blank answer": (texts.xquad, [squad(("T", "One two.", [asked("", 0)]))], "is not at 0"),
    "an answer elsewhere": (
        texts.xquad,
        [squad(("T", "One two.", [asked(start=0)]))],
        "'two' is not",
    ),
    "no JSON": (texts.xquad, ["{"], "no JSON"),
    "placeholders": (
        texts.copa,
        ['{"label": 0}\n{"label": 0}\n'],
        "are 0, a placeholder",
    ),
    "tokens without tags": (tags.udpos, ["The\nend\n"], "line 1 has no tag"),
    "an unknown tag": (tags.udpos, ["The\tART\n"], "'ART' is none of the labels ADJ"),
    "a column short": (tags.treebank, ["1\ta\n"], "line 1 has 2 columns and not 10"),
    "a sentence more": (
        lambda *files: texts.tatoeba(*files, language="af"),
        ["a\nb\n", "a\n"],
        "2 sentences, 1 in English",
    ),
    "a pair without its sentence": (
        lambda *files: texts.mined(*files, language="zh"),
        ["zh-1\ta\n", "en-1\tb\n", "zh-2\ten-1\n"],
        "no sentence has the id 'zh-2'",
    ),
    "a line short": (texts.hellaswag, [bz2.compress(b"a: b\n1\nc\n")], "3 lines, where each row"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_scored_is_refused_with_its_file(name):
    read, contents, words = REFUSED[name]
    with pytest.raises(UserError, match=f"raw [0-9].*{words}"):
        read(*made(*contents))


def test_a_damaged_text_is_told_with_its_line():
    with pytest.raises(UserError, match="raw 0: line 2: no JSON"):
        formats.objects(*made('{"a": 1}\n{'))
