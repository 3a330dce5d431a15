"""The form of a record, and whether what it says can be true of its run.

    check(record, run)      # ValueError says what does not fit; else the examples
    seal(record)            # with a checksum of all that it says
    pack(values), unpack(packed, n)

A record is a file that anybody can edit or damage. What is checked, of each:
- Key, label, parents, tasks, languages, metrics, layers, splits, n: the run can have them, once.
- The main metric of a score (accuracy, F1, mAP) is computed again from its examples.
- Accuracy and exact match without examples (centred, dev rows) are a whole number of them.
- The accuracy of tags, mined F1 after centring, F1 and losses on dev rows, baselines and dev scores
  are in their range. Not more can be told: their examples are not kept.
- A checksum tells of any other change. Older records have none. In these nothing tells of a change
  of examples that leaves the score (two exchanged), a change of both that agree, or a change of
  other figures within the limits above.

It is no signature: who changes a record and its checksum is believed.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from xstilts import files
from xstilts.runs.credible.examples import (
    MOST,
    NEAR,
    NUMBER,
    need,
    packed_score,
    paragraphs,
    shown,
)
from xstilts.runs.credible.examples import pack as pack
from xstilts.runs.credible.examples import unpack as unpack
from xstilts.runs.key import Adapt, Base, Run, Score, key, label, parents, training
from xstilts.synthetic import dials
from xstilts.tasks.table import TASKS, Task

WHERE = ["task", "language", "metric", "layer"]
PARTS = ["numerator", "denominator"]
UNIT = "unit"  # the number of an example's paragraph; none: each has its own
COLUMNS = [*WHERE, "split", "value", "n", "of", "baseline"]
NO_LAYER, SEAL = -1, "sha256"  # the first as in `scoring`, which takes seconds to import
LONGEST = 1e9  # seconds
ALWAYS = {
    "key": str,
    "label": str,
    "parents": list,
    "seconds": NUMBER,
    "written": str,
    "environment": dict,
}
AT_TIMES = {
    "scores": list,
    "dev": NUMBER,
    "training": NUMBER,  # seconds, of the training of a score's target
    "examples": list,
    "history": str,
    SEAL: str,
}
PLACE = {"device": str, "machine": str, "cpu": str, "threads": int, "bf16": bool}  # and more
WHOLE = {
    "accuracy": ("classify", "choice", "retrieve"),
    "accuracy, centred": ("retrieve",),
    "exact match": ("span",),
}

Where = tuple[str, str, str, int]


def parsed(text: str) -> dict:
    """A JSON object. ValueError for one that has a key twice, a number that is none, or is nested
    too deeply."""
    found = files.parsed(text)
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")
    return found


def seal(record: dict) -> dict:
    """The record with the checksum of all that it says, whatever the order and the spaces."""
    return record | {SEAL: _checksum(record)}


def check_seal(record: dict) -> None:
    """ValueError for what was changed after it was sealed. What has no seal passes."""
    if SEAL in record and record[SEAL] != _checksum(record):
        raise ValueError("it was changed after it was written: its checksum is another")


def check(record: dict, run: Run) -> list[dict]:
    """The examples of a record, unpacked as far as they had to be. ValueError says what does not
    fit the run."""
    fields(record, ALWAYS, AT_TIMES)
    if record["key"] != key(run):
        raise ValueError(f"it has the key {shown(record['key'])}")
    check_seal(record)
    _origin(record, run)
    if isinstance(run, Base):
        scored = {"scores", "dev", "examples"} & set(record)
        need(not scored, "it has scores, and an encoder as it ships has none")
        return []
    need("scores" in record, "it has no scores")
    seconds, dev = record.get("training", 0), record.get("dev", 0)
    possible = "training" not in record or training(run) and 0 <= seconds <= LONGEST
    need(possible, f"its training took {shown(seconds)} seconds")
    trained = isinstance(run, Adapt) or not TASKS[run.target].untrained
    possible = "dev" not in record or trained and 0 <= dev <= 100
    need(possible, f"its score on dev rows is {shown(dev)}")
    found = _scores(record["scores"], run)
    if "examples" in record:
        need(isinstance(run, Score), "it has examples, which only scores of targets have")
        return _examples(record["examples"], found)
    need(not isinstance(run, Score) or not dials.is_mini(run.data), "it has no examples")
    return []


def fields(found: dict, always: dict, at_times: dict) -> None:
    """ValueError for a field that is missing, of another type, or unknown."""
    for name in always:
        need(name in found, f"it has no {name}")
    for name, value in found.items():
        wanted = always.get(name) or at_times.get(name)
        if wanted is None:
            raise ValueError(f"it has {shown(name)}, which is unknown here")
        need(
            isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool)),
            f"its {name} is {shown(value)}",
        )


def when(text: str) -> None:
    """ValueError for what is no time."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"its time is {shown(text)}") from None


