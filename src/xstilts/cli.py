"""The command line.

xstilts book                                   run every chapter and build the book
xstilts run single_task out.ipynb -p profile small -p seeds 0,1,2
xstilts plan paper single_task                 what is needed, what is there, what it will cost
xstilts compute single_task                    the runs without the notebook
xstilts store verify                           finished runs: verify, list, clean (what no chapter
                                               needs)
xstilts record                                 finished runs' scores into book/recorded
xstilts verify --sample 3                      recorded runs again, and the differences
xstilts power claims                           how exact each claim is, and what more seeds would
                                               tell
xstilts tasks                                  the table of tasks
xstilts fetch ~/rows --profile small           rows and models from the Hub into a folder
xstilts submission out --profile small         finished predictions for XTREME's evaluate.py
xstilts translate squad --to fi,hu --data ~/rows
xstilts ccgbank ~/ccgbank_1_1 --out ~/rows     CCGbank's supertags as rows
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from xstilts.errors import UserError, shown, visible, whole


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="xstilts", description=__doc__.split("\n\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name, words in (
        ("book", "run every chapter and build the book"),
        ("run", "run one chapter"),
        ("compute", "compute a chapter's runs, without the notebook"),
        ("plan", "what a chapter or the book would cost"),
        ("record", "keep the scores of finished runs in the project"),
        ("verify", "compute recorded runs again and compare"),
        ("power", "how exact a chapter's claims are, and what more seeds would tell"),
    ):
        verb = verbs.add_parser(name, help=words)
        if name == "verify":
            verb.add_argument(
                "--sample",
                type=_number(1, 10**6),
                default=3,
                metavar="N",
                help="how many runs; 3 if it is left out",
            )
            verb.add_argument(
                "--seed", type=_number(0, 2**63 - 1), default=0, help="of the draw of the runs"
            )
        if name in ("compute", "plan", "record", "power"):
            verb.add_argument(
                "what",
                nargs="*",
                metavar="PROFILE CHAPTER",
                help="mini and all chapters if they are left out",
            )
        if name in ("compute", "plan"):
            verb.add_argument(
                "--unrecorded", action="store_true", help="leave out runs that are recorded"
            )
        if name == "run":
            verb.add_argument("chapter")
            verb.add_argument("out", type=Path)
        _takes_parameters(verb, "a parameter of the chapter; lists are separated by commas")
    verb = verbs.add_parser("store", help="check, list or clean what finished runs have left")
    verb.add_argument("what", choices=("verify", "list", "clean"))
    verb.add_argument(
        "--yes",
        action="store_true",
        help="clean: remove; without it, only say what would be removed",
    )
    _takes_parameters(verb, "clean: parameters of the book whose runs are kept")
    verb = verbs.add_parser("tasks", help="list the tasks, their kinds and languages")
    verb.add_argument(
        "--sources", action="store_true", help="where their rows come from, and the licences"
    )
    verb = verbs.add_parser("fetch", help="fetch a profile's rows and encoder into a folder")
    verb.add_argument("folder", type=Path)
    _takes_parameters(verb, "a parameter of the study; small's if they are left out")
    verb.add_argument(
        "--model",
        action="append",
        default=[],
        help="another model's Hub id, for example a translator's",
    )
    verb.add_argument("--models-only", action="store_true", help="only what --model names")
    verb.add_argument(
        "--verify", action="store_true", help="fetch nothing; name the files that have changed"
    )
    verb = verbs.add_parser(
        "submission", help="write finished predictions as XTREME's evaluate.py reads them"
    )
    verb.add_argument("folder", type=Path)
    _takes_parameters(verb, "a parameter of the study")
    verb = verbs.add_parser("translate", help="translate a task's English training rows by machine")
    verb.add_argument("task")
    verb.add_argument("--to", required=True, help="languages, separated by commas")
    verb.add_argument(
        "--data",
        required=True,
        help="a local folder with the English rows; or hub or mini, and --out",
    )
    verb.add_argument("--out", type=Path, help="where `translated` is made; the folder of --data")
    verb.add_argument(
        "--model", default="", help="M2M100 (default), NLLB or OPUS-MT, by Hub id or folder"
    )
    verb.add_argument(
        "--rows", type=_number(0, 10**9), default=0, help="at most so many of each split; 0: all"
    )
    verb.add_argument("--beams", type=_number(0, 100), default=0, help="0: the model's own setting")
    verb = verbs.add_parser("ccgbank", help="read a licensed CCGbank into a folder of rows")
    verb.add_argument("ccgbank", type=Path)
    verb.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    try:
        return VERBS.get(asked.verb, _chapters)(asked)
    except UserError as error:
        print(visible(f"xstilts: {error}"), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "xstilts: stopped; finished runs are kept, the same command goes on from there",
            file=sys.stderr,
        )
        return 130


def _takes_parameters(verb: argparse.ArgumentParser, words: str) -> None:
    """-p NAME VALUE; --profile X is -p profile X."""
    verb.add_argument(
        "-p",
        "--parameter",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "VALUE"),
        help=words,
    )
    verb.add_argument(
        "--profile",
        dest="parameter",
        action="append",
        default=[],
        type=lambda text: ["profile", text],
        help="the same as -p profile",
    )


def _number(least: int, most: int) -> Callable[[str], int]:
    """What an option's text is read with: a whole number from `least` to `most`."""

    def read(text: str) -> int:
        try:
            return whole("this option", text, least, most)
        except UserError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return read


