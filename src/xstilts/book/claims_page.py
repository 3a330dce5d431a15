"""What the page of claims shows: the paper's figure and what each study says, side by side.

pages = of(study)               # the study, and the embedded benchmark beside one on real rows
figure(pages);  table(pages);  apart(pages);  reading(pages);  details(pages)"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from IPython.display import HTML, display
from matplotlib.figure import Figure

from xstilts import data
from xstilts.analysis.wording import interval
from xstilts.book import comparison_figures, figures, tables
from xstilts.chapters import claims, named
from xstilts.runs import records, store
from xstilts.study import profiles
from xstilts.study.conditions import Comparison, short
from xstilts.study.profiles import Study

TRAINED, TRAINED_ALONE = "d", "without retrieval"
FOUND = """
**{rows}** ({data}; encoder {encoder}; seeds: {seeds}). Of {claims} claims {agreeing_count} have
something for them, {disagreeing_count} something against them, {same_count} show no difference,
{open_count} are open, {not_learned_count} rest on what was not learned, {not_run} were not run.

- For: {agreeing}.
- Against: {disagreeing}.
- No difference: {same}.
- Open: {open}.
- Not learned: {not_learned}.

{trust} {caution}
"""
REAL = (
    "The rows are real, and subsets of the data sets; the encoder is a small one that people use, "
    "and not the paper's."
)
MADE_UP = (
    "The rows are made up by templates. Such a benchmark can show that the machinery works, and "
    "what an effect or its absence looks like; it cannot confirm or refute a claim about XLM-R "
    "Large and real text."
)


@dataclass(frozen=True)
class Page:
    """What one study says of the claims."""

    study: Study
    asked: dict[str, Comparison]
    shown: pd.DataFrame  # as `claims.table` has it
    parts: pd.DataFrame  # as `claims.apart` has it

    @property
    def made_up(self) -> bool:
        """The study's rows are synthetic."""
        return data.has_dials(self.study.data)

    @property
    def rows(self) -> str:
        """How tables call the study."""
        return data.rows_are(self.study.data)

    @property
    def marker(self) -> str:
        """With which figures draw the study."""
        return "s" if self.made_up else "o"

    @cached_property
    def words(self) -> dict[str, object]:
        """What prose says of the study, by name."""
        return {
            "rows": self.rows,
            "data": data.where(self.study.data),
            "encoder": short(self.study.encoder),
            "seeds": len(self.study.seeds),
        } | claims.words(self.study, self.shown)

    @property
    def runs(self) -> str:
        """How many of its runs are here, and where from."""
        every = [run for name in claims.CHAPTERS for run in self.asked[name].wanted.values()]
        return records.said(every, store.default_root())


def of(study: Study) -> list[Page]:
    """The page's studies: real rows first."""
    pages = []
    for one in profiles.beside(study):
        asked = claims.wanted(one)
        every = claims.questions(one, asked, claims.obtain(one, asked))
        shown = claims.table(one, every, named.p_values(one, "claims"))
        pages.append(Page(one, asked, shown, claims.apart(one, every)))
    return pages


def quoted(pages: list[Page], drawn: Figure, shown: HTML) -> None:
    """What the front page quotes: the figure, the list of claims, and the first study's words."""
    tables.quote(**pages[0].words, **story(pages[0]))
    tables.quote_shown(claims_figure=figures.as_html(drawn), claims_table=shown)


BEST_TASK = "The best task for each target gains on XTREME"
# the claims that the front page tells of -> how its sentences quote them
TOLD = {
    "SQuAD, named among the best tasks, helps on average": "squad",
    "MNLI, named among them, helps on average": "mnli",
}


def story(page: Page) -> dict[str, object]:
    """What the sentences of the front page quote: squad_trained, squad_retrieval, ..."""
    published = page.shown.set_index("claim").published
    found: dict[str, object] = {"published_best": published[BEST_TASK]}
    for row in page.parts.to_dict("records"):
        if name := TOLD.get(row["claim"]):
            found[f"{name}_trained"] = _part(row, "trained targets")
            found[f"{name}_retrieval"] = _part(row, "retrieval")
    return found


