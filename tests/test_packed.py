"""BERT's layers over packed tokens compute what transformers' own do: outputs, gradients, with and
without a choice."""

import json
import subprocess
import sys

import pytest
import torch
from families import SENTENCES
from hypothesis import given, settings
from hypothesis import strategies as st

from xstilts import data, encoders
from xstilts.tasks.kinds import kind
from xstilts.tasks.table import TASKS
from xstilts.training import cpu, evaluate, loop, packed
from xstilts.training.packed import Layout
from xstilts.training.recipe import Recipe

BERTS = ("bert", "xlm-roberta")


def batch_of(model, tokenizer, texts, needed=None):
    batch = dict(tokenizer(texts, padding=True, return_tensors="pt"))
    batch.pop("token_type_ids", None)
    if needed is not None:
        batch["needed"] = needed(batch["input_ids"])
    return packed.pack(batch, model)


CHOICES = {
    "all": None,
    "first": lambda ids: torch.arange(ids.shape[1]).expand(ids.shape) == 0,
    "some, none in one row": lambda ids: (
        (torch.arange(ids.numel()).view(ids.shape) % 3 == 0)
        & (torch.arange(len(ids)) != 1).unsqueeze(1)
    ),
}


@pytest.mark.parametrize(
    "texts",
    [SENTENCES, SENTENCES[:1], ["the cat", "the cat", "the mat"]],
    ids=["ragged", "one", "equal lengths"],
)
@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("family", BERTS)
def test_outputs_and_gradients_are_those_of_transformers(family_of, family, choice, texts):
    model, tokenizer = encoders.load(family_of(family))
    batch = batch_of(model, tokenizer, texts, CHOICES[choice])
    plain = {name: batch[name] for name in ("input_ids", "attention_mask")}
    wanted = batch["attention_mask"].bool()
    if choice != "all":
        wanted = wanted & CHOICES[choice](batch["input_ids"])
    weights = torch.randn(*batch["input_ids"].shape, model.config.hidden_size) * wanted.unsqueeze(
        -1
    )
    expected = model(**plain).last_hidden_state
    # `drop` that drops nothing: the path of training, else that of evaluation
    for drop in (None, lambda values, p: values):
        found = packed.forward(model, batch, drop)
        torch.testing.assert_close(found[wanted], expected[wanted], atol=1e-5, rtol=1e-4)
        assert not found[~wanted].any()
        parameters = list(model.parameters())
        ours = torch.autograd.grad((found * weights).sum(), parameters, allow_unused=True)
        theirs = torch.autograd.grad(
            (model(**plain).last_hidden_state * weights).sum(), parameters, allow_unused=True
        )
        for mine, other in zip(ours, theirs, strict=True):
            torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=5),
    st.sampled_from([1, 2, 3]),
)
def test_padding_and_unpadding_lose_nothing(mask, heads):
    mask = torch.tensor(mask)
    layout = Layout.of(mask, heads)
    values = torch.randn(int(mask.sum()), heads * 2)
    if not len(values):
        return
    padded = layout.pad(values, 2)
    assert padded.shape == (len(mask) * heads, layout.longest, 2)
    assert torch.equal(layout.unpad(padded, heads * 2), values)
    seen = mask.sum(1)
    for row in range(len(mask)):  # row by row and head by head, in order
        start = int(seen[:row].sum())
        for head in range(heads):
            assert torch.equal(
                padded[row * heads + head, : seen[row]],
                values[start : start + seen[row], 2 * head : 2 * head + 2],
            )


def test_only_the_family_of_bert_is_packed(family_of):
    assert [
        packed.fits(encoders.load(family_of(name))[0])
        for name in ("bert", "xlm-roberta", "modernbert", "rembert", "deberta-v2")
    ] == [True, True, False, False, False]


def test_lowered_weights_come_back_as_they_were(tiny_encoder):
    model, _ = encoders.load(tiny_encoder)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    with pytest.raises(KeyError), packed.lowered(model, torch.bfloat16):
        assert model.encoder.layer[0].output.dense.weight.dtype == torch.bfloat16
        raise KeyError
    assert all(
        torch.equal(weight, before[name]) and weight.dtype == torch.float32
        for name, weight in model.named_parameters()
    )


@pytest.mark.parametrize("p", [0.1, 0.3, 0.5])
def test_a_mask_drops_its_share_and_keeps_the_mean(p):
    first, again, other = (cpu.Dropout(seed) for seed in (0, 0, 1))
    shape, number = torch.Size([500, 400]), torch.bfloat16
    mask = first.mask(shape, p, number)
    assert torch.equal(mask, again.mask(shape, p, number)) and not torch.equal(
        mask, other.mask(shape, p, number)
    )
    assert not torch.equal(mask, first.mask(shape, p, number))
    assert (mask == 0).float().mean().item() == pytest.approx(p, abs=0.005)
    assert first.pools[p, number].float().mean().item() == pytest.approx(1, abs=0.002)
    assert first.mask(torch.Size([cpu.POOL + 5]), p, number).shape == (cpu.POOL + 5,)


def trained(folder, recipe, name="mnli"):
    model, tokenizer = encoders.load(folder)
    rows = data.load(name, "train", "en", "mini", 200)
    features = kind(TASKS[name].kind).encode(rows, tokenizer, TASKS[name], 64)
    log = []
    loop.train(model, tokenizer, {name: features}, recipe, 0, log.append)
    return [entry["loss"] for entry in log if "loss" in entry], model, tokenizer


