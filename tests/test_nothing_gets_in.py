"""Nothing that lies in a folder is run: no pickle, no code beside weights. Text from outside is
text. Names stay inside."""

import ast
import json
import os
import pickle
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from projects import project

from xstilts import cli, data, encoders
from xstilts.book import pages, tables
from xstilts.errors import UserError
from xstilts.runs import store
from xstilts.runs.key import Base
from xstilts.tools import inventory, translate
from xstilts.training import checkpoint

ROOT = Path(__file__).parents[1]
PICKLES = ("pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve")
CODE = sorted((ROOT / "src").rglob("*.py"))


class Evil:
    """Unpickled, it makes a folder."""

    def __init__(self, place):
        self.place = str(place)

    def __reduce__(self):
        return os.mkdir, (self.place,)


@pytest.fixture
def trap(tmp_path):
    """(the bytes of a pickle that makes a folder, that folder)"""
    place = tmp_path / "executed"
    content = pickle.dumps(Evil(place))
    pickle.loads(content)  # it does work
    assert place.is_dir()
    place.rmdir()
    return content, place


# what goes to this process's own workers and comes back, through pipes that nobody else has
# (test_ports.py)
OWN_PIPES = {("processes.py", "pickle"), ("processes.py", "cloudpickle"), ("cluster.py", "pickle")}


def test_the_code_calls_nothing_that_runs_what_it_reads():
    """By its syntax tree: imports of pickle and its kin, torch.load that is not weights_only,
    trust_remote_code, eval."""
    found = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            bad = [
                name
                for name in names
                if name.split(".")[0] in PICKLES and (path.name, name) not in OWN_PIPES
            ]
            if isinstance(node, ast.Call):
                called, options = (
                    ast.unparse(node.func),
                    {option.arg: ast.unparse(option.value) for option in node.keywords},
                )
                bad += [called] * (
                    called
                    in ("eval", "exec", "os.system", "yaml.load", "pd.read_pickle", "np.load")
                )
                bad += ["torch.load"] * (
                    called == "torch.load" and options.get("weights_only") != "True"
                )
                bad += ["shell"] * ("shell" in options) + ["allow_pickle"] * (
                    "allow_pickle" in options
                )
                bad += ["trust_remote_code"] * (
                    options.get("trust_remote_code", "False") != "False"
                )
            if isinstance(node, ast.Dict):
                bad += ["trust_remote_code"] * any(
                    isinstance(name, ast.Constant)
                    and name.value == "trust_remote_code"
                    and ast.unparse(value) != "False"
                    for name, value in zip(node.keys, node.values, strict=True)
                )
            found += [f"{path.name}:{node.lineno} {name}" for name in bad]
    assert CODE and not found


def test_a_pickle_among_weights_is_never_run(tiny_encoder, trap, tmp_path):
    content, executed = trap
    folder = tmp_path / "encoder"
    shutil.copytree(tiny_encoder, folder)
    (folder / "pytorch_model.bin").write_bytes(content)
    assert encoders.load(folder)  # beside safetensors: not looked at
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match="cannot load the encoder"):
        encoders.load(folder)
    with pytest.raises(UserError, match="holds other things than tensors"):
        encoders.bin_to_safetensors(folder)
    torch.save({"weight": Evil(executed)}, folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="holds other things than tensors"):
        encoders.bin_to_safetensors(folder)
    (folder / "model.safetensors").write_bytes(content)  # under a good name
    with pytest.raises(UserError, match="cannot load the encoder"):
        encoders.load(folder)
    assert not executed.exists()


def test_code_beside_weights_is_never_run(tiny_encoder, tmp_path):
    folder, executed = tmp_path / "encoder", tmp_path / "executed"
    shutil.copytree(tiny_encoder, folder)
    config = json.loads((folder / "config.json").read_text())
    own = {"AutoConfig": "own.Own", "AutoModel": "own.Own", "AutoTokenizer": ["own.Own", None]}
    config |= {"model_type": "own", "auto_map": own}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(f"import os\nos.mkdir({str(executed)!r})\nclass Own: pass\n")
    with pytest.raises(UserError, match="cannot load the encoder"):
        encoders.load(folder)
    assert not executed.exists()