def _given(parameters: list[list[str]]) -> dict[str, object]:
    """-p NAME VALUE by name. UserError where one is given twice, and not the same."""
    found: dict[str, object] = {}
    for name, text in parameters:
        value = _value(text)
        if found.setdefault(name, value) != value:
            raise UserError(
                f"{name} is given twice, as {shown(found[name])} and as {shown(value)}: give one "
                "of them"
            )
    return found


def _value(text: str) -> object:
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


def _chapter(words: list[str], given: dict[str, object]) -> str:
    """The chapter of [PROFILE] [CHAPTER], "" for all; the profile goes to the given parameters."""
    from xstilts.chapters import needed
    from xstilts.study import profiles

    rest = words[1:] if words[:1] and words[0] in profiles.PROFILES else words
    if len(rest) > 1 or rest and rest[0] not in needed.RUNS:
        raise UserError(
            f"expected a profile, a chapter, or both, not {' '.join(words)!r}; profiles: "
            f"{', '.join(profiles.PROFILES)}; "
            f"chapters: {', '.join(needed.RUNS)}"
        )
    if rest != words and given.setdefault("profile", words[0]) != words[0]:
        raise UserError(f"two profiles: {words[0]} and -p profile {given['profile']}")
    return rest[0] if rest else ""


def _chapters(asked: argparse.Namespace) -> int:
    given = _given(asked.parameter)
    if asked.verb == "book":
        return _book(asked, given)
    from xstilts.study import profiles

    if asked.verb in ("compute", "plan", "record", "power"):
        asked.chapter = _chapter(asked.what, given)
    study = profiles.study(**given)  # a slip is told before a kernel starts
    if asked.verb in ("record", "verify"):
        return _record(asked, study) if asked.verb == "record" else _verify(asked, study)
    if asked.verb == "power":
        from xstilts.tools import power

        for said in power.text(power.table(study, asked.chapter or "claims")).split("\n"):
            print(visible(said))
        return 0
    if asked.verb in ("compute", "plan"):
        from xstilts.chapters import needed
        from xstilts.runs import records, results
        from xstilts.study.graph import compute
        from xstilts.tools import plan

        if asked.verb == "plan":
            print(plan.text(study, asked.chapter, asked.unrecorded))
        else:
            runs = needed.needed(asked.chapter, study)
            runs = records.unrecorded(runs) if asked.unrecorded else runs
            print(f"{len(compute(runs, scheduler=study.scheduler))} runs are in the store")
            return _tell_lost(results.lost(runs))
        return 0
    return _book(asked, given)


def _book(asked: argparse.Namespace, given: dict[str, object]) -> int:
    """A chapter, or all of them and the book."""
    from xstilts.book import build

    try:
        page = (
            build.run(asked.chapter, asked.out, given)
            if asked.verb == "run"
            else build.build(given)
        )
    except Exception as error:
        from papermill.exceptions import (
            PapermillExecutionError,  # after the book has started its kernels: it takes seconds
        )

        if not isinstance(error, PapermillExecutionError):
            raise
        print(
            visible(f"xstilts: the chapter stopped with {error.ename}: {error.evalue}"),
            file=sys.stderr,
        )
        return 1
    print(f"wrote {page}")
    from xstilts.chapters import needed
    from xstilts.runs import failures, results, store
    from xstilts.study import profiles

    if not failures.any_kept(store.default_root()):  # to name all runs of the book takes seconds
        return 0
    return _tell_lost(
        results.lost(
            needed.needed(asked.chapter if asked.verb == "run" else "", profiles.study(**given))
        )
    )


def _tell_lost(lost) -> int:
    """One line a run that has no result; the code of the command: 0 if all have one."""
    for row in lost.itertuples():
        print(visible(f"xstilts: {row.run} {row.what}: {row.why}"), file=sys.stderr)
    return int(len(lost) > 0)


def _record(asked: argparse.Namespace, study) -> int:
    from xstilts.analysis import repeats
    from xstilts.book import build
    from xstilts.chapters import needed
    from xstilts.runs import records, store
    from xstilts.study import profiles
    from xstilts.study.graph import line

    runs = [run for wanted in needed.needed(asked.chapter, study) for run in line(wanted)]
    written = records.record(runs, store.default_root())
    repeats.note(study, runs, store.default_root())
    if study == profiles.study():  # the README shows the default
        build.picture(study, records.folder().parent / "main_result.png")
    print(
        f"{len(written)} new records in "
        f"{records.folder()}\n{records.said(runs, store.default_root())}"
    )
    return 0


