"""BERT's forward pass over packed tokens: no work on padding, and none in the last layer where
nobody looks.

    # [sequences, length, hidden], zero where it is not needed
    hidden = forward(model, pack(batch, model), drop)

For the encoders whose layers are BERT's (Devlin et al. 2019): BERT, RoBERTa, XLM-R, MiniLM, e5. It
computes what transformers' own forward pass computes, with the same modules. Between attentions
there are only tokens, [tokens, hidden]; attention alone sees rows, padded to the longest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

if TYPE_CHECKING:
    from transformers import PreTrainedModel

FAMILY = ("bert", "camembert", "roberta", "xlm-roberta")
# (values, probability) -> values, some dropped, the rest scaled
Drop = Callable[[torch.Tensor, float], torch.Tensor]


def fits(model: PreTrainedModel) -> bool:
    """Whether the encoder's layers are BERT's."""
    config = model.config
    return config.model_type in FAMILY and config.hidden_act == "gelu" and not config.is_decoder


@dataclass(frozen=True)
class Layout:
    """Where tokens lie, packed as [tokens, hidden] and padded by attention head as [sequences x
    heads, longest, size]."""

    grid: torch.Tensor  # [tokens] the position of each in the batch's [sequences x length]
    # [sequences x heads x longest] the (token, head) of a padded slot, 0 where there is none
    slots: torch.Tensor
    places: torch.Tensor  # [tokens x heads] the padded slot of each
    seen: torch.Tensor | None  # [sequences, longest] whether a slot holds a token; None: all do
    longest: int

    @staticmethod
    def of(mask: torch.Tensor, heads: int) -> Layout:
        """mask: [sequences, length], True where there is a token that counts."""
        counts = mask.sum(1, keepdim=True)
        longest = max(1, int(counts.max()))
        across, head = torch.arange(longest), torch.arange(heads)
        seen = across < counts
        token = (counts.cumsum(0) - counts + across).masked_fill(~seen, 0)
        row, column = seen.nonzero(as_tuple=True)
        return Layout(
            mask.flatten().nonzero().squeeze(1),
            (token[:, None] * heads + head[:, None]).flatten(),
            ((row[:, None] * heads + head) * longest + column[:, None]).flatten(),
            None if bool(seen.all()) else seen,
            longest,
        )

    def to(self, where: torch.device) -> Layout:
        moved = {field.name: getattr(self, field.name) for field in fields(self)}
        return Layout(
            **{
                name: item.to(where) if isinstance(item, torch.Tensor) else item
                for name, item in moved.items()
            }
        )

    def pad(self, values: torch.Tensor, size: int) -> torch.Tensor:
        """[tokens, hidden] -> [sequences x heads, longest, size]"""
        return _Take.apply(values.view(-1, size), self.slots, self.places).view(
            -1, self.longest, size
        )

    def unpad(self, values: torch.Tensor, hidden: int) -> torch.Tensor:
        """[sequences x heads, longest, size] -> [tokens, hidden]"""
        return _Take.apply(values.flatten(0, 1), self.places, None).view(-1, hidden)


class _Take(torch.autograd.Function):
    """values[index] along the first dimension; every index that matters occurs once. torch's own
    gradient adds rows one by one, as if some could occur twice. `back`: where each row of `values`
    went; None: its rows get a gradient of 0 unless they are in `index`."""

    @staticmethod
    def forward(ctx, values, index, back):
        ctx.save_for_backward(index, back)
        ctx.rows = len(values)
        return values.index_select(0, index)

    @staticmethod
    def backward(ctx, gradient):
        index, back = ctx.saved_tensors
        if back is not None:
            return gradient.index_select(0, back), None, None
        return (
            gradient.new_zeros(ctx.rows, *gradient.shape[1:]).index_copy_(0, index, gradient),
            None,
            None,
        )


def pack(batch: dict, model: PreTrainedModel) -> dict:
    """`batch` with the layout of its tokens, and that of the outputs where the batch says which
    positions are needed."""
    mask, heads = batch["attention_mask"].bool(), model.config.num_attention_heads
    batch["tokens"] = Layout.of(mask, heads)
    if "needed" in batch:
        needed = batch.pop("needed") & mask
        batch["outputs"] = Layout.of(needed, heads)
        batch["outputs_among_tokens"] = (mask.flatten().cumsum(0) - 1)[needed.flatten()]
    return batch


def forward(model: PreTrainedModel, batch: dict, drop: Drop | None = None) -> torch.Tensor:
    """The last layer's output, [sequences, length, hidden] in the layers' type. drop: dropout in
    training, else None."""
    tokens, outputs, layers = batch["tokens"], batch.get("outputs"), model.encoder.layer
    inputs = {name: batch[name] for name in ("input_ids", "token_type_ids") if name in batch}
    hidden = _Take.apply(model.embeddings(**inputs).flatten(0, 1), tokens.grid, None)
    hidden = hidden.to(layers[0].output.dense.weight.dtype)
    for layer in layers[:-1] if outputs else layers:
        hidden = _layer(layer, hidden, tokens, hidden, tokens, drop)
    if outputs:
        queries = _Take.apply(hidden, batch["outputs_among_tokens"], None)
        # where nobody looks at any position there is nothing to pad
        hidden = (
            _layer(layers[-1], queries, outputs, hidden, tokens, drop) if len(queries) else queries
        )
    shape = batch["input_ids"].shape
    found = hidden.new_zeros(shape.numel(), hidden.shape[-1])
    return found.index_copy(0, (outputs or tokens).grid, hidden).unflatten(0, shape)


def _layer(
    layer,
    queries: torch.Tensor,
    rows: Layout,
    hidden: torch.Tensor,
    tokens: Layout,
    drop: Drop | None,
) -> torch.Tensor:
    """A layer's output for `queries`, [n, hidden], each of which looks at its sequence's tokens in
    `hidden`."""
    own, out = layer.attention.self, layer.attention.output
    size = own.attention_head_size
    query = rows.pad(own.query(queries), size)
    key, value = (tokens.pad(linear(hidden), size) for linear in (own.key, own.value))
    mixed = rows.unpad(
        attention(query, key, value, own.num_attention_heads, tokens.seen, drop, own.dropout.p),
        queries.shape[-1],
    )
    attended = _normed(out, out.dense(mixed), queries, drop)
    return _normed(
        layer.output, layer.output.dense(F.gelu(layer.intermediate.dense(attended))), attended, drop
    )


def _normed(
    module, values: torch.Tensor, residual: torch.Tensor, drop: Drop | None
) -> torch.Tensor:
    return module.LayerNorm((drop(values, module.dropout.p) if drop else values) + residual)


def attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    heads: int,
    seen: torch.Tensor | None,
    drop: Drop | None,
    p: float,
) -> torch.Tensor:
    """query: [n, queries, size]; key, value: [n, keys, size], where n is sequences x heads; seen:
    [sequences, keys]. Returns [n, queries, size].

    On a CPU, training takes two products and a softmax: the backward pass of torch's fused
    attention is made for long sequences, and on short ones takes longer than the rest of the
    layer."""
    bias = None
    if seen is not None:
        bias = torch.zeros(seen.shape, dtype=query.dtype, device=query.device)
        # [sequences, 1, 1, keys]
        bias = bias.masked_fill_(~seen, torch.finfo(query.dtype).min)[:, None, None]
    if query.is_cuda or drop is None and seen is not None:
        # by heads: the fused kernels want four dimensions, and with three a GPU would make and keep
        # all of the scores
        split = (part.unflatten(0, (-1, heads)) for part in (query, key, value))
        return F.scaled_dot_product_attention(
            *split,
            bias if bias is None else bias.expand(-1, 1, query.shape[1], -1),
            p if drop else 0.0,
        ).flatten(0, 1)
    if drop is None:
        return F.scaled_dot_product_attention(query, key, value)
    scores = torch.baddbmm(
        query.new_empty(1), query, key.transpose(1, 2), beta=0, alpha=query.shape[-1] ** -0.5
    )
    if seen is not None:
        scores = (scores.unflatten(0, (-1, heads)) + bias).flatten(0, 1)
    return drop(scores.softmax(-1), p) @ value


@contextmanager
def lowered(model: PreTrainedModel, dtype: torch.dtype) -> Iterator[None]:
    """Within the block the layers' weights are of `dtype`; afterwards they are what they were."""
    weights = (
        [weight for weight in model.encoder.layer.parameters() if weight.dtype != dtype]
        if fits(model)
        else []
    )
    kept = [weight.data for weight in weights]
    for weight in weights:
        weight.data = weight.data.to(dtype)
    try:
        yield
    finally:
        for weight, data in zip(weights, kept, strict=True):
            weight.data = data
