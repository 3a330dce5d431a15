"""An encoder's folder before transformers reads it: which files decide what is computed, and what
is refused in words.

    deciding(folder)              # the files that a fingerprint covers
    check(folder)                 # UserError for what cannot be read
    seal(folder); changed(folder) # checksums of a folder that we made, and what no longer fits them
"""

import json
import math
import os
from pathlib import Path

from safetensors import safe_open

from xstilts import files
from xstilts.encoders import checks
from xstilts.errors import UserError, visible

# Everything that transformers 5 may read of a folder and that decides what the encoder computes.
# Its tokenizers name their files in `vocab_files_names`. Adapters are refused, see `check`.
DECIDING = (
    "config.json",
    "*.safetensors",
    "*token*.json",
    "vocab*",
    "merges.txt",
    "*.model",
    "*.safetensors.index.json",
    "*vocab*",
    "tekken.json",
    "bpe.codes",
    "dict.txt",
    "byte_maps.json",
    "emoji.json",
    "normalizer.json",
    "word_*.json",
    "*.tokenizer",
    "*.spm",
    "*.tiktoken",
)
INDEX = "model.safetensors.index.json"
SEAL = "made.json"
LARGEST = {"config.json": 10 << 20, "tokenizer_config.json": 10 << 20}  # bytes
LARGEST_OTHER = 100 << 20


def deciding(folder: Path) -> list[Path]:
    """The files that decide what the encoder computes, sorted. UserError for what is no file, see
    `entries`."""
    entries(folder)
    found = {path for pattern in DECIDING for path in folder.glob(pattern)}
    return sorted(found | set(shards(folder)))


def entries(folder: Path) -> list[Path]:
    """What lies in the folder, hidden names aside. UserError names what would hang a reader, or is
    not what its name says:
    a pipe, a device, a link that leads nowhere, a folder called like a file."""
    try:
        inside = [
            path
            for place in (folder, folder / "additional_chat_templates")
            if place.is_dir()
            for path in place.iterdir()
            if not path.name.startswith(".")
        ]
        for path in inside:
            if not path.is_dir() or any(path.match(pattern) for pattern in (*DECIDING, SEAL)):
                files.regular(path)
    except OSError as error:
        raise UserError(f"{folder}: cannot be read ({error.strerror})") from error
    return inside


def shards(folder: Path) -> list[Path]:
    """The weights' files that the index names, if there is one. UserError for one that is not
    there, or not in the folder."""
    if not (folder / INDEX).is_file():
        return []
    names = read_json(folder / INDEX).get("weight_map")
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise UserError(f"{folder / INDEX}: has no weight_map from tensors to files")
    found = []
    for name in sorted(set(names.values())):
        path = folder / name
        outside = Path(name).is_absolute() or ".." in Path(name).parts
        if "\0" in name or outside or path.suffix != ".safetensors":
            raise UserError(
                f"{folder / INDEX}: {visible(name)!r} is no safetensors file in this folder"
            )
        files.regular(path)
        found.append(path)
    return found


def check(folder: Path) -> int | None:
    """How many numbers the weights have, None where there are none. UserError for what cannot be
    read, or is not what a fingerprint can stand for."""
    if any(path.name == "adapter_config.json" for path in entries(folder)):
        raise UserError(
            f"{folder}: has an adapter (adapter_config.json), which is applied only where the "
            "package peft is installed; merge it into the weights, or remove the file"
        )
    checks.config(read_json(folder / "config.json"), folder / "config.json")
    if (path := folder / "tokenizer_config.json").is_file():
        checks.refused(read_json(path), path)
    if (path := folder / "tokenizer.json").is_file() and _has_patterns(path):
        checks.patterns(read_json(path), path)
    if (path := folder / "model.safetensors").is_file():
        return sum(_tensors(path).values())
    return _sharded(folder) if (folder / INDEX).is_file() else None


def _has_patterns(path: Path) -> bool:
    """Whether it may have regular expressions, perhaps in escapes: to read all of a large
    vocabulary takes half a second."""
    if path.stat().st_size > LARGEST_OTHER:
        return True
    content = path.read_bytes()
    return b"Regex" in content or rb"\u00" in content


def _tensors(path: Path) -> dict[str, int]:
    """name -> how many numbers. The header alone is read, and fits the file's length."""
    with safe_open(path, "pt") as file:
        names = file.keys()
        return {name: math.prod(file.get_slice(name).get_shape()) for name in names}


def _sharded(folder: Path) -> int:
    """transformers reads all tensors of all files, of two with one name whichever it reads last."""
    found: dict[str, tuple[str, int]] = {}
    for path in shards(folder):
        for name, size in _tensors(path).items():
            if name in found:
                raise UserError(
                    f"{folder}: two files have the tensor {visible(name)!r}: {found[name][0]} and "
                    f"{path.name}"
                )
            found[name] = path.relative_to(folder).as_posix(), size
    for name, place in read_json(folder / INDEX)["weight_map"].items():
        if found.get(name, ("", 0))[0] != Path(place).as_posix():
            raise UserError(
                f"{folder / INDEX}: says that {visible(name)!r} is in {visible(place)}, where it "
                "is not"
            )
    return sum(size for _, size in found.values())


def read_json(path: Path) -> dict:
    """UserError for what is too large, too deep, no JSON, or no object."""
    most = LARGEST.get(path.name, LARGEST_OTHER)
    try:
        if (size := path.stat().st_size) > most:
            raise UserError(f"{path}: has {size >> 20} MB; more than {most >> 20} are not read")
        found = json.loads(path.read_text("utf-8"))
    except UserError:
        raise
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: is not readable JSON ({error})") from error
    except RecursionError as error:
        raise UserError(f"{path}: is nested too deeply to be read") from error
    if not isinstance(found, dict):
        raise UserError(f"{path}: is not a JSON object")
    return found


def seal(folder: Path) -> None:
    """Writes the checksum of each of the folder's files into it, as they are now. For a folder
    that we have just made."""
    checksums = {path.name: files.sha256(path) for path in sorted(folder.iterdir())}
    (folder / SEAL).write_text(json.dumps({"sha256": checksums}, indent=1))


# one check a process is enough for files that have not been touched since
_whole: dict[Path, tuple] = {}


def changed(folder: Path) -> str:
    """What is no longer as it was sealed, or "". All content is read, half a second for 500 MB,
    but once a process."""
    try:
        inside = {path.name: path for path in entries(folder)}
        stamp = tuple(sorted((name, *_stamp(path)) for name, path in inside.items()))
        if _whole.get(folder) == stamp:
            return ""
        if SEAL not in inside:
            return f"it has no checksums ({SEAL})"
        checksums = read_json(inside.pop(SEAL)).get("sha256")
    except UserError as error:
        return str(error)
    if not isinstance(checksums, dict) or not checksums:
        return f"{SEAL} has no checksums"
    for name in sorted({*checksums, *inside}):
        if name not in inside:
            return f"{name} is missing"
        if name not in checksums:
            return f"{name} was added"
        if not inside[name].is_file() or files.sha256(inside[name]) != checksums[name]:
            return f"{name} has changed"
    _whole[folder] = stamp
    return ""


def _stamp(path: Path) -> tuple[int, int, int]:
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns
