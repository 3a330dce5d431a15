"""A run's folder as another machine, another user or a full disk may leave it: damage is named and
never read as a result."""

import contextlib
import errno
import json
import os
import random
import shutil
import time

import pandas as pd
import pytest
from limits import within_limits

from xstilts import data
from xstilts.errors import UserError
from xstilts.runs import artifact, failures, records, results, store
from xstilts.runs.key import Adapt, Base, Score, key
from xstilts.tools import inventory
from xstilts.training import checkpoint
from xstilts.training.recipe import Recipe

BASE = Base("e", "e")
RECIPE = Recipe(2, 0, 1, 1e-3, 16, 2)
RUN = Score(
    Adapt(BASE, ("mnli",), ("en",), RECIPE, 0, ("a",)),
    "xnli",
    ("en", "de"),
    RECIPE,
    2,
    "test",
    0,
    ("b",),
)
SCORES = pd.DataFrame(
    [
        {
            "task": "xnli",
            "language": language,
            "metric": "accuracy",
            "layer": -1,
            "split": "test",
            "value": value,
            "n": 4,
            "of": 4,
            "baseline": 33.25,
        }
        for language, value in (("en", 75.0), ("de", 50.0))
    ]
)
LOG = [
    {"step": 0, "dev": 33.0},
    {"step": 2, "steps": 2, "loss": 1.25, "learning_rate": 0.001, "seconds": 0.5},
    {"step": 2, "dev": 62.5},
]


