"""Differences between conditions, as the wide chapters show them: a table, a figure, and words that follow from both.

    found = graph.obtain(study, asked.wanted)
    table = compare.table(study, asked, found)
    compare.figure(study, table);  report.quote(**compare.words(study, asked, found, table))

What was not run is a dash. With "dash" the store alone is asked, so a chapter that needs hours costs seconds.
"""
from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from . import data, report, stats
from . import study as graph
from .comparisons import Comparison
from .profiles import Study
from .spec import Adapt, key
from .tasks import TASKS

ALPHA = 0.05
SHOWN = 40     # rows of a figure; the table has all


def table(study: Study, asked: Comparison, found: graph.Wanted, over_languages: bool = False,
          leave_out: tuple[str, ...] = (), only: tuple[str, ...] = ()) -> pd.DataFrame:
    """A row a comparison and target: difference in points with its interval, p and p after Holm over the whole table,
    languages, n, seeds. Only seeds that all conditions of a comparison have count.

    over_languages: intervals and p speak of other languages, too. leave_out, only: of the languages.
    """
    examples = _main(study, graph.examples(found)) if found else pd.DataFrame({"language": []})
    examples = examples[~examples.language.isin(leave_out) & (examples.language.isin(only) if only else True)]
    targets, rows = list(dict.fromkeys(target for _, target, _ in asked.wanted)), []
    for name, weights in asked.contrasts:
        for target in targets:
            seeds = [seed for seed in study.seeds if all((condition, target, seed) in found for condition in weights)]
            row = {"comparison": name, "target": target, "metric": TASKS[target].metric}
            part = examples[(examples.target == target) & examples.condition.isin(weights) & examples.seed.isin(seeds)] \
                if seeds else examples.head(0)
            if not len(part):
                rows.append(row | dict.fromkeys(("difference", "low", "high", "p"), np.nan)
                            | dict.fromkeys(("languages", "n", "seeds"), "–"))
                continue
            gain = stats.contrast(part, weights, target, over_languages=over_languages)
            rows.append(row | {"difference": gain.value, "low": gain.low, "high": gain.high, "p": gain.p,
                               "languages": gain.languages, "n": gain.n, "seeds": gain.seeds})
    result = pd.DataFrame(rows, columns=["comparison", "target", "metric", "difference", "low", "high", "p", "languages",
                                         "n", "seeds"])
    result.insert(7, "p (Holm)", stats.holm(result.p))
    return result


def _main(study: Study, examples: pd.DataFrame) -> pd.DataFrame:
    """Each target's first metric; retrieval at the study's layer, or the last one of an encoder that has fewer."""
    examples = examples[examples.metric == examples.target.map(lambda name: TASKS[name].metric)]
    last = examples.groupby(["condition", "target"]).layer.transform("max")
    return examples[examples.layer == np.minimum(last, study.layer)]


def verdict(rows: pd.DataFrame) -> str:
    """The rule: a difference counts if its p after Holm is below 0.05. All that count go up: *helps*; all down: *hurts*; some
    each way: *helps some targets and hurts others*; none counts: *can't tell*; no difference at hand: *not run*."""
    rows = rows.dropna(subset="difference")
    counts = rows[rows["p (Holm)"] < ALPHA].difference
    if not len(rows):
        return "not run"
    if not len(counts):
        return "can't tell"
    return "helps" if (counts > 0).all() else "hurts" if (counts < 0).all() else "helps some targets and hurts others"


def verdicts(shown: pd.DataFrame) -> pd.DataFrame:
    """A row a comparison: over how many targets, the mean difference over these, how many count, the verdict."""
    return pd.DataFrame([{"comparison": name, "targets": len(rows.dropna(subset="difference")),
                          "mean difference": rows.difference.mean(),
                          "up": int(((rows["p (Holm)"] < ALPHA) & (rows.difference > 0)).sum()),
                          "down": int(((rows["p (Holm)"] < ALPHA) & (rows.difference < 0)).sum()),
                          "verdict": verdict(rows)} for name, rows in shown.groupby("comparison", sort=False)],
                        columns=["comparison", "targets", "mean difference", "up", "down", "verdict"])


