"""Margin mining against FAISS's exact index: both directions' four nearest, the same vectors, the same machine.

    python tests/benchmarks/retrieval.py --sources 1000 --targets 1000          # Tatoeba's size
    python tests/benchmarks/retrieval.py --sources 10000 --targets 35000        # BUCC's
    python tests/benchmarks/retrieval.py --sources 1000000 --targets 1000000 --repeats 0 --faiss-rows 20000   # hours

`pip install faiss-cpu` first (the extra `benchmark`). With --faiss-rows FAISS searches for that many rows of each side
only, among all of the other; pairs a second compare. --repeats 0 runs each once, without warming up.
"""
from __future__ import annotations

import argparse

import faiss
import torch

import measure
from xstilts.neighbours import neighbours


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=int, default=1000)
    parser.add_argument("--targets", type=int, default=1000)
    parser.add_argument("--size", type=int, default=384)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--faiss-rows", type=int, default=0, help="0: all")
    parser.add_argument("--threads", type=int, default=0)
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
        faiss.omp_set_num_threads(asked.threads)
    torch.manual_seed(0)
    x, y = (torch.nn.functional.normalize(torch.randn(count, asked.size)) for count in (asked.sources, asked.targets))
    rows = asked.faiss_rows or max(len(x), len(y))
    found = {}

    def counted(clock: measure.Clock, pairs: float) -> dict:
        """pairs: looked at in both directions"""
        return {"sources": asked.sources, "targets": asked.targets, "threads": torch.get_num_threads(),
                "examples_per_cpu_s": pairs / asked.targets / clock.cpu, "seconds": clock.wall,
                "million_pairs_per_s": pairs / 1e6 / clock.wall}

    def ours() -> dict:
        with measure.Clock() as clock:
            found["ours"] = neighbours(x, y, 4)
        return counted(clock, len(x) * len(y))

    def exact() -> dict:
        with measure.Clock() as clock:
            results = []
            for one, other in ((x, y), (y, x)):
                index = faiss.IndexFlatIP(asked.size)
                index.add(other.numpy())
                results.append([torch.from_numpy(item) for item in index.search(one[:rows].numpy(), 4)])
            found["faiss"] = results
        return counted(clock, (len(x[:rows]) * len(y) + len(y[:rows]) * len(x)) / 2)

    medians = measure.in_turn({"ours": ours, "faiss exact": exact}, asked.repeats)
    measure.table(medians, ["seconds", "million_pairs_per_s", "peak_memory_gb"], "faiss exact")
    for mine, theirs in zip(found["ours"], found["faiss"], strict=True):
        torch.testing.assert_close(mine[0][:rows], theirs[0], atol=1e-5, rtol=0)


if __name__ == "__main__":
    main()
