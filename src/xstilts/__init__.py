"""Cross-lingual transfer with intermediate-task training: the library behind the notebooks."""

import os

# Large tensors on huge pages: clearing small ones costs a second a training. torch reads this at
# the first large tensor of a process.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
