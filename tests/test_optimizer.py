"""AdamW over one vector is torch's AdamW over many tensors; half-precision weights keep
full-precision masters."""

import copy

import pytest
import torch
from torch import nn

from xstilts import encoders
from xstilts.encoders import vocabulary
from xstilts.training.batches import Info
from xstilts.training.optimizer import Optimizer
from xstilts.training.recipe import Recipe

RECIPE = Recipe(10, 0, 4, 1e-2, 32, 100, weight_decay=0.1, clip=0.5)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.GELU()), nn.Linear(8, 3)


def batches(count):
    draw = torch.Generator().manual_seed(1)
    return [
        (torch.randn(4, 6, generator=draw), torch.randint(3, (4,), generator=draw))
        for _ in range(count)
    ]


def test_it_is_adamw_with_clipping_and_no_decay_on_vectors():
    body, head = network()
    body2, head2 = copy.deepcopy((body, head))
    optimizer = Optimizer(body, head, RECIPE)
    many = [*body2.parameters(), *head2.parameters()]
    reference = torch.optim.AdamW(
        [
            {"params": [p for p in many if p.ndim > 1], "weight_decay": 0.1},
            {"params": [p for p in many if p.ndim < 2], "weight_decay": 0.0},
        ],
        lr=1e-2,
    )
    for number, (inputs, gold) in enumerate(batches(10)):
        rate = 1e-2 / (number + 1)
        for part in (slice(0, 2), slice(2, 4)):  # gradients of parts add up
            (nn.functional.cross_entropy(head(body(inputs[part])), gold[part]) / 2).backward()
            optimizer.collect()
        optimizer.step(rate)
        reference.zero_grad()
        nn.functional.cross_entropy(head2(body2(inputs)), gold).backward()
        nn.utils.clip_grad_norm_(many, 0.5)
        for group in reference.param_groups:
            group["lr"] = rate
        reference.step()
    optimizer.release()
    for ours, theirs in zip([*body.parameters(), *head.parameters()], many, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)
        assert ours.grad is None


def test_updates_too_small_for_bf16_are_not_lost():
    body, head = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    body.weight.data.fill_(1.0)
    head.weight.data.fill_(1.0)
    recipe = Recipe(10, 0, 4, 1e-4, 32, 100, weight_decay=0.0)
    optimizer = Optimizer(body, head, recipe, low=[body.weight], dtype=torch.bfloat16)
    for _ in range(100):  # each step is 1e-4; next to 1, bf16 knows steps of 4e-3
        body.weight.grad = torch.ones(1, 1, dtype=torch.bfloat16)
        optimizer.collect()
        optimizer.step(1e-4)
    assert body.weight.dtype == torch.bfloat16 and head.weight.dtype == torch.float32
    optimizer.release()
    assert (
        body.weight.item() == pytest.approx(0.99, abs=1e-4) and body.weight.dtype == torch.float32
    )


def test_an_earlier_state_comes_back():
    body, head = network()
    optimizer = Optimizer(body, head, RECIPE)
    kept, before = optimizer.state(), [p.detach().clone() for p in body.parameters()]
    for inputs, gold in batches(3):
        nn.functional.cross_entropy(head(body(inputs)), gold).backward()
        optimizer.collect()
        optimizer.step(1e-2)
    assert not any(torch.equal(p, old) for p, old in zip(body.parameters(), before, strict=True))
    optimizer.release(kept)
    assert all(torch.equal(p, old) for p, old in zip(body.parameters(), before, strict=True))


@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "deberta-v2", "rembert", "modernbert"])
def test_embeddings_of_some_pieces_are_those_of_all(family_of, family):
    model, tokenizer = encoders.load(family_of(family))
    batch = dict(tokenizer(["the cat sat", "mat"], padding=True, return_tensors="pt"))
    batch.pop("token_type_ids", None)
    expected = model(**batch).last_hidden_state
    whole = model.get_input_embeddings()
    before = whole.weight.detach().clone()
    used = set(batch["input_ids"].flatten().tolist())
    with vocabulary.only(model, used | set(tokenizer.all_special_ids)):
        rows = model.get_input_embeddings()
        assert len(rows.weight) < len(before)
        torch.testing.assert_close(model(**batch).last_hidden_state, expected)
        info = Info.of(tokenizer, RECIPE, model)
        assert torch.equal(info.pieces[info.row[batch["input_ids"]]], batch["input_ids"])
        with pytest.raises(IndexError):
            rows(
                torch.tensor(
                    [next(piece for piece in range(len(before)) if piece not in rows.ids.tolist())]
                )
            )
        rows.weight.data += 1
    after = model.get_input_embeddings()
    assert after is whole
    changed = torch.zeros(len(before), dtype=torch.bool)
    changed[rows.ids] = True
    torch.testing.assert_close(after.weight.detach()[changed], before[changed] + 1)
    assert torch.equal(after.weight.detach()[~changed], before[~changed])


def test_a_step_for_which_nothing_was_collected_has_no_gradient():
    """Of a batch with fewer rows than processes one has none: the last step's gradient, of all, is
    not its share."""
    body, head = network()
    optimizer = Optimizer(body, head, RECIPE)
    ((inputs, gold),) = batches(1)
    nn.functional.cross_entropy(head(body(inputs)), gold).backward()
    optimizer.collect()
    optimizer.step(1e-2)
    assert any(group.masters.grad.any() for group in optimizer.groups)
    optimizer.step(1e-2)
    assert not any(group.masters.grad.any() for group in optimizer.groups)
