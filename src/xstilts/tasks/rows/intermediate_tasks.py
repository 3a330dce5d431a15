"""The rows of the task table of phase 1 (monolingual text) and phase 2 (intermediate tasks)."""

from dataclasses import replace

from xstilts.tasks import columns, languages
from xstilts.tasks.label_sets import NLI, NLI_ALIASES
from xstilts.tasks.task import PARQUET, TEST_IS_VALIDATION, TEST_OR_VALIDATION, Source, Task

MNLI = Source(
    hub="nyu-mll/glue",
    revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
    licence="OANC, CC BY 3.0, CC BY-SA 3.0",
    local="mnli/default",
    config="mnli",
    splits={"validation": ("validation_matched",), "test": ("validation_mismatched",)},
)
SNLI = Source(
    hub="stanfordnlp/snli",
    revision="cdb5c3d5eed6ead6e5a341c8e56e669bb666725b",
    licence="CC BY-SA 4.0",
    local="snli/plain_text",
    config="plain_text",
    splits=TEST_OR_VALIDATION,
)
ANLI = Source(
    hub="facebook/anli",
    revision="8e4813d81f46d313dac7892e1c28076917cfcdf9",
    licence="CC BY-NC 4.0",
    local="anli/plain_text",
    config="plain_text",
    splits={
        "train": ("train_r1+train_r2+train_r3",),
        "validation": ("dev_r1+dev_r2+dev_r3",),
        "test": ("test_r1+test_r2+test_r3",),
    },
)
# translated by machine: MNLI in XNLI, SQuAD in MLQA, MNLI and ANLI in a set of 26 languages
XNLI = Source(
    hub="facebook/xnli",
    revision="b8dd5d7af51114dbda02c0e3f6133f332186418e",
    licence="CC BY-NC 4.0",
    local="xnli/{language}",
    config="{language}",
    languages=languages.XNLI,
)
MNLI_MT = replace(
    XNLI, languages=tuple(language for language in languages.XNLI if language != "en")
)
# the main branch of facebook/mlqa is a loading script
SQUAD_MT = Source(
    hub="facebook/mlqa",
    revision=PARQUET,
    licence="CC BY-SA 3.0",
    local="mlqa/mlqa-translate-train.{language}",
    config="mlqa-translate-train.{language}",
    languages=tuple(language for language in languages.MLQA if language != "en"),
    splits=TEST_IS_VALIDATION,
    files="mlqa-translate-train.{language}/{split}/*.parquet",
)
ANLI_MT = Source(
    hub="MoritzLaurer/multilingual-NLI-26lang-2mil7",
    revision="510a233972a0d7ff0f767d82f46e046832c10538",
    licence="CC BY-NC 4.0 (ANLI), OANC (MNLI)",
    local="nli26/{language}",
    languages=languages.NLI26,
    splits={
        "train": ("{language}_anli[1000:]+{language}_mnli[1000:]",),
        "validation": ("{language}_anli[:1000]+{language}_mnli[:1000]",),
        "test": (),
    },
)

