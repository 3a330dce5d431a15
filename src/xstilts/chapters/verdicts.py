"""What the book says of a claim or a hypothesis: the grade of its comparison, and for or against.

    every = [{squad: 1, NONE: -1}]
    decide(study, [Question({"xnli": every, "xquad": every}, found, part)])

A question is about the mean over targets, which count alike, of the mean of differences, each a
weighted sum of conditions; a target may ask for other differences than the next. What speaks for
and what against it hangs on its rule, with the margin of `grades.margin`:

    gain       for: the mean is above 0; against: it is below
    no gain    for: the mean is below the margin (one-sided); against: it is above 0
    each       for: the mean is above 0, and MOST of the single differences go up; against: the mean
               is below the margin, or fewer than MOST of them go up
    not each   the opposite of each

Clear at 5 % after Holm over all that the book names beforehand is *strong*, clear before that
*moderate*; the rest are the words of `grades`. How broad an effect is stands beside it."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from xstilts.analysis import differences, grades, reported, stats, wording
from xstilts.analysis.differences import Compared, Weights
from xstilts.analysis.grades import ALPHA
from xstilts.runs import results
from xstilts.runs.key import Run, Wanted, each_once, intermediate, key, training
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS

MOST = 0.8  # of single differences: almost each
SEEDS = 32  # at most so many are named
DIFFERS = 0.5  # points
SHARE = 0.6  # of the variance of trainings: from here on one target decides the interval


@dataclass(frozen=True)
class Question:
    every: dict[str, list[Weights]]  # target -> single differences, whose mean is its effect
    found: Wanted  # the runs at hand
    part: pd.DataFrame  # their examples: of `differences.examples`
    rule: str = "gain"
    over_languages: bool = False  # as in `differences.table`
    only: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Judged:
    """What the runs at hand say of a question."""

    compared: Compared
    singles: list[grades.Estimate]  # one difference after the other, over its targets
    parts: pd.Series  # effects of the targets, or of the singles where there is one target
    weights: dict[str, Weights]  # given what was learned
    cells: Wanted  # the runs behind it
    differences: str  # how many of how many
    targets: str
    lacking: tuple[str, ...]  # targets that were not learned on both sides
    so_far: str

    @property
    def up(self) -> float:
        """The share of single differences that go up."""
        return float(np.mean([single.value > 0 for single in self.singles]))


def decide(
    study: Study, questions: Sequence[Question], beside: Iterable[float] = ()
) -> pd.DataFrame:
    """A row a question: verdict, effect in points with its interval, p and p after Holm over these
    questions and others (their p: beside); the reason of an open one, and what would settle it; the
    effect in English alone and with failures in, trainings learned on both sides, the spread of
    seeds; its breadth; of how many single differences and targets it is the mean, and "so far"
    where that is a part of what it should be; intermediate tasks that were not learned themselves;
    n, seeds, where it is from."""
    judged = [judge(study, question) for question in questions]
    sides = [_sides(one, question.rule) for one, question in zip(judged, questions, strict=True)]
    ps = [min(side) for side in sides]
    adjusted = grades.holm([*ps, *beside])[: len(ps)]
    rows = [
        _row(one, side, p, question.rule)
        for one, side, p, question in zip(judged, sides, adjusted, questions, strict=True)
    ]
    return pd.DataFrame(rows)


def named(study: Study, questions: Iterable[Question]) -> pd.DataFrame:
    """What these questions bring to Holm's family, a row each: effect, low, p (NaN of what was not
    run), and the rule."""
    rows = []
    for question in questions:
        judged = judge(study, question)
        found = judged.compared.estimate
        rows.append((found.value, found.low, min(_sides(judged, question.rule)), question.rule))
    return pd.DataFrame(rows, columns=["effect", "low", "p", "rule"])


def judge(study: Study, asked: Question) -> Judged:
    """Of those of the single differences that were run, over the targets that have all of them."""
    judged = _there(asked)
    learned = asked.part[asked.part.learned.to_numpy(bool)] if len(asked.part) else asked.part
    given = {
        target: [
            rest[target]
            for weights in some
            if (rest := reported.given_learned(learned, {target: weights}))
        ]
        for target, some in judged.items()
    }
    given = {target: some for target, some in given.items() if some}

    def compare(weights: dict[str, list[Weights]], all_of: dict[str, list[Weights]]) -> Compared:
        return differences.compare(
            study,
            asked.found,
            asked.part,
            {target: mean(some) for target, some in all_of.items()},
            asked.over_languages,
            asked.only,
            {target: mean(some) for target, some in weights.items()},
        )

    whole = compare(given, judged)
    every, there = _singles(asked.every), _singles(judged)
    singles = {
        _called(single): compare(
            *(
                {target: [single] for target, some in weights.items() if single in some}
                for weights in (given, judged)
            )
        ).estimate
        for single in _singles(given)
    }
    by_target = {
        target: compare({target: some}, {target: some}).estimate for target, some in given.items()
    }
    parts = by_target if len(asked.every) > 1 else singles
    lacking = tuple(target for target in judged if target not in given)
    names = {(name, target) for target, some in judged.items() for one in some for name in one}
    so_far = judged and (len(there) < len(every) or len(judged) < len(asked.every))
    return Judged(
        whole,
        [one for one in singles.values() if not math.isnan(one.value)],
        pd.Series({name: one.value for name, one in parts.items()}, dtype=float),
        {target: mean(some) for target, some in given.items()},
        {cell: run for cell, run in asked.found.items() if cell[:2] in names},
        f"{len(there)} of {len(every)}",
        f"{len(given)} of {len(asked.every)}",
        lacking,
        " so far" if so_far else "",
    )


def _there(asked: Question) -> dict[str, list[Weights]]:
    """Of the single differences those that some target has, for the targets that have all of these
    that they are asked for."""
    has = {(condition, target) for condition, target, _ in asked.found}

    def has_all(weights: Weights, target: str) -> bool:
        return all((name, target) in has for name in weights)

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
    return {target: some for target, some in judged.items() if some and has_all(mean(some), target)}


def _singles(every: dict[str, list[Weights]]) -> list[Weights]:
    """Each once."""
    there = [weights for some in every.values() for weights in some]
    return [weights for number, weights in enumerate(there) if weights not in there[:number]]


def _called(weights: Weights) -> Hashable:
    """A single difference goes by the first condition that counts up."""
    return next((name for name, weight in weights.items() if weight > 0), next(iter(weights)))


def mean(singles: Sequence[Weights]) -> Weights:
    """The mean of differences as one weighted sum of conditions."""
    total: Weights = {}
    for weights in singles:
        for name, weight in weights.items():
            total[name] = total.get(name, 0) + weight / len(singles)
    return total


def _sides(judged: Judged, rule: str) -> tuple[float, float]:
    """(p of what speaks for the question, p of what speaks against it). At most one of the two is
    wrong, whatever is true, so that the smaller one is the question's p."""
    found, margin = judged.compared.estimate, judged.compared.margin
    if math.isnan(found.value) or math.isnan(found.p) or not found.trained:
        return math.nan, math.nan
    above, under = (found.p, 1.0) if found.value > 0 else (1.0, found.p)
    if rule == "gain":
        return above, under
    if rule == "no gain":
        return found.below(margin), above
    few = math.floor((1 - MOST) * len(judged.singles)) + 1  # that many fall: fewer than MOST rise
    falls = grades.at_least([single.below(0) for single in judged.singles], few)
    sides = above if judged.up >= MOST else 1.0, min(1.0, 2 * min(found.below(margin), falls))
    return sides if rule == "each" else sides[::-1]


