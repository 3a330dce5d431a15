"""The command line: which commands there are, and how they end.

    xstilts --help
    xstilts COMMAND --help

`main` is the program's entry point, and `python -m xstilts.cli` the same."""

from __future__ import annotations

import sys

import typer

from xstilts.commands import chapters, lists, own, records, rows, store
from xstilts.commands.options import TakesPairs
from xstilts.errors import UserError, visible

STOPPED = 130
CODES = {
    0: "done",
    1: "something asked for has no result: a run that failed, a check that found a difference or "
    "damage, a chapter that stopped",
    2: "wrong use or bad input: a line that begins with `xstilts:` says what and where",
    STOPPED: "stopped by the user (Ctrl-C)",
}
HELP = "\n\n".join(
    [
        "Does English intermediate training help other languages? A study, as a book.",
        "The usual way: `xstilts plan CHAPTER`, then `xstilts run CHAPTER out.ipynb`. All commands "
        "go on where they were stopped.",
        "Exit codes:\n" + "".join(f"\n\n{code}: {words}." for code, words in CODES.items()),
    ]
)


def _group(words: str) -> typer.Typer:
    """Commands under one name. Help and errors are plain text: no colours, no frames, and Python's
    own tracebacks."""
    return typer.Typer(
        help=words,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def app() -> typer.Typer:
    """All commands, in the order of the help."""
    found = _group(HELP)
    for command in (
        chapters.book,
        chapters.run,
        chapters.compute,
        chapters.plan,
        chapters.power,
        records.record,
        records.verify,
        lists.tasks,
        lists.settings,
        rows.fetch,
        rows.submission,
        rows.translate,
        rows.ccgbank,
    ):
        found.command(cls=TakesPairs)(command)
    found.command("try", cls=TakesPairs)(own.try_)
    found.command(cls=TakesPairs)(own.export)
    found.command()(store.encoders)
    kept = _group("Check, list or clean what finished runs have left.")
    kept.command("verify")(store.verify)
    kept.command("list")(store.list_)
    kept.command("clean", cls=TakesPairs)(store.clean)
    found.add_typer(kept, name="store")
    return found


def main(arguments: list[str] | None = None) -> int:
    """Does what the arguments (left out: those of the process) ask for and returns the exit code,
    one of CODES. SystemExit with code 2 where they are no use of a command."""
    command = typer.main.get_command(app())
    try:
        code = command.main(arguments, prog_name="xstilts", standalone_mode=False)
    except typer.TyperException as error:
        _tell_wrong_use(error)
        raise SystemExit(2) from None
    except UserError as error:
        print(visible(f"xstilts: {error}"), file=sys.stderr)
        return 2
    except typer.Abort:
        code = STOPPED
    if code == STOPPED:
        print(
            "xstilts: stopped; finished runs are kept, the same command goes on from there",
            file=sys.stderr,
        )
    return code


def _tell_wrong_use(error: typer.TyperException) -> None:
    """One line says what is wrong, another where there is help. A command that lacks all of its
    words gets its help."""
    context = getattr(error, "ctx", None)
    if context and error.format_message() == context.get_help():
        print(error.format_message(), file=sys.stderr)
        return
    where = context.command_path if context else "xstilts"
    print(visible(f"xstilts: {error.format_message()}"), file=sys.stderr)
    print(f"`{where} --help` says how it is used", file=sys.stderr)


if __name__ == "__main__":  # accelerate launch --module xstilts.cli
    sys.exit(main())
