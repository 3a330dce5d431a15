"""What all benchmarks share: the machine's peak, cases in turn, a JSON line a case and a table.

measure.in_turn({"ours": run, "other": run}, repeats=3) -> one median a case, printed
"""

from __future__ import annotations

import json
import resource
import statistics
import time
from collections.abc import Callable

import torch


def peak(dtype: torch.dtype, size: int = 2048, seconds: float = 1.0) -> float:
    """The best matrix product of this process, in operations a wall-clock second."""
    a = torch.randn(size, size).to(dtype)
    best, started = float("inf"), time.perf_counter()
    while time.perf_counter() - started < seconds:
        begun = time.perf_counter()
        a @ a
        best = min(best, time.perf_counter() - begun)
    return 2 * size**3 / best


def in_turn(cases: dict[str, Callable[[], dict]], repeats: int) -> dict[str, dict]:
    """Runs every case once to warm up and then `repeats` times, A B A B, because neighbours steal
    time. A case returns what it counted. Prints one JSON line a case: medians, and the process's
    peak memory up to then, which the first case shares with none."""
    runs: dict[str, list[dict]] = {name: [] for name in cases}
    medians = {}
    for number in range(repeats + 1):
        for name, case in cases.items():
            found = case() | {
                "peak_memory_gb": round(
                    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2
                )
            }
            if number or not repeats:
                runs[name].append(found)
            if number == repeats:  # at once: a later case may take hours
                medians[name] = {"case": name} | {
                    key: statistics.median(run[key] for run in runs[name])
                    if isinstance(value, (int, float))
                    else value
                    for key, value in runs[name][0].items()
                }
                print(
                    json.dumps(
                        {
                            key: round(value, 6) if isinstance(value, float) else value
                            for key, value in medians[name].items()
                        }
                    ),
                    flush=True,
                )
    return medians


class Clock:
    """with Clock() as clock: ...; clock.wall, clock.cpu: seconds"""

    def __enter__(self) -> Clock:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_) -> None:
        self.wall, self.cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu


def table(medians: dict[str, dict], columns: list[str], baseline: str = "") -> None:
    """The cases as text. With a baseline, the last column says how many times more examples a
    CPU-second than it."""
    print(
        f"{'case':34}"
        + "".join(f"{column:>20}" for column in columns)
        + (f"{'x ' + baseline:>24}" if baseline else "")
    )
    for name, row in medians.items():
        line = f"{name:34}" + "".join(
            f"{row.get(column, float('nan')):>20.4g}" for column in columns
        )
        if baseline:
            line += f"{row['examples_per_cpu_s'] / medians[baseline]['examples_per_cpu_s']:>24.2f}"
        print(line, flush=True)
