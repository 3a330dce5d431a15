"""Does the size of the encoder change what English intermediate tasks do for reading comprehension?

SQuAD v1.1 and v2, MNLI, HellaSwag and all, from the smallest and the largest encoder."""

from __future__ import annotations

from dataclasses import replace

from xstilts.questions import model_size
from xstilts.study import grid
from xstilts.study.conditions import Comparison
from xstilts.study.profiles import Study

TASKS = ("squad", "squad2", "mnli", "hellaswag")


def compared(study: Study) -> Comparison:
    pool = grid.pool(study)
    two = tuple(dict.fromkeys((study.sizes[0], study.sizes[-1])))
    return model_size.sizes(
        replace(study, sizes=two),
        {name: (name,) for name in TASKS if name in pool} | {"all": pool},
        ("xquad", "mlqa", "tydiqa"),
    )


HYPOTHESES = model_size.HYPOTHESES
