"""``intentd models`` as a user types it: output, exit codes, one line for every error."""

from __future__ import annotations

import functools
import json
import os
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from models.catalogue import places
from models.errors import ModelError
from pipeline.cli.errors import CleanErrors
from pipeline.cli.models import models

NAME = "vosk-model-tiny-xx-0.1"
intentd = CleanErrors("intentd", commands={"models": models})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without models, embedded ones included."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("VOSK_MODEL_PATH", raising=False)
    monkeypatch.delenv("INTENTD_CATALOGUE", raising=False)
    monkeypatch.setattr(places, "EMBEDDED", folder / "weights")
    return folder


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of a tiny Vosk model, as from a USB stick."""
    folder = tmp_path / "stick" / NAME
    fst = struct.pack("<i", 2125659606)
    fst += b"".join(struct.pack("<i", len(name)) + name for name in (b"const", b"standard"))
    contents = {
        "am/final.mdl": b"\0B" * 500,
        "conf/mfcc.conf": b"--sample-frequency=16000\n",
        "conf/model.conf": b"--beam=10\n",
        "graph/HCLG.fst": fst + struct.pack("<ii", 2, 0),
        "graph/words.txt": b"<eps> 0\n",
    }
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@pytest.fixture
def catalogue(tmp_path: Path, copy: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A catalogue whose only model lies on a local server; the folder that is served."""
    served = tmp_path / "served"
    served.mkdir()
    with zipfile.ZipFile(served / f"{NAME}.zip", "w") as archive:
        for path in copy.rglob("*"):
            archive.write(path, path.relative_to(copy.parent))

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    handler = functools.partial(Quiet, directory=str(served))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        entry = {
            "name": NAME,
            "kind": "vosk",
            "language": "xx",
            "licence": "MIT",
            "description": "tiny",
            "files": [{"url": f"http://127.0.0.1:{server.server_address[1]}/{NAME}.zip"}],
        }
        path = tmp_path / "catalogue.yaml"
        path.write_text(yaml.safe_dump({"models": [entry]}))
        monkeypatch.setenv("INTENTD_CATALOGUE", str(path))
        yield served
        server.shutdown()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(intentd, ["models", *arguments])


def test_the_list_shows_what_can_be_pulled() -> None:
    result = run("list")
    assert result.exit_code == 0
    header, *lines = result.output.splitlines()
    assert header.split() == ["name", "kind", "language", "size", "licence", "where"]
    small = next(line for line in lines if line.startswith("vosk-model-small-en-us-0.15 "))
    expected = ["vosk", "en-US", "41.2", "MB", "Apache-2.0", "not", "installed"]
    assert small.split()[1:] == expected
    unknown = next(line for line in lines if line.startswith("mobilebert-uncased "))
    assert unknown.split()[3] == "?"


@pytest.mark.usefixtures("catalogue")
def test_the_list_in_json_tells_where_a_model_is(copy: Path, home: Path) -> None:
    before = json.loads(run("list", "--json").output)
    assert before == [
        {
            "name": NAME,
            "kind": "vosk",
            "language": "xx",
            "size": None,
            "licence": "MIT",
            "description": "tiny",
            "where": "not installed",
            "path": None,
        }
    ]
    run("pull", NAME, "--from", str(copy))
    [after] = json.loads(run("list", "--json").output)
    assert after["where"] == "installed"
    assert after["path"] == str(home / "data" / "intentd" / "models" / NAME)


def test_an_embedded_model_is_listed_with_what_its_card_tells(home: Path) -> None:
    folder = home / "weights" / "mobilebert-tiny"
    folder.mkdir(parents=True)
    (folder / "labels.json").write_text("{}")
    (folder / "model.json").write_text('{"language": "en", "licence": "MIT"}')
    first = run("list").output.splitlines()[1]
    assert first.split() == [
        "mobilebert-tiny",
        "mobilebert",
        "en",
        "38",
        "bytes",
        "MIT",
        "embedded",
    ]


def test_a_model_is_pulled_verified_and_not_pulled_twice(catalogue: Path, home: Path) -> None:
    path = home / "data" / "intentd" / "models" / NAME
    first = run("pull", NAME)
    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout == f"{NAME}: installed at {path}\n"
    assert run("verify").stdout == f"{NAME}: whole (vosk)\n"
    (catalogue / f"{NAME}.zip").unlink()
    second = run("pull", NAME)
    assert (second.exit_code, second.stdout) == (0, f"{NAME}: already installed at {path}\n")
    third = run("pull", NAME, "--force")
    assert third.exit_code == 2
    assert "HTTP 404" in third.stderr
    assert run("verify", NAME).exit_code == 0


def test_an_unknown_name_is_one_line_with_a_close_match() -> None:
    result = run("pull", "vosk-model-small-en-us")
    assert result.exit_code == 2
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("intentd: error: no model 'vosk-model-small-en-us' in the catalogue")
    assert "vosk-model-small-en-us-0.15" in line


def test_every_broken_model_is_one_line_and_the_good_ones_are_still_checked(
    copy: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    broken = tmp_path / "broken"
    (broken / "am").mkdir(parents=True)
    result = run("verify", str(broken), str(copy), str(tmp_path / "empty"), "nothing-like-it")
    assert result.exit_code == 2
    assert result.stdout == f"{copy}: whole (vosk)\n"
    lines = result.stderr.splitlines()
    assert len(lines) == 3
    assert f"{broken}/am/final.mdl is missing" in lines[0]
    assert "is no model folder" in lines[1]
    assert "no model 'nothing-like-it'" in lines[2]


def test_nothing_to_verify_says_so() -> None:
    result = run("verify")
    assert result.exit_code == 0
    assert "no models are installed" in result.stdout


def test_ctrl_c_ends_with_130_and_an_error_with_2() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    def fail() -> None:
        raise ModelError("first line\nsecond line")

    commands = {
        "interrupt": click.Command("interrupt", callback=interrupt),
        "fail": click.Command("fail", callback=fail),
    }
    group = CleanErrors("intentd", commands=commands)
    interrupted = CliRunner().invoke(group, ["interrupt"])
    assert (interrupted.exit_code, interrupted.output) == (130, "")
    failed = CliRunner().invoke(group, ["fail"])
    assert (failed.exit_code, failed.stderr) == (2, "intentd: error: first line second line\n")


def test_a_reader_that_leaves_ends_it_quietly() -> None:
    program = (
        "from pipeline.cli.errors import CleanErrors\n"
        "from pipeline.cli.models import models\n"
        "CleanErrors('intentd', commands={'models': models})(['models', 'list'])\n"
    )
    reading, writing = os.pipe()
    os.close(reading)
    result = subprocess.run(
        [sys.executable, "-c", program],
        stdout=writing,
        stderr=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    os.close(writing)
    assert (result.returncode, result.stderr) == (141, b"")