def _row(judged: Judged, sides: tuple[float, float], adjusted: float, rule: str) -> dict:
    compared, found = judged.compared, judged.compared.estimate
    verdict, p = compared.grade(), min(sides)
    if not math.isnan(p):
        way = "for" if sides[0] <= sides[1] else "against"
        clear = f"{grades.STRONG if adjusted < ALPHA else grades.MODERATE} {way}"
        same = found.within(compared.margin) < ALPHA
        verdict = clear if p < ALPHA else grades.SAME if same else grades.OPEN
    shown = compared.row()
    open_ = verdict == grades.OPEN
    return {
        "verdict": verdict,
        "effect": found.value,
        **{name: shown[name] for name in ("low", "high")},
        "p": p,
        "p (Holm)": adjusted,
        "why open": reason(judged, rule) if open_ else "",
        "would settle it": settles(judged) if open_ else "",
        "task not learned": "; ".join(reported.not_taught(judged.cells.values())),
        **{name: shown[name] for name in ("in English", "learned", "with failures", "spread")},
        "up": f"{sum(judged.parts > 0)} of {len(judged.parts)}" if len(judged.parts) else "–",
        **grades.breadth(judged.parts),
        "differences": judged.differences,
        "targets": judged.targets,
        "so far": judged.so_far,
        **{name: shown[name] for name in ("n", "seeds", "from")},
    }


