"""The table of sources: of every file of the study on real rows, which raw files of which
repository it is made of, how they are read, and which of their rows are taken.

raw.tsv has the commit of each repository and the checksum of each raw file, tables.tsv the checksum
of each file that is made, datasets.toml what people ask of a data set: whose it is, under which
licence, which official split."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from xstilts.public_rows import pairs, tags, texts
from xstilts.public_rows.formats import NLI
from xstilts.public_rows.rows import Shape, Take, drawn, first, shuffled, whole
from xstilts.tasks.languages import TATOEBA_NAMES, UD_NAMES

MESH = "GautamGupta17/MESH:data/"
AFRICAN = "joynaomi81/Extending-AfriXNLI:test/"
ENGLISH_LABELS = f"{AFRICAN}xnli.test - english.csv"
ENGLISH_XQUAD = "deepmind/xquad:xquad.en.json"

PAIR: dict[str, Shape] = {"premise": "string", "hypothesis": "string", "label": NLI}
ANSWERS: Shape = {"text": ["string"], "answer_start": ["int32"]}
QUESTION: dict[str, Shape] = {
    "id": "string",
    "context": "string",
    "question": "string",
    "answers": ANSWERS,
}
TITLED: dict[str, Shape] = {"id": "string", "title": "string", **QUESTION}
COPA: dict[str, Shape] = {
    **{name: "string" for name in ("premise", "choice1", "choice2", "question")},
    "label": ("choice1", "choice2"),
    "idx": "int32",
    "changed": "bool",
}
TRANSLATION: dict[str, Shape] = {
    name: "string" for name in ("source_sentence", "target_sentence", "source_lang", "target_lang")
}
TREEBANK: dict[str, Shape] = {
    "idx": "string",
    "text": "string",
    **{name: ["string"] for name in tags.COLUMNS[1:]},
    "upos": [tags.UPOS_OF_UD],
}


@dataclass(frozen=True)
class Table:
    """A file of the folder: <path>.parquet."""

    path: str  # <task>/<configuration>/<split>
    raw: tuple[str, ...]  # "owner/name:path in it"
    read: Callable[..., list[dict]]  # the raw files -> their rows
    columns: dict[str, Shape]
    take: Take = whole

    @property
    def name(self) -> str:
        return f"{self.path}.parquet"

    @property
    def data_set(self) -> str:
        return self.path.split("/")[0]

    def rows(self, raw: Callable) -> list[dict]:
        """raw(reference) -> the raw file."""
        return self.take(self.read(*map(raw, self.raw)))


@lru_cache(maxsize=1)
def tables() -> tuple[Table, ...]:
    """All files of the folder."""
    return tuple(
        table
        for part in (_inference, _paraphrases, _reading, _choices, _tagged, _translations)
        for table in part()
    )


@dataclass(frozen=True)
class Known:
    """What is known of a table that the study read."""

    rows: int
    sha256: str  # of the file
    digest: str  # of the rows (see `rows.digest`)


@lru_cache(maxsize=1)
def known() -> dict[str, Known]:
    """By the table's path."""
    lines = Path(__file__).with_name("tables.tsv").read_text(encoding="utf-8").splitlines()
    return {
        path: Known(int(count), checksum, digest)
        for path, count, checksum, digest in (line.split("\t") for line in lines)
    }


@lru_cache(maxsize=1)
def data_sets() -> dict[str, dict[str, Any]]:
    """By folder: title, whose, licence, official, left_out, hub, hub_splits (see the file)."""
    return tomllib.loads(Path(__file__).with_name("datasets.toml").read_text(encoding="utf-8"))


