"""Made-up studies whose truth is known, to count how often the book's rule errs.

A study has nine targets and a claim: one intermediate task against none. Deviations are those
measured on the embedded benchmark. A training is unlucky in 3 % of cases, and then stays near its
baseline. What trainings vary is not given but estimated, as in the book, from the seeds of ten
conditions. The library is used as it is, but for its records."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from xstilts.analysis import differences, grades, repeats, stats
from xstilts.study.conditions import NONE, Condition
from xstilts.tasks.table import TASKS

# points: what another training changes of a mean over languages; what of that is its chance on 200
# test rows; what a task changes on some rows and not on others. PAWS-X: assumed
MEASURED = {
    "xnli": (2.5, 1.0, 0.77),
    "pawsx": (2.5, 1.0, 0.77),
    "udpos": (0.75, 0.17, 0.1),
    "panx": (2.0, 0.24, 0.15),
    "xquad": (1.75, 0.5, 0.2),
    "mlqa": (2.0, 0.5, 0.2),
    "tydiqa": (1.6, 0.9, 0.58),
    "bucc": (1.1, 0.8, 0.4),
    "tatoeba": (1.1, 0.8, 0.4),
}
KNOWN = 3  # seeds of the other conditions, at least
SHARED = 0.2  # of the variance of trainings: alike for all targets of a phase 2
TASK = Condition(("squad",))
OTHERS = tuple(Condition(draw=number) for number in range(1, 9))
BASELINE, SCORE = 20.0, 70.0


@dataclass(frozen=True)
class Made:
    part: pd.DataFrame  # as of `differences.prepared`
    training: stats.Training

    def compared(self, patch) -> differences.Compared:
        """The claim, by the library; patch: of pytest."""
        patch.setattr(differences.repeats, "variance", lambda study: self.training)
        weights = dict.fromkeys(MEASURED, {TASK: 1, NONE: -1})
        return differences.compare(None, None, self.part, weights)


def study(
    draw: np.random.Generator,
    effect: float,
    seeds: int = 3,
    unlucky: float = 0.03,
    rows: int = 200,
    between: float = 0.0,
) -> Made:
    """effect: points that the task adds to every target, `between` the deviation of what it adds to
    one. seeds: of each condition."""
    found, groups = [], []
    names = (NONE, TASK, *OTHERS)
    counts = {name: seeds if name in (NONE, TASK) else max(seeds, KNOWN) for name in names}
    common = {name: draw.normal(0, 1, count) for name, count in counts.items()}
    for target, (whole, chance, taste) in MEASURED.items():
        trained = not TASKS[target].untrained
        pure = math.sqrt(whole**2 - chance**2)
        liked = effect + draw.normal(0, between) + noise(draw, taste, (1, rows))
        for name, count in counts.items():
            off, moves = draw.normal(0, 1, count), name != NONE or trained
            if name != NONE:  # phase 2 gives something to all of its targets
                off = math.sqrt(1 - SHARED) * off + math.sqrt(SHARED) * common[name]
            moved = moves * (pure * off[:, None] + noise(draw, chance, (count, rows)))
            failed = trained & (draw.random(count) < unlucky)
            points = np.where(failed[:, None], BASELINE, SCORE) + moved + liked * (name == TASK)
            if name in (NONE, TASK):
                found += [
                    _row(name, target, seed, points[seed], failed[seed]) for seed in range(count)
                ]
            kept = points[~failed]
            if len(kept) > 1 and moves:
                phase2 = tuple(name != NONE and (name, seed) or None for seed in range(len(kept)))
                each = kept / 100, np.ones_like(kept), np.arange(rows)
                groups.append(repeats.Group(target, phase2, {"en": kept.mean(1)}, {"en": each}))
    part = pd.DataFrame(found)
    part["score"] = [100 * values.mean() for values in part.numerator]
    return Made(part, repeats.training(groups))


def noise(draw: np.random.Generator, deviation: float, size: tuple[int, int]) -> np.ndarray:
    """Points on each row, of which the mean deviates so far."""
    return draw.normal(0, deviation * math.sqrt(size[1]), size)


def _row(condition: Condition, target: str, seed: int, values: np.ndarray, failed: bool) -> dict:
    return {
        "condition": condition,
        "target": target,
        "seed": seed,
        "language": "en",
        "metric": TASKS[target].metric,
        "layer": -1,
        "numerator": values / 100,
        "denominator": np.ones(len(values)),
        "learned": not failed,
    }


def no_gain(compared: differences.Compared) -> bool:
    """The true negative claim agrees: the mean is below the margin."""
    return compared.estimate.below(compared.margin) < grades.ALPHA


def rates(patch, studies: int, effect: float, seeds: int = 3, start: int = 0, **how) -> dict:
    """Shares of such studies: graded clearly for, clearly against, no difference; whose negative
    claim agrees; whose interval holds the truth; and the mean half-width in points."""
    seen = []
    for number in range(start, start + studies):
        draw = np.random.default_rng(number)
        compared = study(draw, effect, seeds, **how).compared(patch)
        found, word = compared.estimate, compared.grade(adjusted=0.0)
        clear = word in grades.CLEAR
        seen.append(
            {
                "for": clear and found.value > 0,
                "against": clear and found.value < 0,
                "same": word == grades.SAME,
                "no gain": no_gain(compared),
                "covered": found.low <= effect <= found.high,
                "half": (found.high - found.low) / 2,
            }
        )
    return pd.DataFrame(seen).mean().to_dict()