def _checksum(record: dict) -> str:
    said = json.dumps(
        {name: value for name, value in record.items() if name != SEAL}, sort_keys=True
    )
    return hashlib.sha256(said.encode()).hexdigest()


def _origin(record: dict, run: Run) -> None:
    """Checks where the record is from. The encoder may have another name elsewhere; the rest of the
    label is the run's."""
    first = run
    while not isinstance(first, Base):
        first = first.encoder
    said, rest = record["label"], label(run)[len(first.encoder) :]
    need(
        said.endswith(rest) and len(said) > len(rest) and (rest or " > " not in said),
        f"it is of {shown(said)}",
    )
    need(
        record["parents"] == [key(parent) for parent in parents(run)],
        "it starts from another encoder",
    )
    need(0 <= record["seconds"] <= LONGEST, f"it took {shown(record['seconds'])} seconds")
    when(record["written"])
    place = record["environment"]
    fields({name: place[name] for name in PLACE if name in place}, PLACE, {})
    need(0 < place["threads"] <= 1 << 16, f"it ran in {shown(place['threads'])} threads")


def _scores(lines: list, run: Adapt | Score) -> dict[Where, tuple[float | None, int]]:
    """where -> (value, n) of each row. ValueError for rows that the run cannot have."""
    need(
        all(isinstance(line, str) and "\n" not in line and "\r" not in line for line in lines),
        "its scores are no lines",
    )
    try:
        first, *rows = csv.reader(lines, strict=True) if lines else [[]]
    except csv.Error as error:
        raise ValueError(f"its scores are no table: {error}") from None
    need(first == COLUMNS and rows, "its scores are no table of scores")
    known = {name: TASKS[name] for name in (run.reads if isinstance(run, Adapt) else (run.target,))}
    found: dict[Where, tuple[float | None, int]] = {}
    checked: dict[tuple, int] = {}  # rows of other layers say the same but for the score
    alike: dict[tuple, object] = {}
    for row in rows:
        need(len(row) == len(COLUMNS), "a row of its scores has not all fields")
        name, language, metric, layer, split, value, n, of, baseline = row
        rest = (name, language, metric, split, n, of, baseline)
        if rest not in checked:
            checked[rest] = _row(*rest, run, known, alike)
        size, where = checked[rest], (name, language, metric, _integer(layer))
        if where in found:
            raise ValueError(
                f"it has {shown(metric)} of {shown(name)} in {shown(language)} at layer {layer} "
                "twice"
            )
        score = _score(value, 1e6 if metric == "loss" else 100.0)
        if metric in WHOLE and known[name].kind in WHOLE[metric]:
            right = math.inf if score is None else score * size / 100
            if not abs(right - round(min(right, size))) < 1e-6:
                raise ValueError(
                    f"{shown(value)} of {shown(name)} in {shown(language)} is no share of {size} "
                    "examples"
                )
        found[where] = score, size
    _complete(found, run, known)
    return found


def _row(
    name: str,
    language: str,
    metric: str,
    split: str,
    n: str,
    of: str,
    baseline: str,
    run: Adapt | Score,
    known: dict[str, Task],
    alike: dict[tuple, object],
) -> int:
    """n. ValueError for a row that the run cannot have, or that is of other rows than the rest."""
    try:
        task = known.get(name)
        if not task or language not in _languages(run, name) or metric not in _metrics(task):
            raise ValueError("the run has no such scores")
        size, rows, has_baseline = _integer(n), (split, n, of), metric.startswith(task.metric)
        need(0 < size <= _most(task, run) and size <= _integer(of), "there cannot be so many")
        wanted = "validation" if isinstance(run, Adapt) else run.split
        need(
            split == wanted if dials.is_mini(run.data) else 0 < len(split) < 200,
            "the run has no such split",
        )
        need(alike.setdefault((name, language), rows) == rows, "other metrics are of other rows")
        need(bool(baseline) == has_baseline, "only the main metrics have a baseline")
        need(
            _score(baseline, 100.0)
            == alike.setdefault((name, language, has_baseline), _score(baseline, 100.0)),
            "others have another baseline",
        )
    except ValueError as error:
        raise ValueError(
            f"its row {shown(','.join((name, language, metric, split, n, of, baseline)))}: {error}"
        ) from None
    return size


