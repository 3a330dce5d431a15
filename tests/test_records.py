"""Records: what comes out is what went in, for exactly the run that it is of; and a run computed
again is compared."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest
import small
from hypothesis import given
from hypothesis import strategies as st

from xstilts import cli, data, revisions
from xstilts.analysis import differences, repeats, reported, score_tables, stats
from xstilts.book import cost_tables
from xstilts.chapters import needed
from xstilts.errors import UserError
from xstilts.runs import credible, environment, execution, failures, records, results, store
from xstilts.runs.key import Adapt, key, label, line, starting_encoder
from xstilts.study import costs, graph, phases, profiles
from xstilts.study.conditions import NONE, Condition
from xstilts.tools import plan, verify

SMALL = small.SMALL | dict(evaluate_every=2)  # within the steps of a training


@pytest.fixture(scope="module")
def finished(tiny_encoder, tmp_path_factory):
    """A study whose chapter on single tasks has been run: (study, its store)."""
    study, root = (
        profiles.study(encoder=str(tiny_encoder), missing="dash", scheduler="local", **SMALL),
        tmp_path_factory.mktemp("store"),
    )
    graph.compute(phases.single_tasks(study).values(), root)
    return study, root


def record(study, root) -> int:
    wanted = phases.single_tasks(study)
    return len(records.record([run for wanted in wanted.values() for run in line(wanted)], root))


@given(
    st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=40)
    | st.lists(st.floats(0, 30), min_size=1, max_size=20)
)
def test_what_is_packed_comes_back(values):
    packed = json.loads(json.dumps(records.pack(np.array(values))))
    assert list(records.unpack(packed, len(values))) == values


def test_a_record_stands_for_its_run_to_the_last_digit(finished):
    study, root = finished
    wanted = phases.single_tasks(study)
    assert graph.obtain(study, wanted) == {}
    assert (
        record(study, root) == 9 and record(study, root) == 0
    )  # base, phase 1, phase 2, six scores
    assert graph.obtain(study, wanted) == wanted  # with an empty store
    for table in (results.scores, results.examples):
        ours, theirs = table(wanted), table(wanted, root)
        theirs = theirs.merge(
            ours[["target", "metric"]].drop_duplicates()
        )  # examples: of main metrics alone
        order = [
            name
            for name in ("condition", "target", "language", "layer", "metric", "example")
            if name in ours
        ]
        ours, theirs = (part.sort_values(order).reset_index(drop=True) for part in (ours, theirs))
        pd.testing.assert_frame_equal(
            ours[theirs.columns], theirs, check_exact=True, check_dtype=False
        )
    run = wanted[Condition(("mnli",)), "xnli", 0]
    assert results.seconds(run) == results.seconds(run, root) > 0
    start = starting_encoder(run)
    assert results.last_dev(start) == results.last_dev(start, root)
    assert "9 recorded" in records.said(
        [step for run in wanted.values() for step in line(run)], store.default_root()
    )


def test_a_record_outweighs_that_the_run_failed_here(finished):
    study, root = finished
    record(study, root)
    wanted, here = phases.single_tasks(study), store.default_root()
    failures.keep(
        here, starting_encoder(wanted[Condition(("mnli",)), "xnli", 0]), RuntimeError("no luck")
    )
    assert failures.known(here, wanted[Condition(("mnli",)), "xnli", 0]).why == "no luck"
    cell = {(Condition(("mnli",)), "xnli", 0): wanted[Condition(("mnli",)), "xnli", 0]}
    assert len(differences.examples(study, cell)) == 2 and set(results.scores(cell).state) == {""}
    assert results.lost(
        [*wanted.values(), starting_encoder(wanted[Condition(("mnli",)), "xnli", 0])]
    ).empty


def logged(study, root, steps, every, patience, dev):
    """A training with these dev scores, step -> score, in its log."""
    run = phases.phase2(study, ("mnli",), 0)
    run = dataclasses.replace(
        run,
        recipe=dataclasses.replace(
            run.recipe, steps=steps, evaluate_every=every, patience=patience
        ),
    )
    with store.writing(root, run) as folder:
        (folder / "log.jsonl").write_text(
            "\n".join(json.dumps({"step": step, "dev": score}) for step, score in dev.items())
        )
        (folder / "scores.csv").write_text(
            "task,language,metric,layer,split,value,n,of,baseline\n"
            "mnli,en,accuracy,-1,validation,50.0,12,12,50.0\n"
        )
    return run


def test_the_dev_score_is_that_of_the_model_that_was_scored(finished, tmp_path):
    study, dev = finished[0], {0: 90.0, 10: 40.0, 20: 60.0, 30: 50.0}
    for patience, score in ((0, 50), (2, 60)):
        run = logged(study, tmp_path, 30, 10, patience, dev)
        assert (
            records.record([run], tmp_path)
            and results.last_dev(run, tmp_path) == results.last_dev(run) == score
        )


def test_a_head_that_knows_nothing_yet_has_no_dev_score(finished, tmp_path):
    study = finished[0]
    run = logged(study, tmp_path, 30, 40, 0, {0: 90.0})
    records.record([run], tmp_path)
    assert (
        np.isnan(results.last_dev(run, tmp_path))
        and "dev" not in records.find(run)
        and np.isnan(results.last_dev(run))
    )


def test_another_parameter_finds_no_record(finished):
    study, root = finished
    record(study, root)
    other = dataclasses.replace(study, phase3_steps=20)
    assert set(graph.obtain(other, phases.single_tasks(other))) == {
        (NONE, "tatoeba", 0),
        (Condition(("mnli",)), "tatoeba", 0),
    }


def test_a_record_without_examples_is_one_of_real_rows_from_before_they_were_kept(
    finished, monkeypatch
):
    study, root = finished
    record(study, root)
    run = phases.single_tasks(study)[NONE, "xnli", 0]
    path = records.folder() / f"{key(run)}.json"
    older = {
        name: value
        for name, value in json.loads(path.read_text()).items()
        if name not in ("examples", "sha256")
    }
    path.write_text(json.dumps(older))
    with pytest.raises(UserError, match="it has no examples"):
        records.find(run)
    monkeypatch.setattr(credible.dials, "is_mini", lambda source: False)
    assert records.examples(run).empty and len(records.scores(run))


def test_what_is_read_twice_is_as_it_is_written_now_and_as_nobody_changed_it(finished):
    study, root = finished
    record(study, root)
    cell = {(NONE, "xnli", 0): phases.single_tasks(study)[NONE, "xnli", 0]}
    (run,) = cell.values()
    before = {
        place: results.examples(cell, place).numerator.map(list).to_list() for place in (root, None)
    }
    for place in before:
        mine = results.examples(cell, place)
        mine["numerator"] = None
        assert results.examples(cell, place).numerator.map(list).to_list() == before[place]
    mine = records.scores(run)
    mine["value"] = -1
    assert (records.scores(run).value >= 0).all()
    path = records.folder() / f"{key(run)}.json"
    written = json.loads(path.read_text())
    none = [[*line.split(",")[:5], "0.0", *line.split(",")[6:]] for line in written["scores"][1:]]
    written["scores"][1:] = [",".join(line) for line in none]
    written["examples"] = [part | {"numerator": 0} for part in written["examples"]]
    path.write_text(json.dumps(credible.seal(written)))
    assert (records.scores(run).value == 0).all() and sum(
        map(sum, results.examples(cell).numerator)
    ) == 0


def test_recorded_runs_come_back_when_computed_again(finished, monkeypatch):
    study, root = finished
    record(study, root)
    monkeypatch.setenv("XSTILTS_STORE", str(root))
    monkeypatch.setattr(needed, "RUNS", {"single_task": needed.RUNS["single_task"]})
    found = verify.verify(study, 2)
    assert (
        len(found) == 2 and set(found.within) == {"yes"} and set(found.machine) == {"as recorded"}
    )
    assert (found.tolerance == 0).all() and (found["largest difference of a language"] == 0).all()

    beside = verify.verify(dataclasses.replace(study, scheduler="processes:2"), 2)
    pd.testing.assert_frame_equal(beside.drop(columns="when"), found.drop(columns="when"))

    def other(run, folder, parent):  # another machine's training came out otherwise
        if isinstance(run, Adapt):
            return
        records.scores(run).assign(value=lambda table: table.value - 10).to_csv(
            folder / "scores.csv", index=False
        )

    monkeypatch.setattr(execution, "execute", other)
    monkeypatch.setattr(environment, "environment", lambda: {"threads": 1, "machine": "elsewhere"})
    found = verify.verify(study, 1)
    assert (
        found.within[0] == "no"
        and found.machine[0] == "another"
        and found.tolerance[0] == verify.TOLERANCE
    )


def test_a_record_of_an_earlier_scoring_is_named_not_called_wrong_and_gives_way(
    finished, monkeypatch
):
    study, root = finished
    record(study, root)
    wanted = phases.single_tasks(study)
    run = wanted[NONE, "udpos", 0]
    path = records.folder() / f"{key(run)}.json"
    path.write_text(
        json.dumps(credible.seal(records.find(run) | {"history": "F1 by an earlier scoring"}))
    )
    assert "6 recorded" in records.said(wanted.values(), store.default_root())
    assert "1 of these are history: F1 by an earlier scoring" in records.said(
        wanted.values(), store.default_root()
    )
    monkeypatch.setattr(needed, "RUNS", {"single_task": needed.RUNS["single_task"]})
    assert {run.target for run in verify.sample(study, 9)} == {"xnli", "udpos", "tatoeba"}
    assert key(run) not in map(key, verify.sample(study, 9)) and len(verify.sample(study, 9)) == 5
    assert verify.left_out(study) == "Left out: 1 records (F1 by an earlier scoring).\n"
    monkeypatch.setattr(repeats, "_place", lambda made: str(id(made)))  # all from another machine
    repeats.note(study, [run], root)
    assert repeats.table().empty
    assert (
        records.record([run], root) == [path]
        and not records.history(run)
        and verify.left_out(study) == ""
    )


def test_what_another_machine_came_to_is_kept_beside_the_record(finished, monkeypatch):
    study, root = finished
    monkeypatch.setattr(
        credible, "check", lambda record, run: []
    )  # scores are moved here without their examples
    record(study, root)
    wanted = phases.single_tasks(study)
    repeats.note(study, wanted.values(), root)
    assert (
        repeats.table().empty
        and repeats.variance(study) is None
        and "other test rows only" in repeats.words(study)
    )
    for run, off in (
        (wanted[NONE, "xnli", 0], [3.0, 5.0]),
        (wanted[Condition(("mnli",)), "tatoeba", 0], 1.0),
    ):  # in English and Finnish; everywhere
        moved = records.scores(run).assign(value=lambda table, off=off: table.value + off)
        elsewhere = records.find(run) | {
            "environment": {**records.find(run)["environment"], "cpu": "another"},
            "scores": moved.to_csv(index=False).splitlines(),
        }
        (records.folder() / f"{key(run)}.json").write_text(json.dumps(elsewhere))
    for _ in range(2):  # said once
        repeats.note(study, wanted.values(), root)
        table = repeats.table().set_index("trained")
        assert (
            record(study, root) == 0
            and len(table) == 2
            and table.run[True] == label(wanted[NONE, "xnli", 0])
        )
        assert table.recorded[True] - table.again[True] == pytest.approx(4) and table["from"][
            True
        ].startswith("another")
        assert table["largest difference of a language"][True] == pytest.approx(5)
        shown = (
            records.scores(wanted[Condition(("mnli",)), "tatoeba", 0])
            .query("metric == 'accuracy' and layer == layer.max()")
            .value.mean()
        )
        assert (table.recorded[False], table.again[False]) == (
            pytest.approx(shown),
            pytest.approx(shown - 1),
        )  # of 3 layers
    # how far two trainings lie apart, squared and halved, is the variance of one
    learned = reported.trainings  # these were hardly trained
    monkeypatch.setattr(
        reported,
        "trainings",
        lambda study, table: learned(study, table).assign(learned=True, least=-1e9),
    )
    groups = repeats._groups(dataclasses.replace(study, missing="dash"))
    moved = {group.target: np.abs(group.moved(["en", "fi"])).tolist() for group in groups}
    assert moved["xnli"] == pytest.approx([2, 2]) and moved["tatoeba"] == pytest.approx([0.5] * 2)
    assert repeats.training([group for group in groups if group.target == "xnli"]).of(
        "xnli", ["fi"]
    ) == (pytest.approx(12.5), 0, 1)
    bare = dataclasses.replace(
        wanted[NONE, "tatoeba", 0], encoder=phases.base(study)
    )  # nothing was trained: no repeat of a training
    with store.writing(root, bare) as folder:
        (folder / "scores.csv").write_text(
            (store.find(root, wanted[NONE, "tatoeba", 0]) / "scores.csv").read_text()
        )
    elsewhere = records.find(wanted[NONE, "tatoeba", 0]) | {"key": key(bare)}
    elsewhere["environment"] = {**elsewhere["environment"], "cpu": "another"}
    (records.folder() / f"{key(bare)}.json").write_text(json.dumps(elsewhere))
    repeats.note(study, [bare], root)
    assert len(repeats.table()) == 2


def test_intervals_of_one_seed_include_what_another_training_changes(finished, monkeypatch):
    study, root = finished
    record(study, root)
    wanted = phases.single_tasks(study)
    learned = reported.trainings  # these were hardly trained
    monkeypatch.setattr(
        reported,
        "trainings",
        lambda study, table: learned(study, table).assign(learned=True, least=-1e9),
    )
    table, examples = results.scores(wanted, root), results.examples(wanted, root)
    cells = []
    for known in (None, stats.Training(lambda target, languages: (800.0, 0.0, 1e6))):
        monkeypatch.setattr(repeats, "variance", lambda study, known=known: known)
        shown = score_tables.differences(study, table, examples)
        cells.append(
            shown.set_index(["intermediate", "target"]).loc[(Condition(("mnli",)), "xnli")]
        )
    before, after = cells
    # one training's deviation is 40 / sqrt(2); a difference of two has 40
    assert after.difference == before.difference and before.grade == "open"
    assert after.high - after.low > before.high - before.low + 60


def test_what_is_recorded_can_be_left_out(finished, monkeypatch, capsys):
    study, root = finished
    record(study, root)
    monkeypatch.setattr(needed, "RUNS", {"single_task": needed.RUNS["single_task"]})
    monkeypatch.setattr(plan, "measured", lambda *_: plan.Speed(1.0, 0.1, 1e-9, 1e-9))
    (records.folder() / f"{key(phases.single_tasks(study)[NONE, 'tatoeba', 0])}.json").unlink()
    assert "12 runs, 3 to compute" in plan.text(
        study, "single_task", unrecorded=True
    )  # with its encoder's two
    assert "12 runs, 12 to compute" in plan.text(study, "single_task")
    asked = [
        item
        for name, value in {"encoder": study.encoder, "scheduler": "local", **SMALL}.items()
        for item in ("-p", name, str(value))
    ]
    assert cli.main(["compute", "single_task", "--unrecorded", *asked]) == 0
    assert "1 runs are in the store" in capsys.readouterr().out


def test_the_book_verifies_cheap_runs_and_once(finished, monkeypatch, tmp_path):
    study, root = finished
    record(study, root)
    monkeypatch.setenv("XSTILTS_STORE", str(root))
    monkeypatch.setenv("XSTILTS_CACHE", str(tmp_path))
    monkeypatch.setattr(needed, "RUNS", {"single_task": needed.RUNS["single_task"]})
    first = verify.brief(study, 2)
    assert len(first) == 2 and set(first.within) == {"yes"}
    work = sorted(costs.total(verify.anew(run)) for run in verify.sample(study, 99))
    for most, some in ((work[4], 2), (0, 1)):
        drawn = verify.sample(study, some, most=most)
        assert len(drawn) == some
        assert all(costs.total(verify.anew(run)) <= max(most, work[0]) for run in drawn)

    def refused(run, folder, parent):
        raise RuntimeError("computed again")

    monkeypatch.setattr(execution, "execute", refused)
    assert verify.brief(study, 2).equals(first)
    monkeypatch.setattr(environment, "environment", lambda: {"threads": 1, "machine": "elsewhere"})
    with pytest.raises(RuntimeError, match="computed again"):
        verify.brief(study, 2)


def test_costs_count_shared_runs_once(finished, monkeypatch):
    study, root = finished
    record(study, root)
    monkeypatch.setattr(
        needed, "RUNS", {name: needed.RUNS[name] for name in ("phase2_intermediate", "single_task")}
    )
    table = cost_tables.by_chapter(study).set_index("chapter")
    assert list(table.recorded) == [3, 9, 9] and set(table.live) == {0}
    assert (
        table.hours["the whole book"] == pytest.approx(table.hours["single_task"])
        and table.hours["single_task"] > 0
    )
    assert cost_tables.shared(table.reset_index()) == pytest.approx(
        table.hours["phase2_intermediate"]
    )
    assert table["watt-hours"]["single_task"] > 0


def test_a_chapters_cost_here_and_with_the_other_profiles(finished):
    study, root = finished
    record(study, root)
    table = cost_tables.of(study, "single_task").set_index("profile")
    ours = table.loc[study.profile]
    threads = {
        results.made(run)["environment"]["threads"] for run in phases.single_tasks(study).values()
    }
    assert ours.runs == ours.recorded == 9 and ours.live == ours["not run"] == 0 and threads == {1}
    assert ours["core hours"] == pytest.approx(ours["hours taken"]) and ours["core hours"] > 0
    rates = table["core hours"] / table["10^15 operations"]
    assert list(rates) == pytest.approx([rates.iloc[0]] * len(profiles.PROFILES))
    assert table["GPU hours"]["paper"] == pytest.approx(
        table["10^15 operations"]["paper"] / 0.1 / 3600
    )
    assert table.runs["paper"] > table.runs["small"] > 9 and not revisions.unasked


def test_a_plan_of_other_profiles_leaves_the_keys_of_rows_from_the_hub_alone(
    tiny_encoder, monkeypatch
):
    monkeypatch.setattr(revisions, "_asked", lambda *_: "c" * 40)
    study = profiles.study(
        "small", encoder=str(tiny_encoder), data="hub", targets="panx", intermediates="mnli"
    )  # of a branch

    def keys():
        return {key(run) for run in cost_tables.runs_of(study, "single_task")["single_task"]}

    data.fingerprint.cache_clear()
    before = keys()
    data.fingerprint.cache_clear()
    table = cost_tables.of(study, "single_task").set_index("profile")
    assert keys() == before and not revisions.unasked
    mini = cost_tables.runs_of(profiles.study("mini", data="mini"), "single_task")[
        "single_task"
    ]  # not the Hub's rows
    assert (
        table.runs["mini"] == len(mini)
        and table["10^15 operations"]["mini"] == cost_tables.operations(mini) / 1e15
    )