def _verify(asked: argparse.Namespace, study) -> int:
    from xstilts.tools import verify

    table = verify.verify(study, asked.sample, asked.seed)
    print(verify.left_out(study), end="")
    print(
        table.to_string(index=False) if len(table) else "nothing is recorded for these parameters"
    )
    print(
        "Tolerance: to the last digit with the machine, versions and threads of the record, "
        f"else {verify.TOLERANCE} points of "
        "the mean over languages."
    )
    return int((table.within == "no").any())


def _fetch(asked: argparse.Namespace) -> int:
    from xstilts.study import profiles
    from xstilts.tools import fetch

    if asked.verify:
        changed = fetch.verify(asked.folder)
        print("\n".join(changed) or "every file is as it was fetched")
        return int(bool(changed))
    given = _given(asked.parameter)
    if given.get("data") not in (None, "", "hub"):
        raise UserError(
            f"fetch takes rows from the Hub: data {shown(given['data'])} is no place to fetch from"
        )
    study = profiles.study(**{"profile": "small"} | given | {"data": "hub"})
    found = fetch.fetch(asked.folder, study, tuple(asked.model), asked.models_only)
    print(f"{asked.folder} has {len(found)} files")
    return 0


def _submission(asked: argparse.Namespace) -> int:
    from xstilts.study import conditions, profiles
    from xstilts.tools import submission

    study = profiles.study(**_given(asked.parameter))
    wanted = {
        cell: run for cell, run in conditions.xtreme(study).wanted.items() if run.split == "test"
    }
    written = submission.write(asked.folder, wanted)
    print(f"wrote {len(written)} files below {asked.folder}")
    return 0


def _translate(asked: argparse.Namespace) -> int:
    from xstilts import data
    from xstilts.tools import translate

    data.check_source(asked.data)
    if not asked.out and not Path(asked.data).is_dir():
        raise UserError(
            f"--data {asked.data} is no folder that could take the translation: give --out"
        )
    model = asked.model or translate.M2M100
    translate.translate(
        asked.task,
        [language.strip() for language in asked.to.split(",")],
        asked.data,
        asked.out or Path(asked.data),
        translate.load_translator(model, asked.beams),
        model,
        asked.rows,
    )
    return 0


def _ccgbank(asked: argparse.Namespace) -> int:
    from xstilts.tools import ccgbank

    for split, count in ccgbank.convert(asked.ccgbank, asked.out).items():
        print(f"{split:10} {count} sentences")
    return 0


def _store(asked: argparse.Namespace) -> int:
    from xstilts.chapters import needed
    from xstilts.runs import store
    from xstilts.study import profiles
    from xstilts.tools import inventory

    root = store.default_root()
    if asked.what == "list":
        print(visible("\n".join(inventory.listed(root))) or f"{root} is empty")
        return 0
    if asked.what == "verify":
        lines, count = inventory.verify(root)
        print(
            *map(visible, lines),
            f"{len(inventory.artifacts(root))} artifacts in {root}, {count} damaged"
            + (": set aside and computed again when they are next asked for" if count else ""),
            sep="\n",
        )
        return int(bool(count))
    study = profiles.study(**_given(asked.parameter))
    found = inventory.superfluous(root, needed.needed("", study))
    sizes = {folder: inventory.size(folder) for folder, _ in found}
    for folder, why in found:
        print(f"{folder.name}  {sizes[folder] / 1e6:>9.1f} MB  {why}")
        if asked.yes:
            try:
                inventory.remove(root, folder)
            except UserError as error:
                print(visible(str(error)))
                del sizes[folder]
    total = sum(sizes.values())
    print(
        f"{len(sizes)} folders, {total / 1e6:.1f} MB: "
        + (
            "removed"
            if asked.yes
            else (
                f"not needed by the book with profile {study.profile} and these parameters; "
                "--yes removes them"
            )
        )
    )
    return 0


def _tasks(asked: argparse.Namespace) -> int:
    from xstilts.tasks.table import TASKS

    for row in TASKS.values():
        if asked.sources:
            for source in row.sources:
                place = source.hub or ("not on the Hub" if not source.files else source.files)
                print(
                    f"{row.name:14} {place}@{source.revision or '-'}  [{source.licence}]  "
                    f"{source.local}"
                )
            print(
                *[f"{'':14} {row.obtain}"] * bool(row.obtain), sep="", end="\n" * bool(row.obtain)
            )
            continue
        print(f"{row.name:14} {row.role:13} {row.kind:9} {row.metric:17} {' '.join(row.languages)}")
    return 0


VERBS = {
    "store": _store,
    "tasks": _tasks,
    "fetch": _fetch,
    "submission": _submission,
    "translate": _translate,
    "ccgbank": _ccgbank,
}

if __name__ == "__main__":  # accelerate launch --module xstilts.cli
    sys.exit(main())
