"""What is wrong with a language file, in words: compared with en.toml, read as the generators read
it.

python -m xstilts.synthetic.check yo        # nothing, or a line a problem: file, key, what
"""

from __future__ import annotations

import re
import sys
import tomllib
import unicodedata
from collections.abc import Iterator

from xstilts.synthetic import tables, wording
from xstilts.synthetic.makers.labelling import POS_TAGS
from xstilts.synthetic.world import RELATIONS

SCRIPTS = {
    "Latin": ("LATIN",),
    "Cyrillic": ("CYRILLIC",),
    "Arabic": ("ARABIC",),
    "Devanagari": ("DEVANAGARI",),
    "Han": ("CJK",),
    "Kana": ("HIRAGANA", "KATAKANA", "CJK"),
}
SLOT = re.compile(r"\{\w+\}")
ANY_WORDS = {"words"}  # kinds and codes are checked by `tables.load`
FREE = {("word_tags",)}  # tags differ: a colour is a noun or an adjective


def foreign(text: str, script: str) -> str:
    """The letters of a text that are of another script."""
    known = SCRIPTS.get(script, ())
    return "".join(
        letter
        for letter in text
        if letter.isalpha()
        and unicodedata.category(letter) != "Lm"
        and not unicodedata.name(letter, "").startswith(known)
    )


