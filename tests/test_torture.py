"""The quick form of `make torture`: a few kills with SIGKILL, in processes of their own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

STUDY = r"""study killed at a write +[1-9]\d*  yes
study killed at a random moment +[1-9]\d*  yes
  such studies that ended +[1-9]\d*  yes
"""
WORKERS = r"""(workers killed (one at a time|all at once) +[1-9]\d*  yes
)+  such studies that ended +[1-9]\d*  yes
"""


@pytest.mark.parametrize("what, kills, table", [("--kills", 6, STUDY), ("--workers", 3, WORKERS)])
def test_a_killed_study_ends_with_the_scores_of_a_quiet_one(tiny_encoder, what, kills, table):
    asked = ["--kills", "0", what, str(kills), "--encoder", str(tiny_encoder)]
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("torture.py"), *asked],
        text=True,
        capture_output=True,
        timeout=300,
        cwd=Path(__file__).parents[1],
        env=os.environ,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    looked = (
        r"  \(looked for: .*with other scores, finished runs repeated, unfinished files left\)\n"
    )
    assert re.fullmatch(r"what was tried +how often  survived\n" + table + looked, done.stdout), (
        done.stdout
    )
