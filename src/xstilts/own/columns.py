"""Which column is what, and so which kind of task the rows are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from xstilts.errors import UserError, shown, visible

# what a column is -> names that people give it
NAMES = {
    "text": "text sentence sentence1 premise review content tweet comment title headline document "
    "body utterance message question1 text1 first question query",
    "text_pair": "text_pair sentence2 hypothesis question2 text2 second",
    "label": "label labels category class sentiment gold gold_label intent topic stars rating "
    "score answerkey correct topic y",
    "tokens": "tokens words token",
    "tags": "tags ner_tags pos_tags upos ner pos labels tag",
    "question": "question query",
    "context": "context passage paragraph premise ctx",
    "answers": "answers answer answer_text",
    "start": "start answer_start",
    "choices": "choices options endings candidates",
    "source": "source source_sentence src",
    "target": "target target_sentence tgt english translation",
    "language": "language lang locale language_code lang_code",
    "split": "split partition part fold subset",
    "id": "id guid idx uid",
}
CHOICE = re.compile(r"(?:choice|option|ending|answer|sol)_?([0-9a-e])|[a-e]", re.IGNORECASE)
# kind -> the columns that it needs; the first kind that has all of them. "choices" may be several
# numbered columns
KINDS = {
    "tag": ("tokens", "tags"),
    "choice": ("choices", "label"),
    "span": ("question", "context", "answers"),
    "retrieve": ("source", "target"),
    "classify": ("text", "label"),
}
ASIDE = ("language", "split", "id")
# what unlabelled rows lack
GOLD = ("label", "tags", "answers")


def named(words: Iterable[str]) -> dict[str, str]:
    """{what: column} of "text=review". UserError for what is none."""
    found = {}
    for word in words:
        what, between, column = word.partition("=")
        if not between or what not in NAMES or not column:
            raise UserError(
                f"--column {shown(word)}: write WHAT=COLUMN, where WHAT is one of "
                f"{', '.join(NAMES)}"
            )
        found[what] = column
    return found


def recognised(
    there: list[str], given: Mapping[str, str], kind: str, where: str, unlabelled: bool = False
) -> tuple[str, dict[str, list[str]]]:
    """The kind of task, and {what: its columns} ("choices" alone may have several). given: columns
    that a person has named. kind: "" where nobody said it. unlabelled: the gold
    column may be lacking. UserError says what is lacking."""
    for what, column in given.items():
        if column not in there and unlabelled and what in GOLD:
            given = {name: other for name, other in given.items() if name != what}
        elif column not in there:
            raise UserError(f"{where}: has no column {shown(column)} ({what}); {_list(there)}")
    if kind and kind not in KINDS:
        raise UserError(f"kind {shown(kind)} is none of {', '.join(KINDS)}")
    for name in [kind] if kind else KINDS:
        found = _columns(there, given, name)
        needed = [what for what in KINDS[name] if not (unlabelled and what in GOLD)]
        if all(what in found for what in needed) and set(given) <= {*found, *ASIDE}:
            return name, found
    asked = [kind] if kind else list(KINDS)
    raise UserError(
        f"{where}: no kind of task has such columns. {_list(there)}. Needed are "
        + "; or ".join(f"{' and '.join(KINDS[name])} ({name})" for name in asked)
        + ". Name columns: --column text=review --column label=stars"
    )


def _list(there: list[str]) -> str:
    return "it has " + ", ".join(visible(name) for name in there[:30])


def _columns(there: list[str], given: Mapping[str, str], kind: str) -> dict[str, list[str]]:
    """What of the kind's columns there is. A column is one thing only."""
    optional = {
        "classify": ("text_pair",),
        "span": ("start",),
        "choice": ("context", "question", "text"),
    }.get(kind, ())
    found, free = {what: [column] for what, column in given.items()}, list(there)
    free = [column for column in free if column not in given.values()]
    lower = {column.lower().strip().replace(" ", "_"): column for column in reversed(free)}
    for what in (*KINDS[kind], *optional, *ASIDE):
        if what in found:
            continue
        alike = [lower[name] for name in NAMES[what].split() if name in lower]
        alike = [column for column in alike if column in free]
        if what == "choices" and not alike:
            numbered = sorted(column for column in free if CHOICE.fullmatch(column.strip()))
            if len(numbered) > 1:
                found[what] = numbered
                free = [column for column in free if column not in numbered]
        elif alike:
            found[what] = alike[:1]
            free.remove(alike[0])
    return found
