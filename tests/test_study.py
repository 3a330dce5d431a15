"""The graph: keys, sharing, interruption, damage, the same scores twice. With real, tiny
trainings."""

import dataclasses
import json
import shutil

import pandas as pd
import pytest
import torch
from small import SMALL

from xstilts import data
from xstilts.analysis import score_tables
from xstilts.book import cost_tables, figures
from xstilts.chapters import needed
from xstilts.errors import UserError
from xstilts.runs import execution as runs
from xstilts.runs import failures, records, results, scoring, store
from xstilts.runs import key as spec
from xstilts.runs.key import key, line
from xstilts.study import costs, graph, phases, profiles
from xstilts.study.conditions import NONE, Condition
from xstilts.tasks import kinds
from xstilts.tools import plan
from xstilts.training import batches

PINNED = [
    "b40962295e4fc61fa136",
    "e284f56dbe2d3ffd5b7c",
    "4f5d512d683d1e383993",
    "84b732a6ff9f5f45f5a9",
    "a72d47b843f95b76c7b8",
]


@pytest.fixture
def study(tiny_encoder):
    return profiles.study(encoder=str(tiny_encoder), **SMALL)


@pytest.fixture
def root():
    return store.default_root()


def events(root, event):
    lines = [json.loads(line) for line in (root / "log.jsonl").read_text().splitlines()]
    return [line["key"] for line in lines if line["event"] == event]


def test_a_grid_has_every_cell_and_shares_its_runs(study, root):
    wanted = phases.single_tasks(study)
    assert set(wanted) == {
        (condition, target, 0)
        for condition in (NONE, Condition(("mnli",)))
        for target in study.targets
    }
    graph.compute(wanted.values())
    # base, phase 1, one intermediate encoder, which is XNLI's training from phase 1 as well, that
    # of UDPOS, two trainings after MNLI, six scores: each exactly once
    assert len(events(root, "computed")) == len(set(events(root, "computed"))) == 12
    table = results.scores(wanted)
    assert set(map(str, table.condition)) == {"none", "mnli"} and table.value.between(0, 100).all()
    assert table[table.metric == "accuracy"].n.eq(12).all()
    assert set(table[table.target == "xnli"].language) == {"en", "fi"}
    assert set(table[table.target == "tatoeba"].layer) == {0, 1, 2}


def test_an_intermediate_task_with_open_labels_can_be_scored_like_a_target(study, root):
    run = dataclasses.replace(
        phases.phase3(study, phases.base(study), "udpos", 0),
        target="ccg",
        encoder=phases.phase2(study, ("ccg",), 0),
    )
    graph.compute([run])
    assert set(results.scores({("as a target", "ccg", 0): run}).language) == {"en", "fi"}


@pytest.fixture
def trainings(monkeypatch):
    """The tasks whose training was begun in this process, by whose rows are read how."""
    begun, train = [], runs.train

    def counted(model, tokenizer, sets, *others, **more):
        begun.extend(sets)
        return train(model, tokenizer, sets, *others, **more)

    monkeypatch.setattr(runs, "train", counted)
    return begun


def test_what_several_tests_share_is_trained_once_and_scores_stay(study, tmp_path, trainings):
    study = dataclasses.replace(
        study, targets=("xquad", "tydiqa", "mlqa"), seeds=(0, 1), languages=("en", "de")
    )
    wanted = phases.grid(study, {NONE: lambda seed: phases.base(study)})
    first, second = (wanted[NONE, name, 0].encoder for name in ("xquad", "mlqa"))
    assert key(first) == key(second) and first.tasks == ("squad",) and not first.read_as
    graph.compute(wanted.values(), tmp_path / "together")
    assert sorted(trainings) == ["squad", "squad", "tydiqa", "tydiqa"]
    for run in list(wanted.values())[::-1]:
        graph.compute([run], tmp_path / "alone")
    for table in (results.scores, results.examples):
        pd.testing.assert_frame_equal(
            table(wanted, tmp_path / "together"),
            table(wanted, tmp_path / "alone"),
            check_exact=True,
        )
    for run in wanted.values():
        logs = [
            results.history(run, tmp_path / place).drop(columns="seconds")
            for place in ("together", "alone")
        ]
        pd.testing.assert_frame_equal(*logs)
        assert (
            results.artifact(run, tmp_path / "together").joinpath("counts.csv").read_text()
            == results.artifact(run, tmp_path / "alone").joinpath("counts.csv").read_text()
        )


