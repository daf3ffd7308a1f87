"""Fixtures of the model tests: a private machine, small model folders, a server with faults."""

from __future__ import annotations

import hashlib
import json
import struct
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from models.catalogue import Entry, RemoteFile

HAS_OUTPUT_SYMBOLS = 0x2
MODEL = "vosk-model-tiny-xx-0.1"


def fst_header(flags: int) -> bytes:
    """The start of an OpenFst file, as ``fst/fst.h`` writes it."""
    types = b"".join(struct.pack("<i", len(name)) + name for name in (b"const", b"standard"))
    return struct.pack("<i", 2125659606) + types + struct.pack("<ii", 2, flags)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without models: nothing of the user's is seen or touched."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    monkeypatch.delenv("VOSK_MODEL_PATH", raising=False)
    monkeypatch.delenv("INTENTD_CATALOGUE", raising=False)
    return folder


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.fixture
def vosk_folder(tmp_path: Path) -> Path:
    """The smallest folder with the layout of the small Vosk models: lookahead, words in Gr.fst."""
    files = {
        "am/final.mdl": b"\0B" + bytes(range(256)) * 40,
        "conf/mfcc.conf": b"--sample-frequency=16000\n",
        "conf/model.conf": b"--beam=10\n",
        "graph/HCLr.fst": fst_header(0),
        "graph/Gr.fst": fst_header(HAS_OUTPUT_SYMBOLS),
        "graph/disambig_tid.int": b"1\n",
    }
    return write_files(tmp_path / "copies" / "vosk-model-tiny-xx-0.1", files)


@pytest.fixture
def vosk_zip(vosk_folder: Path, tmp_path: Path) -> Path:
    """The same model as an archive with one top folder, as the Vosk site offers them."""
    archive = tmp_path / "downloads" / "vosk-model-tiny-xx-0.1.zip"
    archive.parent.mkdir()
    with zipfile.ZipFile(archive, "w") as content:
        for path in sorted(vosk_folder.rglob("*")):
            content.write(path, path.relative_to(vosk_folder.parent))
    return archive


@pytest.fixture
def mobilebert_folder(tmp_path: Path) -> Path:
    """A folder with the files of a MobileBERT model; the network itself is not one."""
    files = {
        "labels.json": json.dumps({"intents": ["a"], "tags": ["O"]}).encode(),
        "tokenizer.json": b"{}",
        "model.int8.onnx": b"\x08\x07",
    }
    return write_files(tmp_path / "copies" / "mobilebert-tiny", files)


class ModelServer(ThreadingHTTPServer):
    """A file server with ranges that can be told to misbehave."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        """What is served, by path with a leading slash."""
        self.etag: str | None = '"one"'
        self.last_modified: str | None = None
        self.ignore_ranges = False
        self.chunked = False
        self.encoding: str | None = None
        """A content encoding that is claimed."""
        self.wrong_start = False
        """Answer one request for a range with another range."""
        self.cuts: list[int] = []
        """Body bytes after which successive connections are cut; whole bodies once it is empty."""
        self.statuses: list[int] = []
        """Statuses of successive answers without a body; normal answers once it is empty."""
        self.redirects: dict[str, str] = {}
        self.requests: list[tuple[str, str | None, str | None]] = []
        """Path, Range and If-Range of every request."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves early is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ModelServer

    def do_GET(self) -> None:
        server = self.server
        asked, condition = self.headers.get("Range"), self.headers.get("If-Range")
        server.requests.append((self.path, asked, condition))
        if server.statuses:
            self._empty(server.statuses.pop(0))
        elif self.path in server.redirects:
            self._empty(302, Location=server.redirects[self.path])
        elif self.path not in server.files:
            self._empty(404)
        else:
            self._file(server.files[self.path], asked, condition)

    def _file(self, content: bytes, asked: str | None, condition: str | None) -> None:
        server, start = self.server, 0
        fits = condition is None or condition in (server.etag, server.last_modified)
        if asked and fits and not server.ignore_ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self._empty(416, Content_Range=f"bytes */{len(content)}")
                return
            if server.wrong_start:
                start, server.wrong_start = start - 1, False
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if server.etag:
            self.send_header("ETag", server.etag)
        if server.encoding:
            self.send_header("Content-Encoding", server.encoding)
        if server.last_modified:
            self.send_header("Last-Modified", server.last_modified)
        body = content[start:]
        if server.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cut = server.cuts.pop(0) if server.cuts else len(body)
        self.wfile.write(body[:cut])
        self.close_connection = cut < len(body)

    def _empty(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A running ModelServer, asked directly whatever proxy the machine has."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ModelServer() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def installed(home: Path) -> Path:
    """Where pulled models go."""
    return home / "data" / "intentd" / "models"


@pytest.fixture
def entry(server: ModelServer, vosk_zip: Path) -> Entry:
    """A model whose hashes are published, on the server."""
    content = vosk_zip.read_bytes()
    server.files[f"/{MODEL}.zip"] = content
    return vosk_entry(
        server,
        size=len(content),
        md5=hashlib.md5(content).hexdigest(),
        sha256=hashlib.sha256(content).hexdigest(),
    )


@pytest.fixture
def unhashed(server: ModelServer, vosk_zip: Path) -> Entry:
    """The same without any published hash or size."""
    server.files[f"/{MODEL}.zip"] = vosk_zip.read_bytes()
    return vosk_entry(server)


def vosk_entry(server: ModelServer, **published: Any) -> Entry:
    file = RemoteFile(url=f"{server.url}/{MODEL}.zip", **published)
    return Entry(
        name=MODEL, kind="vosk", language="xx", licence="MIT", description="tiny", files=(file,)
    )
