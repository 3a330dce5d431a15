"""A study from the parameters that every notebook shares, checked; and the recipes of its phases.

    study = parameters(globals())      # in a notebook, straight after its parameters cell

An empty value ("" or []) in a notebook means the profile's (`sizes`)."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from xstilts import data as sources
from xstilts import settings
from xstilts.errors import UserError, shown, whole
from xstilts.study.parameters import PROFILES, Study
from xstilts.synthetic import dials
from xstilts.tasks.table import TASKS, task
from xstilts.training import process_group
from xstilts.training.recipe import Recipe

# what a whole number can be: far more than any study has. Seeds are as large as torch takes them
BOUNDS = {
    "seeds": (0, 2**63 - 1),
    "none_seeds": (0, 2**63 - 1),
    "phase3_seeds": (0, 2**63 - 1),
    "phase1_batch": (1, 10**6),
    "phase2_batch": (1, 10**6),
    "phase3_batch": (0, 10**6),
    "max_length": (0, 10**6),
    "layer": (0, 1000),
}
ANY = (0, 10**9)
ENTRIES = 1000  # of a list
PLAIN = (str, int, float, list, tuple)  # what a parameter can be


def parameters(names: Mapping[str, object]) -> Study:
    """The study that a notebook's parameters describe, on top of its profile.

    `names` is the notebook's globals(): every plain value there counts as a parameter, so that one
    that nobody knows (a slip of the keyboard) is an error, not silence. Where a study was made
    before, the cell is run again by a person, whose own variables are no parameters."""
    again = any(isinstance(value, Study) for value in names.values())
    known = {field.name for field in dataclasses.fields(Study)}
    for name in sorted(known & set(names)):
        if not isinstance(
            names[name], (*PLAIN, type(None))
        ):  # an import or a result took the parameter's name
            raise UserError(
                f"parameter {name}: {names[name]!r} is neither text, a number nor a list"
            )
    given: dict[str, Any] = {
        name: value
        for name, value in names.items()
        if isinstance(value, PLAIN)
        and not name.startswith("_")
        and name not in ("In", "Out")
        and (name in known or not again)
    }
    return study(**given)


def study(profile: str = "mini", **given: object) -> Study:
    """A profile with some of its values replaced. UserError for anything unknown or of the wrong
    type."""
    if not isinstance(profile, str) or profile not in PROFILES:
        raise UserError(f"unknown profile {profile!r}; known: {', '.join(PROFILES)}")
    fields = {
        field.name: str(field.type)
        for field in dataclasses.fields(Study)
        if field.name != "profile"
    }
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise UserError(
            f"unknown parameter {', '.join(map(repr, unknown))}; known: profile, "
            f"{', '.join(fields)}"
        )
    values: dict[str, Any] = {
        name: _typed(name, value, fields[name]) for name, value in given.items()
    }
    values = {name: value for name, value in values.items() if value not in ("", (), None)}
    if "seeds" in values:  # who asks for seeds means every chapter's
        values.setdefault("phase3_seeds", ())
    if not values.get("data"):
        values["data"] = settings.data() or PROFILES[profile].data
    if sources.has_dials(values["data"]):
        values["data"] = dials.name(dials.parse(values["data"]))
    elif sources.is_folder(values["data"]):
        values["data"] = str(Path(values["data"]).expanduser().resolve())
    return _checked(dataclasses.replace(PROFILES[profile], **values))


def beside(asked: Study) -> tuple[Study, ...]:
    """The study; and where its rows are real, the embedded benchmark, which is shown beside it."""
    if sources.has_dials(asked.data):
        return (asked,)
    return asked, study(profile="mini", data="mini", missing="dash")


def _typed(name: str, value: Any, kind: str) -> Any:
    """On the command line a list is one text with commas, or one number; in YAML 1e-4 is text, too.
    None for what is empty."""
    if value is None or value == "":
        return None
    if kind.startswith("tuple"):
        items = (
            value.split(",")
            if isinstance(value, str)
            else value
            if isinstance(value, (list, tuple))
            else [value]
        )
        if len(items) > ENTRIES:
            raise UserError(f"parameter {name}: {len(items)} entries are more than {ENTRIES}")
        items = [item.strip() if isinstance(item, str) else item for item in items]
        if None in items or "" in items:
            raise UserError(
                f"parameter {name}: entry "
                f"{[item in (None, '') for item in items].index(True) + 1} of "
                f"{len(items)} is empty"
            )
        return tuple(_typed(name, item, kind[6 : kind.index(",")]) for item in items)
    if kind != "str" and isinstance(value, str):  # "1e-4" is a string in YAML
        with suppress(ValueError):
            value = int(value) if kind == "int" else float(value)
    accepted: tuple[type[Any], ...] = {"int": (int,), "float": (int, float), "str": (str,)}[kind]
    if isinstance(value, bool) or not isinstance(value, accepted):
        quoted = (
            "; in YAML the bare words no, off, yes and on are no text: quote them"
            if isinstance(value, bool)
            else ""
        )
        raise UserError(f"parameter {name}: {shown(value)} is not of type {kind}{quoted}")
    if kind == "str":
        _usable(name, value)
        return value
    if value < 0:
        raise UserError(f"parameter {name}: {shown(value)} is negative")
    if kind == "int":
        return whole(f"parameter {name}", value, *BOUNDS.get(name, ANY))
    if not value <= sys.float_info.max:
        raise UserError(f"parameter {name}: {shown(value)} is not a number that a study can have")
    return float(value)


def _usable(name: str, text: str) -> None:
    """UserError for what is no name of anything: control characters, half surrogate pairs, too long
    for any disk."""
    odd = next(
        (letter for letter in text if ord(letter) < 32 or 0xD800 <= ord(letter) <= 0xDFFF), None
    )
    if odd is not None:
        raise UserError(
            f"parameter {name}: {ascii(text[:60])} has the character {ascii(odd)}, which no name "
            "has"
        )
    if any(len(part.encode()) > 255 for part in text.split("/")):
        raise UserError(
            f"unknown {name} {ascii(text[:60])}...: {len(text)} characters are more than a name "
            "can have"
        )


def _checked(asked: Study) -> Study:
    """The study with what it leaves open filled in: vocabulary and languages."""
    from xstilts import encoders  # these take seconds, and a slip in a name is told without them
    from xstilts.study.workers import cluster

    process_group.check()  # a launcher's slip, too, is told before anything runs
    encoders.parse_name(asked.encoder)
    sources.check_source(asked.data)
    for role in ("intermediate", "target"):
        for name in getattr(asked, role + "s"):
            task(name, role)
    cluster.check(asked.scheduler)
    for size in asked.sizes:
        encoders.parse_name(size)
    for words in asked.phase3_own:
        own_recipe(words)
    if asked.missing not in ("compute", "dash"):
        raise UserError(f"parameter missing: {asked.missing!r} is none of compute, dash")
    if asked.precision not in ("auto", "bf16", "fp32"):
        raise UserError(f"parameter precision: {asked.precision!r} is none of auto, bf16, fp32")
    if asked.vocabulary not in ("auto", "data", "full"):
        raise UserError(f"parameter vocabulary: {asked.vocabulary!r} is none of auto, data, full")
    if asked.dropout >= 1:
        raise UserError(f"parameter dropout: {asked.dropout!r} is not below 1")
    if asked.row_draw not in ("fixed", "seed"):
        raise UserError(f"parameter row_draw: {asked.row_draw!r} is none of fixed, seed")
    for name in ("seeds", "none_seeds", "phase3_seeds"):
        seeds = getattr(asked, name)
        if None in seeds or len(set(seeds)) < len(seeds) or not seeds and name == "seeds":
            raise UserError(f"parameter {name}: {seeds!r} are not different numbers, one at least")
    if asked.none_seeds and not {*asked.seeds} <= {*asked.none_seeds}:
        raise UserError(
            f"parameter none_seeds: {asked.none_seeds!r} lacks some of the seeds {asked.seeds!r}, "
            "whose runs are compared with those of none"
        )
    vocabulary = (
        asked.vocabulary
        if asked.vocabulary != "auto"
        else "full"
        if asked.data == "hub"
        else "data"
    )
    there = sorted(
        {
            language
            for name in ("text", *asked.targets)
            for language in sources.languages(name, asked.data)
        }
    )
    unknown = [language for language in asked.languages if language not in there]
    if unknown:
        more = f" and {len(unknown) - 10} more" if len(unknown) > 10 else ""
        raise UserError(
            f"unknown language {', '.join(map(repr, unknown[:10]))}{more}; "
            f"{sources.where(asked.data)} has: "
            f"{', '.join(there)}"
        )
    return dataclasses.replace(
        asked, vocabulary=vocabulary, languages=tuple(sorted(set(asked.languages or there)))
    )


def phase1_recipe(asked: Study) -> Recipe:
    return _recipe(
        asked,
        asked.phase1_steps,
        1,
        asked.phase1_batch,
        asked.phase1_learning_rate,
        256,
        asked.phase1_rows,
    )


def phase2_recipe(asked: Study, names: tuple[str, ...]) -> Recipe:
    steps = round(asked.phase2_steps * max(TASKS[name].effort for name in names))
    return _recipe(
        asked,
        steps,
        max(TASKS[name].epochs for name in names),
        asked.phase2_batch,
        asked.phase2_learning_rate,
        max(TASKS[name].max_length for name in names),
        asked.phase2_rows,
    )


def phase2_budget(asked: Study) -> int:
    """Steps that every condition gets where conditions must see equally many examples; 0 steps in
    the profile: three epochs over as many rows as the sampling cap leaves of the largest task."""
    return asked.phase2_steps or 3 * (asked.cap or 2**17) // asked.phase2_batch


def phase3_recipe(asked: Study, target: str) -> Recipe:
    """Of a target's training; of its scoring where it has none."""
    row = TASKS[target]
    if row.untrained:  # nothing is trained: nothing of a training is in the key
        length = asked.max_length or row.max_length
        return Recipe(0, 0, 0, 0.0, length, 0, precision=asked.precision, dropout=0.0)
    recipe = _recipe(
        asked,
        round(asked.phase3_steps * row.effort),
        row.epochs,
        asked.phase3_batch or row.batch_size,
        asked.phase3_learning_rate,
        row.max_length,
        asked.phase3_rows,
    )
    own: dict[str, Any] = {
        what: value for name, what, value in map(own_recipe, asked.phase3_own) if name == target
    }
    # a ranked row's negatives are the other rows of its batch, which therefore is read as a whole
    return dataclasses.replace(
        recipe,
        **own,
        patience=asked.patience,
        micro_batch=0 if row.module.WHOLE_BATCH else asked.micro_batch,
    )


