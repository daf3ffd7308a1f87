"""intentd as a service: its units are sound, and it tells systemd how it is."""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import CommandLine

from pipeline.service.journal import fields, is_journal
from pipeline.service.unit import system_unit, user_unit

ROOT = Path(__file__).resolve().parents[2]
Configure = Callable[..., Path]
needs_systemd = pytest.mark.needs("systemd-analyze", "systemd")
LARGEST_EXPOSURE = 2.5
"""Of 10; what is over 5 systemd calls medium."""


def write_unit(folder: Path, text: str) -> Path:
    """The unit, with a program that exists on every machine."""
    path = folder / "intentd.service"
    path.write_text(text)
    return path


def analyze(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"XDG_RUNTIME_DIR": str(folder), "SYSTEMD_COLORS": "0"}
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, env=environment
    )


@needs_systemd
@pytest.mark.parametrize(("kind", "make"), [("--user", user_unit), ("--system", system_unit)])
def test_systemd_finds_nothing_wrong_with_the_unit(
    tmp_path: Path, kind: str, make: Callable[[str, str], str]
) -> None:
    program = shutil.which("true") or "/bin/true"
    path = write_unit(tmp_path, make(program, 'odd "name" 100% $HOME.yaml'))
    verified = analyze(kind, "verify", "--man=no", str(path), folder=tmp_path)
    about_it = [line for line in verified.stderr.splitlines() if "intentd" in line]
    assert (verified.returncode, about_it) == (0, [])


@needs_systemd
@pytest.mark.parametrize("make", [user_unit, system_unit])
def test_systemd_finds_little_that_the_service_is_exposed_to(
    tmp_path: Path, make: Callable[[str, str], str]
) -> None:
    path = write_unit(tmp_path, make("/bin/true", "home"))
    done = analyze("security", "--offline=true", "--no-pager", str(path), folder=tmp_path)
    level = re.search(r"Overall exposure level .*: ([\d.]+)", done.stdout)
    assert level, done.stderr
    assert float(level.group(1)) <= LARGEST_EXPOSURE, done.stdout


def test_the_shipped_unit_is_the_one_that_is_made() -> None:
    shipped = (ROOT / "packaging" / "intentd.service").read_text()
    assert shipped == system_unit("/opt/intentd/bin/intentd", "/etc/intentd/intentd.yaml")


def test_install_writes_the_unit_and_uninstall_removes_it(
    intentd: CommandLine, tmp_path: Path, configure: Configure
) -> None:
    script = Path(sys.executable).parent / "intentd"
    intentd.environment |= {"XDG_STATE_HOME": str(tmp_path / "s"), "PATH": "/nowhere"}
    configuration = configure()
    unit = tmp_path / "settings" / "systemd" / "user" / "intentd.service"
    missing = intentd("service", "uninstall")
    assert (missing.returncode, "nothing is installed" in missing.stderr) == (2, True)
    done = intentd("service", "install", "--no-start", "-c", str(configuration))
    assert done.returncode == 0, done.stderr
    text = unit.read_text()
    assert f"ExecStart={script} run -c {configuration}\n" in text
    assert f"-{tmp_path / 's' / 'intentd'}" in text
    started = intentd("service", "install", "-c", str(configuration))
    assert (started.returncode, "systemctl is missing" in started.stderr) == (2, True)
    assert intentd("service", "uninstall").returncode == 0
    assert not unit.exists()


def test_a_broken_configuration_is_not_installed(intentd: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("placement: nowhere\n")
    done = intentd("service", "install", "--no-start", "-c", str(tmp_path / "c.yaml"))
    assert done.returncode == 2
    assert "c.yaml:1" in done.stderr


class ServiceManager:
    """The socket that systemd listens on."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "notify"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self.messages: list[str] = []

    def wait_for(self, message: str, seconds: float = 30) -> bool:
        """Until this message comes; those before it are kept too."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._socket.settimeout(left)
            try:
                self.messages += self._socket.recv(4096).decode().split("\n")
            except TimeoutError:
                return False
            if message in self.messages:
                return True
        return False

    def close(self) -> None:
        self._socket.close()


@pytest.mark.timeout(120)
@pytest.mark.skipif(sys.platform != "linux", reason="systemd")
def test_the_daemon_tells_when_it_is_ready_alive_and_stopping(
    intentd: CommandLine, configure: Configure, runtime_dir: Path
) -> None:
    manager = ServiceManager(runtime_dir)
    try:
        intentd.environment |= {"NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "1500000"}
        process = intentd.start("run", "-c", str(configure()))
        assert manager.wait_for("READY=1", 60)
        manager.messages.clear()
        assert manager.wait_for("WATCHDOG=1", 1.0)
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(0.5)
        os.kill(process.pid, signal.SIGCONT)
        process.terminate()
        assert manager.wait_for("STOPPING=1")
        assert process.wait(20) == 0
    finally:
        manager.close()


def test_the_watchdog_is_not_fed_for_a_daemon_that_hangs(
    runtime_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its loop turned for the last time an hour ago; the process is alive all the same."""
    pytest.importorskip("cysystemd")
    from pipeline.service.notifier import Notifier

    class Hung:
        running = True
        ticked = time.monotonic() - 3600

    manager = ServiceManager(runtime_dir)
    try:
        monkeypatch.setenv("NOTIFY_SOCKET", str(manager.path))
        monkeypatch.setenv("WATCHDOG_USEC", "900000")
        with Notifier(Hung()):
            assert manager.wait_for("READY=1", 5)
            assert not manager.wait_for("WATCHDOG=1", 1.5)
    finally:
        manager.close()


def test_a_record_has_fields_that_the_journal_can_be_asked_for() -> None:
    record = logging.LogRecord(
        "intentd.publisher", logging.WARNING, "x.py", 7, "%s: %s", ("device-lost", "usb"), None
    )
    record.source, record.code = "kitchen", "device-lost"
    made = fields(record, record.getMessage())
    assert made["message"] == "device-lost: usb"
    assert made["priority"] == 4
    assert made["intentd_source"] == "kitchen"
    assert made["intentd_code"] == "device-lost"
    assert made["intentd_worker"] == "publisher"


def test_only_standard_error_that_is_the_journal_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", "1", "1:1", "a:b:c"):
        monkeypatch.setenv("JOURNAL_STREAM", value)
        assert not is_journal()


def test_check_tells_what_a_bug_report_needs_and_no_secret(
    intentd: CommandLine, configure: Configure, tmp_path: Path
) -> None:
    from pipeline.security.keys import KeyFolder

    secret = KeyFolder(tmp_path / "settings" / "intentd" / "keys").create("server").secret
    intentd.environment["SOME_TOKEN"] = "very-secret-token"
    done = intentd("check", "--no-microphone", "-c", str(configure()))
    assert done.returncode == 0, done.stdout
    for expected in (
        "Python 3",
        "onnxruntime 1",
        "libzmq 4",
        "GiB free",
        "microphones:",
        "mode 07",
    ):
        assert expected in done.stdout
    assert secret not in done.stdout
    assert "very-secret-token" not in done.stdout
