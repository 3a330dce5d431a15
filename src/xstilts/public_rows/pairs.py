"""Pairs of texts with a label: XNLI and its relatives, QQP, PAWS-X."""

from __future__ import annotations

from xstilts.errors import UserError
from xstilts.public_rows.formats import NLI, Raw, fields, is_held_out, label, lines, records

NOT_TRANSLATED = "NS"  # PAWS-X: such a row has the label 0, whatever the pair's is
FEWEST_EQUAL = 0.99  # of rows that are joined by their position: what has moved is found by it


def _pair(premise: str, hypothesis: str, label: int) -> dict:
    return {"premise": premise, "hypothesis": hypothesis, "label": label}


def xnli_validation(raw: Raw) -> list[dict]:
    """Premise, hypothesis, label."""
    return [_pair(one, other, label(name, NLI, raw)) for one, other, name in fields(raw, 3)]


def xnli_test(raw: Raw, english: Raw, labelled: Raw) -> list[dict]:
    """The texts have no labels: those of the labelled English rows at the same positions, which
    must have the English texts there."""
    texts, theirs = fields(raw, 2), records(labelled, "gold_label", "sentence1", "sentence2")
    pairs = [[row["sentence1"], row["sentence2"]] for row in theirs]
    _same_order(fields(english, 2), pairs, labelled)
    _as_many(texts, theirs, raw)
    return [
        _pair(one, other, label(row["gold_label"], NLI, labelled))
        for (one, other), row in zip(texts, theirs, strict=True)
    ]


def _as_many(texts: list, others: list, raw: Raw) -> None:
    if len(texts) != len(others):
        raise UserError(f"{raw.where}: {len(texts)} rows, and {len(others)} that have their labels")


def _same_order(here: list[list[str]], there: list[list[str]], raw: Raw) -> None:
    _as_many(here, there, raw)
    same = sum(_folded(one) == _folded(other) for one, other in zip(here, there, strict=True))
    if same < FEWEST_EQUAL * len(here):
        raise UserError(
            f"{raw.where}: only {same} of {len(here)} rows have the same text at the same "
            "position, so that no labels can be joined"
        )


def _folded(texts: list[str]) -> list[str]:
    """Without what the copies write differently: quotes and spaces."""
    return ["".join(c for c in text if c not in "\"'“”‘’" and not c.isspace()) for text in texts]


def xnli_by_machine(raw: Raw, labelled: Raw, language: str) -> list[dict]:
    """XNLI's test rows, translated by machine; the label is that of the English pair."""
    labels = {
        (row["sentence1"].strip(), row["sentence2"].strip()): row["gold_label"]
        for row in records(labelled, "gold_label", "sentence1", "sentence2")
    }
    names = [f"sentence{number}_{language}" for number in (1, 2)]
    found = []
    for row in records(raw, "sentence1", "sentence2", *names):
        name = labels.get((row["sentence1"].strip(), row["sentence2"].strip()))
        if name and all(row[column].strip() for column in names):
            found.append(_pair(row[names[0]], row[names[1]], label(name, NLI, labelled)))
    return found


def watson(raw: Raw, *xnli: Raw) -> list[dict]:
    """The English rows, without those whose pair or premise is among XNLI's."""
    tested = {line.split("\t")[0].strip() for file in xnli for line in lines(file)}
    found = [
        _pair(row["premise"], row["hypothesis"], int(row["label"]))
        for row in records(raw, "premise", "hypothesis", "lang_abv", "label")
        if row["lang_abv"] == "en" and row["premise"].strip() not in tested
    ]
    return [{**row, "idx": number} for number, row in enumerate(found)]


def attacked(raw: Raw) -> list[dict]:
    """MNLI's development rows as TextFooler has them: label, premise, hypothesis."""
    return [
        {**_pair(one, other, label(name, NLI, raw)), "idx": number}
        for number, (name, one, other) in enumerate(fields(raw, 3))
    ]


def snli(first: Raw, second: Raw, labels: Raw) -> list[dict]:
    """Three files with a line a row; the label is the first word of the third."""
    files = [lines(file) for file in (first, second, labels)]
    _as_many(files[0], files[1], second)
    _as_many(files[0], files[2], labels)
    return [
        _pair(one.strip(), other.strip(), label(said.split(" ", 1)[0], NLI, labels))
        for one, other, said in zip(*files, strict=True)
    ]


def anli(*rounds: Raw) -> list[dict]:
    """The rounds one after the other, with the reasons that their authors gave."""
    return [
        {
            "uid": row["uid"],
            **_pair(
                row["context"], row["statement"], label(row["gold_label"], ("e", "n", "c"), raw)
            ),
            "reason": row["reason"],
        }
        for raw in rounds
        for row in records(raw, "uid", "context", "statement", "gold_label", "reason")
    ]


def anli_part(*rounds: Raw, held_out: bool) -> list[dict]:
    """Rows of one text are on one side: an eighth of the texts is held out."""
    return [row for row in anli(*rounds) if is_held_out(row["premise"], 8) is held_out]


def qqp(raw: Raw) -> list[dict]:
    """Some lines are cut within a character: they are left out."""
    found = []
    for number, line in enumerate(raw.content.removesuffix(b"\n").split(b"\n"), 1):
        try:
            [row] = fields(Raw(f"{raw.where}: line {number}", line.decode().encode()), 4)
        except UnicodeDecodeError:
            continue
        name, one, other, idx = row
        found.append(
            {
                "question1": one,
                "question2": other,
                "label": label(name, ("0", "1"), raw),
                "idx": int(idx),
            }
        )
    return found


def pawsx_validation(raw: Raw, ids: Raw, start: int, end: int) -> list[dict]:
    """The language's file has no ids: those of the file with ids at the same positions. Of the rows
    from `start` to before `end`, which are parallel, those that are not translated are left out."""
    return _usable(_pawsx(fields(raw, 3), ids, raw)[start:end])


def pawsx_test(raw: Raw, *labelled: Raw) -> list[dict]:
    """The language's file has no labels: those of the first labelled file in which the row is
    translated."""
    texts, known = fields(raw, 2), [_with_ids(file) for file in labelled]
    for file, rows in zip(labelled, known, strict=True):
        _as_many(texts, rows, file)
    rows = []
    for number, pair in enumerate(texts):
        there = [row[number][3] for row in known if _is_translated(row[number][1:3])]
        rows.append([*pair, there[0] if there else ""])
    return _usable(_pawsx(rows, labelled[0], raw))


def _usable(rows: list[dict]) -> list[dict]:
    return [row for row in rows if row]


def _with_ids(raw: Raw) -> list[list[str]]:
    return fields(raw, 4)[1:]


def _pawsx(rows: list[list[str]], ids: Raw, raw: Raw) -> list[dict]:
    there = _with_ids(ids)
    _as_many(rows, there, ids)
    return [
        {
            "id": int(other[0]),
            "sentence1": one,
            "sentence2": two,
            "label": label(name, ("0", "1"), raw),
        }
        if name and _is_translated([one, two])
        else {}
        for (one, two, name), other in zip(rows, there, strict=True)
    ]


def _is_translated(pair: list[str]) -> bool:
    return NOT_TRANSLATED not in [text.strip() for text in pair]
