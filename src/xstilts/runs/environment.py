"""Where a result was computed: it may differ in the last digits elsewhere. Part of every result's
manifest."""

from __future__ import annotations

import os
import platform
import subprocess
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from xstilts.runs.key import RECIPE_VERSION

PACKAGES = (
    "xstilts",
    "torch",
    "transformers",
    "tokenizers",
    "datasets",
    "safetensors",
    "numpy",
    "pandas",
    "pyarrow",
    "seqeval",
)


def environment() -> dict:
    """Versions, processor, threads, device, and the state of the code."""
    import torch  # seconds, which who only reads the store need not wait

    from xstilts.training import cpu

    there = torch.cuda.is_available()
    return {
        "python": platform.python_version(),
        "packages": versions(),
        "recipe version": RECIPE_VERSION,
        "code": code(),
        "system": platform.system(),
        "machine": platform.machine(),
        "cpu": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if there else "cpu",
        "cuda": torch.version.cuda if there else None,
        "bf16": cpu.multiplies_bf16(),
    }


@lru_cache(maxsize=1)
def versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:  # run from a checkout that is not installed
            continue
    return found


@lru_cache(maxsize=1)
def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )


@lru_cache(maxsize=1)
def code() -> dict[str, object]:
    """The checkout's commit and whether it was changed since (untracked files aside); empty outside
    of a checkout."""
    folder = Path(__file__).parents[1]

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=20,
        ).stdout

    try:
        return {
            "commit": git("rev-parse", "HEAD").strip(),
            "changed": bool(
                git("status", "--porcelain", "--untracked-files=no", "--", str(folder)).strip()
            ),
        }
    except (OSError, subprocess.SubprocessError):
        return {}
