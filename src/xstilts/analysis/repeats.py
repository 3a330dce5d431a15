"""What recorded trainings came to when another processor repeated them: how far one training can be
trusted.

    note(study, runs, root)      # store -> book/recorded/again.jsonl, where a record is of another
                                 machine
    variance(study)("xnli", ["de", "fi"])     # (points squared, repeats)

Another processor rounds otherwise, and soon it is another training, of the same rows in the same
order. That is less than another seed changes, so an interval with this variance is still a narrow
one; without it, it speaks of test rows alone. Most trainings move little; one that learns its task
in one place and not in another moves far, and then widens every interval.

A line that cannot be true is refused (`_checked`): its differences make its means. Newer lines have
a checksum, too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from xstilts.analysis import stats
from xstilts.errors import UserError, visible
from xstilts.runs import credible, records, store
from xstilts.runs.key import Adapt, Run, Score, each_once, key, label, starting_encoder
from xstilts.study.profiles import Study
from xstilts.synthetic import dials
from xstilts.tasks.table import TASKS

AGAIN = "again.jsonl"
LARGEST = "largest difference of a language"
FIELDS = {
    "key": str,
    "run": str,
    "trained": bool,
    **dict.fromkeys(("recorded", "again", LARGEST), credible.NUMBER),
    "differences": dict,
    "from": str,
    "to": str,
    "when": str,
}
NEAR = 5.1e-5  # points: differences have four decimals
SHOWN = ["run", "trained", "recorded", "again", LARGEST, "from", "to", "when"]


def note(study: Study, runs: Iterable[Run], root: Path) -> None:
    """Adds what the store has of runs whose records are of another machine; each such result once.
    Encoders as they ship, and
    random ones, are left out: nothing, or nothing that is learned, was trained before, so they move
    less than what is compared."""
    known = {(line["key"], line["when"]) for line in _lines()}
    for run in each_once(
        run for run in runs if isinstance(run, Score) and isinstance(starting_encoder(run), Adapt)
    ):
        there, before = store.find(root, run), records.find(run)
        if not there or not before or records.history(run):  # another scoring is no repeat
            continue
        made = store.manifest(there)
        places = {
            name: _place(some["environment"]) for name, some in (("from", before), ("to", made))
        }
        if places["from"] != places["to"] and (key(run), made["written"]) not in known:
            line = (
                {"key": key(run)}
                | compared(study, run, pd.read_csv(there / "scores.csv"))
                | places
                | {"when": made["written"]}
            )
            path = records.folder() / AGAIN
            before = path.read_text(encoding="utf-8") if path.is_file() else ""
            records.write(path, before + json.dumps(credible.seal(line), ensure_ascii=False) + "\n")


def table() -> pd.DataFrame:
    """A row a repeated run, with the mean over languages in both places."""
    return pd.DataFrame(_lines(), columns=SHOWN)


def compared(study: Study, run: Score, now: pd.DataFrame) -> dict[str, object]:
    """Main scores of a run as recorded and as computed again, of retrieval at the study's layer:
    means, the difference in each language, and the largest one, there at any layer."""
    before, after = (
        table[table.metric == TASKS[run.target].metric].pivot(
            index="language", columns="layer", values="value"
        )
        for table in (records.scores(run), now)
    )
    moved, at = after - before, min(study.layer, before.columns.max())
    there = moved.index[
        moved[at].notna()
    ]  # where one of them found nothing of nothing, there is no difference
    return {
        "run": label(run),
        "trained": not TASKS[run.target].untrained,
        "recorded": float(before.loc[there, at].mean()),
        "again": float(after.loc[there, at].mean()),
        LARGEST: float(moved.abs().max(axis=None)),
        "differences": {
            language: round(float(value), 4) for language, value in moved.loc[there, at].items()
        },
    }


def variance(study: Study) -> stats.Variance | None:
    """(target, languages) -> the variance of one training's mean score over these languages, and of
    how many repeats it is known; None where none is known. All targets that are trained have one,
    and those that are not another. None for other rows than the benchmark's, of which it was
    measured."""
    lines = _lines() if dials.is_mini(study.data) else ()

    def known(target: str, languages: Sequence[str]) -> tuple[float, int] | None:
        moved = [
            np.mean(there)
            for line in lines
            if line["trained"] != TASKS[target].untrained
            and (
                there := [
                    line["differences"][name] for name in languages if name in line["differences"]
                ]
            )
        ]
        # the difference of two trainings has twice the variance of one
        return (float(np.mean(np.square(moved))) / 2, len(moved)) if moved else None

    return known if lines else None


def words(study: Study, seeds: int | None = None) -> str:
    """What the study's intervals say of another training; a sentence. seeds: that are really behind
    them, where not all that the study asks for are there."""
    seeds = len(study.seeds) if seeds is None else seeds
    if seeds > 1:
        return f"Intervals include what {seeds} seeds vary."
    moved = [abs(line["again"] - line["recorded"]) for line in _lines() if line["trained"]]
    if not variance(study) or not moved:
        return (
            "There is one seed, and intervals speak of other test rows only, not of another "
            "training."
        )
    return (
        "There is one seed. Intervals include what another processor makes of the same "
        f"training: of {len(moved)} recorded "
        "ones that were repeated so, half kept their mean over languages within "
        f"{np.median(moved):.1f} points, and the one that "
        f"moved furthest came out {max(moved):.1f} points away. They take all trainings to vary "
        "alike, which is too much for "
        "most and too little for the few that learn their task in one place and not in another. "
        "Another seed may move more."
    )


def _place(made: dict) -> str:
    if made["device"] != "cpu":  # `bf16` speaks of the processor
        return made["device"]
    return f"{made['cpu']}, {'bf16' if made['bf16'] else 'float32'}"


def _lines() -> tuple[dict, ...]:
    path = records.folder() / AGAIN
    return _read(path, path.stat().st_mtime_ns) if path.is_file() else ()


@lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> tuple[dict, ...]:
    lines: list[dict] = []
    try:
        if path.stat().st_size > records.LARGEST:
            raise ValueError(f"it has more than {records.LARGEST >> 20} MB")
        for text in path.read_text(encoding="utf-8").split("\n"):
            lines += [_checked(credible.parsed(text))] if text else []
        if len({(line["key"], line["when"]) for line in lines}) < len(lines):
            raise ValueError("the line of a run is there twice")
    except (ValueError, OSError) as error:
        raise UserError(
            visible(
                f"{path}, line {len(lines) + 1}: {error}; take the file from the repository "
                "again, or delete "
                "the line"
            )
        ) from error
    return tuple(lines)


def _checked(line: dict) -> dict:
    """The line, as it may be printed. ValueError says what of it cannot be true."""
    credible.fields(line, FIELDS, {credible.SEAL: str, "history": str})
    credible.check_seal(line)
    credible.when(line["when"])
    found, moved = re.search(r" > (\w+) \(seed \d+\)$", line["run"]), line["differences"]
    if not re.fullmatch("[0-9a-f]{20}", line["key"]) or not found or found[1] not in TASKS:
        raise ValueError(
            f"it is of no run: {credible.shown(line['run'])}, {credible.shown(line['key'])}"
        )
    if line["trained"] == TASKS[found[1]].untrained:
        raise ValueError(f"{found[1]} is {'not ' * line['trained']}trained")
    if not moved or not all(type(value) in credible.NUMBER for value in moved.values()):
        raise ValueError(f"its differences are {credible.shown(moved)}")
    means, largest = line["again"] - line["recorded"], max(map(abs, moved.values()))
    if not (
        0 <= line["recorded"] <= 100
        and 0 <= line["again"] <= 100
        and largest <= line[LARGEST] + NEAR <= 100 + 2 * NEAR
    ):
        raise ValueError("scores are 0-100, and its largest difference is no smaller than another")
    if (
        abs(sum(moved.values()) / len(moved) - means) > NEAR
        or line["trained"]
        and abs(line[LARGEST] - largest) > NEAR
    ):
        raise ValueError("its differences are not those of its means")
    return line | {name: visible(line[name]) for name in ("run", "from", "to")}