def _languages(run: Adapt | Score, name: str) -> tuple[str, ...]:
    if isinstance(run, Adapt) and name not in (*run.tasks, *run.reads[:1]):  # mixed in
        return run.mlm_languages
    return run.languages


def _metrics(task: Task) -> tuple[str, ...]:
    return (*task.metrics, "loss") if task.kind == "mlm" else task.metrics


def _most(task: Task, run: Adapt | Score) -> int:
    """Examples that a language can have: to mine, there are ten times as many sentences without a
    translation."""
    limit = (
        run.recipe.dev_rows
        if isinstance(run, Adapt)
        else run.eval_rows * (11 if task.kind == "mine" else 1)
    )
    return min(limit or MOST, MOST)


@lru_cache(maxsize=4096)
def _integer(text: str) -> int:
    need(
        re.fullmatch("-1|0|[1-9][0-9]{0,8}", text),
        f"{shown(text)} in its scores is no whole number",
    )
    return int(text)


def _score(text: str, most: float) -> float | None:
    """None: there was nothing to find, and nothing was found."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    # as it was written: all readers read the same
    if not 0 <= value <= most + NEAR or repr(value) != text:
        raise ValueError(f"it has the score {shown(text)}")
    return value


def _complete(found: Iterable[Where], run: Adapt | Score, known: dict[str, Task]) -> None:
    """Checks that there is each language, each metric, and each layer up to the last one."""
    there: dict[tuple[str, str], set] = {}
    for name, language, metric, layer in found:
        there.setdefault((name, language), set()).add((metric, layer))
    missing = (
        set(run.languages) - {language for _, language in there}
        if isinstance(run, Score)
        else set(known) - {name for name, _ in there}
    )
    need(not missing, f"it has no scores of {', '.join(map(shown, sorted(missing)))}")
    for (name, language), rows in there.items():
        last = max(layer for _, layer in rows) if known[name].untrained else NO_LAYER
        layers = range(last + 1) if known[name].untrained else [NO_LAYER]
        need(
            len(layers)
            and rows == {(metric, layer) for metric in _metrics(known[name]) for layer in layers},
            f"{shown(name)} in {shown(language)} has not each metric at each layer",
        )
    need(
        len({max(layer for _, layer in rows) for rows in there.values()}) == 1,
        "its languages differ in their layers",
    )


def _examples(parts: list, scores: dict[Where, tuple[float | None, int]]) -> list[dict]:
    """The parts, unpacked as far as they had to be. ValueError where they are not the scores'."""
    wanted, found = {where for where in scores if where[2] == TASKS[where[0]].metric}, []
    for part in parts:
        need(
            isinstance(part, dict) and part.keys() - {UNIT} == {*WHERE, *PARTS, "n"},
            "its examples have not all fields, or others",
        )
        where = part["task"], part["language"], part["metric"], part["layer"]
        try:
            if tuple(map(type, where)) != (str, str, str, int) or where not in wanted:
                raise ValueError("there are no such scores, or these examples twice")
            wanted.discard(where)
            value, n = scores[where]
            if type(part["n"]) is not int or part["n"] != n:
                raise ValueError(f"there are {shown(part['n'])}, and the score is of {n}")
            units = {UNIT: paragraphs(part[UNIT], n)} if UNIT in part else {}
            above, below, now = packed_score(part["numerator"], part["denominator"], n)
            same = now is value if now is None or value is None else abs(now - value) <= NEAR
            if not same:
                raise ValueError(f"they come to {now}, and the score is {value}")
        except ValueError as error:
            raise ValueError(f"its examples of {shown(where)}: {error}") from None
        found.append(part | {"numerator": above, "denominator": below} | units)
    need(not wanted, f"it has no examples of {shown(min(wanted, default=()))}")
    return found