def problems(language: str) -> list[str]:
    """Every problem of a language file, the file's name first; [] if there is none."""
    file = f"{language}.toml"
    try:
        ours, english = (
            tomllib.loads((tables.FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
            for name in (language, "en")
        )
        words = tables.load(language)
    except (OSError, ValueError, KeyError) as error:
        return [f"{file}: {error!r}" if isinstance(error, KeyError) else f"{file}: {error}"]
    found = [*_shape(ours, english, ()), *_words(words), *_sentences(ours, english, words)]
    return [f"{file}: {problem}" for problem in found]


def _shape(ours, english, path: tuple[str, ...]) -> Iterator[str]:
    """Keys, and numbers of sentences under each."""
    where = (
        " ".join((f"[{'.'.join(path[:-1])}]", path[-1]))
        if len(path) > 1
        else f"[{path[0]}]"
        if path
        else "file"
    )
    if path in FREE or (path and path[0] in ANY_WORDS):
        return
    if isinstance(english, dict):
        if not isinstance(ours, dict):
            yield f"{where} must be a table"
            return
        for key in [*english, *(key for key in ours if key not in english)]:
            if key not in ours or key not in english:
                yield f"{where} {'lacks' if key not in ours else 'has an unknown key'} {key}"
            else:
                yield from _shape(ours[key], english[key], (*path, key))
    elif isinstance(english, list):
        if not isinstance(ours, list) or len(ours) != len(english):
            yield (
                f"{where} has {len(ours) if isinstance(ours, list) else 'no'} entries, en.toml has "
                f"{len(english)}"
            )
    elif type(ours) is not type(english):
        yield f"{where} is {ours!r}, in en.toml it is {english!r}"


def _words(words: dict) -> Iterator[str]:
    if words["script"] not in SCRIPTS:
        yield f"script {words['script']!r} is none of {', '.join(SCRIPTS)}"
    for kind, table in [*words["words"].items(), ("name", words["names"])]:
        where = f"[words] {kind}"
        twice = sorted({word for word in table.values() if list(table.values()).count(word) > 1})
        if twice and not kind.endswith("_f"):
            yield f"{where}: {', '.join(twice)} stands for two codes"
        for code, word in table.items():
            yield from _text(word, f"{where} {code}", words)
            if set(word) & set("{}|()_,"):
                yield f"{where} {code}: {word!r} has a bracket, bar, comma or underscore"
            if not words["spaces"] and " " in word:
                yield f"{where} {code}: {word!r} has a space, in a language without"
    for kind in {*RELATIONS.values(), "adj", "adv", "num"}:
        if words["word_tags"].get(kind) not in POS_TAGS:
            yield f"[word_tags] has no universal tag for {kind}"


def _text(text: str, where: str, words: dict, any_script: bool = False) -> Iterator[str]:
    if text != unicodedata.normalize("NFC", text):
        yield f"{where}: {text!r} is not in Unicode's form NFC"
    if text != " ".join(text.split()) or not text:
        yield f"{where}: {text!r} is empty or has a double, leading or trailing space"
    strange = foreign(SLOT.sub("", text), words["script"])
    if strange and not any_script:
        yield f"{where}: {text!r} has letters that are not {words['script']}: {strange}"


def _sentences(ours: dict, english: dict, words: dict) -> Iterator[str]:
    """Slots, tags, brackets of every sentence; a sentence is a text or a pair [text, tags]."""
    for where, own, other in _pairs(ours, english, ""):
        text, there = (own[0], other[0]) if isinstance(own, list) else (own, other)
        if where in ("script", "full_name"):
            continue
        yield from _text(text, where, words, any_script="organisations" in where)
        if set(SLOT.findall(text)) != set(SLOT.findall(there)):
            yield (
                f"{where}: {text!r} has the slots {_listed(text)}, the English sentence has "
                f"{_listed(there)}"
            )
        if re.search(r"[{}|()_]", wording.FORMS.sub("", SLOT.sub("", text))):
            yield f"{where}: {text!r} has a stray bracket, bar or underscore"
        if isinstance(own, list):
            yield from _tags(own, where)
        if text.startswith("{x}"):
            kind = where.split()[1].split("[")[0] if where.startswith("[statements]") else ""
            small = [
                word
                for word in words["words"].get(RELATIONS.get(kind, ""), {}).values()
                if word[0].islower()
            ]
            if small:
                yield (
                    f"{where}: {text!r} begins with {{x}}, which may be {small[0]!r} without a "
                    "capital letter"
                )


def _listed(text: str) -> str:
    return " ".join(sorted(set(SLOT.findall(text)))) or "none"


def _tags(sentence: list[str], where: str) -> Iterator[str]:
    text, tags = sentence
    for woman in (False, True):
        tokens = tables.TOKEN.findall(wording.agreeing(text, woman))
        if len(tokens) != len(tags.split()):
            yield (
                f"{where}: {len(tokens)} tokens ({' '.join(tokens)}) but {len(tags.split())} tags "
                f"({tags})"
            )
            return
    for token, tag in zip(tokens, tags.split(), strict=True):
        if (
            (token[0] == "{" or tag[0] == "{")
            and token != tag
            or tag[0] != "{"
            and tag not in POS_TAGS
        ):
            yield f"{where}: {token!r} has the tag {tag!r}"


def _pairs(ours, english, where: str) -> Iterator[tuple]:
    """Where a sentence stands, it, and the English one; what has no counterpart was reported
    before."""
    if isinstance(english, dict):
        for key in english:
            if key in ours and key not in ("words", "word_tags"):
                inner = (
                    f"[{key}]"
                    if isinstance(english[key], dict) and not where
                    else f"{where} {key}".strip()
                )
                yield from _pairs(ours[key], english[key], inner)
    elif isinstance(english, list) and isinstance(ours, list):
        if len(english) == 2 and re.fullmatch(
            r"(\{\w+\}|[A-Z]+)( (\{\w+\}|[A-Z]+))+", str(english[1])
        ):
            yield where, ours, english
        else:
            for number, (own, other) in enumerate(zip(ours, english, strict=False)):
                yield from _pairs(own, other, f"{where}[{number}]")
    elif isinstance(english, str) and isinstance(ours, str):
        yield where, ours, english


if __name__ == "__main__":
    asked = sys.argv[1:] or tables.LANGUAGES
    found = [problem for language in asked for problem in problems(language)]
    print("\n".join(found) or f"no problem in {', '.join(asked)}")
    sys.exit(bool(found))
