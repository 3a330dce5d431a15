"""Training speed against transformers.Trainer, as run_xnli.py sets it up by default and well tuned.

    python tests/benchmarks/training.py --task nli --layers 12 --steps 20 --repeats 3 [--vocabulary
    full] [--dev]

ours            this library's loop
trainer         padding to 128 pieces, float32, as run_xnli.py does unless told otherwise
trainer tuned   padding to the longest, batches of similar length, fused AdamW, bf16 autocast where
                it is native

Threads, unless --threads says otherwise, are those that each runs with by default: the trainers
take every core, ours takes one, because a study runs one training a core.

All train the same encoder with the same head and loss on the same rows, at the same rate, for the
same steps. Counted are real pieces (no padding) and rows; share_of_peak takes 6 operations a real
piece and weight of the layers."""

from __future__ import annotations

import argparse
import copy
import functools
import logging
import os
import tempfile

import measure
import torch
from torch import nn
from transformers import Trainer, TrainingArguments

from xstilts import data, encoders
from xstilts.encoders import vocabulary
from xstilts.tasks import metrics
from xstilts.tasks.kinds import kind, pieces
from xstilts.tasks.table import TASKS
from xstilts.training import batches, cpu, evaluate, loop
from xstilts.training.recipe import Recipe

TASK = {"nli": ("mnli", 32), "tagging": ("udpos", 32), "span": ("squad", 16), "mlm": ("text", 16)}
IGNORED = -100


class WithHead(nn.Module):
    """Our head on transformers' own forward pass, in the shape that the Trainer wants."""

    def __init__(self, encoder, head, name: str):
        super().__init__()
        self.encoder, self.head, self.name = encoder, head, name

    def forward(self, input_ids, attention_mask, labels):
        batch = {"attention_mask": attention_mask, "gold": labels, "sequences": [1] * len(labels)}
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        if (
            self.name == "text"
        ):  # as BertForMaskedLM does: a distribution over the vocabulary at every position
            scores = self.head(hidden, {"gold": torch.zeros_like(labels)}).unflatten(
                0, labels.shape
            )
            return {
                "loss": nn.functional.cross_entropy(scores.float().flatten(0, 1), labels.flatten())
            }
        logits = self.head(hidden, batch)
        return {"loss": kind(TASKS[self.name].kind).loss(logits, batch), "logits": logits}


class Rows(torch.utils.data.Dataset):
    def __init__(self, features):
        self.features = features

    def __len__(self):
        return len(self.features)

    def __getitem__(self, number):
        feature = self.features[number]
        return {"input_ids": feature.ids[0], "labels": feature.gold, "length": feature.length}