def test_the_chapter_on_phase_3_has_its_own_seeds_and_retrieval_one(study):
    assert study.seeds == (0,) and {seed for _, _, seed in phases.single_tasks(study)} == {0}
    trained = {(NONE, target, seed) for target in ("xnli", "udpos") for seed in (0, 1, 2)}
    wanted = needed.phase3_target(study)
    after = Condition(("mnli",))  # not on XNLI, which is trained on the same rows
    assert set(wanted) == trained | {
        (NONE, "tatoeba", 0),
        (needed.unread(study), "udpos", 0),
        (after, "udpos", 0),
        (after, "tatoeba", 0),
    }
    assert len({key(run) for run in wanted.values()}) == len(wanted)
    assert wanted[NONE, "xnli", 0] == phases.single_tasks(study)[NONE, "xnli", 0]
    given = dataclasses.replace(
        study,
        **{name: getattr(profiles.study(seeds="5,0"), name) for name in ("seeds", "phase3_seeds")},
    )
    assert {cell for cell in needed.phase3_target(given) if cell[1] == "tatoeba"} == {
        (NONE, "tatoeba", 5),
        (after, "tatoeba", 5),
    }
    assert {seed for _, target, seed in needed.phase3_target(given) if target == "xnli"} == {5, 0}


def test_seeds_are_told_apart_without_their_english_score(study):
    rows = [
        {
            "condition": NONE,
            "target": "xnli",
            "seed": seed,
            "language": language,
            "metric": "accuracy",
            "layer": -1,
            "value": value,
            "n": 12,
            "state": "",
        }
        for seed, values in {0: (90, 50, 60), 1: (99, 53, 63)}.items()
        for language, value in zip(("en", "fi", "de"), values, strict=True)
    ]
    shown = score_tables.by_seed(study, pd.DataFrame(rows)).to_dict("records")
    assert shown == [
        {
            "target": "XNLI",
            "metric": "accuracy",
            "languages": 2,
            "n": 12,
            "English, seed 0": 90,
            "English, seed 1": 99,
            "zero-shot, seed 0": 55,
            "zero-shot, seed 1": 58,
            "deviation": pytest.approx(3 / 2**0.5),
            "range": 3,
        }
    ]
    alone = score_tables.by_seed(study, pd.DataFrame(rows[:3]))
    assert alone["range"].isna().all() and alone["deviation"].isna().all()


def test_a_test_that_fails_leaves_the_other_test_of_its_training(
    study, tmp_path, trainings, monkeypatch
):
    study, write = dataclasses.replace(study, targets=("xquad", "mlqa")), scoring.write_scores
    wanted = phases.grid(study, {NONE: lambda seed: phases.base(study)})

    def broken(folder, run, *others):
        if getattr(run, "target", "") == "xquad":
            raise UserError("no such answer")
        write(folder, run, *others)

    monkeypatch.setattr(scoring, "write_scores", broken)
    assert set(graph.compute(wanted.values(), tmp_path)) == {key(wanted[NONE, "mlqa", 0])}
    assert (
        trainings == ["squad"]
        and "no such answer" in results.lost(wanted.values(), tmp_path).why[0]
    )


@pytest.fixture
def alike(study):
    """A study without phase 1, whose recipes are the same in phases 2 and 3."""
    return dataclasses.replace(
        study, phase1_steps=0, languages=("en", "de"), phase2_batch=16, phase3_batch=16
    )


def test_xnli_does_not_train_where_mnli_is_in_the_store(alike, tmp_path, trainings):
    target = phases.phase3(alike, phases.base(alike), "xnli", 0)
    intermediate = phases.phase2(alike, ("mnli",), 0)
    assert key(target.encoder) == key(intermediate) and not spec.passing(intermediate)
    graph.compute([intermediate], tmp_path)
    assert trainings == ["mnli"]
    graph.compute([target], tmp_path)
    assert trainings == ["mnli"] and store.find(tmp_path, intermediate)
    for name, value in {
        "phase3_steps": 1,
        "phase3_rows": 10,
        "phase3_batch": 8,
        "phase3_learning_rate": 1e-3,
    }.items():
        other = dataclasses.replace(alike, **{name: value})
        assert key(phases.phase3(other, phases.base(other), "xnli", 0).encoder) != key(intermediate)
    after = phases.phase3(alike, intermediate, "xnli", 0)  # MNLI's rows again
    assert spec.starting_encoder(after) == intermediate and spec.passing(after.encoder)
    assert spec.training(phases.phase3(alike, phases.base(alike), "tatoeba", 0)) is None


