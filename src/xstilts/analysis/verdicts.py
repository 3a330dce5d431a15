"""Whether what was claimed or expected holds: the rules that `claims` and `hypotheses` share.

    every = [{Condition(("squad",)): 1, NONE: -1}]
    decide(study, [Question({"xnli": every, "xquad": every}, found, part)])

A question is about the mean over targets, which count alike, of the mean of differences, each a
weighted sum of conditions; a target may ask for other differences than the next. Its rule turns the
mean's interval into a verdict:

    gain       agrees if the effect is above 0 (p after Holm over all questions below 0.05),
               disagrees if below
    no gain    agrees if the whole 95 % interval is below MARGIN points, disagrees if the effect
               counts and is above 0
    each       as gain, and all single differences but at most one go up; disagrees also if most of
               them go down
    not each   the opposite of each: agrees where that disagrees, and disagrees where it agrees

Else it is "can't tell"; "not run" where no target has all the runs that it needs. A verdict that
would be another without one of its conditions or one of its targets is "can't tell", too: one task
or one target cannot carry it. With one seed neither can trainings that ended near chance, which may
be a bad draw: the targets of which a condition has one are left out together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from xstilts.analysis import differences, stats, wording
from xstilts.analysis.differences import ALPHA
from xstilts.runs.key import Wanted
from xstilts.study.conditions import Condition
from xstilts.study.profiles import Study

FAILED = "trainings near chance"
MARGIN = 1.0  # points: a gain that nobody would train twice for
OPPOSITE = {"agrees": "disagrees", "disagrees": "agrees"}
DECIDED = tuple(OPPOSITE)
Weights = dict[Condition, float]


@dataclass(frozen=True)
class Question:
    every: dict[str, list[Weights]]  # target -> single differences, whose mean is its effect
    found: Wanted  # the runs at hand
    part: pd.DataFrame  # their examples
    rule: str = "gain"
    over_languages: bool = False  # as in `differences.table`
    only: tuple[str, ...] | None = None


def decide(study: Study, questions: list[Question]) -> pd.DataFrame:
    """A row a question: effect in points with its interval, p and p after Holm over the questions;
    the effect in English alone; of how many single differences and targets it is the mean, of how
    many it should be, and "so far" where that is a part; n, seeds, where it is from; verdict, what
    carries it, and what is left of the effect without the one that speaks most for it."""
    rows = pd.DataFrame([_effect(study, question) for question in questions])
    rows.insert(4, "p (Holm)", stats.holm(rows.p))
    said = [
        _verdict(row, question.rule)
        for row, question in zip(rows.to_dict("records"), questions, strict=True)
    ]
    left = [
        _one_left_out(study, question, word) if word in DECIDED else ("", "")
        for word, question in zip(said, questions, strict=True)
    ]
    rows["verdict"] = [
        "can't tell" if by else word for word, (by, _) in zip(said, left, strict=True)
    ]
    return rows.join(pd.DataFrame(left, columns=["carried by", "one left out"]))


def _effect(study: Study, asked: Question) -> dict[str, object]:
    """Of those of the single differences that were run, over the targets that have all of them. up:
    where the rule asks for it, how many single differences go up."""
    judged = _there(study, asked)
    every, singles = _singles(asked.every), _singles(judged)
    gains = [
        _difference(
            study, asked, {target: weights for target, some in judged.items() if weights in some}
        )
        for weights in singles
        if asked.rule in ("each", "not each")
    ]
    ups = sum(gain["difference"] > 0 for gain in gains)
    mean = _difference(study, asked, {target: _mean(some) for target, some in judged.items()})
    lacking = len(singles) < len(every) or len(judged) < len(asked.every)
    return {
        "effect": mean["difference"],
        **{name: mean[name] for name in ("low", "high", "p", "in English")},
        "differences": f"{len(singles)} of {len(every)}",
        "targets": f"{len(judged)} of {len(asked.every)}",
        "so far": " so far" if judged and lacking else "",
        "n": mean["n"],
        "seeds": mean["seeds"],
        "up": ups,
        "go up": f"{ups} of {len(gains)}" if gains else "–",
        "from": mean["from"],
    }


def _there(study: Study, asked: Question) -> dict[str, list[Weights]]:
    """Of the single differences those that some target has, for the targets that have all of these
    that they are asked for."""

    def has_all(weights: Weights, target: str) -> bool:
        return any(
            all((name, target, seed) in asked.found for name in weights) for seed in study.seeds
        )

    singles = _singles(
        {
            target: [weights for weights in some if has_all(weights, target)]
            for target, some in asked.every.items()
        }
    )
    judged = {
        target: [weights for weights in some if weights in singles]
        for target, some in asked.every.items()
    }
    return {
        target: some for target, some in judged.items() if some and has_all(_mean(some), target)
    }


def _singles(every: dict[str, list[Weights]]) -> list[Weights]:
    """Each once."""
    there = [weights for some in every.values() for weights in some]
    return [weights for number, weights in enumerate(there) if weights not in there[:number]]


def _difference(study: Study, asked: Question, weights: dict[str, Weights]) -> dict[str, object]:
    return differences.difference(
        study, asked.found, asked.part, weights, asked.over_languages, asked.only
    )


def _mean(singles: list[Weights]) -> Weights:
    """The mean of differences as one weighted sum of conditions."""
    total: Weights = {}
    for weights in singles:
        for name, weight in weights.items():
            total[name] = total.get(name, 0) + weight / len(singles)
    return total


def _verdict(row: dict, rule: str) -> str:
    """By the rules at the top of this file."""
    counts, singles = row["p (Holm)"] < ALPHA, int(row["differences"].split()[0])
    if np.isnan(row["effect"]):
        return "not run"
    if rule == "not each":
        return OPPOSITE.get(said := _verdict(row, "each"), said)
    if rule == "no gain":
        return (
            "agrees"
            if row["high"] < MARGIN
            else "disagrees"
            if counts and row["effect"] > 0
            else "can't tell"
        )
    if rule == "each" and counts and row["effect"] > 0:
        return (
            "agrees"
            if row["up"] >= max(1, singles - 1)
            else "disagrees"
            if row["up"] < singles / 2
            else "can't tell"
        )
    return "can't tell" if not counts else "agrees" if row["effect"] > 0 else "disagrees"


def _one_left_out(study: Study, asked: Question, said: str) -> tuple[str, str]:
    """The conditions, targets and trainings near chance without which the verdict would be another;
    and the effect that is left without the one that speaks most for it. What is left is judged for
    itself, without adjustment for the other questions: it is asked whether the sign stands, not for
    one more discovery. Of a single difference, and of a single target, nothing can be left out.
    Where a training near chance leaves nothing, it carries the verdict."""
    judged = _there(study, asked)
    without = {}  # what is left -> what was left out: both sides of one difference leave the same
    for name in dict.fromkeys(name for weights in _singles(judged) for name in weights):
        left = {
            target: [rest for weights in some if (rest := _without(weights, name))]
            for target, some in judged.items()
        }
        without.setdefault(repr(left), (name, replace(asked, every=left)))
    for name in judged:
        left = {target: some for target, some in judged.items() if target != name}
        without[repr(left)] = name, replace(asked, every=left)
    if failed := _failed(study, asked, judged):
        without[FAILED] = (
            FAILED,
            replace(
                asked, found={cell: run for cell, run in asked.found.items() if cell not in failed}
            ),
        )
    rows = {wording.title(name): _effect(study, rest) for name, rest in without.values()}
    rows = {
        name: row for name, row in rows.items() if name == FAILED or not np.isnan(row["effect"])
    }
    carriers = [
        name
        for name, row in rows.items()
        if _verdict(row | {"p (Holm)": row["p"]}, asked.rule) != said
    ]
    there = [name for name, row in rows.items() if not np.isnan(row["effect"])]
    way = (
        1 if (said == "agrees") == (asked.rule not in ("no gain", "not each")) else -1
    )  # in which the verdict has the effect
    least = min(there, key=lambda name: way * rows[name]["effect"], default="")
    return "; ".join(
        carriers
    ), f"{wording.signed(rows[least]['effect'])} without {least}" if there else ""


def _failed(
    study: Study, asked: Question, judged: dict[str, list[Weights]]
) -> list[tuple[str, str, int]]:
    """The trainings among those of the question that ended near chance. With several seeds none:
    what happens to their mean is no bad draw."""
    weights = {target: _mean(some) for target, some in judged.items()}
    seeds = differences.common_seeds(study, asked.found, weights)
    cells = {
        cell: run
        for cell, run in asked.found.items()
        if cell[0] in weights.get(cell[1], {}) and cell[2] in seeds
    }
    near = differences.near_chance(differences.learned(study, cells)) if len(seeds) == 1 else []
    return [cell for cell in cells if cell[:2] in near]


def _without(weights: Weights, name: str) -> Weights:
    """A difference without a condition: where it is one of several in a mean, these take its share;
    else nothing is left."""
    if name not in weights:
        return weights
    mean = [
        other for other, weight in weights.items() if weight == weights[name] and abs(weight) < 1
    ]
    return (
        {
            other: weight * len(mean) / (len(mean) - 1) if other in mean else weight
            for other, weight in weights.items()
            if other != name
        }
        if len(mean) > 1
        else {}
    )