def _inference() -> Iterator[Table]:
    raw: tuple[str, ...]
    for language in ["ar", "de", "en", "es", "fr", "hi", "ru", "sw", "tr", "ur", "vi", "zh"]:
        for split, read, raw in (
            ("validation", pairs.xnli_validation, (f"{MESH}xnli/dev-{language}.tsv",)),
            (
                "test",
                pairs.xnli_test,
                (f"{MESH}xnli/test-{language}.tsv", f"{MESH}xnli/test-en.tsv", ENGLISH_LABELS),
            ),
        ):
            yield Table(f"xnli/{language}/{split}", raw, read, PAIR, first(1000))
    for code, name in {"yo": "yoruba", "ig": "igbo"}.items():
        yield Table(
            f"xnli_mt_african/{code}/test",
            (f"{AFRICAN}{name}/xnli.test.{code}.csv", ENGLISH_LABELS),
            partial(pairs.xnli_by_machine, language=name),
            PAIR,
            first(1000),
        )
    numbered: dict[str, Shape] = {**PAIR, "idx": "int32"}
    yield Table(
        "mnli/default/train",
        (
            "vibexcv/Contradictory-My-Dear-Watson:Data/train.csv",
            f"{MESH}xnli/dev-en.tsv",
            f"{MESH}xnli/test-en.tsv",
        ),
        pairs.watson,
        numbered,
    )
    for split in ("matched", "mismatched"):
        raw = (f"jind11/TextFooler:data/mnli_{split}",)
        yield Table(f"mnli/default/validation_{split}", raw, pairs.attacked, numbered)
    snli = "OanaMariaCamburu/e-SNLI:dataset/eSNLI/"
    for split, theirs, take in (("train", "dev", whole), ("validation", "test", first(1000))):
        labels = f"UNK_freq_15_preproc1_expl_1_label.{theirs}"
        raw = tuple(f"{snli}{name}" for name in (f"s1.{theirs}", f"s2.{theirs}", labels))
        yield Table(f"snli/plain_text/{split}", raw, pairs.snli, PAIR, take)
    anli = "facebookresearch/anli:anlizinganli/anli_annot_v0.2/ANLI_analysis_r{}_dev.csv"
    explained: dict[str, Shape] = {"uid": "string", **PAIR, "reason": "string"}
    rounds = tuple(anli.format(number) for number in (1, 2, 3))
    for number, one in enumerate(rounds, 1):
        yield Table(f"anli/plain_text/dev_r{number}", (one,), pairs.anli, explained)
    for split, held_out in (("train", False), ("validation", True)):
        read = partial(pairs.anli_part, held_out=held_out)
        yield Table(f"anli/derived/{split}", rounds, read, explained)


def _paraphrases() -> Iterator[Table]:
    raw: tuple[str, ...]
    qqp = "Deep1994/Quora-Question-Pairs-dataset-analysis-and-construction:dataset/"
    columns: dict[str, Shape] = {
        "question1": "string",
        "question2": "string",
        "label": ("not_duplicate", "duplicate"),
        "idx": "int32",
    }
    yield Table("qqp/default/train", (f"{qqp}dev.tsv",), pairs.qqp, columns)
    yield Table("qqp/default/validation", (f"{qqp}test.tsv",), pairs.qqp, columns, first(1000))
    columns = {"id": "int32", "sentence1": "string", "sentence2": "string", "label": ("0", "1")}
    place = f"{MESH}pawsx/"
    ids, labels = "tsv_files/validation-00000-of-00001.tsv", "tsv_files/test-00000-of-00001.tsv"
    for language in ["de", "en", "es", "fr", "ja", "zh"]:
        raw = (f"{place}dev-{language}.tsv", place + ids)
        splits = [("validation", 0)] + [("train", 1000)] * (language == "en")
        for split, start in splits:
            read = partial(pairs.pawsx_validation, start=start, end=start + 1000)
            yield Table(f"paws-x/{language}/{split}", raw, read, columns)
        raw = (f"{place}test-{language}.tsv", f"{place}tsv_files/test-de.tsv", place + labels)
        yield Table(f"paws-x/{language}/test", raw, pairs.pawsx_test, columns, first(1000))


