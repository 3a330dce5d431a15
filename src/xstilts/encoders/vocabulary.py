"""Vocabularies: which pieces the texts of a study use, and an encoder cut to them, for good or for
one training.

    model, tokenizer = trim(model, tokenizer, used(tokenizer, texts))
    with only(model, pieces): train(...)

Four fifths of a small multilingual encoder are embedding rows, most of which a study never looks
up."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from xstilts.errors import UserError

TOKEN_IDS = tuple(
    f"{token}_token_id" for token in ("pad", "bos", "eos", "cls", "sep", "unk", "mask")
)


def trim(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, keep: Iterable[int]
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Keeps the pieces `keep`, every special token, and one more: the least likely piece, because
    the cost of an unknown character is reckoned from it. Pieces are renumbered in the order of
    their old ids.

    Lossless: a text whose pieces are all kept is segmented as before. The model is changed in place
    (embedding rows, config); the tokenizer is a new one. UserError for a tokenizer that is not
    Unigram, or for an id that it lacks."""
    spec = json.loads(tokenizer.backend_tokenizer.to_str())
    kind, processor = spec["model"]["type"], spec["post_processor"] or {}
    if kind != "Unigram" or processor.get("type") != "TemplateProcessing":
        raise UserError(
            f"cannot trim a {kind} vocabulary (post-processor {processor.get('type')}): only a "
            "Unigram one with a "
            "template, such as XLM-R's, can be cut without changing how texts are split. Use "
            'vocabulary="full".'
        )
    pieces, config = spec["model"]["vocab"], model.config
    kept = {int(i) for i in keep}
    if kept and not 0 <= min(kept) <= max(kept) < len(tokenizer):
        raise UserError(
            f"keep has ids from {min(kept)} to {max(kept)}; the tokenizer's are 0 to "
            f"{len(tokenizer) - 1}"
        )
    kept |= {token["id"] for token in spec["added_tokens"]}
    kept |= {spec["model"]["unk_id"], min(range(len(pieces)), key=lambda i: pieces[i][1])}
    order = sorted(kept)
    new = {old: i for i, old in enumerate(order)}

    spec["model"]["vocab"] = [pieces[i] for i in order if i < len(pieces)]
    spec["model"]["unk_id"] = new[spec["model"]["unk_id"]]
    for token in spec["added_tokens"]:
        token["id"] = new[token["id"]]
    for token in processor["special_tokens"].values():
        token["ids"] = [new[i] for i in token["ids"]]
    # left from the last call, with the old id of padding
    spec["padding"] = spec["truncation"] = None
    settings = ("model_max_length", "model_input_names", "padding_side", "truncation_side")
    trimmed = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(json.dumps(spec, ensure_ascii=False)),
        **tokenizer.special_tokens_map,
        **{key: getattr(tokenizer, key) for key in settings},
    )

    embeddings = model.get_input_embeddings()
    pad = embeddings.padding_idx
    if first_position(model) and new[pad] != pad:
        raise UserError(
            f"cannot trim: positions count from padding's id, which would move from {pad} to "
            f"{new[pad]}"
        )
    rows = embeddings.weight.detach()[order].clone()
    model.set_input_embeddings(
        nn.Embedding.from_pretrained(rows, freeze=False, padding_idx=new.get(pad))
    )
    config.vocab_size = len(order)
    for key in TOKEN_IDS:
        if getattr(config, key, None) is not None:
            setattr(config, key, new.get(getattr(config, key)))
    return model, trimmed


def used(tokenizer: PreTrainedTokenizerBase, texts: Iterable[str]) -> list[int]:
    """The sorted ids of all pieces that `texts` use, and of the pieces for their single characters
    with and without the word-initial ▁, where they exist, so that new words in the same alphabets
    stay representable.

    Each different word is tokenised once: Metaspace splits at spaces, so words do not influence
    each other."""
    backend = tokenizer.backend_tokenizer
    words = sorted({word for text in texts for word in re.split("[ \t\r\n]+", text)})
    used: set[int] = set()
    characters = {"▁"}
    for start in range(0, len(words), 10_000):
        batch = words[start : start + 10_000]
        used.update(
            *tokenizer(batch, add_special_tokens=False, return_attention_mask=False)["input_ids"]
        )
        characters.update(
            *(
                backend.normalizer.normalize_str(word) if backend.normalizer else word
                for word in batch
            )
        )
    singles = (backend.token_to_id(piece) for c in characters for piece in (c, "▁" + c))
    return sorted(used.union(i for i in singles if i is not None))


class Rows(nn.Module):
    """Some rows of an embedding matrix, looked up by the ids of the whole. An id without a row is
    an IndexError."""

    def __init__(self, whole: nn.Embedding, ids: torch.Tensor):
        super().__init__()
        self.weight = nn.Parameter(whole.weight.detach()[ids])
        row = torch.full((len(whole.weight),), len(ids), device=ids.device)
        row[ids] = torch.arange(len(ids), device=ids.device)
        # buffers go where the model goes, to a GPU, say; nothing of them is learned, so none is
        # saved
        self.register_buffer("ids", ids, persistent=False)  # [rows]
        self.register_buffer("row", row, persistent=False)  # [vocabulary]

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return nn.functional.embedding(self.row[ids], self.weight)


@contextmanager
def only(model: PreTrainedModel, pieces: Iterable[int]) -> Iterator[None]:
    """Within the block the encoder has embeddings of `pieces` alone; afterwards of all, these ones
    as they have become.

    Training on texts that have no others, it learns what it would have learned: a row that is never
    looked up has no gradient. (AdamW would shrink it by the weight decay all the same, some 1e-4 of
    its length in a short training.) A masked language model predicts among `pieces` then. Saved are
    the optimiser's passes over most of the matrix."""
    whole = model.get_input_embeddings()
    if type(whole) is not nn.Embedding:  # one that scales, say
        yield
        return
    ids = {int(piece) for piece in pieces} | ({whole.padding_idx} - {None})
    rows = Rows(whole, torch.tensor(sorted(ids), device=whole.weight.device))
    model.set_input_embeddings(rows)
    try:
        yield
    finally:
        with torch.no_grad():
            whole.weight[rows.ids.to(whole.weight.device)] = rows.weight.detach().to(
                whole.weight.device
            )
        model.set_input_embeddings(whole.to(rows.weight.device))


def first_position(model: PreTrainedModel) -> int:
    """0, or in the RoBERTa family, which counts positions from there, the id of padding + 1."""
    return getattr(getattr(model, "embeddings", None), "padding_idx", -1) + 1
