"""An exported model says the same as ours where this package cannot be imported."""

import json
import subprocess
import sys

import numpy as np
import own_files
import pytest
import torch

from xstilts import data, encoders, own
from xstilts.errors import UserError
from xstilts.runs import store
from xstilts.runs.key import training
from xstilts.study import own_targets, profiles
from xstilts.study.conditions import NONE, Condition
from xstilts.tasks.table import TASKS
from xstilts.tools import export
from xstilts.training import evaluate
from xstilts.training.recipe import Recipe

KINDS = ("classify", "pairs", "tag", "span", "choice", "retrieve")
EXACT = Recipe(0, 0, 0, 0.0, 64, 0, precision="fp32", dropout=0.0)
SMALL = own_files.TINY | dict(seeds="0", layer=1)
# what a person does who has transformers alone
ELSEWHERE = """
import json, sys
sys.modules["xstilts"] = None      # as where it is not installed
import torch, transformers
said = {}
for name, (loader, folder, rows) in json.load(sys.stdin).items():
    model = getattr(transformers, loader).from_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert model.config.name_or_path == folder and not model.training
    found = []
    for texts, words in rows:
        inputs = tokenizer(*texts, is_split_into_words=words, return_tensors="pt", truncation=True,
                           padding=True, max_length=64)
        if loader.endswith("MultipleChoice"):
            inputs = {key: value.unsqueeze(0) for key, value in inputs.items()}
        with torch.no_grad():
            out = model(**inputs)
        if "start_logits" in out:
            logits = torch.stack([out.start_logits[0], out.end_logits[0]], -1)
        elif "logits" in out:
            logits = out.logits[0]
        else:
            logits = out.last_hidden_state[0].mean(0)
        found.append(logits.tolist())
    said[name] = [found, model.config.id2label, type(model).__name__]
print(json.dumps(said))
"""


def texts_of(row):
    """[what the tokenizer is given, whether these are words]"""
    if "words" in row:
        return [[list(row["words"])], True]
    if "texts" in row:
        return [list(row["texts"]), False]
    if "choices" in row:
        return [[[row["context"]] * len(row["choices"]), list(row["choices"])], False]
    if "question" in row:
        return [[row["question"], row["context"]], False]
    return [[row["source"]], False]


def ours(study, target, condition):
    run = export.run_of(study, condition, target, 0)
    place = store.find(store.default_root(), training(run) or run.encoder)
    model, tokenizer, head = export.loaded(study, run, place)
    task, rows = data.labelled(target, run.data), data.load(target, "test", "en", run.data, 8)
    features = task.module.encode(rows, tokenizer, task, 64)
    if head is None:
        return rows, features, evaluate.pooled(model, tokenizer, features, EXACT)[-1]
    return rows, features, evaluate.predict(model, head, task, features, tokenizer, EXACT)


def test_every_kind_says_the_same_without_this_package(tmp_path, tiny_encoder):
    asked, expected = {}, {}
    for kind in KINDS:
        name = f"my-{kind}"
        own.add(str(own_files.jsonl(tmp_path / f"{name}.jsonl", own_files.of_kind(kind))))
        study = own_targets.study(**SMALL | {"targets": name, "encoder": str(tiny_encoder)})
        condition = Condition(("mnli",)) if kind in ("classify", "retrieve") else NONE
        folder = export.export(study, condition, name, 0, tmp_path / "models" / name)
        assert {path.suffix for path in folder.iterdir()} <= {".json", ".safetensors", ".md"}
        rows, *expected[name] = ours(study, name, condition)
        loader = export.CLASSES[TASKS[name].kind].__name__
        asked[name] = [loader, str(folder), [texts_of(row) for row in rows]]
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=200,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    for name, (logits, labels, _) in said.items():
        assert len(logits) == 8
        for theirs, feature, mine in zip(logits, *expected[name], strict=True):
            left, right = (export.decoded(feature, some) for some in (theirs, mine))
            np.testing.assert_allclose(left, right, atol=1e-5, err_msg=name)
        if TASKS[name].labels:
            assert tuple(labels.values()) == TASKS[name].labels