@pytest.mark.parametrize("name", ["mnli", "udpos", "squad", "commonsenseqa", "text"])
def test_a_training_without_dropout_is_the_plain_one(tiny_encoder, monkeypatch, name):
    recipe = Recipe(40, 0, 16, 1e-3, 64, 200, dropout=0.0, precision="fp32")
    ours = trained(tiny_encoder, recipe, name)[0]
    monkeypatch.setattr(packed, "fits", lambda model: False)
    assert ours == pytest.approx(trained(tiny_encoder, recipe, name)[0], abs=2e-4)


def test_bf16_learns_as_float32_does_and_leaves_float32(tiny_encoder):
    losses = {
        precision: trained(
            tiny_encoder, Recipe(80, 0, 16, 2e-3, 64, 200, precision=precision), "udpos"
        )
        for precision in ("fp32", "bf16")
    }
    first, last = losses["fp32"][0][0], losses["fp32"][0][-1]
    assert last < first / 2 and losses["bf16"][0][-1] == pytest.approx(last, abs=0.15 * first)
    assert {weight.dtype for weight in losses["bf16"][1].parameters()} == {torch.float32}


def test_a_training_with_dropout_repeats_to_the_last_digit_and_leaves_no_trace(
    tiny_encoder, tmp_path
):
    recipe = Recipe(40, 0, 16, 1e-3, 64, 200, dropout=0.1)
    ours, model, tokenizer = trained(tiny_encoder, recipe)
    again, other, _ = trained(tiny_encoder, recipe)
    assert ours == again and all(
        torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True)
    )
    encoders.save(model, tokenizer, tmp_path)
    before, after = (
        json.loads((folder / "config.json").read_text()) for folder in (tiny_encoder, tmp_path)
    )
    assert before == after


@pytest.mark.parametrize(
    "there, expected",
    [
        (
            {"avx2": True, "avx512_f": True, "avx512_bf16": False, "amx_bf16": False},
            torch.float32,
        ),  # bf16 one by one
        ({"avx512_f": True, "avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"neon": True, "bf16": True}, torch.bfloat16),
        ({"neon": True}, torch.float32),
    ],
)
def test_auto_is_bf16_only_where_the_processor_multiplies_it(monkeypatch, there, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: there)
    assert loop.number_type("auto", torch.device("cpu")) == expected
    assert loop.number_type("bf16", torch.device("cpu")) == torch.bfloat16


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's")
def test_memory_is_kept_while_a_run_needs_it_and_given_back_after():
    code = """
import torch
from xstilts.training import cpu

def resident():
    lines = open("/proc/self/status")
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024

cpu.keep_memory()
tensors = [torch.ones(2 << 20) for _ in range(50)]      # 8 MB each
del tensors
kept = resident()
cpu.return_memory()
print(kept - resident())
"""
    assert (
        float(
            subprocess.run(
                [sys.executable, "-c", code], check=True, capture_output=True, text=True
            ).stdout
        )
        > 300
    )


@pytest.mark.parametrize("emulated, expected", [(True, torch.float32), (False, torch.bfloat16)])
def test_auto_is_bf16_only_on_gpus_that_do_not_emulate_it(monkeypatch, emulated, expected):
    monkeypatch.setattr(
        torch.cuda,
        "is_bf16_supported",
        lambda including_emulation=True: including_emulation or not emulated,
    )
    assert loop.number_type("auto", torch.device("cuda")) == expected


@pytest.mark.parametrize("family", ["bert", "modernbert"])
def test_a_batch_in_which_no_word_is_labelled_is_predicted_and_teaches_nothing(family_of, family):
    model, tokenizer = encoders.load(family_of(family))
    task, unknown = TASKS["udpos"], -1
    rows = [{"words": ["cat", "mat"], "tags": tags} for tags in ([unknown, unknown], [7, 5])]
    without, labelled = kind("tag").encode(rows, tokenizer, task, 32)

    def weights(*features, **more):
        model, tokenizer = encoders.load(family_of(family))
        recipe = Recipe(
            4, 0, 2, 1e-2, 32, 0, weight_decay=0.0, dropout=0.0, precision="fp32", **more
        )
        heads = loop.train(model, tokenizer, {"udpos": features}, recipe, 0, lambda entry: None)
        predictions, _ = evaluate.score(model, heads["udpos"], tokenizer, task, rows[:1], recipe)
        assert len(predictions[0]) == 2 and min(predictions[0]) >= 0
        return list(model.parameters())

    assert all(map(torch.equal, weights(without, without), model.parameters()))
    alone = weights(labelled)
    assert all(map(torch.equal, weights(without, labelled, micro_batch=1), alone))
    assert not all(map(torch.equal, alone, model.parameters()))


@pytest.mark.parametrize("holes", [False, True])
@pytest.mark.parametrize("drop", [None, lambda values, p: values])
def test_on_a_gpu_attention_is_in_four_dimensions_and_comes_to_the_same(monkeypatch, holes, drop):
    """torch's fused kernels take no other."""
    query, key, value = torch.randn(
        3, 3 * 2, 5, 8, generator=torch.Generator().manual_seed(0)
    )  # 3 sequences, 2 heads
    seen = (
        torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 1, 0]], dtype=torch.bool)
        if holes
        else None
    )
    here, given, fused = (
        packed.attention(query, key, value, 2, seen, drop, 0.0),
        [],
        packed.F.scaled_dot_product_attention,
    )
    monkeypatch.setattr(
        packed.F,
        "scaled_dot_product_attention",
        lambda *parts: given.extend(part.dim() for part in parts[:3]) or fused(*parts),
    )
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    there = packed.attention(query, key, value, 2, seen, drop, 0.0)
    torch.testing.assert_close(there, here)
    assert given == [4, 4, 4]