def test_a_pickle_in_the_store_or_among_rows_is_never_run(trap, tmp_path):
    content, executed = trap
    root, run = store.default_root(), Base("e", "e")
    (root / ".locks").mkdir(parents=True)
    with store.writing(root, run) as folder:
        (folder / "model.safetensors").write_bytes(b"weights")
    for name in ("model.safetensors", "run.json", "evil.pkl"):
        (store.folder_of(root, run) / name).write_bytes(content)
    (root / f".writing-{'a' * 20}-1").mkdir()
    (root / f".writing-{'a' * 20}-1" / checkpoint.FILE).write_bytes(content)
    store._verified.clear()
    assert (
        inventory.verify(root)[1] == 1 and inventory.listed(root) and store.find(root, run) is None
    )
    assert checkpoint.read(root / f".writing-{'a' * 20}-1" / checkpoint.FILE) is None
    place = tmp_path / "rows" / "xnli" / "en"
    place.mkdir(parents=True)
    extension = {
        "ARROW:extension:name": "arrow.py_extension_type",
        "ARROW:extension:metadata": content,
    }
    schema = pa.schema(
        [pa.field(name, pa.string(), metadata=extension) for name in ("premise", "hypothesis")]
        + [pa.field("label", pa.int64())],
        metadata={"huggingface": content, "pandas": content},
    )
    pq.write_table(
        pa.table(
            {"premise": ["a"] * 3, "hypothesis": ["b"] * 3, "label": [0, 1, 2]}, schema=schema
        ),
        place / "test.parquet",
    )
    try:
        data.load("xnli", "test", "en", str(tmp_path / "rows"))
    except UserError as error:
        assert "test.parquet" in str(error)
    assert not executed.exists()


SCRIPT = "document.documentElement.setAttribute('data-hit', '1')"
PAYLOADS = {
    "script": f"<script>{SCRIPT}</script>",
    "image": f'<img src=x onerror="{SCRIPT}">',
    "svg": f'<svg onload="{SCRIPT}"></svg>',
    "link": f"[click](javascript:{SCRIPT})",
    "anchor": f'<a id="hit" href="javascript:{SCRIPT}">click</a>',
    "end of a cell": f"</td></tr></table><script>{SCRIPT}</script>",
    "comment": f"--><script>{SCRIPT}</script>",
    "formula": r"\(\href{javascript:alert(1)}{x}\) $$x$$",
    "directive": "{raw} html",
    "escape": "\x1b[31mred\x1b[0m \x07",
    "entity": "&lt;script&gt;",
    "turned": "a\u202eb",
    "quote": "\"' onmouseover=alert(1)",
    "cdata": "]]><script>1</script>",
}


def chromium():
    found = next(
        (
            path
            for name in ("chromium", "chromium-browser", "google-chrome")
            if (path := shutil.which(name))
        ),
        None,
    )
    if not found:
        pytest.skip("no Chromium here: pages cannot be rendered in a real browser")
    return found


