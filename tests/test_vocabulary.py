"""A trimmed vocabulary: the same pieces, the same hidden states."""

import copy
from functools import cache

import pytest
import torch
from families import SENTENCES, UNIGRAM, WORDS, hidden_states, tiny_config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoModel, PreTrainedTokenizerFast

from xstilts import data
from xstilts.encoders import load, save, vocabulary
from xstilts.encoders.vocabulary import only, trim, used
from xstilts.runs import execution
from xstilts.runs.key import Base

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("family", UNIGRAM)
def test_trimming_changes_no_hidden_state(family_of, tmp_path, family):
    model, tokenizer = load(family_of(family))
    texts = SENTENCES[:2] + ["the 猫 matter"]  # with an unknown character
    before, mask = hidden_states(model, tokenizer, texts)
    old_tokens = [tokenizer.tokenize(t) for t in texts]
    full_size = len(tokenizer)
    model, trimmed = trim(model, tokenizer, used(tokenizer, texts))
    save(model, trimmed, tmp_path)
    model, trimmed = load(tmp_path)
    after, _ = hidden_states(model, trimmed, texts)
    assert [trimmed.tokenize(t) for t in texts] == old_tokens
    assert (
        len(trimmed)
        == model.config.vocab_size
        == len(model.get_input_embeddings().weight)
        < full_size
    )
    assert model.config.pad_token_id == trimmed.pad_token_id == 1
    for a, b in zip(before, after, strict=True):
        torch.testing.assert_close(a[mask.bool()], b[mask.bool()])
    pair = trimmed.convert_ids_to_tokens(trimmed("The", "mat")["input_ids"])
    assert pair == tokenizer.convert_ids_to_tokens(tokenizer("The", "mat")["input_ids"])
    assert trimmed("<mask>", add_special_tokens=False)["input_ids"] == [trimmed.mask_token_id]


ALPHABET = "aehmst CTKs.猫ж" + "½ﬁ"


@QUICK
@given(
    st.lists(
        st.one_of(st.text(ALPHABET, max_size=30), st.sampled_from(SENTENCES)),
        min_size=1,
        max_size=4,
    )
)
def test_trimming_is_lossless(family_of, texts):
    """With exactly the pieces that the texts use, they are segmented as before: also around unknown
    characters."""
    model, tokenizer = load_once(family_of("xlm-roberta"))
    encoded = tokenizer(texts)["input_ids"]
    _, trimmed = trim(copy.deepcopy(model), tokenizer, {i for ids in encoded for i in ids})
    again = trimmed(texts)["input_ids"]
    for old, new in zip(encoded, again, strict=True):
        assert trimmed.convert_ids_to_tokens(new) == tokenizer.convert_ids_to_tokens(old)


@cache
def load_once(folder):
    return load(folder)


@pytest.fixture(scope="session")
def trimmed_e5(embedded):
    """The embedded encoder with one layer, cut to the sentences' pieces."""
    return load("e5-small:1", keep=used(embedded[1], SENTENCES))


@QUICK
@given(
    st.lists(st.one_of(st.sampled_from(WORDS), st.text("catTsaß. ко猫", max_size=6)), max_size=8)
)
def test_embedded_vocabulary_is_cut_losslessly(embedded, trimmed_e5, words):
    text, full, trimmed = " ".join(words), embedded[1], trimmed_e5[1]
    if set(full.tokenize(text)) <= set(trimmed.get_vocab()):
        assert trimmed.tokenize(text) == full.tokenize(text)
    assert trimmed.unk_token_id not in trimmed(text)["input_ids"], (
        "new words in the same alphabets stay representable"
    )


def test_embedded_encoder_is_the_same_after_the_cut(embedded, trimmed_e5):
    model, tokenizer = trimmed_e5
    states, mask = hidden_states(*embedded, SENTENCES)
    trimmed_states, _ = hidden_states(model, tokenizer, SENTENCES)
    torch.testing.assert_close(
        trimmed_states[1][mask.bool()], states[1][mask.bool()], rtol=0, atol=1e-5
    )
    assert tokenizer.mask_token_id == len(tokenizer) - 1 == model.config.vocab_size - 1 < 1000
    assert tokenizer.backend_tokenizer.normalizer.normalize_str("ﬁ\u200d½") == "fi 1⁄2"


def test_used_pieces_are_those_of_whole_texts(embedded):
    """Words are tokenised one by one; that must find what whole texts use, whatever lies between
    the words."""
    tokenizer = embedded[1]
    texts = [
        *SENTENCES,
        " ".join(SENTENCES),
        "a\u00a0b\u2028c  d\x1ce\u0301 f \u0308g\u200dh\u3000i",
        "",
        " ",
    ]
    found = used(tokenizer, texts)
    whole = {i for ids in tokenizer(texts, add_special_tokens=False)["input_ids"] for i in ids}
    assert whole <= set(found) and found == sorted(set(found))
    kept = set(tokenizer.convert_ids_to_tokens(found))
    assert tokenizer.convert_tokens_to_ids("▁") in used(tokenizer, ["cat"])  # words begin with it
    assert {"▁", "c", "▁c", "猫", "К", "▁К"} <= kept and "▁dog" not in kept