def test_who_reads_the_rows_in_another_way_trains_by_itself(alike):
    start = phases.base(alike)
    ranks, spans = (phases.phase3(alike, start, name, 0).encoder for name in ("lareqa", "xquad"))
    assert (ranks.tasks, ranks.read_as) == (("squad",), "lareqa") and spec.passing(ranks)
    assert "read_as" in spec.describe(ranks) and "read_as" not in spec.describe(spans)
    assert spec.label(ranks).endswith("squad as lareqa (seed 0)")
    everywhere = dataclasses.replace(alike, languages=("de", "sw"))
    masakha, panx = (
        phases.phase3(everywhere, start, name, 0).encoder for name in ("masakhaner", "panx")
    )
    assert key(masakha) == key(panx) and spec.passing(panx)


def test_a_target_s_training_goes_when_its_scores_are_there(alike, tmp_path):
    study = dataclasses.replace(alike, targets=("xquad", "mlqa"))
    wanted = phases.grid(study, {"mnli": lambda seed: phases.phase2(study, ("mnli",), seed)})
    first, second = wanted.values()
    graph.compute([first], tmp_path, "processes:2")
    assert not (tmp_path / key(first.encoder)).exists()
    assert store.find(tmp_path, spec.starting_encoder(first))  # an intermediate encoder stays
    assert results.last_dev(first, tmp_path) >= 0 and len(results.history(first, tmp_path))
    assert results.training_seconds(first, tmp_path) > 0
    graph.compute(wanted.values(), tmp_path)  # trained again for the other one alone
    done = events(tmp_path, "computed")
    assert done.count(key(first)) == 1 and done.count(key(first.encoder)) == 2
    assert not (tmp_path / key(first.encoder)).exists()
    graph.compute([second.encoder, *wanted.values()], tmp_path)
    assert store.find(tmp_path, second.encoder)  # what is asked for itself stays


def test_a_training_that_a_killed_process_left_goes_next_time_unless_it_is_in_use(alike, tmp_path):
    run, other = (
        phases.phase3(alike, phases.phase2(alike, ("mnli",), 0), name, 0)
        for name in ("xquad", "mlqa")
    )
    graph.compute([run.encoder, run], tmp_path)  # as if it had been killed before the removal
    with store.in_use(tmp_path, run.encoder, other):  # another process scores MLQA with it
        graph.compute([run], tmp_path)
        assert store.find(tmp_path, run.encoder)
    graph.compute([run], tmp_path)
    assert not (tmp_path / key(run.encoder)).exists()
    assert not list(tmp_path.glob(".removing-*"))


def test_a_training_is_not_done_where_all_that_it_is_for_is_there(alike, tmp_path, trainings):
    run = phases.phase3(alike, phases.base(alike), "udpos", 0)
    graph.compute([run], tmp_path)
    graph.once(run.encoder, tmp_path, awaiting={key(run.encoder): [run]})
    assert trainings == ["udpos"] and not store.is_there(tmp_path, run.encoder)


def test_a_record_says_what_the_training_took_and_it_is_counted_once(alike, tmp_path):
    study = dataclasses.replace(alike, targets=("xquad", "mlqa"))
    wanted = phases.grid(study, {"none": lambda seed: phases.base(study)})
    graph.compute(wanted.values(), tmp_path)
    seconds = results.training_seconds(wanted["none", "mlqa", 0], tmp_path)
    records.record(wanted.values(), tmp_path)
    assert [records.find(run)["training"] for run in wanted.values()] == [seconds, seconds]
    own = [results.seconds(run) for run in wanted.values()]
    made = cost_tables.made(wanted.values())
    assert sum(how["seconds"] for _, how in made) == pytest.approx(seconds + sum(own))
    first, second = wanted.values()
    both = costs.work(first.encoder) + costs.work(first) + costs.work(second)
    assert cost_tables.operations(wanted.values()) == both


