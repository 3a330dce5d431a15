"""What may stand behind a difference: kinds of languages and targets, a task's difficulty, masked
language modelling, cost.

    explain.groups(study, asked, found, languages.family)
    explain.conditions(study, found)

Each is a table over what `differences` shows, for a chapter to put beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats as scipy_stats

from xstilts.analysis import differences, repeats, reported, stats, typology, wording
from xstilts.analysis.grades import Estimate
from xstilts.runs import results
from xstilts.runs.key import Adapt, Score, Wanted, line, starting_encoder
from xstilts.study import costs
from xstilts.study.conditions import NONE, Comparison, Condition, Runs, against, short
from xstilts.study.profiles import Study
from xstilts.tasks import languages as names
from xstilts.tasks.table import TASKS

DISTANCE = "grammar's distance"
BEYOND = "above its targets' mean"
WORK = "10^15 operations"  # of all training and scoring behind a score


def groups(
    study: Study,
    asked: Comparison,
    found: Wanted,
    kind: Callable[[str], str],
    called: str,
    of: str = "language",
) -> pd.DataFrame:
    """A row a comparison and kind of languages (or of: "target"): mean difference over targets with
    its interval, and how many languages are behind it. English, in which targets are trained, is
    left out. called: the column of the kind."""
    part = differences.examples(study, found, leave_out=("en",))
    kinds = part[of].map(kind)
    targets = tuple(dict.fromkeys(target for _, target, _ in asked.wanted))
    rows = []
    for title, weights in asked.contrasts:
        for group, some in part[part.condition.isin(weights)].groupby(kinds):
            conditions = some.groupby("target").condition.nunique()
            there = tuple(target for target in targets if conditions.get(target) == len(weights))
            gain = differences.compare(study, found, some, dict.fromkeys(there, weights)).row()
            if there:
                count = some[some.target.isin(there)].language.nunique()
                rows.append(
                    {"comparison": title, called: group, "languages": count, "targets": len(there)}
                    | {key: gain[key] for key in ("difference", "low", "high", "grade")}
                )
    columns = ["comparison", called, "languages", "targets", "difference", "low", "high", "grade"]
    return pd.DataFrame(rows, columns=columns)


def sources(study: Study, asked: Comparison, found: Wanted, scored: Sequence[str]) -> pd.DataFrame:
    """A row a source language, of tasks against the same in English, and language that is scored:
    the source's family, how far its grammar is from that language's (`typology.distance`, nats),
    and the mean difference over tasks and targets."""
    columns = [
        "source",
        "family",
        "scored",
        DISTANCE,
        "comparisons",
        "mean difference",
        "median",
        "highest",
        "lowest",
    ]
    trained_on = {contrast.title: contrast.first.languages for contrast in asked.contrasts}
    rows = []
    for language in scored:
        shown = differences.table(study, asked, found, only=(language,))
        for source, gains in shown.groupby(shown.comparison.map(trained_on), sort=False).difference:
            name, kin = "mixture", ("–", np.nan)
            if len(source) == 1:
                (name,) = source
                kin = names.family(name), typology.distance(language, name, study.data)
            rows.append(
                (
                    name,
                    kin[0],
                    language,
                    kin[1],
                    gains.count(),
                    gains.mean(),
                    gains.median(),
                    gains.max(),
                    gains.min(),
                )
            )
    return pd.DataFrame(rows, columns=columns)


def languages(study: Study, asked: Comparison, found: Wanted) -> pd.DataFrame:
    """A row a comparison and language but English: how far its grammar is from English
    (`typology.distance`, nats), how many trained targets have the language, the mean difference
    over them, and the same above each target's own mean over languages, so that it does not matter
    which targets a language has. Trainings that were not learned are left out."""
    part = differences.examples(study, found, leave_out=("en",))
    part = part[part.learned.to_numpy(bool) & ~part.target.map(lambda name: TASKS[name].untrained)]
    cells = part.groupby(["condition", "target", "language"]).score.mean().unstack("condition")
    rows = []
    for title, weights in asked.contrasts:
        if not set(weights) <= set(cells):
            continue
        gains = sum(weight * cells[name] for name, weight in weights.items()).dropna()
        above = gains - gains.groupby("target").transform("mean")
        for code, some in gains.groupby("language"):
            beyond = above.xs(code, level="language").mean()
            far = typology.distance(str(code), "en", study.data)
            rows.append((title, code, far, len(some), some.mean(), beyond))
    return pd.DataFrame(
        rows, columns=["comparison", "language", DISTANCE, "targets", "mean difference", BEYOND]
    )


def each_language(study: Study, asked: Comparison, found: Wanted) -> pd.DataFrame:
    """A row a comparison, target and language: the difference with its 95 % interval, given what
    was learned; the scores without the task and after it; n and seeds. Nobody asked for so many
    differences beforehand, so none has a grade."""
    part, known = differences.examples(study, found), repeats.variance(study)
    part = part[part.learned.to_numpy(bool)]
    means = part.groupby(["condition", "target", "language"]).score.mean()
    there = {target: set(some.condition) for target, some in part.groupby("target", sort=False)}
    rows = []
    for title, weights in asked.contrasts:
        first, second = weights
        signs: dict[Hashable, float] = {name: sign for name, sign in weights.items()}
        for target in [name for name, some in there.items() if set(weights) <= some]:
            for code in sorted(set(means[first, target].index) & set(means[second, target].index)):
                gain = stats.contrast(part, signs, target, code, training=known)
                scores = means[second, target, code], means[first, target, code]
                row = title, target, code, gain.value, gain.low, gain.high, TASKS[target].metric
                rows.append((*row, *scores, gain.n, gain.seeds))
    columns = ["comparison", "target", "language", "difference", "low", "high", "metric"]
    return pd.DataFrame(rows, columns=[*columns, "without", "after", "n", "seeds"])


def difficulty(found: Runs, shown: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """A row a condition: its task's difficulty as measured (100 less the score on English dev rows
    after phase 2, at the same steps), and the mean gain over targets in each of the tables (called
    -> table). Seeds are averaged."""
    measured: dict[Condition, list[float]] = {}
    encoders = {
        (condition, seed): encoder
        for (condition, _, seed), run in found.items()
        if isinstance(encoder := starting_encoder(run), Adapt)
        and condition != NONE
        and results.has(encoder)
    }
    for (condition, _), encoder in encoders.items():
        dev = results.dev_scores(encoder)
        dev = dev[
            (dev.language == "en") & (dev.metric == dev.task.map(lambda name: TASKS[name].metric))
        ]
        measured.setdefault(condition, []).append(100 - dev.value.mean())
    rows = [
        {"condition": condition, "difficulty": float(np.mean(values)), "seeds": len(values)}
        for condition, values in measured.items()
    ]
    table = pd.DataFrame(rows, columns=["condition", "difficulty", "seeds"])
    for called, part in shown.items():
        gains = part.groupby("comparison").difference.mean()
        table[f"gain, {called}"] = [
            gains.get(against(one).title, np.nan) for one in table.condition
        ]
    return table


def related(table: pd.DataFrame, column: str, to: str = "difficulty") -> Estimate:
    """Pearson's correlation of a gain with what may explain it, over the rows that have both. NaN
    below four."""
    part = table.dropna(subset=[to, column])
    return correlation(part[to].to_numpy(), part[column].to_numpy())


def correlation(first: Sequence[float], second: Sequence[float]) -> Estimate:
    """Pearson's, -1 to 1, with the 95 % interval of Fisher's transformation; n is the number of
    pairs. NaN below four."""
    if len(first) < 4 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return Estimate(math.nan, math.nan, math.nan, len(first), 0, 0)
    found = scipy_stats.pearsonr(first, second)
    between = found.confidence_interval(0.95)
    return Estimate(found.statistic, between.low, between.high, len(first), 0, 0, found.pvalue)


def text(asked: Comparison, found: Runs, shown: pd.DataFrame) -> pd.DataFrame:
    """A row a condition that trained on text, too: the loss of masked language modelling on dev
    text (natural logarithm a masked piece), the share of masked pieces predicted right, and the
    mean gain against its English task alone."""
    rows = []
    for condition in dict.fromkeys(name for name, _, _ in found):
        encoders = {
            starting_encoder(run)
            for (name, _, _), run in found.items()
            if name == condition != NONE
        }
        tables = [
            results.dev_scores(encoder)
            for encoder in encoders
            if isinstance(encoder, Adapt) and "text" in encoder.trained and results.has(encoder)
        ]
        if tables:
            table = pd.concat(tables)
            means = table[table.task == "text"].groupby("metric").value.mean()
            of_it = [one.title for one in asked.contrasts if one.first == condition]
            gains = shown[shown.comparison.isin(of_it)].difference
            rows.append(
                {
                    "condition": condition,
                    "loss": means.get("loss", np.nan),
                    "masked accuracy": means.get("masked accuracy", np.nan),
                    "mean difference": gains.mean(),
                }
            )
    return pd.DataFrame(rows, columns=["condition", "loss", "masked accuracy", "mean difference"])


def conditions(study: Study, found: Wanted) -> pd.DataFrame:
    """A row a condition and target: the mean score over languages and the English one, n (the
    fewest examples of a language) and seeds; the intermediate tasks, and the languages and number
    of steps of their training (dashes where there is none); and the 10^15 operations behind a score
    (one seed)."""
    columns = [
        "condition",
        "target",
        "metric",
        "score",
        "in English",
        "n",
        "seeds",
        "tasks",
        "languages",
        "steps",
        WORK,
    ]
    if not found:
        return pd.DataFrame(columns=columns)
    main = reported.main_metric(study, results.scores(found))
    english = main[main.language == "en"].groupby(["condition", "target"]).value.mean()
    runs = {cell[:2]: run for cell, run in found.items()}
    return pd.DataFrame(
        [
            (
                *cell,
                TASKS[cell[1]].metric,
                part.value.mean(),
                english.get(cell, np.nan),
                part.n.min(),
                part.seed.nunique(),
                *_between(runs[cell]),
                sum(map(costs.work, line(runs[cell]))) / 1e15,
            )
            for cell, part in main.groupby(["condition", "target"], sort=False)
        ],
        columns=columns,
    )


def _between(run: Score) -> tuple[str, str, str]:
    encoder = starting_encoder(run)
    if not isinstance(encoder, Adapt) or encoder.tasks == ("text",):
        return "–", "–", "–"
    return (
        ", ".join(map(wording.title, encoder.tasks)),
        ", ".join(encoder.languages),
        str(costs.cost(encoder).steps),
    )


def sizes(study: Study, asked: Comparison, found: Runs, shown: pd.DataFrame) -> pd.DataFrame:
    """A row an encoder of the chapters on size: its mean gain over tasks and targets, and how well
    the targets are learned in English without a task: the mean score, and the lowest."""
    learned = reported.trainings(study, results.scores(found)) if found else pd.DataFrame()
    learned = learned.groupby(["condition", "target"]).value.mean() if found else pd.Series()
    names_of = learned.index.get_level_values("condition") if found else []
    compared: dict[Condition, list[str]] = {}  # an encoder without a task -> its differences
    for title, weights in asked.contrasts:
        _, *without = weights
        if len(without) == 1:  # not between two encoders
            compared.setdefault(without[0], []).append(title)
    rows = []
    for none, titles in compared.items():
        gains = shown.difference[shown.comparison.isin(titles)].dropna()
        alone = learned[[name == none for name in names_of]]
        rows.append(
            {
                "encoder": short(none.encoder),
                "mean gain": gains.mean(),
                "differences": len(gains),
                "English without a task": alone.mean(),
                "lowest": f"{alone.min():.1f} ({wording.title(alone.idxmin()[1])})"
                if len(alone)
                else "–",
            }
        )
    return pd.DataFrame(
        rows, columns=["encoder", "mean gain", "differences", "English without a task", "lowest"]
    )