def handmade(family):
    """A vocabulary whose special tokens do not come first. 'Xcde' is Xc|d|e at -28, and unknown|cde
    would cost 1 and what
    an unknown character costs: 10 more than the least likely piece, so -50 here, but -20 in a
    vocabulary without zzz."""
    pieces = [
        ("zzz", -40),
        ("▁", -1),
        ("zz", -2),
        ("<s>", 0),
        ("<pad>", 0),
        ("</s>", 0),
        ("<unk>", 0),
    ]
    backend = Tokenizer(
        models.Unigram(pieces + [("Xc", -10), ("d", -9), ("e", -9), ("cde", -1)], unk_id=6)
    )
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    specials = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    backend.add_special_tokens(list(specials.values()))
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 3), ("</s>", 5)],
    )
    config = tiny_config(family, len(pieces) + 4)
    config.bos_token_id, config.pad_token_id, config.eos_token_id = 3, 4, 5
    return AutoModel.from_config(config), PreTrainedTokenizerFast(
        tokenizer_object=backend, **specials
    )


def test_the_pieces_of_the_same_texts_are_looked_for_once_a_tokenizer(
    family_of, tmp_path, monkeypatch
):
    monkeypatch.setenv("XSTILTS_CACHE", str(tmp_path / "cache"))
    texts, looked = {"a": ["The", "cat"], "b": ["mat"]}, []
    monkeypatch.setattr(data, "words", texts.get)
    monkeypatch.setattr(
        vocabulary, "used", lambda tokenizer, words: looked.append(words) or used(tokenizer, words)
    )
    one, other = str(family_of("xlm-roberta")), str(family_of("deberta-v2"))
    for number, (encoder, source) in enumerate(
        [(one, "a"), (f"{one}:1", "a"), (one, "b"), (other, "a"), (one, "a")]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        execution.base(Base(encoder, vocabulary=source, data=source), folder)
        expected = trim(*load(encoder), used(load(encoder)[1], texts[source]))[1]
        assert load(folder)[1].get_vocab() == expected.get_vocab()
    assert looked == [["The", "cat"], ["mat"], ["The", "cat"]]


def test_trimming_keeps_the_cost_of_unknown_characters_and_moves_special_tokens():
    model, tokenizer = handmade("bert")
    assert tokenizer.tokenize("Xcde") == ["▁", "Xc", "d", "e"]
    ids = tokenizer(["Xcde", "cde d"], padding=True)["input_ids"]
    model, trimmed = trim(model, tokenizer, {i for row in ids for i in row})
    assert trimmed.backend_tokenizer.padding is None  # it would pad with the old id
    assert trimmed.tokenize("Xcde") == ["▁", "Xc", "d", "e"]
    assert set(tokenizer.get_vocab()) - set(trimmed.get_vocab()) == {"zz"}
    assert trimmed.convert_ids_to_tokens(trimmed("d", "cde")["input_ids"]) == (
        ["<s>", "▁", "d", "</s>", "</s>", "▁", "cde", "</s>"]
    )
    config = model.config
    assert (config.bos_token_id, config.pad_token_id, config.eos_token_id) == (2, 3, 4)
    assert trimmed.pad_token_id == model.get_input_embeddings().padding_idx == 3


def test_trimming_refuses_to_move_the_padding_that_positions_are_counted_from():
    with pytest.raises(ValueError, match="from 4 to 3"):
        trim(*handmade("xlm-roberta"), [1, 7])


def test_what_cannot_be_trimmed_says_so(family_of):
    with pytest.raises(ValueError, match='vocabulary="full"'):
        trim(*load(family_of("modernbert")), [5])
    with pytest.raises(ValueError, match="ids from 5 to 9999"):
        trim(*load(family_of("bert")), [5, 9999])


def test_everything_of_a_cut_encoder_goes_to_a_device_with_it(family_of):
    """To a GPU, say; "meta" is a device that every machine has."""
    model, tokenizer = load(family_of("xlm-roberta"))
    with only(model, tokenizer(SENTENCES[0])["input_ids"]):
        names = set(model.state_dict())
        moved = copy.deepcopy(model).to("meta")
    assert names == set(model.state_dict()), "what says which rows there are is not saved"
    found = {
        f"{place} {name}": tensor.device.type
        for place, module in moved.named_modules()
        for name, tensor in {**vars(module), **module._parameters, **module._buffers}.items()
        if isinstance(tensor, torch.Tensor)
    }
    assert {name for name, device in found.items() if device != "meta"} == set()
    assert moved.get_input_embeddings()(
        torch.zeros(2, 3, dtype=torch.long, device="meta")
    ).shape == (2, 3, 32)
