"""Two stores with nothing in common but a remote place."""
import json

import fsspec
import pytest

from xstilts import profiles, results, store, study as graph
from xstilts.spec import UserError, key


@pytest.fixture
def study(tiny_encoder):
    return profiles.study(encoder=str(tiny_encoder), intermediates="mnli", targets="udpos", languages="en", phase1_steps=2,
                          phase2_steps=2, phase3_steps=2, phase1_rows=10, phase2_rows=10, phase3_rows=10, eval_rows=6,
                          max_length=64, scheduler="local", vocabulary="full")


def events(root):
    return [line["event"] for line in map(json.loads, (root / "log.jsonl").read_text().splitlines())]


def test_what_one_store_computed_another_finds(study, tmp_path, monkeypatch):
    monkeypatch.setenv("XSTILTS_REMOTE", f"memory://{tmp_path.name}/artifacts")
    run = graph.phase3(study, graph.phase1(study), "udpos", 0)
    graph.compute([run], tmp_path / "one")
    assert events(tmp_path / "one") == ["computed"] * 3
    folders = graph.compute([run], tmp_path / "two")
    assert events(tmp_path / "two") == ["found"]
    assert (folders[key(run)] / "scores.csv").read_bytes() == (tmp_path / "one" / key(run) / "scores.csv").read_bytes()
    graph.compute([graph.phase2(study, ("mnli",), 0)], tmp_path / "two")      # phase 1, its parent, comes from there, too
    assert events(tmp_path / "two") == ["found", "computed"]
    assert not list((tmp_path / "two").glob(".pulling*"))


def test_half_an_artifact_is_none_and_a_damaged_one_is_computed_again(study, tmp_path, monkeypatch):
    monkeypatch.setenv("XSTILTS_REMOTE", f"memory://{tmp_path.name}/half")
    run = graph.base(study)
    graph.compute([run], tmp_path / "one")
    system = fsspec.filesystem("memory")
    folder = f"/{tmp_path.name}/half/{key(run)}"
    manifest = system.cat(f"{folder}/run.json")
    system.rm(f"{folder}/run.json")
    assert store.find(tmp_path / "two", run) is None
    system.pipe(f"{folder}/run.json", manifest)
    system.pipe(f"{folder}/config.json", b"{}")
    (tmp_path / "three").mkdir()
    graph.compute([run], tmp_path / "three")
    found = events(tmp_path / "three")
    assert set(found[:-1]) == {"damaged"} and found[-1] == "computed"
    assert store.find(tmp_path / "four", run)      # and is whole again at the remote, too


def test_a_place_that_nobody_knows_is_refused(study, tmp_path, monkeypatch):
    monkeypatch.setenv("XSTILTS_REMOTE", "nowhere://x")
    with pytest.raises(UserError, match="XSTILTS_REMOTE: cannot use 'nowhere://x'"):
        store.find(tmp_path, graph.base(study))


def test_a_run_that_cannot_be_pushed_is_done_and_pushed_the_next_time(study, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XSTILTS_REMOTE", f"memory://{tmp_path.name}/later")
    run = graph.phase3(study, graph.phase1(study), "udpos", 0)

    def refused(*others, **more):
        raise PermissionError("read-only")

    with monkeypatch.context() as patch:
        patch.setattr(fsspec.get_filesystem_class("memory"), "put_file", refused)
        assert graph.compute([run], tmp_path / "one") and results.lost([run], tmp_path / "one").empty
        assert events(tmp_path / "one") == ["unshared", "computed"] * 3
        assert "XSTILTS_REMOTE: read-only; the run is kept here" in capsys.readouterr().out
        assert graph.compute([run], tmp_path / "one")
        assert events(tmp_path / "one")[6:] == ["found", "unshared"]      # said once, not for each run
    assert store.find(tmp_path / "two", run) is None
    graph.obtain(study, {("none", "udpos", 0): run}, tmp_path / "one")     # as a chapter does
    assert store.find(tmp_path / "two", run) and events(tmp_path / "one")[8:] == []


def test_what_was_done_before_there_was_a_remote_is_pushed_with_what_it_starts_from(study, tmp_path, monkeypatch):
    run = graph.phase1(study)
    graph.compute([run], tmp_path / "one")
    monkeypatch.setenv("XSTILTS_REMOTE", f"memory://{tmp_path.name}/before")
    graph.compute([run], tmp_path / "one")
    assert all(store.find(tmp_path / "two", step) for step in graph.line(run))
    system, pushed = fsspec.filesystem("memory"), []
    monkeypatch.setattr(type(system), "put_file", lambda *others, **more: pushed.append(others))
    graph.compute([run], tmp_path / "one")
    assert not pushed      # it is there
