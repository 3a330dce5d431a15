"""Where the project is. A table of contents alone is no sign of it: every Jupyter Book has one."""

from pathlib import Path

# its pages, its chapters, this package's records
PARTS = ("_toc.yml", "notebooks", "book/recorded")


def find() -> Path | None:
    """The folder that has all PARTS, here or above; None where there is none."""
    here = Path.cwd()
    return next(
        (
            folder
            for folder in (here, *here.parents)
            if all((folder / part).exists() for part in PARTS)
        ),
        None,
    )
