"""Parameters of a study that takes seconds with a tiny encoder."""

SMALL = dict(
    intermediates="mnli",
    targets="xnli,udpos,tatoeba",
    languages="en,fi",
    phase1_steps=2,
    phase2_steps=2,
    vocabulary="full",  # to look for the pieces of all texts takes longer than everything else
    phase3_steps=2,
    phase1_rows=20,
    phase2_rows=20,
    phase3_rows=20,
    eval_rows=12,
    max_length=64,
)
