"""What the chapter on phase 3 says in words: how much is transferred, how far from English, and
what of it comes from the encoder.

    words(study, results.scores(wanted), score_tables.by_seed(study, table))
"""

from __future__ import annotations

import pandas as pd

from xstilts import data
from xstilts.analysis import repeats, reported, wording
from xstilts.chapters import needed
from xstilts.study.conditions import NONE
from xstilts.study.profiles import Study


def words(study: Study, table: pd.DataFrame, seeds: pd.DataFrame) -> dict[str, object]:
    """What the prose of the page quotes. seeds: as `score_tables.by_seed` has them."""
    main = reported.main_metric(study, table)
    ours = main[main.condition == NONE]
    foreign = ours[ours.language != "en"].groupby(["target", "language"], as_index=False)
    foreign = foreign[["value", "baseline"]].mean()
    zero_shot = foreign.groupby("target").value.mean()
    gap = (ours[ours.language == "en"].groupby("target").value.mean() - zero_shot).dropna()
    random = main[(main.condition == needed.unread(study)) & (main.language != "en")]
    random = random.groupby("target").value.mean()
    furthest = seeds.dropna(subset="range").sort_values("range").tail(1)
    return {
        "data": data.where(study.data),
        "seeds": len(study.seeds),
        "trust": repeats.words(study),
        "above": int((foreign.value > foreign.baseline).sum()),
        "cells": len(foreign),
        "gap": gap.mean(),
        "widest": wording.title(gap.idxmax()) if len(gap) else "–",
        "widest_gap": gap.max(),
        "moved": ", ".join(f"{row.range:.1f} points, {row.target}" for row in furthest.itertuples())
        or "one seed can't tell",
        "random": _listed(random),
        "pretrained": _listed(zero_shot.reindex(random.index)),
    }


def _listed(scores: pd.Series) -> str:
    named = [f"{wording.title(name)} {value:.1f}" for name, value in scores.items()]
    return ", ".join(named) or "not run"
