"""What a study is asked to do: the parameters that every notebook shares, and three sizes of them.

    study = parameters(globals())      # in a notebook, straight after its parameters cell

A smaller profile is smaller numbers, never other code. An empty value ("" or []) in a notebook
means the profile's. A number 0 means: none of it, or no limit, as said beside the field."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from xstilts import data as sources
from xstilts import settings
from xstilts.errors import UserError, shown, whole
from xstilts.synthetic import dials
from xstilts.tasks.table import TASKS, task
from xstilts.training import process_group
from xstilts.training.recipe import Recipe

# what a whole number can be: far more than any study has. Seeds are as large as torch takes them
BOUNDS = {
    "seeds": (0, 2**63 - 1),
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


@dataclass(frozen=True)
class Study:
    profile: str
    encoder: str  # e5-small, e5-small:4, a Hub id, a folder (see `encoders`)
    # mini (mini:difficulty=3,noise=0.2: see data.mini.dials), hub, or a folder in the Hub's
    data: str
    # layout; XSTILTS_DATA goes before the profile
    vocabulary: (
        str  # data: only the pieces that the source's texts use; full; auto: data where it can
    )
    languages: tuple[str, ...]  # scored (and read in phase 1); () = all that the source has
    intermediates: tuple[str, ...]
    targets: tuple[str, ...]
    seeds: tuple[int, ...]  # each is a replication of phases 2 and 3
    phase3_seeds: tuple[int, ...]  # of the chapter on phase 3, where a seed costs least; () = seeds
    phase1_steps: int  # 0 = no phase 1: the encoder as it ships
    phase2_steps: int  # times the task's `effort`; 0 = the task's epochs
    phase3_steps: int  # times the target's `effort`; 0 = the target's epochs
    phase1_rows: int  # training rows a language, 0 = all
    phase2_rows: int  # training rows a task, 0 = all
    phase3_rows: int  # English training rows a target, 0 = all
    eval_rows: int  # scored rows a language, 0 = all
    phase1_batch: int
    phase2_batch: int
    phase3_batch: int  # 0 = the target's
    phase1_learning_rate: float
    phase2_learning_rate: float
    phase3_learning_rate: float
    max_length: int  # pieces, 0 = the task's
    cap: int  # of a task's rows when several are sampled, 0 = none
    layer: int  # at which retrieval is reported; every layer is computed
    dropout: float
    precision: str  # auto, bf16, fp32
    micro_batch: int  # rows a forward pass, 0 = the whole batch
    # steps between scores on English dev rows (the learning curve), a shorter training's at its
    evaluate_every: int
    # end; 0 = none, and no best task can be chosen for a target
    scheduler: (
        str  # local, processes, processes:N, dask, dask:ADDRESS, dask:CONFIG.yml (see `cluster`)
    )
    sizes: tuple[str, ...]  # encoders that chapters on size compare, the smallest first
    missing: (
        str  # what wide chapters do about runs that are neither in the store nor recorded: compute
    )
    # (hours), or show a dash
    verify: int  # recorded runs that the chapter on costs computes again
    patience: (
        int  # phase 3: keep the best of these, stop after so many without a better; 0 = keep last
    )


_ALL = dict(
    intermediates=("mnli", "qqp", "squad", "hellaswag", "commonsenseqa"),
    targets=("xnli", "pawsx", "udpos", "panx", "xquad", "tatoeba"),
    languages=(),
    vocabulary="auto",
    precision="auto",
    dropout=0.1,
    micro_batch=0,
    cap=0,
    patience=0,
    scheduler="local",
    phase3_seeds=(),
    sizes=("e5-small:4", "e5-small:8", "e5-small"),
    missing="compute",
    verify=3,
)

PROFILES = {
    # every figure here was chosen by measurement: see the log in the book
    "mini": Study(
        profile="mini",
        encoder="e5-small",
        data="mini",
        seeds=(0,),
        layer=8,
        phase1_steps=300,
        phase2_steps=300,
        phase3_steps=300,
        phase1_rows=2000,
        phase2_rows=8000,
        phase3_rows=8000,
        eval_rows=200,
        phase1_batch=16,
        phase2_batch=32,
        phase3_batch=0,
        phase1_learning_rate=5e-5,
        phase2_learning_rate=1e-4,
        phase3_learning_rate=1e-4,
        max_length=128,
        evaluate_every=60,
        **_ALL
        | dict(
            scheduler="processes",
            phase3_seeds=(0, 1, 2),
            intermediates=("mnli", "squad", "commonsenseqa"),
            targets=("xnli", "udpos", "panx", "xquad", "tatoeba"),
        ),
    ),
    "small": Study(
        profile="small",
        encoder="e5-small",
        data="hub",
        seeds=(0,),
        layer=8,
        phase1_steps=300,
        phase2_steps=600,
        phase3_steps=300,
        phase1_rows=5000,
        phase2_rows=10000,
        phase3_rows=5000,
        eval_rows=500,
        phase1_batch=32,
        phase2_batch=32,
        phase3_batch=16,
        phase1_learning_rate=5e-5,
        phase2_learning_rate=1e-4,
        phase3_learning_rate=1e-4,
        max_length=192,
        evaluate_every=100,
        **_ALL,
    ),
    # the paper code's values (jiant at daa5a258; the cap is not in any text that we could read).
    # XLM-R is a masked language model already: its phase 1 was its authors'.
    "paper": Study(
        profile="paper",
        encoder="FacebookAI/xlm-roberta-large",
        data="hub",
        seeds=(0, 1, 2),
        layer=14,
        phase1_steps=0,
        phase2_steps=0,
        phase3_steps=0,
        phase1_rows=0,
        phase2_rows=0,
        phase3_rows=0,
        eval_rows=0,
        phase1_batch=32,
        phase2_batch=4,
        phase3_batch=0,
        phase1_learning_rate=1e-5,
        phase2_learning_rate=1e-5,
        phase3_learning_rate=1e-5,
        max_length=0,
        evaluate_every=1000,
        **_ALL
        | dict(
            micro_batch=4,
            cap=2**17,
            patience=30,
            sizes=("xlmr-base", "xlmr-large", "xlmr-xl"),
            intermediates=(
                "anli",
                "mnli",
                "qqp",
                "squad2",
                "squad",
                "hellaswag",
                "ccg",
                "cosmosqa",
                "commonsenseqa",
            ),
            targets=(
                "xnli",
                "pawsx",
                "udpos",
                "panx",
                "xquad",
                "mlqa",
                "tydiqa",
                "bucc",
                "tatoeba",
            ),
        ),
    ),
}


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
    return study(
        **{
            name: value
            for name, value in names.items()
            if isinstance(value, PLAIN)
            and not name.startswith("_")
            and name not in ("In", "Out")
            and (name in known or not again)
        }
    )


def study(profile: str = "mini", **given: object) -> Study:
    """A profile with some of its values replaced. UserError for anything unknown or of the wrong
    type."""
    if not isinstance(profile, str) or profile not in PROFILES:
        raise UserError(f"unknown profile {profile!r}; known: {', '.join(PROFILES)}")
    fields = {
        field.name: field.type for field in dataclasses.fields(Study) if field.name != "profile"
    }
    unknown = sorted(set(given) - set(fields))
    if unknown:
        raise UserError(
            f"unknown parameter {', '.join(map(repr, unknown))}; known: profile, "
            f"{', '.join(fields)}"
        )
    values = {name: _typed(name, value, fields[name]) for name, value in given.items()}
    values = {name: value for name, value in values.items() if value not in ("", (), None)}
    if "seeds" in values:  # who asks for seeds means every chapter's
        values.setdefault("phase3_seeds", ())
    if not values.get("data"):
        values["data"] = settings.data() or PROFILES[profile].data
    if dials.is_mini(values["data"]):
        values["data"] = dials.name(dials.parse(values["data"]))
    elif values["data"] != "hub":
        values["data"] = str(Path(values["data"]).expanduser().resolve())
    return _checked(dataclasses.replace(PROFILES[profile], **values))


def _typed(name: str, value: object, kind: str) -> object:
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
    accepted = {"int": (int,), "float": (int, float), "str": (str,)}[kind]
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
    from xstilts.study import cluster

    process_group.check()  # a launcher's slip, too, is told before anything runs
    encoders.parse_name(asked.encoder)
    sources.check_source(asked.data)
    for role in ("intermediate", "target"):
        for name in getattr(asked, role + "s"):
            task(name, role)
    cluster.check(asked.scheduler)
    for size in asked.sizes:
        encoders.parse_name(size)
    if asked.missing not in ("compute", "dash"):
        raise UserError(f"parameter missing: {asked.missing!r} is none of compute, dash")
    if asked.precision not in ("auto", "bf16", "fp32"):
        raise UserError(f"parameter precision: {asked.precision!r} is none of auto, bf16, fp32")
    if asked.vocabulary not in ("auto", "data", "full"):
        raise UserError(f"parameter vocabulary: {asked.vocabulary!r} is none of auto, data, full")
    if asked.dropout >= 1:
        raise UserError(f"parameter dropout: {asked.dropout!r} is not below 1")
    for name in ("seeds", "phase3_seeds"):
        seeds = getattr(asked, name)
        if None in seeds or len(set(seeds)) < len(seeds) or not seeds and name == "seeds":
            raise UserError(f"parameter {name}: {seeds!r} are not different numbers, one at least")
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
    row = TASKS[target]
    if row.untrained:  # nothing is trained: nothing of a training is in the key
        return Recipe(
            0,
            0,
            0,
            0.0,
            asked.max_length or row.max_length,
            0,
            precision=asked.precision,
            dropout=0.0,
        )
    recipe = _recipe(
        asked,
        round(asked.phase3_steps * row.effort),
        row.epochs,
        asked.phase3_batch or row.batch_size,
        asked.phase3_learning_rate,
        row.max_length,
        asked.phase3_rows,
    )
    # a ranked row's negatives are the other rows of its batch, which therefore is read as a whole
    return dataclasses.replace(
        recipe,
        patience=asked.patience,
        micro_batch=0 if row.module.WHOLE_BATCH else asked.micro_batch,
    )


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
