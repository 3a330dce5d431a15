"""What the pages say: whether claims and hypotheses hold, and what may explain it."""

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
    "data_efficiency",
    "rq1",
    "rq2",
    "rq3",
    "rq4",
    "rq5",
    "your_target",
    "explore",
    "costs",
    "benchmark",
)
