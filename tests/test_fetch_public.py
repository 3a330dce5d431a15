"""The folder of the study on real rows is made from public repositories: what is damaged, gone or
refused ends in a line, with nothing half written, and the rest is made. Of made-up repositories, on
the loopback address and as clones."""

import errno
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from xstilts import cli, data, files, hub_faults
from xstilts.data import layout
from xstilts.errors import UserError
from xstilts.public_rows import pairs, raw, rows, sources, tags
from xstilts.public_rows.formats import Raw
from xstilts.tasks.table import TASKS
from xstilts.tools import fetch
from xstilts.tools.fetch import public

PAIRS, TAGS = "org/pairs:data/dev de.tsv", "org/tags:test.txt"
CONTENT = {
    PAIRS: b'Ein "Satz.\tNoch einer.\tneutral\nZwei.\tKeiner.\tcontradiction\n',
    TAGS: b"Maji NOUN\n. PUNCT\n\nHabari NOUN\n",
}
TABLES = (
    sources.Table("xnli/de/validation", (PAIRS,), pairs.xnli_validation, sources.PAIR),
    sources.Table(
        "masakhapos/swa/test",
        (TAGS,),
        tags.masakhapos,
        {"id": "string", "tokens": ["string"], "upos": [tags.UPOS_OF_UD]},
    ),
)
PAIRS_FILE, TAGS_FILE = (table.name for table in TABLES)
AUTHOR = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]


def git(folder, *arguments):
    done = subprocess.run(
        ["git", "-C", str(folder), *AUTHOR, *arguments], check=True, capture_output=True
    )
    return done.stdout.decode().strip()


@pytest.fixture
def clones(tmp_path):
    """A clone with a work tree, and a bare one; their commits are those of the table."""
    for reference, content in CONTENT.items():
        repository, path = reference.split(":")
        place = tmp_path / "clones" / repository / path
        place.parent.mkdir(parents=True)
        place.write_bytes(content)
        git(tmp_path / "clones" / repository, "init", "-q")
        git(tmp_path / "clones" / repository, "add", "-A")
        git(tmp_path / "clones" / repository, "commit", "-qm", "rows")
    bare, whole = tmp_path / "clones" / "org+tags" / "repo", tmp_path / "clones" / "org" / "tags"
    subprocess.run(["git", "clone", "-q", "--bare", str(whole), str(bare)], check=True)
    shutil.rmtree(whole)
    return tmp_path / "clones"


@pytest.fixture
def host(server, clones, monkeypatch):
    """Two repositories with a file each, and what is known of them."""
    files_known, tables_known = {}, {}
    places = {PAIRS: clones / "org" / "pairs", TAGS: clones / "org+tags" / "repo"}
    for reference, content in CONTENT.items():
        repository, path = reference.split(":")
        commit = git(places[reference], "rev-parse", "HEAD")
        checksum = hashlib.sha256(content).hexdigest()
        files_known[reference] = raw.File(repository, commit, path, len(content), checksum)
    monkeypatch.setattr(raw, "known", lambda: files_known)
    monkeypatch.setattr(raw, "HOST", server.large)
    for table in TABLES:
        made = table.rows(lambda reference: Raw("", CONTENT[reference]))
        content = rows.parquet(made, table.columns)
        tables_known[table.path] = sources.Known(
            len(made), hashlib.sha256(content).hexdigest(), rows.digest(made, table.columns)
        )
    monkeypatch.setattr(public, "known", lambda: tables_known)
    monkeypatch.setattr(public, "tables", lambda: TABLES)
    mend(server)
    yield server
    raw.content.cache_clear()


def mend(server):
    """All files are there again, whole."""
    raw.content.cache_clear(), hub_faults._in_vain.clear()
    server.fault = lambda method, path: ""
    server.plain = {place(reference): content for reference, content in CONTENT.items()}


def place(reference):
    return raw.known()[reference].address.removeprefix(raw.HOST)


