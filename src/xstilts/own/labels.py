"""The labels of a target: one spelling for each, and whether they are labels at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from xstilts.errors import UserError, shown, visible
from xstilts.own.rows import LETTERS, Item

MOST_LABELS = 1000
FEW_ROWS = 2  # rows a label: where there are fewer, it is no label


def settled(kind: str, items: Sequence[Item], notes: list[str]) -> tuple[str, ...]:
    """Puts the items' labels right, in place, and returns the target's labels: () where the kind
    has none of its own. UserError where they are none."""
    labelled = [item for item in items if item.labelled]
    if kind == "choice":
        _numbered(labelled, notes)
    if kind not in ("classify", "tag"):
        return ()
    found = Counter(label for item in labelled for label in _of(item))
    spelling = _spellings(found, notes)
    for item in labelled:
        if kind == "tag":
            item.row["tags"] = [spelling[tag] for tag in item.row["tags"]]
        else:
            item.row["label"] = spelling[item.row["label"]]
    counts = Counter(spelling[label] for label in found.elements())
    _check(counts, kind)
    return tuple(sorted(counts))


def _of(item: Item) -> list[str]:
    return item.row["tags"] if "tags" in item.row else [item.row["label"]]


def _spellings(found: Counter, notes: list[str]) -> dict[str, str]:
    """Each label -> the most frequent spelling of it: another case is the same label."""
    alike: dict[str, list[str]] = {}
    for label, _ in found.most_common():
        alike.setdefault(label.casefold(), []).append(label)
    merged = [some for some in alike.values() if len(some) > 1]
    for some in merged[:5]:
        notes.append(
            f"labels that differ in case are one: {', '.join(map(visible, some[1:]))} → "
            f"{visible(some[0])}"
        )
    return {label: some[0] for some in alike.values() for label in some}


def _check(counts: Counter, kind: str) -> None:
    total, example = counts.total(), shown(next(iter(counts), ""))
    if len(counts) < 2:
        raise UserError(
            f"every row has the label {example}: there is nothing to learn. A target needs two "
            "labels at least"
            if counts
            else "no row has a label, so nothing can be trained; unlabelled rows can only be "
            "predicted beside labelled ones"
        )
    if len(counts) > MOST_LABELS or kind == "classify" and FEW_ROWS * len(counts) > total:
        raise UserError(
            f"{len(counts)} different labels in {total} places, such as {example}: that is a text, "
            f"a number or an id, and no label. Name the right column (--column "
            f"{'tags' if kind == 'tag' else 'label'}=…), or make classes of it"
        )


def _numbered(labelled: Sequence[Item], notes: list[str]) -> None:
    """The labels of choices as numbers from 0: they may be numbers from 0 or 1, letters, or the
    texts of the choices."""
    numbers = [
        (int(label), len(item.row["own"]))
        for item in labelled
        if (label := item.row["label"]).isdecimal() and label not in item.row["own"]
    ]
    least = min((number for number, _ in numbers), default=0)
    first = 1 if least == 1 and any(number == count for number, count in numbers) else 0
    if first:
        notes.append("the numbers of the right choices count from 1")
    for item in labelled:
        own, label = item.row["own"], item.row["label"]
        texts = [" ".join(choice.split()) for choice in own]
        if label in texts:
            number = texts.index(label)
        elif label.isdecimal():
            number = int(label) - first
        else:
            number = LETTERS.find(label.lower()) if len(label) == 1 else -1
        if not 0 <= number < len(own):
            raise UserError(
                f"the label {shown(label)} is none of the {len(own)} choices {shown(own)}: it is a "
                "number, a letter or the text of one of them"
            )
        item.row["label"] = number
