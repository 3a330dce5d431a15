"""Every named encoder's architecture and tokenizer, tiny and made here: what each is known to get
wrong is right."""

import numpy as np
import pytest
import sentencepiece
import torch
from families import FAMILIES, SENTENCES, sentencepiece_model, tiny_config, tiny_tokenizer
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import AutoConfig, AutoModel, BertTokenizerFast, PreTrainedTokenizerFast

from xstilts import encoders
from xstilts.errors import UserError
from xstilts.tasks.kinds import kind, mlm, tag
from xstilts.tasks.table import TASKS
from xstilts.training import evaluate
from xstilts.training.loop import train
from xstilts.training.recipe import Recipe

ARCHITECTURES = (*FAMILIES, "xlm-roberta-xl")
WORDS = ["The", "cat", "sat", "on", "the", "mat", "猫坐在", "垫子", "."]
ROWS = {
    "classify": [
        {"texts": (SENTENCES[0], SENTENCES[1]), "label": 0},
        {"texts": (SENTENCES[2], SENTENCES[3]), "label": 2},
    ]
    * 4,
    "tag": [{"words": WORDS, "tags": [5, 7, 15, 1, 5, 7, 7, 7, 12]}, {"words": ["猫"], "tags": [7]}]
    * 4,
    "span": [
        {"question": "Who sat?", "context": SENTENCES[0] * 4, "answers": ("cat",), "starts": (4,)}
    ]
    * 6,
    "choice": [{"context": SENTENCES[0], "choices": ("a cat", "the mat", SENTENCES[3]), "label": 1}]
    * 6,
    "mlm": [{"text": text} for text in SENTENCES],
}
TASK = {
    "classify": "mnli",
    "tag": "udpos",
    "span": "squad",
    "choice": "commonsenseqa",
    "mlm": "text",
}


@pytest.fixture(scope="module")
def folder_of(family_of, tmp_path_factory):
    def make(family):
        if family != "xlm-roberta-xl":
            return family_of(family)
        place = tmp_path_factory.mktemp(family)
        tokenizer = tiny_tokenizer("xlm-roberta")
        encoders.save(AutoModel.from_config(tiny_config(family, len(tokenizer))), tokenizer, place)
        return place

    return make


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("family", ARCHITECTURES)
def test_every_kind_trains_on_every_architecture(folder_of, family, precision):
    """Two steps each, heads of every kind together; also in mixed precision, where mDeBERTa once
    gave NaN in half."""
    model, tokenizer = encoders.load(folder_of(family))
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    recipe = Recipe(
        steps=10,
        epochs=0,
        batch_size=4,
        learning_rate=1e-3,
        max_length=32,
        rows=0,
        precision=precision,
    )
    sets = {
        TASK[name]: kind(name).encode(rows, tokenizer, TASKS[TASK[name]], 32)
        for name, rows in ROWS.items()
    }
    logged = []
    heads = train(model, tokenizer, sets, recipe, 0, logged.append)
    assert np.isfinite(logged[-1]["loss"])
    for name, rows in ROWS.items():
        predictions, pairs = evaluate.score(
            model, heads[TASK[name]], tokenizer, TASKS[TASK[name]], rows, recipe
        )
        assert len(predictions) == len(rows) and all(
            np.isfinite(list(values)).all() for values in pairs.values()
        )


@pytest.mark.parametrize("family", ARCHITECTURES)
def test_padding_changes_nothing(folder_of, family):
    """Position ids, padding ids and masks: a sentence gives the same vector alone and beside a
    longer one."""
    model, tokenizer = encoders.load(folder_of(family))
    assert model.config.pad_token_id == tokenizer.pad_token_id
    recipe = Recipe(
        steps=0, epochs=0, batch_size=1, learning_rate=0.0, max_length=60, rows=0, precision="fp32"
    )
    rows = [{"texts": (text, ""), "label": 0} for text in (SENTENCES[0], " ".join(SENTENCES[:3]))]
    features = kind("classify").encode(rows, tokenizer, TASKS["mnli"], 60)
    together = evaluate.pooled(model, tokenizer, features, recipe)
    alone = np.concatenate(
        [evaluate.pooled(model, tokenizer, [feature], recipe) for feature in features], axis=1
    )
    np.testing.assert_allclose(together, alone, atol=1e-5)


@pytest.mark.parametrize("family", ARCHITECTURES)
def test_the_longest_input_fits_and_a_longer_one_is_told(folder_of, family):
    model, tokenizer = encoders.load(folder_of(family))
    longest = encoders.max_length(model, tokenizer)
    encoders.check_length(model, tokenizer, longest)
    with pytest.raises(UserError, match=f"max_length {longest + 1}.*{longest} pieces"):
        encoders.check_length(model, tokenizer, longest + 1)
    with torch.inference_mode():
        model(input_ids=torch.full((1, longest), 6))


@pytest.mark.parametrize("family", ["deberta-v2", "rembert"])
def test_architectures_without_fused_attention_load(folder_of, family):
    assert encoders.load(folder_of(family))[0].config._attn_implementation == "eager"


