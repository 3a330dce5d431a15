"""The tables of the page on the rows, from what is told of the data sets and committed counts.

    # counts and lists a folder's rows, and fills the page
    python -m xstilts.book.reference.rows_page ~/rows
    # fills the page from the counts
    python -m xstilts.book.reference.rows_page

The list (`data.listed`) is what the study on real rows has its keys from. Each table stands between
the lines "% table: its name" and "% end". The counts (book/rows.csv and book/rows_overlap.csv) have
no row and no sentence of the data."""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import pandas as pd

from xstilts import files, settings
from xstilts.analysis import typology
from xstilts.data import listed
from xstilts.errors import UserError
from xstilts.public_rows import counts
from xstilts.public_rows.sources import data_sets, tables

SHOWN = 4  # labels of a data set


def filled(page: str, counted: pd.DataFrame, overlap: pd.DataFrame) -> str:
    """The page with its tables. UserError where a table is asked for that there is none of."""
    made = {
        "data sets": _described(["title", "whose", "licence"]),
        "splits": _described(["title", "official", "left_out"]),
        "hub": _described(["title", "hub"]),
        "numbers": _numbers(counted),
        "statistics": _statistics(counted),
        "overlap": _overlap(overlap),
    }

    def table(found: re.Match) -> str:
        if found[1] not in made:
            raise UserError(f"the page asks for a table {found[1]!r}; known: {', '.join(made)}")
        return f"% table: {found[1]}\n\n{_markdown(made[found[1]])}\n\n% end"

    return re.sub(r"% table: (.*?)\n.*?% end", table, page, flags=re.DOTALL)


def _markdown(table: pd.DataFrame) -> str:
    lines = [table.columns, ["---"] * len(table.columns), *table.itertuples(index=False)]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def _described(columns: list[str]) -> pd.DataFrame:
    heads = {"title": "data set", "official": "official split", "left_out": "left out"}
    found = [about for about in data_sets().values() if about[columns[-1]]]
    table = pd.DataFrame([[about[name] for name in columns] for about in found], columns=columns)
    if "licence" in columns:
        read = [about["licence_read"] for about in found]
        table["licence"] += ["" if seen else " †" for seen in read]
    return table.rename(columns={**heads, "hub": "rows of the Hub that should be the same"})


def _by_split(counted: pd.DataFrame) -> list[tuple[str, str, list[str], pd.DataFrame]]:
    """(title, split, languages, the rows of `counted`) of each data set and split."""
    languages = {table.path: counts.language(table) for table in tables()}
    parts = counted.file.str.split("/", expand=True)
    keys = [parts[0] + ("/" + parts[1]).where(parts[1] == "derived", ""), parts[2]]
    return [
        (
            data_sets()[name.split("/")[0]]["title"] + ", derived" * ("/" in name),
            split,
            [languages[file] for file in part.file],
            part,
        )
        for (name, split), part in counted.groupby(keys, sort=False)
    ]


def _numbers(counted: pd.DataFrame) -> pd.DataFrame:
    found = [
        (
            title,
            split,
            " ".join(sorted(there)),
            f"{part.rows.sum():,}",
            f"{part['same text'].sum():,}",
        )
        for title, split, there, part in _by_split(counted)
    ]
    return pd.DataFrame(found, columns=["data set", "file", "languages", "rows", "same text again"])


def _statistics(counted: pd.DataFrame) -> pd.DataFrame:
    found = []
    for title, split, _, part in _by_split(counted):
        least, most = round(part.characters.min()), round(part.characters.max())
        length = f"{least}" if least == most else f"{least} to {most}"
        share = part["in its script"].min()
        script = "–" if pd.isna(share) else f"{100 * share:.0f} %"
        found.append((title, split, length, _shares(part.labels), script))
    columns = ["data set", "file", "characters a row", "labels", "letters in the script"]
    return pd.DataFrame(found, columns=columns)


def _shares(labels: pd.Series) -> str:
    """The most frequent labels in percent; a dash where there are none."""
    found: Counter = Counter()
    more = 0
    for label in "; ".join(labels.dropna()).split("; ") if labels.any() else ():
        name, _, number = label.rpartition(" ")
        found[name] += int(number)
    total = found.total()
    for name in [name for name in found if name.endswith(" others")]:  # of one file
        more = max(more, int(name.split()[0]))
        del found[name]
    shown = [f"{name} {100 * n / total:.0f} %" for name, n in found.most_common(SHOWN)]
    more += max(0, len(found) - SHOWN)
    return ", ".join(shown) + (f", {more} more" if more else "") or "–"


def _overlap(overlap: pd.DataFrame) -> pd.DataFrame:
    found = overlap.groupby(["target", "trained on"], sort=False, as_index=False).sum(
        numeric_only=True
    )
    english = overlap[overlap.language == "en"].set_index("target")["the same"]
    found["of them in English"] = [english.get(target, "–") for target in found.target]
    return found.astype(str)


def main(arguments: list[str]) -> None:
    book = settings.project() / "book"
    paths = [book / "rows.csv", book / "rows_overlap.csv"]
    if arguments:
        folder = Path(arguments[0])
        listed.write(str(folder))
        for path, table in zip(paths, (counts.count(folder), counts.overlap(folder)), strict=True):
            files.write(path, table.to_csv(index=False).encode())
        grammar = typology.from_english(str(folder))
        files.write(book / typology.FILE, grammar.to_csv(index=False).encode())
    page = book / "rows.md"
    text = filled(page.read_text(encoding="utf-8"), *map(pd.read_csv, paths))
    files.write(page, text.encode())


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except UserError as error:
        sys.exit(f"rows_page: {error}")
