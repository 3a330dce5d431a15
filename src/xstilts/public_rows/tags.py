"""Sentences whose words are tagged."""

from __future__ import annotations

import io
import tarfile
from xml.etree import ElementTree

from xstilts.public_rows.formats import Raw, conllu, label, sentences
from xstilts.tasks.label_sets import UPOS

# in the order of Universal Dependencies on the Hub
UPOS_OF_UD = (
    *("NOUN", "PUNCT", "ADP", "NUM", "SYM", "SCONJ", "ADJ", "PART", "DET"),
    *("CCONJ", "PROPN", "PRON", "X", "_", "ADV", "INTJ", "VERB", "AUX"),
)
ENTITIES = ("O", *(f"{at}-{kind}" for kind in ("PER", "ORG", "LOC") for at in "BI"))
WITH_DATES = (*ENTITIES, "B-DATE", "I-DATE")
COLUMNS = ("id", "tokens", "lemmas", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")


def _ids(tags: list[str], names: tuple[str, ...], raw: Raw) -> list[int]:
    return [label(tag, names, raw) for tag in tags]


def udpos(raw: Raw) -> list[dict]:
    """XTREME's lines of a token, a tab and its part of speech."""
    return [
        {"tokens": tokens, "pos_tags": _ids(tags, UPOS, raw)}
        for tokens, tags in sentences(raw, "\t")
    ]


def treebank_as_udpos(raw: Raw) -> list[dict]:
    """A treebank in the columns of UDPOS."""
    return [
        {"tokens": [w[1] for w in words], "pos_tags": _ids([w[3] for w in words], UPOS, raw)}
        for _, words in conllu(raw)
    ]


def treebank(raw: Raw) -> list[dict]:
    """A treebank in all columns of Universal Dependencies on the Hub."""
    found = []
    for said, words in conllu(raw):
        columns = dict(zip(COLUMNS, map(list, zip(*words, strict=True)), strict=True))
        del columns["id"]
        columns["upos"] = _ids(columns["upos"], UPOS_OF_UD, raw)
        found.append({"idx": said["sent_id"], "text": said["text"], **columns})
    return found


def panx(raw: Raw, language: str) -> list[dict]:
    """XTREME's lines of a token, a tab and its tag."""
    return [
        {"tokens": tokens, "ner_tags": _ids(tags, ENTITIES, raw), "langs": [language] * len(tokens)}
        for tokens, tags in sentences(raw, "\t")
    ]


def masakhaner(raw: Raw) -> list[dict]:
    """Lines of a token, a space and its tag."""
    return [
        {"id": str(number), "tokens": tokens, "ner_tags": _ids(tags, WITH_DATES, raw)}
        for number, (tokens, tags) in enumerate(sentences(raw, " "))
    ]


def masakhapos(raw: Raw) -> list[dict]:
    """Lines of a token, a space and its part of speech."""
    return [
        {"id": str(number), "tokens": tokens, "upos": _ids(tags, UPOS_OF_UD, raw)}
        for number, (tokens, tags) in enumerate(sentences(raw, " "))
    ]


def supertags(raw: Raw) -> list[dict]:
    """What the C&C parser made of FraCaS: each sentence once."""
    found: dict[tuple[str, ...], list[str]] = {}
    with tarfile.open(fileobj=io.BytesIO(raw.content)) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            content = archive.extractfile(member)  # None of a folder
            if not content or not member.name.endswith(".tok.candc.xml"):
                continue
            for sentence in ElementTree.parse(content).iter("ccg"):
                words = list(sentence.iter("lf"))
                tokens = tuple(word.attrib["word"] for word in words)
                found.setdefault(tokens, [word.attrib["cat"] for word in words])
    return [{"tokens": list(tokens), "tags": tags} for tokens, tags in found.items()]