def test_each_seed_can_draw_rows_of_its_own(alike, tmp_path):
    own = dataclasses.replace(alike, row_draw="seed", seeds=(0, 1))
    fixed = dataclasses.replace(own, row_draw="fixed")
    runs, others = (
        [phases.phase3(study, phases.base(study), "udpos", seed).encoder for seed in (0, 1)]
        for study in (own, fixed)
    )
    assert len({*map(key, runs), *map(key, others)}) == 4
    assert "own_rows" in spec.describe(runs[0]) and "own_rows" not in spec.describe(others[0])
    drawn = [
        tuple(map(str, data.load("udpos", "train", "en", "mini", 20, run.draw)))
        for run in (*runs, *others)
    ]
    assert len({*drawn}) == 3 and drawn[2] == drawn[3]  # of a seed its own, else the same
    every = dataclasses.replace(own, phase3_rows=0)  # all rows: there is nothing to draw
    assert not phases.phase3(every, phases.base(every), "udpos", 0).encoder.own_rows
    assert not phases.phase1(dataclasses.replace(own, phase1_steps=2)).own_rows
    graph.compute(runs, tmp_path)
    weights = [(tmp_path / key(run) / "model.safetensors").read_bytes() for run in runs]
    assert weights[0] != weights[1]


def test_none_can_have_more_seeds_than_the_others(study, tiny_encoder):
    asked = profiles.study(
        encoder=str(tiny_encoder), **SMALL | {"seeds": "0,1"}, none_seeds="0,1,2"
    )
    cells = set(phases.single_tasks(asked))
    assert {seed for name, _, seed in cells if name == NONE} == {0, 1, 2}
    assert {seed for name, _, seed in cells if name == Condition(("mnli",))} == {0, 1}
    assert {seed for _, target, seed in needed.phase3_target(asked) if target == "xnli"} == {
        0,
        1,
        2,
    }
    with pytest.raises(UserError, match="none_seeds.* lacks"):
        profiles.study(encoder=str(tiny_encoder), seeds="0,1", none_seeds="1,2")


def test_what_training_rows_lost_is_counted_under_their_task_in_the_words_of_its_reader(
    study, tmp_path
):
    run = phases.phase3(
        dataclasses.replace(study, languages=("en", "de"), max_length=16),
        phases.base(study),
        "lareqa",
        0,
    )
    graph.compute([run], tmp_path)
    counts = pd.read_csv(results.artifact(run, tmp_path) / "counts.csv")
    lost = counts[(counts.split == "train") & (counts.what != "rows") & (counts["count"] > 0)]
    assert set(zip(lost.task, lost.what, strict=True)) == {
        ("squad", "texts cut to the length")
    }  # its texts are ranked, not searched


def test_the_plan_counts_a_shared_training_once(study):
    before = phases.phase2(study, ("mnli",), 0)
    wanted = [phases.phase3(study, before, target, 0) for target in ("xquad", "mlqa")]
    todo = graph.lacking(wanted, store.default_root())
    trained = [run.tasks for run in todo if isinstance(run, spec.Adapt)]
    assert trained == [("text",), ("mnli",), ("squad",)]
    first = graph.priorities(todo)
    assert all(first[key(run)] > first[key(run.encoder)] for run in wanted)  # it goes soon
    assert plan.simulate(todo, dict.fromkeys(map(key, todo), 1.0), 2).wall == 5.0


def test_what_the_store_has_is_not_computed_again(study, root):
    wanted = phases.single_tasks(dataclasses.replace(study, targets=("xnli",)))
    graph.compute(wanted.values())
    before = events(root, "computed")
    graph.compute(
        phases.single_tasks(dataclasses.replace(study, targets=("xnli", "udpos"))).values()
    )  # another chapter
    added = events(root, "computed")[len(before) :]
    assert len(added) == 4 and not set(added) & set(before)  # a training and a score, twice


def test_two_stores_get_the_same_scores_to_the_last_digit(study, tmp_path):
    wanted = phases.single_tasks(study)
    tables = []
    for name in ("one", "two"):
        graph.compute(wanted.values(), tmp_path / name)
        tables.append(results.scores(wanted, tmp_path / name))
    pd.testing.assert_frame_equal(*tables, check_exact=True)


@pytest.mark.parametrize(
    "change",
    [
        dict(phase2_steps=3),
        dict(phase2_rows=21),
        dict(phase1_steps=3),
        dict(phase2_learning_rate=1e-3),
        dict(phase2_batch=4),
        dict(dropout=0.2),
        dict(max_length=32),
    ],
)
def test_a_change_that_matters_changes_the_key(study, change):
    assert key(phases.phase2(study, ("mnli",), 0)) != key(
        phases.phase2(dataclasses.replace(study, **change), ("mnli",), 0)
    )


@pytest.mark.parametrize(
    "change", [dict(phase3_steps=9), dict(eval_rows=13), dict(targets=("panx",)), dict(layer=1)]
)
def test_a_change_that_does_not_matter_keeps_the_key(study, change):
    assert key(phases.phase2(study, ("mnli",), 0)) == key(
        phases.phase2(dataclasses.replace(study, **change), ("mnli",), 0)
    )


