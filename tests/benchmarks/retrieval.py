"""Margin mining against FAISS's exact index: both directions' four nearest, the same vectors, the
same machine.

    python tests/benchmarks/retrieval.py --sources 1000 --targets 1000          # Tatoeba's size
    python tests/benchmarks/retrieval.py --sources 10000 --targets 35000        # BUCC's
    python tests/benchmarks/retrieval.py --sources 1000000 --targets 1000000 --repeats 0
    --faiss-rows 10000 --kept FOLDER   # hours

`pip install faiss-cpu` first (the extra `benchmark`). With --faiss-rows FAISS searches for that
many rows of each side only, among all of the other; pairs a second compare. --repeats 0 runs each
once, without warming up. With --kept ours goes through PART sources after another and keeps each
part there, with the seconds that it took: stopped, it goes on from there."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import faiss
import measure
import torch
from safetensors.torch import load_file, save_file

from xstilts.tasks.neighbours import Nearest, neighbours

PART = 50_000


def in_parts(
    x: torch.Tensor, y: torch.Tensor, folder: Path
) -> tuple[Nearest, Nearest, float, float]:
    """As `neighbours(x, y, 4)`, and the wall-clock and processor's seconds of all parts."""
    folder.mkdir(parents=True, exist_ok=True)
    forward, backward, wall, cpu = (
        [],
        (torch.empty(len(y), 0), torch.empty(len(y), 0, dtype=torch.long)),
        0.0,
        0.0,
    )
    for start in range(0, len(x), PART):
        path = folder / f"{len(x)}x{len(y)}x{x.shape[1]}-{start}.safetensors"
        if not path.is_file():
            with measure.Clock() as clock:
                there, back = neighbours(x[start : start + PART], y, 4)
            save_file(
                dict(
                    zip(("there", "there_rows", "back", "back_rows"), (*there, *back), strict=True)
                )
                | {"seconds": torch.tensor([clock.wall, clock.cpu])},
                path.with_suffix(".unfinished"),
            )
            os.replace(path.with_suffix(".unfinished"), path)
            print(f"sources {start} to {start + PART}: {clock.wall:.0f} s", flush=True)
        part = load_file(path)
        with measure.Clock() as clock:
            forward.append((part["there"], part["there_rows"]))
            values, order = torch.cat([backward[0], part["back"]], 1).topk(4)
            backward = (
                values,
                torch.cat([backward[1], part["back_rows"] + start], 1).gather(1, order),
            )
        wall, cpu = (
            wall + clock.wall + float(part["seconds"][0]),
            cpu + clock.cpu + float(part["seconds"][1]),
        )
    return tuple(map(torch.cat, zip(*forward, strict=True))), backward, wall, cpu


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--targets", type=int, default=1000)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--faiss-rows", type=int, default=0, help="0: all")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--kept", type=Path, help="a folder")
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
        faiss.omp_set_num_threads(asked.threads)
    torch.manual_seed(0)
    x, y = (
        torch.nn.functional.normalize(torch.randn(count, asked.size))
        for count in (asked.sources, asked.targets)
    )
    rows = asked.faiss_rows or max(len(x), len(y))
    found = {}

    def counted(wall: float, cpu: float, pairs: float) -> dict:
        """pairs: looked at in both directions"""
        return {
            "sources": asked.sources,
            "targets": asked.targets,
            "threads": torch.get_num_threads(),
            "examples_per_cpu_s": pairs / asked.targets / cpu,
            "seconds": wall,
            "million_pairs_per_s": pairs / 1e6 / wall,
        }

    def ours() -> dict:
        if asked.kept:
            *found["ours"], wall, cpu = in_parts(x, y, asked.kept)
            return counted(wall, cpu, len(x) * len(y))
        with measure.Clock() as clock:
            found["ours"] = neighbours(x, y, 4)
        return counted(clock.wall, clock.cpu, len(x) * len(y))

    def exact() -> dict:
        with measure.Clock() as clock:
            results = []
            for one, other in ((x, y), (y, x)):
                index = faiss.IndexFlatIP(asked.size)
                index.add(other.numpy())
                results.append(
                    [torch.from_numpy(item) for item in index.search(one[:rows].numpy(), 4)]
                )
            found["faiss"] = results
        return counted(clock.wall, clock.cpu, (len(x[:rows]) * len(y) + len(y[:rows]) * len(x)) / 2)

    medians = measure.in_turn({"ours": ours, "faiss exact": exact}, asked.repeats)
    measure.table(medians, ["seconds", "million_pairs_per_s", "peak_memory_gb"], "faiss exact")
    for mine, theirs in zip(found["ours"], found["faiss"], strict=True):
        torch.testing.assert_close(mine[0][:rows], theirs[0], atol=1e-5, rtol=0)


if __name__ == "__main__":
    main()
