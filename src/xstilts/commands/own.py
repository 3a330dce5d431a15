"""Commands for a task of one's own: does a detour help it, and the model to take away."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from xstilts.commands.options import (
    AsJson,
    Parameters,
    Profile,
    given,
    number,
    print_json,
    progress_aside,
)
from xstilts.errors import UserError, visible


def try_(
    rows: Annotated[
        str,
        typer.Argument(
            metavar="ROWS",
            help="A CSV, TSV, JSONL or parquet file, a folder of them, or a Hub data set.",
        ),
    ],
    name: Annotated[
        str, typer.Option(metavar="NAME", help="What it is called; left out: as the file.")
    ] = "",
    kind: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="classify, tag, span, choice or retrieve; left out: by the columns.",
        ),
    ] = "",
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHAT=COLUMN",
            help="What a column is, as text=review or label=stars. May be given several times.",
            show_default=False,
        ),
    ] = None,
    language: Annotated[
        str,
        typer.Option(
            metavar="CODE", help="Of rows for which no column says it; left out: the file's name."
        ),
    ] = "",
    every: Annotated[
        bool, typer.Option("--all", help="All intermediate tasks that the data has are tried.")
    ] = False,
    only_read: Annotated[
        bool, typer.Option("--only-read", help="Read the rows in, and say what they are.")
    ] = False,
    parameter: Parameters = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> int:
    """Try whether an intermediate task helps a task of your own.

    The rows are read in, the target is trained with and without each candidate, and the answer is
    given by the book's one rule. It goes on where it was stopped. Intermediate rows are the
    profile's: `-p data FOLDER` or XSTILTS_DATA names a folder of them. The code is 1 where a run
    has no result.

    With --json: {"name", "kind", "notes", "rows": [{"language", "split", "rows"}], "answer",
    "tables": {languages: [a row a candidate]}, "scores"}.

    \b
    Example:
        xstilts try reviews.csv --column text=review -p data ~/rows
    """
    parameters = given(parameter, profile)
    if "targets" in parameters:
        raise UserError("-p targets: `try` has one target, which it reads from ROWS")
    from xstilts import own

    with progress_aside(as_json):
        added = own.add(rows, name, kind, column or (), language)
        print(visible(added.words()))
        if not only_read:
            code, said = _answer(added.name, every, parameters)
        else:
            code, said = 0, {}
    if as_json:
        counts = [
            {"language": language, "split": split, "rows": count}
            for (language, split), count in added.rows.items()
        ]
        told = {"name": added.name, "kind": added.kind, "notes": added.notes, "rows": counts}
        print_json(told | said)
    return code


def _answer(name: str, every: bool, parameters: dict) -> tuple[int, dict]:
    """Says what it will take, computes it, and says what came of it."""
    from xstilts.chapters import your_target
    from xstilts.commands.chapters import tell_lost
    from xstilts.runs import results
    from xstilts.study import own_targets
    from xstilts.tools import plan

    study = own_targets.study(every, targets=(name,), **parameters)
    print(plan.text(study, "your_target"), flush=True)
    answer = your_target.Answer.of(study)
    print(visible(f"\n{answer.words()}\n"))
    for place, table in answer.tables.items():
        print(visible(f"{place}:\n{table.to_string(index=False, float_format='%.2f')}\n"))
    print(visible(answer.scores().to_string(index=False, float_format="%.1f")))
    if len(agree := answer.agreement()):
        print(visible(f"\nrows without labels:\n{agree.to_string(index=False)}"))
    told = "".join(f" -p {one} {shlex.quote(str(value))}" for one, value in parameters.items())
    print(visible(f"\nthe page: xstilts run your_target {name}.ipynb -p targets {name}{told}"))
    said = {
        "answer": answer.words(),
        "tables": {place: _records(table) for place, table in answer.tables.items()},
        "scores": _records(answer.scores()),
    }
    return tell_lost(results.lost(own_targets.needed(study))), said


def _records(table) -> list[dict]:
    return table.map(lambda value: value if isinstance(value, float) else str(value)).to_dict(
        "records"
    )


def export(
    target: Annotated[str, typer.Argument(help="A target: your own, or one of the study's.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder that is written.")],
    after: Annotated[
        str,
        typer.Option(metavar="TASK", help="The intermediate task; left out: none."),
    ] = "",
    seed: Annotated[
        int,
        typer.Option(metavar="SEED", parser=number(0, 2**31), help="Of the training."),
    ] = 0,
    push: Annotated[
        str,
        typer.Option(metavar="OWNER/NAME", help="Put it on the Hub, too, where there is one."),
    ] = "",
    parameter: Parameters = None,
    profile: Profile = None,
) -> int:
    """Write a trained model as plain transformers classes.

    The folder has the encoder with its head, the tokenizer and a card, and is read without this
    package. What was not trained yet is trained.

    \b
    Example:
        xstilts export reviews reviews-model --after mnli -p data ~/rows
    """
    parameters = given(parameter, profile)
    from xstilts.study import own_targets, profiles
    from xstilts.study.conditions import Condition
    from xstilts.tasks.table import TASKS, task
    from xstilts.tools import export as exports

    told = {"targets": (task(target, "target").name,)}
    if after:
        told["intermediates"] = (task(after, "intermediate").name,)
    make = own_targets.study if TASKS[target].own else profiles.study
    study = make(**parameters | told)
    condition = Condition((after,)) if after else Condition()
    print(visible(f"wrote {exports.export(study, condition, target, seed, out)}"))
    if push:
        print(f"put at {exports.push(out, push)}")
    return 0