def _reading() -> Iterator[Table]:
    raw: tuple[str, ...]
    for language in ["ar", "de", "en", "es", "hi", "ru", "th", "tr", "vi", "zh"]:
        raw = (f"deepmind/xquad:xquad.{language}.json",)
        yield Table(f"xquad/{language}/validation", raw, texts.xquad, QUESTION)
    for language in ["ar", "de", "en", "es", "hi", "vi", "zh"]:
        raw = (f"{MESH}mlqa/MLQA_V1/dev/dev-context-{language}-question-{language}.json",)
        path = f"mlqa/mlqa.{language}.{language}/validation"
        yield Table(path, raw, texts.xquad, QUESTION, first(1000))
    for language, split, take in (
        ("en", "train", whole),
        ("sw", "heldout_from_train", drawn(1000)),
        ("ko", "heldout_from_train", drawn(1000)),
    ):
        raw = (f"{MESH}tydiqa/tydiqa-goldp-v1.1-train/tydiqa.goldp.{language}.train.json",)
        yield Table(f"tydiqa/{language}/{split}", raw, texts.questions, TITLED, take)
    tokens = "liweijiang/QASystem:data/squad/all_val/val."
    raw = tuple(tokens + part for part in ("context", "question", "answer", "span"))
    yield Table("squad/plain_text/train", raw, texts.squad_of_tokens, TITLED)
    raw = ("chrischute/squad:data/dev-v2.0.json", ENGLISH_XQUAD)
    take = drawn(1000, seed=17)
    yield Table("squad/plain_text/validation", raw, texts.answered, TITLED, take)
    for split, held_out, take in (("train", False, whole), ("validation", True, drawn(1000))):
        read = partial(texts.squad_articles, held_out=held_out)
        yield Table(f"squad_v2/squad_v2/{split}", raw, read, TITLED, take)
    columns: dict[str, Shape] = {
        **QUESTION,
        "sentences": ["string"],
        "sentence_breaks": [["int32"]],
    }
    for language in ["ar", "de", "en", "es", "hi", "ru", "zh"]:
        raw = (f"google-research-datasets/lareqa:xquad-r/{language}.json",)
        yield Table(f"lareqa_xquad_r/{language}/test", raw, texts.lareqa, columns)


def _choices() -> Iterator[Table]:
    raw: tuple[str, ...]
    columns: dict[str, Shape] = {
        "ind": "int32",
        **{name: "string" for name in ("activity_label", "ctx_a", "ctx_b", "ctx")},
        "endings": ["string"],
        **{name: "string" for name in ("source_id", "split", "split_type", "label")},
    }
    raw = ("klosax/hellaswag_text_data:hellaswag_val_full.txt.bz2",)
    for split, take in (("train", shuffled(None, -1000)), ("validation", shuffled(-1000, None))):
        yield Table(f"hellaswag/default/{split}", raw, texts.hellaswag, columns, take)
    columns = {**{name: "string" for name in texts.COSMOS}, "label": "int32"}
    for split, held_out in (("train", False), ("validation", True)):
        read = partial(texts.cosmos, held_out=held_out)
        yield Table(
            f"cosmos_qa/default/{split}", ("wilburOne/cosmosqa:data/valid.csv",), read, columns
        )
    columns = {
        **{name: "string" for name in ("id", "question", "question_concept")},
        "choices": {"label": ["string"], "text": ["string"]},
        "answerKey": "string",
    }
    for split, theirs, take in (("train", "train", whole), ("validation", "dev", first(1000))):
        raw = (f"liujch1998/GKP:data/csqa/{theirs}.csqa.json",)
        read = partial(texts.commonsense, split=theirs)
        yield Table(f"commonsense_qa/default/{split}", raw, read, columns, take)
    for language in ["et", "ht", "id", "it", "sw", "ta", "th", "tr", "vi", "zh"]:
        for split, theirs in (("validation", "val"), ("test", "test")):
            raw = (f"cambridgeltl/xcopa:data/{language}/{theirs}.{language}.jsonl",)
            yield Table(f"xcopa/{language}/{split}", raw, texts.copa, COPA)
    for split, theirs in (("train", "train"), ("validation", "val")):
        yield Table(f"xcopa/en/{split}", (f"{MESH}xcopa/{theirs}-en.jsonl",), texts.copa, COPA)


PANX = (
    *("af", "ar", "de", "en", "es", "et", "fi", "fr", "hi"),
    *("hu", "ja", "ko", "ru", "sw", "tr", "yo", "zh"),
)
UDPOS = (
    *("af", "ar", "de", "en", "es", "fi", "fr", "hi"),
    *("hu", "ja", "ko", "ru", "tr", "vi", "yo", "zh"),
)
TATOEBA = (
    *("af", "ar", "de", "es", "et", "fi", "fr", "hi"),
    *("hu", "ja", "ko", "ru", "sw", "tr", "vi", "zh"),
)


