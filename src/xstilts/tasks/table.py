"""The one table of tasks. `kind` decides encoding, head, loss, decoding and baseline (see
`kinds/`).

    TASKS["xnli"].languages

A new task is one row here, with at most one small function that reads its rows (`columns.py`). A
row says where its
rows come from: repository and revision on the Hub, and their licence. `local` is the folder of a
configuration in a local copy (`XSTILTS_DATA`). A revision is a commit where one was found in a
public record of somebody's run; elsewhere it is a branch, whose commit at the time of use becomes
part of the data's fingerprint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

from xstilts.errors import UserError
from xstilts.tasks import columns, languages
from xstilts.tasks.columns import Reader

NLI = ("entailment", "neutral", "contradiction")
NLI_ALIASES = {
    "contradictory": "contradiction"
}  # in the files of XNLI's translated training rows; XTREME reads them so, too
UPOS = (
    "ADJ",
    "ADP",
    "ADV",
    "AUX",
    "CCONJ",
    "DET",
    "INTJ",
    "NOUN",
    "NUM",
    "PART",
    "PRON",
    "PROPN",
    "PUNCT",
    "SCONJ",
    "SYM",
    "VERB",
    "X",
)
# `Task.scoring` of parts of speech: earlier scores took CCONJ and SCONJ for one class
WHOLE = "whole tags"
BIO = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")
PARQUET = "refs/convert/parquet"  # the Hub's own conversion, where a data set is still a script


@dataclass(frozen=True)
class Source:
    """Where rows come from. In `config`, `local` and `files`, {language} and {name} are
    replaced."""

    hub: str  # repository; "" = not on the Hub in a form that loads
    revision: str  # commit, branch or pull request
    licence: str
    local: str  # folder below a local copy
    config: str = "default"
    languages: tuple[str, ...] = ("en",)
    names: dict[str, str] = field(
        default_factory=dict
    )  # language -> {name}; none: the language's code
    # ours -> the source's, in order of preference; "a+b" joins, "a[:-100]" takes a part; () = there
    # are no such rows
    splits: dict[str, tuple[str, ...]] = field(default_factory=dict)
    files: str = ""  # pattern with {split}: parquet below the revision, or text at a URL
    read: Reader | None = None  # where its columns are not the task's
    label_column: str = ""  # the same
    keep: Callable[[dict, str], bool] | None = (
        None  # which rows are in the language, if a configuration has several
    )

    def split_names(self, split: str, language: str) -> tuple[str, ...]:
        return tuple(name.format(language=language) for name in self.splits.get(split, (split,)))

    def name(self, language: str) -> str:
        return self.names.get(language, language)


@dataclass(frozen=True)
class Task:
    name: str
    title: str
    role: str  # intermediate, target, or text (phase 1)
    kind: str  # classify, tag, span, choice, retrieve, mine, rank, mlm
    metrics: tuple[str, ...]  # the first is the one that tables show
    read: Reader  # a row in the Hub's columns -> a row of the kind
    sources: tuple[Source, ...]
    mixed: bool = False  # rows of all sources together, or of the first one that has the language
    labels: tuple[str, ...] = ()
    open_labels: bool = False  # the labels are those of the training rows: see `data.labelled`
    label_column: str = "label"
    scoring: str = ""  # how the metric is computed, where that has changed: part of a run's key
    answers: str = "squad"  # whose rules compare answers (`metrics.ANSWERS`): squad, squad2, mlqa
    aliases: dict[str, str] = field(default_factory=dict)  # a source's label -> the table's
    one_text: bool = False  # rank: an id has one text (an entity's description), not one a language
    train: str = ""  # the task whose English training rows a target uses; "" = its own
    epochs: int = (
        3  # the paper code's values: phase 2 defaults; per target in its XTREME run writer
    )
    batch_size: int = 32
    max_length: int = 256
    effort: float = (
        1.0  # share of a profile's steps: words and spans are learned sooner than inference
    )
    obtain: str = ""  # how to get rows that are not on the Hub
    stand_in: str = ""  # the task that takes its place meanwhile

    @property
    def metric(self) -> str:
        return self.metrics[0]

    @property
    def untrained(self) -> bool:
        """The encoder is scored as it is, at every layer (BUCC, Tatoeba)."""
        return self.kind in ("retrieve", "mine")

    @cached_property
    def label_ids(self) -> dict[str, int]:
        return {label: number for number, label in enumerate(self.labels)}

    @property
    def languages(self) -> tuple[str, ...]:
        """In which the task exists, sorted."""
        return tuple(sorted({language for source in self.sources for language in source.languages}))


LAST = {"test": ("test", "validation")}  # not every copy has the test rows
MNLI = Source(
    "nyu-mll/glue",
    "bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
    "OANC, CC BY 3.0, CC BY-SA 3.0",
    "mnli/default",
    "mnli",
    splits={"validation": ("validation_matched",), "test": ("validation_mismatched",)},
)
SNLI = Source(
    "stanfordnlp/snli",
    "cdb5c3d5eed6ead6e5a341c8e56e669bb666725b",
    "CC BY-SA 4.0",
    "snli/plain_text",
    "plain_text",
    splits=LAST,
)
ANLI = Source(
    "facebook/anli",
    "8e4813d81f46d313dac7892e1c28076917cfcdf9",
    "CC BY-NC 4.0",
    "anli/plain_text",
    "plain_text",
    splits={
        "train": ("train_r1+train_r2+train_r3",),
        "validation": ("dev_r1+dev_r2+dev_r3",),
        "test": ("test_r1+test_r2+test_r3",),
    },
)
# translated by machine: MNLI in XNLI, SQuAD in MLQA, MNLI and ANLI in a set of 26 languages
XNLI = Source(
    "facebook/xnli",
    "b8dd5d7af51114dbda02c0e3f6133f332186418e",
    "CC BY-NC 4.0",
    "xnli/{language}",
    "{language}",
    languages.XNLI,
)
MNLI_MT = replace(
    XNLI, languages=tuple(language for language in languages.XNLI if language != "en")
)
# the main branch of facebook/mlqa is a loading script
SQUAD_MT = Source(
    "facebook/mlqa",
    PARQUET,
    "CC BY-SA 3.0",
    "mlqa/mlqa-translate-train.{language}",
    "mlqa-translate-train.{language}",
    tuple(language for language in languages.MLQA if language != "en"),
    splits={"test": ("validation",)},
    files="mlqa-translate-train.{language}/{split}/*.parquet",
)
ANLI_MT = Source(
    "MoritzLaurer/multilingual-NLI-26lang-2mil7",
    "510a233972a0d7ff0f767d82f46e046832c10538",
    "CC BY-NC 4.0 (ANLI), OANC (MNLI)",
    "nli26/{language}",
    languages=languages.NLI26,
    splits={
        "train": ("{language}_anli[1000:]+{language}_mnli[1000:]",),
        "validation": ("{language}_anli[:1000]+{language}_mnli[:1000]",),
        "test": (),
    },
)
XTREME = "google/xtreme", "ec5f1f46e9af79639a90684a7a70a956c4998f04"
COPA_SPLITS = {"test": ("validation",)}  # SuperGLUE's test labels are hidden

_ROWS = [
    # phase 1
    Task(
        "text",
        "monolingual text",
        "text",
        "mlm",
        ("masked accuracy",),
        columns.text,
        (
            Source(
                "wikimedia/wikipedia",
                "b04c8d1ceb2f5cd4588862100d08de323dccfbaa",
                "CC BY-SA 3.0",
                "text/{language}",
                "20231101.{language}",
                languages.PANX,
            ),
        ),
    ),
    # phase 2: English intermediate tasks
    Task(
        "anli",
        "ANLI+",
        "intermediate",
        "classify",
        ("accuracy",),
        columns.pair("premise", "hypothesis"),
        (ANLI, MNLI, SNLI, ANLI_MT),
        mixed=True,
        labels=NLI,
        aliases=NLI_ALIASES,
    ),
    Task(
        "mnli",
        "MNLI",
        "intermediate",
        "classify",
        ("accuracy",),
        columns.pair("premise", "hypothesis"),
        (MNLI, MNLI_MT),
        labels=NLI,
        aliases=NLI_ALIASES,
    ),
    Task(
        "qqp",
        "QQP",
        "intermediate",
        "classify",
        ("accuracy",),
        columns.pair("question1", "question2"),
        (
            Source(
                "nyu-mll/glue",
                MNLI.revision,
                "Quora's terms, non-commercial",
                "qqp/default",
                "qqp",
                splits={"test": ("validation",)},
            ),
        ),
        labels=("not_duplicate", "duplicate"),
    ),
    Task(
        "squad2",
        "SQuAD v2",
        "intermediate",
        "span",
        ("F1", "exact match"),
        columns.question,
        (
            Source(
                "rajpurkar/squad_v2",
                "3ffb306f725f7d2ce8394bc1873b24868140c412",
                "CC BY-SA 4.0",
                "squad_v2/squad_v2",
                "squad_v2",
                splits={"test": ("validation",)},
            ),
        ),
        answers="squad2",
        max_length=384,
        effort=0.6,
    ),
    Task(
        "squad",
        "SQuAD v1.1",
        "intermediate",
        "span",
        ("F1", "exact match"),
        columns.question,
        (
            Source(
                "rajpurkar/squad",
                "7b6d24c440a36b6815f21b70d25016731768db1f",
                "CC BY-SA 4.0",
                "squad/plain_text",
                "plain_text",
                splits={"test": ("validation",)},
            ),
            SQUAD_MT,
        ),
        max_length=384,
        effort=0.6,
    ),
    Task(
        "hellaswag",
        "HellaSwag",
        "intermediate",
        "choice",
        ("accuracy",),
        columns.hellaswag,
        (
            Source(
                "Rowan/hellaswag",
                "218ec52e09a7e7462a5400043bb9a69a41d06b76",
                "MIT",
                "hellaswag/default",
                splits={"test": ("validation",)},
            ),
        ),
        effort=0.4,
    ),
    Task(
        "ccg",
        "CCG",
        "intermediate",
        "tag",
        ("accuracy",),
        columns.words("tags"),
        (Source("", "", "LDC User Agreement", "ccg/{language}"),),
        open_labels=True,
        label_column="tags",
        effort=0.3,
        stand_in="udpos",
        obtain="CCGbank is licensed (LDC2005T13): `xstilts ccgbank FOLDER --out ROWS` reads it "
        "into ROWS/ccg/en "
        "(columns tokens and tags), and XSTILTS_OWN=ROWS puts these beside the Hub. Meanwhile "
        "UDPOS in "
        "English can stand in: name udpos as the intermediate task",
    ),
    Task(
        "cosmosqa",
        "Cosmos QA",
        "intermediate",
        "choice",
        ("accuracy",),
        columns.cosmosqa,
        (
            Source(
                "allenai/cosmos_qa",
                "refs/pr/6",
                "CC BY 4.0",
                "cosmos_qa/default",
                splits={"test": ("validation",)},
            ),
        ),
        effort=0.4,
    ),
    Task(
        "commonsenseqa",
        "CommonsenseQA",
        "intermediate",
        "choice",
        ("accuracy",),
        columns.commonsenseqa,
        (
            Source(
                "tau/commonsense_qa",
                "94630fe30dad47192a8546eb75f094926d47e155",
                "MIT",
                "commonsense_qa/default",
                splits={"test": ("validation",)},
            ),
        ),
        label_column="answerKey",
        effort=0.2,
    ),
    # phase 3: targets, trained in English and scored in every language. XTREME:
    Task(
        "xnli",
        "XNLI",
        "target",
        "classify",
        ("accuracy",),
        columns.pair("premise", "hypothesis"),
        (XNLI,),
        labels=NLI,
        aliases=NLI_ALIASES,
        train="mnli",
        epochs=2,
    ),
    Task(
        "pawsx",
        "PAWS-X",
        "target",
        "classify",
        ("accuracy",),
        columns.pair("sentence1", "sentence2"),
        (
            Source(
                "google-research-datasets/paws-x",
                "4cd8187c404bda33cb1f62b49b001115862acf37",
                "free for any purpose (Google)",
                "paws-x/{language}",
                "{language}",
                ("de", "en", "es", "fr", "ja", "ko", "zh"),
            ),
        ),
        labels=("0", "1"),
        epochs=5,
    ),
    Task(
        "udpos",
        "UDPOS",
        "target",
        "tag",
        ("F1", "accuracy"),
        columns.words("pos_tags"),
        (
            Source(
                *XTREME,
                "CC BY-SA (most treebanks)",
                "udpos/{name}",
                "udpos.{name}",
                tuple(languages.UD_NAMES),
                languages.UD_NAMES,
            ),
            Source(
                "izhx/xtreme-r-udpos",
                "main",
                "CC BY-SA (most treebanks)",
                "universal_dependencies/{name}",
                "{language}",
                languages.UD_ADDED,
                languages.TREEBANKS,
            ),
        ),
        labels=UPOS,
        label_column="pos_tags",
        scoring=WHOLE,
        aliases={"_": "X"},
        epochs=10,
        effort=0.3,
    ),
    Task(
        "panx",
        "PAN-X",
        "target",
        "tag",
        ("F1",),
        columns.words("ner_tags"),
        (
            Source(*XTREME, "ODC-BY", "panx/PAN-X.{language}", "PAN-X.{language}", languages.PANX),
            Source(
                "unimelb-nlp/wikiann",
                "main",
                "ODC-BY",
                "panx/PAN-X.{language}",
                "{language}",
                languages.PANX_ADDED,
            ),
        ),
        labels=BIO,
        label_column="ner_tags",
        epochs=10,
        effort=0.3,
    ),
    Task(
        "xquad",
        "XQuAD",
        "target",
        "span",
        ("F1", "exact match"),
        columns.question,
        (
            Source(
                "google/xquad",
                "51adfef1c1287aab1d2d91b5bead9bcfb9c68583",
                "CC BY-SA 4.0",
                "xquad/{language}",
                "xquad.{language}",
                tuple(sorted((*languages.XQUAD, "ro"))),
                splits={"test": ("validation",)},
            ),
        ),
        train="squad",
        epochs=2,
        batch_size=16,
        max_length=384,
        effort=0.6,
    ),
    Task(
        "mlqa",
        "MLQA",
        "target",
        "span",
        ("F1", "exact match"),
        columns.question,
        (
            Source(
                *XTREME,
                "CC BY-SA 3.0",
                "mlqa/mlqa.{language}.{language}",
                "MLQA.{language}.{language}",
                languages.MLQA,
                splits=LAST,
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
        "tydiqa",
        "TyDiQA-GoldP",
        "target",
        "span",
        ("F1", "exact match"),
        columns.question,
        (
            Source(
                "google-research-datasets/tydiqa",
                "da78f23f9119363459acbaf46bf89426ff26c259",
                "Apache 2.0",
                "tydiqa/{language}",
                "secondary_task",
                tuple(languages.TYDIQA_NAMES),
                splits=LAST,
                keep=columns.is_tydiqa_language,
            ),
        ),
        epochs=2,
        batch_size=16,
        max_length=384,
        effort=0.4,
    ),  # few rows
    Task(
        "bucc",
        "BUCC 2018",
        "target",
        "mine",
        ("F1", "F1, centred"),
        columns.translation,
        (
            Source(
                *XTREME,
                "research use (BUCC 2018 shared task)",
                "bucc2018/bucc18.{language}",
                "bucc18.{language}",
                ("de", "fr", "ru", "zh"),
            ),
        ),
        obtain="the Hub has only BUCC's gold pairs, so that mining among them lacks the "
        "distractors; for the whole"
        " task put candidates_<language>.parquet and candidates_en.parquet (columns id, "
        "sentence) of the shared "
        "task beside them",
    ),
    Task(
        "tatoeba",
        "Tatoeba",
        "target",
        "retrieve",
        ("accuracy", "accuracy, centred"),
        columns.translation,
        (
            Source(
                *XTREME,
                "CC BY 2.0 FR",
                "tatoeba/{language}",
                "tatoeba.{name}",
                tuple(languages.TATOEBA_NAMES),
                languages.TATOEBA_NAMES,
                {"test": ("test", "validation")},
            ),
        ),
    ),
    # XTREME-R adds these
    Task(
        "xcopa",
        "XCOPA",
        "target",
        "choice",
        ("accuracy",),
        columns.copa,
        (
            Source(
                "cambridgeltl/xcopa",
                "042f78955ba48e6404616762fa6e05e839c3907a",
                "CC BY 4.0",
                "xcopa/{language}",
                "{language}",
                languages.XCOPA,
            ),
            Source(
                "aps/super_glue",
                "3de24cf8022e94f4ee4b9d55a6f539891524d646",
                "BSD 2-Clause",
                "xcopa/{language}",
                "copa",
                splits=COPA_SPLITS,
            ),
            Source(
                "allenai/social_i_qa",
                PARQUET,
                "CC BY 4.0",
                "social_i_qa/default",
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
        "lareqa",
        "LAReQA",
        "target",
        "rank",
        ("mAP@20",),
        columns.answer_sentence,
        (
            Source(
                "google-research-datasets/xquad_r",
                "main",
                "CC BY-SA 4.0",
                "lareqa_xquad_r/{language}",
                "{language}",
                languages.XQUAD,
                splits={"test": ("test", "validation")},
            ),
        ),
        train="squad",
        epochs=3,
        max_length=256,
        effort=0.3,
    ),
    Task(
        "mewslix",
        "Mewsli-X",
        "target",
        "rank",
        ("mAP@20",),
        columns.mention,
        (
            Source(
                "",
                "",
                "CC BY-SA 4.0, CC0 (Wikipedia, WikiNews, Wikidata)",
                "mewsli-x/{language}",
                languages=languages.MEWSLIX,
            ),
        ),
        one_text=True,
        epochs=3,
        max_length=128,
        effort=0.6,
        obtain="no copy on the Hub loads without code of its own: build it with "
        "google-research/xtreme's scripts, "
        "then write mewsli-x/<language>/{train,validation,test}.parquet with the columns mention "
        "(text "
        "around it, the mention in brackets), entity (its Wikidata id) and description (the "
        "entity's text) "
        "into a local folder or that of XSTILTS_OWN; train in English. "
        "mewsli-x/candidates.parquet (entity, "
        "description) has all entities that are searched; without it they are those of the "
        "scored rows alone",
    ),
    # African languages
    Task(
        "masakhaner",
        "MasakhaNER 2.0",
        "target",
        "tag",
        ("F1",),
        columns.words("ner_tags"),
        (
            Source(
                "masakhane/masakhaner2",
                PARQUET,
                "CC BY-NC 4.0",
                "masakhaner2/{name}",
                "{name}",
                tuple(languages.MASAKHANE_NAMES),
                languages.MASAKHANE_NAMES,
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
        "masakhapos",
        "MasakhaPOS",
        "target",
        "tag",
        ("F1", "accuracy"),
        columns.words("upos"),
        (
            Source(
                "",
                "a42273eb27d37f3dedfc3914bfccb88199e10454",
                "CC BY-NC 4.0",
                "masakhapos/{name}",
                languages=tuple(languages.MASAKHANE_NAMES),
                names=languages.MASAKHANE_NAMES,
                splits={"validation": ("dev",)},
                files="https://raw.githubusercontent.com/masakhane-io/masakhane-pos/{revision}/data/{name}/"
                "{split}.txt",
            ),
        ),
        labels=UPOS,
        label_column="upos",
        scoring=WHOLE,
        aliases={"_": "X"},
        train="udpos",
        epochs=10,
        effort=0.3,
    ),
    Task(
        "afrixnli",
        "AfriXNLI",
        "target",
        "classify",
        ("accuracy",),
        columns.pair("premise", "hypothesis"),
        (
            Source(
                "masakhane/afrixnli",
                "e3ca06b30f3e7af2a86f6c8609ea76fee326bc56",
                "Apache 2.0",
                "afrixnli/{name}",
                "{name}",
                tuple(languages.AFRIXNLI_NAMES),
                languages.AFRIXNLI_NAMES,
            ),
        ),
        labels=NLI,
        aliases=NLI_ALIASES,
        train="mnli",
        epochs=2,
    ),
]

TASKS: dict[str, Task] = {}
for _row in _ROWS:
    if _row.name in TASKS:
        raise ValueError(f"two rows of the task table are named {_row.name!r}")
    TASKS[_row.name] = _row


def task(name: str, role: str = "") -> Task:
    """The row of that name. UserError names the known ones (of the role, if one is asked for)."""
    known = [row.name for row in _ROWS if not role or row.role == role]
    known += [
        row.stand_in for row in _ROWS if row.stand_in and row.role == role
    ]  # UDPOS may stand in for CCG
    if name not in known:
        what = f"{role} task" if role else "task"
        raise UserError(f"unknown {what} {name!r}; known: {', '.join(known)}")
    return TASKS[name]


def training_task(target: Task) -> Task:
    """The task whose English rows train a target: MNLI for XNLI, SQuAD for XQuAD, else its own."""
    return TASKS[target.train] if target.train else target
