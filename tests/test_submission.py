"""XTREME's layout, read back as its evaluate.py reads it; and XTREME's and XTREME-R's averages."""

import json
import os
from pathlib import Path

import hubrows
import numpy as np
import pandas as pd
import pytest
from test_metrics import entities
from test_tasks import SMALL

from xstilts import data
from xstilts.analysis import averages
from xstilts.errors import UserError
from xstilts.runs import results
from xstilts.study import graph, phases, profiles
from xstilts.study.conditions import NONE, Condition
from xstilts.tasks import benchmarks, metrics
from xstilts.tasks.benchmarks import official_languages
from xstilts.tasks.table import TASKS
from xstilts.tools import submission

XTREME = ("xnli", "pawsx", "udpos", "panx", "xquad", "mlqa", "tydiqa", "bucc", "tatoeba")


def lines(path):
    return [line.strip() for line in open(path)]


def sentences(path):
    """A tag a line, sentences end at blank lines."""
    found, current = [], []
    for line in lines(path):
        if line:
            current.append(line)
        else:
            found.append(current)
            current = []
    return found + [current] * bool(current)


def reference(task, language, predicted, gold):
    """{metric: score} of two files, by the rules of evaluate.py."""
    if task in ("xnli", "pawsx", "tatoeba"):
        ours, labels = lines(predicted), lines(gold)
        assert len(ours) == len(labels)
        return {"accuracy": 100 * np.mean([a == b for a, b in zip(ours, labels, strict=True)])}
    if task in ("udpos", "panx"):
        ours, labels = ([entities(tags) for tags in sentences(path)] for path in (predicted, gold))
        hits = sum(len(a & b) for a, b in zip(ours, labels, strict=True))
        return {
            "F1": 100 * 2 * hits / sum(len(a) + len(b) for a, b in zip(ours, labels, strict=True))
        }
    if task == "bucc2018":
        ours, labels = (
            {tuple(line.split("\t")) for line in lines(path)} for path in (predicted, gold)
        )
        hits = len(ours & labels)
        return {"F1": 100 * 2 * hits / (len(ours) + len(labels))}
    answers = json.loads(Path(predicted).read_text())
    questions = [
        question
        for article in json.loads(Path(gold).read_text())["data"]
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    ]
    rules = metrics.ANSWERS["mlqa" if task == "mlqa" else "squad"]
    found = metrics.answers(
        [answers[question["id"]] for question in questions],
        [[answer["text"] for answer in question["answers"]] for question in questions],
        [language] * len(questions),
        rules,
    )
    return {name: metrics.value(pairs) for name, pairs in found.items()}


def test_the_files_give_back_the_scores(fake_hub, tiny_encoder, tmp_path):
    study = profiles.study(
        "small",
        encoder=str(tiny_encoder),
        data="hub",
        intermediates=[],
        targets=list(XTREME),
        languages=["en", "de", "zh"],
        **SMALL,
    )
    wanted = phases.grid(study, {NONE: lambda seed: phases.base(study)})
    graph.compute(wanted.values())
    written = submission.write(tmp_path, wanted)
    table = results.scores(wanted)
    table = table[table.layer == table.groupby("target").layer.transform("max")]
    assert {path.suffix for path in written} == {".tsv", ".json"}
    for target in XTREME:
        folder = submission.LAYOUTS[target].folder
        part = table[table.target == target]
        for language in part.language.unique():
            suffix = "json" if TASKS[target].kind == "span" else "tsv"
            predicted, gold = (
                tmp_path / "none-0" / side / folder / f"test-{language}.{suffix}"
                for side in ("predictions", "labels")
            )
            for metric, value in reference(folder, language, predicted, gold).items():
                ours = part[(part.language == language) & (part.metric == metric)].value.item()
                assert ours == pytest.approx(value), (target, language, metric)
            assert set(
                reference(folder, language, gold if suffix == "tsv" else predicted, gold)
            ) <= set(part.metric)


def test_only_finished_runs_are_written(fake_hub, tiny_encoder, tmp_path):
    study = profiles.study(
        "small",
        encoder=str(tiny_encoder),
        data="hub",
        intermediates=[],
        targets="xnli",
        languages="de",
        **SMALL,
    )
    with pytest.raises(UserError, match="none of these runs is both finished"):
        submission.write(tmp_path, phases.grid(study, {NONE: lambda seed: phases.base(study)}))


