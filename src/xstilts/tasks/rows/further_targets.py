"""The rows of the task table for further targets: those that XTREME-R adds, and African sets."""

from xstilts.tasks import columns, languages
from xstilts.tasks.label_sets import BIO, NLI, NLI_ALIASES, UPOS, WHOLE_TAGS
from xstilts.tasks.task import PARQUET, TEST_IS_VALIDATION, TEST_OR_VALIDATION, Source, Task

ROWS = [
    # XTREME-R adds these
    Task(
        name="xcopa",
        title="XCOPA",
        role="target",
        kind="choice",
        metrics=("accuracy",),
        read=columns.copa,
        sources=(
            Source(
                hub="cambridgeltl/xcopa",
                revision="042f78955ba48e6404616762fa6e05e839c3907a",
                licence="CC BY 4.0",
                local="xcopa/{language}",
                config="{language}",
                languages=languages.XCOPA,
            ),
            Source(
                hub="aps/super_glue",
                revision="3de24cf8022e94f4ee4b9d55a6f539891524d646",
                licence="BSD 2-Clause",
                local="xcopa/{language}",
                config="copa",
                splits=TEST_IS_VALIDATION,
            ),
            Source(
                hub="allenai/social_i_qa",
                revision=PARQUET,
                licence="CC BY 4.0",
                local="social_i_qa/default",
                files="default/{split}/*.parquet",
                splits={"validation": (), "test": ()},
                read=columns.social_iqa,
                label_column="-",
            ),
        ),
        mixed=True,
        labels=("choice1", "choice2"),
        epochs=5,
        effort=0.13,
    ),
    Task(
        name="lareqa",
        title="LAReQA",
        role="target",
        kind="rank",
        metrics=("mAP@20",),
        read=columns.answer_sentence,
        sources=(
            Source(
                hub="google-research-datasets/xquad_r",
                revision="main",
                licence="CC BY-SA 4.0",
                local="lareqa_xquad_r/{language}",
                config="{language}",
                languages=languages.XQUAD,
                splits=TEST_OR_VALIDATION,
            ),
        ),
        train="squad",
        epochs=3,
        max_length=256,
        effort=0.3,
    ),
    Task(
        name="mewslix",
        title="Mewsli-X",
        role="target",
        kind="rank",
        metrics=("mAP@20",),
        read=columns.mention,
        sources=(
            Source(
                hub="",
                revision="",
                licence="CC BY-SA 4.0, CC0 (Wikipedia, WikiNews, Wikidata)",
                local="mewsli-x/{language}",
                languages=languages.MEWSLIX,
            ),
        ),
        one_text=True,
        epochs=3,
        max_length=128,
        effort=0.6,
        obtain="no copy on the Hub loads without code of its own: build it with "
        "google-research/xtreme's scripts, then write "
        "mewsli-x/<language>/{train,validation,test}.parquet with the columns mention (text around "
        "it, the mention in brackets), entity (its Wikidata id) and description (the entity's "
        "text) into a local folder or that of XSTILTS_OWN; train in English. "
        "mewsli-x/candidates.parquet (entity, description) has all entities that are searched; "
        "without it they are those of the scored rows alone",
    ),
    # African languages
    Task(
        name="masakhaner",
        title="MasakhaNER 2.0",
        role="target",
        kind="tag",
        metrics=("F1",),
        read=columns.words("ner_tags"),
        sources=(
            Source(
                hub="masakhane/masakhaner2",
                revision=PARQUET,
                licence="CC BY-NC 4.0",
                local="masakhaner2/{name}",
                config="{name}",
                languages=tuple(languages.MASAKHANE_NAMES),
                names=languages.MASAKHANE_NAMES,
                files="{name}/{split}/*.parquet",
            ),
        ),
        # English PAN-X, which trains it, has no dates: they are no entities here
        labels=BIO,
        label_column="ner_tags",
        aliases={"B-DATE": "O", "I-DATE": "O"},
        train="panx",
        epochs=10,
        effort=0.3,
    ),
    Task(
        name="masakhapos",
        title="MasakhaPOS",
        role="target",
        kind="tag",
        metrics=("F1", "accuracy"),
        read=columns.words("upos"),
        sources=(
            Source(
                hub="",
                revision="a42273eb27d37f3dedfc3914bfccb88199e10454",
                licence="CC BY-NC 4.0",
                local="masakhapos/{name}",
                languages=tuple(languages.MASAKHANE_NAMES),
                names=languages.MASAKHANE_NAMES,
                splits={"validation": ("dev",)},
                files="https://raw.githubusercontent.com/masakhane-io/masakhane-pos/{revision}/data/{name}/"
                "{split}.txt",
            ),
        ),
        labels=UPOS,
        label_column="upos",
        scoring=WHOLE_TAGS,
        aliases={"_": "X"},
        train="udpos",
        epochs=10,
        effort=0.3,
    ),
    Task(
        name="afrixnli",
        title="AfriXNLI",
        role="target",
        kind="classify",
        metrics=("accuracy",),
        read=columns.pair("premise", "hypothesis"),
        sources=(
            Source(
                hub="masakhane/afrixnli",
                revision="e3ca06b30f3e7af2a86f6c8609ea76fee326bc56",
                licence="Apache 2.0",
                local="afrixnli/{name}",
                config="{name}",
                languages=tuple(languages.AFRIXNLI_NAMES),
                names=languages.AFRIXNLI_NAMES,
            ),
        ),
        labels=NLI,
        aliases=NLI_ALIASES,
        train="mnli",
        epochs=2,
    ),
]