def own_recipe(words: str) -> tuple[str, str, float]:
    """(target, what, value) of "pawsx learning_rate 1e-4", an entry of `Study.phase3_own`.
    UserError where it is none."""
    kinds = {"steps": int, "batch_size": int, "learning_rate": float}
    try:
        target, what, text = words.split()
        value = kinds[what](text)
        if not 0 < value < ANY[1]:
            raise ValueError(text)
    except (ValueError, KeyError):
        raise UserError(
            f"parameter phase3_own: {shown(words)} is not a target, one of {', '.join(kinds)}, and "
            "a number above 0, such as: pawsx learning_rate 1e-4"
        ) from None
    task(target, "target")
    return target, what, value


def scoring_recipe(trained: Recipe) -> Recipe:
    """How a target's rows are read where it is scored; nothing of its training is in it."""
    return Recipe(0, 0, 0, 0.0, trained.max_length, 0, precision=trained.precision, dropout=0.0)


def _recipe(
    asked: Study, steps: int, epochs: int, batch: int, rate: float, length: int, rows: int
) -> Recipe:
    return Recipe(
        steps=steps,
        epochs=0 if steps else epochs,
        batch_size=batch,
        learning_rate=rate,
        max_length=min(length, asked.max_length or length),
        rows=rows,
        cap=asked.cap,
        micro_batch=asked.micro_batch,
        dropout=asked.dropout,
        precision=asked.precision,
        evaluate_every=asked.evaluate_every,
        dev_rows=200 if asked.eval_rows else 500,
    )