def figure(study: Study, shown: pd.DataFrame) -> Figure:
    """Differences with their 95 % intervals, a marker a target; a dash where nothing was run. At most SHOWN rows: those
    with a difference go first."""
    shown = shown.assign(there=shown.groupby("comparison").difference.transform("count") > 0)
    names = list(shown.sort_values("there", ascending=False, kind="stable").comparison.unique())[:SHOWN]
    targets = list(shown.target.unique())
    drawn, axis = plt.subplots(figsize=(7.5, 0.42 * max(3, len(names)) + 1.2))
    for number, target in enumerate(targets):
        part = shown[(shown.target == target) & shown.comparison.isin(names)].dropna(subset="difference")
        places = [names.index(name) + 0.6 * ((number + 0.5) / len(targets) - 0.5) for name in part.comparison]
        errors = np.array([part.difference - part.low, part.high - part.difference]).clip(min=0)
        axis.errorbar(part.difference, places, xerr=errors, fmt="osD^vP*X<>"[number % 10], ms=5, lw=1,
                      label=report.title(target))
    for place, name in enumerate(names):
        if shown[shown.comparison == name].difference.isna().all():
            axis.text(0, place, "–", ha="center", va="center", color="0.4")
    axis.axvline(0, color="0.4", lw=1)
    axis.set(yticks=range(len(names)), yticklabels=names, xlabel="difference in points (95 % interval)",
             ylim=(len(names) - 0.5, -0.5))
    axis.tick_params(axis="y", labelsize=9)
    axis.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return report.stamp(study, drawn)


def difficulty(found: graph.Wanted, *shown: pd.DataFrame) -> pd.DataFrame:
    """A row a condition: its task's difficulty as measured (100 less the score on English dev rows after phase 2, at the
    same steps), and the mean gain over targets in each of the tables. Seeds are averaged."""
    measured: dict[str, list[float]] = {}
    for run in {(condition, seed): run for (condition, _, seed), run in found.items() if isinstance(run.encoder, Adapt)
                and condition != graph.NONE and graph.has(run.encoder)}.items():
        (condition, _), score = run
        dev = graph.dev_scores(score.encoder)
        dev = dev[(dev.language == "en") & (dev.metric == dev.task.map(lambda name: TASKS[name].metric))]
        measured.setdefault(condition, []).append(100 - dev.value.mean())
    rows = [{"condition": condition, "difficulty": float(np.mean(values)), "seeds": len(values)}
            for condition, values in measured.items()]
    table = pd.DataFrame(rows, columns=["condition", "difficulty", "seeds"])
    for number, part in enumerate(shown):
        gains = part.groupby("comparison").difference.mean()
        table[f"gain {number + 1}"] = (table.condition + " against none").map(gains).astype(float)
    return table


def related(table: pd.DataFrame, column: str) -> stats.Estimate:
    """Pearson's correlation of a gain with the difficulty, over conditions. NaN below four."""
    part = table.dropna(subset=["difficulty", column])
    return stats.correlation(part.difficulty.to_numpy(), part[column].to_numpy())


def words(study: Study, asked: Comparison, found: graph.Wanted, shown: pd.DataFrame) -> dict[str, object]:
    """What the prose of a chapter quotes."""
    there = shown.dropna(subset="difference")
    counts, summed = there[there["p (Holm)"] < ALPHA], verdicts(shown)
    top = f"{counts.loc[counts.difference.abs().idxmax(), 'comparison']}" if len(counts) else "none"
    return {"data": data.where(study.data), "encoder": study.encoder.rpartition("/")[2], "seeds": len(study.seeds),
            "runs": len({key(run) for run in asked.wanted.values()}), "there": len({key(run) for run in found.values()}),
            "differences": len(there), "asked": len(shown), "up": int((counts.difference > 0).sum()),
            "down": int((counts.difference < 0).sum()), "unclear": len(there) - len(counts), "largest": top,
            "largest_value": report.signed(counts.difference[counts.difference.abs().idxmax()] if len(counts) else np.nan),
            "helping": ", ".join(summed[summed.verdict == "helps"].comparison) or "none",
            "hurting": ", ".join(summed[summed.verdict == "hurts"].comparison) or "none"}


def cost(asked: Comparison, found: graph.Wanted) -> pd.DataFrame:
    """What the chapter's runs took, each counted once: those at hand, with the encoders they start from."""
    every = {key(run): run for wanted in asked.wanted.values() for run in graph.line(wanted)}
    there = {key(run): run for wanted in found.values() for run in graph.line(wanted)}
    took = [graph.seconds(run) for run in there.values() if graph.has(run)]
    return pd.DataFrame([{"runs": len(every), "of them here": len(took),
                          "asked for by several conditions": sum(len(graph.line(run)) for run in asked.wanted.values())
                          - len(every), "minutes": sum(took) / 60 if took else np.nan}])