def figure(pages: list[Page]) -> Figure:
    """Each claim's effect in each study, with its 95 % interval, and the published figure."""
    marked = {page.rows: (page.marker, page.shown) for page in pages}
    drawn, axis, place = comparison_figures.graded_rows(list(pages[0].shown.claim), marked, more=1)
    lines = {claim: line for line, claim in enumerate(pages[0].shown.claim)}
    for row in pages[0].parts.dropna(subset="trained targets").to_dict("records"):
        value, low, high = (row[f"trained targets{end}"] for end in ("", ": low", ": high"))
        height = place(lines[row["claim"]], len(pages))
        axis.errorbar(value, height, xerr=figures.reach(value, low, high), fmt="none", ecolor="C2")
        axis.plot(value, height, TRAINED, ms=5, color="C2", label=TRAINED_ALONE)
    for line, points in enumerate(pages[0].shown.published):
        middle = np.mean([place(line, number) for number in range(len(pages))])
        axis.plot(points, middle, "x", color="black", ms=7, label="published")
    signs = [comparison_figures.sign(page.marker, page.rows) for page in pages]
    signs.append(comparison_figures.sign(TRAINED, f"{pages[0].rows}, {TRAINED_ALONE}", "C2"))
    signs.append(comparison_figures.sign("x", "published", "black"))
    drawn.legend(handles=signs, fontsize=8, loc="outside upper left", ncols=2)
    return figures.stamp(
        pages[0].study, drawn, "\n".join(f"{page.rows}: {page.runs}" for page in pages)
    )


def table(pages: list[Page]) -> pd.DataFrame:
    """A row a claim: the published figure, and each study's effect with its interval and grade.
    The note says, of the first study's rows, why a claim is open, what would settle it, and which
    tasks were hardly learned themselves."""
    first = pages[0].shown
    found = {"claim": first.claim, "published": first.published}
    found |= {page.rows: [_cell(row) for row in page.shown.to_dict("records")] for page in pages}
    settled = first["would settle it"].where(
        first["would settle it"] == "", first["would settle it"] + " would settle it"
    )
    untaught = first["task not learned"].where(
        first["task not learned"] == "", "itself hardly learned: " + first["task not learned"]
    )
    parts = zip(first["why open"], settled, untaught, strict=True)
    why = ["; ".join(filter(None, some)) for some in parts]
    return pd.DataFrame(found | {f"note on {pages[0].rows}": why})


def _cell(row: dict) -> str:
    if np.isnan(row["effect"]):
        return row["verdict"]
    half = (row["high"] - row["low"]) / 2
    return (
        f"{interval(row['effect'], row['low'], row['high'])}, ±{half:.1f}: "
        f"{row['verdict']}{row['so far']}"
    )


def apart(pages: list[Page]) -> pd.DataFrame:
    """A row a claim: its effect over trained targets and over retrieval, in each study."""
    found = pages[0].parts[["claim"]].copy()
    for page in pages:
        for name in ("trained targets", "retrieval"):
            found[f"{name}, {page.rows}"] = [
                _part(row, name) for row in page.parts.to_dict("records")
            ]
    return found


def _part(row: dict, name: str) -> str:
    if np.isnan(row[name]):
        return row[f"{name}: grade"]
    return interval(*(row[f"{name}{end}"] for end in ("", ": low", ": high")))


def reading(pages: list[Page]) -> None:
    """What the studies say, in words."""
    for page in pages:
        caution = MADE_UP if page.made_up else REAL
        tables.say(FOUND, **page.words | {"rows": page.rows.capitalize(), "caution": caution})


def details(pages: list[Page]) -> None:
    """All that is known of each claim, a table a study."""
    for page in pages:
        tables.say("**{rows}**", rows=page.rows.capitalize())
        display(tables.show(page.shown.drop(columns="so far")))
