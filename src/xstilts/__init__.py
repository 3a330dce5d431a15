"""Cross-lingual transfer with intermediate-task training: the library behind the notebooks."""
import os

# Large tensors on huge pages: clearing small ones costs seconds a training. torch reads this at the first large tensor of a
# process. glibc's own switch would give a tenth more, but spreads rows and tables over four times their memory.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
