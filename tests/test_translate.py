"""Translation of training rows: spans by marks that are checked, nothing lost unseen, and a real
(tiny) model."""

import json

import hubrows
import pytest
import sentencepiece
import torch
import transformers
from families import SENTENCES, sentencepiece_model
from hypothesis import given
from hypothesis import strategies as st
from transformers import (
    M2M100Config,
    M2M100ForConditionalGeneration,
    M2M100Tokenizer,
    MarianConfig,
    MarianMTModel,
    MarianTokenizer,
)

from xstilts import cli, data
from xstilts.errors import UserError
from xstilts.tasks.table import TASKS
from xstilts.tools import translate, translation_model


def shouting(texts, language):
    """A translator that keeps every mark, and the sentences recognisable."""
    return [f"{language.upper()} {text.upper()}" for text in texts]


@pytest.fixture
def folder(fresh, tmp_path):
    for name in ("xnli", "mnli", "squad", "squad2", "hellaswag", "cosmosqa", "udpos"):
        hubrows.write(tmp_path, TASKS[name])
    return tmp_path


def forget():
    for cached in (data.load, data.languages, data.fingerprint):
        cached.cache_clear()


@pytest.mark.parametrize("name", ["mnli", "squad", "squad2", "hellaswag", "cosmosqa"])
def test_translated_rows_are_read(folder, name):
    told = translate.translate(name, ["fi"], str(folder), folder, shouting, "shouting")
    assert {entry["lost"] for entry in told.values()} == {0} and len(told) == 2
    forget()
    assert "fi" in data.languages(name, str(folder), "train")
    english, finnish = (
        data.load(name, "train", language, str(folder)) for language in ("en", "fi")
    )
    assert len(english) == len(finnish)
    for ours, theirs in zip(finnish, english, strict=True):
        if TASKS[name].kind == "span":
            assert ours["answers"] == tuple(answer.upper() for answer in theirs["answers"])
            assert all(
                ours["context"][start : start + len(answer)] == answer
                for answer, start in zip(ours["answers"], ours["starts"], strict=True)
            )
            assert ours["question"] == f"FI {theirs['question'].upper()}"
        else:
            assert ours["label"] == theirs["label"]


def test_translated_rows_stand_in_for_a_split_that_an_official_folder_lacks(folder):
    (folder / "xnli" / "ar" / "train.parquet").unlink()
    forget()
    assert "ar" not in data.languages("mnli", str(folder), "train")
    translate.translate("mnli", ["ar"], str(folder), folder, shouting, "shouting")
    forget()
    assert "ar" in data.languages("mnli", str(folder), "train")
    assert data.load("mnli", "train", "ar", str(folder))[0]["texts"][0].startswith("AR ")
    assert not data.load("mnli", "validation", "ar", str(folder))[0]["texts"][0].startswith(
        "AR "
    )  # the folder's own


def test_an_answer_that_is_lost_drops_its_row_and_is_counted(folder):
    def careless(texts, language):
        return [
            text.replace("[", "").replace("]", "") if "since 3" in text else text.replace("[", "[ ")
            for text in texts
        ]

    told = translate.translate(
        "squad", ["fi"], str(folder), folder, careless, "careless", splits=("train",)
    )
    assert told["translated/squad/fi/train.parquet"] | {"from": ""} == {
        "model": "careless",
        "from": "",
        "rows": 0,
        "english": 12,
        "translated": 11,
        "lost": 1,
        "licence": "CC BY-SA 3.0; CC BY-SA 4.0",
    }
    forget()
    rows = data.load("squad", "train", "fi", str(folder))
    assert len(rows) == 11 and {row["answers"] for row in rows} == {
        ("Omar",)
    }  # the space inside the marks is no part of it


def test_a_translation_goes_on_where_it_stopped(folder, monkeypatch):
    monkeypatch.setattr(translate, "CHUNK", 5)
    asked = []

    def stops(texts, language):
        if len(asked) == 2:
            raise KeyboardInterrupt
        asked.append(texts)
        return shouting(texts, language)

    def notes(texts, language):
        asked.append(texts)
        return shouting(texts, language)

    with pytest.raises(KeyboardInterrupt):
        translate.translate("mnli", ["fi"], str(folder), folder, stops, "m", splits=("train",))
    assert not (folder / "translated" / "mnli" / "fi" / "train.parquet").exists()
    translate.translate("mnli", ["fi"], str(folder), folder, notes, "m", splits=("train",))
    assert len(asked) == 3 and len(set(map(str, asked))) == 3  # 12 rows in chunks of 5, each once
    translate.translate("mnli", ["fi"], str(folder), folder, notes, "m", splits=("train",))
    assert len(asked) == 3
    translate.translate("mnli", ["fi"], str(folder), folder, notes, "another", splits=("train",))
    assert len(asked) == 6  # another model: all again


