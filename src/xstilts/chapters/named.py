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


def p_values(study: Study, leave_out: str) -> list[float]:
    """Of all claims and hypotheses but one page's, on the runs at hand."""
    every = _named(*reported.where(study))
    return [p for page, shown in every.items() if page != leave_out for p in shown.p]


def adjusted(study: Study) -> pd.DataFrame:
    """All claims and hypotheses that ask for a gain, on the runs at hand, with p after Holm over
    all that the book names beforehand: for tables that show the same comparison."""
    shown = pd.concat(_named(*reported.where(study)).values())
    return shown.assign(**{"p (Holm)": grades.holm(shown.p)})[shown.rule == "gain"]


@lru_cache(maxsize=4)
def _named(study: Study, *changed: object) -> dict[str, pd.DataFrame]:
    asked = claims.wanted(study)
    pages = {"claims": claims.questions(study, asked, claims.obtain(study, asked))}
    pages |= {chapter: hypotheses.of_chapter(study, chapter) for chapter in CHAPTERS}
    return {page: verdicts.named(study, questions) for page, questions in pages.items()}
