"""What one language has: the tables of languages/<language>.toml, CLDR's names added. The format is
explained in en.toml.

words = load("fi");  words["words"]["country"]["CL"] -> "Chile"
"""

import re
import tomllib
from functools import cache
from typing import Any

from xstilts.synthetic import cldr
from xstilts.synthetic.world import ALL_NAMES, POOLS, SENTENCES, SPLITS

FOLDER = cldr.FOLDER
LANGUAGES = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
# a slot, a word with the marks, apostrophes and hyphens in it, or one mark of punctuation
MARKS = re.escape('.,:;!?()¡¿"«»“”„…&·。、，：；？！「」『』・؟،؛।')
TOKEN = re.compile(rf"\{{\w+\}}|[^\s{{}}{MARKS}]+|[{MARKS}]")
# stands before a slot whose place in the filled sentence is wanted
MARK = "\N{REPLACEMENT CHARACTER}"
PLAIN = ("age", *SENTENCES)  # kinds whose codes need no word


def entries(text: str, where: str) -> dict[str, str]:
    """'code: word, code: word' -> {code: word}. ValueError names the place of an entry without a
    colon."""
    table = {}
    for entry in " ".join(text.split()).rstrip(",").split(", "):
        code, colon, word = entry.partition(": ")
        if not colon or code in table:
            raise ValueError(f"{where}: {entry!r} is not 'code: word', or comes twice")
        table[code] = word.strip()
    return table


@cache
def load(language: str, noise: float = 0.0) -> dict[str, Any]:
    """The tables of one language, read once. noise: the share of words that the imperfect
    translator gets wrong.

    ValueError names the file, the key and the codes for which there is no word.
    """
    path = FOLDER / f"{language}.toml"
    words = tomllib.loads(path.read_text(encoding="utf-8"))
    own = {
        kind: entries(text, f"{path.name}: [words] {kind}") for kind, text in words["words"].items()
    }
    known = {kind: cldr.names(language, kind) for kind in cldr.KINDS}
    if not words["spaces"]:  # CLDR has a space in Japanese names of currencies
        known = {
            kind: {code: name.replace(" ", "") for code, name in names.items()}
            for kind, names in known.items()
        }
    words["words"] = {
        kind: known.get(kind, {}) | own.get(kind, {}) for kind in sorted({*known, *own})
    }
    for kind in POOLS:
        lacking = [
            code
            for split in SPLITS
            for code in POOLS[kind][split]
            if code not in words["words"].get(kind, {})
        ]
        if kind not in PLAIN and lacking:
            raise ValueError(
                f"{path.name}: [words] {kind} lacks {', '.join(lacking)}"
                + f". python -m xstilts.synthetic.cldr {language} takes them from CLDR"
                * (kind in cldr.KINDS and not known[kind])
            )
    lacking = (
        [name for name in ALL_NAMES if name not in words["words"].get("name", {})]
        if words["script"] != "Latin"
        else []
    )
    if lacking:
        raise ValueError(f"{path.name}: [words] name lacks {', '.join(lacking)}")
    words["names"] = words["words"].pop("name", {})
    words["word_tags"] = {
        kind: tag for tag, kinds in words["word_tags"].items() for kind in kinds.split()
    }
    words["language"], words["gap"] = language, " " if words["spaces"] else ""
    words["noise"] = noise if language != "en" else 0.0
    return words


@cache
def tokens(text: str, tags: str) -> list[tuple[str, str]]:
    """(token, tag) for every token of a sentence with slots; a slot is its own tag."""
    found, known = TOKEN.findall(text), tags.split()
    if len(found) != len(known):
        raise ValueError(f"{len(found)} tokens but {len(known)} tags in a language file: {text!r}")
    return list(zip(found, known, strict=True))
