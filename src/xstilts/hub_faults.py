"""What the Hub answers where it does not give what it was asked for, in words; and how often it is
asked again.

    ask(lambda: load_dataset(...), "google/xtreme", "ec5f1f46")     # what it returns, or Refused

A reset, a timeout, an answer that ends too early, 429 and 5xx may pass: the same is asked again
after growing pauses. Once all pauses of a repository were in vain it is asked once at a time, so
that a Hub that is down does not hold up hundreds of files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from xstilts.errors import UserError, visible

Answer = TypeVar("Answer")
PAUSES = (2, 8, 30)  # seconds
STAYS, AWAY, PASSES = "stays", "away", "passes"  # see Refused
LATER = "Try again later"
ELSEWHERE = ("file", "repository")  # kinds that another host than the Hub has
# nobody is there who could answer in a minute
NOBODY = ("ConnectError", "ConnectTimeout", "ProxyError", "ConnectionRefusedError", "gaierror")
_in_vain: set[str] = set()  # repositories that did not answer after all pauses


class Refused(UserError):
    """The Hub does not give what it was asked for. away: for no reason that lies in what was asked.
    passing: it may, when it is asked again."""

    def __init__(self, words: str, away: bool = False, passing: bool = False) -> None:
        super().__init__(words)
        self.away, self.passing = away, passing


def ask(
    call: Callable[[], Answer], repository: str, revision: str = "", kind: str = "dataset"
) -> Answer:
    """What `call` returns. kind: dataset or model; file, whose address stands for the repository;
    or repository, which is one of another host than the Hub. Raises Refused, with what happened and
    what to do; and any UserError of the call's own."""
    for pause in (*(() if repository in _in_vain else PAUSES), None):
        try:
            found = call()
            _in_vain.discard(repository)
            return found
        except UserError:
            raise
        except Exception as error:  # noqa: BLE001  many kinds, of four libraries
            refused = explained(error, repository, revision, kind)
            if not refused.passing or pause is None:
                if refused.passing:
                    _in_vain.add(repository)
                raise refused from error
            print(
                visible(f"{refused.args[0].split('. ')[0]}; asked again in {pause} s"), flush=True
            )
            time.sleep(pause)
    raise AssertionError("the last try returns or raises")


def explained(
    error: BaseException, repository: str, revision: str = "", kind: str = "dataset"
) -> Refused:
    """The error in words that say what happened and what to do."""
    words = _hosts_words if kind in ELSEWHERE else _words
    what, do, how = words(list(_chain(error)), _page(repository, kind), revision)
    name = {"dataset": "the data set"}.get(kind, f"the {kind}")
    return Refused(f"{name} {repository!r} {what}. {do}", away=how != STAYS, passing=how == PASSES)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came of, also where `from None` hides that."""
    seen: set[int] = set()
    while error and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _page(repository: str, kind: str) -> str:
    from huggingface_hub import constants

    return {
        "dataset": f"{constants.ENDPOINT}/datasets/{repository}",
        "model": f"{constants.ENDPOINT}/{repository}",
        "file": repository,
        "repository": f"https://github.com/{repository}",
    }[kind]


def _status(errors: list[BaseException]) -> int:
    """Of the answer; 0 where none came."""
    responses = [getattr(error, "response", None) for error in errors]
    return next((answer.status_code for answer in responses if answer is not None), 0)


def _hosts_words(errors: list[BaseException], page: str, revision: str) -> tuple[str, str, str]:
    """The same of a host that is not the Hub: nothing there is gated."""
    status = _status(errors)
    if 400 <= status < 500 and status not in (408, 429):
        return (
            f"does not give what is looked for{_at(revision)} ({_line(errors[0])})",
            f"It may have been moved, renamed or removed. Look whether it is at {page}",
            STAYS,
        )
    what, do, how = _words(errors, page, revision)
    return what.replace("the Hub", "the host"), do.partition(";")[0], how


def _at(revision: str) -> str:
    return f" at the revision {revision}" if revision else ""


def _words(errors: list[BaseException], page: str, revision: str) -> tuple[str, str, str]:
    """(what happened, what to do, whether it may pass)"""
    from huggingface_hub import errors as hub

    def any_of(*kinds: type) -> bool:
        return any(isinstance(error, kinds) for error in errors)

    at, first, status = _at(revision), errors[0], _status(errors)
    if any_of(hub.OfflineModeIsEnabled):
        return (
            "is not in the cache, and HF_HUB_OFFLINE allows no request",
            "Unset HF_HUB_OFFLINE where there is a network, or give a folder that `xstilts fetch` "
            "made",
            AWAY,
        )
    if status == 429:
        return (
            "could not be had: the Hub asks to wait, too many requests (429)",
            "Try again later; who is logged in may ask more often",
            PASSES,
        )
    if status == 408 or status >= 500:
        return f"could not be had: the Hub has an error of its own ({status})", LATER, PASSES
    if any_of(hub.GatedRepoError) and status == 401:
        return (
            "is gated, and you are not logged in",
            f"Accept its terms at {page}, log in (`hf auth login`, or a token in HF_TOKEN), and "
            "try again",
            STAYS,
        )
    if any_of(hub.GatedRepoError) or status == 403:
        return (
            "is gated, and your account may not read it",
            f"Accept its terms at {page} (its authors may have to agree), and try again",
            STAYS,
        )
    if any_of(hub.RevisionNotFoundError):
        return (
            f"has no revision {revision or 'of that name'} (any more)",
            f"Look which revisions there are: {page}",
            STAYS,
        )
    if any_of(hub.RepositoryNotFoundError):
        return (
            "is not there: moved, renamed, removed, or private",
            f"Look for it at {page}; if it is private, log in (`hf auth login`), and try again",
            STAYS,
        )
    if status == 401:
        return (
            "is not given to you: the Hub does not accept your token",
            "Log in anew (`hf auth login`), and try again",
            STAYS,
        )
    if type(first).__name__ == "LoadingScript":
        return (
            f"is a loading script{at}, which `datasets` does not run",
            "Another revision may have its rows as files, such as refs/convert/parquet",
            STAYS,
        )
    network = next((error for error in errors if _of_the_network(error)), None)
    if network is not None:
        return (
            f"cannot be reached ({_line(network)})",
            "Look whether there is a network, and try again",
            AWAY if type(network).__name__ in NOBODY else PASSES,
        )
    if any_of(hub.FileMetadataError) or any(_is_cut(error) for error in errors):
        return (
            f"could not be had: the answer is cut short, or no Hub's ({_line(first)})",
            LATER,
            PASSES,
        )
    if (
        any_of(hub.RemoteEntryNotFoundError, FileNotFoundError)
        or "BuilderConfig" in str(first)
        or type(first).__name__ == "EmptyDatasetError"
    ):
        return (
            f"does not have what is looked for{at} ({_line(first)})",
            f"Look what there is: {page}",
            STAYS,
        )
    return f"cannot be read{at} ({_line(first)})", f"Look whether it has changed: {page}", STAYS


def _of_the_network(error: BaseException) -> bool:
    """TransportError: of the Hub's client, whatever its version calls the package that has it."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    return isinstance(error, (ConnectionError, TimeoutError)) or "TransportError" in kinds


def _is_cut(error: BaseException) -> bool:
    return "Consistency check failed" in str(error) or type(error).__name__ == "JSONDecodeError"


def _line(error: BaseException) -> str:
    """The first line of what it says, and its kind."""
    words = str(error).strip().splitlines() or ["no words"]
    return f"{type(error).__name__}: {words[0]}"[:300]
