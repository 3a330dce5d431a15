"""The language files of the synthetic benchmark: the same keys and counts, tags that fit, right
scripts, CLDR's names."""

import shutil

import pytest

from xstilts.synthetic import check, cldr, tables, wording, world
from xstilts.synthetic.world import WOMEN

LANGUAGES = tables.LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_file_has_no_problem(language):
    assert check.problems(language) == []


@pytest.mark.parametrize(
    "before, after, said",
    [
        ('colour = """\nblack: black, ', 'colour = """\n', "xx.toml: [words] colour lacks black"),
        (
            "bag: bag, ",
            "bag: bag, bag: sack, ",
            "xx.toml: [words] object: 'bag: sack' is not 'code: word', or comes twice",
        ),
        ("bag: bag, ", "bag: basket, ", "xx.toml: [words] object: basket stands for two codes"),
        (
            "bag: bag, ",
            "bag: сумка, ",
            "xx.toml: [words] object bag: 'сумка' has letters that are not Latin: сумка",
        ),
        (
            '    "{p}, {t}, {c}",\n',
            "",
            "xx.toml: [entities] sentences has 15 entries, en.toml has 16",
        ),
        ('lead = "{p} and {q} are friends."\n', "", "xx.toml: [pairs] lacks lead"),
        (
            'lead = "{p} and {q} are friends."',
            'lead = "{p} and {q}  are friends."',
            "double, leading or trailing space",
        ),
        (
            'lead = "{p} and {q} are friends."',
            'lead = "{p} has friends."',
            "[pairs] lead: '{p} has friends.' has the slots {p}, the English sentence has {p} {q}",
        ),
        (
            '["{p} lives in {x}.", "{p} VERB ADP {x} PUNCT"]',
            '["{p} lives in {x}.", "{p} VERB {x} PUNCT"]',
            "[statements] lives[0]: 5 tokens ({p} lives in {x} .) but 4 tags",
        ),
        (
            '"{p} VERB ADP {x} PUNCT"',
            '"{p} VERBS ADP {x} PUNCT"',
            "[statements] lives[0]: 'lives' has the tag 'VERBS'",
        ),
        (
            '"The age of {p} is {x}."',
            '"The {age| of {p} is {x}."',
            "has a stray bracket, bar or underscore",
        ),
        (
            '"{p} speaks {x}."',
            '"é{p} speaks {x}."'.replace("é", "e\u0301"),
            "is not in Unicode's form NFC",
        ),
        (
            '["{p} likes the colour {x}.", "{p} VERB DET NOUN {x} PUNCT"]',
            '["{x} likes {p}.", "{x} VERB {p} PUNCT"]',
            "begins with {x}, which may be",
        ),
    ],
)
def test_a_problem_names_file_and_key(tmp_path, monkeypatch, before, after, said):
    english = (tables.FOLDER / "en.toml").read_text()
    assert before in english
    (tmp_path / "xx.toml").write_text(english.replace(before, after, 1))
    shutil.copy(tables.FOLDER / "en.toml", tmp_path)
    monkeypatch.setattr(tables, "FOLDER", tmp_path)
    monkeypatch.setattr(cldr, "names", lambda language, kind: cldr._kept()["en"].get(kind, {}))
    tables.load.cache_clear()
    try:
        assert said in "\n".join(check.problems("xx"))
    finally:
        tables.load.cache_clear()


def test_what_depends_on_a_language_is_in_its_file():
    """Words without spaces, names in another script, forms for women and men, marks of every
    script."""
    words = tables.load("en") | {
        "spaces": False,
        "gap": "",
        "names": {"Anna": "安娜", "Anton": "安东"},
    }
    assert wording.fill(words, "{p} 住 在 {x} 。", p="Anna", x="智利") == "安娜住在智利。"
    assert wording.with_span(words, "{p} 住 在 {x} 。", "x", p="Anna", x="智利") == (
        "安娜住在智利。",
        4,
    )
    assert wording.tagged(
        words,
        ["{p} 住 在 {x} 。", "{p} VERB ADP {x} PUNCT"],
        {"p": ("Anna", "PROPN"), "x": ("智利", "PROPN")},
        True,
    ) == (["安娜", "住", "在", "智利", "。"], ["PROPN", "VERB", "ADP", "PROPN", "PUNCT"])
    russian = tables.load("en") | {"names": {"Anna": "Анна", "Anton": "Антон"}}
    born = "{p} (родился|родилась) в стране: {x}."
    assert (
        "Anna" in WOMEN
        and wording.fill(russian, born, p="Anna", x="Чили") == "Анна родилась в стране: Чили."
    )
    assert wording.fill(russian, born, p="Anton", x="Чили") == "Антон родился в стране: Чили."
    for text, tokens in (
        ("अन्ना हिन्दी बोलती है।", 5),
        ("Anna ní ọ̀rẹ́ kan.", 5),
        ("أين تعيش آنا؟", 4),
        ("「東京」です。", 5),
        ("¿Dónde?", 3),
    ):
        assert len(tables.TOKEN.findall(text)) == tokens, text
    german = tables.load("de")
    assert (
        wording.word(german, "profession", "cook", "Anna") == "Köchin"
        and wording.word(german, "profession", "cook", "Anton") == "Koch"
    )


def test_a_word_and_its_class_belong_to_one_split():
    for kind, splits in world.POOLS.items():
        codes = sum(splits.values(), [])
        assert len(codes) == len(set(codes)), kind
    for table, kind in ((world.COUNTRY_OF, "city"), (world.WHOLE_OF, "part")):
        for code, other in table.items():
            split = next(split for split in world.SPLITS if code in world.pool(kind, split))
            whole = ("country", other) if kind == "city" else other
            assert whole[1] in world.pool(whole[0], split), code
    for split in world.SPLITS:
        assert (
            sum(town in world.COUNTRY_OF for town in world.pool("city", split))
            >= 5
            <= len(world.pool("part", split))
        )


def test_articles_fit_the_words_after_them():
    english, hungarian = (tables.load(language)["words"] for language in ("en", "hu"))
    for words, kinds, vowels in (
        (english, ("profession", "animal", "object"), "aeiou"),
        (hungarian, ("colour", "food", "weekday"), "aáeéiíoóöőuúüű"),
    ):
        for kind in kinds:
            assert not [word for word in words[kind].values() if word[0].lower() in vowels]


def test_kept_names_are_those_of_cldr():
    """Nearly all: names change a little from one CLDR to the next, and the benchmark must not
    change with them."""
    pytest.importorskip("babel")
    for language in LANGUAGES:
        script = tables.load(language)["script"]
        for kind, names in cldr.from_babel(language, script).items():
            kept = cldr.names(language, kind)
            assert sum(kept.get(code) == name for code, name in names.items()) >= 0.9 * len(
                names
            ), (language, kind)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_file_mostly_keeps_cldrs_names(language):
    words = tables.load(language)
    for kind in cldr.KINDS:
        kept = {
            code: name if words["spaces"] else name.replace(" ", "")
            for code, name in cldr.names(language, kind).items()
        }
        own = {
            code: word
            for code, word in words["words"][kind].items()
            if kept.get(code) not in (None, word)
        }
        assert len(own) <= 0.5 * len(kept), (kind, own)
