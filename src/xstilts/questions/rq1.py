"""For PAWS-X, what helps more: 3 or 9 intermediate tasks in other languages than English, or a
larger encoder?

PAWS-X after 1, 3, 5 or 9 tasks in another language than English, two draws of 1 and of 3, the first
of each beside the same in English; and after three from other sizes of the encoder."""

from __future__ import annotations

import random
from dataclasses import replace

from xstilts import data
from xstilts.questions import model_size
from xstilts.study import grid
from xstilts.study.conditions import NONE, Comparison, Condition, Weights, against
from xstilts.study.hypothesis import Hypothesis, means
from xstilts.study.profiles import Study

# of twelve draws the one that costs least on the embedded benchmark, chosen before any of them was
# run
DRAW = 4


def compared(study: Study) -> Comparison:
    names, draw = grid.pool(study), random.Random(DRAW)
    conditions, contrasts = [NONE], []
    rows = {name: data.languages(name, study.data, "train") for name in names}
    languages = [
        language
        for language in study.languages
        if language != "en" and any(language in there for there in rows.values())
    ]
    for count, draws in {1: 2, 3: 2, 5: 1, 9: 1}.items():
        for number in range(1, draws + 1):
            language = draw.choice(languages) if languages else "en"
            there = [name for name in names if language in rows[name]]
            picked = tuple(draw.sample(there, min(count, len(there))))
            if len(picked) < min(count, len(names)) or language == "en" or count > len(names):
                continue
            label = f"{count} task{'s' * (count > 1)} in {language}"
            drawn = Condition(
                picked, (language,), steps="budget", draw=number, called=f"{label} (draw {number})"
            )
            conditions.append(drawn)
            contrasts.append(against(drawn))
            if number == 1:
                english = replace(
                    drawn, languages=("en",), called=f"{label} (draw {number}, in English)"
                )
                conditions.append(english)
                contrasts.append(against(drawn, english))
            if count == 5:  # with all nine it takes as long as the rest of the chapter
                own = replace(drawn, steps="own", called=f"{drawn}, own steps")
                conditions.append(own)
                contrasts.append(against(own, drawn))
    found = grid.runs(study, conditions, ("pawsx",))
    sized = model_size.sizes(study, {"three tasks": names[:3]}, ("pawsx",))
    return Comparison(found | sized.wanted, contrasts + sized.contrasts)


def _drawn(condition: Condition, count: int) -> bool:
    """So many tasks in another language than English, at the budget."""
    return (
        condition.draw > 0
        and condition.languages != ("en",)
        and condition.steps == "budget"
        and len(condition.tasks) == count
    )


_nine_less_three = means(
    lambda condition: _drawn(condition, 9), lambda condition: _drawn(condition, 3)
)


def _less_than_layers(asked: Comparison) -> list[Weights]:
    """What nine tasks add to three, less what the largest encoder adds to the next with three."""
    sized = list(
        dict.fromkeys(
            condition for condition, _, _ in asked.wanted if condition.encoder and condition.tasks
        )
    )
    tasks = _nine_less_three(asked)
    return [tasks[0] | {sized[-1]: -1, sized[-2]: 1}] if tasks and len(sized) > 1 else []


HYPOTHESES = (
    Hypothesis(
        "Three tasks in another language help more than one",
        means(lambda condition: _drawn(condition, 3), lambda condition: _drawn(condition, 1)),
    ),
    Hypothesis("Nine help more than three", _nine_less_three),
    Hypothesis(
        "Going from three to nine tasks gives more than a larger encoder", _less_than_layers
    ),
)