def targets_of(benchmark):
    """Each once: XCOPA is of two of XTREME-R's categories."""
    return dict.fromkeys(
        [target for targets in benchmarks.CATEGORIES[benchmark].values() for target in targets]
        + list(benchmarks.ALONE[benchmark])
    )


def full_table(benchmark, value=lambda target, language: 50.0):
    """Scores of every task of a benchmark in every language."""
    return pd.DataFrame(
        [
            {
                "target": target,
                "language": language,
                "metric": metric,
                "value": value(target, language) + 10 * place,
            }
            for target in targets_of(benchmark)
            for language in official_languages(benchmark, target)
            for place, metric in enumerate(TASKS[target].metrics)
        ]
    )


def test_averages_by_hand():
    worth = dict(
        xnli=80, pawsx=90, udpos=70, panx=60, xquad=75, mlqa=65, tydiqa=60, bucc=85, tatoeba=55
    )
    found = averages.averages(
        full_table("XTREME", lambda target, language: worth[target]), "XTREME"
    ).set_index("category")
    # question answering: the mean of F1 and exact match, here 5 more than F1; retrieval: raw, not
    # centred
    assert found.value.to_dict() == pytest.approx(
        {
            "classification": 85,
            "structured prediction": 65,
            "question answering": (80 + 70 + 65) / 3,
            "retrieval": 70,
            "all": (80 + 90 + 70 + 60 + 80 + 70 + 65 + 85 + 55) / 9,
        }
    )


def test_averages_of_xtreme_r_are_evaluate_pys():
    """What evaluate.py --xtreme_version xtreme-r says of such scores. It has no mean over all; ours
    is of ten tasks."""
    worth = dict(
        xnli=80,
        xcopa=60,
        udpos=70,
        panx=50,
        xquad=75,
        mlqa=65,
        tydiqa=60,
        tatoeba=50,
        mewslix=40,
        lareqa=20,
    )
    found = averages.averages(
        full_table("XTREME-R", lambda target, language: worth[target]), "XTREME-R"
    ).set_index("category")
    assert found.value.drop("all").to_dict() == pytest.approx(
        {
            "classification": 70,
            "structured prediction": 60,
            "question answering": (80 + 70 + 65) / 3,
            "retrieval": 45,
            "multiple choice": 60,
        }
    )
    assert found.value["all"] == pytest.approx(
        (80 + 60 + 70 + 50 + 80 + 70 + 65 + 50 + 40 + 20) / 10
    )
    assert benchmarks.category("lareqa") == "retrieval" and "ro" in official_languages(
        "XTREME-R", "xquad"
    )
    uneven = full_table("XTREME-R", lambda target, language: 90.0 if language == "ro" else 30.0)
    assert averages.task_value(uneven, "XTREME-R", "xquad")[0] == pytest.approx(
        (11 * 30 + 90) / 12 + 5
    )


@pytest.mark.parametrize("metric", ["F1", "exact match"])
def test_a_score_that_is_no_number_is_missing_by_name(metric):
    table = full_table("XTREME")
    table.loc[
        (table.target == "xquad") & (table.language == "hi") & (table.metric == metric), "value"
    ] = np.nan
    value, missing = averages.task_value(table, "XTREME", "xquad")
    assert missing == ("hi",) and value == pytest.approx(55)
    found = averages.averages(table, "XTREME").set_index("category")
    assert (
        np.isnan(found.value["question answering"])
        and found.missing["question answering"] == "xquad: hi"
    )
    other = pd.concat([full_table("XTREME"), table])  # another seed has it
    assert averages.task_value(other, "XTREME", "xquad")[1] == ("hi",)
    unrun = pd.concat(
        [
            full_table("XTREME").assign(state=""),
            pd.DataFrame(
                [
                    {
                        "target": "xquad",
                        "language": "en",
                        "metric": "F1",
                        "value": np.nan,
                        "state": "not run",
                    }
                ]
            ),
        ]
    )
    assert averages.task_value(unrun, "XTREME", "xquad") == (
        pytest.approx(55),
        (),
    )  # a seed less, not a language


