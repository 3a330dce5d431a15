"""What an encoder's files may say: numbers that an encoder can have, no code from elsewhere, a
tokenizer that fits.

Each check raises UserError, and comes before memory is taken or a text is read."""

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path

from tokenizers import models
from transformers import PreTrainedConfig, PreTrainedTokenizerBase

from xstilts.errors import UserError, visible

# texts that every tokenizer makes pieces of
PROBE = ["A cat, 1 Katze.", "猫 \u0007\u0915 " + "xq" * 40]
NEEDED = ("num_hidden_layers", "hidden_size", "max_position_embeddings", "vocab_size")
# name in config.json -> least and most; whole numbers where these are. The deepest known encoder
# has 48 layers.
BOUNDS: dict[str, tuple[float, float]] = {
    "num_hidden_layers": (1, 512),
    "global_attn_every_n_layers": (1, 512),
    "num_attention_heads": (1, 1024),
    "num_key_value_heads": (1, 1024),
    "num_labels": (0, 100_000),
    "type_vocab_size": (0, 100_000),
    "chunk_size_feed_forward": (0, 1_000_000),
    "intermediate_size": (1, 1_000_000),
    "position_buckets": (-1, 10_000_000),
    "max_relative_positions": (-1, 10_000_000),
    "layer_norm_eps": (0.0, 1.0),
    "norm_eps": (0.0, 1.0),
    "initializer_range": (0.0, 100.0),
    **dict.fromkeys(
        (
            "hidden_size",
            "head_dim",
            "embedding_size",
            "input_embedding_size",
            "output_embedding_size",
        ),
        (1, 65_536),
    ),
    **dict.fromkeys(("vocab_size", "max_position_embeddings", "local_attention"), (1, 10_000_000)),
    **{
        f"{token}_token_id": (0, 10_000_000)
        for token in ("pad", "bos", "eos", "cls", "sep", "unk", "mask")
    },
}
# other families' words for the same
ALIASES = {
    **dict.fromkeys(("n_layer", "n_layers", "num_layers"), "num_hidden_layers"),
    **dict.fromkeys(("d_model", "n_embd", "dim", "emb_dim"), "hidden_size"),
    **dict.fromkeys(("n_head", "n_heads", "num_heads"), "num_attention_heads"),
    **dict.fromkeys(("d_ff", "n_inner", "hidden_dim"), "intermediate_size"),
    "n_positions": "max_position_embeddings",
}
REFUSED = {
    "quantization_config": "quantised weights are not read; name an encoder with weights in 32 or "
    "16 bits",
    "transformers_weights": "weights under another name are not read; call them model.safetensors",
    "configuration_files": "which of several configurations is read would depend on the version of "
    "transformers; keep one",
    "fast_tokenizer_files": "which of several tokenizers is read would depend on the version of "
    "transformers; keep one",
}
ATTENTION = (None, "eager", "sdpa")
# of a regular expression: an escape or the beginning of a group; a repeat, greedy or not
ATOM = re.compile(r"\\[pPx]\{[^}]*\}|\\.|\(\??", re.DOTALL)
REPEAT = re.compile(r"([*+?]|\{\d+\}|\{\d+,\d*\}|\{,\d+\})[+?]?")


def config(found: dict, path: Path) -> None:
    """UserError for numbers that no encoder has, before any memory is taken for them, and for what
    would load other code."""
    refused(found, path)
    for name, value in _named(found):
        known = ALIASES.get(name, name)
        bounds = BOUNDS.get(known, (0.0, 1.0) if "dropout" in known else None)
        if bounds is None or value is None:
            continue
        low, high = bounds
        if known not in BOUNDS and not isinstance(value, (int, float)):  # a kind of dropout, say
            continue
        whole = isinstance(low, int)
        number = value if isinstance(value, int if whole else (int, float)) else math.nan
        if isinstance(value, bool) or not low <= number <= high:
            raise UserError(
                f"{path}: {name} is {visible(repr(value))[:60]}; expected "
                f"{'a whole number' if whole else 'a number'} from {low} to {high}"
            )


def refused(found: dict, path: Path) -> None:
    """For what would make transformers read other files, or fetch and run code."""
    for name, value in _named(found):
        if name in REFUSED and value is not None:
            raise UserError(f"{path}: has {name}: {REFUSED[name]}")
        # transformers would fetch a package of kernels by this name from the Hub, and run it
        parts = value.values() if isinstance(value, dict) else [value]
        if name.endswith("_implementation") and not all(part in ATTENTION for part in parts):
            raise UserError(
                f"{path}: {name} is {visible(repr(value))[:60]}, which may ask for "
                "code from elsewhere; "
                'remove the line, or write "sdpa" or "eager"'
            )


def _named(value: object) -> Iterator[tuple[str, object]]:
    """(name, value) at any depth."""
    todo = [value]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            yield from part.items()
        todo += part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()


def patterns(found: dict, path: Path) -> None:
    """For a regular expression of tokenizer.json that could take exponential time. (The library
    stops it after millions of tries, with a panic.)"""
    for name, value in _named({key: part for key, part in found.items() if key != "model"}):
        if name == "Regex" and isinstance(value, str) and explosive(value):
            raise UserError(
                f"{path}: the regular expression {visible(value)[:80]!r} repeats a group that "
                "itself repeats or branches; a text could keep it busy for ever. Write it without"
            )


