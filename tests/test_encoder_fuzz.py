"""Encoders' files with anything in them: read as what they say, or refused in words, at once and in
little memory."""

import copy
import json
import random
import shutil
import struct

import pytest
import torch
from families import SENTENCES
from limits import within_limits
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers.utils import logging

from xstilts import encoders
from xstilts.errors import UserError

logging.disable_progress_bar()
CASES = 200
ODD = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    7,
    10**6,
    10**9,
    10**12,
    -(10**9),
    10**30,
    0.5,
    -0.5,
    1e300,
    1e-300,
    float("nan"),
    float("inf"),
    "",
    "12",
    "gelu",
    "x" * 1000,
    "../../etc/passwd",
    "\x1b[2J",
    "\ud800",
    [],
    [1, 2],
    {},
    {"a": 1},
    [[]] * 50,
    {"": None},
]


@pytest.fixture(scope="module")
def whole(family_of):
    """An encoder's folder and what it makes of a few sentences."""
    folder = family_of("xlm-roberta")
    return folder, _computed(folder)


def _computed(folder):
    model, tokenizer = encoders.load(folder)
    encoders.check_length(model, tokenizer, 32)
    with torch.inference_mode():
        batch = tokenizer(
            SENTENCES[:2],
            padding=True,
            truncation=True,
            max_length=32,
            return_attention_mask=True,
            return_tensors="pt",
        )
        return model(batch["input_ids"], batch["attention_mask"]).last_hidden_state


def _tried(whole, folder):
    """True if it was read, False if refused in words. What is read has another fingerprint, or
    computes the same."""
    with within_limits():
        try:
            name = encoders.fingerprint(folder)
            found = _computed(folder)
            assert name != encoders.fingerprint(whole[0]) or torch.equal(found, whole[1])
            return True
        except UserError as error:
            assert str(error) and "\x1b" not in str(error)
            return False


def _copy(whole, place):
    """Links but for what is changed: a copy of each of hundreds would take longer than the test."""
    place.mkdir()
    for path in whole[0].iterdir():
        (place / path.name).symlink_to(path)
    return place


def _write(path, content):
    path.unlink()
    path.write_bytes(content)


def _places(value, at=()):
    """Where something stands in JSON; of long lists the first and last."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, part in items:
        if isinstance(value, dict) or key < 3 or key > len(value) - 3:
            yield (*at, key)
            yield from _places(part, (*at, key))


def _changed(draw, value):
    """One to three values of it are others, gone, or doubled in depth."""
    value = copy.deepcopy(value)
    for _ in range(draw.choice((1, 1, 2, 3))):
        place = draw.choice(list(_places(value)) or [()])
        part = value
        try:
            for key in place[:-1]:
                part = part[key]
            if draw.random() < 0.2:
                del part[place[-1]]
            else:
                part[place[-1]] = draw.choice(ODD)
        except (KeyError, IndexError, TypeError):  # the change before took it away
            continue
    return value


def _damaged(draw, content):
    """Cut short, bits turned, or bytes put in."""
    content = bytearray(content)
    kind, at = draw.randrange(4), draw.randrange(len(content) + 1)
    if kind == 0:
        return bytes(content[:at])
    if kind == 1 and content:
        content[at - 1] ^= 1 << draw.randrange(8)
    elif kind == 2:
        content[at:at] = draw.randbytes(draw.randrange(1, 20))
    else:
        content[at:at] = draw.choice(
            [
                b"[" * 100_000,
                b'{"a":' * 50_000,
                b"\xff\xfe",
                b"null",
                b"NaN",
                b"-1e999",
                b'"\\ud800"',
            ]
        )
    return bytes(content)


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "tokenizer_config.json"])
def test_json_with_anything_in_it(whole, tmp_path, file):
    draw, original, read = random.Random(file), (whole[0] / file).read_bytes(), 0
    for number in range(CASES):
        folder = _copy(whole, tmp_path / str(number))
        _write(
            folder / file,
            _damaged(draw, original)
            if number % 3 == 0
            else json.dumps(_changed(draw, json.loads(original))).encode(),
        )
        read += _tried(whole, folder)
        shutil.rmtree(folder)
    assert 0 < read < CASES


def test_safetensors_with_anything_in_them(whole, tmp_path):
    draw, original, read = random.Random(1), (whole[0] / "model.safetensors").read_bytes(), 0
    length = struct.unpack("<Q", original[:8])[0]
    header = json.loads(original[8 : 8 + length])
    for number in range(CASES):
        folder = _copy(whole, tmp_path / str(number))
        if number % 2:
            content = _damaged(draw, original)
        else:
            text = json.dumps(_changed(draw, header)).encode()
            content = (
                struct.pack("<Q", draw.choice([len(text)] * 8 + [len(text) + 8, 2**63]))
                + text
                + original[8 + length :]
            )
        _write(folder / "model.safetensors", content)
        read += _tried(whole, folder)
        shutil.rmtree(folder)
    assert 0 < read < CASES


def test_an_index_with_anything_in_it(whole, tmp_path):
    """Of two files, whose index has other names, other places, or other things in it; and the files
    themselves."""
    draw, read = random.Random(2), 0
    weights = load_file(whole[0] / "model.safetensors")
    names = sorted(weights)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    index = {
        "metadata": {"total_size": 1},
        "weight_map": {name: file for file, some in parts.items() for name in some},
    }
    split = tmp_path / "split"
    split.mkdir()
    for path in whole[0].iterdir():
        if path.name != "model.safetensors":
            shutil.copy(path, split)
    for file, some in parts.items():
        save_file({name: weights[name] for name in some}, split / file, metadata={"format": "pt"})
    (split / "model.safetensors.index.json").write_text(json.dumps(index))
    whole = split, whole[1]
    assert torch.equal(_computed(split), whole[1])
    for number in range(CASES):
        folder = _copy(whole, tmp_path / str(number))
        file = draw.choice(["model.safetensors.index.json"] * 4 + list(parts))
        original = (split / file).read_bytes()
        if file in parts and draw.random() < 0.5:  # with a tensor of the other's
            with safe_open(split / file, "pt") as opened:
                known = opened.keys()
                there = {name: opened.get_tensor(name) for name in known}
            name = draw.choice(names)
            (folder / file).unlink()
            save_file(
                there | {name: torch.zeros_like(weights[name])},
                folder / file,
                metadata={"format": "pt"},
            )
        elif file in parts or draw.random() < 0.2:
            _write(folder / file, _damaged(draw, original))
        else:
            changed = _changed(draw, index)
            if isinstance(changed.get("weight_map"), dict) and draw.random() < 0.5:
                changed["weight_map"][draw.choice(names)] = draw.choice(
                    [*parts, "../split/a.safetensors", "/dev/zero", "c\0"]
                )
            _write(folder / file, json.dumps(changed).encode())
        read += _tried(whole, folder)
        shutil.rmtree(folder)
    assert 0 < read < CASES
