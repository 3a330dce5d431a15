"""Conditions as runs: which tasks, languages and targets the wide chapters take, and the encoder
that a condition asks for.

    runs(study, [NONE, Condition(("mnli",))], QUICK)    # {(condition, target, seed): Score}

Equal budget: the conditions of a contrast take the same number of phase-2 steps of the same batch,
so that "more tasks" or "more languages" is not simply "more training": a task's own steps where
only its rows differ, `profiles.phase2_budget` where tasks do. What gets the steps that its tasks
would have one by one is called "own steps". Conditions that two chapters share are the same runs; a
chapter that shows few languages scores all, so that it can share."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any

from xstilts import data, encoders
from xstilts.runs.key import Adapt, Base
from xstilts.study import phases, profiles
from xstilts.study.conditions import Condition, Runs
from xstilts.study.profiles import PROFILES, Study
from xstilts.synthetic import dials
from xstilts.tasks.table import TASKS

NAMED_BEST = ("hellaswag", "mnli", "squad")  # in the paper's abstract
# a target of each category of XTREME, and two for tagging; of the reading comprehension tasks the
# one that is not SQuAD again
OF_EACH = ("xnli", "udpos", "panx", "tydiqa", "tatoeba")
QUICK = OF_EACH[1:]  # XNLI takes as long as the other four together
# A target with few rows sees each at most so often, but has this share of its steps at least: the
# steps of many rows would only repeat few, and fewer steps than that teach nothing
REPEATS, LEAST = 10, 1 / 6
NINE = tuple(name for name, row in TASKS.items() if row.role == "intermediate")


def pool(study: Study) -> tuple[str, ...]:
    """The intermediate tasks of chapters that are about many: all nine, unless other than the
    profile's were asked for. Those without rows are left out."""
    asked = (
        study.intermediates
        if study.intermediates != PROFILES[study.profile].intermediates
        else NINE
    )
    return phases.with_rows(study, asked)


def one_by_one(study: Study) -> tuple[str, ...]:
    """The tasks that the study looks at one by one (`intermediates`); those without rows are left
    out."""
    return phases.with_rows(study, study.intermediates)


def best(study: Study) -> tuple[str, ...]:
    """Of the study's tasks those that the paper names as the best; all where it has none of
    them."""
    there = one_by_one(study)
    return tuple(name for name in there if name in NAMED_BEST) or there


def others(study: Study, name: str) -> tuple[str, ...]:
    """The study's languages but English that have training rows of the task."""
    there = data.languages(name, study.data, "train")
    return tuple(language for language in study.languages if language in there and language != "en")


def encoder(study: Study, condition: Condition, seed: int) -> Adapt | Base:
    """What a condition's targets start from."""
    study = dataclasses.replace(study, encoder=condition.encoder or study.encoder)
    if not condition.phase1:
        return phases.base(dataclasses.replace(study, phase1_steps=0))
    if not condition.tasks:
        return phases.phase1(study)
    if condition.noise or condition.difficulty:
        turned = dials.parse(study.data)
        turned = dataclasses.replace(
            turned,
            noise=condition.noise or turned.noise,
            difficulty=condition.difficulty or turned.difficulty,
        )
        study = dataclasses.replace(study, data=dials.name(turned))
    rows = max(1, study.phase2_rows // condition.parts) if study.phase2_rows else 0
    return phases.phase2(
        study,
        condition.tasks,
        seed,
        languages=condition.languages,
        steps=_steps(study, condition),
        rows=rows,
        mlm_share=condition.text,
        shuffled=condition.shuffled,
    )


def _steps(study: Study, condition: Condition) -> int:
    """Steps of phase 2; 0 = by the tasks' epochs, which add up anyway."""
    tasks = (condition.like,) if condition.like else condition.tasks
    own = round(study.phase2_steps * sum(TASKS[name].effort for name in tasks))
    if condition.steps == "own":
        return own
    budget = profiles.phase2_budget(study)
    if condition.steps == "budget":
        return budget
    return (own or budget) * (2 if condition.steps == "twice" else 1)


def runs(
    study: Study,
    conditions: Sequence[Condition],
    targets: Sequence[str] = (),
    scored: Sequence[str] = (),
) -> Runs:
    """The conditions against a chapter's own targets, or the study's: those that the data has in a
    language that is scored. Of a chapter's own only those that were asked for, if others than the
    profile's were.

    scored: languages; () = the study's."""
    asked = study, tuple(conditions), tuple(targets), tuple(scored)
    if any(TASKS[name].own for name in (*study.targets, *targets)):
        return _asked(*asked)
    names = {study.encoder, *(one.encoder for one in conditions if one.encoder)}
    shipped = tuple(encoders.fingerprint(name) for name in sorted(names))
    return dict(_remembered(study.data, shipped, *asked))


@data.while_unchanged(256)  # a book asks for the same runs again and again
def _remembered(source: str, shipped: tuple[str, ...], *asked: Any) -> Runs:
    return _asked(*asked)


def _asked(
    study: Study,
    conditions: tuple[Condition, ...],
    targets: tuple[str, ...],
    scored: tuple[str, ...],
) -> Runs:
    asked = study.targets if study.targets != PROFILES[study.profile].targets else targets
    languages = tuple(scored) or study.languages
    there = tuple(
        target
        for target in [name for name in targets if name in asked] or targets or study.targets
        if set(data.languages(target, data.as_target(study.data, target), "test")) & set(languages)
    )
    scoring = dataclasses.replace(study, targets=there, languages=languages)
    found: Runs = {}
    for rows in dict.fromkeys(condition.rows for condition in conditions):
        some = {
            condition: partial(encoder, study, condition)
            for condition in conditions
            if condition.rows == rows
        }
        for part in [on_rows(scoring, target, rows) for target in there] if rows else [scoring]:
            found |= phases.grid(part, some)
    return found


def on_rows(study: Study, target: str, rows: int) -> Study:
    """The study as a target is trained on so few of its English rows."""
    whole = profiles.phase3_recipe(study, target)
    steps = max(LEAST * whole.steps, min(whole.steps, REPEATS * rows / whole.batch_size))
    return dataclasses.replace(
        study,
        targets=(target,),
        phase3_rows=rows,
        phase3_steps=round(steps / TASKS[target].effort),
        # steps of its own are for all rows
        phase3_own=tuple(
            words
            for words in study.phase3_own
            if profiles.own_recipe(words)[:2] != (target, "steps")
        ),
    )
