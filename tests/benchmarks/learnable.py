"""What of the embedded benchmark the default encoder learns in English, and what of that it can do
in other languages.

    python tests/benchmarks/learnable.py --tasks mnli,squad --difficulty 1,2,3 --steps 300
    --languages en --out book/learnable.jsonl
    python tests/benchmarks/learnable.py --out book/learnable.jsonl --show      # what is there, and
    nothing is computed

A case is one task (any of the table's, intermediate or target), difficulty and seed: phase 1 as in
profile mini, then that many steps on the task's English rows at the profile's rate, then the test
rows in each language. Cases that --out has already are not computed again, runs that the store has
neither. A shortcut is a reader that does not read (data.mini_shortcuts).

--steps 0: the profile's, times the task's effort. --random-encoder: the same layers with random
weights, no phase 1."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import pandas as pd
import torch

from xstilts import data
from xstilts.analysis import score_tables, stats
from xstilts.chapters.embedded import shortcut_readers
from xstilts.runs import key, results
from xstilts.study import graph, phases, profiles
from xstilts.synthetic import INTERMEDIATE
from xstilts.tasks.table import TASKS


def case(
    name: str, asked: argparse.Namespace, difficulty: int, seed: int
) -> tuple[profiles.Study, key.Score]:
    """The run of a case. Of a target it is phase 3's own, which the book may have done; an
    intermediate task is trained and tested like a target, at its own difficulty."""
    row = TASKS[name]
    given = dict(encoder="e5-small:random", phase1_steps=0) if asked.random_encoder else {}
    given |= dict(eval_rows=asked.rows) if asked.rows else {}
    study = profiles.study("mini", data=f"mini:difficulty={difficulty}", scheduler="local", **given)
    encoder = phases.phase1(study)  # reads all languages, whichever are tested
    there = data.languages(name, study.data, "test")
    study = dataclasses.replace(
        study,
        languages=tuple(
            language for language in asked.languages or study.languages if language in there
        ),
    )
    if row.role == "target":
        run = phases.phase3(study, encoder, name, seed)
    else:
        fingerprints = tuple(
            data.fingerprint(name, split, languages, study.data)
            for split, languages in (
                ("train", ("en",)),
                ("validation", ("en",)),
                ("test", study.languages),
            )
        )
        run = key.Score(
            encoder,
            name,
            study.languages,
            profiles.phase2_recipe(study, (name,)),
            study.eval_rows,
            "test",
            seed,
            fingerprints,
            study.data,
            row.scoring,
        )
    if asked.steps and not row.untrained:
        run = dataclasses.replace(run, recipe=dataclasses.replace(run.recipe, steps=asked.steps))
    return study, run


def measured(study: profiles.Study, run: key.Score, difficulty: int) -> dict:
    """Computes the run; scores, baseline and shortcuts of it. `low` is the lower end of the 95 %
    interval."""
    graph.compute([run])
    name, wanted = run.target, {("learned", run.target, run.seed): run}
    table, examples = (
        score_tables.main_metric(study, part)
        for part in (results.scores(wanted), results.examples(wanted))
    )
    values, chance = table.set_index("language").value, table.set_index("language").baseline
    low = {
        language: stats.score(examples, "learned", name, language).low for language in values.index
    }
    first = "en" if "en" in values else values.index[0]
    shortcuts = shortcut_readers.scores(name, study.data, first)
    best = max(shortcuts, key=shortcuts.get, default="")
    return {
        "key": key.key(run),
        "task": name,
        "difficulty": difficulty,
        "encoder": study.encoder,
        "steps": run.recipe.steps,
        "batch": run.recipe.batch_size,
        "seed": run.seed,
        "metric": TASKS[name].metric,
        "n": int(table.n.min()),
        "English": values.get("en"),
        "chance": chance[first],
        "shortcut": shortcuts.get(best),
        "reader": best,
        "above": sum(
            bool(low[language] > chance[language]) for language in values.index if language != "en"
        ),
        "languages": values.drop("en", errors="ignore").round(1).to_dict(),
        "threads": torch.get_num_threads(),
        "seconds": round(results.seconds(run)),
    }


def show(found: list[dict]) -> str:
    """A line a case; `above`: zero-shot languages whose interval lies above their chance."""
    if not found:
        return "nothing yet"
    table = pd.DataFrame(found).drop(columns=["key", "threads"])
    table["zero-shot"] = [
        sum(each.values()) / len(each) if each else float("nan") for each in table.languages
    ]
    table["above"] = [
        f"{above}/{len(each)}" for above, each in zip(table.above, table.languages, strict=True)
    ]
    table["languages"] = [
        " ".join(f"{language} {value:.0f}" for language, value in each.items())
        for each in table.languages
    ]
    return table.sort_values(["task", "encoder", "difficulty", "steps", "seed"]).to_string(
        index=False, float_format="%.1f"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )

    def listed(text):
        return [part for part in text.split(",") if part]

    parser.add_argument(
        "--tasks",
        type=listed,
        default=list(INTERMEDIATE),
        help="default: the nine intermediate tasks",
    )
    parser.add_argument(
        "--difficulty",
        type=listed,
        default=["2"],
        help="1, 2, 3 or several; of targets there is only 2",
    )
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--seeds", type=listed, default=["0"])
    parser.add_argument("--languages", type=listed, default=[], help="tested; default: all")
    parser.add_argument(
        "--rows", type=int, default=0, help="test rows a language; 0: the profile's"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--random-encoder", action="store_true")
    parser.add_argument("--out", type=Path, default=Path("learnable.jsonl"))
    parser.add_argument("--show", action="store_true", help="print what --out has, compute nothing")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    found = (
        [json.loads(line) for line in asked.out.read_text().splitlines()]
        if asked.out.is_file()
        else []
    )
    for name in [] if asked.show else asked.tasks:
        for difficulty in asked.difficulty if name in INTERMEDIATE else ["2"]:
            for seed in map(int, asked.seeds):
                study, run = case(name, asked, int(difficulty), seed)
                if any(line["key"] == key.key(run) for line in found):
                    continue
                found.append(measured(study, run, int(difficulty)))
                with open(asked.out, "a") as file:
                    file.write(json.dumps(found[-1]) + "\n")
                print(show(found[-1:]), flush=True)
    print(show(found))


if __name__ == "__main__":
    main()
