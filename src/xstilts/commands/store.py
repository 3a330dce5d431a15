"""Commands for the store: what finished runs have left."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from xstilts import settings
from xstilts.commands.options import (
    AsJson,
    Parameters,
    Profile,
    given,
    print_json,
    progress_aside,
)
from xstilts.errors import UserError, visible


def verify(as_json: AsJson = False) -> int:
    """Compare every file of every finished run with its checksum.

    A damaged run is set aside and computed again when it is next asked for. The code is 1 where
    one is damaged.

    With --json: {"store": folder, "artifacts": how many, "damaged": [{"folder", "problem"}]}.

    \b
    Example:
        xstilts store verify
    """
    from xstilts.tools import inventory

    root = settings.store()
    with progress_aside(as_json):
        faults = inventory.faults(root)
        count = len(inventory.artifacts(root))
    if as_json:
        damaged = [{"folder": name, "problem": problem} for name, problem in faults.items()]
        print_json({"store": root, "artifacts": count, "damaged": damaged})
        return int(bool(faults))
    for name, problem in faults.items():
        print(visible(f"{name}  {problem}"))
    after = ": set aside and computed again when they are next asked for" if faults else ""
    print(visible(f"{count} artifacts in {root}, {len(faults)} damaged{after}"))
    return int(bool(faults))


def list_(as_json: AsJson = False) -> int:
    """List every folder: key, size, when it was written, what it is.

    With --json: {"store": folder, "folders": [{"folder", "state": finished, unreadable, or writing,
    damaged, failed, pulling, removing of what is left, "size": bytes, "written", "label",
    "has_checkpoint"}]}.

    \b
    Example:
        xstilts store list
    """
    from xstilts.tools import inventory

    root = settings.store()
    if as_json:
        print_json({"store": root, "folders": inventory.entries(root)})
    else:
        print(visible("\n".join(inventory.listed(root)) or f"{root} is empty"))
    return 0


def encoders(as_json: AsJson = False) -> int:
    """List the intermediate encoders that are in the store.

    A new study starts from one with `-p encoder FOLDER`. `xstilts try ROWS -p profile real` finds
    those of that profile by itself, so that only the target is trained.

    With --json: {"store": folder, "encoders": [{"tasks", "seed", "from", "steps", "rows", "dev":
    0-100, "metric", "size": bytes, "folder"}]}.

    \b
    Example:
        xstilts encoders
    """
    from xstilts.tools import inventory

    root = settings.store()
    found = inventory.encoders(root)
    if as_json:
        print_json({"store": root, "encoders": found})
        return 0
    for one in found:
        about = f"seed {one['seed']}  {one['steps']:>5} steps  {one['dev']:>5.1f} {one['metric']}"
        print(visible(f"{'+'.join(one['tasks']):24} {about}  from {one['from']}  {one['folder']}"))
    if not found:
        print(visible(f"{root} has no intermediate encoders; `xstilts compute xtreme` makes some"))
    return 0


class Superfluous(NamedTuple):
    """A folder that nobody needs. size: bytes; problem: why it could not be removed, or ""."""

    folder: str
    size: int
    why: str
    removed: bool
    problem: str


def _removed(root: Path, folder: Path, yes: bool) -> tuple[bool, str]:
    """Removes the folder where asked: whether it is gone, and why not."""
    from xstilts.tools import inventory

    try:
        if yes:
            inventory.remove(root, folder)
        return yes, ""
    except UserError as error:
        return False, str(error)


def clean(
    yes: Annotated[
        bool, typer.Option("--yes", help="Remove; without it, only say what would be removed.")
    ] = False,
    parameter: Parameters = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> int:
    """Remove what no chapter of the book needs.

    The book is that of the profile and the parameters; what its runs need is kept.

    With --json: {"store": folder, "folders": [{"folder", "size": bytes, "why", "removed": whether,
    "problem": why not}]}.

    \b
    Example:
        xstilts store clean --yes
    """
    from xstilts.study import profiles

    root, study = settings.store(), profiles.study(**given(parameter, profile))
    from xstilts.chapters import needed
    from xstilts.tools import inventory

    with progress_aside(as_json):
        found = [
            Superfluous(folder.name, inventory.size(folder), why, *_removed(root, folder, yes))
            for folder, why in inventory.superfluous(root, needed.needed("", study))
        ]
    if as_json:
        print_json({"store": root, "folders": found})
        return 0
    for one in found:
        print(visible(f"{one.folder}  {one.size / 1e6:>9.1f} MB  {one.why}"))
        if one.problem:
            print(visible(one.problem))
    counted = [one for one in found if not one.problem]
    after = (
        "removed"
        if yes
        else f"not needed by the book with profile {study.profile} and these parameters; "
        "--yes removes them"
    )
    print(f"{len(counted)} folders, {sum(one.size for one in counted) / 1e6:.1f} MB: {after}")
    return 0