ROWS = [
    # phase 1
    Task(
        name="text",
        title="monolingual text",
        role="text",
        kind="mlm",
        metrics=("masked accuracy",),
        read=columns.text,
        sources=(
            Source(
                hub="wikimedia/wikipedia",
                revision="b04c8d1ceb2f5cd4588862100d08de323dccfbaa",
                licence="CC BY-SA 3.0",
                local="text/{language}",
                config="20231101.{language}",
                languages=languages.PANX,
            ),
        ),
    ),
    # phase 2: English intermediate tasks
    Task(
        name="anli",
        title="ANLI+",
        role="intermediate",
        kind="classify",
        metrics=("accuracy",),
        read=columns.pair("premise", "hypothesis"),
        sources=(ANLI, MNLI, SNLI, ANLI_MT),
        mixed=True,
        labels=NLI,
        aliases=NLI_ALIASES,
    ),
    Task(
        name="mnli",
        title="MNLI",
        role="intermediate",
        kind="classify",
        metrics=("accuracy",),
        read=columns.pair("premise", "hypothesis"),
        sources=(MNLI, MNLI_MT),
        labels=NLI,
        aliases=NLI_ALIASES,
    ),
    Task(
        name="qqp",
        title="QQP",
        role="intermediate",
        kind="classify",
        metrics=("accuracy",),
        read=columns.pair("question1", "question2"),
        sources=(
            Source(
                hub="nyu-mll/glue",
                revision=MNLI.revision,
                licence="Quora's terms, non-commercial",
                local="qqp/default",
                config="qqp",
                splits=TEST_IS_VALIDATION,
            ),
        ),
        labels=("not_duplicate", "duplicate"),
    ),
    Task(
        name="squad2",
        title="SQuAD v2",
        role="intermediate",
        kind="span",
        metrics=("F1", "exact match"),
        read=columns.question,
        sources=(
            Source(
                hub="rajpurkar/squad_v2",
                revision="3ffb306f725f7d2ce8394bc1873b24868140c412",
                licence="CC BY-SA 4.0",
                local="squad_v2/squad_v2",
                config="squad_v2",
                splits=TEST_IS_VALIDATION,
            ),
        ),
        answers="squad2",
        max_length=384,
        effort=0.6,
    ),
    Task(
        name="squad",
        title="SQuAD v1.1",
        role="intermediate",
        kind="span",
        metrics=("F1", "exact match"),
        read=columns.question,
        sources=(
            Source(
                hub="rajpurkar/squad",
                revision="7b6d24c440a36b6815f21b70d25016731768db1f",
                licence="CC BY-SA 4.0",
                local="squad/plain_text",
                config="plain_text",
                splits=TEST_IS_VALIDATION,
            ),
            SQUAD_MT,
        ),
        max_length=384,
        effort=0.6,
    ),
    Task(
        name="hellaswag",
        title="HellaSwag",
        role="intermediate",
        kind="choice",
        metrics=("accuracy",),
        read=columns.hellaswag,
        sources=(
            Source(
                hub="Rowan/hellaswag",
                revision="218ec52e09a7e7462a5400043bb9a69a41d06b76",
                licence="MIT",
                local="hellaswag/default",
                splits=TEST_IS_VALIDATION,
            ),
        ),
        effort=0.4,
    ),
    Task(
        name="ccg",
        title="CCG",
        role="intermediate",
        kind="tag",
        metrics=("accuracy",),
        read=columns.words("tags"),
        sources=(
            Source(hub="", revision="", licence="LDC User Agreement", local="ccg/{language}"),
        ),
        open_labels=True,
        label_column="tags",
        effort=0.3,
        stand_in="udpos",
        obtain="CCGbank is licensed (LDC2005T13): `xstilts ccgbank FOLDER --out ROWS` reads it "
        "into ROWS/ccg/en (columns tokens and tags), and XSTILTS_OWN=ROWS puts these beside the "
        "Hub. Meanwhile UDPOS in English can stand in: name udpos as the intermediate task",
    ),
    Task(
        name="cosmosqa",
        title="Cosmos QA",
        role="intermediate",
        kind="choice",
        metrics=("accuracy",),
        read=columns.cosmosqa,
        sources=(
            Source(
                hub="allenai/cosmos_qa",
                revision="refs/pr/6",
                licence="CC BY 4.0",
                local="cosmos_qa/default",
                splits=TEST_IS_VALIDATION,
            ),
        ),
        effort=0.4,
    ),
    Task(
        name="commonsenseqa",
        title="CommonsenseQA",
        role="intermediate",
        kind="choice",
        metrics=("accuracy",),
        read=columns.commonsenseqa,
        sources=(
            Source(
                hub="tau/commonsense_qa",
                revision="94630fe30dad47192a8546eb75f094926d47e155",
                licence="MIT",
                local="commonsense_qa/default",
                splits=TEST_IS_VALIDATION,
            ),
        ),
        label_column="answerKey",
        effort=0.2,
    ),
]
