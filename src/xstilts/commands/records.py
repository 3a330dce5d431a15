"""Commands for recorded scores: keep them, and compute some of them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from xstilts.commands.options import (
    AsJson,
    Parameters,
    Profile,
    Words,
    chapter,
    given,
    number,
    print_json,
    progress_aside,
)

if TYPE_CHECKING:
    from xstilts.study.profiles import Study


def record(
    words: Words = None,
    parameter: Parameters = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> int:
    """Keep the scores of finished runs in the project.

    A run that has a record keeps it. Where the default's main table is complete, its picture in the
    README is drawn anew.

    With --json: {"folder": where records are, "written": [names of new files], "runs": {"live",
    "recorded", "not run": how many}}.

    \b
    Example:
        xstilts record rq3
    """
    from xstilts.study import profiles

    parameters = given(parameter, profile)
    name = chapter(words, parameters)
    study = profiles.study(**parameters)
    with progress_aside(as_json):
        document, said = _keep_scores(study, name)
    if as_json:
        print_json(document)
    else:
        print(f"{len(document['written'])} new records in {document['folder']}\n{said}")
    return 0


def _keep_scores(study: Study, name: str) -> tuple[dict, str]:
    """Records the chapter's finished runs. What came of it, for a program and in words."""
    from xstilts.analysis import repeats
    from xstilts.book import build
    from xstilts.chapters import needed
    from xstilts.runs import records, store
    from xstilts.study import profiles
    from xstilts.study.graph import lasting

    root = store.default_root()
    runs = [run for wanted in needed.needed(name, study) for run in lasting(wanted)]
    written = records.record(runs, root)
    repeats.note(study, runs, root)
    if study == profiles.study():  # the README shows the default
        build.picture(study, records.folder().parent / "main_result.png")
    document = {
        "folder": records.folder(),
        "written": [path.name for path in written],
        "runs": {where: len(some) for where, some in records.source(runs, root).items()},
    }
    return document, records.said(runs, root)


def verify(
    sample: Annotated[
        int, typer.Option(metavar="N", parser=number(1, 10**6), help="How many runs.")
    ] = 3,
    seed: Annotated[
        int,
        typer.Option(metavar="N", parser=number(0, 2**63 - 1), help="Of the draw of the runs."),
    ] = 0,
    parameter: Parameters = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> int:
    """Compute recorded runs again and compare.

    The runs are drawn at random from the records. The code is 1 where one differs by more than the
    tolerance.

    With --json: {"runs": [an object a run, with the columns of the printed table], "left_out":
    [why records are left out], "tolerance": in points, elsewhere than on the record's machine}.

    \b
    Example:
        xstilts verify --sample 5
    """
    from xstilts.study import profiles

    study = profiles.study(**given(parameter, profile))
    from xstilts.tools import verify as again

    with progress_aside(as_json):
        table = again.verify(study, sample, seed)
        left_out = again.left_out(study)
    if as_json:
        print_json(
            {
                "runs": table.to_dict("records"),
                "left_out": left_out.splitlines(),
                "tolerance": again.TOLERANCE,
            }
        )
        return int((table.within == "no").any())
    print(left_out, end="")
    print(
        table.to_string(index=False) if len(table) else "nothing is recorded for these parameters"
    )
    print(
        "Tolerance: to the last digit with the machine, versions and threads of the record, "
        f"else {again.TOLERANCE} points of the mean over languages."
    )
    return int((table.within == "no").any())