def test_each_sentence_is_translated_once(folder):
    asked = []

    def notes(texts, language):
        asked.extend(texts)
        return shouting(texts, language)

    translate.translate("squad", ["fi"], str(folder), folder, notes, "m", splits=("train",))
    assert (
        len(asked) == len(set(asked))
        and "Who speaks Hausa?" in asked
        and "Nobody in en doubts it." in asked
    )


def test_words_labels_cannot_be_translated(folder):
    with pytest.raises(UserError, match="UDPOS cannot be translated.*known: anli, mnli"):
        translate.translate("udpos", ["fi"], str(folder), folder, shouting, "m")


TEXT = st.text(alphabet="ab .?!\u0915。[]", min_size=1, max_size=40)


@given(TEXT, st.data())
def test_marks_come_off_as_they_went_on(text, draw):
    start = draw.draw(st.integers(0, len(text) - 1))
    end = draw.draw(st.integers(start + 1, len(text)))
    found = translate.marked(text, start, end)
    if text[start:end].strip():
        plain, first, last = translate.unmarked(*found)
        assert plain[first:last] == text[start:end].strip()
    else:
        assert translate.unmarked(*found) is None


@given(TEXT, st.data())
def test_an_answer_is_never_split_between_sentences(text, draw):
    start = draw.draw(st.integers(0, len(text) - 1))
    end = draw.draw(st.integers(start + 1, len(text)))
    spans = translate.units(text, (start, end))
    assert all(left[1] <= right[0] for left, right in zip(spans, spans[1:], strict=False))
    touching = [span for span in spans if span[0] < end and span[1] > start]
    assert len(touching) <= 1
    assert "".join(text[a:b] for a, b in spans).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    "text, found",
    [
        ("a [b] c", ("a b c", 2, 3)),
        ("[b]", ("b", 0, 1)),
        ("a b c", None),
        ("a [b c", None),
        ("[a] [b]", None),
        ("]a[", None),
        ("a [] c", None),
        ("a [ b ] c", ("a b c", 2, 3)),
    ],
)
def test_marks_by_hand(text, found):
    assert translate.unmarked(text, ("[", "]")) == found


