"""Which rows train, which choose, which score.

Splits are found (a column, names of files) or made by one rule: a digest of the row's text says its
split, so that the same text is always in the same one: 70 % train, 10 % validation, 20 % test. Of
found splits the training rows give way: a text that is also among the scored ones is taken out of
them. Rows in other languages are scored, and not trained on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from xstilts.data.overlap import normalised
from xstilts.errors import UserError
from xstilts.own.rows import Item

TRAIN, VALIDATION, TEST = "train", "validation", "test"
NAMES = {
    TRAIN: "train training trn",
    VALIDATION: "validation valid val dev development devel eval",
    TEST: "test testing tst heldout",
}
PARTS = ((TEST, 20), (VALIDATION, 30), (TRAIN, 100))  # the digest's percent, up to
LEAST_TRAIN, LEAST_TEST = 30, 20  # rows


def named(text: object) -> str:
    """The split that a word means; "" for none."""
    word = str(text or "").strip().lower()
    return next((split for split, names in NAMES.items() if word in names.split()), "")


def made(item: Item) -> str:
    """The split of a row, by the digest of its text."""
    text = "\n".join(normalised((item.unit(),)))
    place = int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) % 100
    return next(split for split, end in PARTS if place < end)


def once(items: Sequence[Item], notes: list[str]) -> list[Item]:
    """Each row once: the same texts with the same label in the same language are one row. Of the
    same row in several splits the one that is scored stays."""
    order = {TEST: 0, VALIDATION: 1}
    kept: dict[object, Item] = {}
    for item in sorted(items, key=lambda item: order.get(item.split, 2)):
        kept.setdefault((item.language, item.texts(), repr(_gold(item)), item.labelled), item)
    there = {id(item) for item in kept.values()}
    found = [item for item in items if id(item) in there]
    if len(found) < len(items):
        notes.append(f"{len(items) - len(found)} rows are repetitions, and were left out")
    golds: dict[object, set[str]] = {}
    for item in found:
        if item.labelled:
            golds.setdefault((item.language, item.texts()), set()).add(repr(_gold(item)))
    if several := sum(len(some) > 1 for some in golds.values()):
        notes.append(f"{several} texts have several labels in different rows; these stay")
    return found


def _gold(item: Item) -> object:
    row = item.row
    return row.get("label", row.get("tags", row.get("answers", row.get("english"))))


def split(items: Sequence[Item], trained_in: str, notes: list[str]) -> list[Item]:
    """The labelled items with their splits, of which training and validation rows are in the
    language `trained_in`. UserError where too few are left."""
    own = [item for item in items if item.language == trained_in]
    others = [item for item in items if item.language != trained_in]
    _fill(own, notes)
    if unsplit := [item for item in others if item.split != TEST]:
        scored = {item.language for item in others if item.split == TEST}
        aside = [item for item in unsplit if item.language in scored]
        others = [item for item in others if item.split == TEST or item.language not in scored]
        for item in others:
            item.split = TEST
        if aside:
            notes.append(
                f"{len(aside)} training and validation rows in other languages than {trained_in!r} "
                "are not used: these languages are scored without training on them"
            )
    kept = _several(_apart([*own, *others], notes), notes)
    _check(kept, trained_in)
    _check_labels(kept, notes)
    return kept


def scored(items: Sequence[Item], notes: list[str]) -> list[Item]:
    """The items of a target that is not trained: the test rows where there are any, else all. The
    same text twice would be two right answers: it stays once. UserError where too few are left."""
    some = [item for item in items if item.split == TEST] or list(items)
    kept = {(item.language, normalised((item.unit(),))): item for item in reversed(some)}
    found = [item for item in some if kept[item.language, normalised((item.unit(),))] is item]
    if len(found) < len(items):
        notes.append(f"{len(items) - len(found)} rows are not scored: other splits, or texts twice")
    for item in found:
        item.split = TEST
    if len(found) < LEAST_TEST:
        raise UserError(f"{len(found)} rows are too few to be scored; needed are {LEAST_TEST}")
    return found


def _fill(own: list[Item], notes: list[str]) -> None:
    """Gives a split to the rows that have none, and makes those that are lacking, in place."""
    there = Counter(item.split for item in own)
    if not there[TRAIN] + there[VALIDATION] + there[TEST]:
        for item in own:
            item.split = made(item)
        notes.append(
            "splits were made by a digest of each text (70 % train, 10 % validation, 20 % test), "
            "so that no text is in two"
        )
        return
    for item in own:
        item.split = item.split or TRAIN
    for lacking, part in ((TEST, TEST), (VALIDATION, VALIDATION)):
        if not there[lacking]:
            moved = [item for item in own if item.split == TRAIN and made(item) == part]
            for item in moved:
                item.split = lacking
            notes.append(f"there is no {lacking} split: {len(moved)} training rows were taken")


def _apart(items: list[Item], notes: list[str]) -> list[Item]:
    """Without the training and validation rows whose text is scored in any language, and without
    the training rows whose text is a validation row's."""
    seen: set[object] = set()
    kept: list[Item] = []
    for part in (TEST, VALIDATION, TRAIN):
        some = [item for item in items if item.split == part]
        own = [(item, normalised((item.unit(),))) for item in some]
        left = [item for item, text in own if text not in seen]
        if len(left) < len(some):
            notes.append(
                f"{len(some) - len(left)} {part} rows have a text of another split, and were left "
                "out"
            )
        seen |= {text for _, text in own}
        kept += left
    return kept


