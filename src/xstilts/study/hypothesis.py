"""What a chapter expects before it looks: a mean of differences between its conditions.

    Hypothesis("Many languages help more", differences(lambda many, english: ...))

`chapters.hypotheses` says whether it holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xstilts.study.conditions import Comparison, Condition, Weights
from xstilts.study.profiles import Study


@dataclass(frozen=True)
class Hypothesis:
    text: str
    weigh: Callable[[Comparison], list[Weights]]  # -> single differences, whose mean is the effect
    rule: str = "gain"  # one of `chapters.verdicts`
    languages: Callable[[Study], tuple[str, ...]] | None = None  # None = all that are scored
    over_languages: bool = False  # the interval speaks of other languages, too


def differences(
    choose: Callable[[Condition, Condition], bool], sign: int = 1
) -> Callable[[Comparison], list[Weights]]:
    """The chapter's own differences between two conditions that `choose` takes, or their
    opposites."""
    return lambda asked: [
        {condition: sign * weight for condition, weight in weights.items()}
        for _, weights in asked.contrasts
        if len(weights) == 2 and choose(*weights)
    ]


def means(
    more: Callable[[Condition], bool], less: Callable[[Condition], bool]
) -> Callable[[Comparison], list[Weights]]:
    """The mean of some conditions, less that of others."""

    def weigh(asked: Comparison) -> list[Weights]:
        there = list(dict.fromkeys(condition for condition, _, _ in asked.wanted))
        up, down = (list(filter(choose, there)) for choose in (more, less))
        if not up or not down:
            return []
        return [dict.fromkeys(up, 1 / len(up)) | dict.fromkeys(down, -1 / len(down))]

    return weigh