def test_an_embedding_narrower_than_the_layers_is_tied(folder_of):
    """RemBERT: 16 wide in, 32 in the layers."""
    model, _ = encoders.load(folder_of("rembert"))
    head = mlm.Head(model, TASKS["text"])
    assert (
        head.dense.weight.shape == (16, 32)
        and head.embeddings[0] is model.get_input_embeddings().weight
    )


def test_half_precision_weights_become_float32(folder_of, tmp_path):
    """mDeBERTa's pytorch_model.bin mixes half and single precision, and its config names none."""
    model, tokenizer = encoders.load(folder_of("deberta-v2"))
    tokenizer.save_pretrained(tmp_path)
    model.config.dtype = None
    model.config.save_pretrained(tmp_path)
    state = {
        key: value.half() if number % 2 else value
        for number, (key, value) in enumerate(model.state_dict().items())
    }
    torch.save(state, tmp_path / "pytorch_model.bin")
    encoders.bin_to_safetensors(tmp_path)
    loaded, _ = encoders.load(tmp_path)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}
    torch.testing.assert_close(loaded.state_dict(), model.state_dict(), atol=1e-2, rtol=1e-2)


def test_minilm_is_a_bert_that_reads_sentencepiece(tmp_path):
    """config.json says bert and XLMRobertaTokenizer, pad id 0; there is sentencepiece.bpe.model
    alone."""
    trained = sentencepiece_model()
    (tmp_path / "sentencepiece.bpe.model").write_bytes(trained)
    size = sentencepiece.SentencePieceProcessor(model_proto=trained).get_piece_size() + 2
    config = tiny_config("bert", size)
    config.pad_token_id, config.tokenizer_class = 0, "XLMRobertaTokenizer"
    AutoModel.from_config(config).save_pretrained(tmp_path)
    model, tokenizer = encoders.load(tmp_path)
    assert type(tokenizer).__name__ == "XLMRobertaTokenizer" and tokenizer.is_fast
    assert (
        model.config.pad_token_id
        == model.get_input_embeddings().padding_idx
        == tokenizer.pad_token_id
        == 1
    )
    ids = tokenizer("The cat")["input_ids"]
    assert ids[0] == 0 and ids[-1] == 2 and tokenizer.convert_ids_to_tokens(ids)[1].startswith("▁")


def wordpiece():
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "The",
        "the",
        "cat",
        "sat",
        "on",
        "mat",
        ".",
        "##s",
        "c",
        "##at",
    ]
    backend = BertTokenizerFast(
        vocab={word: number for number, word in enumerate(words)}, do_lower_case=False
    )
    return backend


def gemma_like():
    """mmBERT's: spaces become ▁ in the normaliser, no space is put before the first word."""
    backend = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=False))
    backend.normalizer = normalizers.Replace(" ", "▁")
    backend.pre_tokenizer = pre_tokenizers.Split(
        "▁", "merged_with_next"
    )  # no piece crosses a space
    backend.decoder = decoders.Replace("▁", " ")
    backend.train_from_iterator(
        [" ".join(SENTENCES[:4])] * 3 + ["the cat sat on the mat"] * 9,
        trainers.BpeTrainer(
            vocab_size=150,
            special_tokens=["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"],
            show_progress=False,
        ),
    )
    backend.post_processor = processors.TemplateProcessing(
        "<bos> $A <eos>", "<bos> $A <eos> $B <eos>", [("<bos>", 2), ("<eos>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<bos>",
        eos_token="<eos>",
        cls_token="<bos>",
        sep_token="<eos>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )


@pytest.mark.parametrize(
    "tokenizer",
    [wordpiece, gemma_like, lambda: tiny_tokenizer("bert")],
    ids=["mBERT", "mmBERT", "XLM-R"],
)
def test_words_are_tagged_as_the_tokenizer_sees_them_in_a_sentence(tokenizer):
    tokenizer = tokenizer()
    row = {"words": ["the", "cat", "zzz", "on", "mat"], "tags": [5, 7, 16, 1, 7]}
    (feature,) = tag.encode([row], tokenizer, TASKS["udpos"], 32)
    assert feature.ids[0] == tokenizer("the cat zzz on mat")["input_ids"]
    assert (
        sorted(feature.where) == [0, 1, 2, 3, 4] and feature.lost == 0
    )  # an unknown word is tagged, too
    assert [gold for gold in feature.gold if gold >= 0] == row["tags"]


def test_short_names_are_pinned(monkeypatch):
    monkeypatch.setattr(encoders.names, "commit", lambda repository, revision, kind: revision)
    assert str(encoders.parse_name("xlmr-large:12")) == "FacebookAI/xlm-roberta-large:12"
    assert encoders.fingerprint("xlmr-large") == encoders.fingerprint(
        "FacebookAI/xlm-roberta-large"
    )
    assert encoders.fingerprint("xlmr-large").endswith("@c23d21b0620b635a76227c604d44e43a9f0ee389")
    assert encoders.fingerprint("mdeberta@main").endswith("@main")
    assert encoders.fingerprint("mdeberta").endswith("@refs/pr/5")
    assert AutoConfig.for_model("bert") and set(encoders.KNOWN) >= {
        "mbert",
        "minilm",
        "rembert",
        "xlm-v",
        "mmbert-base",
    }
