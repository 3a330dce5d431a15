"""The paper's claims beside what this profile says of them: the front page of the book.

    asked = wanted(study);  table(study, asked, obtain(study, asked))

A claim is a weighted sum of conditions over some targets, and a rule that turns its interval into a verdict:

    gain       agrees if the effect is above 0 (p after Holm over all claims below 0.05), disagrees if below
    no gain    agrees if the whole 95 % interval is below MARGIN points, disagrees if the effect counts and is above 0
    each       as gain, and all single differences but at most one go up; disagrees also if most of them go down

Else it is "can't tell"; "not run" where no target has all the runs that the claim needs.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from . import compare, comparisons, figures, records, repeats, report, stats, store
from . import study as graph
from .compare import ALPHA
from .comparisons import NAMED_BEST, Comparison
from .profiles import Study
from .study import NONE

MARGIN = 1.0     # points: a gain that nobody would train twice for
Weights = dict[str, float]


@dataclass(frozen=True)
class Claim:
    text: str
    chapter: str                                      # whose runs decide: a function of `comparisons`
    weigh: Callable[[list[str]], list[Weights]]       # conditions -> single differences, whose mean is the effect
    targets: tuple[str, ...] = ()                     # () = all of the chapter's
    rule: str = "gain"
    published: tuple[str, str] | None = None          # version and finding, in book/published/phang2020.csv


def _tasks(names: list[str]) -> list[str]:
    """Conditions that are one intermediate task as it is."""
    return [name for name in names if name in comparisons.NINE]


def _alone(task: str) -> Callable:
    return lambda names: [{task: 1, NONE: -1}] if task in names else []


def _each(names: list[str]) -> list[Weights]:
    return [{name: 1, NONE: -1} for name in _tasks(names)]


def _named_against_others(names: list[str]) -> list[Weights]:
    there = _tasks(names)
    named, others = [name for name in there if name in NAMED_BEST], [name for name in there if name not in NAMED_BEST]
    if len(named) < len(NAMED_BEST) or not others:
        return []
    return [{name: 1 / len(named) for name in named} | {name: -1 / len(others) for name in others}]


def _all_against(other: str) -> Callable:
    return lambda names: [{"all, own steps": 1, other: -1}] if {"all, own steps", other} <= set(names) else []


def _less(suffixes: tuple[str, ...], of: str = "") -> Callable:
    """English tasks less the same tasks with something done to them."""
    return lambda names: [{name: 1, name.removesuffix(of) + suffix: -1} for name in names for suffix in suffixes
                          if name.endswith(of) and name.removesuffix(of) + suffix in names]


CLAIMS = (
    Claim("SQuAD is among the tasks that help most", "xtreme", _alone("squad"),
          published=("v1 abstract", "best single intermediate task is SQuAD: difference to no intermediate training")),
    Claim("MNLI is among the tasks that help most", "xtreme", _alone("mnli")),
    Claim("HellaSwag is among the tasks that help most", "xtreme", _alone("hellaswag")),
    Claim("These three help more than the other six", "xtreme", _named_against_others),
    Claim("All tasks together help (nine in the paper)", "multi_task", _all_against(NONE)),
    Claim("All together help more than the best single task, SQuAD", "multi_task", _all_against("squad")),
    Claim("BUCC and Tatoeba improve with almost every task", "xtreme", _each, ("bucc", "tatoeba"), "each"),
    Claim("TyDiQA gains consistently", "xtreme", _each, ("tydiqa",), "each"),
    Claim("XNLI does not gain", "xtreme", _each, ("xnli",), "no gain"),
    Claim("The best task for each target gains on XTREME", "best", _alone("best on dev"),
          published=("v2 abstract", "best intermediate task for each target: difference to XLM-R Large")),
    Claim("English tasks beat the same with MLM mixed in", "mlm_continuation", _less((" + 25% text", " + 50% text"))),
    Claim("English tasks beat the same translated", "translated", _less((" translated",), " in English")),
    Claim("Three-phase training works: English tasks help on average", "xtreme", _each),
)
CHAPTERS = tuple(dict.fromkeys(claim.chapter for claim in CLAIMS if claim.chapter != "best"))


def wanted(study: Study) -> dict[str, Comparison]:
    """chapter -> what it compares: the runs that the claims rest on."""
    return {name: getattr(comparisons, name)(study) for name in CHAPTERS}


def obtain(study: Study, asked: dict[str, Comparison]) -> dict[str, graph.Wanted]:
    """chapter -> its runs at hand; and "best": for each XTREME target none and the task that is best on dev rows."""
    found = {name: graph.obtain(study, part.wanted) for name, part in asked.items()}
    chosen = comparisons.selection(study, asked["xtreme"], found["xtreme"])
    asked["best"], found["best"] = comparisons.best(asked["xtreme"], found["xtreme"], chosen)
    return found


def table(study: Study, asked: dict[str, Comparison], found: dict[str, graph.Wanted]) -> pd.DataFrame:
    """A row a claim: published figure, effect in points with its interval, p and p after Holm over the claims, how
    many of the single differences and targets it rests on, of how many; n, seeds, verdict, where it is from."""
    parts = {name: compare.examples(study, runs) for name, runs in found.items()}
    rows = []
    for claim in CLAIMS:
        wanted = asked[claim.chapter].wanted
        every = claim.weigh(list(dict.fromkeys(name for name, _, _ in wanted)))
        targets = claim.targets or tuple(dict.fromkeys(target for _, target, _ in wanted))
        rows.append({"claim": claim.text, "published": _published(claim)}
                    | effect(study, every, targets, found[claim.chapter], parts[claim.chapter], claim.rule)
                    | {"rule": claim.rule, "chapter": "xtreme" if claim.chapter == "best" else claim.chapter})
    result = pd.DataFrame(rows)
    result.insert(6, "p (Holm)", stats.holm(result.p))
    result["verdict"] = [verdict(row) for row in result.to_dict("records")]
    return result


def effect(study: Study, every: list[Weights], targets: tuple[str, ...], found: graph.Wanted, part: pd.DataFrame,
           rule: str, over_languages: bool = False, only: tuple[str, ...] = ()) -> dict[str, object]:
    """The mean of those of the single differences that were run, over the targets that have all of them: effect, its interval and
    p; the effect in English alone; how many differences and targets it rests on, of how many, and " so far" where that is a part;
    n, seeds, where it is from; up: where the rule asks for it, how many single differences go up.
    `part`: the runs' examples; the rest as in `compare.table`."""
    singles = [weights for weights in every if _has_all(study, found, weights, targets)]
    gains = [compare.difference(study, found, part, weights, targets, over_languages, only) for weights in singles if rule == "each"]
    mean = compare.difference(study, found, part, _mean(singles), targets, over_languages, only)
    judged = [target for target in targets if singles and _has_all(study, found, _mean(singles), (target,))]
    lacking = len(singles) < len(every) or len(judged) < len(targets)
    return {"effect": mean["difference"], **{name: mean[name] for name in ("low", "high", "p")},
            "in English": mean["in English"], "differences": f"{len(singles)} of {len(every)}",
            "targets": f"{len(judged)} of {len(targets)}", "so far": " so far" if judged and lacking else "", "n": mean["n"], "seeds": mean["seeds"],
            "up": sum(gain["difference"] > 0 for gain in gains), "from": mean["from"]}