def test_the_key_is_of_the_rows_and_not_of_their_place(study, tmp_path):
    """Two copies of one folder are one data set; a changed row makes another."""
    from xstilts import data

    keys = []
    for name, label in (("a", 0), ("b", 0), ("c", 1)):
        folder = tmp_path / name / "qqp" / "default"
        folder.mkdir(parents=True)
        for split in ("train", "validation"):
            pd.DataFrame({"question1": ["x"], "question2": ["y"], "label": [label]}).to_parquet(
                folder / f"{split}.parquet"
            )
        keys.append(data.fingerprint("qqp", "train", ("en",), str(tmp_path / name)))
    assert keys[0] == keys[1] != keys[2]


def test_only_the_encoder_is_handed_on(study, root):
    run = phases.phase2(study, ("mnli",), 0)
    folder = graph.compute([run])[key(run)]
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", "pt") as file:
        assert not [
            name
            for name in file.keys()  # noqa: SIM118 (the open file is no dict)
            if "out." in name or "head" in name or name == "dense.weight"
        ]
    assert (folder / "scores.csv").is_file()


def test_an_interrupted_run_leaves_nothing_and_is_done_next_time(study, root, monkeypatch):
    run = phases.phase2(study, ("mnli",), 0)

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runs, "train", interrupted)
        with pytest.raises(KeyboardInterrupt):
            graph.compute([run])
    assert store.find(root, run) is None
    assert not list(root.glob(".writing-*"))
    graph.compute([run])
    assert store.find(root, run)


def test_a_damaged_artifact_is_set_aside_and_made_again(study, root):
    run = phases.phase3(study, phases.base(study), "udpos", 0)
    graph.compute([run])
    before = results.scores({("none", "udpos", 0): run})
    scores = store.folder_of(root, run) / "scores.csv"
    scores.write_text(scores.read_text().replace("fi", "de", 1))
    store._verified.clear()  # as a new process would
    graph.compute([run])
    assert len(events(root, "damaged")) == 1 and list(root.glob(".damaged-*"))
    pd.testing.assert_frame_equal(
        results.scores({("none", "udpos", 0): run}), before, check_exact=True
    )


@pytest.mark.parametrize("name", [store.MANIFEST, "model.safetensors", "config.json"])
def test_an_artifact_that_lost_a_file_is_made_again(study, root, name):
    run = phases.base(study)
    graph.compute([run])
    (store.folder_of(root, run) / name).unlink()
    store._verified.clear()
    assert graph.compute([run]) and store.find(root, run)
    assert len(events(root, "damaged")) == len(list(root.glob(".damaged-*"))) == 1


def test_an_artifact_of_another_recipe_version_is_not_used(study, root, monkeypatch):
    from xstilts.runs import key as spec

    run = phases.base(study)
    graph.compute([run])
    monkeypatch.setattr(spec, "RECIPE_VERSION", spec.RECIPE_VERSION + 1)
    assert store.find(root, run) is None
    shutil.copytree(
        next(root.glob("[0-9a-f]*")), store.folder_of(root, run)
    )  # not even under the new name
    assert store.find(root, run) is None
    graph.compute([run])
    assert len(events(root, "damaged")) == 1 and store.find(root, run)


def test_the_manifest_says_where_a_result_was_computed(study):
    folder = graph.compute([phases.base(study)])[key(phases.base(study))]
    there = json.loads((folder / store.MANIFEST).read_text())["environment"]
    assert (
        there["packages"]["torch"] == torch.__version__.split("+")[0]
        or there["packages"]["torch"] == torch.__version__
    )
    assert there["cpu"] and there["cores"] >= 1 and there["threads"] == torch.get_num_threads()
    assert there["recipe version"] and (there["code"] == {} or len(there["code"]["commit"]) == 40)


def test_phase_1_can_be_left_out(study):
    assert phases.phase1(dataclasses.replace(study, phase1_steps=0)) == phases.base(study)


def test_asking_for_what_is_not_there_says_so(study):
    wanted = phases.single_tasks(study)
    for ask in (
        results.history,
        results.predictions,
        results.dev_scores,
        lambda run: results.finished({"": run}),
    ):
        with pytest.raises(UserError, match="call compute first"):
            ask(wanted[Condition(("mnli",)), "xnli", 0].encoder)


