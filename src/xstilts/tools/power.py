"""What more seeds would tell: how exact each claim and hypothesis is, and the cheapest next runs.

    shown = table(study, "claims");  print(text(shown))

By the variances of the runs at hand. What is chance on the test rows is taken to stay, so that no
number of seeds is too small."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable

import pandas as pd

from xstilts.analysis import repeats, wording
from xstilts.chapters import claims, hypotheses, verdicts
from xstilts.chapters.verdicts import Judged
from xstilts.errors import UserError
from xstilts.questions import CHAPTERS
from xstilts.runs import results
from xstilts.runs.key import Score, key, starting_encoder, training
from xstilts.study.profiles import Study
from xstilts.tasks.table import TASKS

WIDTHS = (2.0, 1.0)  # points: half-widths that are asked for
MOST = 500  # runs that are planned for one question


def table(study: Study, chapter: str) -> pd.DataFrame:
    """A row a claim (chapter: claims) or hypothesis: half of the 95 % interval's width with the
    seeds at hand; the seeds, and the hours more, for ±2 and ±1 points; and the cheapest runs that
    would halve the interval. A dash: nothing to go by, or not by seeds alone. UserError for a
    chapter without questions."""
    if chapter == "claims":
        asked = claims.wanted(study)
        questions = claims.questions(study, asked, claims.obtain(study, asked))
        names = [claim.text for claim in claims.CLAIMS]
    elif chapter in CHAPTERS:
        questions = hypotheses.of_chapter(study, chapter)
        names = [hypothesis.text for hypothesis in CHAPTERS[chapter].HYPOTHESES]
    else:
        known = ", ".join(["claims", *CHAPTERS])
        raise UserError(f"{chapter!r} has no claims or hypotheses; these have: {known}")
    judged = [verdicts.judge(study, question) for question in questions]
    rows = [{"question": name} | _row(study, one) for name, one in zip(names, judged, strict=True)]
    return pd.DataFrame(rows).fillna("–")


def text(shown: pd.DataFrame) -> str:
    """The table for a terminal: a paragraph a question."""
    said = []
    for row in shown.to_dict("records"):
        lines = [f"{name}: {value}" for name, value in row.items() if name != "question"]
        said.append("\n  ".join([row["question"], *lines]))
    return "\n".join(said)


def _row(study: Study, judged: Judged) -> dict[str, object]:
    found = judged.compared.estimate
    if math.isnan(found.value) or not found.trained:
        return {"half-width": "–", "seeds": "–"}
    row: dict[str, object] = {"half-width": f"{found.half():.1f}", "seeds": str(found.seeds)}
    took = 3600 * verdicts.hours(judged.cells.values())
    for width in WIDTHS:
        seeds = needed(judged, width)
        more = wording.duration(took * (seeds / found.seeds - 1))
        said = f"{seeds} seed{'s' * (seeds > 1)}, {more} more"
        row[f"for ±{width:g}"] = said if seeds else "more test rows"
    return row | {"half the interval": halved(study, judged)}


def needed(judged: Judged, width: float) -> int:
    """The fewest seeds, from those at hand to `verdicts.SEEDS`, with which half of the interval is
    no wider than that; 0: none of these."""
    found = judged.compared.estimate
    for seeds in range(found.seeds, verdicts.SEEDS + 1):
        if found.half(seeds / found.seeds) <= width:
            return seeds
    return 0


def halved(study: Study, judged: Judged) -> str:
    """The cheapest next runs that halve the interval, in words. One more seed of a condition on a
    target is taken after the other, each time the one that takes most from the variance an hour; a
    seed's intermediate training is paid for once."""
    found, known = judged.compared.estimate, repeats.variance(study)
    cells: dict[tuple[Hashable, str], list[Score]] = {}
    for (condition, target, _), run in judged.cells.items():
        if condition in judged.weights.get(target, {}):
            cells.setdefault((condition, target), []).append(run)
    counts = {cell: len({key(run) for run in runs}) for cell, runs in cells.items()}
    # what one seed's chance adds to the variance of the mean over targets
    adds = {}
    for (condition, target), runs in cells.items():
        weight = judged.weights[target][condition] / len(judged.weights)
        assert known is not None
        whole, chance, _ = known.of(target, runs[0].languages)
        is_trained = repeats.phase2(runs[0]) is not None or training(runs[0]) is not None
        adds[condition, target] = weight**2 * (whole - chance) * is_trained
    started: set[tuple[Hashable, int]] = set()
    planned: Counter[tuple[Hashable, str]] = Counter()
    spent = 0.0
    left, goal = found.half() ** 2, (found.half() / 2) ** 2
    trained = sum(part for name, part in found.sources.items() if name in TASKS)
    total = sum(part / counts[cell] for cell, part in adds.items())
    scale = left / sum(found.sources.values()) * trained / total if total else 0.0

    def hours(cell: tuple[Hashable, str]) -> float:
        run, seed = cells[cell][0], counts[cell] + planned[cell]
        own = results.seconds(run) + results.training_seconds(run)
        encoder = starting_encoder(run) if repeats.phase2(run) is not None else None
        if encoder is not None and (cell[0], seed) not in started and results.has(encoder):
            own += results.seconds(encoder)
        return own / 3600

    def saved(cell: tuple[Hashable, str]) -> float:
        seeds = counts[cell] + planned[cell]
        return scale * adds[cell] / (seeds * (seeds + 1))

    while left > goal:
        best = max(cells, key=lambda cell: saved(cell) / max(1e-9, hours(cell)))
        rest = sum(scale * part / (counts[cell] + planned[cell]) for cell, part in adds.items())
        if planned.total() >= MOST or left - rest > goal:
            return "not by seeds alone: more test rows"
        spent, left = spent + hours(best), left - saved(best)
        started.add((best[0], counts[best] + planned[best]))
        planned[best] += 1
    by_condition: Counter = Counter()
    for (condition, _), count in planned.items():
        by_condition[condition] += count
    most = ", ".join(
        f"{wording.title(name)} {count}" for name, count in by_condition.most_common(3)
    )
    return f"{planned.total()} runs, {spent:.1f} h ({most}{', …' * (len(by_condition) > 3)})"
