"""The whole embedded study from an empty store: wall and CPU time, beside what the plan said
before.

python tests/benchmarks/study.py                      # half an hour on two cores
python tests/benchmarks/study.py -p languages de,en,fi,hu,sw -p phase1_steps 150
python tests/benchmarks/study.py --chapter phase1_encoder
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

import yaml

from xstilts.chapters import needed
from xstilts.runs import store
from xstilts.runs.key import label
from xstilts.study import graph, profiles
from xstilts.tools import plan


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chapter", default="")
    parser.add_argument(
        "-p", "--parameter", nargs=2, action="append", default=[], metavar=("NAME", "VALUE")
    )
    asked = parser.parse_args()
    study = profiles.study(**{name: yaml.safe_load(value) for name, value in asked.parameter})
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        runs = needed.needed(asked.chapter, study)
        todo = graph.lacking(runs, root)
        threads = 1 if study.scheduler.startswith("processes") else 2
        workers = 2 if threads == 1 else 1
        speed = plan.measured(study, threads, workers)
        said = plan.simulate(todo, speed.of(todo), workers)
        started = time.perf_counter(), _cpu()
        graph.compute(runs, root, study.scheduler)
        wall, cpu = time.perf_counter() - started[0], _cpu() - started[1]
        each = {
            label(run): round(store.manifest(store.folder_of(root, run))["seconds"])
            for run in todo
            if store.is_there(root, run)  # trainings of targets go
        }
    print(
        json.dumps(
            {
                "case": asked.chapter or "the whole book",
                "runs": len(todo),
                "scheduler": study.scheduler,
                "wall_s": round(wall),
                "cpu_s": round(cpu),
                "plan_s": round(said.wall),
                "plan_over_wall": round(said.wall / wall, 2),
                "seconds_a_run": each,
            },
            indent=1,
        )
    )


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


if __name__ == "__main__":
    main()
