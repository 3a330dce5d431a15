"""Encoders of every family that the library names, small enough to be made in a test."""

import io

import sentencepiece
import torch
from tokenizers import (
    AddedToken,
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import AutoConfig, PreTrainedTokenizerFast

SENTENCES = [
    "The cat sat on the mat.",
    "Die Katze saß auf der Matte.",
    "Kissa istui matolla.",
    "Кошка сидела на коврике.",
    "猫坐在垫子上。",
    "جلست القطة على السجادة.",
    "Paka aliketi kwenye mkeka.",
    "बिल्ली चटाई पर बैठी थी।",
]
WORDS = " ".join(SENTENCES).split()
FAMILIES = ("bert", "xlm-roberta", "modernbert", "deberta-v2", "rembert")
UNIGRAM = tuple(f for f in FAMILIES if f != "modernbert")


def tiny_tokenizer(family):
    """Unigram as XLM-R's, or BPE for ModernBERT; DeBERTa's <mask> lies beyond the vocabulary, as
    mDeBERTa's does."""
    specials = ["<s>", "<pad>", "</s>", "<unk>"] + (["<mask>"] if family != "deberta-v2" else [])
    if family == "modernbert":
        backend = Tokenizer(models.BPE(unk_token="<unk>"))
        trainer = trainers.BpeTrainer(vocab_size=120, special_tokens=specials, show_progress=False)
    else:
        backend = Tokenizer(models.Unigram())
        options = dict(
            vocab_size=160, special_tokens=specials, unk_token="<unk>", show_progress=False
        )
        trainer = trainers.UnigramTrainer(**options)
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    backend.train_from_iterator(
        SENTENCES[:4] * 5 + ["the the matter of cats", "seating a cat"] * 3, trainer
    )
    backend.add_special_tokens(
        [AddedToken(s, normalized=False) for s in ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]]
    )
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_input_names=["input_ids", "attention_mask"],
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    )


def sentencepiece_model() -> bytes:
    """A SentencePiece model in its own format, as XLM-R's and M2M100's tokenizers read it."""
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES[:4] * 50),
        model_writer=trained,
        vocab_size=60,
        hard_vocab_limit=False,
        character_coverage=1.0,
        minloglevel=2,
    )
    return trained.getvalue()


def tiny_config(family, vocabulary):
    sizes = dict(
        num_hidden_layers=3, num_attention_heads=4, intermediate_size=64, max_position_embeddings=66
    )
    ids = dict(pad_token_id=1, bos_token_id=0, eos_token_id=2, cls_token_id=0, sep_token_id=2)
    return AutoConfig.for_model(
        family, vocab_size=vocabulary, hidden_size=32, input_embedding_size=16, **sizes, **ids
    )


def hidden_states(model, tokenizer, texts):
    """[layers + 1] x [n, tokens, hidden], and the mask [n, tokens]."""
    batch = tokenizer(texts, padding=True, truncation=True, max_length=512, return_tensors="pt")
    with torch.inference_mode():
        return model(**batch, output_hidden_states=True).hidden_states, batch["attention_mask"]
