"""CCGbank (LDC2005T13), which is licensed and on no hub, as rows: a word's lexical category is its
supertag.

    xstilts ccgbank ~/ccgbank_1_1 --out ~/rows     # writes ccg/en/{train,validation,test}.parquet

Sections 02-21 are for training, 00 for validation, 23 for testing (Hockenmaier and Steedman 2007,
and all work since)."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from xstilts.errors import UserError

SECTIONS = {"train": range(2, 22), "validation": (0,), "test": (23,)}
# a leaf of a derivation: <L category part-of-speech part-of-speech word indexed-category>
LEAF = re.compile(r"<L (\S+) \S+ \S+ (\S+) \S+>")


def sentences(auto: str) -> list[dict]:
    """Rows of the derivations in one AUTO file: lines "ID=..." are followed by one derivation
    each."""
    found = []
    for line in auto.splitlines():
        leaves = [] if line.startswith("ID=") else LEAF.findall(line)
        if leaves:
            found.append(
                {
                    "tokens": [word for _, word in leaves],
                    "tags": [category for category, _ in leaves],
                }
            )
    return found


def convert(ccgbank: Path, out: Path) -> dict[str, int]:
    """Writes the three splits below out/ccg/en and returns their sizes. UserError where sections
    are missing."""
    auto = next(
        (
            folder
            for folder in (ccgbank, ccgbank / "AUTO", ccgbank / "data" / "AUTO")
            if (folder / "02").is_dir()
        ),
        None,
    )
    if auto is None:
        raise UserError(
            f"{ccgbank} is not a CCGbank: it has no data/AUTO/02 (sections 00 to 24 with *.auto "
            "files). It comes from the LDC as LDC2005T13"
        )
    sizes = {}
    for split, sections in SECTIONS.items():
        rows = []
        for section in sections:
            files = sorted((auto / f"{section:02d}").glob("*.auto"))
            if not files:
                raise UserError(
                    f"{auto / f'{section:02d}'} has no *.auto files, which {split} needs"
                )
            rows += [row for path in files for row in sentences(path.read_text())]
        path = out / "ccg" / "en" / f"{split}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows), path)
        sizes[split] = len(rows)
    return sizes