@pytest.mark.parametrize("there", [(), ("udpos",), ("udpos", "tatoeba")])
def test_what_was_not_run_is_a_dash_in_the_table_of_single_tasks(study, there):
    wanted = phases.single_tasks(study)
    left = {(condition, target) for condition, target, _ in wanted if target not in there} | {
        (Condition(("mnli",)), "udpos")
    }
    graph.compute(
        run for (condition, target, _), run in wanted.items() if (condition, target) not in left
    )
    asked = dataclasses.replace(study, missing="dash")
    graph.obtain(asked, wanted)
    table, examples = results.scores(wanted), results.examples(wanted)
    assert set(map(tuple, table[table.state == "not run"][["condition", "target"]].values)) == left
    gains = score_tables.differences(asked, table, examples).set_index(["intermediate", "target"])
    assert len(gains) == len(wanted) and set(gains[gains.score.isna()].index) == left
    assert figures.heatmap(asked, gains.reset_index())
    assert results.lost(wanted.values()).empty and results.overlap(wanted).target.isin(there).all()


def test_keys_of_what_exists_stay(monkeypatch):
    """Records and stores are found by these. Only a change that changes results may change them."""
    from xstilts import data, encoders

    monkeypatch.setattr(
        data, "fingerprint", lambda name, split, languages, source: f"{name} {split} {languages}"
    )
    monkeypatch.setattr(data, "texts_fingerprint", lambda source: "texts")
    monkeypatch.setattr(encoders, "fingerprint", lambda name: name)
    asked = profiles.study(data="mini")
    runs = [
        phases.phase1(asked),
        phases.phase2(asked, ("mnli",), 0),
        phases.phase2(asked, ("squad", "mnli"), 1),
        phases.phase3(asked, phases.phase1(asked), "xnli", 0),
        phases.phase3(asked, phases.phase1(asked), "tatoeba", 0),
    ]
    assert [key(run) for run in runs] == PINNED
    assert key(runs[3].encoder) == PINNED[1]  # XNLI is trained on MNLI
    steps = runs[1].recipe.steps
    assert phases.phase2(asked, ("mnli",), 0, steps=steps) == runs[1]  # the equal budget shares it
    others = [dict(languages=("fi",)), dict(steps=7), dict(rows=9), dict(mlm_share=0.5)]
    assert (
        len({key(phases.phase2(asked, ("mnli",), 0, **other)) for other in others} | {PINNED[1]})
        == 5
    )


def test_text_is_mixed_in_at_its_share(study):
    run = phases.phase2(study, ("mnli",), 0, mlm_share=0.5, steps=4)
    graph.compute([run])
    assert set(results.dev_scores(run).task) == {"mnli", "text"} and "mnli+text" in str(
        spec.label(run)
    )
    drawn = [
        which
        for which, _ in batches.stream(
            [[feature] * 90 for feature in features()], run.recipe, 0, 2000, 0.3
        )
    ]
    assert 0.26 < sum(drawn) / 2000 < 0.34


def features():
    return [kinds.Feature(0, [[1, 2, 3]], 0) for _ in range(2)]


def test_what_is_missing_is_left_out_where_a_dash_is_asked_for(study):
    wanted = phases.single_tasks(study)
    asked = dataclasses.replace(study, missing="dash", targets=("udpos",))
    assert graph.obtain(asked, wanted) == {}
    part = {cell: run for cell, run in wanted.items() if cell[1] == "tatoeba"}
    assert graph.obtain(study, part) == part == graph.obtain(asked, wanted)


def test_one_run_that_fails_again_is_a_dash_beside_what_is_at_hand(study, root, monkeypatch):
    study = dataclasses.replace(study, targets=("tatoeba",))
    wanted = phases.single_tasks(study)
    there = {cell: run for cell, run in wanted.items() if cell[0] == NONE}
    graph.compute(there.values())

    def failing(*others):
        raise RuntimeError("no luck")

    monkeypatch.setattr(runs, "adapt", failing)
    for _ in range(2):  # the second time nothing is computed
        assert graph.obtain(study, wanted) == there
    assert list(results.lost(wanted.values()).why) == ["no luck"]
    with pytest.raises(graph.RunsFailed, match="no luck"):  # nothing to show
        graph.obtain(study, {cell: run for cell, run in wanted.items() if cell not in there})
    for step in line(there[NONE, "tatoeba", 0]):
        shutil.rmtree(store.folder_of(root, step))

    def full(*others):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runs, "execute", full)
    with pytest.raises(failures.NoRoom):
        graph.obtain(study, wanted)
