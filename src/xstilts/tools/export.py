"""A trained encoder with its head as plain transformers classes, to be used without this package.

    folder = export(study, Condition(("mnli",)), "reviews", seed=0, folder=Path("model"))
    # then, anywhere: transformers.pipeline("text-classification", "model")

The head's weights go to the class of transformers that computes the same from them. Before anything
is kept, both are asked for their logits on rows of the target, which may not differ."""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import transformers
from safetensors.torch import load_file

from xstilts import data, encoders, hub_faults
from xstilts.errors import UserError, visible
from xstilts.runs import store
from xstilts.runs.key import Score, training
from xstilts.runs.scoring import HEAD
from xstilts.study import graph, grid, phases
from xstilts.study.conditions import Condition
from xstilts.study.profiles import Study
from xstilts.tasks.kinds import Feature
from xstilts.tasks.table import TASKS, Task
from xstilts.tools import model_card
from xstilts.training import evaluate
from xstilts.training.loop import device
from xstilts.training.recipe import Recipe

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

CLASSES = {
    "classify": transformers.AutoModelForSequenceClassification,
    "tag": transformers.AutoModelForTokenClassification,
    "span": transformers.AutoModelForQuestionAnswering,
    "choice": transformers.AutoModelForMultipleChoice,
    "retrieve": transformers.AutoModel,
}
CLOSE = 1e-5  # logits may differ so much
SAMPLE = 16  # rows on which they are compared


def run_of(study: Study, condition: Condition, target: str, seed: int) -> Score:
    """The run whose encoder is exported. UserError for a kind of task that has no plain class."""
    row = TASKS[target]
    if row.kind not in CLASSES:
        raise UserError(
            f"{row.title} is of the kind {row.kind}, for which transformers has no class; known: "
            f"{', '.join(CLASSES)}"
        )
    return phases.phase3(study, grid.encoder(study, condition, seed), target, seed)


