"""The one table of tasks. `kind` decides encoding, head, loss, decoding and baseline (see `kinds/`).

    TASKS["xnli"].languages

A new task is one row here, with at most one small function that reads its rows.
Identifiers are the Hub's. `local` is the folder of a configuration in a local copy (`XSTILTS_DATA`).
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .spec import UserError

NLI = ("entailment", "neutral", "contradiction")
UPOS = ("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT",
        "SCONJ", "SYM", "VERB", "X")
BIO = ("O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC")

# XTREME spells configurations by English language names ("Afrikans" is the Hub's own spelling)
UD_NAMES = {
    "af": "Afrikans", "ar": "Arabic", "bg": "Bulgarian", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese",
    "kk": "Kazakh", "ko": "Korean", "mr": "Marathi", "nl": "Dutch", "pt": "Portuguese", "ru": "Russian",
    "ta": "Tamil", "te": "Telugu", "th": "Thai", "tl": "Tagalog", "tr": "Turkish", "ur": "Urdu",
    "vi": "Vietnamese", "yo": "Yoruba", "zh": "Chinese"}
TATOEBA_NAMES = {
    "af": "afr", "ar": "ara", "bg": "bul", "bn": "ben", "de": "deu", "el": "ell", "es": "spa", "et": "est",
    "eu": "eus", "fa": "pes", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin", "hu": "hun", "id": "ind",
    "it": "ita", "ja": "jpn", "jv": "jav", "ka": "kat", "kk": "kaz", "ko": "kor", "ml": "mal", "mr": "mar",
    "nl": "nld", "pt": "por", "ru": "rus", "sw": "swh", "ta": "tam", "te": "tel", "th": "tha", "tl": "tgl",
    "tr": "tur", "ur": "urd", "vi": "vie", "zh": "cmn"}
PANX_LANGUAGES = tuple("ar he vi id jv ms tl eu ml ta te af nl en de el bn hi mr ur fa fr it pt es bg ru ja ka ko th "
                       "sw yo my zh kk tr et fi hu".split())


@dataclass(frozen=True)
class Task:
    name: str
    title: str
    role: str                       # intermediate, target, or text (phase 1)
    kind: str                       # classify, tag, span, choice, retrieve, mlm
    metrics: tuple[str, ...]        # the first is the one that tables show
    read: Callable[[dict], dict]    # a row in the Hub's columns -> a row of the kind
    hub: str                        # repository
    config: str                     # configuration; {language} is replaced
    local: str                      # folder below a local copy; {language} is replaced
    languages: tuple[str, ...] = ("en",)
    names: dict[str, str] = field(default_factory=dict)   # language -> its name in the Hub's configurations
    labels: tuple[str, ...] = ()
    label_column: str = "label"
    train: str = ""                 # the task whose English training rows a target uses; "" = its own
    splits: dict[str, tuple[str, ...]] = field(default_factory=dict)  # ours -> the source's, in order of preference
    epochs: int = 3                 # the paper code's values: phase 2 defaults; per target in its XTREME run writer
    batch_size: int = 32
    max_length: int = 256
    effort: float = 1.0             # share of a profile's steps: words and spans are learned sooner than inference
    local_names: dict[str, str] = field(default_factory=dict)  # where a local copy spells a name differently

    @property
    def metric(self) -> str:
        return self.metrics[0]

    def split_names(self, split: str) -> tuple[str, ...]:
        return self.splits.get(split, (split,))


def _pair(first: str, second: str) -> Callable[[dict], dict]:
    return lambda row: {"texts": (row[first], row[second]), "label": row["label"]}


def _words(tags: str) -> Callable[[dict], dict]:
    return lambda row: {"words": row["tokens"], "tags": row[tags]}


def _question(row: dict) -> dict:
    answers = row["answers"]
    return {"question": row["question"], "context": row["context"],
            "answers": tuple(answers["text"]), "starts": tuple(answers["answer_start"])}


def _hellaswag(row: dict) -> dict:
    return {"context": row["ctx"], "choices": tuple(row["endings"]), "label": int(row["label"])}


def _commonsenseqa(row: dict) -> dict:
    choices = row["choices"]
    return {"context": row["question"], "choices": tuple(choices["text"]),
            "label": list(choices["label"]).index(row["answerKey"])}


def _translation(row: dict) -> dict:
    return {"source": row["source_sentence"], "english": row["target_sentence"]}


def _text(row: dict) -> dict:
    return {"text": row["text"]}


_ROWS = [
    # phase 1
    Task("text", "monolingual text", "text", "mlm", ("masked accuracy",), _text, "wikimedia/wikipedia",
         "20231101.{language}", "text/{language}"),
    # phase 2: English intermediate tasks
    Task("mnli", "MNLI", "intermediate", "classify", ("accuracy",), _pair("premise", "hypothesis"), "nyu-mll/glue",
         "mnli", "mnli/default", labels=NLI,
         splits={"validation": ("validation_matched",), "test": ("validation_mismatched",)}),
    Task("qqp", "QQP", "intermediate", "classify", ("accuracy",), _pair("question1", "question2"), "nyu-mll/glue",
         "qqp", "qqp/default", labels=("not_duplicate", "duplicate"), splits={"test": ("validation",)}),
    Task("squad", "SQuAD v1.1", "intermediate", "span", ("F1", "exact match"), _question, "rajpurkar/squad",
         "plain_text", "squad/plain_text", splits={"test": ("validation",)}, max_length=384, effort=0.6),
    Task("hellaswag", "HellaSwag", "intermediate", "choice", ("accuracy",), _hellaswag, "Rowan/hellaswag",
         "default", "hellaswag/default", splits={"test": ("validation",)}, effort=0.4),
    Task("commonsenseqa", "CommonsenseQA", "intermediate", "choice", ("accuracy",), _commonsenseqa,
         "tau/commonsense_qa", "default", "commonsense_qa/default", splits={"test": ("validation",)}, effort=0.2),
    # phase 3: targets, trained in English and scored in every language
    Task("xnli", "XNLI", "target", "classify", ("accuracy",), _pair("premise", "hypothesis"), "facebook/xnli",
         "{language}", "xnli/{language}", tuple("ar bg de el en es fr hi ru sw th tr ur vi zh".split()),
         labels=NLI, train="mnli", epochs=2),
    Task("pawsx", "PAWS-X", "target", "classify", ("accuracy",), _pair("sentence1", "sentence2"),
         "google-research-datasets/paws-x", "{language}", "paws-x/{language}",
         ("de", "en", "es", "fr", "ja", "ko", "zh"), labels=("0", "1"), epochs=5),
    Task("udpos", "UDPOS", "target", "tag", ("F1", "accuracy"), _words("pos_tags"), "google/xtreme",
         "udpos.{name}", "udpos/{name}", tuple(sorted(UD_NAMES)), UD_NAMES, UPOS, "pos_tags",
         local_names={"af": "Afrikaans"}, epochs=10, effort=0.3),
    Task("panx", "PAN-X", "target", "tag", ("F1",), _words("ner_tags"), "google/xtreme", "PAN-X.{language}",
         "panx/PAN-X.{language}", PANX_LANGUAGES, labels=BIO, label_column="ner_tags",
         splits={"test": ("test", "heldout_from_train", "validation")}, epochs=10, effort=0.3),
    Task("xquad", "XQuAD", "target", "span", ("F1", "exact match"), _question, "google/xquad", "xquad.{language}",
         "xquad/{language}", tuple("ar de el en es hi ro ru th tr vi zh".split()), train="squad",
         splits={"test": ("test", "validation")}, epochs=2, batch_size=16, max_length=384,
         effort=0.6),
    Task("tatoeba", "Tatoeba", "target", "retrieve", ("accuracy", "accuracy, centred"), _translation,
         "google/xtreme", "tatoeba.{name}", "tatoeba/{language}", tuple(sorted(TATOEBA_NAMES)), TATOEBA_NAMES,
         splits={"test": ("test", "validation")}),
]

TASKS: dict[str, Task] = {}
for _row in _ROWS:
    if _row.name in TASKS:
        raise ValueError(f"two rows of the task table are named {_row.name!r}")
    TASKS[_row.name] = _row


def task(name: str, role: str = "") -> Task:
    """The row of that name. UserError names the known ones (of the role, if one is asked for)."""
    known = [row.name for row in _ROWS if not role or row.role == role]
    if name not in known:
        what = f"{role} task" if role else "task"
        raise UserError(f"unknown {what} {name!r}; known: {', '.join(known)}")
    return TASKS[name]


def training_task(target: Task) -> Task:
    """The task whose English rows train a target: MNLI for XNLI, SQuAD for XQuAD, else its own."""
    return TASKS[target.train] if target.train else target
