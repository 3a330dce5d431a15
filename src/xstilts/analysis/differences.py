"""Differences between conditions, as every table of the book has them: one pipeline from the runs
at hand to an estimate and its grade.

    found = graph.obtain(study, asked.wanted);  table = differences.table(study, asked, found)
    comparison_figures.differences(study, asked, table)
    tables.quote(**differences.words(study, asked, found, table))

A difference is given that both sides were learned (`reported`); beside it stand the share that
was, the mean with failures in, and how far seeds lie apart. What is neither in the store nor
recorded is a dash."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xstilts import data
from xstilts.analysis import grades, repeats, reported, stats, wording
from xstilts.analysis.reported import Weights
from xstilts.runs import records, results, store
from xstilts.runs.key import Score, Wanted, key, starting_encoder
from xstilts.study.conditions import Comparison
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS

FOUND = ["difference", "low", "high", "p", "grade", "in English", "learned", "with failures"]
FOUND += ["spread", "languages", "n", "seeds", "from"]
SUMMARY = ["comparison", "grade", "difference", "low", "high", "targets", "up", "down", "middle"]
SUMMARY += ["without the largest", "breadth"]
NOTHING = grades.Estimate(np.nan, np.nan, np.nan, 0, 0, 0)


@dataclass(frozen=True)
class Compared:
    """A mean over targets of weighted sums of conditions: what `compare` finds."""

    estimate: grades.Estimate  # given learned
    margin: float  # points below which it is no difference
    english: float  # the same in the language of the target's training alone
    whole: float  # with failures in
    learned: str  # trainings of those that count up and down: "3/3 | 2/3"
    spread: str  # points, of seeds' means, on both sides: "1.2 | 0.8"
    places: str  # live, recorded
    ran: bool

    def grade(self, adjusted: float = 1.0) -> str:
        """By the book's one rule. adjusted: as in `grades.grade`."""
        if not self.ran:
            return grades.NOT_RUN
        return grades.grade(self.estimate, self.margin, adjusted)

    def row(self) -> dict[str, object]:
        """What tables show of it."""
        found, there = self.estimate, not np.isnan(self.estimate.value)
        return {
            "difference": found.value,
            "low": found.low,
            "high": found.high,
            "p": found.p,
            "grade": self.grade(),
            "in English": self.english,
            "learned": self.learned,
            "with failures": self.whole,
            "spread": self.spread,
            "languages": found.languages if there else "–",
            "n": found.n if there else "–",
            "seeds": found.seeds if there else "–",
            "from": self.places,
        }


def table(
    study: Study,
    asked: Comparison,
    found: Wanted,
    over_languages: bool = False,
    only: tuple[str, ...] | None = None,
) -> pd.DataFrame:
    """A row a comparison and target: difference in points with its interval, p, p after Holm over
    the whole table, and grade; the same in English alone; trainings learned on both sides, the
    difference with failures in, and the spread of seeds; languages, n, seeds, where it is from. No
    cell was named beforehand, so none is strong.

    over_languages: intervals and p speak of other languages, too. only: of these languages; none of
    them, no difference."""
    part = examples(study, found)
    targets = list(dict.fromkeys(target for _, target, _ in asked.wanted))
    pairs = {(condition, target) for condition, target, _ in asked.wanted}
    rows = [
        {"comparison": name, "target": target, "metric": TASKS[target].metric}
        | compare(study, found, part, {target: weights}, over_languages, only).row()
        for name, weights in asked.contrasts
        for target in targets
        if all((condition, target) in pairs for condition in weights)
    ]
    result = pd.DataFrame(rows, columns=["comparison", "target", "metric", *FOUND])
    result.insert(7, "p (Holm)", grades.holm(result.p))
    return result


def examples(study: Study, found: Wanted, leave_out: tuple[str, ...] = ()) -> pd.DataFrame:
    """Examples of the runs, of those that tables show, as `prepared`, with the keys of the run and
    of its trainings."""
    if not found:
        columns = ["condition", "target", "seed", "language", "metric", "layer", "numerator"]
        columns += ["denominator", "unit", "learned", "score", *stats.KEYS]
        return pd.DataFrame(columns=columns)
    part = prepared(study, results.scores(found), results.examples(found))
    part = part[~part.language.isin(leave_out)].reset_index(drop=True)
    cells = list(zip(part.condition, part.target, part.seed, strict=True))
    keys = {cell: _keys(found[cell]) for cell in dict.fromkeys(cells)}
    for place, name in enumerate(stats.KEYS):
        part[name] = pd.Series([keys[cell][place] for cell in cells], part.index, dtype=object)
    return part


