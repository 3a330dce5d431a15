"""What one row of the task table says: the task, and where its rows come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType

from xstilts.tasks import kinds
from xstilts.tasks.columns import Reader

PARQUET = "refs/convert/parquet"  # the Hub's own conversion, where a data set is still a script
# splits of a source of which not every copy has the test rows
TEST_OR_VALIDATION = {"test": ("test", "validation")}
# splits of a source whose test rows have no public labels
TEST_IS_VALIDATION = {"test": ("validation",)}


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
    # language -> {name}; a language that is not in it keeps its code
    names: dict[str, str] = field(default_factory=dict)
    # our split -> the source's, in order of preference; "a+b" joins two, "a[:-100]" takes a part,
    # () says that there are no such rows
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: str = ""  # pattern with {split}: parquet below the revision, or text at a URL
    read: Reader | None = None  # given where the source's columns are not the task's
    label_column: str = ""  # the same
    # says whether a row is in the language, where one configuration has several languages
    keep: Callable[[dict, str], bool] | None = None

    def split_names(self, split: str, language: str) -> tuple[str, ...]:
        """What the source calls a split of ours, in order of preference."""
        return tuple(name.format(language=language) for name in self.splits.get(split, (split,)))

    def name(self, language: str) -> str:
        """What the source calls a language."""
        return self.names.get(language, language)


@dataclass(frozen=True)
class Task:
    """One task. Its `kind` decides how rows are encoded, learned, decoded and scored (`kinds/`)."""

    name: str
    title: str
    role: str  # intermediate, target, or text (phase 1)
    kind: str  # a module of `kinds`: classify, tag, span, choice, retrieve, mine, rank, mlm
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
    # The values of the paper's code: its defaults of phase 2, and for targets its XTREME runs.
    epochs: int = 3
    batch_size: int = 32
    max_length: int = 256
    # share of a profile's steps: words and spans are learned sooner than inference
    effort: float = 1.0
    obtain: str = ""  # how to get rows that are not on the Hub
    stand_in: str = ""  # the task that takes its place meanwhile
    own: bool = False  # a person's own target: see `own`
    trained_in: str = "en"  # the language of the rows that train a target

    @property
    def metric(self) -> str:
        """The one that tables show."""
        return self.metrics[0]

    @property
    def module(self) -> ModuleType:
        """Its kind (see `kinds`). UserError where the kind cannot compute the task's metrics."""
        return kinds.of(self)

    @property
    def untrained(self) -> bool:
        """The encoder is scored as it is, at every layer (BUCC, Tatoeba)."""
        return not self.module.TRAINED

    @property
    def labels_in(self) -> str:
        """The column that has a row's labels."""
        # "-": the source's reader makes sense of its labels itself
        return self.label_column.replace("-", "label")

    @cached_property
    def label_ids(self) -> dict[str, int]:
        """{label: its number}."""
        return {label: number for number, label in enumerate(self.labels)}

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of all sources, sorted."""
        return tuple(sorted({language for source in self.sources for language in source.languages}))
