"""What is compared: a condition is a value, with one title that tables and figures show.

    english = Condition(("mnli",))
    spread = replace(english, languages=("de", "fi"), parts=2, called="mnli translated")
    against(spread, english)    # Contrast("mnli translated against mnli", {spread: 1, english: -1})

Claims, hypotheses and explanations choose conditions by their fields. Nothing reads a title.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from xstilts.runs.key import Score


@dataclass(frozen=True)
class Condition:
    """What an encoder was trained on before the target. Without arguments: on no task (NONE)."""

    tasks: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)  # of the tasks' training rows
    parts: int = 1  # each language has the rows of a task divided by this
    # own: those that the tasks take one by one. counted: these too, but a number of steps where the
    # profile counts epochs. twice: two times as many as counted. budget: the same for all tasks
    steps: Literal["own", "counted", "twice", "budget"] = "own"
    like: str = ""  # the task whose steps it takes; "" = its own tasks
    text: float = 0.0  # share of the steps that is on text of all languages
    noise: float = 0.0  # of the training rows; 0 = as the source has them
    difficulty: int = 0  # of the training rows; 0 = as the source has them
    encoder: str = ""  # "" = the study's
    phase1: bool = True  # False = the encoder as it ships
    rows: int = 0  # English rows that the target is trained on; 0 = all that the study has
    shuffled: bool = False  # the tasks' training labels are: a control
    draw: int = 0  # number of the draw of its tasks; 0 = not drawn
    chosen: bool = False  # the task that is best on dev rows, which is another for each target
    split: str = "test"  # on which the target is scored
    called: str = field(default="", compare=False)

    @property
    def title(self) -> str:
        return self.called or ", ".join(self.tasks) or "none"

    def __str__(self) -> str:
        return self.title

    def __lt__(self, other: Condition) -> bool:
        """By title: tables are sorted when they are grouped."""
        return self.title < other.title


NONE = Condition()
Weights = dict[Condition, float]  # of a sum of conditions' scores
Runs = dict[tuple[Condition, str, int], Score]  # (condition, target, seed) -> run


class Contrast(NamedTuple):
    title: str
    weights: Weights  # a difference, or a difference of differences

    @property
    def first(self) -> Condition:
        """What is compared with the others."""
        return next(iter(self.weights))


@dataclass(frozen=True)
class Comparison:
    wanted: Runs
    contrasts: list[Contrast]


def against(first: Condition, second: Condition = NONE) -> Contrast:
    return Contrast(f"{first} against {second}", {first: 1, second: -1})


def short(encoder: str) -> str:
    """An encoder's name without the folder it lies in."""
    return encoder.rstrip("/").rpartition("/")[2]
