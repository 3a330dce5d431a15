"""What the wide chapters compare: their conditions, as runs, and the differences that they ask
about.

    asked = multi_task(study)     # Comparison(wanted, contrasts)

Equal budget: the conditions of a contrast take the same number of phase-2 steps of the same batch,
so that "more tasks" or "more languages" is not simply "more training": a task's own steps where
only its rows differ, `profiles.phase2_budget` where tasks do. What gets the steps that its tasks
would have one by one is called "own steps". Conditions that two chapters share are the same runs; a
chapter that shows few languages scores all, so that it can share."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from xstilts import data
from xstilts.runs import execution
from xstilts.runs.key import Adapt, Base, Score
from xstilts.study import graph, profiles
from xstilts.study.graph import NONE
from xstilts.study.profiles import PROFILES, Study
from xstilts.synthetic import dials
from xstilts.tasks import benchmarks
from xstilts.tasks.table import TASKS

NAMED_BEST = ("hellaswag", "mnli", "squad")  # in the paper's abstract
AFRICAN = ("af", "sw", "yo", "wo")  # XTREME-R's; Masakhane's data sets have more
MASAKHANE = ("afrixnli", "masakhaner", "masakhapos")
# of twelve draws the one that costs least on the embedded benchmark, chosen before any of them was
# run
DRAW = 4
# a target of each category of XTREME, and two for tagging; of the reading comprehension tasks the
# one that is not SQuAD again
OF_EACH = ("xnli", "udpos", "panx", "tydiqa", "tatoeba")
QUICK = OF_EACH[1:]  # XNLI takes as long as the other four together
QUICKEST = tuple(name for name in QUICK if name != "tydiqa")  # TyDiQA half as long again as these
ON_DEV = " (dev)"  # after the name of a condition that is scored on validation rows
NINE = tuple(name for name, row in TASKS.items() if row.role == "intermediate")


class Contrast(NamedTuple):
    name: str
    weights: dict[str, float]  # condition -> its sign: a difference, or a difference of differences


@dataclass(frozen=True)
class Comparison:
    wanted: dict[tuple[str, str, int], Score]
    contrasts: list[Contrast]


def against(first: str, second: str = NONE) -> Contrast:
    return Contrast(f"{first} against {second}", {first: 1, second: -1})


def pool(study: Study) -> tuple[str, ...]:
    """The intermediate tasks of chapters that are about many: all nine, unless other than the
    profile's were asked for. Those without rows are left out."""
    asked = (
        study.intermediates
        if study.intermediates != PROFILES[study.profile].intermediates
        else NINE
    )
    return tuple(name for name in asked if "en" in data.languages(name, study.data, "train"))


def own_steps(study: Study, names: tuple[str, ...]) -> int:
    """As many steps as the tasks would take one by one; 0: by their epochs, which add up anyway."""
    return round(study.phase2_steps * sum(TASKS[name].effort for name in names))


def multi_task(study: Study) -> Comparison:
    """All tasks, the three that the paper names, all but one, and one alone, at one budget; all at
    their own steps. Left out or alone is each task that the study looks at one by one
    (`intermediates`)."""
    names, budget = pool(study), profiles.phase2_budget(study)
    together = {"all": names}
    three = tuple(name for name in names if name in NAMED_BEST)
    together |= {"best three": three} if len(NAMED_BEST) == len(three) < len(names) else {}
    if len(names) > 2:
        together |= {
            f"all but {name}": tuple(other for other in names if other != name)
            for name in _present(study)
        }
    together |= {name: (name,) for name in _present(study)}
    steps = dict.fromkeys(together, budget) | {"all, own steps": own_steps(study, names)}
    together["all, own steps"] = names
    contrasts = [
        against(name) for name in ("all", "all, own steps", "best three") if name in together
    ]
    contrasts += [
        against("all", name) for name in together if name not in ("all", "all, own steps")
    ]
    conditions = {name: _phase2(study, some, steps=steps[name]) for name, some in together.items()}
    return Comparison(_grid(study, conditions, QUICK), contrasts)


