"""The rows of the task table for the targets of XTREME: trained in English, scored in every
language."""

from xstilts.tasks import columns, languages
from xstilts.tasks.intermediate_tasks import XNLI
from xstilts.tasks.label_sets import BIO, NLI, NLI_ALIASES, UPOS, WHOLE_TAGS
from xstilts.tasks.task import TEST_IS_VALIDATION, TEST_OR_VALIDATION, Source, Task

XTREME = "google/xtreme"
XTREME_REVISION = "ec5f1f46e9af79639a90684a7a70a956c4998f04"

ROWS = [
    Task(
        name="xnli",
        title="XNLI",
        role="target",
        kind="classify",
        metrics=("accuracy",),
        read=columns.pair("premise", "hypothesis"),
        sources=(XNLI,),
        labels=NLI,
        aliases=NLI_ALIASES,
        train="mnli",
        epochs=2,
    ),
    Task(
        name="pawsx",
        title="PAWS-X",
        role="target",
        kind="classify",
        metrics=("accuracy",),
        read=columns.pair("sentence1", "sentence2"),
        sources=(
            Source(
                hub="google-research-datasets/paws-x",
                revision="4cd8187c404bda33cb1f62b49b001115862acf37",
                licence="free for any purpose (Google)",
                local="paws-x/{language}",
                config="{language}",
                languages=("de", "en", "es", "fr", "ja", "ko", "zh"),
            ),
        ),
        labels=("0", "1"),
        epochs=5,
    ),
    Task(
        name="udpos",
        title="UDPOS",
        role="target",
        kind="tag",
        metrics=("F1", "accuracy"),
        read=columns.words("pos_tags"),
        sources=(
            Source(
                hub=XTREME,
                revision=XTREME_REVISION,
                licence="CC BY-SA (most treebanks)",
                local="udpos/{name}",
                config="udpos.{name}",
                languages=tuple(languages.UD_NAMES),
                names=languages.UD_NAMES,
            ),
            Source(
                hub="izhx/xtreme-r-udpos",
                revision="main",
                licence="CC BY-SA (most treebanks)",
                local="universal_dependencies/{name}",
                config="{language}",
                languages=languages.UD_ADDED,
                names=languages.TREEBANKS,
            ),
        ),
        labels=UPOS,
        label_column="pos_tags",
        scoring=WHOLE_TAGS,
        aliases={"_": "X"},
        epochs=10,
        effort=0.3,
    ),
    Task(
        name="panx",
        title="PAN-X",
        role="target",
        kind="tag",
        metrics=("F1",),
        read=columns.words("ner_tags"),
        sources=(
            Source(
                hub=XTREME,
                revision=XTREME_REVISION,
                licence="ODC-BY",
                local="panx/PAN-X.{language}",
                config="PAN-X.{language}",
                languages=languages.PANX,
            ),
            Source(
                hub="unimelb-nlp/wikiann",
                revision="main",
                licence="ODC-BY",
                local="panx/PAN-X.{language}",
                config="{language}",
                languages=languages.PANX_ADDED,
            ),
        ),
        labels=BIO,
        label_column="ner_tags",
        epochs=10,
        effort=0.3,
    ),
    Task(
        name="xquad",
        title="XQuAD",
        role="target",
        kind="span",
        metrics=("F1", "exact match"),
        read=columns.question,
        sources=(
            Source(
                hub="google/xquad",
                revision="51adfef1c1287aab1d2d91b5bead9bcfb9c68583",
                licence="CC BY-SA 4.0",
                local="xquad/{language}",
                config="xquad.{language}",
                languages=tuple(sorted((*languages.XQUAD, "ro"))),
                splits=TEST_IS_VALIDATION,
            ),
        ),
        train="squad",
        epochs=2,
        batch_size=16,
        max_length=384,
        effort=0.6,
    ),
    Task(
        name="mlqa",
        title="MLQA",
        role="target",
        kind="span",
        metrics=("F1", "exact match"),
        read=columns.question,
        sources=(
            Source(
                hub=XTREME,
                revision=XTREME_REVISION,
                licence="CC BY-SA 3.0",
                local="mlqa/mlqa.{language}.{language}",
                config="MLQA.{language}.{language}",
                languages=languages.MLQA,
                splits=TEST_OR_VALIDATION,
            ),
        ),
        answers="mlqa",
        train="squad",
        epochs=2,
        batch_size=16,
        max_length=384,
        effort=0.6,
    ),
    Task(
        name="tydiqa",
        title="TyDiQA-GoldP",
        role="target",
        kind="span",
        metrics=("F1", "exact match"),
        read=columns.question,
        sources=(
            Source(
                hub="google-research-datasets/tydiqa",
                revision="da78f23f9119363459acbaf46bf89426ff26c259",
                licence="Apache 2.0",
                local="tydiqa/{language}",
                config="secondary_task",
                languages=tuple(languages.TYDIQA_NAMES),
                splits=TEST_OR_VALIDATION,
                keep=columns.is_tydiqa_language,
            ),
        ),
        epochs=2,
        batch_size=16,
        max_length=384,
        effort=0.4,  # few rows
    ),
    Task(
        name="bucc",
        title="BUCC 2018",
        role="target",
        kind="mine",
        metrics=("F1", "F1, centred"),
        read=columns.translation,
        sources=(
            Source(
                hub=XTREME,
                revision=XTREME_REVISION,
                licence="research use (BUCC 2018 shared task)",
                local="bucc2018/bucc18.{language}",
                config="bucc18.{language}",
                languages=("de", "fr", "ru", "zh"),
            ),
        ),
        obtain="the Hub has only BUCC's gold pairs, so that mining among them lacks the "
        "distractors; for the whole"
        " task put candidates_<language>.parquet and candidates_en.parquet (columns id, "
        "sentence) of the shared "
        "task beside them",
    ),
    Task(
        name="tatoeba",
        title="Tatoeba",
        role="target",
        kind="retrieve",
        metrics=("accuracy", "accuracy, centred"),
        read=columns.translation,
        sources=(
            Source(
                hub=XTREME,
                revision=XTREME_REVISION,
                licence="CC BY 2.0 FR",
                local="tatoeba/{language}",
                config="tatoeba.{name}",
                languages=tuple(languages.TATOEBA_NAMES),
                names=languages.TATOEBA_NAMES,
                splits=TEST_OR_VALIDATION,
            ),
        ),
    ),
]
