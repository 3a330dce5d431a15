"""The quick form of `make torture`: a few kills with SIGKILL, in processes of their own."""
import os
import re
import subprocess
import sys
from pathlib import Path

TABLE = r"""what was tried +how often  survived
study killed at a write +\d+  yes
study killed at a random moment +\d+  yes
  such studies that ended +\d+  yes
  \(looked for: .*\)
(workers killed (one at a time|all at once) +[1-9]\d*  yes
)+  such studies that ended +[1-9]\d*  yes
  \(looked for: other runs lost, .*\)
"""


def test_a_killed_study_ends_with_the_scores_of_a_quiet_one(tiny_encoder):
    done = subprocess.run([sys.executable, Path(__file__).with_name("torture.py"), "--kills", "6", "--workers", "3",
                           "--encoder", tiny_encoder],
                          capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[1], env=os.environ)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert re.fullmatch(TABLE, done.stdout), done.stdout
