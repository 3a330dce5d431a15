"""The quick form of `make torture`: a few kills with SIGKILL, in processes of their own."""
import os
import subprocess
import sys
from pathlib import Path


def test_a_killed_study_ends_with_the_scores_of_a_quiet_one(tiny_encoder):
    done = subprocess.run([sys.executable, Path(__file__).with_name("torture.py"), "--kills", "6", "--encoder", tiny_encoder],
                          capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[1], env=os.environ)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    assert "at a random moment" in done.stdout and "at a write" in done.stdout