def mlm_continuation(study: Study) -> Comparison:
    """Each of the paper's best tasks with a quarter or half of its steps on multilingual text, or
    none; half with the task's own steps kept; and the text alone."""
    conditions, contrasts = {}, []
    texts = execution.task_languages("text", study.languages, study.data)
    for name in _best(study):
        budget = _own(study, name)
        mixed = {f"{name} + {share:.0%} text": dict(mlm_share=share) for share in (0.25, 0.5)}
        mixed[f"{name} + as many steps of text"] = dict(steps=2 * budget, mlm_share=0.5)
        alone = f"text alone, as many steps as {name}"
        conditions |= {
            label: _one(study, name, **how) for label, how in {name: {}, **mixed}.items()
        }
        conditions[alone] = _phase2(
            study,
            ("text",),
            steps=budget,
            languages=texts,
            rows=max(1, study.phase2_rows // len(texts)),
        )
        contrasts += [against(label, name) for label in mixed] + [against(name, alone)]
    return Comparison(_grid(study, conditions, QUICK), contrasts)


def translated(study: Study) -> Comparison:
    """Each of the paper's best tasks in English, in the study's other languages, and in both; on
    the embedded benchmark also with noise."""
    conditions, contrasts = {}, []
    for name in _best(study):
        others = _others(study, name)
        if not others:
            continue
        conditions[f"{name} in English"] = _one(study, name)
        for label, languages in (("translated", others), ("in both", ("en", *others))):
            conditions[f"{name} {label}"] = _spread(study, name, languages)
            contrasts.append(against(f"{name} {label}", f"{name} in English"))
        if dials.is_mini(study.data):
            for noise in (0.1, 0.3):
                noisy = dataclasses.replace(dials.parse(study.data), noise=noise)
                turned = dataclasses.replace(study, data=dials.name(noisy))
                conditions[f"{name} translated, noise {noise}"] = _spread(turned, name, others)
                contrasts.append(against(f"{name} translated, noise {noise}", f"{name} translated"))
    return Comparison(_grid(study, conditions, OF_EACH), contrasts)


def model_size(study: Study) -> Comparison:
    """Each task against none, from encoders of several sizes; and how much more it does for the
    smallest than for the largest."""
    return _sizes(study, {name: (name,) for name in _present(study)}, study.targets)


def xtreme(study: Study) -> Comparison:
    """Each task and none, as in the chapter on single tasks, against XTREME's targets; what has no
    training is scored on its validation rows, too, where these are others than the test rows:
    `selection` chooses on them."""
    conditions = {name: _phase2(study, (name,)) for name in pool(study)}
    targets = tuple(target for part in benchmarks.CATEGORIES["XTREME"].values() for target in part)
    wanted = _grid(study, conditions, targets)
    dev = {
        (f"{name}{ON_DEV}", target, seed): graph.phase3(
            study, run.encoder, target, seed, "validation"
        )
        for (name, target, seed), run in wanted.items()
        if TASKS[target].untrained and _has_dev(target, run)
    }
    return Comparison(wanted | dev, [against(name) for name in conditions])


def _has_dev(target: str, run: Score) -> bool:
    splits = [
        {data.split_found(target, split, language, run.data) for language in run.languages}
        for split in ("test", "validation")
    ]
    return not splits[0] & splits[1]


def rq1(study: Study) -> Comparison:
    """PAWS-X after 1, 3, 5 or 9 tasks in another language than English, two draws of 1 and of 3,
    the first of each beside the same in English; and after three from other sizes of the
    encoder."""
    names, budget, draw = pool(study), profiles.phase2_budget(study), random.Random(DRAW)
    conditions, contrasts = {}, []
    rows = {name: data.languages(name, study.data, "train") for name in names}
    languages = [
        language
        for language in study.languages
        if language != "en" and any(language in there for there in rows.values())
    ]
    for count, draws in {1: 2, 3: 2, 5: 1, 9: 1}.items():
        for number in range(draws):
            language = draw.choice(languages) if languages else "en"
            there = [name for name in names if language in rows[name]]
            picked = tuple(draw.sample(there, min(count, len(there))))
            if len(picked) < min(count, len(names)) or language == "en" or count > len(names):
                continue
            label = f"{count} task{'s' * (count > 1)} in {language} (draw {number + 1})"
            if label not in conditions:
                conditions[label] = _phase2(study, picked, steps=budget, languages=(language,))
                contrasts.append(against(label))
                if not number:
                    conditions[f"{label[:-1]}, in English)"] = _phase2(study, picked, steps=budget)
                    contrasts.append(against(label, f"{label[:-1]}, in English)"))
                if count == 5:  # with all nine it takes as long as the rest of the chapter
                    conditions[f"{label}, own steps"] = _phase2(
                        study, picked, steps=own_steps(study, picked), languages=(language,)
                    )
                    contrasts.append(against(f"{label}, own steps", label))
    found = _grid(study, conditions, ("pawsx",))
    sized = _sizes(study, {"three tasks": names[:3]}, ("pawsx",))
    return Comparison(found | sized.wanted, contrasts + sized.contrasts)


def rq2(study: Study) -> Comparison:
    """The same rows of a task of each kind, in one source language or a mixture, for targets with
    Finnish or Hungarian: TyDiQA, which has no Hungarian and takes longest, after NLI and questions
    only. What other chapters have, too, is scored in all languages, as they do; the rest in these
    two and in English."""
    english, conditions, contrasts = {}, {}, []
    sources = ("de", "ru", "et", "fi", "hu", "tr")
    for name in (name for name in ("mnli", "squad", "ccg", "commonsenseqa") if name in pool(study)):
        there = [language for language in sources if language in _others(study, name)]
        if not there:
            continue
        english[f"{name} in en"] = _one(study, name)
        for language in there:
            conditions[f"{name} in {language}"] = _one(study, name, languages=(language,))
            contrasts.append(against(f"{name} in {language}", f"{name} in en"))
        if len(there) > 1:
            conditions[f"{name} in a mixture"] = _spread(study, name, tuple(there))
            contrasts.append(against(f"{name} in a mixture", f"{name} in en"))
    scored = finnish_hungarian(study) or study.languages
    few = tuple(language for language in study.languages if language in ("en", *scored))
    wanted = _grid(study, english, QUICK) | _grid(study, conditions, QUICK, few)
    return Comparison(
        {
            cell: run
            for cell, run in wanted.items()
            if set(run.languages) & set(scored)
            and (cell[1] != "tydiqa" or cell[0].split()[0] in (NONE, "mnli", "squad"))
        },
        contrasts,
    )


def finnish_hungarian(study: Study) -> tuple[str, ...]:
    """Of the two languages that RQ2 is about those of the study."""
    return tuple(language for language in ("fi", "hu") if language in study.languages)


def rq3(study: Study) -> Comparison:
    """The same rows of each of the paper's best tasks in English or spread over the study's
    languages, on XTREME-R's targets (but for MLQA, which is XQuAD's training and another test, and
    LAReQA, which costs as much to score as all of them); and English with all of its rows."""
    conditions, contrasts = {}, []
    for name in _best(study):
        languages = ("en", *_others(study, name))
        if len(languages) < 2:
            continue
        conditions[f"{name}, many languages"] = _spread(study, name, languages)
        conditions[f"{name}, English, same rows"] = _spread(study, name, languages, ("en",))
        conditions[f"{name}, English, all rows"] = _one(study, name)
        contrasts += [
            against(f"{name}, many languages", f"{name}, English, {which} rows")
            for which in ("same", "all")
        ]
    targets = ("xnli", "xcopa", "udpos", "panx", "xquad", "tydiqa", "tatoeba")
    return Comparison(_grid(study, conditions, targets), contrasts)


def rq4(study: Study) -> Comparison:
    """Each task as it is; on the embedded benchmark those that the study looks at one by one also
    easier and harder. Shown are African languages and English."""
    conditions = {name: _phase2(study, (name,)) for name in pool(study)}
    if dials.is_mini(study.data):
        asked = dials.parse(study.data)
        for level in (level for level in dials.LEVELS if level != asked.difficulty):
            turned = dataclasses.replace(
                study, data=dials.name(dataclasses.replace(asked, difficulty=level))
            )
            conditions |= {
                f"{name} (difficulty {level})": _phase2(turned, (name,)) for name in _present(study)
            }
    targets = QUICKEST  # of African languages TyDiQA has one
    if not dials.is_mini(study.data):  # the embedded benchmark has the same rows under these names
        targets += MASAKHANE
    return Comparison(_grid(study, conditions, targets), [against(name) for name in conditions])


def african(study: Study) -> tuple[str, ...]:
    """XTREME-R's and Masakhane's languages, those of the study."""
    there = {*AFRICAN}.union(*(data.languages(target, study.data, "test") for target in MASAKHANE))
    return tuple(language for language in study.languages if language in there - {"en"})


def rq5(study: Study) -> Comparison:
    """SQuAD v1.1 and v2, MNLI, HellaSwag and all, from the smallest and the largest encoder, for
    reading comprehension."""
    study = dataclasses.replace(
        study, sizes=tuple(dict.fromkeys((study.sizes[0], study.sizes[-1])))
    )
    names = {
        name: (name,) for name in ("squad", "squad2", "mnli", "hellaswag") if name in pool(study)
    }
    return _sizes(study, names | {"all": pool(study)}, ("xquad", "mlqa", "tydiqa"))


def _sizes(study: Study, names: dict[str, tuple[str, ...]], targets: tuple[str, ...]) -> Comparison:
    wanted, contrasts, sizes = {}, [], study.sizes
    for size in sizes:
        sized, label = dataclasses.replace(study, encoder=size), short(size)
        conditions = {
            name: _phase2(sized, some, steps=profiles.phase2_budget(study) if len(some) > 1 else 0)
            for name, some in names.items()
        }
        conditions[NONE] = lambda seed, sized=sized: graph.phase1(sized)
        wanted |= {
            (f"{label}, {condition}", target, seed): run
            for (condition, target, seed), run in _grid(sized, conditions, targets).items()
        }
        contrasts += [against(f"{label}, {name}", f"{label}, {NONE}") for name in names]
    small, large = short(sizes[0]), short(sizes[-1])
    if small != large:
        contrasts += [
            Contrast(
                f"{name}: gain of {small} less gain of {large}",
                {
                    f"{small}, {name}": 1,
                    f"{small}, {NONE}": -1,
                    f"{large}, {name}": -1,
                    f"{large}, {NONE}": 1,
                },
            )
            for name in names
        ]
    return Comparison(wanted, contrasts)


def short(encoder: str) -> str:
    """An encoder's name without the folder it lies in."""
    return encoder.rstrip("/").rpartition("/")[2]


def _present(study: Study) -> tuple[str, ...]:
    return tuple(
        name for name in study.intermediates if "en" in data.languages(name, study.data, "train")
    )


def _best(study: Study) -> tuple[str, ...]:
    """Of the study's tasks those that the paper names as the best; all where it has none of
    them."""
    there = _present(study)
    return tuple(name for name in there if name in NAMED_BEST) or there


def _own(study: Study, name: str) -> int:
    """The steps that a task takes by itself."""
    return own_steps(study, (name,)) or profiles.phase2_budget(study)


def _others(study: Study, name: str) -> tuple[str, ...]:
    """The study's languages but English that have training rows of the task."""
    there = data.languages(name, study.data, "train")
    return tuple(language for language in study.languages if language in there and language != "en")


def _phase2(study: Study, names: tuple[str, ...], **how) -> Callable[[int], Adapt]:
    return lambda seed: graph.phase2(study, names, seed, **how)


def _one(study: Study, name: str, **how) -> Callable[[int], Adapt]:
    """The task with its own steps, or others in `how`."""
    return _phase2(study, (name,), **{"steps": _own(study, name), **how})


def _spread(
    study: Study, name: str, over: tuple[str, ...], read: tuple[str, ...] = ()
) -> Callable[[int], Adapt]:
    """The task with its own steps, a share of the rows in each language, so that there are as many
    as in one; or the rows of such a share, `read` in other languages."""
    rows = max(1, study.phase2_rows // len(over)) if study.phase2_rows else 0
    return _one(study, name, languages=read or over, rows=rows)


def _grid(
    study: Study,
    conditions: dict[str, Callable[[int], Adapt | Base]],
    targets: tuple[str, ...] = (),
    scored: tuple[str, ...] = (),
) -> dict:
    """The conditions and none, against a chapter's own targets, or the study's: those that the data
    has in a language that is scored. Of a chapter's own only those that were asked for, if others
    than the profile's were."""
    asked = study.targets if study.targets != PROFILES[study.profile].targets else targets
    scored = scored or study.languages
    there = tuple(
        target
        for target in [name for name in targets if name in asked] or targets or study.targets
        if set(data.languages(target, data.as_target(study.data), "test")) & set(scored)
    )
    study, none = (
        dataclasses.replace(study, targets=there),
        {NONE: lambda seed: graph.phase1(study)},
    )
    return graph.grid(study, none) | graph.grid(
        dataclasses.replace(study, languages=scored), conditions
    )
