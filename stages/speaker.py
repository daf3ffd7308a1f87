"""Let a program say texts, without waiting for it."""

from __future__ import annotations

import contextlib
import logging
import queue
import shutil
import subprocess
import threading
from collections.abc import Sequence
from typing import Final

from models.errors import ConfigurationError

WAITING: Final = 4
"""Texts that may wait; what comes on top is left unsaid: late answers help nobody."""

LONGEST: Final = 60.0
"""Seconds after which a program that still speaks is ended."""

_log = logging.getLogger("intentd.dialogue")


def find_program(command: Sequence[str]) -> None:
    """Raises ConfigurationError when the program of a command is not there."""
    if shutil.which(command[0]) is None:
        raise ConfigurationError(
            f"dialogue.speak: there is no program {command[0]}; install it or correct the name"
        )


class Speaker:
    """Runs ``command`` for each text, one after the other, with the text on standard input.

    The command is a list of arguments and never goes through a shell. Raises ConfigurationError
    when its program is not there.
    """

    def __init__(self, command: Sequence[str]) -> None:
        find_program(command)
        self._command = list(command)
        self._texts: queue.Queue[str | None] = queue.Queue(WAITING)
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, name="speaker", daemon=True)
        self._thread.start()

    def say(self, text: str) -> None:
        """Have ``text`` said when those before it are; returns at once."""
        try:
            self._texts.put_nowait(text)
        except queue.Full:
            _log.warning("speak: too much to say; left out: %s", text)

    def close(self) -> None:
        """Finish what is being said, for a moment, and end."""
        with contextlib.suppress(queue.Full):
            self._texts.put_nowait(None)
        self._thread.join(2.0)
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    def _run(self) -> None:
        while (text := self._texts.get()) is not None:
            try:
                self._say(text)
            except (OSError, subprocess.SubprocessError) as error:
                _log.warning("speak: %s: %s", self._command[0], error)

    def _say(self, text: str) -> None:
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        try:
            _, errors = self._process.communicate(f"{text}\n".encode(), LONGEST)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise
        if self._process.returncode:
            lines = errors.decode(errors="replace").strip().splitlines()
            reason = lines[-1] if lines else f"exit code {self._process.returncode}"
            _log.warning("speak: %s: %s", self._command[0], reason)
