"""An encoder's folder: what decides what is computed is in its fingerprint, what was made here is
whole, the rest is refused."""

import hashlib
import json
import os
import shutil
import signal
import socket
import sys

import pytest
import torch
from families import tiny_tokenizer
from safetensors.torch import load_file, save_file
from tokenizers import Regex, Tokenizer, pre_tokenizers
from transformers import MT5Config, MT5Model

from xstilts import encoders
from xstilts.encoders import checks, e5small
from xstilts.encoders import folder as encoder_folder
from xstilts.errors import UserError
from xstilts.runs import execution
from xstilts.runs.key import Base
from xstilts.training.loop import Diverged

INDEX = encoder_folder.INDEX


@pytest.fixture
def folder(family_of, tmp_path):
    shutil.copytree(family_of("xlm-roberta"), tmp_path / "encoder")
    return tmp_path / "encoder"


def edit(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values if path.is_file() else values))


def split(folder, *places):
    """The weights in several files, with an index."""
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    place_of = {name: places[number % len(places)] for number, name in enumerate(sorted(weights))}
    for place in places:
        (folder / place).parent.mkdir(exist_ok=True)
        save_file(
            {name: weights[name] for name in weights if place_of[name] == place},
            folder / place,
            metadata={"format": "pt"},
        )
    (folder / INDEX).write_text(json.dumps({"metadata": {"total_size": 1}, "weight_map": place_of}))


# ---------------------------------------------------------------- fingerprints


OLD = ("config.json", "*.safetensors", "*token*.json", "vocab*", "merges.txt", "*.model")


