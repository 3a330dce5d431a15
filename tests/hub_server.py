"""A Hub on the loopback address, with as much of the Hub's protocol as `datasets`,
`huggingface_hub` and `transformers` use.

    server = hub_server.start()                # one a process, at the address of HF_ENDPOINT
    server.add("dataset", "org/name", {"README.md": b"..."}, "main")
    server.fault = lambda method, path: "500" if "/tree/" in path else ""

Large files (parquet, safetensors, bin) lie on a second origin, as on the Hub. `asked` lists what
was requested. The libraries read HF_ENDPOINT once, when they are imported: this module is to be
imported before them. Nothing here reaches a network.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import re
import shutil
import socket
import struct
import tempfile
import threading
from dataclasses import dataclass, field
from functools import cache, lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, unquote, urlsplit

LARGE = (".parquet", ".safetensors", ".bin")
PAGE = 1000  # entries of a listing in one answer
# fault -> status, headers, body; "truncated", "reset" and "moved" are made by hand
FAULTS = {
    "gated, nobody": (
        401,
        {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"},
    ),
    "gated, refused": (403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "not authorized"}),
    "bad token": (401, {"X-Error-Message": "Invalid credentials in Authorization header"}),
    "gone": (401, {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}),
    "revision gone": (404, {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "Invalid rev"}),
    "file gone": (404, {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}),
    "429": (429, {"Retry-After": "1"}),
    "500": (500, {}),
    "502": (502, {}),
    "503": (503, {}),
    "no answer of a Hub": (200, {"Content-Type": "text/html"}),
}
KINDS = ("truncated", "reset", "moved", *FAULTS)


@dataclass
class Repository:
    name: str
    kind: str  # dataset or model
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    always: str = ""  # a fault at every request
    moved: str = ""  # its new name

    def files(self, revision: str) -> tuple[str, dict[str, bytes]]:
        commit = self.branches.get(revision, revision)
        return commit, self.commits[commit]  # KeyError: there is no such revision


@cache
def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def blob(content: bytes) -> str:
    """The name that git gives the file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Server:
    def __init__(self, port: int) -> None:
        self.forget()
        self._origins = []
        for handler, at in ((_Hub, port), (_Large, 0)):
            origin = ThreadingHTTPServer(("127.0.0.1", at), handler)
            origin.daemon_threads, origin.hub = True, self
            origin.handle_error = lambda *_: None  # a client that went away is no error here
            threading.Thread(
                target=origin.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
            ).start()
            self._origins.append(origin)
        self.address, self.large = (
            f"http://127.0.0.1:{origin.server_address[1]}" for origin in self._origins
        )

    def forget(self) -> None:
        """As it was when it started: nothing there, no faults."""
        self.repositories: dict[tuple[str, str], Repository] = {}
        # other files, by path: no repository's; or the address that one has moved to
        self.plain: dict[str, bytes | str] = {}
        self.asked: list[str] = []
        self.unknown: list[
            str
        ] = []  # requests that the Hub would know, perhaps, and this one does not
        self.fault = lambda method, path: ""

    def add(self, kind: str, name: str, files: dict[str, bytes], revision: str = "main") -> str:
        """A commit with these files: as the branch's head, or under the name `revision` if that is
        a commit's."""
        repository = self.repositories.setdefault((kind, name), Repository(name, kind))
        commit = revision
        if not re.fullmatch("[0-9a-f]{40}", revision):
            parts = "".join(f"{path}{_sha256(content)}" for path, content in sorted(files.items()))
            commit = hashlib.sha1(parts.encode()).hexdigest()
            repository.branches[revision] = commit
        repository.commits[commit] = files
        return commit


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_) -> None:
        pass

    def do_HEAD(self) -> None:
        self._served()

    def do_GET(self) -> None:
        self._served()

    def do_POST(self) -> None:
        self._body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._served()

    def _served(self) -> None:
        hub = self.server.hub
        hub.asked.append(f"{self.command} {self.path}")
        self._fault = hub.fault(self.command, self.path)
        if self._fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return self.connection.close()
        if self._fault in FAULTS:
            status, headers = FAULTS[self._fault]
            return self._send(
                status, b"<html>a page</html>" if status in (200, 502) else b"{}", headers
            )
        self.answer()

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        headers = {"Content-Type": "application/json"} | (headers or {})
        asked = (
            re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            if status == 200
            else None
        )
        if asked and "ETag" in headers:
            first, last = int(asked[1]), min(int(asked[2] or len(content) - 1), len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            status, content = 206, content[first : last + 1]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            if self._fault == "truncated":
                content, self.close_connection = content[: len(content) // 2], True
            self.wfile.write(content)

    def _json(self, found: object, headers: dict[str, str] | None = None) -> None:
        self._send(200, json.dumps(found).encode(), headers)

    def _refuse(self, fault: str) -> None:
        status, headers = FAULTS[fault]
        self._send(status, b"{}", headers)


class _Large(_Handler):
    """The second origin: files by their checksums, and plain files by their paths."""

    def answer(self) -> None:
        content = self.server.hub.plain.get(self.path) or next(
            (
                content
                for repository in self.server.hub.repositories.values()
                for files in repository.commits.values()
                for content in files.values()
                if self.path == f"/large/{_sha256(content)}"
            ),
            None,
        )
        if content is None:
            return self._send(404, b"")
        if isinstance(content, str):  # where it has moved to
            return self._send(302, b"", {"Location": content})
        self._send(
            200,
            content,
            {
                "ETag": f'"{_sha256(content)}"',
                "Accept-Ranges": "bytes",
                "Content-Type": "application/octet-stream",
            },
        )


class _Hub(_Handler):
    def answer(self) -> None:
        path = urlsplit(self.path).path
        api = re.fullmatch(r"/api/(datasets|models)/([^/]+/[^/]+)(?:/(.*))?", path)
        file = re.fullmatch(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        if not api and not file:
            self.server.hub.unknown.append(f"{self.command} {self.path}")
            return self._send(404, b"{}")
        kind = "dataset" if (api or file)[1] in ("datasets", "datasets/") else "model"
        repository = self.server.hub.repositories.get((kind, (api or file)[2]))
        if repository is None:
            return self._refuse("gone")
        if repository.moved or self._fault == "moved":
            target = repository.moved or f"{repository.name}-moved"
            return self._send(307, b"{}", {"Location": self.path.replace(repository.name, target)})
        if repository.always:
            return self._refuse(repository.always)
        try:
            if file:
                return self._file(repository, unquote(file[3]), unquote(file[4]))
            self._api(repository, *(api[3] or "").split("/", 2))
        except KeyError:
            self._refuse("revision gone")

    def _api(
        self, repository: Repository, what: str, revision: str = "main", below: str = ""
    ) -> None:
        if what == "refs":
            heads = [
                {
                    "name": name,
                    "ref": name if "/" in name else f"refs/heads/{name}",
                    "targetCommit": commit,
                }
                for name, commit in repository.branches.items()
            ]
            return self._json({"tags": [], "converts": [], "branches": heads})
        commit, files = repository.files(unquote(revision))
        if what in ("", "revision"):
            return self._json(
                {
                    "_id": "0",
                    "id": repository.name,
                    "sha": commit,
                    "private": False,
                    "gated": False,
                    "disabled": False,
                    "tags": [],
                    "downloads": 0,
                    "likes": 0,
                    "lastModified": "2026-01-01T00:00:00.000Z",
                    "createdAt": "2026-01-01T00:00:00.000Z",
                    "siblings": [{"rfilename": path} for path in files],
                }
            )
        if what == "paths-info":
            if self.headers["Content-Type"].startswith("application/json"):
                wanted = json.loads(self._body)["paths"]
            else:
                wanted = parse_qs(self._body.decode())["paths"]
            entries = {entry["path"]: entry for entry in _entries(files)}
            return self._json([entries[path] for path in wanted if path in entries])
        if what == "tree":
            return self._tree(files, unquote(below))
        self.server.hub.unknown.append(f"{self.command} {self.path}")
        self._send(404, b"{}")

    def _tree(self, files: dict[str, bytes], below: str) -> None:
        query = parse_qs(urlsplit(self.path).query)
        inside = [
            entry for entry in _entries(files) if not below or entry["path"].startswith(f"{below}/")
        ]
        if below and not inside:
            return self._refuse("file gone")
        if query.get("recursive", ["false"])[0].lower() != "true":
            inside = [
                entry for entry in inside if "/" not in entry["path"][len(below) + bool(below) :]
            ]
        start = int(query.get("cursor", ["0"])[0])
        headers = {}
        if len(inside) > start + PAGE:
            rest = "&".join(
                f"{name}={quote(value[0])}" for name, value in query.items() if name != "cursor"
            )
            target = (
                f"{self.server.hub.address}{urlsplit(self.path).path}?{rest}&cursor={start + PAGE}"
            )
            headers["Link"] = f'<{target}>; rel="next"'
        self._json(inside[start : start + PAGE], headers)

    def _file(self, repository: Repository, revision: str, path: str) -> None:
        commit, files = repository.files(revision)
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if path not in files:
            return self._send(404, b"", headers | FAULTS["file gone"][1])
        content = files[path]
        if path.endswith(LARGE):
            return self._send(
                302,
                b"",
                headers
                | {
                    "X-Linked-Size": str(len(content)),
                    "X-Linked-ETag": f'"{_sha256(content)}"',
                    "Location": f"{self.server.hub.large}/large/{_sha256(content)}",
                },
            )
        self._send(
            200, content, headers | {"ETag": f'"{blob(content)}"', "Content-Type": "text/plain"}
        )


def _entries(files: dict[str, bytes]) -> list[dict]:
    folders = sorted(
        {path.rsplit("/", depth)[0] for path in files for depth in range(1, path.count("/") + 1)}
    )
    found = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": path} for path in folders]
    for path, content in sorted(files.items()):
        entry = {"type": "file", "oid": blob(content), "size": len(content), "path": path}
        if path.endswith(LARGE):
            entry |= {
                "oid": blob(b"a pointer to " + content),
                "lfs": {"oid": _sha256(content), "size": len(content), "pointerSize": 130},
            }
        found.append(entry)
    return found


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


PORT = _free_port()
HOME = tempfile.mkdtemp(prefix="hub-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ |= {
    "HF_ENDPOINT": f"http://127.0.0.1:{PORT}",
    "HF_HOME": HOME,
    "HF_HUB_DISABLE_XET": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DOWNLOAD_TIMEOUT": "5",
}
os.environ.pop("HF_HUB_OFFLINE", None)


@lru_cache(maxsize=1)
def start() -> Server:
    return Server(PORT)


def clear() -> None:
    """Empties the libraries' caches."""
    from huggingface_hub import HfFileSystem

    shutil.rmtree(HOME, ignore_errors=True)
    HfFileSystem.clear_instance_cache()