def collator(name: str, tokenizer, length: int | None):
    """Rows -> tensors, padded to `length` or to the longest."""
    masking = torch.Generator().manual_seed(0)

    def collate(rows):
        longest = length or max(len(row["input_ids"]) for row in rows)
        ids = torch.full((len(rows), longest), tokenizer.pad_token_id)
        mask = torch.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row["input_ids"])] = torch.tensor(row["input_ids"])
            mask[number, : len(row["input_ids"])] = 1
        if name == "text":  # DataCollatorForLanguageModeling's rule
            chosen = (torch.rand(ids.shape, generator=masking) < 0.15) & (mask == 1)
            labels = torch.where(chosen, ids, IGNORED)
            return {
                "input_ids": torch.where(chosen, tokenizer.mask_token_id, ids),
                "attention_mask": mask,
                "labels": labels,
            }
        if TASKS[name].kind == "tag":
            labels = torch.tensor(
                [row["labels"] + [IGNORED] * (longest - len(row["labels"])) for row in rows]
            )
        else:
            labels = torch.tensor([row["labels"] for row in rows])
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}

    return collate


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", choices=TASK, default="nli")
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--threads", type=int, default=0, help="for each case; 0: the defaults below"
    )
    parser.add_argument("--vocabulary", choices=["trimmed", "full"], default="trimmed")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument(
        "--length", type=int, default=0, help="repeat every row's pieces to this length"
    )
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--cases", default="ours,trainer,trainer tuned")
    parser.add_argument(
        "--dev", action="store_true", help="score English dev rows after each training"
    )
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    name, size = TASK[asked.task]
    size = 16 if asked.length else size
    task = TASKS[name]
    shipped, tokenizer = encoders.load(f"e5-small:{asked.layers}")
    if asked.vocabulary == "trimmed":
        shipped, tokenizer = vocabulary.trim(
            shipped, tokenizer, vocabulary.used(tokenizer, data.words("mini"))
        )
    encode = kind(task.kind).encode
    features = encode(data.load(name, "train", "en", "mini", asked.rows), tokenizer, task, 128)
    if asked.length:
        for feature in features:
            feature.ids = [(feature.ids[0] * asked.length)[: asked.length]]
    dev = data.load(name, "validation", "en", "mini", 200)
    weights = sum(weight.numel() for weight in shipped.encoder.layer.parameters())
    peak = functools.cache(lambda dtype, threads: measure.peak(dtype))
    recipe = Recipe(asked.steps, 0, size, asked.rate, 128, asked.rows)

    def counted(clock: measure.Clock, real: int, loss: float, model, head) -> dict:
        bf16, fp32 = (
            peak(dtype, torch.get_num_threads()) for dtype in (torch.bfloat16, torch.float32)
        )
        found = {
            "task": asked.task,
            "layers": asked.layers,
            "vocabulary": len(shipped.get_input_embeddings().weight),
            "threads": torch.get_num_threads(),
            "steps": asked.steps,
            "batch": size,
            "examples_per_cpu_s": asked.steps * size / clock.cpu,
            "examples_per_s": asked.steps * size / clock.wall,
            "pieces_per_cpu_s": real / clock.cpu,
            "pieces_per_s": real / clock.wall,
            "share_of_peak": 6 * weights * real / clock.wall / bf16,
            "share_of_fp32_peak": 6 * weights * real / clock.wall / fp32,
            "bf16_peak_gflops": bf16 / 1e9,
            "fp32_peak_gflops": fp32 / 1e9,
            "loss": loss,
        }
        if asked.dev:
            scored = evaluate.score(model, head, tokenizer, task, dev, recipe)[1][task.metric]
            found["dev_score"] = metrics.value(scored)
        return found

    def ours() -> dict:
        torch.set_num_threads(asked.threads or 1)
        model, log = copy.deepcopy(shipped), []
        with measure.Clock() as clock, vocabulary.only(model, pieces(tokenizer, features)):
            heads = loop.train(model, tokenizer, {name: features}, recipe, 0, log.append)
        read = sum(
            feature.pieces
            for _, batch in batches.stream([features], recipe, 0, asked.steps)
            for feature in batch
        )
        return counted(
            clock, read, [entry["loss"] for entry in log if "loss" in entry][-1], model, heads[name]
        )

    def trainer(tuned: bool) -> dict:
        torch.set_num_threads(asked.threads or os.cpu_count())
        loop.seed_everything(0)
        model = copy.deepcopy(shipped)
        head = loop.draw_heads(model, [name], torch.device("cpu"))[name]
        read = []
        collate = collator(name, tokenizer, None if tuned else 128)
        with tempfile.TemporaryDirectory() as folder, measure.Clock() as clock:
            arguments = TrainingArguments(
                folder,
                max_steps=asked.steps,
                per_device_train_batch_size=size,
                learning_rate=asked.rate,
                warmup_steps=max(1, round(0.1 * asked.steps)),
                weight_decay=0.01,
                use_cpu=True,
                report_to=[],
                disable_tqdm=True,
                save_strategy="no",
                logging_strategy="steps",
                logging_steps=min(20, asked.steps),
                seed=0,
                bf16=tuned and cpu.multiplies_bf16(),
                optim="adamw_torch_fused" if tuned else "adamw_torch",
                train_sampling_strategy="group_by_length" if tuned else "random",
                remove_unused_columns=False,
            )

            def counting(rows):
                batch = collate(rows)
                read.append(int(batch["attention_mask"].sum()))
                return batch

            made = Trainer(
                WithHead(model, head, name),
                arguments,
                train_dataset=Rows(features),
                data_collator=counting,
            )
            made.train()
        loss = [entry["loss"] for entry in made.state.log_history if "loss" in entry][-1]
        return counted(clock, sum(read[: asked.steps]), loss, model, head)

    known = {
        "ours": ours,
        "trainer": lambda: trainer(False),
        "trainer tuned": lambda: trainer(True),
    }
    medians = measure.in_turn({case: known[case] for case in asked.cases.split(",")}, asked.repeats)
    measure.table(
        medians,
        ["examples_per_cpu_s", "examples_per_s", "share_of_peak", "loss"]
        + ["dev_score"] * asked.dev,
        "trainer tuned" if "trainer tuned" in medians else "",
    )


if __name__ == "__main__":
    main()