def test_a_folder_without_the_newly_covered_files_keeps_its_fingerprint(folder):
    (folder / "README.md").write_text("x")
    (folder / "generation_config.json").write_text("{}")
    digest = hashlib.sha256()
    for path in sorted({path for pattern in OLD for path in folder.glob(pattern)}):
        digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    assert encoders.fingerprint(folder) == f"folder-{digest.hexdigest()}"


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "added_tokens.json",
        "vocab.txt",
        "vocab.json",
        "merges.txt",
        "sentencepiece.bpe.model",
        "spiece.model",
        "tokenizer.model",
        "spm.model",
        "entity_vocab.json",
        "target_vocab.json",
        "source.spm",
        "tekken.json",
        "bpe.codes",
        "dict.txt",
        "prophetnet.tokenizer",
        "cl100k.tiktoken",
        INDEX,
    ],
)
def test_every_file_that_is_read_is_in_the_fingerprint(folder, name):
    if name == INDEX:
        split(folder, "a.safetensors", "b.safetensors")
    elif not (folder / name).is_file():
        (folder / name).write_text("{}")
    before = encoders.fingerprint(folder)
    if name == INDEX:
        edit(folder / name, other=1)
    else:
        (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    assert encoders.fingerprint(folder) != before


def test_every_file_that_a_tokenizer_of_transformers_names_is_in_the_fingerprint(folder):
    from transformers.models.auto import tokenization_auto as auto

    found = set()
    for name in set(filter(None, auto.TOKENIZER_MAPPING_NAMES.values())):
        try:
            found |= set(auto.tokenizer_class_from_name(name).vocab_files_names.values())
        except (ImportError, AttributeError):  # of a package that is not here
            continue
    assert {"vocab.txt", "spiece.model", "sentencepiece.bpe.model", "merges.txt"} <= found
    for name in filter(None, found):
        (folder / name).write_text("{}")
        assert folder / name in encoder_folder.deciding(folder), name


def test_python_opens_nothing_else_in_the_folder(folder):
    """By the interpreter's own events, in a folder that has a file of every name that might be
    read."""
    for name in (
        "special_tokens_map.json",
        "added_tokens.json",
        "generation_config.json",
        "processor_config.json",
    ):
        (folder / name).write_text("{}")
    split(folder, "part/a.safetensors", "b.safetensors")
    opened = set()
    sys.addaudithook(
        lambda event, some: (
            event == "open" and str(some[0]).startswith(str(folder)) and opened.add(str(some[0]))
        )
    )
    encoders.load(folder)
    read = set(opened)
    assert str(folder / "config.json") in read
    assert read - {str(path) for path in encoder_folder.deciding(folder)} <= {
        str(folder),
        str(folder / "generation_config.json"),
    }


def test_weights_in_a_folder_below_are_in_the_fingerprint(folder):
    split(folder, "part/a.safetensors", "part/b.safetensors")
    before, model = encoders.fingerprint(folder), encoders.load(folder)[0]
    weights = load_file(folder / "part" / "a.safetensors")
    name = min(weights)
    save_file(
        weights | {name: weights[name] + 1},
        folder / "part" / "a.safetensors",
        metadata={"format": "pt"},
    )
    assert not torch.equal(encoders.load(folder)[0].state_dict()[name], model.state_dict()[name])
    assert encoders.fingerprint(folder) != before


def test_a_tensor_in_two_files_or_in_another_than_the_index_says_is_refused(folder):
    split(folder, "a.safetensors", "b.safetensors")
    weights, other = (load_file(folder / f"{name}.safetensors") for name in "ab")
    name = min(weights)
    save_file(
        other | {name: weights[name] * 2}, folder / "b.safetensors", metadata={"format": "pt"}
    )
    with pytest.raises(UserError, match="two files have the tensor"):
        encoders.load(folder)
    save_file(other, folder / "b.safetensors", metadata={"format": "pt"})
    index = json.loads((folder / INDEX).read_text())["weight_map"]
    edit(folder / INDEX, weight_map=index | {name: "b.safetensors"})
    with pytest.raises(UserError, match="where it is not"):
        encoders.load(folder)
    for place in ("../a.safetensors", "/etc/passwd", "none.safetensors", "config.json"):
        edit(folder / INDEX, weight_map=index | {name: place})
        for look in (encoders.load, encoders.fingerprint):
            with pytest.raises(UserError, match=place.split("/")[-1]):
                look(folder)


# ---------------------------------------------------------------- the conversion of the embedded
# encoder


@pytest.fixture
def conversion(folder, tmp_path, monkeypatch):
    """A small encoder in the place of the embedded one; how often it was made."""
    monkeypatch.setenv("XSTILTS_CACHE", str(tmp_path / "cache"))
    made = []

    def convert(place):
        made.append(place)
        shutil.copytree(folder, place)

    monkeypatch.setattr(e5small, "convert", convert)
    return encoders.source_folder("e5-small"), made


def _flip(place):
    content = bytearray((place / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (place / "model.safetensors").write_bytes(content)


def _flip_and_keep_the_time(place):
    before = (place / "model.safetensors").stat()
    _flip(place)
    os.utime(place / "model.safetensors", ns=(before.st_atime_ns, before.st_mtime_ns))


DAMAGES = {
    "bits": _flip,
    "bits, with the old time": _flip_and_keep_the_time,
    "a setting": lambda place: edit(place / "config.json", layer_norm_eps=0.1),
    "gone": lambda place: (place / "tokenizer.json").unlink(),
    "added": lambda place: (place / "added_tokens.json").write_text("{}"),
    "cut": lambda place: os.truncate(place / "model.safetensors", 100),
    "a pipe": lambda place: ((place / "config.json").unlink(), os.mkfifo(place / "config.json")),
    "no checksums": lambda place: (place / encoder_folder.SEAL).unlink(),
    "empty checksums": lambda place: (place / encoder_folder.SEAL).write_text('{"sha256": {}}'),
    "checksums of another": lambda place: (place / encoder_folder.SEAL).write_text("[" * 10_000),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_conversion_is_set_aside_and_made_anew(conversion, damage, capsys):
    place, made = conversion
    whole = {path.name: path.read_bytes() for path in place.iterdir()}
    DAMAGES[damage](place)
    assert encoders.source_folder("e5-small") == place and len(made) == 2
    assert {path.name: path.read_bytes() for path in place.iterdir()} == whole
    assert (
        "damaged" in capsys.readouterr().out and place.with_name(f"{place.name}.damaged").is_dir()
    )
    encoders.source_folder("e5-small")
    assert len(made) == 2


def test_a_whole_conversion_is_read_once_a_process(conversion, monkeypatch):
    encoders.source_folder("e5-small")
    monkeypatch.setattr(
        encoder_folder.files, "sha256", lambda path: pytest.fail(f"{path} was read again")
    )
    encoders.source_folder("e5-small")


# ---------------------------------------------------------------- a .bin as safetensors


def test_an_interrupted_conversion_of_a_bin_leaves_the_bin_alone(folder, monkeypatch):
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    whole = encoders.save_file

    def cut_short(weights, path, **options):
        whole(weights, path, **options)
        os.truncate(path, os.path.getsize(path) // 2)

    def interrupted(weights, path, **options):
        cut_short(weights, path)
        raise KeyboardInterrupt

    for fault, error in ((interrupted, KeyboardInterrupt), (cut_short, Exception)):
        monkeypatch.setattr(encoders, "save_file", fault)
        with pytest.raises(error):
            encoders.bin_to_safetensors(folder)
        assert not list(folder.glob("*.safetensors*")) and (folder / "pytorch_model.bin").is_file()
    monkeypatch.setattr(encoders, "save_file", whole)
    encoders.bin_to_safetensors(folder)
    assert encoders.load(folder) and not (folder / "pytorch_model.bin").exists()
    for odd in (torch.ones(2), {"a": {"b": torch.ones(2)}}, [1]):
        torch.save(odd, folder / "pytorch_model.bin")
        with pytest.raises(UserError, match="other things than tensors"):
            encoders.bin_to_safetensors(folder)


# ---------------------------------------------------------------- what is refused


@pytest.fixture
def at_once():
    """A reader that waits for a pipe waits for ever."""
    signal.signal(signal.SIGALRM, lambda *_: (_ for _ in ()).throw(TimeoutError("hangs")))
    signal.alarm(20)
    yield
    signal.alarm(0)


@pytest.mark.parametrize(
    "name",
    [
        "config.json",
        "tokenizer.json",
        "model.safetensors",
        "added_tokens.json",
        "vocab.txt",
        "chat_template.jinja",
        "additional_chat_templates/a.jinja",
    ],
)
@pytest.mark.parametrize("sort", ["pipe", "socket", "device", "folder", "dead link", "loop"])
def test_what_is_no_file_is_refused_by_name(folder, name, sort, at_once, monkeypatch):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    if sort == "socket":
        monkeypatch.chdir(path.parent)  # their names are short
        socket.socket(socket.AF_UNIX).bind(path.name)
    else:
        {
            "pipe": os.mkfifo,
            "device": lambda path: path.symlink_to("/dev/zero"),
            "folder": os.mkdir,
            "dead link": lambda path: path.symlink_to("nowhere"),
            "loop": lambda path: path.symlink_to(path.name),
        }[sort](path)
    if sort == "folder" and path.suffix == ".jinja":
        assert encoders.load(folder)
        return
    for look in (encoders.fingerprint, encoders.load):
        with pytest.raises(UserError, match=path.name):
            look(folder)


ABSURD = [
    ("num_hidden_layers", 10**6),
    ("num_hidden_layers", 0),
    ("num_hidden_layers", "3"),
    ("hidden_size", -32),
    ("hidden_size", 10**9),
    ("hidden_size", 33),
    ("hidden_size", True),
    ("num_attention_heads", 0),
    ("num_attention_heads", 5),
    ("vocab_size", 10**12),
    ("vocab_size", 9_000_000),
    ("intermediate_size", 10**10),
    ("intermediate_size", 1.5),
    ("max_position_embeddings", -1),
    ("max_position_embeddings", 9_999_999),
    ("type_vocab_size", 10**9),
    ("num_labels", 10**9),
    ("layer_norm_eps", float("nan")),
    ("layer_norm_eps", -1.0),
    ("hidden_dropout_prob", 7),
    ("pad_token_id", 10**9),
    ("hidden_act", "nothing"),
    ("model_type", 5),
    ("dtype", "float99"),
    ("quantization_config", {"quant_method": "fp8"}),
    ("transformers_weights", "other.safetensors"),
    ("configuration_files", ["config.5.0.0.json"]),
    ("id2label", "x"),
    ("is_encoder_decoder", True),
]


@pytest.mark.parametrize(("name", "value"), ABSURD, ids=lambda part: str(part)[:30])
def test_an_absurd_configuration_is_refused(folder, name, value):
    edit(folder / "config.json", **{name: value})
    with pytest.raises(UserError):
        encoders.load(folder)
    if (name, value) not in (
        ("vocab_size", 9_000_000),
        ("max_position_embeddings", 9_999_999),
    ):  # those fit this machine
        with pytest.raises(UserError):
            encoders.load(f"{folder}:random")


@pytest.mark.parametrize(
    "content",
    [
        "[" * 10**6,
        '{"a":' * 10**5,
        "{",
        "",
        "null",
        "[]",
        "\ud800",
        '{"hidden_size": 1' + "0" * 9999 + "}",
    ],
)
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "tokenizer.json"])
def test_what_is_no_json_object_is_refused(folder, name, content):
    (folder / name).write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(UserError):
        encoders.load(folder)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(folder):
    with open(folder / "config.json", "ab") as file:
        file.truncate(1 << 40)  # of holes
    with pytest.raises(UserError, match="more than 10 are not read"):
        encoders.load(folder)


@pytest.mark.parametrize(
    "name", ["_attn_implementation", "attn_implementation", "experts_implementation"]
)
def test_a_package_of_kernels_is_never_asked_for(folder, name):
    edit(folder / "config.json", **{name: "kernels-community/flash-attn"})
    with pytest.raises(UserError, match=f"{name} is 'kernels-community"):
        encoders.load(folder)
    edit(folder / "config.json", **{name: "eager"})
    assert encoders.load(folder)


def test_an_adapter_and_a_choice_of_files_are_refused(folder):
    edit(folder / "tokenizer_config.json", fast_tokenizer_files=["tokenizer.5.0.0.json"])
    with pytest.raises(UserError, match="fast_tokenizer_files"):
        encoders.load(folder)
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(UserError, match="adapter"):
        encoders.load(folder)


def test_an_encoder_with_a_decoder_is_refused(tmp_path):
    config = MT5Config(vocab_size=200, d_model=16, d_kv=4, d_ff=16, num_layers=1, num_heads=2)
    encoders.save(MT5Model(config), tiny_tokenizer("bert"), tmp_path)
    with pytest.raises(UserError, match="mt5 is an encoder with a decoder"):
        encoders.load(tmp_path)


def test_a_tokenizer_that_cannot_pad_or_has_more_pieces_than_the_encoder_is_refused(folder):
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(
        json.dumps({key: config[key] for key in config if key != "pad_token"})
    )
    with pytest.raises(UserError, match="no token for padding"):
        encoders.load(folder)
    edit(folder / "tokenizer_config.json", pad_token="<of its own>")
    with pytest.raises(UserError, match="has pieces up to the number"):
        encoders.load(folder)


# ---------------------------------------------------------------- regular expressions


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(a*)*b",
        r"(?:a|aa)+$",
        r"(?:a|a)*b",
        r"((ab?)c)*d",
        r"(?:\s*\w)*x",
        r"(a{1,5}){2,}",
        r"(?<x>a\g<x>?)",
        r"([^]]+)*!",
        r"(?:a?){20}b",
        r"(?i:(\w+))+?c",
    ],
)
def test_a_regular_expression_that_could_explode_is_refused(folder, pattern):
    Tokenizer.from_str(json.dumps(_with(folder, pattern)))  # the library takes it
    (folder / "tokenizer.json").write_text(json.dumps(_with(folder, pattern)))
    with pytest.raises(UserError, match="regular expression"):
        encoders.load(folder)
    escaped = (folder / "tokenizer.json").read_text().replace("Regex", "R\\u0065gex")
    (folder / "tokenizer.json").write_text(escaped)
    with pytest.raises(UserError, match="regular expression"):
        encoders.load(folder)


def _with(folder, pattern):
    spec = json.loads((folder / "tokenizer.json").read_text())
    split = {
        "type": "Split",
        "pattern": {"Regex": pattern},
        "behavior": "Isolated",
        "invert": False,
    }
    return spec | {
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, spec["pre_tokenizer"]]}
    }


