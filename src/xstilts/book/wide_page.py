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
from xstilts.chapters import hypotheses, named
from xstilts.study import graph
from xstilts.study.conditions import Comparison, Runs
from xstilts.study.profiles import Study

RULE = """
**Rule.** The book has one rule, *Estimates and grades* in the methods. A grade is *strong*,
*moderate*, *no difference*, *open*, *not learned* or *not run*, and for or against a hypothesis.
Hypotheses are named beforehand. Single cells are not, so that no cell is *strong*. These are
verdicts about this encoder and this data.
"""
COLUMNS = """
Points (0-100) averaged over languages; *in English*: the same difference in the language of the
target's training alone (a dash: it is not scored there): where it is as large, the target was
learned better or worse, and crossed to other languages no better. *learned*: how many trainings
were, on each side; *with failures*: the difference with the others in. *n* is the number of test
examples a language. A dash: not run.
"""
READING = """
Data: {data}; encoder {encoder}; seeds: {seeds}. Of {runs} runs {there} are here, and with them
{differences} of {asked} differences. Clearly up: {up}; clearly down: {down}; no difference: {same};
open: {unclear}. Clear over the targets, what helps: {helping}. What hurts: {hurting}. The largest
that is clear: {largest} ({largest_value}). Trainings that were not learned, and are left out of the
differences: {not_learned}.

{trust} On synthetic rows all tasks share one small world.
"""


@dataclass(frozen=True)
class Page:
    study: Study
    asked: Comparison
    found: Runs  # of what is asked for, what is at hand
    shown: pd.DataFrame  # as `differences.table` has it
    decided: pd.DataFrame  # as `hypotheses.table` has it
    summed: pd.DataFrame  # as `differences.verdicts` has it

    def answer(self) -> None:
        """The hypotheses in words, the figure of all differences, the hypotheses as a table."""
        said = hypotheses.words(self.decided)
        tables.quote(answer=said)  # for the front page
        tables.say("{answer}", answer=said)
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
        display(tables.show(self.summed))
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
    """The page of a chapter (of `questions`). over_languages, only: as in `differences.table`;
    hypotheses have languages of their own."""
    asked = chapter.compared(study)
    return shown(study, chapter, asked, graph.obtain(study, asked.wanted), over_languages, only)


def shown(
    study: Study,
    chapter: ModuleType,
    asked: Comparison,
    found: Runs,
    over_languages: bool = False,
    only: tuple[str, ...] | None = None,
) -> Page:
    """The page of some of a chapter's comparisons, and of the runs at hand. Else as `of`."""
    name = chapter.__name__.rpartition(".")[2]
    cells = differences.table(study, asked, found, over_languages, only)
    return Page(
        study,
        asked,
        found,
        cells,
        hypotheses.table(study, chapter.HYPOTHESES, asked, found, named.p_values(study, name)),
        differences.verdicts(study, asked, found, cells, named.adjusted(study), over_languages),
    )
