"""A training's state on the way, so that one that was stopped goes on from there and ends as if it
had not been.

    write(path, tensors, notes);  found = read(path)      # (tensors, notes), or None
    due(since)                                            # whether it is time for the next one

One safetensors file, whose header holds the notes as JSON: it is replaced as a whole or not at all.
XSTILTS_CHECKPOINT says how many minutes are at most lost (default 5), so that a short training pays
nothing."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from xstilts import files, settings
from xstilts.training import process_group

if TYPE_CHECKING:
    import torch

FILE = "checkpoint.safetensors"
VERSION = 1  # of what `train` keeps


def due(since: float) -> bool:
    """Whether the last one, at `since` (time.monotonic), is old enough; the first process decides
    for all."""
    late = time.monotonic() - since >= 60 * settings.checkpoint_minutes()
    return late if process_group.size() == 1 else process_group.texts(str(int(late)))[0] == "1"


def write(path: Path, tensors: Mapping[str, torch.Tensor], notes: dict) -> None:
    """Replaces the checkpoint at `path`. What fails half-way leaves the one before."""
    from safetensors.torch import save_file  # imports torch: seconds, and a store's list needs none

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(notes | {"version": VERSION})
    unfinished = path.with_suffix(".new")
    try:
        unfinished.touch()
        mode = stat.S_IMODE(unfinished.stat().st_mode)
        save_file(plain, unfinished, metadata={"notes": text, "sha256": _sha256(plain, text)})
        os.chmod(unfinished, mode)  # safetensors lets its owner alone read, whatever the umask
        with open(unfinished, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def read(path: Path) -> tuple[dict[str, torch.Tensor], dict] | None:
    """None where there is none, or one that is damaged or of another version."""
    if not files.is_file(path):  # a pipe would be waited for
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            names = list(file.keys())
            tensors = {name: file.get_tensor(name) for name in names}
            header = file.metadata() or {}
        text = header.get("notes", "")
        if header.get("sha256") != _sha256(tensors, text):
            return None
        notes = json.loads(text)
        return (tensors, notes) if notes["version"] == VERSION else None
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, RuntimeError):
        return None  # TypeError: of numbers that we do not write


def _sha256(tensors: Mapping[str, torch.Tensor], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}\n".encode())
        digest.update(tensors[name].numpy().data)
    return digest.hexdigest()
