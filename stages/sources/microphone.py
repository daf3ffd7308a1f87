"""A microphone as a source, for months: what is lost is told, and a device that goes comes back."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from ulid import ULID

from models.errors import SourceError
from stages.messages import SAMPLE_RATE, ErrorReport, StageMessage, StateReport
from stages.sources.connection import Capture, Connection
from stages.sources.portaudio import QUEUE_SECONDS, open_capture

START_SECONDS = 5.0
"""PulseAudio may take 2-3 s to the first block, so the watchdog is patient at first."""

FIRST_RETRY, LONGEST_RETRY = 0.5, 1.0
"""Seconds between attempts to open a lost device. Each looks for all devices anew, some 30 ms of
work; a device that is back is to be heard within two seconds, however long it was away."""

LOSS_REPORT_SECONDS = 1.0
"""Losses within this time become one report."""


class OpenCapture(Protocol):
    """Opens the device that a name means; raises SourceError."""

    def __call__(
        self, name: str | None, *, rate: int | None, seconds: float, now: Callable[[], float]
    ) -> Capture: ...


class MicrophoneSource:
    """One microphone; every opening of it is a stream.

    When the device is gone the stream ends, ``device-lost`` is reported, and the source keeps
    trying to open it by its name until it can report ``device-found``.
    """

    live = True

    def __init__(
        self,
        name: str,
        device: str | None = None,
        *,
        rate: int | None = None,
        wait_for_device: bool = False,
        watchdog: float = 3.0,
        queue_seconds: float = QUEUE_SECONDS,
        open_capture: OpenCapture = open_capture,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``device`` is a part of the device's name, None the default one.

        ``rate`` is the sample rate in Hz to open it with, for devices whose driver converts
        badly; None takes 16 kHz where the device can, and else its own rate. With
        ``wait_for_device`` a start without it is the same as losing it. A device that delivers
        nothing for ``watchdog`` seconds is taken for gone.
        """
        self.name = name
        self._device = device
        self._rate = rate
        self._wait_for_device = wait_for_device
        self._watchdog = watchdog
        self._queue_seconds = queue_seconds
        self._open_capture = open_capture
        self._now, self._monotonic, self._sleep = now, monotonic, sleep
        self._connection: Connection | None = None
        self._stream = ""
        self._losses = _Losses()
        self._pending: list[StageMessage] = []
        self._reason = ""
        self._retry_at = 0.0
        self._retry_after = FIRST_RETRY

    def open(self) -> None:
        """Open the device; raises SourceError, unless the source was told to wait for it."""
        self._stream = f"{self.name}-{ULID()}"
        try:
            self._connect()
        except SourceError as error:
            self._reason = error.message
            # Waiting brings a device back, but no missing library and no better name.
            if not self._wait_for_device or error.code != "no-microphone":
                raise
            self._pending.append(self._state("device-lost", error.message))
            self._schedule_retry()

    def read(self, timeout: float) -> Sequence[StageMessage] | None:
        """What was heard since, and what happened to the device. Never None."""
        messages, self._pending = self._pending, []
        if messages:
            return messages
        if self._connection is None:
            return self._retry(timeout)
        messages = self._listen(self._connection, timeout)
        return [*messages, *self._report_losses()]

    def close(self) -> Sequence[StageMessage]:
        """Close the device."""
        connection, self._connection = self._connection, None
        if connection is None:
            return []
        messages: list[StageMessage] = [*connection.close()]
        self._losses.add(connection.take_losses())
        # Before the end of the stream, behind which nobody waits for it.
        return [*self._report_losses(at_once=True), *messages]

    def _connect(self) -> None:
        capture = self._open_capture(
            self._device, rate=self._rate, seconds=self._queue_seconds, now=self._now
        )
        self._connection = Connection(capture, self.name, self._stream, self._watchdog)
        self._retry_after = FIRST_RETRY
        self._patience = max(self._watchdog, START_SECONDS)
        self._heard = self._monotonic()

    def _listen(self, connection: Connection, timeout: float) -> list[StageMessage]:
        messages: list[StageMessage] = []
        ended = connection.capture.ended.is_set()
        for block in connection.wait(timeout):
            messages += connection.take(block)
            self._heard, self._patience = self._monotonic(), self._watchdog
        self._losses.add(connection.take_losses())
        if ended:
            return messages + self._lose(connection, "it was removed, or the sound server ended")
        if self._monotonic() - self._heard > self._patience:
            return messages + self._lose(connection, f"no audio came for {self._patience:g} s")
        return messages

    def _lose(self, connection: Connection, reason: str) -> list[StageMessage]:
        self._connection = None
        device = repr(self._device) if self._device else "the default one"
        messages: list[StageMessage] = [*connection.close()]
        messages.append(self._state("device-lost", f"{device}: {reason}"))
        self._stream = f"{self.name}-{ULID()}"
        self._reason = ""
        self._schedule_retry()
        return messages

    def _retry(self, timeout: float) -> list[StageMessage]:
        wait = self._retry_at - self._monotonic()
        if wait > 0:
            self._sleep(min(wait, timeout))
            return []
        try:
            self._connect()
        except SourceError as error:
            self._schedule_retry()
            return self._note_reason(error.message)
        return [self._state("device-found", repr(self._device) if self._device else "")]

    def _note_reason(self, reason: str) -> list[StageMessage]:
        """Why it is still away, whenever that changes: another program may have it now."""
        if reason == self._reason:
            return []
        self._reason = reason
        return [self._state("device-waiting", reason)]

    def _schedule_retry(self) -> None:
        self._retry_at = self._monotonic() + self._retry_after
        self._retry_after = min(2 * self._retry_after, LONGEST_RETRY)

    def _state(self, state: str, detail: str) -> StateReport:
        return StateReport(source=self.name, stream=self._stream, state=state, detail=detail)

    def _report_losses(self, *, at_once: bool = False) -> list[ErrorReport]:
        count = self._losses.due(self._monotonic(), at_once=at_once)
        if not count:
            return []
        detail = (
            f"{self.name}: {count / SAMPLE_RATE:.1f} s of audio lost; the machine is too slow "
            f"for its load"
        )
        return [
            ErrorReport(
                source=self.name,
                stream=self._stream,
                code="audio-lost",
                detail=detail,
                count=count,
            )
        ]


class _Losses:
    """Adds up lost samples until it is time to tell."""

    def __init__(self) -> None:
        self._count = 0
        self._next = -math.inf

    def add(self, samples: int) -> None:
        self._count += samples

    def due(self, now: float, *, at_once: bool) -> int:
        """Samples to report now."""
        if not self._count or (now < self._next and not at_once):
            return 0
        count, self._count = self._count, 0
        self._next = now + LOSS_REPORT_SECONDS
        return count
