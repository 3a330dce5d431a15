"""A person's own target: does a detour help it, which one, and what is that worth?

    study = own_targets.study(targets="reviews", data="~/rows")
    answer = your_target.Answer.of(study)      # finds the runs, or computes them
    answer.words()                             # "MNLI first: +3.1 points [1.0, 5.2] over …"

The target without intermediate training is compared with each candidate by the book's one rule
(`verdicts.decide`); p is adjusted for the number of candidates. English, or the language that the
target is trained in, stands apart from the others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from xstilts import data
from xstilts.analysis import differences, grades, repeats, reported, wording
from xstilts.chapters import verdicts
from xstilts.runs import results
from xstilts.runs.key import Wanted
from xstilts.study import graph
from xstilts.study.conditions import NONE, Comparison, Condition, short
from xstilts.study.own_targets import HALF, compared, fewer, training_rows
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS

ABOUT_THE_EXAMPLE = """
*This is an example, computed while the book is built*: does a question ask for a place? It is made
of rows of the embedded benchmark, with two layers of the encoder and very short trainings, so that
the page shows how an answer looks, and no advice.
"""
READING = """
Intermediate rows: {data}; encoder {encoder}; trained on {rows} rows of the target. {trust}
"""
UNLEARNED = (
    "Nothing to compare: the target was not learned with these rows and steps. More rows or steps "
    "(-p phase3_steps) come before any detour."
)
SETTLED = 0.5  # points that twice the rows give, for what a gain is worth in rows
MOST_TIMES = 10  # the rows: beyond that nothing is said
SHOWN = ["intermediate", "verdict", "difference", "low", "high", "p", "p (Holm)", "minutes"]
SHOWN += ["why open", "would settle it", "learned", "languages", "n", "seeds", "from"]


@dataclass(frozen=True)
class Answer:
    """What the runs say. asked: those of `compared`; found: those of them, and of `fewer`, that
    are at hand."""

    study: Study
    asked: Comparison
    found: Wanted

    @staticmethod
    def of(asked: Study) -> Answer:
        """The runs are found, or computed where the study says so."""
        comparison = compared(asked)
        return Answer(asked, comparison, graph.obtain(asked, comparison.wanted | fewer(asked)))

    @property
    def target(self) -> str:
        return self.study.targets[0]

    @cached_property
    def languages(self) -> dict[str, tuple[str, ...]]:
        """The scored languages: "other languages", and that of the training rows by its name."""
        every = next(iter(self.asked.wanted.values())).languages
        own_one = TASKS[self.target].trained_in
        others = tuple(language for language in every if language != own_one)
        called = wording.language(own_one)
        found = {"other languages": others, called: tuple({own_one} & {*every})}
        return {name: some for name, some in found.items() if some}

    @cached_property
    def runs(self) -> Wanted:
        return {cell: run for cell, run in self.found.items() if cell[0] != HALF}

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """For each of `languages` a row a candidate, the largest difference first."""
        part = differences.examples(self.study, self.runs)
        found = {}
        for name, languages in self.languages.items():
            questions = [
                verdicts.Question(
                    {self.target: [contrast.weights]}, self.runs, part, only=languages
                )
                for contrast in self.asked.contrasts
            ]
            decided = verdicts.decide(self.study, questions).rename(
                columns={"effect": "difference"}
            )
            decided["intermediate"] = [contrast.first for contrast in self.asked.contrasts]
            decided["languages"] = len(languages)
            decided["minutes"] = [self.minutes(contrast.first) for contrast in self.asked.contrasts]
            found[name] = decided[SHOWN].sort_values("difference", ascending=False)
        return found

    def shown_differences(self) -> pd.DataFrame:
        """As `differences.table` has them, for the figure: over the first of `languages`."""
        only = next(iter(self.languages.values()))
        return differences.table(self.study, self.asked, self.runs, only=only)

    def minutes(self, condition: Condition) -> float:
        """What one seed of a condition took, with its intermediate training."""
        runs = [run for (name, _, _), run in self.runs.items() if name == condition]
        return 60 * verdicts.hours(runs[:1]) if runs else np.nan

    # ------------------------------------------------------------ in words

    def words(self) -> str:
        """The answer in a sentence or two."""
        place, table = next(iter(self.tables.items()))
        known = table.dropna(subset="difference")
        if not len(known):
            return UNLEARNED if (table.verdict == grades.NOT_LEARNED).any() else "Not run yet."
        helping = known[known.verdict.isin([f"{grade} for" for grade in grades.CLEAR])]
        surely = helping[helping.verdict == f"{grades.STRONG} for"]
        first = (surely if len(surely) else helping if len(helping) else known).iloc[0]
        said = f"{wording.title(first.intermediate)} first: {self._gain(first, place)}"
        if len(surely):
            return f"{said}{self._worth(first, place)}; {first.minutes:.0f} minutes here for one."
        if len(helping):
            return (
                f"Perhaps. {said}, which is clear of 0 but not when p is adjusted for the "
                f"{len(table)} candidates. More seeds would say."
            )
        no_use = [grades.SAME, *(f"{grade} against" for grade in grades.CLEAR)]
        if known.verdict.isin(no_use).all():
            return (
                f"Don't bother: none of the {len(known)} candidates helps in {place}. The best, "
                f"{said}."
            )
        return (
            f"Can't tell. The best so far, {said}: {first['why open'] or 'open'}. What would "
            f"settle it: {first['would settle it'] or 'more seeds'}."
        )

    def _gain(self, row: pd.Series, place: str) -> str:
        count = len(self.languages[place])
        over = f"{count} languages" if count > 1 else repr(*self.languages[place])
        return (
            f"{wording.signed(row.difference)} points [{row.low:.1f}, {row.high:.1f}] over {over}, "
            f"{row.seeds} seed{'s' if row.seeds > 1 else ''}"
        )

    def _worth(self, row: pd.Series, place: str) -> str:
        more = self.worth(row.difference, place)
        if np.isnan(more):
            return ""
        return f"; about what {_rounded(more)} more labelled rows would give"

    def worth(self, gain: float, place: str) -> float:
        """How many more labelled rows would give the gain, if each doubling of the rows gives what
        the last one gave; NaN where that gave less than SETTLED, or it would be more than
        MOST_TIMES the rows."""
        means = self.means(place)
        doubling = means.get(NONE, np.nan) - means.get(HALF, np.nan)
        if not doubling > SETTLED or not gain > 0:
            return np.nan
        times = 2 ** (gain / doubling) - 1
        return times * training_rows(self.study) if times <= MOST_TIMES else np.nan

    def means(self, place: str) -> dict[Condition, float]:
        """The score of each condition, over the languages and seeds."""
        if not self.found:
            return {}
        table = reported.main_metric(self.study, results.scores(self.found))
        table = table[table.language.isin(self.languages[place])]
        return table.groupby("condition").value.mean().to_dict()

    def reading(self) -> dict[str, object]:
        """What READING quotes."""
        untrained = TASKS[self.target].untrained
        return {
            "data": data.where(self.study.data),
            "encoder": short(self.study.encoder),
            "rows": "no" if untrained else training_rows(self.study),
            "trust": repeats.words(self.study),
        }

    # ------------------------------------------------------------ scores and predictions

    def scores(self) -> pd.DataFrame:
        """A row a condition, with its mean score in each of `languages`, and the metric."""
        means = {name: self.means(name) for name in self.languages}
        order = [NONE, *(contrast.first for contrast in self.asked.contrasts), HALF]
        rows = [
            {"condition": condition, "metric": TASKS[self.target].metric}
            | {name: part.get(condition, np.nan) for name, part in means.items()}
            for condition in order
        ]
        return pd.DataFrame(rows)

    @cached_property
    def predicted(self) -> pd.DataFrame:
        """Predictions for unlabelled rows: condition, seed, language, example, input,
        prediction."""
        parts = [
            results.unlabelled(run).assign(condition=condition, seed=seed)
            for (condition, _, seed), run in self.runs.items()
        ]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()

    def agreement(self) -> pd.DataFrame:
        """A row a candidate and language: the share (0-100) of unlabelled rows on which it says
        what none says, with the same seed. The yardstick is none itself with two seeds."""
        if not len(self.predicted):
            return pd.DataFrame()
        place = ["language", "example"]
        said = {
            cell: part.set_index(place).prediction
            for cell, part in self.predicted.groupby(["condition", "seed"])
        }
        seeds = [seed for condition, seed in said if condition == NONE]
        pairs = [
            (f"{wording.title(condition)} and none", (condition, seed), (NONE, seed))
            for condition, seed in said
            if condition != NONE and seed in seeds
        ]
        pairs += [
            ("none with two seeds", (NONE, one), (NONE, other))
            for one, other in zip(seeds, seeds[1:], strict=False)
        ]
        rows = [
            {"who": who, "language": language, "agree": 100 * float(same.mean()), "rows": len(same)}
            for who, one, other in pairs
            for language, same in (said[one] == said[other]).groupby("language")
        ]
        return pd.DataFrame(rows).groupby(["who", "language"], as_index=False, sort=False).mean()

    def shown(self, count: int = 5) -> pd.DataFrame:
        """The first unlabelled rows of each language, with what none and each candidate predict, of
        the first seed."""
        if not len(self.predicted):
            return pd.DataFrame()
        first = self.predicted[self.predicted.seed == self.study.seeds[0]]
        first = first[first.example < count].assign(
            condition=first.condition.map(lambda name: wording.title(name))
        )
        table = first.pivot(
            index=["language", "example", "input"], columns="condition", values="prediction"
        )
        return table.reset_index().drop(columns="example").rename_axis(columns=None)


def _rounded(count: float) -> int:
    """Two digits of a number of rows: more is not known."""
    return int(round(count, 2 - len(str(int(count))))) if count >= 100 else round(count)