@pytest.mark.parametrize(
    "pattern",
    [  # of tokenizers that are in use
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| "
        r"?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}",
        r" ?[^(\s|[.,!?…。，、।۔،])]+",
        r" {2,}",
        r"\s+$",
        r"\d{1,3}(?=(?:\d{3})*\b)",
        "[一-龥぀-ゟ゠-ヿ]+",
        r"[\r\n]",
        r"\(\+\)+[\]+*]+",
    ],
)
def test_the_regular_expressions_of_known_tokenizers_are_taken(pattern):
    assert not checks.explosive(pattern)
    assert pre_tokenizers.Split(Regex(pattern), "isolated").pre_tokenize_str("a b")


def test_a_tokenizer_that_breaks_off_is_told_in_words(folder, tmp_path, monkeypatch):
    """Its panics are no Exception: they would end the whole study."""
    split = pre_tokenizers.Split(Regex("(a+)+$"), "isolated")
    monkeypatch.setattr(
        execution, "base", lambda run, folder: split.pre_tokenize_str("a" * 60 + "!")
    )
    with pytest.raises(UserError, match="tokenizer broke off"):
        execution.execute(Base(str(folder), "x"), tmp_path, None)


# ---------------------------------------------------------------- weights that are no numbers


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_found_at_the_beginning(folder, tmp_path, value):
    weights = load_file(folder / "model.safetensors")
    name = "encoder.layer.1.output.dense.weight"
    weights[name][3, 3] = value
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(Diverged, match=name):
        execution.base(Base(str(folder), "x"), tmp_path / "out")
