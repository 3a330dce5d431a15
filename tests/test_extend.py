"""The code on the page about extending the study, as it stands there: it is put into a copy of the
library, which then runs with it."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "book" / "extend.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.S)
LONGEST = 30  # lines of a block
# runs the page's command, then a chapter's own cells on what it computed
RUN = """
import json, sys
from xstilts import cli
command, cells, parameters = json.loads(sys.argv[1])
for words in command:
    assert cli.main(words) == 0
names = dict(parameters)
import matplotlib
matplotlib.use("Agg")
for cell in cells:
    exec(cell, names)
table = names["table"]
print(json.dumps(table[["target", "language", "metric", "value"]].to_dict("records")))
print(json.dumps(sorted({str(condition) for condition in table.condition})))
"""


def blocks(language):
    """{first line without its mark: the block}, in the page's order."""
    return {
        text.split("\n")[0].removeprefix("# "): text for kind, text in BLOCKS if kind == language
    }


def put_into(root):
    """Every file of the page below root, where the library lies already."""
    for place, text in blocks("python").items():
        path = root / place.removesuffix(", at the end")
        before = path.read_text() if "at the end" in place else ""
        path.write_text(before + text)


def command(rows, encoder, *more):
    """The page's command that tries a task, for these rows and with a smaller encoder."""
    (line,) = [text for text in blocks("sh").values() if "compute phase3_target" in text]
    words = shlex.split(line.replace("\\\n", " ").split("xstilts tasks\n")[1])
    words = [{"~/rows": str(rows), "e5-small:2": str(encoder)}.get(word, word) for word in words]
    return [*words[1:], *more]


def run(root, *words, **places):
    """A Python process that has the library below root; its output."""
    given = {name: str(place) for name, place in places.items()}
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        env=os.environ | {"PYTHONPATH": str(root / "src")} | given,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    root = tmp_path_factory.mktemp("copy")
    shutil.copytree(
        ROOT / "src" / "xstilts",
        root / "src" / "xstilts",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    put_into(root)
    return root


def test_the_page_is_short_and_in_the_book():
    assert "book/extend" in (ROOT / "_toc.yml").read_text()
    assert "book/extend.md" in (ROOT / "CONTRIBUTING.md").read_text()
    assert len(blocks("python")) == 4
    for _, text in BLOCKS:
        code = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        assert len(code) < LONGEST, text
    for name in re.findall(r"`((?:tasks|synthetic)/[\w/]+\.py)`", PAGE):
        assert (ROOT / "src" / "xstilts" / name).is_file(), name
    for name in re.findall(r"tests/\w+\.py", PAGE):
        assert (ROOT / name).is_file(), name


def test_the_pages_task_and_metric_run_through_a_chapter(copy, tiny_encoder, tmp_path):
    market = copy / "src" / "xstilts" / "tasks" / "rows" / "market.py"
    (metrics,) = re.findall(r'`metrics=(\(.*"whole sentences"\))`', PAGE)
    market.write_text(market.read_text().replace('("F1", "accuracy")', metrics))
    rows = tmp_path / "rows"
    run(copy, copy / "make_rows.py", rows)
    support = rows / "support" / "default"
    support.mkdir(parents=True)
    import pandas as pd

    for split in ("train", "validation"):
        texts = [f"is it {number}" for number in range(40)]
        labels = ["no", "yes"] * 20
        table = pd.DataFrame({"question": texts, "answer": texts, "label": labels})
        table.to_parquet(support / f"{split}.parquet")
    tried = command(rows, tiny_encoder)
    tried[1] = "single_task"
    words = tried[2:] + ["-p", "phase2_steps", "2", "-p", "phase2_rows", "20"]
    given = dict(zip(words[1::3], words[2::3], strict=True)) | {"intermediates": "support"}
    words = [word for name, value in given.items() for word in ("-p", name, value)]
    notebook = json.loads((ROOT / "notebooks" / "single_task.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    asked = [[["tasks"], ["compute", "single_task", *words]], cells[1:], given]
    *_, scores, conditions = run(
        copy, "-c", RUN, json.dumps(asked), XSTILTS_STORE=tmp_path / "store"
    ).splitlines()
    found = json.loads(scores)
    assert {row["target"] for row in found} == {"market"}
    assert {row["language"] for row in found} == {"de", "en", "sw"}
    assert {row["metric"] for row in found} == {"F1", "accuracy", "whole sentences"}
    assert all(0 <= row["value"] <= 100 for row in found)
    assert json.loads(conditions) == ["none", "support"]


def test_the_pages_language_has_no_problem(copy):
    """As it stands in the page: the English words and sentences under another code, with CLDR's
    names."""
    (text,) = [text for text in blocks("sh").values() if "cp en.toml" in text]
    lines = [line.split("  #")[0].strip() for line in text.splitlines()]
    folder = copy / "src" / "xstilts" / "synthetic" / "languages"
    assert str(folder).endswith(lines[0].removeprefix("cd "))
    shutil.copy(folder / lines[1].split()[1], folder / lines[1].split()[2])
    checks = [line.removeprefix("python ").split() for line in lines[2:]]
    lacking = subprocess.run(
        [sys.executable, *checks[1]],
        env=os.environ | {"PYTHONPATH": str(copy / "src")},
        capture_output=True,
        text=True,
    )
    assert lacking.returncode and " ".join(["python", *checks[0]]) in lacking.stdout
    run(copy, *checks[0])
    assert "no problem in nl" in run(copy, *checks[1])
    look = "from xstilts import data; print(data.load('xnli', 'test', 'nl', 'mini', 2)[0])"
    assert "texts" in run(copy, "-c", look)
