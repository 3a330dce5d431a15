"""What the pages of all wide chapters show, a call a part: the answer with its figure, the tables,
and what they say in words.

    page = of(study, rq3, over_languages=True)    # finds its runs, or computes them
    page.answer();  page.verdicts();  page.reading()

What only one chapter asks stands in its notebook."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import pandas as pd
from IPython.display import display

from xstilts.analysis import differences
from xstilts.book import comparison_figures, tables
from xstilts.chapters import hypotheses
from xstilts.study import graph
from xstilts.study.conditions import Comparison, Runs
from xstilts.study.profiles import Study

RULE = """
**Rule.** A difference counts if its p, adjusted by Holm's method for all cells of the table below,
is under 0.05. A comparison *helps* if what counts goes up for every target that counts, *hurts* if
down, *helps some targets and hurts others* if both; *can't tell* if nothing counts; *not run* if
there is no result. A hypothesis *holds* if the mean of all its differences is above 0 (its p
adjusted for the chapter's hypotheses), and *does not hold* if below; one that says that nothing is
gained holds if the whole interval is below 1 point. If one condition or one target, left out, turns
that, it *carries* the mean, and we can't tell. With one seed, trainings that ended near chance are
left out together as well: if that turns it, we can't tell either. These are verdicts about this
encoder and this data.
"""
COLUMNS = """
Points (0-100) averaged over languages; *in English*: the same difference in the language of the
target's training alone (a dash: it is not scored there): where it is as large, the target was
learned better or worse, and crossed to other languages no better. *n* is the number of test
examples a language. A dash: not run.
"""
READING = """
Data: {data}; encoder {encoder}; seeds: {seeds}. Of {runs} runs {there} are here, and with them
{differences} of {asked} differences. Counting up: {up}; down: {down}; not to be told from 0:
{unclear}. What helps: {helping}. What hurts: {hurting}. The largest that counts: {largest}
({largest_value}). Trainings that ended near chance in English (less than a tenth of the way to
100), so that a difference tells of them and not of transfer: {near_chance}. Learned less than three
quarters as far in English as with the best condition here (in brackets the English score), so that
other languages had less to take over: {half_learned}.

{trust} On synthetic rows all tasks share one small world.
"""


@dataclass(frozen=True)
class Page:
    study: Study
    asked: Comparison
    found: Runs  # of what is asked for, what is at hand
    shown: pd.DataFrame  # as `differences.table` has it
    decided: pd.DataFrame  # as `hypotheses.table` has it

    def answer(self) -> None:
        """The hypotheses in words, the figure of all differences, the hypotheses as a table."""
        tables.say("{answer}", answer=hypotheses.words(self.decided))
        tables.say(
            "A difference that is as large in English, the language of the target's training, says "
            "that the target was learned better or worse, not that more or less of it crossed to "
            "other languages."
        )
        display(comparison_figures.differences(self.study, self.asked, self.shown))
        tables.say(
            "Differences with 95 % intervals. Filled: run here; hollow: something in it is "
            "recorded (*from* in the table); a dash: not run."
        )
        display(tables.show(self.decided))

    def verdicts(self) -> None:
        """The rule, a verdict a comparison, and all differences."""
        tables.say(RULE)
        display(tables.show(differences.verdicts(self.shown)))
        tables.say(COLUMNS)
        display(tables.show(self.shown))

    def reading(self) -> None:
        """What the tables say, in words."""
        words = differences.words(self.study, self.asked, self.found, self.shown)
        tables.say(READING, **words)


def of(
    study: Study,
    chapter: ModuleType,
    over_languages: bool = False,
    only: tuple[str, ...] | None = None,
) -> Page:
    """The page of a chapter (of `chapters.wide`). over_languages, only: as in `differences.table`;
    hypotheses have languages of their own."""
    asked = chapter.compared(study)
    found = graph.obtain(study, asked.wanted)
    return Page(
        study,
        asked,
        found,
        differences.table(study, asked, found, over_languages, only),
        hypotheses.table(study, chapter.HYPOTHESES, asked, found, over_languages),
    )