def rendered(page, tmp_path):
    """The document as the browser has it after its scripts ran."""
    done = subprocess.run(
        [
            chromium(),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=2000",
            f"--user-data-dir={tmp_path / 'browser'}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def hits(document):
    return (
        'data-hit="1"' in document
        or '<a id="hit"' in document
        or re.search('<[a-z][^>]*href="javascript:', document)
    )


def test_the_browser_would_show_an_attack(tmp_path):
    """Without escaping the payloads do act: otherwise the next test would prove nothing."""
    (tmp_path / "page.html").write_text("<html><body>" + PAYLOADS["script"] + "</body></html>")
    assert hits(rendered(tmp_path / "page.html", tmp_path))


def test_rows_names_and_figures_of_a_built_book_are_text_in_a_real_browser(tmp_path, monkeypatch):
    """A page made as every chapter is (a table, a quoted value, a figure, printed text), built by
    jupyter-book."""
    import nbclient
    import nbformat

    root = project(tmp_path / "project", "book/chapters/page")
    (root / "book" / "chapters").mkdir()
    (tmp_path / "payloads.json").write_text(json.dumps(PAYLOADS))
    source = f"""import json, pandas as pd
from xstilts.book import figures, tables
from xstilts.study import profiles
payloads = json.load(open({str(tmp_path / "payloads.json")!r}))
study = profiles.study(data="mini")
table = pd.DataFrame(
    [{{"intermediate": text, "target": text, text: text}} for text in payloads.values()]
)
tables.FIRST = 0  # all columns are on the page at once
for number, text in enumerate(payloads.values()):
    tables.quote(**{{f"value{{number}}": text}})
tables.show(table)"""
    figure = """%config InlineBackend.figure_formats = ["svg"]
import dataclasses
same = dict(target="xnli", metric="accuracy", layer=-1, value=50.0, baseline=33.0, n=9, seed=0)
rows = [dict(condition=text, language=text, **same) for text in list(payloads.values())[:9]]
figures.by_language(dataclasses.replace(study, encoder=payloads["svg"]), pd.DataFrame(rows))"""
    cells = [
        nbformat.v4.new_markdown_cell(
            "# Page\n\n"
            + "\n".join(f"- {{glue:text}}`value{number}`" for number in range(len(PAYLOADS)))
        ),
        *map(nbformat.v4.new_code_cell, [source, figure, "print(*payloads.values(), sep=chr(10))"]),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, kernel_name="python3").execute()
    nbformat.write(notebook, root / "book" / "chapters" / "page.ipynb")
    page = pages.html(root).with_name("book") / "chapters" / "page.html"

    def escaped(document):
        told = re.sub("<[^>]*>", "", document)
        for name in ("script", "image", "svg", "anchor", "end of a cell"):
            text = PAYLOADS[name].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            assert told.count(text) >= 4, (
                name
            )  # heading and two cells of the table, the quoted value, what was printed

    escaped(page.read_text())
    document = rendered(
        page, tmp_path
    )  # skips where there is no browser: the file itself was looked at
    assert not hits(document)
    escaped(document)
    assert 'class="mathjax_ignore' in document and "\x1b" not in document
    # the table is the library's now, read from disk without a network: the escapes above hold after
    # it, too
    assert (
        document.count('<button class="dt-button') == 1
        and 'type="search"' in document
        and "dt-orderable-asc" in document
    )


def test_what_is_printed_cannot_steer_a_terminal(capsys, tmp_path):
    assert cli.main(["ccgbank", str(tmp_path / "\x1b[2J\x07"), "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "\x1b" not in told and "\x07" not in told and "\u241b[2J" in told
    store.report(store.default_root(), "found", Base("\x1b]0;title\x07", "x"))
    assert "\x1b" not in capsys.readouterr().out
    shown = tables.show(pd.DataFrame({"text": ["\x1b[31m \u202e \x00"]})).data
    assert "\u241b[31m" in shown and not set("\x1b\u202e\x00") & set(shown)


@pytest.mark.parametrize("language", ["../../x", "/etc", "a/b", "..", "", "fi\0", "x" * 300])
def test_a_translation_stays_in_its_folder(tmp_path, language):
    with pytest.raises(UserError, match="unknown language"):
        translate.translate(
            "mnli", [language], "mini", tmp_path / "out", lambda texts, language: texts, "model", 2
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("outside", ["../../outside", "{tmp_path}/outside", "a/../../../outside"])
def test_an_artifact_from_elsewhere_stays_in_its_folder(outside, tmp_path, monkeypatch, capsys):
    """A remote whose manifest names a file above the artifact, or anywhere on the disk."""
    from xstilts.runs.key import key

    run, root, remote = Base("e", "e"), tmp_path / "deep" / "store", tmp_path / "deep" / "remote"
    (remote / key(run)).mkdir(parents=True)
    sums = {outside.format(tmp_path=tmp_path): "0" * 64}
    (remote / key(run) / "run.json").write_text(json.dumps({"key": key(run), "sha256": sums}))
    (tmp_path / "deep" / "outside").write_text("x")
    monkeypatch.setenv("XSTILTS_REMOTE", remote.as_uri())
    assert store.find(root, run) is None and "is not in the folder" in capsys.readouterr().out
    assert [path.parent.name for path in tmp_path.rglob("outside")] == ["deep"]
    assert {path.name for path in root.rglob("*") if path.is_file()} == {"log.jsonl", "run.json"}


def test_the_lab_listens_on_this_machine_alone_and_asks_for_its_token(tmp_path):
    told = subprocess.run(["make", "--dry-run", "lab"], cwd=ROOT, capture_output=True, text=True)
    line = next(line for line in told.stdout.splitlines() if "jupyter lab" in line)
    options = shlex.split(line.split("jupyter lab")[1])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "jupyter",
            "lab",
            *options,
            "--no-browser",
            f"--port={port}",
            "--allow-root",
        ],
        cwd=tmp_path,
        env=os.environ
        | {
            name: str(tmp_path / name)
            for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR")
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        told = {}
        for _ in range(300):
            files = list((tmp_path / "JUPYTER_RUNTIME_DIR").glob("jpserver-*.json"))
            if files and (text := files[0].read_text()).strip().endswith("}"):
                told = json.loads(text)
                break
            assert server.poll() is None, "the lab did not start"
            time.sleep(0.1)
        assert told["hostname"] == "127.0.0.1" and len(told["token"]) >= 32
        address = f"http://127.0.0.1:{told['port']}/api/contents"
        for _ in range(50):
            try:
                urllib.request.urlopen(address)
                pytest.fail("the lab answers without its token")
            except urllib.error.HTTPError as error:
                assert error.code == 403
                break
            except urllib.error.URLError:
                time.sleep(0.1)
        assert urllib.request.urlopen(f"{address}?token={told['token']}").status == 200
        with socket.socket() as other, pytest.raises(OSError):
            other.connect(
                ("127.0.0.2", told["port"])
            )  # bound to every address it would answer here, too
    finally:
        server.terminate()
        server.wait(20)
