"""Two stores with nothing in common but a remote place."""

import json
import os
import traceback

import fsspec
import pytest

from xstilts.errors import UserError
from xstilts.runs import remote, results, store
from xstilts.runs.key import Base, key, line
from xstilts.study import graph, phases, profiles


@pytest.fixture
def study(tiny_encoder):
    return profiles.study(
        encoder=str(tiny_encoder),
        intermediates="mnli",
        targets="udpos",
        languages="en",
        phase1_steps=2,
        phase2_steps=2,
        phase3_steps=2,
        phase1_rows=10,
        phase2_rows=10,
        phase3_rows=10,
        eval_rows=6,
        max_length=64,
        scheduler="local",
        vocabulary="full",
    )


def events(root):
    return [
        line["event"] for line in map(json.loads, (root / "log.jsonl").read_text().splitlines())
    ]


def test_what_one_store_computed_another_finds(study, tmp_path, monkeypatch):
    monkeypatch.setenv("XSTILTS_REMOTE", f"memory://{tmp_path.name}/artifacts")
    run = phases.phase3(study, phases.phase1(study), "udpos", 0)
    graph.compute([run], tmp_path / "one")
    assert events(tmp_path / "one") == ["computed"] * 4 + ["removed"]
    assert store.find(tmp_path / "two", run.encoder) is None  # there, too
    folders = graph.compute([run], tmp_path / "two")
    assert events(tmp_path / "two") == ["found"]
    assert (folders[key(run)] / "scores.csv").read_bytes() == (
        tmp_path / "one" / key(run) / "scores.csv"
    ).read_bytes()
    graph.compute(
        [phases.phase2(study, ("mnli",), 0)], tmp_path / "two"
    )  # phase 1, its parent, comes from there, too
    assert events(tmp_path / "two") == ["found", "computed"]
    assert not list((tmp_path / "two").glob(".pulling*"))


def test_half_an_artifact_is_none_and_a_damaged_one_is_computed_again(study, tmp_path, monkeypatch):
    monkeypatch.setenv("XSTILTS_REMOTE", f"memory://{tmp_path.name}/half")
    run = phases.base(study)
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
    assert store.find(tmp_path / "four", run)  # and is whole again at the remote, too


def test_a_place_that_nobody_knows_is_refused(study, tmp_path, monkeypatch):
    monkeypatch.setenv("XSTILTS_REMOTE", "nowhere://x")
    with pytest.raises(UserError, match="XSTILTS_REMOTE: cannot use 'nowhere://x'"):
        store.find(tmp_path, phases.base(study))