def test_languages_count_alike_whatever_their_seeds():
    table = full_table("XTREME")
    table.loc[(table.target == "pawsx") & (table.language == "ko"), "value"] = 0
    again = table[(table.target == "pawsx") & (table.language == "de")]
    value, missing = averages.task_value(pd.concat([table, again]), "XTREME", "pawsx")
    assert value == pytest.approx(50 * 6 / 7) and missing == ()


@pytest.mark.parametrize("benchmark, count", [("XTREME", 9), ("XTREME-R", 10)])
def test_a_missing_language_or_task_gives_a_dash_that_says_why(benchmark, count):
    table = full_table(benchmark)
    assert (
        averages.averages(table, benchmark).value.notna().all()
        and averages.averages(table, benchmark).tasks.iloc[-1] == count
    )
    table = table[
        (table.target != "tatoeba") & ~((table.target == "xnli") & (table.language == "el"))
    ]
    found = averages.averages(table, benchmark).set_index("category")
    assert found.value.isna().to_dict() == {
        "classification": True,
        "structured prediction": False,
        "question answering": False,
        "retrieval": True,
        "all": True,
    } | ({"multiple choice": False} if benchmark == "XTREME-R" else {})
    assert found.missing["classification"] == "xnli: el" and "tatoeba" in found.missing["all"]
    assert found["over languages here"]["classification"] == pytest.approx(50) and np.isnan(
        found["over languages here"]["all"]
    )
    few = averages.averages(table[table.language.isin(["en", "de"])], benchmark).set_index(
        "category"
    )
    assert "xnli: 13 languages" in few.missing["classification"]
    assert os.linesep not in found.missing["all"]


def test_the_benchmarks_languages_are_the_papers():
    sizes = {
        (benchmark, target): len(official_languages(benchmark, target))
        for benchmark in benchmarks.CATEGORIES
        for target in targets_of(benchmark)
    }
    assert [sizes["XTREME", name] for name in XTREME] == [15, 7, 33, 40, 11, 7, 9, 4, 36]
    assert [
        sizes["XTREME-R", name]
        for name in ("xnli", "xcopa", "udpos", "panx", "xquad", "lareqa", "mewslix", "tatoeba")
    ] == [15, 11, 38, 48, 12, 11, 11, 41]
    xtreme = full_table("XTREME-R").query(
        "target != 'tatoeba' or language not in ['az', 'lt', 'pl', 'ro', 'uk']"
    )
    assert (
        averages.averages(xtreme, "XTREME-R")
        .set_index("category")
        .missing[["retrieval", "all"]]
        .tolist()
        == ["tatoeba: az lt pl ro uk"] * 2
    )
    with pytest.raises(UserError, match="known: XTREME, XTREME-R"):
        averages.averages(full_table("XTREME"), "GLUE")


def test_a_task_that_is_not_there_is_a_dash(fresh, tiny_encoder, tmp_path):
    from xstilts.analysis import score_tables
    from xstilts.book import figures, tables

    for name in ("xnli", "mnli", "qqp"):
        hubrows.write(tmp_path, TASKS[name])
    study = profiles.study(
        "mini",
        encoder=str(tiny_encoder),
        data=str(tmp_path),
        intermediates="mnli,ccg",
        targets="xnli",
        languages="en",
        **SMALL,
    )
    assert "LDC2005T13" in phases.absent(study)["ccg"] and "mnli" not in phases.absent(study)
    wanted = phases.single_tasks(study)
    assert {str(condition) for condition, *_ in wanted} == {"none", "mnli"}
    graph.compute(wanted.values())
    gains = score_tables.differences(study, results.scores(wanted), results.examples(wanted))
    assert gains.set_index("intermediate")["with failures"].isna().to_dict() == {
        NONE: True,
        Condition(("mnli",)): False,
        Condition(("ccg",)): True,
    }
    assert "–" in tables.show(gains).data and figures.heatmap(study, gains)
    found = score_tables.benchmarks(study, results.scores(wanted))
    assert (
        len(found) == 2 * (5 + 6)
        and found.value.isna().all()
        and found.missing.str.contains("pawsx|xcopa").any()
    )
    assert profiles.study(intermediates="udpos").intermediates == (
        "udpos",
    )  # what stands in meanwhile
    assert data.languages("ccg", str(tmp_path)) == ()
