"""Runs in several processes: failures, two clients at once, what goes first. Deaths are in
test_deaths.py and torture.py."""

import dataclasses
import json
import threading

import pandas as pd
import pytest
from small import SMALL

from xstilts.errors import UserError
from xstilts.runs import results, store
from xstilts.runs.key import key
from xstilts.study import graph, phases, profiles
from xstilts.study.conditions import NONE
from xstilts.study.workers import cluster


@pytest.fixture
def study(tiny_encoder):
    return profiles.study(encoder=str(tiny_encoder), **SMALL)


def computed(root):
    lines = [json.loads(line) for line in (root / "log.jsonl").read_text().splitlines()]
    return [line["key"] for line in lines if line["event"] == "computed"]


@pytest.mark.parametrize(
    "scheduler",
    ["", "process", "processes:0", "processes:x", "dask:somewhere", "dask:no.yml", "local:2"],
)
def test_an_unknown_scheduler_is_refused_with_those_that_are_known(scheduler):
    with pytest.raises(UserError, match="parameter scheduler: .*(processes:N|no file)"):
        cluster.check(scheduler)


def test_a_cluster_file_names_only_clusters(tmp_path):
    for text, reason in (
        ("cluster: os.system\njobs: 1", "cluster os"),
        ("cluster: distributed.LocalCluster\nqueue: a", "queue"),
        ("cluster: dask_cuda.Nothing", "install the package|Nothing"),
        ("- cluster", "cluster None; it has"),
        ("cluster: [", "not readable"),
        ("cluster: distributed.LocalCluster\njobs: many", "jobs: 'many'"),
        ("cluster: distributed.Nothing", "no attribute 'Nothing'"),
        ("cluster: distributed.LocalCluster\noptions: [a]", r"options \['a'\]"),
    ):
        path = tmp_path / "cluster.yml"
        path.write_text(text)
        with pytest.raises(UserError, match=reason), cluster.crew(f"dask:{path}", []):
            pass


@pytest.mark.parametrize("scheduler", ["local", "processes:2"])
def test_a_run_that_fails_stops_only_what_starts_from_it(study, tmp_path, scheduler):
    bad = dataclasses.replace(study, phase2_learning_rate=float("inf"))
    wanted = phases.single_tasks(bad)
    folders = graph.compute(wanted.values(), tmp_path, scheduler)
    table = results.scores(wanted, tmp_path)
    assert (
        set(table[table.state == ""].target) == {"xnli", "udpos", "tatoeba"} and len(folders) == 3
    )
    lost = table[table.state == "diverged"]  # the three targets after it
    assert set(map(str, lost.condition)) == {"mnli"} and len(lost) == 3 and lost.value.isna().all()
    assert len(list(tmp_path.glob(".failed-*/failed.json"))) == 1


def test_workers_train_once_what_is_tested_twice(study, tmp_path):
    study = dataclasses.replace(study, targets=("xquad", "mlqa", "tatoeba"), phase3_steps=10)
    good, bad = (
        phases.grid(
            dataclasses.replace(study, phase3_learning_rate=rate),
            {NONE: lambda seed: phases.base(study)},
        )
        for rate in (1e-4, float("inf"))
    )
    graph.compute([*good.values(), *bad.values()], tmp_path, "processes:2")
    first, second = (results.history(good[NONE, name, 0], tmp_path) for name in ("xquad", "mlqa"))
    pd.testing.assert_frame_equal(first, second)  # its seconds, too
    assert len(computed(tmp_path)) == 5  # the encoder, one training, three scores
    assert list(results.lost(bad.values(), tmp_path).what) == ["diverged", "diverged"]


def test_two_clients_of_one_store_do_each_run_once(study, tmp_path):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1", silence_logs=40
    ) as made:
        address = f"dask:{made.scheduler_address}"
        halves = [
            dataclasses.replace(study, targets=targets)
            for targets in (("xnli", "udpos"), ("udpos", "tatoeba"))
        ]
        errors = []

        def client(half):
            try:
                graph.compute(phases.single_tasks(half).values(), tmp_path, address)
            except Exception as error:  # noqa: BLE001  a thread's error would be lost
                errors.append(error)

        threads = [threading.Thread(target=client, args=(half,)) for half in halves]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    assert not errors
    done = computed(tmp_path)
    assert len(done) == len(set(done)) == 12


def test_the_longest_goes_first_however_it_was_asked_for(study, tmp_path):
    encoder = phases.phase1(study)
    graph.compute([encoder], tmp_path)
    wanted = [phases.phase3(study, encoder, name, 0) for name in ("tatoeba", "udpos", "xnli")]
    graph.compute(wanted, tmp_path, "processes:1")
    _, short, long = wanted
    done = computed(tmp_path)
    assert done.index(key(long.encoder)) < done.index(key(short.encoder))
    # what lets a training go is done before anything else
    assert done.index(key(short)) == done.index(key(short.encoder)) + 1


def test_long_chains_go_first(study):
    wanted = phases.single_tasks(study)
    todo = graph.lacking(wanted.values(), store.default_root())
    chain = graph.chains(todo)
    assert [type(run).__name__ for run in todo[:2]] == ["Base", "Adapt"]
    assert chain[key(todo[0])] == max(chain.values())
    for run in todo:
        for parent in graph.parents(run):
            assert chain[key(parent)] >= chain[key(run)]
    assert chain[key(phases.phase2(study, ("mnli",), 0))] > chain[key(wanted[NONE, "xnli", 0])] > 0