def _tagged() -> Iterator[Table]:
    raw: tuple[str, ...]
    columns: dict[str, Shape] = {"tokens": ["string"], "pos_tags": [tags.UPOS]}
    mpt = "salesforce/MPT:data/udpos/"
    yield Table("udpos/English/train", (f"{mpt}train-en.tsv",), tags.udpos, columns, drawn(10_000))
    for code in UDPOS:
        name = {**UD_NAMES, "af": "Afrikaans"}[code]  # which the Hub writes otherwise
        for split, theirs in (("validation", "dev"), ("test", "test")):
            raw, read = (f"{mpt}{theirs}-{code}.tsv",), tags.udpos
            if (code, split) == ("yo", "validation"):
                continue
            if (code, split) == ("de", "test"):
                raw = ("UniversalDependencies/UD_German-GSD:de_gsd-ud-test.conllu",)
                read = tags.treebank_as_udpos
            yield Table(f"udpos/{name}/{split}", raw, read, columns, drawn(1000))
    for code, name, splits in (
        ("wo_wtb", "Wolof-WTB", ("train", "dev", "test")),
        ("yo_ytb", "Yoruba-YTB", ("test",)),
        ("pcm_nsc", "Naija-NSC", ("dev", "test")),
    ):
        for theirs in splits:
            path = f"universal_dependencies/{code}/{theirs.replace('dev', 'validation')}"
            raw = (f"UniversalDependencies/UD_{name}:{code}-ud-{theirs}.conllu",)
            yield Table(path, raw, tags.treebank, TREEBANK, drawn(1000))
    columns = {"tokens": ["string"], "ner_tags": [tags.ENTITIES], "langs": ["string"]}
    for code in PANX:
        held_out = ("train", 10_000) if code == "en" else ("heldout_from_train", 1000)
        for (split, count), theirs in ((held_out, "train"), (("validation", 1000), "dev")):
            raw = (f"{MESH}panx/{theirs}-{code}.tsv",)
            named_in = partial(tags.panx, language=code)
            yield Table(f"panx/PAN-X.{code}/{split}", raw, named_in, columns, drawn(count))
    named: dict[str, Shape] = {"id": "string", "tokens": ["string"], "ner_tags": [tags.WITH_DATES]}
    spoken: dict[str, Shape] = {"id": "string", "tokens": ["string"], "upos": [tags.UPOS_OF_UD]}
    for code in ["hau", "ibo", "pcm", "swa", "wol", "yor", "zul"]:
        for split, theirs in (("validation", "dev"), ("test", "test")):
            raw = (f"masakhane-io/masakhane-ner:MasakhaNER2.0/data/{code}/{theirs}.txt",)
            path = f"masakhaner2/{code}/{split}"
            yield Table(path, raw, tags.masakhaner, named, drawn(1000))
            raw = (f"masakhane-io/masakhane-pos:data/{code}/{theirs}.txt",)
            yield Table(f"masakhapos/{code}/{split}", raw, tags.masakhapos, spoken)
    ccg = ("mynlp/ccg2lambda:en/fracas_intermediate_results.tgz",)
    columns = {"tokens": ["string"], "tags": ["string"]}
    for split, take in (("train", shuffled(None, 497)), ("validation", shuffled(497, None))):
        yield Table(f"ccg/fracas_silver/{split}", ccg, tags.supertags, columns, take)


def _translations() -> Iterator[Table]:
    raw: tuple[str, ...]
    for code in TATOEBA:
        theirs = TATOEBA_NAMES[code]
        place = f"facebookresearch/LASER:data/tatoeba/v1/tatoeba.{theirs}-eng."
        read = partial(texts.tatoeba, language=code)
        raw = (place + theirs, f"{place}eng")
        yield Table(f"tatoeba/{code}/validation", raw, read, TRANSLATION)
    here, there, gold = (f"{MESH}bucc2018/zh-en.dev.{part}" for part in ("zh", "en", "gold"))
    found: dict[str, Shape] = {"id": "string", "sentence": "string"}
    ids: dict[str, Shape] = {"source_id": "string", "target_id": "string"}
    place = "bucc2018/bucc18.zh"
    mined = partial(texts.mined, language="zh")
    yield Table(f"{place}/validation", (here, there, gold), mined, TRANSLATION)
    yield Table(f"{place}/candidates_zh", (here,), texts.candidates, found)
    yield Table(f"{place}/candidates_en", (there,), texts.candidates, found)
    yield Table(f"{place}/gold_ids", (gold,), texts.gold, ids)
