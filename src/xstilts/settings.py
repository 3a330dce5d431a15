"""Every setting from outside: the environment's variables and the places that they name.

    settings.store();  settings.records();  settings.data()     # each is read when it is asked for
    settings.listed()                                           # all of them, for people

No other module reads an environment variable that is listed here.
"""

from __future__ import annotations

import errno
import math
import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from xstilts.errors import UserError, shown, whole

# a table of contents alone is no sign of the project: every Jupyter Book has one
PARTS = ("_toc.yml", "notebooks", "book/recorded")
CHECKPOINT_MINUTES = 5.0
LOCKS = ("system", "lease")
MOST_PROCESSES = 100_000
SECRET = "***"


def _text(name: str) -> str:
    """The variable's text; "" where it is not set."""
    return os.environ.get(name, "")


def _place(name: str) -> Path | None:
    """The folder that the variable names, with `~` resolved; None where it is not set."""
    if not _text(name):
        return None
    try:
        return Path(_text(name)).expanduser()
    except RuntimeError as error:  # nobody's home
        raise UserError(f"{name}: {shown(_text(name))} names no folder: {error}") from error


# ---------------------------------------------------------------- places


_found: dict[str, Path] = {}  # a book asks a hundred thousand times


def find_project() -> Path | None:
    """The folder that has all PARTS, here or above; None where there is none."""
    where = os.getcwd()
    if where not in _found:
        here = Path(where)
        for one in (here, *here.parents):
            if all((one / part).exists() for part in PARTS):
                _found[where] = one
                break
    return _found.get(where)


def project() -> Path:
    """The folder of the checkout, here or above. UserError where there is none."""
    if found := find_project():
        return found
    raise UserError(
        f"{Path.cwd()} is not in the project: no folder here or above has {', '.join(PARTS)}"
    )


def _in_project(*parts: str) -> Path:
    """A place in the project, or in this folder where there is no project."""
    return (find_project() or Path.cwd()).joinpath(*parts)


def store() -> Path:
    """XSTILTS_STORE: where finished runs are kept. UserError where what is there is no folder."""
    given = _text("XSTILTS_STORE")
    try:
        root = Path(given).expanduser().resolve() if given else _in_project("store")
        if not stat.S_ISDIR(os.stat(root).st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "it is no folder", str(root))
    except FileNotFoundError:
        return root
    except (OSError, RuntimeError) as error:  # RuntimeError: links in a circle, nobody's home
        why = getattr(error, "strerror", None) or error
        raise UserError(
            f"the store {given or root} cannot be used: {why}. Set XSTILTS_STORE to a folder"
        ) from error
    return root


def records() -> Path:
    """XSTILTS_RECORDS: where recorded scores are kept."""
    return _place("XSTILTS_RECORDS") or _in_project("book", "recorded")


def cache() -> Path:
    """XSTILTS_CACHE: where converted encoders and downloads of plain files are kept."""
    return _place("XSTILTS_CACHE") or Path.home() / ".cache" / "xstilts"


def data() -> str:
    """XSTILTS_DATA: the rows of a study whose `data` is not given: mini, hub, or a folder. ""
    where it is not set, and the profile decides."""
    return _text("XSTILTS_DATA")


def own_rows() -> str:
    """XSTILTS_OWN: a folder of rows that stand beside the Hub's; "" where there is none."""
    return _text("XSTILTS_OWN")


def targets() -> Path:
    """XSTILTS_TARGETS: the folder of a person's own targets."""
    return _place("XSTILTS_TARGETS") or _in_project("targets")


def remote() -> str:
    """XSTILTS_REMOTE: the URL of a second place for finished runs; "" where there is none."""
    return _text("XSTILTS_REMOTE")


def without_secrets(url: str) -> str:
    """A URL without what may be secret in it: who may write there, and what is asked for."""
    if "://" in url and "@" in url:
        url = f"{url.partition('://')[0]}://{SECRET}@{url.rpartition('@')[2]}"
    return url.partition("?")[0] + f"?{SECRET}" * ("?" in url)


def set_for_children(values: Mapping[str, str]) -> None:
    """Sets variables for this process and those that it starts from now on."""
    os.environ.update(values)


# ---------------------------------------------------------------- how runs are done


def checkpoint_minutes() -> float:
    """XSTILTS_CHECKPOINT: minutes of a training that are at most lost. UserError where it is no
    number of minutes."""
    text = _text("XSTILTS_CHECKPOINT") or str(CHECKPOINT_MINUTES)
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not found >= 0:
        raise UserError(
            f"XSTILTS_CHECKPOINT: {shown(text)} is not a number of minutes, 0 or more (0: after "
            "every step)"
        )
    return found


def lock() -> str:
    """XSTILTS_LOCK: how a run is locked while it is computed, one of LOCKS."""
    how = _text("XSTILTS_LOCK") or LOCKS[0]
    if how not in LOCKS:
        raise UserError(f"XSTILTS_LOCK: {shown(how)} is none of {', '.join(LOCKS)}")
    return how


def dask_scheduler() -> str:
    """DASK_SCHEDULER_ADDRESS: the scheduler that `dask` without an address means; or ""."""
    return _text("DASK_SCHEDULER_ADDRESS")


def in_jupyterlab() -> bool:
    """JPY_SESSION_NAME: whether a person has opened this notebook in JupyterLab. Papermill's
    kernels have no session name."""
    return "JPY_SESSION_NAME" in os.environ


