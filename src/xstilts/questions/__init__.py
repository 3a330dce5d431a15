"""The chapters that compare many conditions, a file each: which runs it needs (`compared`) and what
it expects of them (`HYPOTHESES`).

    CHAPTERS["rq3"].compared(study)     # Comparison(wanted, contrasts)
"""

from xstilts.questions import (
    data_efficiency,
    mlm_continuation,
    model_size,
    multi_task,
    rq1,
    rq2,
    rq3,
    rq4,
    rq5,
    translated,
    xtreme,
)

CHAPTERS = {
    "multi_task": multi_task,
    "mlm_continuation": mlm_continuation,
    "translated": translated,
    "model_size": model_size,
    "xtreme": xtreme,
    "data_efficiency": data_efficiency,
    "rq1": rq1,
    "rq2": rq2,
    "rq3": rq3,
    "rq4": rq4,
    "rq5": rq5,
}
