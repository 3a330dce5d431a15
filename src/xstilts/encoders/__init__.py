"""Encoders: from a name to a model and its tokenizer, at any depth and with a vocabulary cut to
what is needed.

    model, tokenizer = load("e5-small")                   # the embedded encoder, 12 layers
    model, tokenizer = load("e5-small:6:random", seed=3)  # its shape, 6 layers, random weights
    model, tokenizer = load("FacebookAI/xlm-roberta-large@c23d21b0")
    model, tokenizer = load("e5-small", keep=vocabulary.used(tokenizer, texts))

A name is BASE[@REVISION][:K][:random]. BASE is `e5-small`, a short name of `KNOWN`, a Hub id, or a
folder that `from_pretrained` reads. REVISION is a branch, tag or commit of a Hub id. `:K` keeps the
first K layers. `:random` keeps shape and tokenizer and draws the weights anew."""

import hashlib
import inspect
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from filelock import FileLock
from safetensors import safe_open
from safetensors.torch import save_file
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import cached_file, logging

from xstilts import files, settings
from xstilts.encoders import checks, e5small, vocabulary
from xstilts.encoders import folder as encoder_folder
from xstilts.encoders.names import (
    EMBEDDED,
    EncoderName,
    as_name,
    check_layers,
    revision,
)
from xstilts.encoders.names import HUB_ID as HUB_ID
from xstilts.encoders.names import KNOWN as KNOWN
from xstilts.encoders.names import REVISIONS as REVISIONS
from xstilts.encoders.names import parse_name as parse_name
from xstilts.errors import UserError, visible


def source_folder(name: str | Path | EncoderName) -> Path | str:
    """What `from_pretrained` is given: a folder, or the Hub id. Converts the embedded encoder on
    first use, and anew where the conversion is no longer what it was when it was made."""
    name = as_name(name)
    if name.base != EMBEDDED:
        return Path(name.base) if Path(name.base).is_dir() else name.base
    folder = settings.cache() / f"{EMBEDDED}-{e5small.SHA256[:12]}-v{e5small.VERSION}"
    if _problem(folder):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{folder}.lock"):
                if problem := _problem(folder):  # another process may have finished it meanwhile
                    _convert(folder, problem)
        except (PermissionError, FileExistsError, NotADirectoryError) as error:
            raise UserError(
                f"the embedded encoder cannot be written to {folder} ({error.strerror}); set "
                "XSTILTS_CACHE to a folder of your own"
            ) from error
    return folder


def _problem(folder: Path) -> str:
    return encoder_folder.changed(folder) if folder.is_dir() else "it is not there"


def _convert(folder: Path, problem: str) -> None:
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    aside = folder.with_name(f"{folder.name}.damaged")
    if folder.is_dir():
        print(
            visible(
                f"damaged   {folder}: {problem}; set aside as {aside.name}, the encoder is "
                "converted anew"
            ),
            flush=True,
        )
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(folder, aside)
    shutil.rmtree(unfinished, ignore_errors=True)  # left by a process that was killed
    e5small.convert(unfinished)
    encoder_folder.seal(unfinished)
    os.rename(unfinished, folder)


def fingerprint(name: str | Path | EncoderName) -> str:
    """What an artifact's key needs to identify the encoder, whatever machine or path it lies on.

    Of the embedded encoder: the data file's sha256 and the conversion's version. Of a folder: a
    sha256 over its config, tokenizer and weights, wherever they lie in it. Of a Hub id: the id and
    its commit. The seed of a `:random` encoder is not part of it. UserError for a folder that
    cannot be an encoder's (see `encoder_folder.check`)."""
    name = as_name(name)
    options = (f":{name.layers}" if name.layers else "") + (":random" if name.random else "")
    if name.base == EMBEDDED:
        return f"{EMBEDDED}-{e5small.SHA256}-v{e5small.VERSION}{options}"
    folder = Path(name.base)
    if not folder.is_dir():
        return f"{name.base}@{revision(name)}{options}"
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder} is not an encoder's folder: it has no config.json")
    digest = hashlib.sha256()
    for path in encoder_folder.deciding(folder):
        place = path.relative_to(folder).as_posix()
        digest.update(f"{place} {files.sha256(path)}\n".encode())
    return f"folder-{digest.hexdigest()}{options}"