def prepared(study: Study, table: pd.DataFrame, examples: pd.DataFrame) -> pd.DataFrame:
    """The examples (of `results.examples`) that tables show (`reported.main_metric`), with their
    score, and whether the training was learned. table: of `results.scores`, of the same runs."""
    part, failed = reported.main_metric(study, examples), reported.failed(study, table)
    cells = zip(part.condition, part.target, part.seed, strict=True)
    pairs = zip(part.numerator, part.denominator, strict=True)
    return part.assign(
        learned=np.array([cell not in failed for cell in cells], dtype=bool),
        score=[
            100 * above.sum() / below.sum() if below.sum() else np.nan for above, below in pairs
        ],
    )


def _keys(run: Score) -> tuple[Hashable, Hashable, Hashable]:
    """Of the run, and of the trainings of phases 2 and 3 behind it; None where there is none."""
    if not isinstance(run, Score):
        return key(run), key(run), None
    start = key(starting_encoder(run))
    return key(run), repeats.phase2(run), stats.phase3_key(start, run.target, run.seed)


def compare(
    study: Study,
    found: Wanted | None,
    part: pd.DataFrame,
    weights: Mapping[str, Weights],
    over_languages: bool = False,
    only: tuple[str, ...] | None = None,
    given: Mapping[str, Weights] | None = None,
) -> Compared:
    """The weighted sum of conditions (weights: target -> conditions') over those of the targets
    that have all of them; targets count alike.

    part: of `examples`. found: its runs; None: what `part` has, wherever that is from. only: of
    these languages. given: the weights given what was learned, where they are not those of
    `reported.given_learned`.

    A condition may have other seeds than the next, and more of them. Where a training was not
    learned, the others of its condition stand for it; where none was, the condition is left out
    (`reported.without`), and with it the target where nothing remains to be compared."""
    has = (
        set(zip(part.condition, part.target, strict=True))
        if found is None
        else {cell[:2] for cell in found}
    )
    weights = {
        target: some
        for target, some in weights.items()
        if some and all((condition, target) in has for condition in some)
    }
    if not weights or only == ():
        return Compared(NOTHING, 1.0, np.nan, np.nan, "–", "–", "–", False)
    runs = [run for cell, run in (found or {}).items() if cell[0] in weights.get(cell[1], {})]
    places = records.source(runs, store.default_root())
    pairs = zip(part.condition, part.target, strict=True)
    part = part[np.array([pair[0] in weights.get(pair[1], {}) for pair in pairs], dtype=bool)]
    there = set(zip(part.condition, part.target, strict=True))
    if found and len(there) < sum(map(len, weights.values())):
        cells = {cell: run for cell, run in found.items() if cell[0] in weights.get(cell[1], {})}
        return _scores_alone(study, cells, weights, only)
    learned = part[part.learned.to_numpy(bool)]
    given = reported.given_learned(learned, weights) if given is None else given
    shown = learned if only is None else learned[learned.language.isin(only)]
    english = learned[learned.language == "en"]
    training = repeats.variance(study)
    estimate = stats.mean(shown, given, over_languages=over_languages, training=training)
    whole = part if only is None else part[part.language.isin(only)]
    if not len(whole):
        return Compared(NOTHING, 1.0, np.nan, np.nan, "–", "–", "–", False)
    failures = len(learned) < len(part)
    return Compared(
        estimate,
        grades.margin(len(weights)),
        _value(english, given),
        _value(whole, weights) if failures else estimate.value,
        _shares(part, weights, lambda rows: f"{rows.learned.sum()}/{len(rows)}"),
        _shares(learned, given, _spread),
        " and ".join(where for where, some in places.items() if some) or "–",
        True,
    )


def _scores_alone(
    study: Study, found: Wanted, weights: Mapping[str, Weights], only: tuple[str, ...] | None
) -> Compared:
    """Of runs whose records were too large to keep examples: the difference, without an interval,
    and so without a grade."""
    rows = reported.main_metric(study, results.scores(found))
    rows = rows if only is None else rows[rows.language.isin(only)]
    if not len(rows):
        return Compared(NOTHING, 1.0, np.nan, np.nan, "–", "–", "–", False)
    means = rows.groupby(["target", "condition"]).value.mean().unstack()
    value = float((means * pd.DataFrame(weights).T.reindex(means.index)).sum(axis=1).mean())
    languages = int(rows.groupby("target").language.nunique().sum())
    found_at = records.source(found.values(), store.default_root())
    return Compared(
        grades.Estimate(value, np.nan, np.nan, int(rows.n.min()), rows.seed.nunique(), languages),
        grades.margin(len(weights)),
        np.nan,
        value,
        "–",
        "–",
        " and ".join(where for where, some in found_at.items() if some) or "–",
        True,
    )


def _value(part: pd.DataFrame, weights: Mapping[str, Weights]) -> float:
    there = set(zip(part.condition, part.target, strict=True))
    whole = {
        target: some
        for target, some in weights.items()
        if all((condition, target) in there for condition in some)
    }
    return stats.mean(part, whole).value if whole else np.nan