def test_a_run_that_cannot_be_pushed_is_done_and_pushed_the_next_time(
    study, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("XSTILTS_REMOTE", f"memory://{tmp_path.name}/later")
    run = phases.phase3(study, phases.phase1(study), "udpos", 0)

    def refused(*others, **more):
        raise PermissionError("read-only")

    with monkeypatch.context() as patch:
        patch.setattr(fsspec.get_filesystem_class("memory"), "put_file", refused)
        assert (
            graph.compute([run], tmp_path / "one") and results.lost([run], tmp_path / "one").empty
        )
        told = ["unshared", "computed"]  # the training twice: its score looks for it again
        assert events(tmp_path / "one") == told * 3 + ["unshared", *told, "removed"]
        assert "XSTILTS_REMOTE: read-only; the run is kept here" in capsys.readouterr().out
        assert graph.compute([run], tmp_path / "one")
        assert events(tmp_path / "one")[10:] == ["found", "unshared"]  # said once, not for each run
    assert store.find(tmp_path / "two", run) is None
    graph.obtain(study, {("none", "udpos", 0): run}, tmp_path / "one")  # as a chapter does
    assert store.find(tmp_path / "two", run) and events(tmp_path / "one")[12:] == []


def test_what_was_done_before_there_was_a_remote_is_pushed_with_what_it_starts_from(
    study, tmp_path, monkeypatch
):
    run = phases.phase1(study)
    graph.compute([run], tmp_path / "one")
    monkeypatch.setenv("XSTILTS_REMOTE", f"memory://{tmp_path.name}/before")
    graph.compute([run], tmp_path / "one")
    assert all(store.find(tmp_path / "two", step) for step in line(run))
    system, pushed = fsspec.filesystem("memory"), []
    monkeypatch.setattr(type(system), "put_file", lambda *others, **more: pushed.append(others))
    graph.compute([run], tmp_path / "one")
    assert not pushed  # it is there


RUN = Base("e", "e")


def filled(root):
    """A store with one run, made without an encoder."""
    with store.writing(root, RUN) as folder:
        (folder / "scores.csv").write_text("a score")
    return root


@pytest.mark.parametrize(
    "spelled",
    [
        "{store}",
        "file://{store}",
        "local://{store}",
        "{store}/",
        "{link}",
        "{link}/../link",
        "store",
        "{store}/within",
        "{store}/within/deeper",
        "{tmp}",
        "file://{tmp}",
        "/",
        "file:///",
    ],
)
def test_the_store_itself_is_no_remote(tmp_path, monkeypatch, spelled):
    root = filled(tmp_path / "store")
    (tmp_path / "link").symlink_to(root)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(
        "XSTILTS_REMOTE", spelled.format(store=root, link=tmp_path / "link", tmp=tmp_path)
    )
    for look in (
        lambda: remote.share(root, RUN, anew=True),
        lambda: store.find(root, Base("f", "f")),
    ):
        with pytest.raises(UserError, match="is the store .* itself, within it, or around it"):
            look()
    assert store.find(root, RUN)


def test_what_is_the_store_by_a_path_that_nobody_sees_loses_nothing(tmp_path, monkeypatch):
    root = filled(tmp_path / "store")
    monkeypatch.setenv("XSTILTS_REMOTE", root.as_uri())
    monkeypatch.setattr(
        remote, "_overlap", lambda *others: False
    )  # a mount, a server on this machine
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    remote.share(root, RUN, anew=True)
    assert (
        before.items()
        <= {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}.items()
    )


URLS = [
    "ftp://ann:{0}@127.0.0.1:1/x",
    "nowhere://ann:{0}@host/x",
    "nowhere::ftp://ann:{0}@127.0.0.1:1/x",
    "ftp://{0}@127.0.0.1:1/x",
    "ftp://ann:a{0}/b@127.0.0.1:1/x",
    "ftp://ann:a?{0}@127.0.0.1:1/x",
    "nowhere://host/x?sig={0}",
    "ftp://ann:{0}%40@127.0.0.1:port/x",
    "ftp://127.0.0.1:{0}@/x",
]


@pytest.mark.parametrize("url", URLS)
def test_a_password_is_never_shown(tmp_path, monkeypatch, capsys, caplog, url):
    root, secret = filled(tmp_path / "store"), "Xq7secretZ"
    monkeypatch.setenv("XSTILTS_REMOTE", url.format(secret))
    told = []
    for attempt in (
        lambda: store.find(root, Base("f", "f")),
        lambda: remote.share(root, RUN, anew=True),
        lambda: remote.share_found(root, [RUN]),
    ):
        try:
            attempt()
        except UserError as error:
            while error:
                told.append(repr(error) + "".join(traceback.format_exception(error)))
                error = error.__cause__ or error.__context__
    told += [
        *capsys.readouterr(),
        caplog.text,
        *(path.read_text() for path in root.rglob("*.json*")),
    ]
    assert "XSTILTS_REMOTE" in "".join(told) and "7secret" not in "".join(told)


class Down(fsspec.get_filesystem_class("memory")):
    """Answers nothing, and says so with the password that it was given."""

    asked = 0

    def info(self, path, **more):
        type(self).asked += 1
        raise ConnectionError(f"no route to {os.environ['XSTILTS_REMOTE']}")

    put_file = pipe_file = cat_file = info


def test_without_an_answer_what_is_here_is_read_and_what_was_computed_is_kept(
    study, tmp_path, monkeypatch, capsys
):
    root, run = tmp_path / "one", phases.base(study)
    monkeypatch.setenv("XSTILTS_REMOTE", "down://ann:Xq7secretZ@host/x")
    fsspec.register_implementation("down", Down, clobber=True)
    scores = phases.phase3(study, run, "udpos", 0)
    for _ in range(3):
        assert not results.has(scores, root)
    assert Down.asked == 1  # it is left alone for a while
    out = capsys.readouterr().out
    assert (
        out.count("\n") == 1
        and "down://***@host/x cannot be read" in out
        and "going on with what is here" in out
    )
    assert graph.compute([run], root) and store.find(root, run)
    out = capsys.readouterr().out
    assert "unshared" in out and "the run is kept here" in out and "secret" not in out


def test_a_damaged_artifact_of_the_remote_is_looked_at_once(tmp_path, monkeypatch, capsys):
    away = filled(tmp_path / "away")
    there = away / key(RUN)
    (there / "scores.csv").write_text("another")
    monkeypatch.setenv("XSTILTS_REMOTE", away.as_uri())
    root = tmp_path / "store"
    for _ in range(5):
        assert store.find(root, RUN) is None
    assert len(list(root.glob(".damaged-*"))) == 1 and events(root) == ["damaged"]
    (there / "scores.csv").write_text("a score")  # mended there
    assert store.find(root, RUN)


def lay(path, what):
    path.unlink()
    {
        "a pipe": lambda: os.mkfifo(path),
        "a folder": path.mkdir,
        "a dead link": lambda: path.symlink_to("nowhere"),
        "a link": lambda: path.symlink_to("/etc/hostname"),
        "a device": lambda: path.symlink_to("/dev/zero"),
        "nothing": lambda: None,
    }[what]()


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "what", ["a pipe", "a folder", "a dead link", "a link", "a device", "nothing"]
)
@pytest.mark.parametrize("name", ["run.json", "scores.csv"])
def test_what_is_no_file_there_is_not_copied(tmp_path, monkeypatch, name, what):
    away = filled(tmp_path / "away")
    lay(away / key(RUN) / name, what)
    monkeypatch.setenv("XSTILTS_REMOTE", away.as_uri())
    assert store.find(tmp_path / "store", RUN) is None
    assert not list((tmp_path / "store").glob("[0-9a-f]*"))