@pytest.fixture(scope="session")
def tiny_m2m100(tmp_path_factory):
    """M2M100's architecture and tokenizer with random weights."""
    folder = tmp_path_factory.mktemp("m2m100")
    trained = sentencepiece_model()
    (folder / "sentencepiece.bpe.model").write_bytes(trained)
    processor = sentencepiece.SentencePieceProcessor(model_proto=trained)
    pieces = ["<s>", "<pad>", "</s>", "<unk>"] + [
        processor.id_to_piece(i) for i in range(3, processor.get_piece_size())
    ]
    (folder / "vocab.json").write_text(
        json.dumps({piece: number for number, piece in enumerate(pieces)})
    )
    tokenizer = M2M100Tokenizer(str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"))
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    M2M100ForConditionalGeneration(
        M2M100Config(
            vocab_size=max(tokenizer.lang_token_to_id.values()) + 9,
            d_model=16,
            encoder_layers=1,
            decoder_layers=1,
            encoder_attention_heads=2,
            decoder_attention_heads=2,
            encoder_ffn_dim=32,
            decoder_ffn_dim=32,
            max_position_embeddings=64,
        )
    ).save_pretrained(folder)
    return folder


def test_a_real_model_translates_every_text_in_its_language(tiny_m2m100):
    translator = translation_model.load_translator(str(tiny_m2m100), beams=2)
    texts = SENTENCES[:3] + ["cat"] + [SENTENCES[0]]
    found = translator(texts, "fi")
    assert len(found) == 5 and found[0] == found[4] and all(isinstance(text, str) for text in found)
    assert found == translator(texts, "fi")
    assert translator([], "fi") == []
    with pytest.raises(UserError, match="does not know 'xx'; it knows"):
        translator(texts, "xx")


@pytest.fixture(scope="session")
def tiny_marian(tmp_path_factory):
    """OPUS-MT's architecture and tokenizer with random weights: one that says where it translates
    to, or not."""

    def make(target):
        folder = tmp_path_factory.mktemp("marian")
        trained = sentencepiece_model()
        for name in ("source.spm", "target.spm"):
            (folder / name).write_bytes(trained)
        processor = sentencepiece.SentencePieceProcessor(model_proto=trained)
        pieces = [
            "</s>",
            "<unk>",
            *(processor.id_to_piece(i) for i in range(3, processor.get_piece_size())),
            "<pad>",
        ]
        (folder / "vocab.json").write_text(
            json.dumps({piece: number for number, piece in enumerate(pieces)})
        )
        MarianTokenizer(
            str(folder / "source.spm"),
            str(folder / "target.spm"),
            str(folder / "vocab.json"),
            target_lang=target,
        ).save_pretrained(folder)
        torch.manual_seed(0)
        pad = len(pieces) - 1
        MarianMTModel(
            MarianConfig(
                vocab_size=len(pieces),
                d_model=16,
                encoder_layers=1,
                decoder_layers=1,
                encoder_attention_heads=2,
                decoder_attention_heads=2,
                encoder_ffn_dim=32,
                decoder_ffn_dim=32,
                max_position_embeddings=64,
                pad_token_id=pad,
                eos_token_id=0,
                forced_eos_token_id=0,
                decoder_start_token_id=pad,
            )
        ).save_pretrained(folder)
        return folder

    return make


@pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
@pytest.mark.parametrize("target, known", [("fi", True), ("fin", True), (None, False)])
def test_a_model_of_one_direction_translates_into_one_language(
    folder, tiny_marian, capsys, target, known
):
    model = tiny_marian(target)
    command = [
        "translate",
        "mnli",
        "--data",
        str(folder),
        "--model",
        str(model),
        "--rows",
        "2",
        "--beams",
        "1",
        "--to",
    ]
    assert cli.main([*command, "fi,hu"]) == 2
    assert f"translates into {target or 'fi'!r} alone, not into 'hu'" in capsys.readouterr().err
    assert not (folder / "translated").exists()  # told before anything is translated
    assert cli.main([*command, "hu"]) == 2 * known  # what it does not say is up to the reader
    assert cli.main([*command, "fi"]) == 0
    assert (folder / "translated" / "mnli" / "fi" / "train.parquet").exists()


def test_a_model_of_the_hub_is_one_commit_which_is_kept_beside_the_rows(
    folder, tiny_m2m100, monkeypatch
):
    import huggingface_hub

    commit, read = "f" * 40, []
    monkeypatch.setattr(
        huggingface_hub.HfApi,
        "resolve_revision",
        lambda api, name, revision, repo_type: type("Revision", (), {"resolved": commit}),
    )
    for kind in (transformers.AutoTokenizer, transformers.AutoModelForSeq2SeqLM):

        def load(pretrained_model_name_or_path, revision, first=kind.from_pretrained, **options):
            read.append((pretrained_model_name_or_path, revision))
            return first(tiny_m2m100, **options)

        monkeypatch.setattr(kind, "from_pretrained", load)
    translation_model.revisions._asked.cache_clear()
    command = [
        "translate",
        "mnli",
        "--to",
        "fi",
        "--data",
        str(folder),
        "--rows",
        "2",
        "--beams",
        "1",
        "--model",
        "org/name",
    ]
    assert cli.main(command) == 0 and read == [("org/name", commit)] * 2
    report = folder / "translated" / "mnli" / "fi" / "train.json"
    assert json.loads(report.read_text())["model"] == f"org/name@{commit}"
    before = report.stat().st_mtime_ns
    assert cli.main(command) == 0 and report.stat().st_mtime_ns == before
    commit = "e" * 40  # the branch has moved: another model, another translation
    translation_model.revisions._asked.cache_clear()
    assert (
        cli.main(command) == 0 and json.loads(report.read_text())["model"] == f"org/name@{commit}"
    )
    translation_model.revisions._asked.cache_clear()
    assert translation_model.pinned(
        f"a/b@{'0' * 40}"
    ) == f"a/b@{'0' * 40}" and translation_model.pinned(str(tiny_m2m100)) == str(tiny_m2m100)


def test_the_command_translates_and_tells(folder, tiny_m2m100, capsys):
    command = [
        "translate",
        "mnli",
        "--to",
        "fi",
        "--data",
        str(folder),
        "--model",
        str(tiny_m2m100),
        "--rows",
        "3",
        "--beams",
        "1",
    ]
    assert cli.main(command) == 0
    out = capsys.readouterr().out
    assert "mnli train fi: 3 rows, 0 lost their answer" in out
    report = json.loads((folder / "translated" / "mnli" / "fi" / "train.json").read_text())
    assert report["model"] == str(tiny_m2m100) and report["english"] == 3
    assert cli.main(["translate", "mnli", "--to", "fi", "--data", "mini"]) == 2
    assert "give --out" in capsys.readouterr().err
    assert (
        cli.main(["translate", "mnli", "--to", "fi", "--data", str(folder), "--model", "/nowhere"])
        == 2
    )


@pytest.mark.parametrize(
    "name, column", [("mnli", "texts"), ("squad", "starts"), ("hellaswag", "context")]
)
def test_rows_under_translated_in_other_columns_than_it_writes_are_refused_with_their_file(
    folder, name, column
):
    place, source = folder / "translated" / name / "fi", TASKS[name].sources[0]
    place.mkdir(parents=True)
    english = folder / source.local.format(language="en", name=source.name("en")) / "train.parquet"
    (place / "train.parquet").write_bytes(english.read_bytes())
    forget()
    with pytest.raises(
        UserError,
        match=(
            f"translated/{name}/fi/train.parquet: row 0 does not have .*{column}.*; translated "
            "rows have "
        ),
    ):
        data.load(name, "train", "fi", str(folder))