def _shares(
    part: pd.DataFrame, weights: Mapping[str, Weights], say: Callable[[pd.DataFrame], str]
) -> str:
    """What `say` makes of the runs (a row each) of the conditions that count up, and of those that
    count down."""
    cells: dict[tuple, list[tuple[float, bool]]] = {}  # by hand: groupby takes ten times as long
    for *cell, score, learned in zip(
        part.condition, part.target, part.seed, part.score, part.learned, strict=True
    ):
        cells.setdefault(tuple(cell), []).append((score, bool(learned)))
    rows = [
        (*cell, np.mean([score for score, _ in some]), all(learned for _, learned in some))
        for cell, some in cells.items()
    ]
    runs = pd.DataFrame(rows, columns=["condition", "target", "seed", "score", "learned"])
    signs = np.array([np.sign(weights.get(row[1], {}).get(row[0], 0)) for row in rows])
    return " | ".join(say(runs[signs == sign]) for sign in (1, -1) if (signs == sign).any()) or "–"


def _spread(rows: pd.DataFrame) -> str:
    """The deviation of a condition's seeds on a target, over all of them."""
    cells: dict[tuple, list[float]] = {}
    for condition, target, score in zip(rows.condition, rows.target, rows.score, strict=True):
        cells.setdefault((condition, target), []).append(score)
    squares = [np.var(some, ddof=1) for some in cells.values() if len(some) > 1]
    return f"{np.sqrt(np.mean(squares)):.1f}" if squares else "–"


def verdicts(
    study: Study,
    asked: Comparison,
    found: Wanted,
    shown: pd.DataFrame,
    named: pd.DataFrame | None = None,
    over_languages: bool = False,
) -> pd.DataFrame:
    """A row a comparison: grade, mean over targets with its interval, over how many targets, how
    many of these are clearly up or down, and how broad it is. shown: its `table`. named: what
    the book names beforehand (effect, low, p (Holm)); a comparison that is one of these has its
    grade."""
    part, rows = examples(study, found), []
    for name, weights in asked.contrasts:
        cells = shown[shown.comparison == name].set_index("target")
        compared = compare(study, found, part, dict.fromkeys(cells.index, weights), over_languages)
        clear = cells[cells.grade.isin(grades.CLEAR)].difference
        there = cells.difference.dropna()
        rows.append(
            {
                "comparison": name,
                "grade": compared.grade(_adjusted(compared, named)),
                **{each: compared.row()[each] for each in ("difference", "low", "high")},
                "targets": f"{len(there)} of {len(cells)}",
                "up": int((clear > 0).sum()),
                "down": int((clear < 0).sum()),
                **grades.breadth(there),
            }
        )
    return pd.DataFrame(rows, columns=SUMMARY)


def _adjusted(compared: Compared, named: pd.DataFrame | None) -> float:
    """p after Holm of the question that was named beforehand and is this comparison; 1 of none."""
    if named is None:
        return 1.0
    own = compared.estimate
    same = named[np.isclose(named.effect, own.value) & np.isclose(named.low, own.low)]
    return float(same["p (Holm)"].min()) if len(same) else 1.0


def words(study: Study, asked: Comparison, found: Wanted, shown: pd.DataFrame) -> dict[str, object]:
    """What the prose of a chapter quotes."""
    there = shown.dropna(subset="difference")
    clear = there[there.grade.isin(grades.CLEAR)]
    summed = verdicts(study, asked, found, shown)
    sure = summed[summed.grade.isin(grades.CLEAR)]
    top = clear.loc[clear.difference.abs().idxmax()] if len(clear) else None
    failed = reported.failed(study, results.scores(found)) if found else ()
    there_keys = set(map(key, found.values()))
    return {
        "data": data.where(study.data),
        "encoder": study.encoder.rpartition("/")[2],
        "seeds": len(study.seeds),
        "runs": len(there_keys | set(map(key, asked.wanted.values()))),
        "there": len(there_keys),
        "trust": repeats.words(study, behind(shown)),
        "differences": len(there),
        "asked": len(shown),
        "up": int((clear.difference > 0).sum()),
        "down": int((clear.difference < 0).sum()),
        "same": int((there.grade == grades.SAME).sum()),
        "unclear": int((there.grade == grades.OPEN).sum()),
        "largest": "none" if top is None else wording.cell_title(top.comparison, top.target),
        "largest_value": wording.signed(np.nan if top is None else top.difference),
        "not_learned": wording.listed({wording.cell_title(*cell[:2]) for cell in failed}),
        "helping": "; ".join(sure.comparison[sure.difference > 0].map(wording.title)) or "none",
        "hurting": "; ".join(sure.comparison[sure.difference < 0].map(wording.title)) or "none",
    }


def behind(shown: pd.DataFrame) -> int | None:
    """The fewest seeds behind a table's differences; None where there is none."""
    seeds = pd.to_numeric(shown.seeds, errors="coerce").dropna()
    return int(seeds.min()) if len(seeds) else None