def test_a_pipeline_names_the_labels_and_the_card_says_where_it_is_from(tmp_path, tiny_encoder):
    from transformers import pipeline

    own.add(
        str(own_files.csv(tmp_path / "mine.csv", own_files.reviews(), ("text", "label"))),
        licence="CC0",
    )
    study = own_targets.study(**SMALL | {"targets": "mine", "encoder": str(tiny_encoder)})
    folder = export.export(study, Condition(("mnli",)), "mine", 0, tmp_path / "model")
    [found] = pipeline("text-classification", str(folder))("a text")
    assert found["label"] in own_files.LABELS
    card = (folder / "README.md").read_text()
    for words in (
        'pipeline_tag: "text-classification"',
        "| en | ",
        "mine: CC0",
        "MNLI: ",
        "seed 0",
    ):
        assert words in card, card
    assert str(tmp_path) not in card and "trained on MNLI and then on rows of mine (en)." in card
    with pytest.raises(UserError, match="is there already; name a new folder"):
        export.export(study, NONE, "mine", 0, folder)


def test_a_target_of_the_study_is_exported_too(tmp_path, tiny_encoder):
    given = SMALL | {"targets": "xnli", "encoder": str(tiny_encoder), "vocabulary": "full"}
    study = profiles.study(**given | {"phase1_steps": 0, "languages": "en,de"})
    folder = export.export(study, NONE, "xnli", 0, tmp_path / "model")
    labels = json.loads((folder / "config.json").read_text())["id2label"]
    assert tuple(labels.values()) == TASKS["xnli"].labels
    with pytest.raises(UserError, match="of the kind mine, for which transformers has no class"):
        export.run_of(study, NONE, "bucc", 0)


HEADS = {"classify": "mnli", "tag": "udpos", "span": "squad", "choice": "commonsenseqa"}
# a head of its own, with a norm or another function, which ours is not
NO_CLASS = {("modernbert", "classify"), ("modernbert", "tag"), ("modernbert", "choice")}
NO_CLASS |= {("modernbert", "span")}


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "modernbert", "deberta-v2", "rembert"])
def test_a_family_computes_the_same_or_is_refused(family, kind, family_of):
    model, tokenizer = encoders.load(family_of(family))
    task = TASKS[HEADS[kind]]
    torch.manual_seed(1)
    head = task.module.Head(model, task).eval()
    if (family, kind) in NO_CLASS:
        with pytest.raises(UserError, match="has another head.*cannot be exported"):
            export.as_plain(model, head, task)
        return
    plain = export.as_plain(model, head, task)
    rows = data.load(HEADS[kind], "validation", "en", "mini", 3)
    features = task.module.encode(rows, tokenizer, task, 48)
    mine = evaluate.predict(model, head, task, features, tokenizer, EXACT)
    for feature, found in zip(features, mine, strict=True):
        theirs = export.logits(plain, feature, task)
        left, right = (export.decoded(feature, some) for some in (theirs, found))
        np.testing.assert_allclose(left, right, atol=1e-5)


def test_a_model_that_says_other_things_is_not_kept(tmp_path, tiny_encoder, monkeypatch):
    own.add(str(own_files.csv(tmp_path / "mine.csv", own_files.reviews(), ("text", "label"))))
    study = own_targets.study(**SMALL | {"targets": "mine", "encoder": str(tiny_encoder)})
    real = export.as_plain

    def slightly_wrong(*given):
        plain = real(*given)
        with torch.no_grad():
            plain.classifier.bias += 1e-3
        return plain

    monkeypatch.setattr(export, "as_plain", slightly_wrong)
    with pytest.raises(UserError, match="logits differ by 0.001"):
        export.export(study, NONE, "mine", 0, tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_push_puts_the_folder_into_a_private_repository(tmp_path, monkeypatch):
    asked = []

    class Api:
        def create_repo(self, name, **how):
            asked.append((name, how))

        def upload_folder(self, **how):
            asked.append(how)

    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    assert export.push(tmp_path, "me/reviews") == "https://huggingface.co/me/reviews"
    assert asked == [
        ("me/reviews", {"private": True, "exist_ok": True}),
        {"repo_id": "me/reviews", "folder_path": str(tmp_path)},
    ]
    with pytest.raises(UserError, match="write OWNER/NAME"):
        export.push(tmp_path, "reviews")
