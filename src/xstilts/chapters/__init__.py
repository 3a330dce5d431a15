"""What each chapter asks of the study, and what it expects."""

# the notebooks, in the order of the book; `needed.RUNS` has their runs
NAMES = (
    "claims",
    "phase1_encoder",
    "phase2_intermediate",
    "phase3_target",
    "single_task",
    "multi_task",
    "mlm_continuation",
    "translated",
    "model_size",
    "xtreme",
    "rq1",
    "rq2",
    "rq3",
    "rq4",
    "rq5",
    "costs",
    "benchmark",
)