def processes() -> int:
    """WORLD_SIZE: how many processes do one run together: 1 unless a launcher says otherwise.
    UserError where it says no number."""
    return whole("the environment's WORLD_SIZE", _text("WORLD_SIZE") or 1, 1, MOST_PROCESSES)


def process_number() -> int:
    """RANK: this process's number, from 0. UserError where the launcher says none that there can
    be."""
    count = processes()
    return whole("the environment's RANK", _text("RANK") or 0, 0, count - 1) if count > 1 else 0


def check_launcher() -> None:
    """UserError where a launcher's variables are not all there, or are no numbers: what reads them
    later stops without words."""
    count = processes()
    if count == 1:
        return
    most = {"RANK": count - 1, "LOCAL_RANK": count - 1, "LOCAL_WORLD_SIZE": count}
    for name, limit in (most | {"MASTER_PORT": 65535}).items():
        if _text(name):
            whole(f"the environment's {name}", _text(name), 0, limit)
        elif name in ("RANK", "LOCAL_RANK"):
            raise UserError(
                f"the environment's WORLD_SIZE is {count}, and {name} is not set: start with "
                "`accelerate launch` or `torchrun`, which set both, or unset WORLD_SIZE"
            )


# ---------------------------------------------------------------- the list of all


@dataclass(frozen=True)
class Setting:
    """One environment variable. default: in words, as the page has it."""

    name: str
    default: str
    meaning: str
    now: Callable[[], object]  # the value in use, checked; UserError where it cannot be used


def _as_given(name: str) -> Callable[[], str]:
    return lambda: _text(name)


SETTINGS = (
    Setting("XSTILTS_STORE", "`store` in the project", "the folder of finished runs", store),
    Setting(
        "XSTILTS_RECORDS",
        "`book/recorded` in the project",
        "the folder of recorded scores",
        records,
    ),
    Setting(
        "XSTILTS_DATA",
        "the profile's",
        "rows where the parameter `data` is not given: `mini`, `hub`, or a folder",
        data,
    ),
    Setting("XSTILTS_OWN", "none", "a folder of own rows beside the Hub's", own_rows),
    Setting(
        "XSTILTS_TARGETS",
        "`targets` in the project",
        "the folder of your own targets, which `xstilts try` reads in",
        targets,
    ),
    Setting(
        "XSTILTS_CACHE",
        "`~/.cache/xstilts`",
        "the folder of converted encoders and downloaded plain files",
        cache,
    ),
    Setting(
        "XSTILTS_REMOTE",
        "none",
        "an fsspec URL where finished runs are looked for and kept, too",
        lambda: without_secrets(remote()),
    ),
    Setting(
        "XSTILTS_CHECKPOINT",
        "5",
        "minutes of a training that are at most lost; 0: a checkpoint after every step",
        lambda: f"{checkpoint_minutes():g}",
    ),
    Setting(
        "XSTILTS_LOCK",
        "`system`",
        "how a run is locked: `system`, or `lease` for a disk that machines share without locks",
        lock,
    ),
    Setting(
        "DASK_SCHEDULER_ADDRESS",
        "none",
        "the Dask scheduler of `-p scheduler dask`; without it workers of this machine",
        dask_scheduler,
    ),
    Setting(
        "WORLD_SIZE",
        "1",
        "how many processes do one run together; `accelerate launch` sets it, RANK, LOCAL_RANK, "
        "LOCAL_WORLD_SIZE and MASTER_PORT",
        processes,
    ),
    Setting(
        "JPY_SESSION_NAME",
        "none",
        "set by JupyterLab: progress bars are shown",
        _as_given("JPY_SESSION_NAME"),
    ),
    Setting(
        "HF_HOME",
        "`~/.cache/huggingface`",
        "the folder of what the Hugging Face libraries download",
        lambda: _text("HF_HOME") or str(Path.home() / ".cache" / "huggingface"),
    ),
    Setting(
        "HF_HUB_OFFLINE",
        "0",
        "1: what the Hub gave before is read, and nothing is asked",
        lambda: _text("HF_HUB_OFFLINE") or "0",
    ),
    Setting(
        "HF_TOKEN",
        "none",
        "the token for data sets with terms; it is never shown",
        lambda: SECRET * bool(_text("HF_TOKEN")),
    ),
    Setting("TMPDIR", "the system's", "the folder of temporary files", tempfile.gettempdir),
    Setting(
        "OMP_NUM_THREADS",
        "one a core",
        "threads of a run; workers of `processes` have one each",
        _as_given("OMP_NUM_THREADS"),
    ),
    Setting(
        "THP_MEM_ALLOC_ENABLE",
        "1",
        "1: large tensors are on huge pages; set when the library is imported",
        _as_given("THP_MEM_ALLOC_ENABLE"),
    ),
)


class Listed(NamedTuple):
    """A setting as it is now. problem: why the value cannot be used, or ""."""

    name: str
    value: str
    default: str
    meaning: str
    is_set: bool
    problem: str


def listed() -> list[Listed]:
    """Every setting with the value in use. Where that cannot be used: the text as given, and why.
    Secrets are not shown."""
    found = []
    for one in SETTINGS:
        try:
            value, problem = str(one.now()), ""
        except UserError as error:
            value, problem = _text(one.name), str(error)
        found.append(
            Listed(one.name, value, one.default, one.meaning, one.name in os.environ, problem)
        )
    return found