def explosive(pattern: str) -> bool:
    """Whether a repeated group has a repeat of varying length or a branch in it, or the pattern
    calls itself."""
    varies, at = [False], 0  # by open group
    atom = False  # whether the last atom is a group that varies
    while at < len(pattern):
        group_varied, atom = atom, False
        if token := ATOM.match(pattern, at):
            at = token.end()
            varies += [False] * token[0].startswith("(")
            if token[0] in (r"\g", r"\k"):
                return True
        elif pattern[at] == "[":
            at = _class_end(pattern, at)
        elif repeat := REPEAT.match(pattern, at):
            low, high = _times(repeat[1])
            if high > 1 and group_varied:
                return True
            varies[-1] |= low != high
            at = repeat.end()
        else:
            if pattern[at] == ")" and len(varies) > 1:
                atom = varies.pop()
                varies[-1] |= atom
            varies[-1] |= pattern[at] == "|"
            at += 1
    return False


def _times(repeat: str) -> tuple[float, float]:
    """'+' -> (1, inf); '{2,5}' -> (2, 5)"""
    if repeat in "*+?":
        return {"*": (0, math.inf), "+": (1, math.inf), "?": (0, 1)}[repeat]
    low, comma, high = repeat[1:-1].partition(",")
    return float(low or 0), float(high or "inf") if comma else float(low)


def _class_end(pattern: str, at: int) -> int:
    """Behind the class of characters that begins here; classes can hold classes."""
    depth = 0
    while at < len(pattern):
        depth += (pattern[at] == "[") - (pattern[at] == "]")
        at += 2 if pattern[at] == "\\" else 1
        if not depth:
            break
    return at


def architecture(name: object, found: PreTrainedConfig) -> None:
    """For what is no encoder of texts. name: of the encoder, for the message."""
    if found.is_encoder_decoder:
        raise UserError(
            f"encoder {name}: {found.model_type} is an encoder with a decoder; the study trains "
            "encoders alone, such as XLM-R (xlmr-base)"
        )
    lacking = [key for key in NEEDED if not isinstance(getattr(found, key, None), int)]
    if lacking:
        raise UserError(
            f"encoder {name}: its configuration ({found.model_type or 'of no known type'}) has no "
            f"{', '.join(lacking)}, so it is no encoder of texts that the study can train"
        )
    heads = getattr(found, "num_attention_heads", None)
    if isinstance(heads, int) and not hasattr(found, "head_dim") and found.hidden_size % heads:
        raise UserError(
            f"encoder {name}: its hidden_size {found.hidden_size} cannot be shared among {heads} "
            "attention heads"
        )


def tokenizer(name: object, found: PreTrainedTokenizerBase) -> None:
    if not found.is_fast:
        raise UserError(f"encoder {name}: its tokenizer is not a fast one, so it knows no offsets")
    if found.pad_token_id is None:
        raise UserError(
            f"encoder {name}: its tokenizer has no token for padding; name one of "
            "its pieces in its "
            'tokenizer_config.json ("pad_token")'
        )
    longest = found.model_max_length
    is_number = isinstance(longest, (int, float)) and not isinstance(longest, bool)
    if not is_number or not 1 <= longest == longest // 1:
        raise UserError(
            f"encoder {name}: its tokenizer_config.json says model_max_length {longest!r}; "
            "expected a number of pieces"
        )


def size(name: object, wanted: int, there: int | None) -> None:
    """wanted: how many weights the configuration describes. there: how many the files have, None
    where it is not known."""
    if there is not None and wanted > 2 * there:
        raise UserError(
            f"encoder {name}: its config.json describes {wanted:,} weights, its files have "
            f"{there:,}; one of them is of another encoder"
        )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if 4 * wanted > memory:
        raise UserError(
            f"encoder {name}: its {wanted:,} weights take {4 * wanted >> 30} GB, and this machine "
            f"has {memory >> 30}"
        )


def pieces(name: object, there: PreTrainedConfig, found: PreTrainedTokenizerBase) -> None:
    """For a tokenizer that has pieces, or parts of a text, for which there is no embedding."""
    rows, backend = there.vocab_size, found.backend_tokenizer
    added = found.added_tokens_decoder
    if isinstance(backend.model, models.Unigram):  # a list; others say each piece's number
        last = max([len(found) - len(added) - 1, *added])
    else:
        last = max(found.get_vocab().values(), default=0)
    types, parts = getattr(there, "type_vocab_size", 0), 0
    # templates have numbers of their own, and say which part a piece is of
    for texts in ((PROBE,), (PROBE, PROBE)):
        encoded = found(*texts, truncation=True, max_length=min(found.model_max_length, 64))
        if not all(encoded["input_ids"]):
            raise UserError(f"encoder {name}: its tokenizer makes no pieces of {PROBE[0]!r}")
        last = max(last, *map(max, encoded["input_ids"]))
        parts = max(parts, *map(max, encoded.get("token_type_ids", [[0], [0]])))
    if types and parts >= types:
        raise UserError(
            f"encoder {name}: its tokenizer tells {parts + 1} parts of a text apart, the encoder "
            f"{types}"
        )
    if last >= rows:
        raise UserError(
            f"encoder {name}: its tokenizer has pieces up to the number {last}, its embeddings "
            f"only {rows} rows"
        )
