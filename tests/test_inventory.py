"""xstilts store: damage is found, everything is listed, and only what no chapter needs is removed,
after a dry run."""

import json

import pytest
from filelock import FileLock

from xstilts import cli
from xstilts.chapters import needed
from xstilts.errors import UserError
from xstilts.runs import store
from xstilts.runs.key import Base, key
from xstilts.study import profiles
from xstilts.tools import inventory
from xstilts.training import checkpoint

PARAMETERS = [
    "-p",
    "targets",
    "xnli",
    "-p",
    "languages",
    "en",
    "-p",
    "intermediates",
    "mnli",
    "-p",
    "encoder",
]


def artifact(root, run):
    with store.writing(root, run) as folder:
        (folder / "model.safetensors").write_bytes(b"weights")
    return store.folder_of(root, run)


@pytest.fixture
def filled(tiny_encoder):
    """(root, needed, not needed, parameters of the book)"""
    root, parameters = store.default_root(), [*PARAMETERS, str(tiny_encoder)]
    study = profiles.study(
        encoder=str(tiny_encoder), targets="xnli", languages="en", intermediates="mnli"
    )
    runs = needed.needed("", study)
    (root / ".locks").mkdir(parents=True)
    return root, artifact(root, runs[0]), artifact(root, Base("other", "other")), parameters


def test_a_changed_lost_or_foreign_file_is_found(filled, capsys):
    root, one, other, _ = filled
    assert cli.main(["store", "verify"]) == 0 and "2 artifacts" in capsys.readouterr().out
    (one / "model.safetensors").write_bytes(b"Weights")
    (other / "model.safetensors").unlink()
    store._verified.clear()
    assert cli.main(["store", "verify"]) == 1
    out = capsys.readouterr().out
    assert (
        f"{one.name}  model.safetensors has changed" in out
        and f"{other.name}  model.safetensors is missing" in out
    )
    assert one.is_dir()  # verifying removes nothing
    for text, reason in (
        (f'{{"sha256": {{"../../etc/passwd": "x"}}, "key": "{one.name}"}}', "not in the folder"),
        ("[]", "not readable"),
        ('{"sha256": 3}', "not readable"),
        (f'{{"sha256": {{}}, "key": "{other.name}"}}', f"the artifact of '{other.name}'"),
        (f'{{"sha256": {{}}, "key": "{one.name}"}}', "model.safetensors was added"),
    ):
        (one / store.MANIFEST).write_text(text)
        assert reason in store.damaged(one)


def test_the_list_names_every_folder(filled, capsys):
    root, one, other, _ = filled
    (other / store.MANIFEST).write_text("{")
    (root / f".writing-{one.name}-17").mkdir()
    assert cli.main(["store", "list"]) == 0
    out = capsys.readouterr().out
    assert (
        one.name in out
        and "text" in out
        and "not readable" in out
        and f".writing-{one.name}-17" in out
    )


def test_cleaning_is_tried_first_and_takes_only_what_nobody_needs(filled, capsys):
    root, one, other, parameters = filled
    for name in (f".writing-{one.name}-1", f".writing-{other.name}-1", f".damaged-{one.name}-2"):
        (root / name).mkdir()
        (root / name / checkpoint.FILE).write_bytes(b"x")
    for name in ("notes", "0123", ".writing-mine"):  # not the store's
        (root / name).mkdir()
    before = sorted(path.name for path in root.iterdir())
    assert cli.main(["store", "clean", *parameters]) == 0
    assert (
        "3 folders" in capsys.readouterr().out
        and sorted(path.name for path in root.iterdir()) == before
    )
    assert cli.main(["store", "clean", "--yes", *parameters]) == 0
    gone = set(before) - {path.name for path in root.iterdir()}
    assert gone == {other.name, f".writing-{other.name}-1", f".damaged-{one.name}-2"}


def test_a_run_that_somebody_is_at_is_left_alone(filled):
    root, one, other, _ = filled
    with FileLock(root / ".locks" / f"{other.name}.lock"):
        assert inventory.superfluous(root, []) == [(one, "nothing refers to it")]
    assert len(inventory.superfluous(root, [])) == 2


@pytest.mark.parametrize("how", ["system", "lease"])
def test_what_a_process_is_at_is_not_removed(filled, monkeypatch, capsys, how):
    root, one, other, parameters = filled
    monkeypatch.setattr(inventory, "busy", lambda root, name: False)  # it came to it a moment later
    with store.locked(root, other.name, how):
        with pytest.raises(UserError, match=f"{other.name}: a process is at this run, so it stays"):
            inventory.remove(root, other)
        assert cli.main(["store", "clean", "--yes", *parameters]) == 0
    assert "0 folders" in capsys.readouterr().out and other.is_dir()
    inventory.remove(root, other)
    assert not other.exists() and not list(root.glob(".removing-*"))


def test_a_link_is_no_artifact(filled, tmp_path):
    root, *_ = filled
    (tmp_path / "elsewhere").mkdir()
    (root / ("a" * 20)).symlink_to(tmp_path / "elsewhere")
    assert "a" * 20 not in {folder.name for folder in inventory.artifacts(root)}


def test_the_manifest_says_what_was_run(filled):
    root, one, *_ = filled
    assert json.loads((one / store.MANIFEST).read_text())["key"] == one.name
    assert key(Base("other", "other")) in {folder.name for folder in inventory.artifacts(root)}
