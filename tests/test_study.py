"""The graph: keys, sharing, interruption, damage, the same scores twice. With real, tiny
trainings."""

import dataclasses
import json
import shutil
from functools import partial

import pandas as pd
import pytest
import torch

from xstilts.analysis import score_tables
from xstilts.book import figures
from xstilts.chapters import needed
from xstilts.errors import UserError
from xstilts.runs import execution as runs
from xstilts.runs import failures, results, sharing, store
from xstilts.runs import key as spec
from xstilts.runs.key import key
from xstilts.study import costs, graph, profiles
from xstilts.tasks import kinds
from xstilts.tools import plan
from xstilts.training import batches

SMALL = dict(
    intermediates="mnli",
    targets="xnli,udpos,tatoeba",
    languages="en,fi",
    phase1_steps=2,
    phase2_steps=2,
    vocabulary="full",  # to look for the pieces of all texts takes longer than everything else
    phase3_steps=2,
    phase1_rows=20,
    phase2_rows=20,
    phase3_rows=20,
    eval_rows=12,
    max_length=64,
)


PINNED = [
    "b40962295e4fc61fa136",
    "e284f56dbe2d3ffd5b7c",
    "4f5d512d683d1e383993",
    "0cdb9a3e86a8892068bc",
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
    wanted = graph.single_tasks(study)
    assert set(wanted) == {
        (condition, target, 0) for condition in ("none", "mnli") for target in study.targets
    }
    graph.compute(wanted.values())
    # base, phase 1, one intermediate encoder, six scores: each exactly once
    assert len(events(root, "computed")) == len(set(events(root, "computed"))) == 9
    table = results.scores(wanted)
    assert set(table.condition) == {"none", "mnli"} and table.value.between(0, 100).all()
    assert table[table.metric == "accuracy"].n.eq(12).all()
    assert set(table[table.target == "xnli"].language) == {"en", "fi"}
    assert set(table[table.target == "tatoeba"].layer) == {0, 1, 2}


def test_an_intermediate_task_with_open_labels_can_be_scored_like_a_target(study, root):
    run = dataclasses.replace(graph.phase3(study, graph.base(study), "udpos", 0), target="ccg")
    graph.compute([run])
    assert set(results.scores({("as a target", "ccg", 0): run}).language) == {"en", "fi"}


@pytest.fixture
def trainings(monkeypatch):
    """The targets whose training was begun in this process."""
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
    wanted = {
        cell: graph.phase3(study, graph.base(study), *cell[1:])
        for cell in (("none", target, seed) for target in study.targets for seed in study.seeds)
    }
    graph.compute(wanted.values(), tmp_path / "together")
    assert sorted(trainings) == ["tydiqa", "tydiqa", "xquad", "xquad"]
    for run in list(wanted.values())[::-1]:
        graph.compute([run], tmp_path / "alone")
        runs._last.clear()
    assert trainings.count("mlqa") == 2
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
    assert study.seeds == (0,) and {seed for _, _, seed in graph.single_tasks(study)} == {0}
    trained = {("none", target, seed) for target in ("xnli", "udpos") for seed in (0, 1, 2)}
    wanted = needed.phase3_target(study)
    assert set(wanted) == trained | {("none", "tatoeba", 0), ("random encoder", "udpos", 0)}
    assert len({key(run) for run in wanted.values()}) == len(wanted)
    assert wanted["none", "xnli", 0] == graph.single_tasks(study)["none", "xnli", 0]
    given = dataclasses.replace(
        study,
        **{name: getattr(profiles.study(seeds="5,0"), name) for name in ("seeds", "phase3_seeds")},
    )
    assert {cell for cell in needed.phase3_target(given) if cell[1] == "tatoeba"} == {
        ("none", "tatoeba", 5)
    }
    assert {seed for _, target, seed in needed.phase3_target(given) if target == "xnli"} == {5, 0}


def test_seeds_are_told_apart_without_their_english_score(study):
    rows = [
        {
            "condition": "none",
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
        for language, value in zip(("en", "fi", "de"), values)
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
    study, write = dataclasses.replace(study, targets=("xquad", "mlqa")), runs._write_scores
    wanted = graph.grid(study, {"none": lambda seed: graph.base(study)})

    def broken(folder, run, *others):
        if run.target == "xquad":
            raise UserError("no such answer")
        write(folder, run, *others)

    monkeypatch.setattr(runs, "_write_scores", broken)
    assert set(graph.compute(wanted.values(), tmp_path)) == {key(wanted["none", "mlqa", 0])}
    assert (
        trainings == ["xquad"]
        and "no such answer" in results.lost(wanted.values(), tmp_path).why[0]
    )


@pytest.fixture
def alike(study):
    """XNLI's training from an encoder, and MNLI's, which is the same; for two seeds, and what
    starts from them."""
    study = dataclasses.replace(
        study, phase1_steps=0, languages=("en", "de"), phase2_batch=16, phase3_batch=16
    )
    targets, encoders = (
        [what(seed) for seed in (0, 1)]
        for what in (
            lambda seed: graph.phase3(study, graph.base(study), "xnli", seed),
            lambda seed: graph.phase2(study, ("mnli",), seed),
        )
    )
    return study, targets, encoders, [graph.phase3(study, run, "tatoeba", 0) for run in encoders]


@pytest.mark.parametrize("scheduler", ["local", "processes:2"])
def test_a_target_that_trains_like_an_intermediate_task_takes_its_head_and_scores_stay(
    alike, tmp_path, scheduler
):
    _, targets, encoders, after = alike
    together, alone = (
        partial(results.artifact, root=tmp_path / place) for place in ("together", "alone")
    )
    graph.compute([*targets, *after], tmp_path / "together", scheduler)
    assert all(
        together(run).joinpath("log.jsonl").read_text()
        == together(same).joinpath("log.jsonl").read_text()
        for run, same in zip(targets, encoders, strict=True)
    )  # to the time that a step took
    graph.compute(targets, tmp_path / "alone")
    assert not store.find(tmp_path / "alone", encoders[0])
    for run in targets:
        for name in ("scores.csv", "counts.csv"):
            assert together(run).joinpath(name).read_text() == alone(run).joinpath(name).read_text()
        pd.testing.assert_frame_equal(
            *(
                results.history(run, tmp_path / place).drop(columns="seconds")
                for place in ("together", "alone")
            )
        )


def test_a_training_is_done_once_for_the_encoder_and_for_the_target(alike, tmp_path, trainings):
    study, (target, _), (intermediate, other), _ = alike
    assert sharing.together([target, other, intermediate]) == [[intermediate, target], [other]]
    graph.compute([target, intermediate], tmp_path / "at once")
    assert trainings == ["mnli"]
    speed = plan.Speed(0.0, 1.0, 0.0, 0.0)
    assert speed.of([target], tmp_path / "later") == {key(target): costs.cost(target).steps}
    graph.compute([intermediate], tmp_path / "later")
    assert speed.of([target], tmp_path / "later") == {key(target): 0}
    runs._last.clear()
    graph.compute([target], tmp_path / "later")
    assert trainings == ["mnli", "mnli"]
    for name, value in {
        "phase3_steps": 1,
        "phase3_rows": 10,
        "phase3_batch": 8,
        "phase3_learning_rate": 1e-3,
    }.items():
        assert (
            sharing.alike(
                graph.phase3(
                    dataclasses.replace(study, **{name: value}), graph.base(study), "xnli", 0
                )
            )
            != intermediate
        )
    assert (
        sharing.alike(graph.phase3(study, intermediate, "xnli", 0)) != intermediate
    )  # MNLI's rows again, from another encoder
    assert sharing.alike(graph.phase3(study, graph.base(study), "tatoeba", 0)) is None
    silent = dataclasses.replace(study, evaluate_every=0)
    assert sharing.alike(graph.phase3(silent, graph.base(silent), "xnli", 0)) is None


def test_what_training_rows_lost_is_counted_under_their_task_in_the_words_of_its_reader(
    study, tmp_path
):
    run = graph.phase3(
        dataclasses.replace(study, languages=("en", "de"), max_length=16),
        graph.base(study),
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
    first, second = (
        graph.phase3(study, graph.base(study), target, 0) for target in ("xquad", "mlqa")
    )
    assert (
        costs.total([first, second])
        == costs.work(first) + costs.cost(second).evaluation
        < sum(map(costs.work, (first, second)))
    )
    later = graph.phase3(study, graph.base(study), "mlqa", 1)
    assert sharing.together([first, later, second]) == [[first, second], [later]]
    seconds = plan.Speed(1.0, 0.1, 1e-9, 1e-9).of([first, later, second], store.default_root())
    assert seconds[key(second)] < seconds[key(later)] and set(seconds) == {
        key(run) for run in (first, later, second)
    }


def test_what_the_store_has_is_not_computed_again(study, root):
    wanted = graph.single_tasks(dataclasses.replace(study, targets=("xnli",)))
    graph.compute(wanted.values())
    before = events(root, "computed")
    graph.compute(
        graph.single_tasks(dataclasses.replace(study, targets=("xnli", "udpos"))).values()
    )  # another chapter
    added = events(root, "computed")[len(before) :]
    assert len(added) == 2 and not set(added) & set(before)


def test_two_stores_get_the_same_scores_to_the_last_digit(study, tmp_path):
    wanted = graph.single_tasks(study)
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
    assert key(graph.phase2(study, ("mnli",), 0)) != key(
        graph.phase2(dataclasses.replace(study, **change), ("mnli",), 0)
    )


@pytest.mark.parametrize(
    "change", [dict(phase3_steps=9), dict(eval_rows=13), dict(targets=("panx",)), dict(layer=1)]
)
def test_a_change_that_does_not_matter_keeps_the_key(study, change):
    assert key(graph.phase2(study, ("mnli",), 0)) == key(
        graph.phase2(dataclasses.replace(study, **change), ("mnli",), 0)
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
    run = graph.phase2(study, ("mnli",), 0)
    folder = graph.compute([run])[key(run)]
    from safetensors import safe_open

    with safe_open(folder / "model.safetensors", "pt") as file:
        assert not [
            name
            for name in file.keys()
            if "out." in name or "head" in name or "dense.weight" == name
        ]
    assert (folder / "scores.csv").is_file()


def test_an_interrupted_run_leaves_nothing_and_is_done_next_time(study, root, monkeypatch):
    run = graph.phase2(study, ("mnli",), 0)

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
    run = graph.phase3(study, graph.base(study), "udpos", 0)
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
    run = graph.base(study)
    graph.compute([run])
    (store.folder_of(root, run) / name).unlink()
    store._verified.clear()
    assert graph.compute([run]) and store.find(root, run)
    assert len(events(root, "damaged")) == len(list(root.glob(".damaged-*"))) == 1


def test_an_artifact_of_another_recipe_version_is_not_used(study, root, monkeypatch):
    from xstilts.runs import key as spec

    run = graph.base(study)
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
    folder = graph.compute([graph.base(study)])[key(graph.base(study))]
    there = json.loads((folder / store.MANIFEST).read_text())["environment"]
    assert (
        there["packages"]["torch"] == torch.__version__.split("+")[0]
        or there["packages"]["torch"] == torch.__version__
    )
    assert there["cpu"] and there["cores"] >= 1 and there["threads"] == torch.get_num_threads()
    assert there["recipe version"] and (there["code"] == {} or len(there["code"]["commit"]) == 40)


def test_phase_1_can_be_left_out(study):
    assert graph.phase1(dataclasses.replace(study, phase1_steps=0)) == graph.base(study)


def test_asking_for_what_is_not_there_says_so(study):
    wanted = graph.single_tasks(study)
    for ask in (
        results.history,
        results.predictions,
        results.dev_scores,
        lambda run: results.finished({"": run}),
    ):
        with pytest.raises(UserError, match="call compute first"):
            ask(wanted["mnli", "xnli", 0].encoder)


@pytest.mark.parametrize("there", [(), ("udpos",), ("udpos", "tatoeba")])
def test_what_was_not_run_is_a_dash_in_the_table_of_single_tasks(study, there):
    wanted = graph.single_tasks(study)
    left = {(condition, target) for condition, target, _ in wanted if target not in there} | {
        ("mnli", "udpos")
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
        graph.phase1(asked),
        graph.phase2(asked, ("mnli",), 0),
        graph.phase2(asked, ("squad", "mnli"), 1),
        graph.phase3(asked, graph.phase1(asked), "xnli", 0),
        graph.phase3(asked, graph.phase1(asked), "tatoeba", 0),
    ]
    assert [key(run) for run in runs] == PINNED
    steps = runs[1].recipe.steps
    assert graph.phase2(asked, ("mnli",), 0, steps=steps) == runs[1]  # the equal budget shares it
    others = [dict(languages=("fi",)), dict(steps=7), dict(rows=9), dict(mlm_share=0.5)]
    assert (
        len({key(graph.phase2(asked, ("mnli",), 0, **other)) for other in others} | {PINNED[1]})
        == 5
    )


def test_text_is_mixed_in_at_its_share(study):
    run = graph.phase2(study, ("mnli",), 0, mlm_share=0.5, steps=4)
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
    wanted = graph.single_tasks(study)
    asked = dataclasses.replace(study, missing="dash", targets=("udpos",))
    assert graph.obtain(asked, wanted) == {}
    part = {cell: run for cell, run in wanted.items() if cell[1] == "tatoeba"}
    assert graph.obtain(study, part) == part == graph.obtain(asked, wanted)


def test_one_run_that_fails_again_is_a_dash_beside_what_is_at_hand(study, root, monkeypatch):
    study = dataclasses.replace(study, targets=("tatoeba",))
    wanted = graph.single_tasks(study)
    there = {cell: run for cell, run in wanted.items() if cell[0] == "none"}
    graph.compute(there.values())

    def failing(*others):
        raise RuntimeError("no luck")

    monkeypatch.setattr(runs, "adapt", failing)
    for _ in range(2):  # the second time nothing is computed
        assert graph.obtain(study, wanted) == there
    assert list(results.lost(wanted.values()).why) == ["no luck"]
    with pytest.raises(graph.RunsFailed, match="no luck"):  # nothing to show
        graph.obtain(study, {cell: run for cell, run in wanted.items() if cell not in there})
    for step in graph.line(there["none", "tatoeba", 0]):
        shutil.rmtree(store.folder_of(root, step))

    def full(*others):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runs, "execute", full)
    with pytest.raises(failures.NoRoom):
        graph.obtain(study, wanted)
