"""All that the book names before it looks: its claims and its chapters' hypotheses. They share one
adjustment for their number (Holm).

    beside = p_values(study, leave_out="rq3")      # for `hypotheses.table` of the chapter rq3
    beside = p_values(study, leave_out="claims")   # for `claims.table`
"""

from __future__ import annotations

from functools import lru_cache

import pandas as pd

from xstilts.analysis import grades, reported
from xstilts.chapters import claims, hypotheses, verdicts
from xstilts.questions import CHAPTERS
from xstilts.study.profiles import Study

PAGES = ("claims", *CHAPTERS)


def p_values(study: Study, leave_out: str) -> list[float]:
    """Of all claims and hypotheses but one page's, on the runs at hand."""
    state = reported.where(study)
    return [p for page in PAGES if page != leave_out for p in _named(page, *state).p]


def adjusted(study: Study) -> pd.DataFrame:
    """All claims and hypotheses that ask for a gain, on the runs at hand, with p after Holm over
    all that the book names beforehand: for tables that show the same comparison."""
    state = reported.where(study)
    shown = pd.concat([_named(page, *state) for page in PAGES])
    return shown.assign(**{"p (Holm)": grades.holm(shown.p)})[shown.rule == "gain"]


@lru_cache(maxsize=4 * len(PAGES))
def _named(page: str, study: Study, *changed: object) -> pd.DataFrame:
    if page != "claims":
        return verdicts.named(study, hypotheses.of_chapter(study, page))
    asked = claims.wanted(study)
    return verdicts.named(study, claims.questions(study, asked, claims.obtain(study, asked)))
