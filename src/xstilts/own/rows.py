"""From a row as a person has it to a row of a kind, with what was put right or left out on the way.

    item = Reader("classify", columns, notes).item(row, where)    # None: it was left out, and noted

A row without a label stays, and is `labelled` False: it may be predicted."""

from __future__ import annotations

import ast
import json
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from xstilts.errors import UserError, shown
from xstilts.tasks.columns import blanks, check_characters, inner

# what stands for no label; "-" is SNLI's. "none" may be a class
NOTHING = ("", "nan", "-")
LETTERS = "abcdefghij"
MOST_CHOICES = len(LETTERS)


@dataclass
class Item:
    """A row of a kind: its texts and its gold label as the kind has them."""

    row: dict
    labelled: bool
    language: str = ""
    split: str = ""

    def texts(self) -> tuple[str, ...]:
        """What makes two rows the same, but for the label."""
        row = self.row
        if "words" in row:
            return tuple(row["words"])
        texts = row.get("texts") or [row[name] for name in TEXTS if name in row]
        return (*texts, *row.get("choices", ()))

    def unit(self) -> str:
        """What no two splits may share: the first text, of a question its passage."""
        if "words" in self.row:
            return " ".join(self.row["words"])
        return self.row.get("context") or self.texts()[0]


TEXTS = ("question", "context", "source", "english")


@dataclass
class Reader:
    """Reads rows of one kind. columns: {what: its columns}. counts: of what was left out or put
    right, in words."""

    kind: str
    columns: dict[str, list[str]]
    counts: Counter = field(default_factory=Counter)

    def item(self, row: dict, where: str) -> Item | None:
        """The row as an item, None where it has no text. UserError for what has no sense in any
        row of the kind."""
        try:
            found = getattr(self, f"_{self.kind}")(row, where)
        except _Lacking as error:
            self.counts[str(error)] += 1
            return None
        return found

    # ------------------------------------------------------------ kinds

    def _classify(self, row: dict, where: str) -> Item:
        texts = [
            self._text(row, name, where) for name in ("text", "text_pair") if name in self.columns
        ]
        label = plain(self._value(row, "label"))
        return Item({"texts": texts, "label": label}, bool(label))

    def _tag(self, row: dict, where: str) -> Item:
        words = _listed(self._value(row, "tokens"))
        tags = _listed(self._value(row, "tags"))
        words = [str(word) for word in words]
        if not any(word.strip(blanks()) for word in words):
            raise _Lacking("rows without words")
        check_characters("".join(words), where, self.columns["tokens"][0])
        if tags and len(tags) != len(words):
            raise UserError(
                f"{where}: {len(words)} words and {len(tags)} tags. Each word needs one; lists are "
                'written ["a", "b"], or with blanks between their parts'
            )
        tags = [plain(tag, nothing=("",)) for tag in tags]
        if tags and not all(tags):
            raise _Lacking("rows with a word without a tag")
        return Item({"words": words, "tags": tags}, bool(tags))

    def _span(self, row: dict, where: str) -> Item:
        question, context = (self._text(row, name, where) for name in ("question", "context"))
        value = self._value(row, "answers")
        value = _parsed(value)
        starts: Any = []
        if isinstance(value, dict):  # as SQuAD has it
            starts, value = value.get("answer_start") or [], value.get("text") or []
        labelled = value is not None and value != ""
        answers = [value] if isinstance(value, str) and value else _listed(value or None)
        if "start" in self.columns and not starts:
            given = _parsed(self._value(row, "start"))
            starts = given if isinstance(given, list) else [given]
        said = [*map(_whole, starts), *[None] * len(answers)]
        places = [
            (str(answer), self._place(str(answer), context, start))
            for answer, start in zip(answers, said, strict=False)
        ]
        kept = [(answer, at) for answer, at in places if at is not None]
        if answers and not kept:
            raise _Lacking("rows whose answer is not in the context")
        found = {
            "id": str(self._value(row, "id") or ""),
            "question": question,
            "context": context,
            "answers": [answer for answer, _ in kept],
            "starts": [at for _, at in kept],
        }
        return Item(found, labelled)

    def _choice(self, row: dict, where: str) -> Item:
        names = self.columns["choices"]
        value = [row.get(name) for name in names] if len(names) > 1 else _parsed(row.get(*names))
        if isinstance(value, dict):  # as CommonsenseQA has it
            value = value.get("text")
        choices = [str(part) for part in _listed(value) if part is not None and str(part).strip()]
        if not 2 <= len(choices) <= MOST_CHOICES:
            raise UserError(
                f"{where}: {len(choices)} choices; a row has 2 to {MOST_CHOICES} of them"
            )
        asked = [
            self._text(row, name, where)
            for name in ("context", "question", "text")
            if name in self.columns
        ]
        if not asked:
            raise UserError(f"{where}: choices need a context or a question in another column")
        context, *question = asked
        label = plain(self._value(row, "label"))
        spoken = [" ".join((*question, choice)) for choice in choices]
        found = {"context": context, "choices": spoken, "label": label, "own": choices}
        return Item(found, bool(label))

    def _retrieve(self, row: dict, where: str) -> Item:
        source, english = (self._text(row, name, where) for name in ("source", "target"))
        return Item({"source": source, "english": english}, True)

    # ------------------------------------------------------------ parts

    def _value(self, row: dict, what: str) -> object:
        """What the row has in the column; None where there is no such column."""
        return row.get(self.columns[what][0]) if what in self.columns else None

    def _text(self, row: dict, what: str, where: str) -> str:
        value = self._value(row, what)
        text = "" if value is None or value != value else str(value)
        if not text.strip(blanks()):
            raise _Lacking("rows with an empty text")
        check_characters(text, where, self.columns[what][0])
        return text

    def _place(self, answer: str, context: str, start: int | None) -> int | None:
        """Where the answer stands in the context; None where it does not."""
        if inner(answer) == (0, 0):
            return None
        if start is not None and start >= 0 and context[start : start + len(answer)] == answer:
            return start
        places = [found.start() for found in re.finditer(re.escape(answer), context)]
        if not places:
            return None
        if start is not None:
            self.counts["answers that were not at their start, and were found elsewhere"] += 1
        return min(places, key=lambda place: abs(place - (start or 0)))


class _Lacking(Exception):
    """A row is left out. The words say why, for a count of such rows."""


def plain(value: object, nothing: tuple[str, ...] = NOTHING) -> str:
    """A label as text without blanks around it; "" for none. 1.0 is 1, as a table with holes has
    whole numbers."""
    if value is None or value != value:
        return ""
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        return str(int(value))
    if not isinstance(value, (str, int, float, bool)):
        raise UserError(f"a label is {shown(value)}, and neither text nor a number")
    text = " ".join(str(value).strip(blanks()).split())
    return "" if text.lower() in nothing else text


def _parsed(value: Any) -> Any:
    """A list or an object that a table of text has as JSON or as Python writes it."""
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        for read in (json.loads, ast.literal_eval):
            try:
                return read(value)
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
        # as numpy prints a list of texts
        return re.findall(r"'([^']*)'", value) or value
    return value


def _listed(value: object) -> list:
    """A list, or a text's parts between blanks; [] for nothing."""
    value = _parsed(value)
    if value is None or value != value:
        return []
    return list(value) if isinstance(value, (list, tuple)) else str(value).split()


def _whole(value: object) -> int | None:
    text = plain(value) if not isinstance(value, (list, dict)) else ""
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None