def with_failures(row: Mapping[str, Any]) -> list[str]:
    """Of a row of `decide`: its effect with the trainings in that were not learned, in words; empty
    where that is the effect, but for DIFFERS points."""
    other = row["with failures"]
    if np.isnan(other) or abs(other - row["effect"]) < DIFFERS:
        return []
    return [f"with failed trainings in {wording.signed(other)}"]


def reason(judged: Judged, rule: str = "gain") -> str:
    """Why a question is open, in words."""
    found = judged.compared.estimate
    said = []
    if not found.trained:
        said = ["what another training changes is not known"]
    elif rule.endswith("each") and found.p < ALPHA:
        said = ["its differences go both ways"]
    else:
        trained = {name: part for name, part in found.sources.items() if name in TASKS}
        whole = {"trained": sum(trained.values())} | {
            name: part for name, part in found.sources.items() if name not in TASKS
        }
        most = max(whole, key=lambda name: whole[name])
        largest = max(trained, key=lambda name: trained[name], default="")
        if most != "trained":
            said = [f"too few {most if most == stats.LANGUAGES else 'test rows'}"]
        elif len(trained) > 1 and trained[largest] > SHARE * whole["trained"]:
            said = [f"one target decides ({wording.title(largest)})"]
        else:
            said = ["too few seeds"]
    if judged.lacking:
        said.append(f"not learned: {', '.join(map(wording.title, judged.lacking))}")
    return "; ".join(said)


def settles(judged: Judged) -> str:
    """How many seeds, and hours, would make an open comparison clear or show that it is no
    difference, if the effect stays as it is."""
    found, margin = judged.compared.estimate, judged.compared.margin
    if not found.trained:
        return "a second seed"

    def decides(times: float) -> bool:
        """So many times as many seeds do."""
        clear = found.half(times) < abs(found.value)
        return clear or abs(found.value) + found.half(times, 2 * ALPHA) < margin

    for seeds in range(found.seeds + 1, SEEDS + 1):
        times = seeds / found.seeds
        if decides(times):
            more = wording.duration(3600 * hours(judged.cells.values()) * (times - 1))
            return f"{seeds} seeds ({more} more)"
    if decides(math.inf):
        return f"more than {SEEDS} seeds"
    by_rows = found.half(math.inf) > 0.9 * found.half()  # what seeds do not make narrower
    return "more test rows" + ", and more seeds" * (not by_rows)


def hours(runs: Iterable[Run]) -> float:
    """What the runs took, with their targets' trainings and the intermediate ones that they start
    from, each once."""
    runs = list(runs)
    encoders = [encoder for run in runs if (encoder := intermediate(run))]
    there = [run for run in each_once([*runs, *encoders]) if results.has(run)]
    trained: dict[str, float] = {}
    for run in there:
        if before := training(run):
            # one that is tested twice may be among the seconds of an older record
            trained[key(before)] = max(trained.get(key(before), 0.0), results.training_seconds(run))
    return (sum(map(results.seconds, there)) + sum(trained.values())) / 3600
