"""What a study is asked to do: its parameters, and the profiles, which are values of them.

    PROFILES["mini"]

A smaller profile is smaller numbers, never other code."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


def says(meaning: str) -> Any:
    """A parameter with what it means, as the notebooks and the page on reruns say it."""
    return dataclasses.field(metadata={"says": meaning})


@dataclass(frozen=True)
class Study:
    """The parameters, in the order in which notebooks and pages have them."""

    profile: str = says("mini: embedded benchmark; real: real rows; small; paper: XLM-R Large")
    encoder: str = says("e5-small (embedded), e5-small:4 (its first layers), a Hub id, a folder")
    data: str = says("mini, hub, or a folder in the Hub's layout; else XSTILTS_DATA")
    vocabulary: str = says(
        "data: only the pieces that the texts use; full; auto: data where it can"
    )
    languages: tuple[str, ...] = says("ISO 639-1 codes; []: all that the data has")
    intermediates: tuple[str, ...] = says("names of intermediate tasks")
    targets: tuple[str, ...] = says("names of targets")
    seeds: tuple[int, ...] = says("each is a replication of phases 2 and 3")
    phase3_seeds: tuple[int, ...] = says(
        "of the chapter on phase 3; []: seeds, where they are given"
    )
    none_seeds: tuple[int, ...] = says(
        "of the condition none: seeds and more; []: seeds. All others are compared with it"
    )
    row_draw: str = says("the rows that a limit leaves are fixed, or each seed draws its own: seed")
    phase1_steps: int = says("optimiser steps; 0: no phase 1, the encoder as it ships")
    phase2_steps: int = says("times the task's effort; 0: the task's epochs")
    phase3_steps: int = says("times the target's effort; 0: the target's epochs")
    phase1_rows: int = says("training rows a language; 0: all")
    phase2_rows: int = says("training rows a task; 0: all")
    phase3_rows: int = says("English training rows a target; 0: all")
    eval_rows: int = says("scored rows a language; 0: all")
    phase1_batch: int = says("rows a step")
    phase2_batch: int = says("rows a step")
    phase3_batch: int = says("rows a step; 0: the target's")
    phase1_learning_rate: float = says("the highest, after the warm-up")
    phase2_learning_rate: float = says("the highest, after the warm-up")
    phase3_learning_rate: float = says("the highest, after the warm-up")
    phase3_own: tuple[str, ...] = says(
        "targets trained otherwise: pawsx steps 600, pawsx learning_rate 1e-4, pawsx batch_size 16"
    )
    max_length: int = says("pieces a sequence; 0: the task's")
    cap: int = says("of a task's rows when several are sampled; 0: none")
    layer: int = says("at which retrieval is reported; every layer is computed")
    dropout: float = says("share of activations that training leaves out")
    precision: str = says("auto, bf16, fp32")
    micro_batch: int = says("rows a forward pass, where memory is short; 0: the whole batch")
    evaluate_every: int = says(
        "steps between scores on English dev rows; 0: none, and no task is chosen"
    )
    scheduler: str = says("local, processes, processes:N, dask:ADDRESS or CONFIG.yml")
    sizes: tuple[str, ...] = says("encoders that chapters on size compare, the smallest first")
    missing: str = says("what is neither stored nor recorded: compute (hours), or show a dash")
    verify: int = says("recorded runs that the chapter on costs computes again")
    patience: int = says(
        "phase 3: stops after so many dev scores without a better; 0: keeps the last"
    )


_ALL: dict[str, Any] = dict(
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
    none_seeds=(),
    phase3_own=(),
    phase3_seeds=(),
    row_draw="fixed",
    sizes=("e5-small:4", "e5-small:8", "e5-small"),
    missing="compute",
    verify=3,
)

# the paper's; what has no rows is a dash
_NINE_TASKS = (
    "anli",
    "mnli",
    "qqp",
    "squad2",
    "squad",
    "hellaswag",
    "ccg",
    "cosmosqa",
    "commonsenseqa",
)
_NINE_TARGETS = (
    "xnli",
    "pawsx",
    "udpos",
    "panx",
    "xquad",
    "mlqa",
    "tydiqa",
    "bucc",
    "tatoeba",
)

# every figure here was chosen by measurement: see the log in the book
_MINI = Study(
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
)

PROFILES = {
    "mini": _MINI,
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
    # a small encoder that people use has XLM-R's role; rows are those that can be had
    "real": Study(
        profile="real",
        encoder="e5-small",
        data="real",
        seeds=(0, 1, 2),
        layer=12,
        phase1_steps=0,
        phase2_steps=400,
        phase3_steps=400,
        phase1_rows=0,
        phase2_rows=6000,
        phase3_rows=6000,
        eval_rows=200,
        phase1_batch=32,
        phase2_batch=32,
        phase3_batch=0,
        phase1_learning_rate=2e-4,
        phase2_learning_rate=1e-4,
        phase3_learning_rate=2e-4,
        max_length=256,
        evaluate_every=40,
        **_ALL
        | dict(
            scheduler="processes",
            none_seeds=tuple(range(6)),
            sizes=("e5-small:6", "e5-small"),
            row_draw="seed",
            # at 2e-4 pairs of sentences are learned by luck, or by heart
            phase3_own=(
                "xnli steps 600",
                "xnli learning_rate 1e-4",
                "pawsx steps 600",
                "pawsx learning_rate 1e-4",
            ),
            vocabulary="full",  # so that its encoders can read the texts of others, too
            intermediates=_NINE_TASKS,
            targets=_NINE_TARGETS,
        ),
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
            intermediates=_NINE_TASKS,
            targets=_NINE_TARGETS,
        ),
    ),
    # its three phases in two minutes on two cores: what `make book` trains
    "chain": dataclasses.replace(
        _MINI,
        profile="chain",
        languages=("en", "de", "fi", "sw", "zh"),
        intermediates=("ccg",),
        targets=("udpos", "tatoeba"),
        phase3_seeds=(),
        phase1_steps=24,
        phase2_steps=300,
        phase3_steps=150,
        evaluate_every=12,
        scheduler="local",  # to start processes takes longer than such runs
    ),
}


def table() -> str:
    """Markdown: a row a parameter, with what it means and what the profiles have. The page on
    reruns shows it."""
    rows = [["parameter", "meaning", *PROFILES], ["---"] * (2 + len(PROFILES))]
    for field in dataclasses.fields(Study):
        values = (getattr(profile, field.name) for profile in PROFILES.values())
        rows.append([f"`{field.name}`", field.metadata["says"], *map(_worded, values)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _worded(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "[]"
    return str(value)