def _several(items: list[Item], notes: list[str]) -> list[Item]:
    """Without the scored rows of a language that all have one label: a score of these says
    nothing."""
    golds: dict[str, set[str]] = {}
    for item in items:
        if item.split == TEST:
            golds.setdefault(item.language, set()).update(map(repr, _listed(_gold(item))))
    alone = [language for language, some in golds.items() if len(some) == 1]
    for language in alone:
        notes.append(
            f"all scored rows in {language!r} have the label {golds[language].pop()}: a score of "
            "them would say nothing, and they were left out"
        )
    return [item for item in items if item.split != TEST or item.language not in alone]


def _listed(gold: object) -> list:
    return list(gold) if isinstance(gold, (list, tuple)) else [gold]


def _check(items: Sequence[Item], trained_in: str) -> None:
    there = Counter((item.split, item.language) for item in items)
    train, tested = (
        there[TRAIN, trained_in],
        sum(count for (split, _), count in there.items() if split == TEST),
    )
    if train < LEAST_TRAIN or tested < LEAST_TEST or not there[VALIDATION, trained_in]:
        raise UserError(
            f"too few labelled rows: {train} to train on in {trained_in!r}, "
            f"{there[VALIDATION, trained_in]} for validation, {tested} to be scored; needed are "
            f"{LEAST_TRAIN}, 1 and {LEAST_TEST}. A difference of a few points needs hundreds"
        )


def _check_labels(items: Sequence[Item], notes: list[str]) -> None:
    def labels(splits: tuple[str, ...]) -> Counter:
        return Counter(
            label
            for item in items
            if item.split in splits
            for label in item.row.get("tags") or [item.row.get("label")]
            if isinstance(label, str)
        )

    trained, scored = labels((TRAIN,)), labels((VALIDATION, TEST))
    if unseen := sorted({*scored} - {*trained}):
        count = sum(scored[label] for label in unseen)
        notes.append(
            f"labels that no training row has cannot be learned, and count as wrong: "
            f"{', '.join(unseen[:5])}{' …' * (len(unseen) > 5)} ({count} places)"
        )
    if len(trained) == 1:
        raise UserError(
            f"all training rows have the label {next(iter(trained))!r}: there is nothing to learn"
        )
