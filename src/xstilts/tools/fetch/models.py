"""A Hub model in a folder: config, tokenizer and safetensors, each as the Hub's checksums say.

    fetch(Path("rows"), "org/name@refs/pr/5", {})     # rows/models/org/name@refs-pr-5

The files come beside their place, and take it when all are there and right: what has no manifest
is never half a model. Revisions lie apart; a branch that went on is replaced, with words.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from xstilts import encoders
from xstilts.errors import UserError
from xstilts.files import sha256
from xstilts.hub_faults import ask

FILES = (
    "config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*",
    "*.model",
    "vocab*",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "generation_config.json",
)
PICKLE, MADE_OF_IT = "pytorch_model.bin", "model.safetensors"


def place_of(folder: Path, name: encoders.EncoderName) -> Path:
    """Where a model lies below a fetched folder."""
    usual = encoders.REVISIONS.get(name.base, "main")
    other = name.revision if name.revision and name.revision != usual else ""
    return folder / "models" / (name.base + (f"@{other.replace('/', '-')}" if other else ""))


def fetch(folder: Path, text: str, found: dict[str, dict]) -> None:
    """Fetches a model by its Hub id (ID or ID@REVISION), and tells of its files in `found`, the
    folder's manifest. Raises UserError where the Hub does not give it, or has no weights."""
    name = encoders.parse_name(text)
    place, commit = place_of(folder, name), encoders.revision(name)
    below = place.relative_to(folder).as_posix()
    before = {file: entry for file, entry in found.items() if Path(file).parent.as_posix() == below}
    if before and all(_is_whole(folder / file, entry, commit) for file, entry in before.items()):
        return
    wanted = _wanted(name, commit)
    unfinished = place.with_name(f".unfinished-{place.name}")
    _gather(name.base, commit, wanted, place, unfinished)
    checked = dict.fromkeys(wanted, "the Hub's checksum")
    if PICKLE in wanted:
        encoders.bin_to_safetensors(unfinished)
        lfs = wanted[PICKLE].lfs
        checked[MADE_OF_IT] = f"made of {PICKLE}, sha256 {lfs.sha256 if lfs else 'unknown'}"
    if place.is_dir():
        commits = sorted({entry["commit"] for entry in before.values()} - {commit})
        why = f"it was of the commit {commits[0]}" if commits else "it was not as the Hub has it"
        print(f"replaced {below}: {why}", flush=True)
    _put(unfinished, place)
    for file in before:
        del found[file]
    about = {"from": name.base, "commit": commit, "licence": "see the model's card"}
    for path in sorted(place.iterdir()):
        found[f"{below}/{path.name}"] = about | {
            "checked": checked[path.name],
            "sha256": sha256(path),
        }
    print(f"fetched  {below}", flush=True)


def _is_whole(path: Path, entry: dict, commit: str) -> bool:
    """And was checked by the Hub's checksums when it came, which older manifests do not say."""
    return (
        "checked" in entry
        and entry["commit"] == commit
        and path.is_file()
        and entry["sha256"] == sha256(path)
    )


def _wanted(name: encoders.EncoderName, commit: str) -> dict:
    """What is needed of a model's files at a commit: huggingface_hub's RepoFile by name."""
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    def listed() -> dict:
        entries = HfApi().list_repo_tree(name.base, revision=commit)
        return {entry.path: entry for entry in entries if isinstance(entry, RepoFile)}

    there = ask(listed, name.base, commit, "model")
    wanted = {file: there[file] for file in there if any(fnmatch(file, part) for part in FILES)}
    if not any(file.endswith(".safetensors") for file in wanted):
        if PICKLE not in there:
            raise UserError(
                f"the model {name.base!r} has neither safetensors nor a single {PICKLE} "
                f"at the revision {name.revision or commit}; another may have them: "
                "write ID@refs/pr/N"
            )
        wanted[PICKLE] = there[PICKLE]
    return wanted


def _gather(repository: str, commit: str, wanted: dict, place: Path, unfinished: Path) -> None:
    """All that is wanted into `unfinished`, and nothing else: what an interrupted fetch or the
    copy at its place has of it, and the rest from the Hub."""
    unfinished.mkdir(parents=True, exist_ok=True)
    for path in unfinished.iterdir():
        if path.is_file() and not (path.name in wanted and _is_theirs(path, wanted[path.name])):
            path.unlink()  # of another commit, damaged, or a conversion that was interrupted
    for file, theirs in wanted.items():
        if (unfinished / file).is_file():
            continue
        if (place / file).is_file() and _is_theirs(place / file, theirs):
            shutil.copyfile(place / file, unfinished / file)
        else:
            ask(
                partial(_download, repository, commit, unfinished / file, theirs),
                repository,
                commit,
                "model",
            )
    shutil.rmtree(unfinished / ".cache", ignore_errors=True)  # the client's notes


def _download(repository: str, commit: str, path: Path, theirs) -> None:
    from huggingface_hub import hf_hub_download

    hf_hub_download(repository, path.name, revision=commit, local_dir=path.parent)
    if not _is_theirs(path, theirs):
        path.unlink()
        raise ConnectionError(f"{path.name} is not what the Hub's checksum says")


def _is_theirs(path: Path, theirs) -> bool:
    """By the sha256 of a large file, else by the name that git gives it."""
    if theirs.lfs:
        return sha256(path) == theirs.lfs.sha256
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest() == theirs.blob_id


def _put(unfinished: Path, place: Path) -> None:
    aside = place.with_name(f".old-{place.name}")
    shutil.rmtree(aside, ignore_errors=True)
    if place.is_dir():
        os.rename(place, aside)
    os.rename(unfinished, place)
    shutil.rmtree(aside, ignore_errors=True)
