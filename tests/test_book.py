"""Notebooks and book: thin, without outputs, parameterised alike, and published only when they have
finished."""

import ast
import dataclasses
import io
import json
import re
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import papermill
import pytest
import yaml
from PIL import Image
from projects import project

from xstilts.book import build, pages, tables
from xstilts.errors import UserError
from xstilts.questions import CHAPTERS
from xstilts.study import parameters, profiles
from xstilts.study.profiles import Study

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_thin_and_clean(path):
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(not cell.outputs and cell.execution_count is None for cell in code)
    tagged = [cell for cell in code if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    lines = [
        line
        for cell in code
        if cell not in tagged
        for line in re.sub(r'""".*?"""', "", cell.source, flags=re.DOTALL).splitlines()
        if line.strip()  # what is said is no code
    ]
    assert len(lines) <= 60
    assert max(len(line) for cell in code for line in cell.source.splitlines()) <= 100
    for statement in ast.parse(
        tagged[0].source
    ).body:  # papermill injects after this cell: nothing may be derived
        assert isinstance(statement, ast.Assign)
        ast.literal_eval(statement.value)
    prose = " ".join(cell.source for cell in notebook.cells)
    for part in ("**Question.**", "## What it does not show", "**Run it larger.**"):
        assert part in prose


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_first_cell_has_few_parameters_in_order_and_with_what_they_mean(path):
    meant = {field.name: field.metadata["says"] for field in dataclasses.fields(Study)}
    there = papermill.inspect_notebook(str(path))
    assert list(there) == [name for name in meant if name in there] and 3 <= len(there) <= 10
    assert {name: meant[name] for name in there} == {
        name: found["help"] for name, found in there.items()
    }


def test_all_parameters_stand_in_one_table(tmp_path):
    rows = parameters.table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [
        field.name for field in dataclasses.fields(Study)
    ]
    assert "| `missing` | what is neither stored nor recorded" in parameters.table()
    assert str(pages.PARAMETERS.relative_to("book")) in (ROOT / "book/reproduce.md").read_text()


def test_what_wide_chapters_share_is_one_call():
    cells = [
        cell.source
        for chapter in CHAPTERS
        for cell in nbformat.read(ROOT / "notebooks" / f"{chapter}.ipynb", as_version=4).cells
        if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", [])
    ]
    shared = {source for source in cells if cells.count(source) > len(CHAPTERS) / 2}
    assert shared == {
        f"page.{part}()" for part in ("answers", "differences", "everything", "reading")
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_parameter_reaches_the_study(path):
    code = [
        cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"
    ]
    given = dict(
        data="/no/such/rows"
    )  # the parameter that the imports of a careless cell would hide
    with pytest.raises(UserError, match="/no/such/rows"):
        exec(code[1], {**given, "profile": "mini"})
    names = {"profile": "small", "seeds": [7], "data": "mini", "encoder": "e5-small:3"}
    names["max_length"] = 77  # which no chapter lists
    exec(
        code[1].split("profiles.parameters(globals())")[0] + "profiles.parameters(globals())", names
    )
    study = names["study"]
    assert (study.seeds, study.encoder, study.max_length) == ((7,), "e5-small:3", 77)
    with pytest.raises(UserError, match="unknown parameter 'sedes'; known: .*seeds"):
        exec(code[1], {"profile": "mini", "sedes": [7]})


def test_papers_that_notebooks_link_are_in_the_bibliography():
    known = (ROOT / "book" / "references.bib").read_text()
    named = re.findall(
        r"https://(?:arxiv\.org/abs|aclanthology\.org)/([\w.-]+\w)",
        " ".join(path.read_text() for path in NOTEBOOKS),
    )
    assert len(set(named)) > 3 and all(name in known for name in named)


def test_every_notebook_is_in_the_book():
    assert sorted(build.chapters(ROOT)) == sorted(path.stem for path in NOTEBOOKS)


def test_the_readmes_picture_shows_what_is_recorded(tmp_path, monkeypatch):
    """`xstilts record` draws it anew."""
    monkeypatch.delenv("XSTILTS_RECORDS", raising=False)
    drawn = pd.read_csv(
        io.StringIO(Image.open(ROOT / "book" / "main_result.png").info["Description"])
    )
    now = build.main_result(profiles.study(), tmp_path).reset_index(drop=True)
    assert len(now) == 15 and (drawn[build.CELLS[:2]] == now[build.CELLS[:2]].astype(str)).all(
        axis=None
    )
    np.testing.assert_allclose(drawn[build.CELLS[2:]], now[build.CELLS[2:]], atol=0.05)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A kernel without records, for several chapters: to start one takes longer than most of
    them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XSTILTS_RECORDS", str(tmp_path_factory.mktemp("records")))
        with build.kernel(ROOT) as started:
            yield started


@pytest.fixture(scope="module")
def executed(tiny_encoder, shared, tmp_path_factory):
    """chapter -> the executed notebook, at a smoke size, in a folder that has all that a book is
    built from."""
    root = tmp_path_factory.mktemp("book")
    shutil.copytree(ROOT / "book", root / "book", ignore=shutil.ignore_patterns("chapters"))
    for name in ("_config.yml", "_toc.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    given = dict(
        profile="mini",
        encoder=str(tiny_encoder),
        sizes=[f"{tiny_encoder}:1", str(tiny_encoder)],
        missing="compute",
        scheduler="local",
        intermediates=["commonsenseqa", "mnli"],
        targets=["tatoeba", "udpos"],
        languages=["en", "fi", "hu", "sw"],
        phase1_steps=2,
        phase2_steps=2,
        phase3_steps=2,
        phase1_rows=20,
        phase2_rows=20,
        phase3_rows=20,
        eval_rows=10,
        max_length=64,
    )

    def run(chapter):
        out = root / "book" / "chapters" / f"{chapter}.ipynb"
        if out.is_file():
            return out
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(
                "XSTILTS_STORE", str(root / "store")
            )  # one for all chapters, as in the book, and not each test's own
            return build.run(chapter, out, given, shared)

    return run


@pytest.mark.parametrize("chapter", [path.stem for path in NOTEBOOKS])
def test_every_chapter_runs_at_a_smoke_size(chapter, executed, monkeypatch):
    monkeypatch.chdir(ROOT)
    notebook = nbformat.read(executed(chapter), as_version=4)
    kinds = {
        kind
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        for kind in output.get("data", {})
    }
    assert {"image/png", "text/html"} <= kinds
    text = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    assert "embedded synthetic benchmark" in text
    prose = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for sign in ("{glue", "{cite", ":::", "[^"):  # the book's own markup: JupyterLab shows it raw
        assert sign not in prose and json.dumps(sign)[1:-1] not in text.replace("[^", "")
    said = {
        cell.id: cell.metadata["mystnb"]["image"]["alt"]
        for cell in notebook.cells
        if "image" in cell.metadata.get("mystnb", {})
    }
    for cell in nbformat.read(
        ROOT / "notebooks" / f"{chapter}.ipynb", as_version=4
    ).cells:  # its sentence, then its values
        if "image" in cell.metadata.get("mystnb", {}) and any(
            "image/png" in output.get("data", {})
            for output in notebook.cells[
                [other.id for other in notebook.cells].index(cell.id)
            ].outputs
        ):
            assert re.match(
                re.escape(cell.metadata["mystnb"]["image"]["alt"]) + " .*;", said[cell.id]
            )


def test_the_chapter_on_phase_1_runs_without_a_phase_1(shared, tiny_encoder, tmp_path, monkeypatch):
    """As in the profile `paper`, whose encoder is a masked language model already."""
    monkeypatch.chdir(ROOT)
    given = dict(
        encoder=str(tiny_encoder),
        phase1_steps=0,
        scheduler="local",
        targets=["tatoeba"],
        languages=["en", "fi"],
        eval_rows=10,
        max_length=64,
    )
    notebook = nbformat.read(
        build.run("phase1_encoder", tmp_path / "out.ipynb", given, shared), as_version=4
    )
    text = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    assert "phase 1 is empty" in text and "image/png" in text and "after phase 1" in text


def test_a_wide_chapter_of_which_nothing_was_run_shows_dashes(shared, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    notebook = nbformat.read(
        build.run("multi_task", tmp_path / "out.ipynb", {}, shared), as_version=4
    )
    text = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    assert "not run" in text and "image/png" in text and "none" in text
    assert not re.search(r">(helps|hurts|can't tell)", text)  # in no cell of a table


@pytest.mark.timeout(1500)  # alone it runs every chapter first
def test_nothing_is_trained_twice_in_the_whole_book(executed, monkeypatch):
    monkeypatch.chdir(ROOT)
    root = [executed(path.stem) for path in NOTEBOOKS][0].parents[2]
    log = [json.loads(line) for line in (root / "store" / "log.jsonl").read_text().splitlines()]
    computed = [line["key"] for line in log if line["event"] == "computed"]
    assert len(computed) == len(set(computed)) > 100
    kept = {path.parent.name for path in (root / "store").glob("*/run.json")}
    gone = {line["key"] for line in log if line["event"] == "removed"}
    assert kept | gone == set(computed) and not kept & gone


@pytest.mark.timeout(1500)
def test_the_book_builds_without_warnings(executed, monkeypatch):
    monkeypatch.chdir(ROOT)
    root = [executed(path.stem) for path in NOTEBOOKS][0].parents[2]
    stray = (
        root / ".venv" / "lib" / "template.md"
    )  # what packages bring along is no page of the book
    stray.parent.mkdir(parents=True)
    stray.write_text("---\n{{ data }}\n---\n")
    page = pages.html(root)
    front = (page.parent / "book" / "index.html").read_text()
    assert page.is_file() and "embedded synthetic benchmark" in front
    assert 'role="listitem"' in front and "doc-biblioentry" not in front
    for name in build.chapters(ROOT):
        for image in re.findall(
            "<img [^>]*>",
            (page.parent / "book" / "chapters" / f"{name}.html").read_text().split("<article")[1],
        ):
            assert re.search('alt="[^"]*[a-z]+ [^"]*"', image), (
                f"{name}: a figure without words: {image[:200]}"
            )
    assert "::" not in front.split("<article")[1].split("</article>")[0], "a glued value is missing"


def test_a_book_with_a_fault_leaves_the_one_before(tmp_path):
    project(tmp_path, "book/index")
    (tmp_path / "_build" / "html").mkdir(parents=True)
    (tmp_path / "_build" / "html" / "index.html").write_text("the last good one")
    (tmp_path / "book" / "index.md").write_text("# A book\n\n[nowhere](missing.md)\n")
    with pytest.raises(UserError, match="the book was not built: see the warnings above"):
        pages.html(tmp_path)
    assert (tmp_path / "_build" / "html" / "index.html").read_text() == "the last good one"
    assert sorted(path.name for path in (tmp_path / "_build").iterdir()) == [".locks", "html"]


def test_a_failing_chapter_is_not_published(shared, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    out = tmp_path / "out.ipynb"
    out.write_text("the last good one")
    with pytest.raises(
        papermill.exceptions.PapermillExecutionError, match="unknown profile 'huge'"
    ):
        build.run("single_task", out, {"profile": "huge"}, shared)
    assert out.read_text() == "the last good one"
    assert [path.name for path in tmp_path.iterdir()] == ["out.ipynb"]


def test_a_kernel_that_is_killed_ends_in_words(tmp_path, monkeypatch):
    toy(tmp_path, one="import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        UserError, match="one: its process was ended from outside.*finished runs are kept"
    ):
        build.run("one", tmp_path / "out.ipynb", {})
    assert not list(tmp_path.glob("*.ipynb")) and not list(tmp_path.glob(".running*"))


def toy(folder, parameters=(), **chapters):
    """A book of one code cell a chapter, after its parameters."""
    for name in ("notebooks", "book/recorded"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "_toc.yml").write_text(
        "root: book/index\nchapters:\n" + "".join(f"- file: {name}\n" for name in chapters)
    )
    for name, code in chapters.items():
        cells = [
            nbformat.v4.new_code_cell(
                dict(parameters).get(name, "encoder = 1"), metadata={"tags": ["parameters"]}
            ),
            nbformat.v4.new_code_cell(code),
        ]
        metadata = {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
        nbformat.write(
            nbformat.v4.new_notebook(cells=cells, metadata=metadata),
            folder / "notebooks" / f"{name}.ipynb",
        )


def test_a_chapter_knows_no_names_of_the_one_before(shared, tmp_path, monkeypatch):
    toy(tmp_path, one="import json\nleft = _left = 1", two="print(dir())")
    monkeypatch.chdir(tmp_path)
    build.run("one", tmp_path / "one.ipynb", {}, shared)
    out = nbformat.read(build.run("two", tmp_path / "two.ipynb", {}, shared), as_version=4)
    names = out.cells[-1].outputs[0]["text"]
    assert (
        "'encoder'" in names
        and "'__spec__'" in names
        and not any(f"'{name}'" in names for name in ("left", "_left", "json"))
    )


def test_chapters_that_only_show_run_side_by_side_after_those_that_compute(tmp_path, monkeypatch):
    """one and two each end only when the other has begun."""
    meet = """import pathlib, time
assert pathlib.Path("computed").exists()
pathlib.Path("{own}").touch()
while not pathlib.Path("{other}").exists():
    time.sleep(0.05)"""
    toy(
        tmp_path,
        claims=(
            "import pathlib; assert pathlib.Path('one').exists() and pathlib.Path('two').exists()"
        ),
        one=meet.format(own="one", other="two"),
        two=meet.format(own="two", other="one"),
        computes="open('computed', 'w')",
        parameters={name: 'missing = "dash"' for name in ("claims", "one", "two")},
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XSTILTS_STORE", str(tmp_path / "store"))
    monkeypatch.setattr(build, "READY_KERNEL", build.QUIET_KERNEL)
    monkeypatch.setattr(
        pages,
        "html",
        lambda root: sorted(path.stem for path in (root / "book" / "chapters").glob("*.ipynb")),
    )
    assert build.build() == ["claims", "computes", "one", "two"]
    (tmp_path / "computed").unlink()  # now one and two fail
    toy(
        tmp_path,
        claims="",
        computes="",
        one=meet,
        two="",
        parameters={"claims": 'missing = "dash"', "one": 'missing = "dash"'},
    )
    (tmp_path / "book" / "chapters" / "claims.ipynb").unlink()
    with pytest.raises(papermill.exceptions.PapermillExecutionError, match="AssertionError"):
        build.build()
    assert not (tmp_path / "book" / "chapters" / "claims.ipynb").exists()


def test_the_book_trains_a_short_chain_unless_it_is_asked_for_all(tmp_path, monkeypatch):
    tell = "print(profile, file=open('{}', 'w'))"
    names = ("phase3_target", "one")
    toy(
        tmp_path,
        **{name: tell.format(name) for name in names},
        parameters=dict.fromkeys(names, 'profile = "mini"'),
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(build.pages, "html", lambda root: root)
    for given, live, told in (
        ({}, False, ["chain", "mini"]),
        ({}, True, ["mini", "mini"]),
        ({"profile": "small"}, False, ["small", "small"]),
    ):
        build.build(given, live)
        assert [(tmp_path / name).read_text().strip() for name in names] == told


def test_where_missing_runs_are_computed_chapters_take_turns():
    computing, showing, last = build._turns(ROOT, {})
    assert (
        computing[0] == "phase1_encoder"
        and "rq1" in showing
        and sorted(last) == ["claims", "costs"]
    )
    assert build._turns(ROOT, {"missing": "compute"}) == (
        computing[:4] + showing + computing[4:] + last,
        [],
        [],
    )


def test_an_unknown_parameter_is_refused_before_a_kernel_starts(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(UserError, match="no parameter 'sedes'; known: .*seeds"):
        build.run("single_task", tmp_path / "out.ipynb", {"sedes": 1})


def test_no_second_list_of_versions():
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())
    names = [item for item in conda["dependencies"] if isinstance(item, str)]
    assert names == ["python=3.11", "make", "pip"]


def test_quoted_values_are_what_myst_nb_would_write():
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output
    from myst_nb import glue

    shell = InteractiveShell.instance()
    try:
        with capture_output() as written:
            tables.quote(value=3.14159, count=3, none=float("nan"), name="a")
            for name, text in (("value", "3.1"), ("count", "3"), ("none", "–"), ("name", "a")):
                glue(name, text, display=False)
    finally:
        shell.clear_instance()
    ours, theirs = (
        [(output.data, output.metadata) for output in written.outputs[:4]],
        written.outputs[4:],
    )
    assert ours == [(output.data, output.metadata) for output in theirs] and len(ours) == 4