@pytest.fixture
def root():
    """A store with one run."""
    with store.writing(store.default_root(), RUN) as folder:
        SCORES.to_csv(folder / "scores.csv", index=False)
        (folder / "log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in LOG))
    return store.default_root()


def state(root):
    """All that is in a store, with times: what a reader must leave as it is."""
    return {
        path: (os.lstat(path).st_mtime_ns, os.lstat(path).st_ino, os.lstat(path).st_mode)
        for path in (root, *root.rglob("*"))
    }


WRONG = {
    "a pipe": os.mkfifo,
    "a folder": os.mkdir,
    "a device": lambda path: os.symlink("/dev/zero", path),
    "a dead link": lambda path: os.symlink("nowhere", path),
    "a loop": lambda path: os.symlink(path, path),
    "a link": lambda path: os.symlink("/etc/hostname", path),
    "a linked folder": lambda path: os.symlink("/etc", path),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("name", ["run.json", "scores.csv", "added", ""])
def test_what_is_no_file_is_damage_with_its_name(root, name, what, capsys):
    path = store.folder_of(root, RUN) / name
    if path.exists():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    WRONG[what](path)
    before = state(root)
    assert store.find(root, RUN) is None and store.find(root, RUN) is None
    told = capsys.readouterr().out
    assert told.count("\n") == 1 and (name or "it is") in told
    listed = inventory.listed(root), inventory.verify(root)[0]
    assert what in ("a folder",) or name or not any(listed)  # a link is no artifact
    assert state(root) == before
    with store.writing(root, RUN) as folder:  # and is in nobody's way
        SCORES.to_csv(folder / "scores.csv", index=False)
    assert store.find(root, RUN)
    assert (
        name + what == "a folder" or len(list(root.glob(".damaged-*"))) == 1
    )  # nothing was in that one


def test_an_artifact_of_many_folders_and_circles_is_not_walked_for_ever(root):
    place = store.folder_of(root, RUN)
    for name in ("one", "other"):
        (place / name).symlink_to(".")
    began = time.monotonic()
    assert "is a link" in store.damaged(place) and time.monotonic() - began < 5


def test_a_look_at_a_store_changes_nothing(root):
    (store.folder_of(root, RUN) / "scores.csv").write_text("damaged")
    (root / f".writing-{key(BASE)}-elsewhere-1").mkdir()
    before = state(root)
    assert (
        inventory.listed(root)
        and inventory.verify(root)[1] == 1
        and inventory.superfluous(root, [])
    )
    assert (
        store.find(root, RUN) is None
        and store.find(root, BASE) is None
        and failures.known(root, RUN) is None
    )
    assert results.lost([RUN, BASE]).empty and list(
        results.scores({("a", "xnli", 0): RUN}).state
    ) == ["not run"]
    assert state(root) == before


def nest(depth, inner="1"):
    return "[" * depth + inner + "]" * depth


def manifests(draw, made):
    """A manifest that somebody changed: parts lost or of other types, nonsense numbers, keys twice,
    nested, cut, not text."""
    values = [
        None,
        True,
        0,
        -1,
        3.5,
        1e308,
        -1e308,
        "",
        "x",
        "\ud800",
        "\u202e",
        [],
        {},
        [1],
        {"a": 1},
        [[]],
        10**400,
        "9" * 99,
    ]
    made, kind = json.loads(json.dumps(made)), draw.randrange(9)
    place = draw.choice([made, made, made["environment"], made["sha256"]])
    name = draw.choice([*place])
    if kind == 0:
        del place[name]
    elif kind <= 3:
        place[name] = draw.choice(values)
    elif kind == 4:
        made["sha256"][
            draw.choice(
                ["../run.json", "/etc/passwd", "a\0b", "", ".", "./scores.csv", "nothing", "a//b"]
            )
        ] = "0" * 64
    text = json.dumps(made)
    if kind == 5:
        text = (
            f'{{"key": "x", {text[1:]}'
            if draw.random() < 0.5
            else text.replace('"n', '"sha256": {}, "n', 1)
        )
    elif kind == 6:
        text = text.replace(
            '"seconds": ',
            f'"seconds": {draw.choice(["NaN", "1e999", "-Infinity", nest(10**5), "9" * 5000])} , '
            '"_": ',
        )
    elif kind == 7:
        text = draw.choice([nest(10**5), '{"a":' * 10**5, "[]", "3", '"x"', "null", ""])
    content = text.encode(errors="surrogatepass")
    if kind == 8:
        content = damage(draw, content)
    return content


def damage(draw, content):
    """Bytes cut, flipped, repeated, put in."""
    at = draw.randrange(len(content))
    return draw.choice(
        [
            content[:at],
            content[at:],
            content[:at] + bytes([content[at] ^ 1 << draw.randrange(8)]) + content[at + 1 :],
            content + content[at:],
            content[:at] + b"\0" * 9 + content[at:],
            content[:at] + draw.randbytes(20),
        ]
    )


@pytest.mark.timeout(120)
def test_any_manifest_is_good_or_damaged(root, capsys):
    place, draw, refused = store.folder_of(root, RUN), random.Random(0), 0
    made = json.loads((place / "run.json").read_text())
    for _ in range(400):
        (place / "run.json").write_bytes(manifests(draw, made))
        store._verified.clear()
        with within_limits():
            found = store.find(root, RUN)
            assert inventory.listed(root)
        if found:  # what readers take from it can be used
            there = store.manifest(found)
            assert (
                there["key"] == key(RUN)
                and 0 <= there["seconds"] * there["environment"]["threads"] < 1e15
            )
            assert there["sha256"] == made["sha256"] and f"{there['label']} {there['written'][:10]}"
            assert list(results.scores({("a", "xnli", 0): RUN}).value) == [75.0, 50.0]
        refused += not found
    assert 200 < refused < 400


def files_of(draw, path):
    """A table or log that somebody changed."""
    content = path.read_bytes()
    cells = [
        b"NaN",
        b"inf",
        b"1e308",
        b"-3",
        b"=1+1",
        b"",
        b'"',
        b"101",
        b"x",
        b"\xff",
        b"{}",
        b"9" * 400,
        b"true",
        b"null",
        b"[[]]",
    ]
    if draw.random() < 0.5:
        return damage(draw, content)
    split = b"," if path.suffix == ".csv" else b" "
    parts = content.split(split)
    parts[draw.randrange(len(parts))] = draw.choice(cells)
    return split.join(parts)


@pytest.mark.timeout(200)
@pytest.mark.parametrize("name, count", [("scores.csv", 250), ("log.jsonl", 250)])
def test_a_changed_file_is_damage_and_with_a_checksum_of_its_own_is_read_or_refused(
    root, name, count
):
    place, draw, read = store.folder_of(root, RUN), random.Random(1), 0
    good, made = (place / name).read_bytes(), json.loads((place / "run.json").read_text())
    for _ in range(count):
        (place / name).write_bytes(good)
        changed = files_of(draw, place / name)
        (place / name).write_bytes(changed)
        (place / "run.json").write_text(json.dumps(made))
        store._verified.clear()
        assert changed == good or store.find(root, RUN) is None
        (place / "run.json").write_text(
            json.dumps(made | {"sha256": made["sha256"] | {name: artifact.sha256(place / name)}})
        )
        assert store.find(root, RUN)
        with within_limits(), contextlib.suppress(UserError):
            table = results.scores({("a", "xnli", 0): RUN})
            assert (
                table.value.dropna().between(0, 100.001).all()
                and (table.n >= 0).all()
                and table.language.map(type).eq(str).all()
            )
            if name == "log.jsonl":
                assert {"step"} <= {*results.history(RUN)} or results.history(RUN).empty
                last = records.dev(RUN, place)
                assert not last > 100.001 and not last < 0
            read += 1
    assert read < count


@pytest.mark.timeout(120)
def test_any_checkpoint_is_whole_or_none(tmp_path):
    import torch
    from safetensors.torch import save_file

    path, draw = tmp_path / checkpoint.FILE, random.Random(2)
    checkpoint.write(
        path, {"masters.0": torch.arange(6.0), "masters.1": torch.ones(2, 2)}, {"step": 3}
    )
    good = path.read_bytes()
    for _ in range(300):
        content = damage(draw, good)
        if draw.random() < 0.4:
            content = good.replace(
                *draw.choice(
                    [
                        (b"F32", b"BF1"),
                        (b'"F32"', b'"I64"'),
                        (b'"F32"', b'"BF16"'),
                        (b"sha256", b"sha255"),
                        (b"notes", b"motes"),
                        (b"[0,", b"[9,"),
                        (b"masters.0", b"masters.1"),
                        (b"step", b"stop"),
                        (b"F32", b"U32"),
                    ]
                )
            )
        path.write_bytes(content)
        with within_limits():
            assert content == good or checkpoint.read(path) is None
    ones, short = torch.ones(2), torch.ones(2, dtype=torch.bfloat16)
    for tensor, notes in (
        (short, "{}"),
        (ones, "[]"),
        (ones, "{}"),
        (ones, nest(10**5)),
        (ones, "x"),
    ):
        checksum = (
            "" if tensor.dtype == torch.bfloat16 else checkpoint._sha256({"a": tensor}, notes)
        )
        save_file({"a": tensor}, path, metadata={"notes": notes, "sha256": checksum})
        assert checkpoint.read(path) is None
    path.unlink()
    os.mkfifo(path)
    assert checkpoint.read(path) is None


def test_a_full_disk_is_told_and_leaves_nothing_that_looks_finished(root, monkeypatch, capsys):
    (root / "log.jsonl").symlink_to("/dev/full")
    store.report(root, "found", RUN)
    store.report(root, "found", RUN)
    told = capsys.readouterr().out
    assert told.count("log.jsonl is not written") == 1 and told.count("found") == 2
    (root / "log.jsonl").unlink()
    os.mkfifo(root / "log.jsonl")  # nobody reads it
    store.report(root, "found", RUN)
    (root / "log.jsonl").unlink()

    def half(path, text):
        path.write_bytes(text.encode()[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store.Path, "write_text", half)
    with pytest.raises(OSError, match="No space"), store.writing(root, BASE) as folder:
        (folder / "model.safetensors").write_bytes(b"weights")
    assert store.find(root, BASE) is None and not list(root.glob(".writing-*"))


@pytest.mark.parametrize("left", ["", "[1, 2", "[1, 2]", "0\n[9]", "\xff", "{}", "[" * 10**5])
def test_what_was_kept_is_made_anew_where_it_is_damaged(tmp_path, monkeypatch, left):
    monkeypatch.setenv("XSTILTS_CACHE", str(tmp_path))
    assert data.kept("words", lambda: ["a", "b"]) == ["a", "b"]
    path = next(path for path in tmp_path.iterdir() if path.suffix != ".lock")
    assert data.kept("words", lambda: pytest.fail("made again")) == ["a", "b"]
    content = path.read_text()
    for damage in (
        left,
        content[:-3],
        content.replace("a", "c", 1) if "a" in content.split("\n")[-1] else left,
    ):
        path.write_bytes(damage.encode("latin-1"))
        assert data.kept("words", lambda: ["a", "b"]) == ["a", "b"]
    path.unlink()
    path.mkdir()
    assert data.kept("words", lambda: ["c"]) == ["c"]  # cannot be kept, is told
