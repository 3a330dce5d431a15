"""Predictions in the layout that XTREME's evaluate.py reads, and the gold labels of the same rows
beside them.

    xstilts submission out --profile small -p targets xnli,udpos
    python evaluate.py --prediction_folder out/none-0/predictions --label_folder out/none-0/labels
    # XTREME's own

<task>/test-<language>.tsv: a label a line (XNLI, PAWS-X), a tag a line with a blank line between
sentences (UDPOS, PAN-X), the position of the English sentence (Tatoeba), a pair of sentence ids
(BUCC); .json for question answering: {id: answer}, where an id that the rows repeat has a number,
on both sides. BUCC's ids are the sentences' positions here. The official labels are of whole
splits: score all rows (eval_rows 0); rows that were dropped for want of a label or text
(counts.csv) are in neither file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from xstilts.errors import UserError
from xstilts.runs import store
from xstilts.runs.key import Wanted, label


def write(folder: Path, wanted: Wanted, root: Path | None = None) -> list[Path]:
    """Writes the finished runs among `wanted` to <folder>/<condition>-<seed>/{predictions,labels};
    returns the files.

    UserError if none of them is finished or of a task that XTREME scores.
    """
    root, written = root or store.default_root(), []
    for (condition, target, seed), run in wanted.items():
        layout = LAYOUTS.get(target)
        place = store.find(root, run) if layout else None
        if not layout or not place:
            continue
        table = pd.read_parquet(place / "predictions.parquet")
        for language, part in table.groupby("language"):
            part = part.sort_values("example")
            sides = zip(("predictions", "labels"), layout.texts(part, language), strict=True)
            for side, text in sides:
                place = folder / f"{condition}-{seed}" / side / layout.folder
                path = place / f"test-{language}.{layout.suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
                written.append(path)
    if not written:
        raise UserError(
            "none of these runs is both finished and of a task of XTREME's evaluate.py "
            f"({', '.join(LAYOUTS)}): "
            f"{', '.join(label(run) for run in wanted.values()) or 'no runs'}"
        )
    return written


def _lines(values) -> str:
    return "".join(f"{value}\n" for value in values)


def _labels(part: pd.DataFrame, language: str) -> tuple[str, str]:
    return _lines(part.prediction), _lines(part.gold)


def _tags(part: pd.DataFrame, language: str) -> tuple[str, str]:
    """A word without a piece, shown as "-", is O: no entity, and never a part of speech."""
    said, gold = (
        "\n".join(_lines("O" if tag == "-" else tag for tag in tags.split(" ")) for tags in column)
        for column in (part.prediction, part.gold)
    )
    return said, gold


def _unique(ids: Iterable[str]) -> list[str]:
    """Each id once: a repeated one gets a number, "q (2)". evaluate.py keeps one prediction an
    id."""
    ids, found = list(ids), set()
    for place, name in enumerate(ids):
        number = 1
        while ids[place] in found or number > 1 and ids[place] in ids[place + 1 :]:
            number += 1
            ids[place] = f"{name} ({number})"
        found.add(ids[place])
    return ids


def _answers(part: pd.DataFrame, language: str) -> tuple[str, str]:
    ids = _unique(part.id)
    gold = [
        {
            "title": "",
            "paragraphs": [
                {
                    "context": "",
                    "qas": [
                        {
                            "id": name,
                            "question": "",
                            "answers": [
                                {"text": text, "answer_start": 0} for text in json.loads(accepted)
                            ],
                        }
                    ],
                }
            ],
        }
        for name, accepted in zip(ids, part.golds, strict=True)
    ]
    said = dict(zip(ids, part.prediction, strict=True))
    whole = {"version": "1.1", "data": gold}
    return json.dumps(said, ensure_ascii=False), json.dumps(whole, ensure_ascii=False)


def _positions(part: pd.DataFrame, language: str) -> tuple[str, str]:
    """An English sentence that stands twice is known by its first position, on both sides."""
    first: dict[str, int] = {}
    for place, text in enumerate(part.gold):
        first.setdefault(text, place)
    return _lines(part.prediction.map(first)), _lines(part.gold.map(first))


def _pairs(part: pd.DataFrame, language: str) -> tuple[str, str]:
    english = {
        text: f"en-{place}"
        for place, text in enumerate(dict.fromkeys([*part.gold, *part.prediction]))
        if text
    }
    said, gold = (
        _lines(
            f"{language}-{place}\t{english[text]}"
            for place, text in zip(part.example, column, strict=True)
            if text
        )
        for column in (part.prediction, part.gold)
    )
    return said, gold


@dataclass(frozen=True)
class Layout:
    """How evaluate.py reads a task: its folder, and the text of a language's two files."""

    folder: str
    texts: Callable[[pd.DataFrame, str], tuple[str, str]]
    suffix: str = "tsv"


LAYOUTS = {
    "xnli": Layout("xnli", _labels),
    "pawsx": Layout("pawsx", _labels),
    "udpos": Layout("udpos", _tags),
    "panx": Layout("panx", _tags),
    "xquad": Layout("xquad", _answers, "json"),
    "mlqa": Layout("mlqa", _answers, "json"),
    "tydiqa": Layout("tydiqa", _answers, "json"),
    "bucc": Layout("bucc2018", _pairs),
    "tatoeba": Layout("tatoeba", _positions),
}
