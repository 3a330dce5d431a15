"""How often the rule of the book errs (`made_studies`): the figures of methods.md.

python tests/benchmarks/grades.py [studies]      # 400: about 5 minutes
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
import made_studies  # noqa: E402

if __name__ == "__main__":
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 400
    print("effect  seeds     for against  same  no gain  covered  half-width")
    for effect, seeds in ((0, 3), (2, 3), (0, 1), (2, 1), (0, 5), (0, 8), (0, 12)):
        with pytest.MonkeyPatch.context() as patch:
            seen = made_studies.rates(patch, studies, effect, seeds)
        print(f"{effect:6} {seeds:6} " + " ".join(f"{value:8.3f}" for value in seen.values()))