def there(folder):
    """All files in it, hidden ones too, but for what tells of it."""
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return found - {"fetched.json", "xstilts.toml"}


def answers(change):
    """The host has something else in the place of the pairs."""
    return lambda server: server.plain.update({place(PAIRS): change})


def fault(kind):
    def put(server):
        server.fault = lambda method, path: kind if path == place(PAIRS) else ""

    return put


def loop(server):
    server.plain[place(PAIRS)] = server.large + place(PAIRS)


PAGE = b"<!DOCTYPE html><html>Not what you look for</html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
OTHER = CONTENT[PAIRS].replace(b"Noch", b"Nach")
DAMAGED = {
    "cut by the connection": (fault("truncated"), "'org/pairs' cannot be reached"),
    "cut before": (answers(CONTENT[PAIRS][:20]), "it is cut short: 20 of 59 bytes"),
    "empty": (answers(b" "), "it is cut short: 1 of"),
    "a byte is another": (answers(OTHER), "it has other bytes than the file that the study read"),
    "a line more": (answers(CONTENT[PAIRS] + b"x\ty\tneutral\n"), "it is longer than it was"),
    "a page": (answers(PAGE), "a page of HTML came in its place"),
    "a page of the way": (fault("no answer of a Hub"), "a page of HTML came in its place"),
    "a pointer": (answers(POINTER), "a pointer to large file storage came in its place"),
    "renamed": (lambda server: server.plain.pop(place(PAIRS)), "does not give.*404.*renamed or"),
    "private": (fault("gated, refused"), "does not give what is looked for .*403"),
    "who are you": (fault("bad token"), "does not give what is looked for .*401"),
    "too often": (fault("429"), r"the host asks to wait, too many requests \(429\)"),
    "an error": (fault("500"), r"the host has an error of its own \(500\)"),
    "away": (fault("503"), r"the host has an error of its own \(503\)"),
    "reset": (fault("reset"), "'org/pairs' cannot be reached"),
    "redirect loop": (loop, "cannot be read.*TooManyRedirects"),
    "moved to nowhere": (
        lambda server: server.plain.update({place(PAIRS): f"{server.large}/nowhere"}),
        "does not give what is looked for .*404",
    ),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_what_the_host_damages_is_told_and_the_rest_is_made(kind, host, tmp_path, capsys):
    damage, words = DAMAGED[kind]
    damage(host)
    with pytest.raises(UserError, match=f"(?s)1 file could not.*{words}.*\n    {PAIRS_FILE}"):
        public.fetch_public(tmp_path / "rows")
    assert there(tmp_path / "rows") == {TAGS_FILE}
    mend(host)
    public.fetch_public(tmp_path / "rows")
    assert there(tmp_path / "rows") == {TAGS_FILE, PAIRS_FILE}
    assert fetch.verify(tmp_path / "rows") == []


def other_commit(clones):
    shutil.rmtree(clones / "org" / "pairs" / ".git")
    git(clones / "org" / "pairs", "init", "-q")
    git(clones / "org" / "pairs", "commit", "-qm", "other rows", "--allow-empty")


def lost_object(clones):
    name = git(clones / "org" / "pairs", "rev-parse", "HEAD:data/dev de.tsv")
    (clones / "org" / "pairs" / ".git" / "objects" / name[:2] / name[2:]).unlink()


def partial(clones):
    """Without contents, which git would ask its origin for."""
    whole = clones / "org" / "pairs"
    git(whole, "config", "uploadpack.allowFilter", "true")
    shutil.move(whole, clones / "origin")
    options = ["--filter=blob:none", "--no-checkout", "-q"]
    git(clones, "clone", *options, (clones / "origin").as_uri(), str(whole))


def plain(content):
    def put(clones):
        shutil.rmtree(clones / "org" / "pairs" / ".git")
        (clones / "org" / "pairs" / "data" / "dev de.tsv").write_bytes(content)

    return put


def pipe(clones):
    plain(b"")(clones)
    (clones / "org" / "pairs" / "data" / "dev de.tsv").unlink()
    os.mkfifo(clones / "org" / "pairs" / "data" / "dev de.tsv")


DAMAGED_CLONES = {
    "none": (lambda clones: shutil.rmtree(clones / "org"), "has no clone of org/pairs. Put one"),
    "another commit": (other_commit, "does not have the commit .*git -C .* fetch origin"),
    "a lost object": (lost_object, "not the content of data/dev de.tsv .*Clone it whole"),
    "a partial clone": (partial, "not the content of data/dev de.tsv .*Clone it whole"),
    "a plain file, changed": (plain(OTHER), "it has other bytes"),
    "a plain file, longer": (plain(OTHER * 2), "dev de.tsv: longer than the"),
    "a pipe": (pipe, "is a named pipe, where a file is expected"),
}


@pytest.mark.parametrize("kind", DAMAGED_CLONES)
def test_what_is_wrong_with_a_clone_is_told_and_the_rest_is_made(kind, host, clones, tmp_path):
    damage, words = DAMAGED_CLONES[kind]
    damage(clones)
    with pytest.raises(UserError, match=f"(?s)1 file could not.*{words}"):
        public.fetch_public(tmp_path / "rows", clones=clones)
    assert there(tmp_path / "rows") == {TAGS_FILE} and not host.asked


def test_a_path_that_the_commit_does_not_have_is_told(host, clones, tmp_path, monkeypatch):
    known = raw.known()
    renamed = {PAIRS: raw.File(*[*vars(known[PAIRS]).values()][:2], "gone.tsv", 60, "0" * 64)}
    monkeypatch.setattr(raw, "known", lambda: known | renamed)
    with pytest.raises(UserError, match="not the content of gone.tsv"):
        public.fetch_public(tmp_path / "rows", clones=clones)


def test_a_clone_without_git_is_told(host, clones, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="(?s)2 files could.*cannot be read without git"):
        public.fetch_public(tmp_path / "rows", clones=clones)


@pytest.mark.parametrize("full", ["xnli", "fetched.json", "xstilts.toml"])
def test_a_full_disk_leaves_nothing_half_written(full, host, tmp_path, monkeypatch):
    """Whatever file it is that does not fit."""
    folder, before = tmp_path / "rows", Path.write_bytes

    def write_bytes(path, content):
        if full in str(path):
            before(path, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return before(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", write_bytes)
        with pytest.raises(UserError, match="(?i)no space left.*ake room"):
            public.fetch_public(folder)
    assert there(folder) <= {PAIRS_FILE}
    public.fetch_public(folder)
    assert there(folder) == {TAGS_FILE, PAIRS_FILE}


def test_a_file_in_the_place_of_a_folder_is_told(host, tmp_path):
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows" / "xnli").write_text("")
    with pytest.raises(UserError, match="1 file could not"):
        public.fetch_public(tmp_path / "rows")
    assert there(tmp_path / "rows") == {"xnli", TAGS_FILE}


def test_other_rows_and_another_writer_are_refused_by_name(host, tmp_path, monkeypatch):
    """Also where the raw file is what it was."""
    made = sources.Table(
        "xnli/de/validation", (PAIRS,), lambda file: pairs.xnli_validation(file)[:1], sources.PAIR
    )
    with monkeypatch.context() as patch:
        patch.setattr(public, "tables", lambda: (made,))
        with pytest.raises(UserError, match="1 rows came out, which are not those"):
            public.fetch_public(tmp_path / "rows")
    monkeypatch.setattr(rows, "COMPRESSION", {"compression": "none"})
    with pytest.raises(UserError, match="the rows are those .*Install pyarrow"):
        public.fetch_public(tmp_path / "rows")
    assert there(tmp_path / "rows") == set()


@pytest.mark.parametrize("where", ["host", "clones"])
def test_the_folder_is_read_like_the_studys_and_goes_on_where_it_stopped(
    where, host, clones, tmp_path, capsys
):
    folder, given = tmp_path / "rows", {} if where == "host" else {"clones": clones}
    found = public.fetch_public(folder, "xnli", **given)
    assert [*found] == [PAIRS_FILE] == [*there(folder)]
    assert "XNLI: Conneau" in capsys.readouterr().out
    asked = list(host.asked)
    assert set(public.fetch_public(folder, **given)) == {PAIRS_FILE, TAGS_FILE}
    again = host.asked[len(asked) :]
    assert not again if given else [line.split()[1] for line in again] == [place(TAGS)]
    assert [row["texts"] for row in data.load("xnli", "validation", "de", str(folder))] == [
        ('Ein "Satz.', "Noch einer."),
        ("Zwei.", "Keiner."),
    ]
    entry = json.loads((folder / "fetched.json").read_text())[PAIRS_FILE]
    assert entry["rows"] == 2 and entry["licence"] == "CC BY-NC 4.0, parts OANC"
    assert entry["from"].startswith("org/pairs@") and fetch.verify(folder) == []
    (folder / PAIRS_FILE).write_bytes(b"other")
    public.fetch_public(folder, **given)
    assert fetch.verify(folder) == []


def test_the_folder_is_laid_out_like_the_studys_whatever_its_name(host, tmp_path):
    """Its own xstilts.toml says what this project knows of a folder that is called realdata."""
    public.fetch_public(tmp_path / "rows")
    known = tmp_path / "realdata"
    known.mkdir()
    for name in ("MANIFEST.json", "SOURCES.md"):
        (known / name).write_text("")
    assert layout.state(str(known))[1] == layout.SHIPPED != layout.state(str(tmp_path / "rows"))[1]
    for row in TASKS.values():
        made, theirs = (
            [
                (place.source.local, place.source.names, place.source.splits, place.columns)
                for place in layout.places(row, str(folder))
            ]
            for folder in (tmp_path / "rows", known)
        )
        assert made == theirs


def test_a_layout_of_ones_own_is_not_overwritten(host, tmp_path):
    folder, mine = tmp_path / "rows", '["xnli/{language}"]\nfolder = "mine/{language}"\n'
    folder.mkdir()
    (folder / "xstilts.toml").write_text(mine)
    with pytest.raises(UserError, match="xstilts.toml is another layout.*Remove it"):
        public.fetch_public(folder)
    assert (folder / "xstilts.toml").read_text() == mine and there(folder) == set()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--public", "--only", "xnli,foo\x1b"], "'foo␛' is no data set; known: xnli"),
        (["--public", "--from", "nowhere"], "nowhere is no folder"),
        (["--only", "xnli"], "--only, --from and --compare go with --public"),
    ],
)
def test_a_slip_is_told(arguments, words, tmp_path, capsys):
    assert cli.main(["fetch", str(tmp_path / "rows"), *arguments]) == 2
    assert words in capsys.readouterr().err and not (tmp_path / "rows").exists()


def test_the_command_makes_the_files(host, clones, tmp_path, capsys):
    folder = str(tmp_path / "rows")
    assert cli.main(["fetch", folder, "--public", "--from", str(clones)]) == 0
    assert f"{folder} has 2 files" in capsys.readouterr().out
    assert cli.main(["fetch", folder, "--verify"]) == 0


@pytest.mark.timeout(1800)
def test_clones_give_the_studys_files(tmp_path):
    """To the byte, all of them."""
    if "XSTILTS_CLONES" not in os.environ:
        pytest.skip("set XSTILTS_CLONES to a folder with clones of the repositories in raw.tsv")
    found = public.fetch_public(tmp_path, clones=Path(os.environ["XSTILTS_CLONES"]))
    assert len(found) == 232
    for path, known in sources.known().items():
        assert files.sha256(tmp_path / f"{path}.parquet") == known.sha256, path
