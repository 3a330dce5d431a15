"""What the pages of all wide chapters show, a call a part: the answer with its figure, the tables,
and what they say in words.

    page = of(study, rq3, over_languages=True)    # finds its runs, or computes them
    page.answers();  page.differences();  page.everything();  page.reading()

What only one chapter asks stands in its notebook."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import pandas as pd
from IPython.display import display

from xstilts import data
from xstilts.analysis import differences
from xstilts.book import comparison_figures, tables
from xstilts.chapters import hypotheses, named
from xstilts.questions import CHAPTERS
from xstilts.runs import records, store
from xstilts.runs.key import Wanted
from xstilts.study import graph, profiles
from xstilts.study.conditions import Comparison, Runs, short
from xstilts.study.profiles import Study

FIGURE = """
Differences with 95 % intervals. Filled: run here; hollow: something in it is recorded (*from* in
the table); a dash: not run. A difference that is as large in English, the language of the target's
training, says that the target was learned better or worse, not that more or less of it crossed to
other languages.
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
class Said:
    """What a study says of a chapter's hypotheses."""

    study: Study
    asked: Comparison
    decided: pd.DataFrame  # as `hypotheses.table` has it

    @property
    def rows(self) -> str:
        """How pages call the study."""
        return data.rows_are(self.study.data).capitalize()

    @property
    def runs(self) -> str:
        """How many of its runs are here, and where from."""
        return records.said(self.asked.wanted.values(), store.default_root())

    def answer(self) -> None:
        """The hypotheses in words."""
        said = hypotheses.words(self.decided)
        lines = [f"- **{{verdict{n}}}.** {{said{n}}}" for n in range(len(said))]
        values: dict[str, object] = {"rows": self.rows, "encoder": short(self.study.encoder)}
        for number, (verdict, words) in enumerate(said):
            values |= {f"verdict{number}": verdict, f"said{number}": words}
        tables.say("**{rows}**, encoder {encoder}:\n\n" + "\n".join(lines), **values)


@dataclass(frozen=True)
class Page(Said):
    found: Runs  # of what is asked for, what is at hand
    shown: pd.DataFrame  # as `differences.table` has it
    summed: pd.DataFrame  # as `differences.verdicts` has it
    beside: tuple[Said, ...] = ()  # of the embedded benchmark, where the study's rows are real

    def answers(self) -> None:
        """The hypotheses in words and in a figure, on real rows and on synthetic ones."""
        tables.quote(answer=hypotheses.short(self.decided))  # for the front page
        studies = (self, *self.beside)
        for said in studies:
            said.answer()
        runs = "\n".join(f"{said.rows}: {said.runs}" for said in studies)
        drawn = {said.rows.lower(): (said.study, said.decided) for said in studies}
        display(comparison_figures.hypotheses(drawn, runs))

    def differences(self) -> None:
        """All differences in a figure, the hypotheses and a verdict a comparison as tables."""
        display(comparison_figures.differences(self.study, self.asked, self.shown))
        tables.say(FIGURE)
        display(tables.show(self.decided))
        display(tables.show(self.summed))

    def everything(self) -> None:
        """All differences, a row each."""
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
    beside = tuple(
        Said(one, there, _decided(one, name, there, runs))
        for one in profiles.beside(study)[1:]
        for there, runs in [hypotheses.at_hand(one, name)]
    )
    return Page(
        study,
        asked,
        _decided(study, name, asked, found),
        found,
        cells,
        differences.verdicts(study, asked, found, cells, named.adjusted(study), over_languages),
        beside,
    )


def _decided(study: Study, name: str, asked: Comparison, found: Wanted) -> pd.DataFrame:
    beside = named.p_values(study, name)
    return hypotheses.table(study, CHAPTERS[name].HYPOTHESES, asked, found, beside)
