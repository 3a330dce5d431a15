"""What make installs: every package that is asked for, at one version, and no file but those whose
hashes are written down."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKED = {
    canonicalize_name(Requirement(block.split(" \\")[0]).name): block
    for block in re.split(r"\n(?=[a-z])", (ROOT / "requirements.txt").read_text())
}


def test_what_the_project_asks_for_is_locked_at_one_version_that_it_allows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for asked in map(
        Requirement,
        [*project["dependencies"], *project["optional-dependencies"]["test"], "setuptools"],
    ):
        pinned = Requirement(LOCKED[canonicalize_name(asked.name)].split(" \\")[0])
        [version] = pinned.specifier
        assert version.operator == "==" and asked.specifier.contains(version.version), asked


def test_every_locked_file_has_a_hash_and_make_insists_on_it():
    assert len(LOCKED) > 100
    for name, block in LOCKED.items():
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), name
        assert not re.search(r"https?:|git\+|@ ", block), name
    assert "--require-hashes -r requirements.txt" in (ROOT / "Makefile").read_text()


def test_a_file_with_another_hash_is_not_installed(tmp_path):
    package = tmp_path / "small-1.0.tar.gz"
    package.write_bytes(b"not what was promised")
    (tmp_path / "lock.txt").write_text(f"small @ {package.as_uri()} --hash=sha256:{'0' * 64}\n")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--no-deps",
            "--require-hashes",
            "--no-index",
            "--target",
            str(tmp_path / "out"),
            "-r",
            str(tmp_path / "lock.txt"),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode and "DO NOT MATCH THE HASHES" in done.stderr


def test_no_locked_package_has_a_known_vulnerability():
    """In CI alone: who repeats the study in two years should not fail for what was found
    meanwhile."""
    if not os.environ.get("CI"):
        pytest.skip("advisories are asked for in CI; by hand: make audit")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip_audit",
            "--format",
            "json",
            "--progress-spinner",
            "off",
            "--disable-pip",
            "--no-deps",
            "-r",
            str(ROOT / "requirements.txt"),
        ],
        capture_output=True,
        text=True,
        timeout=280,
    )
    found = json.loads(done.stdout or '{"dependencies": []}')["dependencies"]
    if not [package for package in found if "vulns" in package]:
        pytest.skip(
            "the advisory service knows none of the packages, or cannot be reached: "
            f"{done.stderr.strip()[-200:]}"
        )
    assert not {package["name"]: package["vulns"] for package in found if package.get("vulns")}
