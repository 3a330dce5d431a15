"""Commands that list what there is to choose from: tasks and settings."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from xstilts import settings as all_settings
from xstilts.commands.options import AsJson, print_json
from xstilts.errors import visible


def tasks(
    sources: Annotated[
        bool,
        typer.Option("--sources", help="Where the rows come from, and the licences."),
    ] = False,
    as_json: AsJson = False,
) -> int:
    """List the tasks: name, role, kind, metric, languages.

    With --json: a list of {"name", "title", "role", "kind", "metric", "languages", "sources":
    [{"hub", "files", "revision", "licence", "local"}], "obtain": how to get what is not on the
    Hub}.

    \b
    Example:
        xstilts tasks --sources
    """
    from xstilts.tasks.table import TASKS

    if as_json:
        names = ("name", "title", "role", "kind", "metric", "languages", "obtain")
        parts = ("hub", "files", "revision", "licence", "local")
        print_json(
            [
                {name: getattr(row, name) for name in names}
                | {
                    "sources": [
                        {name: getattr(source, name) for name in parts} for source in row.sources
                    ]
                }
                for row in TASKS.values()
            ]
        )
        return 0
    for row in TASKS.values():
        if not sources:
            about = f"{row.role:13} {row.kind:9} {row.metric:17} {' '.join(row.languages)}"
            print(f"{row.name:14} {about}")
            continue
        for source in row.sources:
            place = source.hub or source.files or "not on the Hub"
            about = f"{place}@{source.revision or '-'}  [{source.licence}]  {source.local}"
            print(f"{row.name:14} {about}")
        if row.obtain:
            print(f"{'':14} {row.obtain}")
    return 0


def settings(as_json: AsJson = False) -> int:
    """List the environment variables and their values now.

    Each with its default and its meaning. Secrets are not shown. The code is 2 where a value cannot
    be used.

    With --json: a list of {"name", "value", "default", "meaning", "is_set", "problem": why the
    value cannot be used, or ""}.

    \b
    Example:
        xstilts settings
    """
    found = all_settings.listed()
    if as_json:
        print_json(found)
    for one in [] if as_json else found:
        value = one.value or "not set"
        print(visible(f"{one.name} = {value}\n    {one.meaning} (default: {one.default})"))
    for one in found:
        if one.problem:
            print(visible(f"xstilts: {one.problem}"), file=sys.stderr)
    return 2 if any(one.problem for one in found) else 0
