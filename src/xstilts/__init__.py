"""Cross-lingual transfer with intermediate-task training: the library behind the notebooks."""
import os

# Large tensors on huge pages: clearing small ones costs seconds a training. torch reads its setting at the first large
# tensor of a process, glibc its own when a process starts, so that kernels and workers started from here have both.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
