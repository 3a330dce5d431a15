"""Scoring one target in 15 languages against a loop over Trainer.predict, as run_xnli.py does it
and well tuned.

    python tests/benchmarks/evaluation.py --layers 12 --rows 200 --repeats 3

ours            one model load, batches of a bounded number of pieces, the last layer only where the
                head looks
trainer         a call a language, padding to 128 pieces, float32, batches of 8 (the default)
trainer tuned   a call a language, rows sorted by length, padding to the longest, bf16 where it is
                native, batches of 64

The predictions are compared: all three must name the same classes but for rounding.
"""

from __future__ import annotations

import argparse
import logging
import tempfile

import measure
import numpy as np
import torch
from training import Rows, WithHead, collator
from transformers import Trainer, TrainingArguments

from xstilts import data, encoders
from xstilts.encoders import vocabulary
from xstilts.tasks.kinds import kind
from xstilts.tasks.table import TASKS
from xstilts.training import cpu, evaluate, loop
from xstilts.training.recipe import Recipe


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0)
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    logging.disable(logging.WARNING)
    task = TASKS["xnli"]
    model, tokenizer = encoders.load(f"e5-small:{asked.layers}")
    model, tokenizer = vocabulary.trim(
        model, tokenizer, vocabulary.used(tokenizer, data.words("mini"))
    )
    languages = data.languages("xnli", "mini")[:15]
    sets = {
        language: kind("classify").encode(
            data.load("xnli", "test", language, "mini", asked.rows), tokenizer, task, 128
        )
        for language in languages
    }
    loop.seed_everything(0)
    head = loop.draw_heads(model, ["xnli"], torch.device("cpu"))["xnli"].eval()
    recipe, predicted = Recipe(0, 0, 32, 0.0, 128, 0), {}
    count = sum(map(len, sets.values()))

    def counted(clock: measure.Clock) -> dict:
        real = sum(feature.pieces for features in sets.values() for feature in features)
        return {
            "languages": len(sets),
            "layers": asked.layers,
            "threads": torch.get_num_threads(),
            "examples_per_cpu_s": count / clock.cpu,
            "examples_per_s": count / clock.wall,
            "pieces_per_cpu_s": real / clock.cpu,
        }

    def ours() -> dict:
        with measure.Clock() as clock:
            predicted["ours"] = [
                np.argmax(
                    np.stack(evaluate.predict(model, head, task, features, tokenizer, recipe)), -1
                )
                for features in sets.values()
            ]
        return counted(clock)

    def trainer(tuned: bool) -> dict:
        with tempfile.TemporaryDirectory() as folder, measure.Clock() as clock:
            arguments = TrainingArguments(
                folder,
                per_device_eval_batch_size=64 if tuned else 8,
                use_cpu=True,
                report_to=[],
                disable_tqdm=True,
                bf16=tuned and cpu.multiplies_bf16(),
                remove_unused_columns=False,
                label_names=["labels"],
            )
            made = Trainer(
                WithHead(model, head, "xnli"),
                arguments,
                data_collator=collator("xnli", tokenizer, None if tuned else 128),
            )
            found = []
            for features in sets.values():
                order = (
                    np.argsort([feature.length for feature in features])
                    if tuned
                    else np.arange(len(features))
                )
                logits = made.predict(Rows([features[place] for place in order])).predictions
                found.append(np.empty(len(features), dtype=int))
                found[-1][order] = np.argmax(logits, -1)
            predicted["tuned" if tuned else "default"] = found
        return counted(clock)

    medians = measure.in_turn(
        {"ours": ours, "trainer": lambda: trainer(False), "trainer tuned": lambda: trainer(True)},
        asked.repeats,
    )
    measure.table(
        medians, ["examples_per_cpu_s", "examples_per_s", "peak_memory_gb"], "trainer tuned"
    )
    for name in ("default", "tuned"):
        same = np.mean(
            [np.mean(a == b) for a, b in zip(predicted["ours"], predicted[name], strict=True)]
        )
        print(f"same class as the trainer ({name}): {100 * same:.1f} % of {count}")


if __name__ == "__main__":
    main()
