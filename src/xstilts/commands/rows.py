"""Commands for rows and models: fetch them, make them, hand predictions in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from xstilts.commands.options import Parameters, Profile, given, number, task_names
from xstilts.errors import UserError, shown, visible


def fetch(
    folder: Annotated[Path, typer.Argument(help="Where the rows and models are put.")],
    parameter: Parameters = None,
    profile: Annotated[
        list[str] | None,
        typer.Option(
            "--profile",
            metavar="NAME",
            help="The same as -p profile NAME; left out: small.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ID",
            help="Another model's Hub id, for example a translator's. May be given several times.",
            show_default=False,
        ),
    ] = None,
    models_only: Annotated[
        bool, typer.Option("--models-only", help="Only what --model names.")
    ] = False,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Fetch nothing; name the files that have changed."),
    ] = False,
    public: Annotated[
        bool,
        typer.Option(
            "--public",
            help="Instead: the rows of the study on real rows, from public repositories.",
        ),
    ] = False,
    only: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="With --public: some data sets, as xnli,tydiqa; left out: all.",
            show_default=False,
        ),
    ] = "",
    clones: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="With --public: raw files from the clones in this folder, not from the network.",
            show_default=False,
        ),
    ] = None,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="With --public: fetch nothing; look for the folder's rows on the Hub.",
        ),
    ] = False,
) -> int:
    """Fetch a profile's rows and encoder from the Hub into a folder.

    With --public: the rows of the study on real rows, from public repositories. It goes on where it
    was stopped. The code is 2 where something could not be had, and 1 where --verify finds a
    changed file.

    \b
    Example:
        xstilts fetch ~/rows --profile small
        xstilts fetch ~/rows --public --only xnli,tydiqa
    """
    if verify:
        from xstilts.tools import fetch as fetching

        changed = fetching.verify(folder)
        print(visible("\n".join(changed)) or "every file is as it was fetched")
        return int(bool(changed))
    if public:
        from xstilts.tools.fetch import compare_hub
        from xstilts.tools.fetch.public import fetch_public

        if compare:
            print(visible(compare_hub.compare(folder, only).to_string(index=False)))
            return 0
        print(visible(f"{folder} has {len(fetch_public(folder, only, clones))} files"))
        return 0
    if only or clones or compare:
        raise UserError("--only, --from and --compare go with --public")
    from xstilts.study import profiles

    parameters = given(parameter, profile)
    if parameters.get("data") not in (None, "", "hub"):
        raise UserError(
            f"fetch takes rows from the Hub: data {shown(parameters['data'])} is no place to "
            "fetch from"
        )
    study = profiles.study(**{"profile": "small"} | parameters | {"data": "hub"})
    from xstilts.tools import fetch as fetching

    found = fetching.fetch(folder, study, tuple(model or ()), models_only)
    print(visible(f"{folder} has {len(found)} files"))
    return 0


def submission(
    folder: Annotated[Path, typer.Argument(help="Where the files are written.")],
    parameter: Parameters = None,
    profile: Profile = None,
) -> int:
    """Write finished predictions as XTREME's evaluate.py reads them.

    \b
    Example:
        xstilts submission out --profile small
    """
    from xstilts.study import profiles

    study = profiles.study(**given(parameter, profile))
    from xstilts.questions import xtreme
    from xstilts.tools import submission as handing_in

    asked = xtreme.compared(study).wanted
    wanted = {cell: run for cell, run in asked.items() if run.split == "test"}
    written = handing_in.write(folder, wanted)
    print(visible(f"wrote {len(written)} files below {folder}"))
    return 0


def translate(
    task: Annotated[
        str,
        typer.Argument(help="The task whose rows are translated.", autocompletion=task_names),
    ],
    to: Annotated[str, typer.Option(metavar="LANGUAGES", help="Separated by commas.")],
    data: Annotated[
        str,
        typer.Option(
            metavar="FOLDER",
            help="A local folder with the English rows; or hub or mini, and --out.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Where `translated` is made; left out: the folder of --data.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="M2M100, NLLB or OPUS-MT, by Hub id or folder; left out: M2M100.",
            show_default=False,
        ),
    ] = "",
    rows: Annotated[
        int,
        typer.Option(
            metavar="N", parser=number(0, 10**9), help="At most so many of each split; 0: all."
        ),
    ] = 0,
    beams: Annotated[
        int,
        typer.Option(
            metavar="N", parser=number(0, 100), help="Of the search; 0: the model's own setting."
        ),
    ] = 0,
) -> int:
    """Translate a task's English training rows by machine.

    It goes on where it was stopped. Rows whose answer is lost on the way are counted.

    \b
    Example:
        xstilts translate squad --to fi,hu --data ~/rows
    """
    from xstilts import data as sources

    sources.check_source(data)
    if not out and not Path(data).is_dir():
        raise UserError(
            f"--data {data} is no folder that could take the translation: give --out FOLDER"
        )
    from xstilts.tools import translate as translating
    from xstilts.tools import translation_model

    model = model or translation_model.M2M100
    translating.translate(
        task,
        [language.strip() for language in to.split(",")],
        data,
        out or Path(data),
        translation_model.load_translator(model, beams),
        model,
        rows,
    )
    return 0


def ccgbank(
    folder: Annotated[
        Path, typer.Argument(metavar="CCGBANK", help="The folder of the licensed CCGbank.")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the rows are put.")],
) -> int:
    """Read a licensed CCGbank's supertags into a folder of rows.

    \b
    Example:
        xstilts ccgbank ~/ccgbank_1_1 --out ~/rows
    """
    from xstilts.tools import ccgbank as reading

    for split, count in reading.convert(folder, out).items():
        print(f"{split:10} {count} sentences")
    return 0
