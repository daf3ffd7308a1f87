"""A microphone without a sound card: PulseAudio's null sink, whose monitor hears what it plays.

A plugin; it comes with ``pytest_plugins`` in the conftest. PortAudio reads the environment once
in a process, so whatever is to hear this microphone runs in a process of its own, with
``environment``. Nothing of the user's own sound server is touched.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE = 10.0
"""Seconds to wait for the server to come up."""

ALSA = """\
</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
"""

NAMED = """
pcm.%(name)s { type pulse device "%(name)s.monitor" hint { show on description "%(name)s" } }
"""


class VirtualMicrophone:
    """A private sound server with one microphone, ``default`` to PortAudio."""

    def __init__(self, folder: Path, rate: int = 16_000) -> None:
        self.rate = rate
        self._folder = folder
        self._socket = folder / "pulse.socket"
        self._server: subprocess.Popen[bytes] | None = None
        self._players: list[subprocess.Popen[bytes]] = []
        alsa = folder / "alsa.conf"
        alsa.write_text(ALSA)
        self.environment = {
            **os.environ,
            "ALSA_CONFIG_PATH": str(alsa),
            "PULSE_SERVER": f"unix:{self._socket}",
            "PULSE_RUNTIME_PATH": str(folder),
            "PULSE_COOKIE": str(folder / "cookie"),
        }

    def start_server(self) -> None:
        """Start the server, with the microphone plugged in."""
        private = {"HOME": str(self._folder), "XDG_CONFIG_HOME": str(self._folder)}
        self._server = subprocess.Popen(
            [
                "pulseaudio",
                *("-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1"),
                *("-L", f"module-native-protocol-unix socket={self._socket} auth-anonymous=1"),
            ],
            env=self.environment | private,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while self._control("info").returncode != 0:
            assert self._server.poll() is None, "pulseaudio ended at its start"
            assert time.monotonic() < deadline, "pulseaudio does not come up"
            time.sleep(0.05)
        self.replug()

    def kill_server(self) -> None:
        """Let the sound server die."""
        for process in (*self._players, self._server):
            if process is not None:
                process.kill()
                process.wait()
        self._players, self._server = [], None
        self._socket.unlink(missing_ok=True)

    def unplug(self) -> None:
        """Take the microphone away."""
        self._control("unload-module", "module-null-sink").check_returncode()

    def name_devices(self, *names: str) -> None:
        """Have ALSA list microphones of these names, in this order, from its next start on."""
        named = "".join(NAMED % {"name": name} for name in names)
        (self._folder / "alsa.conf").write_text(ALSA + named)

    def plug(self, name: str) -> None:
        """Plug in another microphone."""
        sink = ("module-null-sink", f"sink_name={name}", f"rate={self.rate}", "channels=1")
        self._control("load-module", *sink).check_returncode()

    def freeze(self) -> None:
        """The sound server hangs: it is there, and neither delivers nor answers."""
        assert self._server is not None
        self._server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        assert self._server is not None
        self._server.send_signal(signal.SIGCONT)

    def replug(self) -> None:
        """Put the microphone back."""
        sink = ("module-null-sink", "sink_name=room", f"rate={self.rate}", "channels=1")
        self._control("load-module", *sink).check_returncode()
        self._control("set-default-source", "room.monitor").check_returncode()

    def play(self, path: Path) -> subprocess.Popen[bytes]:
        """Say a recording (WAV, FLAC or OGG) into the microphone; ``wait()`` for its end."""
        player = subprocess.Popen(["paplay", "--device=room", str(path)], env=self.environment)
        self._players.append(player)
        return player

    def _control(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["pactl", *arguments], env=self.environment, capture_output=True)


@pytest.fixture
def virtual_microphone(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VirtualMicrophone]:
    """A microphone of 16 kHz, or of the rate that the test is parametrised with (indirectly)."""
    folder = tmp_path_factory.mktemp("sound")
    microphone = VirtualMicrophone(folder, getattr(request, "param", 16_000))
    try:
        microphone.start_server()
        yield microphone
    finally:
        microphone.kill_server()
