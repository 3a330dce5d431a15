"""In which language rows are: by a column, a name of a file or folder, or a parameter; and whether
their letters agree."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from babel import Locale, UnknownLocaleError

from xstilts.errors import UserError, shown
from xstilts.tasks.languages import SCRIPTS

CHECKED = 200  # texts of a language whose letters are counted
MOST = 0.5  # of the letters
# words in names of files that say a split, and no language
ASIDE = "train training test dev val valid validation eval unlabelled unlabeled".split()
# scripts by the names that Unicode gives their letters, where these are others than ours
LETTERS = {"Han": "CJK", "Burmese": "MYANMAR"}


def code(text: object) -> str:
    """The code of a language by its code, a locale ("en-US") or its English name; "" for none."""
    found = str(text or "").strip()
    known = _names()
    if found.lower() in known:
        return known[found.lower()]
    first = re.split("[-_]", found)[0].lower()
    return first if re.fullmatch("[a-z]{2,3}", first) and first in known.values() else ""


def of_names(names: Sequence[str]) -> str:
    """The language that a name of a file, folder or configuration says; "" where none does. A code
    counts at the end of a name, as in reviews_de, leaving aside words such as test: my_reviews is
    not Burmese."""
    for name in reversed(names):
        if found := _names().get(name.lower()):
            return found
        parts = [part for part in re.split(r"[._\-\s]+", name.lower()) if part not in ASIDE]
        if parts and parts[-1] in _names():
            return _names()[parts[-1]]
    return ""


def asked(text: str) -> str:
    """A language that a person named. UserError for none."""
    if not (found := code(text)):
        raise UserError(f"language {shown(text)}: no language is known by it; write a code: en, de")
    return found


def _names() -> dict[str, str]:
    """Codes and English names of languages -> codes."""
    if not _known:
        for each, name in Locale("en").languages.items():
            if re.fullmatch("[a-z]{2,3}", each):
                _known[name.lower()] = each
        two = {name for name in _known.values() if len(name) == 2}
        _known.update({each: each for each in two})
        _known.update({three: each for three, each in THREE.items()})
    return _known


# ISO 639-3 -> 639-1, of the languages that data sets most often name so
THREE = dict(
    pair.split(":")
    for pair in "eng:en deu:de ger:de fra:fr fre:fr spa:es ita:it por:pt rus:ru ara:ar arb:ar "
    "zho:zh cmn:zh jpn:ja kor:ko hin:hi tur:tr swa:sw swh:sw yor:yo hau:ha ibo:ig fin:fi est:et "
    "hun:hu nld:nl pol:pl ukr:uk vie:vi tha:th ind:id heb:he ell:el urd:ur ben:bn tam:ta tel:te "
    "afr:af amh:am kin:rw xho:xh zul:zu wol:wo".split()
)
_known: dict[str, str] = {}


def expected_script(language: str) -> str:
    """The script that the language is mostly written in, as Unicode calls its letters; "" where
    that is not known."""
    for script, members in SCRIPTS.items():
        if language in members.split():
            return LETTERS.get(script, script).upper()
    try:
        likely = Locale.parse(language, resolve_likely_subtags=True).script
    except (UnknownLocaleError, ValueError):
        return ""
    return "LATIN" if likely == "Latn" else ""


def script(texts: Sequence[str]) -> str:
    """The script of most letters of the texts; "" where none has most of them."""
    counts = Counter(
        unicodedata.name(letter, "?").split()[0].split("-")[0]
        for text in texts[:CHECKED]
        for letter in text[:500]
        if letter.isalpha()
    )
    if counts["HIRAGANA"] + counts["KATAKANA"] > 0.1 * sum(counts.values()):
        return "JAPANESE"
    name, count = counts.most_common(1)[0] if counts else ("", 0)
    return name if count > MOST * sum(counts.values()) else ""


def doubt(language: str, texts: Sequence[str]) -> str:
    """In words, where the texts' letters are not the language's; else ""."""
    expected, found = expected_script(language), script(texts)
    if not expected or not found or expected == found:
        return ""
    return (
        f"rows in {language!r} are mostly in {found.title()} letters, and {language!r} is written "
        f"in {expected.title()} ones: is the language right?"
    )