def load(
    source: str | Path | EncoderName, keep: Sequence[int] | None = None, seed: int = 0
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The encoder without head or pooler, in float32 and in eval mode, and its fast tokenizer.

    `keep`: the vocabulary ids to keep (see `vocabulary.trim`); None keeps all. `seed` draws the
    weights of a `:random` encoder; torch's own generator is left as it was. Raises UserError for a
    depth that the encoder does not have and for weights that do not cover the model, and where
    nothing can be loaded."""
    name = as_name(source)
    place = source_folder(name)
    # not left open: transformers would ask whoever sits there
    commit = revision(name)
    where = {
        "pretrained_model_name_or_path": str(place),
        "revision": commit,
        "trust_remote_code": False,
    }
    try:
        with _quiet():
            there = _checked(name, place, commit)
            config = AutoConfig.from_pretrained(**where)
            checks.architecture(name, config)
            check_layers(name, name.layers, config.num_hidden_layers)
            shorten(config, name.layers or config.num_hidden_layers)
            tokenizer = AutoTokenizer.from_pretrained(**where)
            checks.tokenizer(name, tokenizer)
            checks.pieces(name, config, tokenizer)
            if config.pad_token_id != tokenizer.pad_token_id:
                # Multilingual-MiniLM and multilingual-e5 declare 0, which is <s>: its row would get
                # no gradient
                config.pad_token_id = tokenizer.pad_token_id
            checks.size(name, _numbers(config), None if name.random else there)
            model = _random(config, seed) if name.random else _pretrained(name, where, config)
    except (UserError, MemoryError):
        raise
    except BaseException as error:  # whatever transformers makes of strange files
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        raise UserError(
            f"cannot load the encoder {name}: {visible(str(error))}\n"
            "It needs config.json, a tokenizer and *.safetensors (a .bin is not read: `xstilts "
            "fetch` makes safetensors of one; a Hub repository may also have safetensors at "
            "another revision: write ID@refs/pr/N)."
        ) from error
    if keep is not None:
        model, tokenizer = vocabulary.trim(model, tokenizer, keep)
    return model.eval(), tokenizer


def is_panic(error: BaseException) -> bool:
    """Whether the tokenizers library broke off. It tells by something that is no Exception, and
    has no public name."""
    return type(error).__name__ == "PanicException"


def _checked(name: EncoderName, place: Path | str, commit: str) -> int | None:
    """Looks at the files before transformers does. How many numbers a folder's weights have; None
    of a Hub id."""
    if isinstance(place, Path):
        return encoder_folder.check(place)
    path = Path(cached_file(place, "config.json", revision=commit))
    checks.config(encoder_folder.read_json(path), path)
    return None


def _numbers(config: PreTrainedConfig) -> int:
    """How many weights the model has. No memory is taken for them."""
    with torch.device("meta"):
        model = AutoModel.from_config(config, trust_remote_code=False, **_options(config))
    return sum(parameter.numel() for parameter in model.parameters())


def shorten(config: PreTrainedConfig, layers: int) -> None:
    """Makes `config` one of the first `layers` layers, in place."""
    depth = config.num_hidden_layers
    for key, value in config.to_dict().items():
        # one entry a layer, such as ModernBERT's layer_types
        if isinstance(value, list) and len(value) == depth:
            setattr(config, key, value[:layers])
    config.num_hidden_layers = layers


def _options(config: PreTrainedConfig) -> dict:
    """float32 always (transformers 5 would take what the checkpoint has); no pooler where there
    could be one."""
    parameters = inspect.signature(AutoModel._model_mapping[type(config)].__init__).parameters
    return {"dtype": torch.float32} | (
        {"add_pooling_layer": False} if "add_pooling_layer" in parameters else {}
    )


def _pretrained(name: EncoderName, where: dict, config: PreTrainedConfig) -> PreTrainedModel:
    model, info = AutoModel.from_pretrained(
        **where, config=config, use_safetensors=True, output_loading_info=True, **_options(config)
    )
    if info["missing_keys"]:  # transformers would only warn, and leave them random
        missing = sorted(info["missing_keys"])
        raise UserError(
            f"encoder {name}: its weights lack {len(missing)} tensors of the model, such as "
            f"{missing[0]}"
        )
    return model


def _random(config: PreTrainedConfig, seed: int) -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return AutoModel.from_config(config, trust_remote_code=False, **_options(config))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences transformers' report of what a checkpoint holds and the model leaves out (heads,
    higher layers)."""
    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: str | Path) -> None:
    """Writes config, safetensors and tokenizer files that `load(folder)` reads."""
    with _quiet():
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


def bin_to_safetensors(folder: Path) -> None:
    """Replaces a folder's pytorch_model.bin by the same weights as safetensors. The pickle is read
    for tensors only. Until the new file is whole it has another name, and the old one stays."""
    source, unfinished = folder / "pytorch_model.bin", folder / "model.safetensors.unfinished"
    try:
        weights = torch.load(source, map_location="cpu", weights_only=True)
        # a tensor that two names share is written twice: safetensors has no sharing, and loading
        # ties it again
        weights = {key: value.detach().clone().contiguous() for key, value in weights.items()}
    except Exception as error:  # noqa: BLE001  a pickle that is refused, cut short, or none
        raise UserError(
            f"{source} holds other things than tensors, and is not read: "
            f"{(str(error).splitlines() or [type(error).__name__])[0]}"
        ) from error
    try:
        save_file(weights, unfinished, metadata={"format": "pt"})
        with safe_open(unfinished, "pt") as file:  # refuses one that is cut short
            if set(file.keys()) != set(weights):
                raise UserError(f"{unfinished}: not all tensors were written; try again")
        os.replace(unfinished, folder / "model.safetensors")
    finally:
        unfinished.unlink(missing_ok=True)
    source.unlink()


def max_length(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """How many tokens a sequence may have, special tokens included."""
    return min(
        model.config.max_position_embeddings - vocabulary.first_position(model),
        tokenizer.model_max_length,
    )


def check_length(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, wanted: int) -> None:
    """UserError if sequences of `wanted` pieces are more than the encoder has positions for."""
    longest = max_length(model, tokenizer)
    if wanted > longest:
        raise UserError(
            f"max_length {wanted}: this encoder reads at most {longest} pieces; give "
            f"max_length={longest}"
        )
