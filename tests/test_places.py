"""A store where it cannot be: a file, a device, links in a circle; one that others own, or that
nobody may write."""

import multiprocessing
import os
import re
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from xstilts import cli
from xstilts.errors import UserError
from xstilts.runs import results, store
from xstilts.runs.key import Base, key
from xstilts.study import graph
from xstilts.tools import inventory

RUN, OTHER = Base("e", "e"), Base("f", "f")
NOBODY = 65534
APART = multiprocessing.get_context("forkserver")
APART.set_forkserver_preload(["xstilts.study.graph", "xstilts.tools.inventory"])


@pytest.fixture
def root():
    """A store with one run, where another user can come."""
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        root = Path(place) / "store"
        with store.writing(root, RUN) as folder:
            (folder / "model.safetensors").write_bytes(b"weights")
        yield root
        for path in (root, *root.rglob("*")):
            os.chmod(path, 0o755)


def apart(out, look, root):
    """As another user, where we may become one: for root every place can be written."""
    with open(out, "w") as sys.stdout:
        if not os.getuid():
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        look(root)


def as_another(look, root, out):
    """What it printed, and whether it ended well."""
    process = APART.Process(target=apart, args=(out, look, root))
    process.start()
    process.join(60)
    return out.read_text(), process.exitcode == 0


def read_all(root):
    assert store.find(root, RUN) and set(graph.compute([RUN], root)) == {key(RUN)}
    assert inventory.listed(root) and inventory.verify(root) == ([], 0)
    inventory.superfluous(root, [RUN, OTHER])
    assert results.made(RUN, root)["label"] == "e" and store.find(root, OTHER) is None


def read_and_compute(root):
    read_all(root)
    for attempt in (
        lambda: graph.compute([OTHER], root),
        lambda: store.writing(root, OTHER).__enter__(),
        lambda: inventory.remove(root, store.folder_of(root, RUN)),
    ):
        try:
            attempt()
        except UserError as error:
            print(error)
        else:
            raise AssertionError("it was written")


def refused(root):
    try:
        store.find(root, RUN)
    except UserError as error:
        print(error)


@pytest.mark.parametrize("mode", [0o555, 0o755])
def test_a_store_that_cannot_be_written_is_read_as_it_is(root, tmp_path, mode):
    if mode == 0o755 and os.getuid():
        pytest.skip("only root can become another user")
    (root / ".locks").mkdir()
    (root / ".locks" / f"{key(OTHER)}.lock").touch()
    os.chmod(root / ".locks" / f"{key(OTHER)}.lock", 0o444)
    for path in (root / ".locks", store.folder_of(root, RUN), root):
        os.chmod(path, mode)
    before = {
        path: (os.lstat(path).st_mtime_ns, os.lstat(path).st_ino)
        for path in (root, *root.rglob("*"))
    }
    told, well = as_another(read_and_compute, root, tmp_path / "told")
    assert well and told.count("log.jsonl is not written: Permission denied") == 1
    assert (
        len(
            re.findall(
                "the store .* cannot be written: .*Permission denied.* set XSTILTS_STORE to", told
            )
        )
        == 2
    )
    assert "cannot be removed: Permission denied" in told
    assert {
        path: (os.lstat(path).st_mtime_ns, os.lstat(path).st_ino)
        for path in (root, *root.rglob("*"))
    } == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("closed", ["", "run.json", "model.safetensors"])
def test_what_this_user_may_not_read_is_not_taken_for_damage(root, tmp_path, closed):
    os.chmod(store.folder_of(root, RUN) / closed, 0o000)
    told, well = as_another(refused, root, tmp_path / "told")
    assert well and "this user may not read it. Ask its owner" in told
    os.chmod(store.folder_of(root, RUN) / closed, 0o755)
    assert store.find(root, RUN)


@pytest.mark.parametrize("umask", [0o002, 0o022, 0o077])
def test_files_have_the_modes_that_the_umask_says(tmp_path, umask):
    import torch
    from safetensors.torch import save_file

    from xstilts.training import checkpoint

    before = os.umask(umask)
    try:
        with store.writing(tmp_path / "store", RUN) as folder:
            save_file({"a": torch.ones(2)}, folder / "model.safetensors")
            checkpoint.write(folder / checkpoint.FILE, {"a": torch.ones(2)}, {})
            assert stat.S_IMODE((folder / checkpoint.FILE).stat().st_mode) == 0o666 & ~umask
            (folder / "scores.csv").write_text("x")
        with store.lock(tmp_path / "store", RUN):
            store.report(tmp_path / "store", "found", RUN)
    finally:
        os.umask(before)
    found = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "store").rglob("*")}
    assert len(found) == 7 and all(
        mode == (0o777 if path.is_dir() else 0o666) & ~umask for path, mode in found.items()
    )


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_reads_what_the_umask_lets_him(root, tmp_path):
    import torch
    from safetensors.torch import save_file

    with store.writing(root, OTHER) as folder:
        save_file({"a": torch.ones(2)}, folder / "model.safetensors")
    told, well = as_another(read_other, root, tmp_path / "told")
    assert well and "a" in told


def read_other(root):
    from safetensors.torch import load_file

    print(*load_file(store.find(root, OTHER) / "model.safetensors"))


@pytest.mark.parametrize(
    "place",
    ["/dev/null", "/dev/null/store", "{file}", "{file}/store", "{loop}", "~nobody-of-this-name/x"],
)
@pytest.mark.parametrize(
    "verb", [["store", "list"], ["store", "verify"], ["compute", "single_task"]]
)
def test_a_store_that_is_no_folder_is_refused_in_words(tmp_path, monkeypatch, capsys, place, verb):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    monkeypatch.setenv(
        "XSTILTS_STORE", place.format(file=tmp_path / "file", loop=tmp_path / "loop")
    )
    assert cli.main(verb) and re.search(
        "the store .* cannot be used: .*Set XSTILTS_STORE to a folder", capsys.readouterr().err
    )
