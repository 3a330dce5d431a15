"""The runs of a study's three phases.

    wanted = single_tasks(study)           # {(condition, target, seed): Score}
    phase3(study, phase2(study, ("mnli",), seed=0), "xnli", seed=0)

Runs that are asked for twice, by two chapters or two conditions, have the same key.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from xstilts import data, encoders
from xstilts.errors import UserError
from xstilts.runs import execution
from xstilts.runs.key import Adapt, Base, Score
from xstilts.study import profiles
from xstilts.study.conditions import NONE, Condition, Runs
from xstilts.study.parameters import Study
from xstilts.tasks.table import TASKS, Task, training_task
from xstilts.training.recipe import Recipe


def base(study: Study) -> Base:
    """The encoder as it ships, cut to its layers and, where asked, to the pieces of the source's
    texts."""
    texts = data.texts_fingerprint(study.data) if study.vocabulary == "data" else "full"
    return Base(study.encoder, encoders.fingerprint(study.encoder), texts, study.data)


def phase1(study: Study) -> Base | Adapt:
    """The multilingual encoder that phases 2 and 3 start from: one for all seeds, as the paper has
    one XLM-R."""
    if not study.phase1_steps:
        return base(study)
    languages = execution.task_languages("text", study.languages, study.data)
    return Adapt(
        base(study),
        ("text",),
        languages,
        profiles.phase1_recipe(study),
        0,
        _fingerprints("text", languages, study),
        study.data,
    )


def phase2(
    study: Study,
    names: tuple[str, ...],
    seed: int,
    languages: tuple[str, ...] = ("en",),
    steps: int = 0,
    rows: int = 0,
    mlm_share: float = 0.0,
    shuffled: bool = False,
) -> Adapt:
    """The encoder after intermediate training on the tasks' rows: English ones, or `languages`'.

    steps, rows (of a task and language): other than the profile's. mlm_share: of the steps, on text
    of all languages. shuffled: the training rows' labels say nothing."""
    names, recipe = tuple(sorted(names)), profiles.phase2_recipe(study, tuple(names))
    if steps:
        recipe = dataclasses.replace(recipe, steps=steps, epochs=0)
    recipe = dataclasses.replace(recipe, rows=rows or recipe.rows)
    texts = execution.task_languages("text", study.languages, study.data) if mlm_share else ()
    fingerprints = tuple(item for name in names for item in _fingerprints(name, languages, study))
    fingerprints += _fingerprints("text", texts, study) if texts else ()
    scoring = " ".join(sorted({TASKS[name].scoring for name in names} - {""}))
    return Adapt(
        phase1(study),
        names,
        languages,
        recipe,
        seed,
        fingerprints,
        study.data,
        mlm_share,
        texts,
        scoring,
        own_rows=_own_rows(study, names, languages, recipe.rows),
        shuffled=shuffled,
    )


def phase3(
    study: Study, encoder: Base | Adapt, target: str, seed: int, split: str = "test"
) -> Score:
    """The target, scored in each of the study's languages that it has: after a training in English
    from `encoder`, or by `encoder` itself where the target has none. UserError where it has none of
    the languages."""
    study = dataclasses.replace(study, data=data.as_target(study.data, target))
    row, there = TASKS[target], data.languages(target, study.data, "test")
    languages = tuple(language for language in study.languages if language in there)
    if not languages:
        raise UserError(
            f"{row.title} has none of the study's languages ({', '.join(study.languages)}); "
            f"it has: {', '.join(there) or 'none'}"
        )
    scored = data.scored_fingerprints(target, split, languages, study.data)
    recipe = profiles.phase3_recipe(study, target)
    if row.untrained:
        seed = 0
    else:
        encoder = _training(study, encoder, row, recipe, seed)
        recipe = profiles.scoring_recipe(recipe)
    return Score(
        encoder,
        target,
        languages,
        recipe,
        study.eval_rows,
        split,
        seed,
        scored,
        study.data,
        row.scoring,
    )


def _training(
    study: Study, encoder: Base | Adapt, target: Task, recipe: Recipe, seed: int
) -> Adapt:
    """The training of a target: on the English rows of its training task, read as that task's own
    where they are read alike. A person's own target may be trained in another language."""
    task = training_task(target)
    reads, own = (
        (some.kind, some.name if some.open_labels else some.labels) for some in (target, task)
    )
    languages = (target.trained_in,)
    read_as = "" if reads == own else target.name
    return Adapt(
        encoder,
        (task.name,),
        languages,
        recipe,
        seed,
        _fingerprints(task.name, languages, study),
        study.data,
        scoring=TASKS[read_as or task.name].scoring,
        read_as=read_as,
        own_rows=_own_rows(study, (task.name,), languages, recipe.rows),
    )


def _own_rows(study: Study, names: tuple[str, ...], languages: tuple[str, ...], limit: int) -> bool:
    """Whether each seed trains on rows of its own: in the key only where it says something."""
    return study.row_draw == "seed" and any(
        data.leaves_out(name, language, study.data, limit)
        for name in names
        for language in execution.task_languages(name, languages, study.data)
    )


def _fingerprints(name: str, languages: tuple[str, ...], study: Study) -> tuple[str, ...]:
    return tuple(
        data.fingerprint(name, split, languages, study.data) for split in ("train", "validation")
    )


def single_tasks(study: Study) -> Runs:
    """The paper's main table: no intermediate training and each task alone, against every target,
    for every seed."""
    conditions: dict[Condition, Callable[[int], Base | Adapt]] = {NONE: lambda seed: phase1(study)}
    conditions |= {
        Condition((name,)): partial(phase2, study, (name,))
        for name in with_rows(study, study.intermediates)
    }
    return grid(study, conditions)


def absent(study: Study) -> dict[str, str]:
    """Intermediate tasks asked for that the source does not have: name -> how to get it. Tables
    show a dash."""
    there = with_rows(study, study.intermediates)
    return {name: TASKS[name].obtain for name in study.intermediates if name not in there}


def with_rows(study: Study, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the tasks that the source has English training rows of."""
    return tuple(name for name in names if "en" in data.languages(name, study.data, "train"))


def grid(study: Study, conditions: Mapping[Condition, Callable[[int], Base | Adapt]]) -> Runs:
    """The conditions against every target, for every seed. The condition without intermediate
    training has the study's `none_seeds`, where these are more."""
    with data.looked_at_once():
        return {
            (condition, target, seed): phase3(study, encoder(seed), target, seed)
            for condition, encoder in conditions.items()
            for target in study.targets
            for seed in (condition == NONE and study.none_seeds) or study.seeds
        }