def _mean(singles: list[Weights]) -> Weights:
    """The mean of differences as one weighted sum of conditions."""
    total: Weights = {}
    for weights in singles:
        for name, weight in weights.items():
            total[name] = total.get(name, 0) + weight / len(singles)
    return total


def _has_all(study: Study, runs: graph.Wanted, weights: Weights, targets: tuple[str, ...]) -> bool:
    """Some seed of some target has all the conditions."""
    return any(all((name, target, seed) in runs for name in weights) for target in targets for seed in study.seeds)


def _published(claim: Claim) -> float:
    if not claim.published:
        return np.nan
    found = report.published("phang2020")
    version, finding = claim.published
    return float(found[(found.version == version) & (found.finding == finding)].points.iloc[0])


def verdict(row: dict) -> str:
    """By the rules at the top of this file."""
    counts, singles = row["p (Holm)"] < ALPHA, int(row["differences"].split()[0])
    if np.isnan(row["effect"]):
        return "not run"
    if row["rule"] == "no gain":
        return "agrees" if row["high"] < MARGIN else "disagrees" if counts and row["effect"] > 0 else "can't tell"
    if row["rule"] == "each" and counts and row["effect"] > 0:
        up = row["up"]
        return "agrees" if up >= max(1, singles - 1) else "disagrees" if up < singles / 2 else "can't tell"
    return "can't tell" if not counts else "agrees" if row["effect"] > 0 else "disagrees"


def figure(study: Study, asked: dict[str, Comparison], shown: pd.DataFrame) -> Figure:
    """Each claim's effect with its interval, and the published figure as a cross; a dash where nothing was run."""
    drawn, axis = plt.subplots(figsize=(8.5, 0.42 * len(shown) + 1), layout="constrained")
    colours = {"agrees": "C0", "disagrees": "C1", "can't tell": "0.5", "not run": "0.5"}
    for place, row in enumerate(shown.to_dict("records")):
        if np.isnan(row["effect"]):
            axis.text(0, place, "–", ha="center", va="center", color="0.4")
        else:
            reach = np.nan_to_num([[row["effect"] - row["low"]], [row["high"] - row["effect"]]]).clip(min=0)
            axis.errorbar(row["effect"], place, xerr=reach, fmt="none", ecolor=colours[row["verdict"]], lw=1.5)
            axis.plot(row["effect"], place, "o", color=colours[row["verdict"]],
                      mfc=None if row["from"] == "live" else "white", label="ours")
        axis.plot(row["published"], place, "x", color="black", ms=7, label="published")
    axis.axvline(0, color="0.4", lw=1)
    axis.set(yticks=range(len(shown)), ylim=(len(shown) - 0.5, -0.5), xlabel="points (95 % interval); cross: published",
             yticklabels=figures.wrapped(list(shown.claim + ": " + shown.verdict + shown["so far"])))
    axis.tick_params(axis="y", labelsize=9)
    runs = [run for name in CHAPTERS for run in asked[name].wanted.values()]
    return figures.stamp(study, drawn, records.said(runs, store.default_root()))


def words(study: Study, shown: pd.DataFrame) -> dict[str, object]:
    """What the prose of the page quotes."""
    count, named = shown.verdict.value_counts(), shown.claim + shown["so far"].map(lambda part: f" ({part.strip()})" if part else "")
    return {"claims": len(shown), "agree": int(count.get("agrees", 0)), "disagree": int(count.get("disagrees", 0)),
            "unclear": int(count.get("can't tell", 0)), "not_run": int(count.get("not run", 0)),
            "trust": repeats.words(study), "agreeing": "; ".join(named[shown.verdict == "agrees"]) or "none",
            "disagreeing": "; ".join(named[shown.verdict == "disagrees"]) or "none"}
