"""What is in the place of a file and is none: a pipe, a device, a socket, a folder, a link that
leads nowhere. It is refused by name and at once, for to read it might never end; hidden files are
nobody's rows."""

import os
import re
import socket
import stat
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from xstilts import data
from xstilts.data import parquet
from xstilts.data.layout import FILE
from xstilts.errors import UserError
from xstilts.study import profiles


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "udpos" / "English"
    place.mkdir(parents=True)
    for split in ("train", "validation", "test"):
        pq.write_table(
            pa.table({"tokens": [["a", "b"]] * 40, "pos_tags": [[0, 1]] * 40}),
            place / f"{split}.parquet",
        )
    return tmp_path


def device(path):
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero
    except PermissionError:
        path.symlink_to("/dev/zero")


def a_socket(path):
    there = os.getcwd()
    os.chdir(path.parent)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(there)


def loop(path):
    path.symlink_to(path.name)


THINGS = {
    "pipe": (os.mkfifo, "is a named pipe, where a file is expected"),
    "device": (device, "is a device"),
    "socket": (a_socket, "is a socket"),
    "folder": (lambda path: path.mkdir(), "is a folder"),
    "dead link": (lambda path: path.symlink_to("lost"), "is a link that leads nowhere"),
    "loop": (loop, r"is a link that leads nowhere \(Too many levels"),
    "link to a pipe": (
        lambda path: (os.mkfifo(path.parent / "pipe"), path.symlink_to("pipe")),
        "is a named pipe",
    ),
    "link to null": (lambda path: path.symlink_to("/dev/null"), "is a device"),
}


def within(seconds, function):
    """What the function raised, if it ended in time."""
    found = []

    def run():
        try:
            function()
        except UserError as error:
            found.append(str(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it hangs"
    return " ".join(found)


LOOKS = {
    "study": lambda source: profiles.study(data=source, targets="udpos"),
    "languages": lambda source: data.languages("udpos", source),
    "rows": lambda source: data.load("udpos", "test", "en", source),
    "fingerprint": lambda source: data.fingerprint("udpos", "test", ("en",), source),
    "text": lambda source: data.fingerprint("text", "train", ("en",), source),
    "vocabulary": lambda source: [*data.texts(source)],
    "fingerprint of texts": data.texts_fingerprint,
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("thing", THINGS)
@pytest.mark.parametrize("name", ["udpos/English/test.parquet", "udpos/English/more.parquet", FILE])
def test_what_is_no_file_is_refused_by_name(name, thing, look, folder):
    make, words = THINGS[thing]
    (folder / name).unlink(missing_ok=True)
    make(folder / name)
    error = within(5, lambda: LOOKS[look](str(folder)))
    assert (folder / name).name in error and re.search(words, error), error


@pytest.mark.parametrize(
    "make", [loop, lambda path: path.symlink_to("lost")], ids=["loop", "dead link"]
)
def test_a_language_whose_folder_is_a_link_that_leads_nowhere_is_not_lost_in_silence(make, folder):
    make(folder / "udpos" / "German")
    with pytest.raises(UserError, match="German: is a link that leads nowhere"):
        data.languages("udpos", str(folder))


def test_a_folder_that_may_not_be_read_is_not_lost_in_silence(folder, monkeypatch):
    def forbidden(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(parquet.os, "scandir", forbidden)
    with pytest.raises(UserError, match=r"udpos: cannot be read \(Permission denied\)"):
        data.languages("udpos", str(folder))


def test_links_to_files_and_folders_are_followed(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (folder / "udpos" / "English").rename(elsewhere / "English")
    (folder / "udpos" / "English").symlink_to(elsewhere / "English")
    (elsewhere / "English" / "test.parquet").rename(elsewhere / "rows")
    (elsewhere / "English" / "test.parquet").symlink_to(elsewhere / "rows")
    assert len(data.load("udpos", "test", "en", str(folder))) == 40


@pytest.mark.parametrize("name", ["._test.parquet", ".test.parquet", "._more.parquet"])
def test_hidden_files_are_nobodys_rows(folder, name):
    """macOS writes such files beside every file on disks that are not its own."""
    source = str(folder)
    looks = {look: LOOKS[look](source) for look in LOOKS}
    (folder / "udpos" / "English" / name).write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
    (folder / "udpos" / "._English").write_bytes(b"\0\5\x16\7")
    (folder / "udpos" / ".cache").mkdir()
    (folder / "udpos" / ".cache" / "test.parquet").write_bytes(b"")
    assert {look: LOOKS[look](source) for look in LOOKS} == looks


def test_a_file_that_claims_billions_of_rows_is_refused(folder, monkeypatch):
    monkeypatch.setattr(parquet, "MOST_ROWS", 30)
    with pytest.raises(
        UserError, match="test.parquet: 40 rows, which is more than a study can read"
    ):
        data.load("udpos", "test", "en", str(folder))
