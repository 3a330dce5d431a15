"""What several commands take: `-p NAME VALUE`, `--profile`, `--json`; and how it is read."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand

from xstilts import chapters
from xstilts.errors import UserError, shown, whole

PAIR = ("-p", "--parameter")
BETWEEN = "\0"  # the two words of a pair, which no word on a command line can have


class Pair(NamedTuple):
    """NAME and VALUE as they were typed."""

    name: str
    text: str


class TakesPairs(TyperCommand):
    """A command with `-p NAME VALUE`: typer's own options take one word each, so the two are made
    one before it reads them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments with each pair as one word. A word that begins with -- is no value."""
        words, found = list(args), []
        while words:
            word = words.pop(0)
            found.append(word)
            if word in PAIR and len(words) > 1 and not words[1].startswith("--"):
                found.append(f"{words.pop(0)}{BETWEEN}{words.pop(0)}")
        return super().parse_args(ctx, found)


def _pair(text: str) -> Pair:
    name, between, value = text.partition(BETWEEN)
    if not between:
        raise typer.BadParameter(f"{shown(text)} has no value: expected -p NAME VALUE")
    return Pair(name, value)


def number(least: int, most: int) -> Callable[[str], int]:
    """What an option's text is read with: a whole number from `least` to `most`."""

    def read(text: str) -> int:
        try:
            return whole("this option", text, least, most)
        except UserError as error:
            raise typer.BadParameter(str(error)) from error

    return read


def given(pairs: Sequence[Pair] | None, names: Sequence[str] | None = None) -> dict[str, Any]:
    """The parameters by name; names: what --profile was given. UserError where one is given twice,
    and not the same."""
    found: dict[str, Any] = {}
    for name, text in (*(pairs or ()), *(("profile", name) for name in names or ())):
        read = value(text)
        if found.setdefault(name, read) != read:
            raise UserError(
                f"{name} is given twice, as {shown(found[name])} and as {shown(read)}: give one "
                "of them"
            )
    return found


def value(text: str) -> object:
    """What papermill makes of the text after its own -p. Not YAML: there 010 is 8, no is False, and
    # ends the text."""
    if text in ("True", "False", "None"):
        return {"True": True, "False": False, "None": None}[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def chapter(words: Sequence[str] | None, parameters: dict[str, Any]) -> str:
    """The chapter of [PROFILE] [CHAPTER], "" for all; the profile goes to the parameters. UserError
    for other words."""
    from xstilts.study import profiles

    words = list(words or ())
    rest = words[1:] if words[:1] and words[0] in profiles.PROFILES else words
    if len(rest) > 1 or rest and rest[0] not in chapters.NAMES:
        raise UserError(
            f"expected a profile, a chapter, or both, not {' '.join(words)!r}; profiles: "
            f"{', '.join(profiles.PROFILES)}; chapters: {', '.join(chapters.NAMES)}"
        )
    if rest != words and parameters.setdefault("profile", words[0]) != words[0]:
        raise UserError(f"two profiles: {words[0]} and -p profile {parameters['profile']}")
    return rest[0] if rest else ""


# ---------------------------------------------------------------- completion


def profile_names() -> list[str]:
    """For completion."""
    from xstilts.study import profiles

    return list(profiles.PROFILES)


def chapter_names() -> list[str]:
    """For completion."""
    return list(chapters.NAMES)


def profile_and_chapter_names() -> list[str]:
    """For completion."""
    return [*profile_names(), *chapters.NAMES]


def parameter_names() -> list[str]:
    """For completion."""
    from xstilts.study import profiles

    return [field.name for field in dataclasses.fields(profiles.Study)]


def task_names() -> list[str]:
    """For completion."""
    from xstilts.tasks.table import TASKS

    return list(TASKS)


# ---------------------------------------------------------------- the options

Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PROFILE CHAPTER",
        help="A profile, a chapter, or both; left out: mini, and all chapters.",
        autocompletion=profile_and_chapter_names,
        show_default=False,
    ),
]
Parameters = Annotated[
    list[Pair] | None,
    typer.Option(
        *PAIR,
        metavar="NAME VALUE",
        parser=_pair,
        help="A parameter of the study; lists are separated by commas. May be given several times; "
        "left out: the profile's values.",
        autocompletion=parameter_names,
        show_default=False,
    ),
]
Profile = Annotated[
    list[str] | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="The same as -p profile NAME; left out: mini.",
        autocompletion=profile_names,
        show_default=False,
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document; progress goes to standard error."),
]


# ---------------------------------------------------------------- JSON


@contextlib.contextmanager
def progress_aside(asked: bool) -> Iterator[None]:
    """Where asked, what is printed goes to standard error, also that of worker processes, so that
    standard output has the document alone."""
    if not asked:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 1)
        os.close(kept)


def print_json(document: object) -> None:
    """One JSON document on standard output. Nothing in it acts on a terminal."""
    text = json.dumps(_plain(document), indent=1, allow_nan=False)
    print(text.replace("\x7f", "\\u007f"))


def _plain(document: object) -> object:
    """Lists for tuples, texts for paths, objects for dataclasses, null for what is no number."""
    if dataclasses.is_dataclass(document) and not isinstance(document, type):
        return _plain(dataclasses.asdict(document))
    if isinstance(document, tuple) and hasattr(document, "_asdict"):
        return _plain(document._asdict())
    if isinstance(document, dict):
        return {str(name): _plain(item) for name, item in document.items()}
    if isinstance(document, list | tuple):
        return [_plain(item) for item in document]
    if isinstance(document, Path):
        return str(document)
    if isinstance(document, float) and not math.isfinite(document):
        return None
    return document
