"""The file that describes a cluster, read so that text stays text.

    read(Path("slurm.yml")) -> ClusterFile("dask_jobqueue", "SLURMCluster", 16, {"walltime":
    "24:00:00", ...})

YAML 1.1 makes 5184000 of the walltime 24:00:00 and 83 of the account 0123. Here a word without
quotes is true, false, null, a decimal number as people write it, or the text that stands there.
Tags, aliases and several documents in a file are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from xstilts.errors import UserError, shown, visible, whole

CLUSTERS = (
    "dask_jobqueue",
    "distributed",
    "dask_cuda",
    "dask_kubernetes",
)  # packages whose clusters a file may name
KNOWN = (
    f"it has cluster (a class of {', '.join(CLUSTERS)}), jobs (a number) and options (of "
    "that class)"
)
BYTES, DEPTH, JOBS = 64 * 1024, 10, 10_000  # at most
WORDS = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    "null": None,
    "Null": None,
    "NULL": None,
    "~": None,
    "": None,
}
INT = re.compile(r"-?[1-9][0-9]{0,17}|0")
FLOAT = re.compile(r"-?(?:[1-9][0-9]{0,17}|0)\.[0-9]{1,18}(?:[eE][+-]?[0-9]{1,2})?")


@dataclass(frozen=True)
class ClusterFile:
    package: str
    name: str  # of the class
    jobs: int
    options: dict[str, object]  # of the class


def read(path: Path) -> ClusterFile:
    """UserError for what is no such description: it names the file, what is wrong, and what a file
    has."""
    try:
        return _described(_document(_text(path)))
    except (
        UserError,
        yaml.YAMLError,
        OSError,
        ValueError,
    ) as error:  # a letter that is no UTF-8 is a ValueError
        words = (
            str(error)
            if isinstance(error, UserError)
            else f"not readable ({' '.join(str(error).split())[:200]})"
        )
        raise UserError(f"{path}: {words}; {KNOWN}") from error


def _text(path: Path) -> str:
    if not path.is_file():  # to open a pipe would wait for somebody to write
        raise UserError("it is no file")
    with open(path, "rb") as file:
        found = file.read(BYTES + 1)
    if len(found) > BYTES:
        raise UserError(f"it is longer than {BYTES} bytes")
    return found.decode("utf-8-sig")


def _described(asked: object) -> ClusterFile:
    asked = asked if isinstance(asked, dict) else {}
    cluster, options = asked.get("cluster"), asked.get("options")
    package, _, name = cluster.rpartition(".") if isinstance(cluster, str) else ("", "", "")
    unknown = sorted(set(asked) - {"cluster", "jobs", "options"})
    if unknown:
        raise UserError(f"unknown entry {shown(unknown[0])}")
    if package not in CLUSTERS or not name.isidentifier() or name.startswith("_"):
        raise UserError(f"cluster {visible(str(cluster))[:60]}")
    if options is not None and not isinstance(options, dict):
        raise UserError(f"options {shown(options)}")
    return ClusterFile(package, name, whole("jobs", asked.get("jobs", 1), 1, JOBS), options or {})


def _document(text: str) -> object:
    """The one document in the text, of dicts, lists and scalars. Nothing is built before its parts
    are allowed."""
    events = yaml.parse(text, Loader=yaml.SafeLoader)
    next(events)  # the start of the stream
    if isinstance(next(events), yaml.StreamEndEvent):
        return None
    found = _value(next(events), events, 0)
    next(events)  # the end of the document
    if isinstance(next(events), yaml.DocumentStartEvent):
        raise UserError("it has several documents")
    return found


def _value(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> object:
    where = f"line {event.start_mark.line + 1}"
    if isinstance(event, yaml.AliasEvent):
        raise UserError(
            f"{where} has the alias *{shown(event.anchor)[1:-1]}: write out what it stands for"
        )
    if event.tag is not None:
        raise UserError(f"{where} has the tag {shown(event.tag)}: write the value without it")
    if depth > DEPTH:
        raise UserError(f"{where} is deeper than {DEPTH} levels")
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event.value) if event.implicit[0] else event.value
    if isinstance(event, yaml.SequenceStartEvent):
        items = []
        while not isinstance(item := next(events), yaml.SequenceEndEvent):
            items.append(_value(item, events, depth + 1))
        return items
    found: dict[str, object] = {}
    while not isinstance(name := next(events), yaml.MappingEndEvent):
        if not isinstance(name, yaml.ScalarEvent):
            raise UserError(f"{where}: a name is no text")
        if name.value in found:
            raise UserError(f"{where}: {shown(name.value)} is there twice")
        found[name.value] = _value(next(events), events, depth + 1)
    return found


def _scalar(word: str) -> object:
    """What a word without quotes means."""
    if word in WORDS:
        return WORDS[word]
    return int(word) if INT.fullmatch(word) else float(word) if FLOAT.fullmatch(word) else word
