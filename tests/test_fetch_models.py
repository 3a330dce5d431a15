"""Models in a fetched folder: whole, checked by the Hub's checksums, revisions apart."""

import io
import json
import tempfile
from functools import lru_cache
from pathlib import Path

import hub_server
import pytest
import torch
from families import tiny_config, tiny_tokenizer
from test_tasks import SMALL
from transformers import AutoModel

from xstilts import cli, encoders, revisions
from xstilts.errors import UserError
from xstilts.study import profiles
from xstilts.tools import fetch


def study():
    return profiles.study("small", **SMALL | dict(data="hub"))


@lru_cache(maxsize=4)
def model_files(pickled: bool = False, seed: int = 0) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as place:
        tokenizer = tiny_tokenizer("bert")
        torch.manual_seed(seed)
        model = AutoModel.from_config(tiny_config("bert", len(tokenizer)))
        encoders.save(model, tokenizer, place)
        if pickled:
            (Path(place) / "model.safetensors").unlink()
            torch.save(model.state_dict(), Path(place) / "pytorch_model.bin")
        return {path.name: path.read_bytes() for path in Path(place).iterdir()}


def fetched(folder, *models):
    revisions._asked.cache_clear()
    return fetch.fetch(folder, study(), models, models_only=True)


def test_a_model_without_safetensors_gets_them(server, tmp_path, capsys):
    """And the weights are read for tensors only: a pickle with code in it is refused."""
    name = "microsoft/Multilingual-MiniLM-L12-H384"
    server.add("model", name, model_files(pickled=True), encoders.REVISIONS[name])
    assert (
        cli.main(
            ["fetch", str(tmp_path), "--profile", "small", "--models-only", "--model", "minilm"]
        )
        == 0
    )
    place = tmp_path / "models" / name
    assert not (place / "pytorch_model.bin").exists()
    assert encoders.load(place)[0].config.num_hidden_layers == 3
    entry = json.loads((tmp_path / "fetched.json").read_text())[f"models/{name}/model.safetensors"]
    assert (
        entry["checked"].startswith("made of pytorch_model.bin, sha256 ")
        and entry["commit"] == encoders.REVISIONS[name]
    )
    assert (
        cli.main(["fetch", str(tmp_path), "--verify"]) == 0
        and "as it was fetched" in capsys.readouterr().out
    )
    server.add("model", "org/none", {"config.json": b"{}"})
    with pytest.raises(
        UserError, match="'org/none' has neither safetensors nor a single pytorch_model.bin"
    ):
        fetched(tmp_path, "org/none")
    pickled = io.BytesIO()
    torch.save({"code": print}, pickled)
    server.add("model", "org/code", {"config.json": b"{}", "pytorch_model.bin": pickled.getvalue()})
    with pytest.raises(UserError, match="holds other things than tensors"):
        fetched(tmp_path, "org/code")
    assert not (tmp_path / "models" / "org" / "code").exists()


def test_an_interrupted_conversion_is_done_anew(server, tmp_path, monkeypatch):
    server.add("model", "org/bin", model_files(pickled=True))

    def interrupted(folder):
        (folder / "model.safetensors").write_bytes(b"half of it")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(encoders, "bin_to_safetensors", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetched(tmp_path, "org/bin")
    assert not (tmp_path / "models" / "org" / "bin").exists()  # what is not whole is not there
    fetched(tmp_path, "org/bin")
    place = tmp_path / "models" / "org" / "bin"
    assert encoders.load(place) and fetch.verify(tmp_path) == []
    # a folder of before the Hub's checksums were looked at: the half that a manifest calls whole is
    # not believed
    (place / "model.safetensors").write_bytes(b"half of it")
    manifest = json.loads((tmp_path / "fetched.json").read_text())
    for file, entry in manifest.items():
        entry.pop("checked")
        entry["sha256"] = fetch.sha256(tmp_path / file)
    (tmp_path / "fetched.json").write_text(json.dumps(manifest))
    assert fetch.verify(tmp_path) == []
    fetched(tmp_path, "org/bin")
    assert encoders.load(place)


def test_a_damaged_copy_is_made_whole_and_a_whole_one_is_not_asked_for_again(
    server, tmp_path, capsys
):
    files = model_files()
    server.add("model", "org/one", files)
    fetched(tmp_path, "org/one")
    place, asked = tmp_path / "models" / "org" / "one", len(server.asked)
    assert {path.name for path in place.iterdir()} == set(files) - {"README.md"}
    fetched(tmp_path, "org/one")
    assert len(server.asked) == asked + 1  # what commit the branch is
    for damaged in ("config.json", "model.safetensors"):
        (place / damaged).write_bytes(files[damaged][:-2] + b"\0\0")
        server.asked.clear()
        fetched(tmp_path, "org/one")
        assert (place / damaged).read_bytes() == files[damaged] and fetch.verify(tmp_path) == []
        assert (
            sum("GET" in line and "/resolve/" in line or "/large/" in line for line in server.asked)
            <= 2
        )  # that one alone
    assert "replaced models/org/one: it was not as the Hub has it" in capsys.readouterr().out
    # what comes is checked, too: bytes that change on the way, at the right length
    server.add("model", "org/two", files)
    turned = files["model.safetensors"][:-1] + b"?"
    lfs = hub_server._sha256(files["model.safetensors"])
    server.plain[f"/large/{lfs}"] = turned
    with pytest.raises(UserError, match="model.safetensors is not what the Hub's checksum says"):
        fetched(tmp_path, "org/two")
    assert not (tmp_path / "models" / "org" / "two").exists()


def test_revisions_of_a_model_lie_apart_and_a_branch_that_went_on_is_replaced_with_words(
    server, tmp_path, capsys
):
    first = server.add("model", "org/one", model_files())
    other = server.add("model", "org/one", model_files(seed=1), "refs/pr/5")
    found = fetched(tmp_path, "org/one", "org/one@refs/pr/5", f"org/one@{other}")
    folders = {"org/one": first, "org/one@refs-pr-5": other, f"org/one@{other}": other}
    for folder, commit in folders.items():
        assert found[f"models/{folder}/model.safetensors"]["commit"] == commit
    prints = [encoders.fingerprint(tmp_path / "models" / folder) for folder in folders]
    assert (
        len(set(prints)) == 2
        and prints[1] == prints[2]
        and encoders.load(str(tmp_path / "models" / "org" / "one@refs-pr-5"))
    )
    gone_on = {"old": b"", **model_files(seed=2)}
    gone_on["tokenizer.model"] = b"more"
    head = server.add("model", "org/one", gone_on)
    found = fetched(tmp_path, "org/one")
    assert f"replaced models/org/one: it was of the commit {first}" in capsys.readouterr().out
    assert {
        entry["commit"] for name, entry in found.items() if name.startswith("models/org/one/")
    } == {head}
    server.add("model", "org/one", model_files())
    found = fetched(tmp_path, "org/one")
    assert (
        not (tmp_path / "models" / "org" / "one" / "tokenizer.model").exists()
        and fetch.verify(tmp_path) == []
    )
    assert encoders.fingerprint(tmp_path / "models" / "org" / "one") == prints[0]