def export(study: Study, condition: Condition, target: str, seed: int, folder: Path) -> Path:
    """Writes the model, its tokenizer and its card into `folder`, which must be new or empty. What
    was not trained yet is trained. UserError where that fails, or the encoder's family has no class
    that computes the same."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{visible(str(folder))}: is there already; name a new folder")
    run = run_of(study, condition, target, seed)
    trained = training(run) or run.encoder
    made = graph.compute([trained, run])  # the training stays, as it was asked for itself
    place = store.find(store.default_root(), trained)
    if not place or len(made) < 2:
        raise UserError(f"{visible(target)}: its training has no result; see the lines above")
    model, tokenizer, head = loaded(study, run, place)
    plain = as_plain(model, head, data.labelled(target, run.data))
    differ(model, tokenizer, head, plain, run)
    unfinished = folder.with_name(f".{folder.name}-{os.getpid()}")
    try:
        unfinished.mkdir(parents=True)
        encoders.save(plain, tokenizer, unfinished)
        card = model_card.text(study, condition, run)
        (unfinished / "README.md").write_text(card, encoding="utf-8")
        if folder.exists():
            folder.rmdir()
        os.rename(unfinished, folder)
    except OSError as error:
        raise UserError(f"{visible(str(folder))}: cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def loaded(
    study: Study, run: Score, place: Path
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, nn.Module | None]:
    """The encoder, its tokenizer, and the head; of retrieval the encoder up to the layer that is
    reported, and no head."""
    target = data.labelled(run.target, run.data)
    if not target.untrained:
        model, tokenizer = encoders.load(place)
        head = target.module.Head(model, target)
        head.load_state_dict(load_file(place / HEAD))
        return model, tokenizer, head.eval()
    model, tokenizer = encoders.load(place)
    layers = min(study.layer, model.config.num_hidden_layers)
    cut, tokenizer = encoders.load(f"{place}:{layers}")
    return cut, tokenizer, None


def as_plain(model: PreTrainedModel, head: nn.Module | None, target: Task) -> PreTrainedModel:
    """The class of transformers for the target's kind, with these weights. UserError where its head
    has other parts than ours."""
    if head is None:
        return model
    config = copy.deepcopy(model.config)
    config.id2label = dict(enumerate(target.labels)) or {0: "LABEL_0", 1: "LABEL_1"}
    config.label2id = {label: number for number, label in config.id2label.items()}
    if hasattr(config, "pooler_hidden_act"):  # DeBERTa
        config.pooler_hidden_act = "tanh"
    plain = CLASSES[target.kind].from_config(config, trust_remote_code=False).float().eval()
    inside = f"{plain.base_model_prefix}."
    weights = {f"{inside}{name}": weight for name, weight in model.state_dict().items()}
    ours = dict(head.state_dict())
    for name in plain.state_dict():
        if name not in weights:
            *_, part, what = name.split(".")
            found = ours.pop(f"{'dense' if part == 'dense' else 'out'}.{what}", None)
            if found is None or found.shape != plain.state_dict()[name].shape:
                raise _no_class(plain, name)
            weights[name] = found
    if ours or {*weights} != {*plain.state_dict()}:
        raise _no_class(plain, *sorted({*ours, *weights} - {*plain.state_dict()}))
    plain.load_state_dict(weights)
    return plain


def _no_class(plain: PreTrainedModel, *parts: str) -> UserError:
    return UserError(
        f"{type(plain).__name__} has another head than the one that was trained "
        f"({', '.join(parts[:2])}), so that it cannot be exported as a plain class. Encoders of "
        "the BERT, RoBERTa, DeBERTa and RemBERT families can"
    )


@torch.no_grad()
def logits(plain: PreTrainedModel, feature: Feature, target: Task) -> np.ndarray:
    """What the plain model says of one row or window, as the kind's decoder reads it. Of retrieval
    the mean over the pieces of the last layer."""
    length = feature.length
    inputs: dict[str, Any] = {
        "input_ids": [
            ids + [plain.config.pad_token_id] * (length - len(ids)) for ids in feature.ids
        ],
        "attention_mask": [[1] * len(ids) + [0] * (length - len(ids)) for ids in feature.ids],
    }
    if feature.types:
        inputs["token_type_ids"] = [ids + [0] * (length - len(ids)) for ids in feature.types]
    tensors = {name: torch.tensor(value, device=plain.device) for name, value in inputs.items()}
    if target.module.SEQUENCES > 1:  # all choices of a row
        tensors = {name: value.unsqueeze(0) for name, value in tensors.items()}
    found = plain(**tensors)
    if target.untrained:
        return found.last_hidden_state[0].mean(0).cpu().numpy()
    if "start_logits" in found:
        return torch.stack([found.start_logits[0], found.end_logits[0]], -1).cpu().numpy()
    return found.logits[0].cpu().numpy()


def decoded(feature: Feature, found: Any) -> np.ndarray:
    """The part of a feature's logits that a decoder reads: no padding, and of words the piece that
    is labelled. Ours are not computed elsewhere."""
    if isinstance(feature.where, dict):
        return np.asarray(found)[list(feature.where.values())]
    count = len(feature.ids) if len(feature.ids) > 1 else feature.length
    return np.asarray(found)[:count] if np.ndim(found) > 1 or len(feature.ids) > 1 else found


def differ(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    head: nn.Module | None,
    plain: PreTrainedModel,
    run: Score,
) -> float:
    """The largest difference between our logits and the plain model's, on rows of the target.
    UserError where it is more than CLOSE."""
    target = data.labelled(run.target, run.data)
    rows = data.load(run.target, run.split, run.languages[0], run.data, SAMPLE)
    features = target.module.encode(rows, tokenizer, target, run.recipe.max_length)[:SAMPLE]
    exact = Recipe(0, 0, 0, 0.0, run.recipe.max_length, 0, precision="fp32", dropout=0.0)
    plain.to(device())
    if head is None:
        ours: Sequence = evaluate.pooled(model, tokenizer, features, exact)[-1]
    else:
        ours = evaluate.predict(model, head, target, features, tokenizer, exact)
    most = 0.0
    for feature, found in zip(features, ours, strict=True):
        theirs = logits(plain, feature, target)
        most = max(most, float(np.abs(decoded(feature, found) - decoded(feature, theirs)).max()))
    if not most <= CLOSE:
        raise UserError(
            f"the exported {type(plain).__name__} says other things than the trained model: its "
            f"logits differ by {most:.2g}. Please report this, with the encoder's name"
        )
    return most


def push(folder: Path, repository: str) -> str:
    """Puts an exported folder on the Hub, in a private repository where there is none yet; returns
    its address. UserError where the Hub refuses."""
    from huggingface_hub import HfApi

    if not encoders.HUB_ID.fullmatch(repository):
        raise UserError(f"--push {visible(repository)}: write OWNER/NAME")

    def upload() -> None:
        api = HfApi()
        api.create_repo(repository, private=True, exist_ok=True)
        api.upload_folder(repo_id=repository, folder_path=str(folder))

    hub_faults.ask(upload, repository, kind="model")
    return f"https://huggingface.co/{repository}"
