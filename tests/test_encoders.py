"""Encoders: names, depth, random weights, every family from a local folder. Offline."""

import threading
import time

import pytest
import torch
from families import FAMILIES, SENTENCES, hidden_states, tiny_config
from transformers import AutoModelForMaskedLM
from transformers.utils import logging

from xstilts import encoders
from xstilts.encoders import EncoderName, e5small, fingerprint, load, max_length, parse_name, save
from xstilts.encoders.vocabulary import used
from xstilts.errors import UserError

logging.disable_progress_bar()


# ---------------------------------------------------------------- depth and random weights


def test_fewer_layers_are_the_first_layers(embedded):
    shallow, tokenizer = load("e5-small:4")
    assert shallow.config.num_hidden_layers == 4 == len(shallow.encoder.layer)
    states, mask = hidden_states(*embedded, SENTENCES)
    shallow_states, _ = hidden_states(shallow, tokenizer, SENTENCES)
    torch.testing.assert_close(
        shallow_states[-1][mask.bool()], states[4][mask.bool()], rtol=0, atol=1e-5
    )


def test_random_weights_are_reproducible(family_of):
    folder = family_of("bert")
    torch.manual_seed(5)
    expected_draw = torch.rand(3)
    torch.manual_seed(5)
    pretrained = load(folder)[0]
    first, again, other = (load(f"{folder}:random", seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected_draw), "load must leave torch's own generator alone"
    shapes = [{k: v.shape for k, v in m.state_dict().items()} for m in (pretrained, first)]
    assert shapes[0] == shapes[1]
    weights = [
        m.encoder.layer[0].attention.self.query.weight for m in (pretrained, first, again, other)
    ]
    assert torch.equal(weights[1], weights[2])
    assert not torch.equal(weights[0], weights[1]) and not torch.equal(weights[1], weights[3])


def test_random_embedded_encoder_keeps_shape_and_tokenizer(embedded):
    model, tokenizer = load("e5-small:1:random", keep=used(embedded[1], ["a cat"]))
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
        (
            "microsoft/mdeberta-v3-base@refs/pr/5:6",
            EncoderName("microsoft/mdeberta-v3-base", 6, False, "refs/pr/5"),
        ),
    ],
)
def test_names_are_parsed_and_written_back(text, name):
    assert parse_name(text) == name and str(name) == text


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("", "BASE"),
        ("e5-large", "e5-small"),
        ("e5-small:0", "1 to 12"),
        ("e5-small:13", "1 to 12"),
        ("e5-small:x", "e5-small"),
        ("e5-small:random:4", "BASE"),
        ("e5-small@main", "Hub id"),
        ("a/b/c", "one slash"),
        ("./nowhere", "folder"),
        ("org/model:x", "one slash"),
        ("org/model:0", "layers"),
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


def test_fingerprint_depends_on_content_and_not_on_the_path(family_of, tmp_path):
    folder = family_of("bert")
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
    assert fingerprint(f"org/model@{'a' * 40}:3") == f"org/model@{'a' * 40}:3"
    assert fingerprint(f"org/model@{'a' * 40}:random") == f"org/model@{'a' * 40}:random"
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
    threads = [
        threading.Thread(target=encoders.source_folder, args=("e5-small",)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    folder = encoders.source_folder("e5-small")
    assert len(calls) == 2 and (folder / "config.json").is_file() and folder.parent == tmp_path


# ---------------------------------------------------------------- any architecture, from local
# folders


@pytest.mark.parametrize("family", FAMILIES)
def test_any_architecture_is_loaded_cut_and_saved(family_of, tmp_path, family):
    model, tokenizer = load(family_of(family))
    shallow, _ = load(f"{family_of(family)}:2")
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
    assert load(f"{family_of(family)}:1:random")[0].config.num_hidden_layers == 1
    with pytest.raises(ValueError, match="1 to 3"):
        load(f"{family_of(family)}:4")


def test_the_longest_input_is_accepted(family_of):
    model, tokenizer = load(family_of("xlm-roberta"))
    length = max_length(model, tokenizer)
    model(input_ids=torch.full((1, length), 5))
    with pytest.raises((IndexError, RuntimeError)):
        model(input_ids=torch.full((1, length + 1), 5))


def test_a_checkpoint_with_a_head_gives_its_encoder(family_of, tmp_path):
    tokenizer = load(family_of("bert"))[1]
    with_head = AutoModelForMaskedLM.from_config(tiny_config("bert", len(tokenizer)))
    save(with_head, tokenizer, tmp_path)
    encoder = load(tmp_path)[0]
    assert torch.equal(
        encoder.encoder.layer[2].output.dense.weight,
        with_head.bert.encoder.layer[2].output.dense.weight,
    )


def test_incomplete_weights_are_refused(family_of, tmp_path):
    save(*load(f"{family_of('bert')}:2"), tmp_path)
    tiny_config("bert", len(load(tmp_path)[1])).save_pretrained(tmp_path)  # says three layers
    with pytest.raises(ValueError, match="lack 16 tensors"):
        load(tmp_path)


def test_only_safetensors_are_read(family_of, tmp_path):
    model, tokenizer = load(family_of("bert"))
    save(model, tokenizer, tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(UserError, match="safetensors at another revision"):
        load(tmp_path)


def test_float32_and_the_tokenizers_padding_id_win_over_the_config(family_of, tmp_path):
    model, tokenizer = load(family_of("bert"))
    model.config.pad_token_id = 0  # as Multilingual-MiniLM's config says
    save(model.half(), tokenizer, tmp_path)
    loaded, _ = load(tmp_path)
    assert loaded.dtype == torch.float32
    assert loaded.config.pad_token_id == 1 == loaded.get_input_embeddings().padding_idx
