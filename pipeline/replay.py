"""Replays recordings through a daemon of its own: the same stages, queues and publisher."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from pipeline.addresses import default_directory, events_endpoint, fits_sockets
from pipeline.client import Subscriber
from pipeline.configuration import (
    Configuration,
    JournalSection,
    MetricsSection,
    RecordingSection,
)
from pipeline.daemon import Daemon
from pipeline.events import ErrorEvent, Event, StateEvent, TranscriptEvent, UtteranceEvent


class Replay:
    """Plays ``files`` once and hands on their events.

    ``jobs`` recordings are worked on at a time. ``publish`` is one more endpoint, and the
    recordings begin when ``wait_subscribers`` apps have subscribed there.
    """

    def __init__(
        self,
        configuration: Configuration,
        files: Sequence[str],
        *,
        pace: Literal["fast", "real"] = "fast",
        jobs: int = 1,
        publish: str | None = None,
        wait_subscribers: int = 0,
    ) -> None:
        jobs = max(1, min(jobs, len(files)))
        self.shares = [tuple(files[job::jobs]) for job in range(jobs)]
        self._understands = bool(configuration.understanders)
        self._configuration = _for_replay(configuration, self.shares, pace, publish)
        self._wait_subscribers = wait_subscribers
        self._daemon: Daemon | None = None

    def stop(self) -> None:
        """End early, in order."""
        if self._daemon is not None:
            self._daemon.stop()

    def run(
        self,
        on_utterance: Callable[[UtteranceEvent], None],
        on_error: Callable[[ErrorEvent], None],
    ) -> None:
        """Play everything. The functions are called from another thread.

        Raises IntentdError when the daemon can't start.
        """
        with private_directory() as directory:
            self._daemon = Daemon(
                self._configuration, directory, wait_subscribers=1 + self._wait_subscribers
            )
            reader = _Reader(directory, self._understands, on_utterance, on_error, self.stop)
            reader.start()
            try:
                self._daemon.run()
            finally:
                reader.finish()
        if reader.failure is not None:
            raise reader.failure


class _Reader(threading.Thread):
    """Subscribes to the private daemon until it says that it has stopped."""

    def __init__(
        self,
        directory: Path,
        understands: bool,
        on_utterance: Callable[[UtteranceEvent], None],
        on_error: Callable[[ErrorEvent], None],
        stop: Callable[[], None],
    ) -> None:
        super().__init__(name="replay-reader", daemon=True)
        self._stop_replay = stop
        self._directory = directory
        self._understands = understands
        self._on_utterance = on_utterance
        self._on_error = on_error
        self._leave = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            with Subscriber(endpoint=events_endpoint(self._directory)) as subscriber:
                while True:
                    event = subscriber.receive(0.5)
                    if event is None and self._leave.is_set():
                        return
                    if isinstance(event, StateEvent) and event.state == "stopped":
                        return
                    if event is not None:
                        self._hand_on(event)
        except BaseException as error:  # noqa: BLE001 - told to the caller by run()
            self.failure = error
            self._stop_replay()

    def _hand_on(self, event: Event) -> None:
        if isinstance(event, ErrorEvent):
            self._on_error(event)
        elif isinstance(event, UtteranceEvent) and (
            isinstance(event, TranscriptEvent) is not self._understands
        ):
            self._on_utterance(event)

    def finish(self) -> None:
        """The daemon has ended: take what is still on the way, then leave."""
        self._leave.set()
        while self.is_alive():  # whoever reads the output may be slow
            self.join(0.5)


def _for_replay(
    configuration: Configuration,
    shares: Sequence[tuple[str, ...]],
    pace: Literal["fast", "real"],
    publish: str | None,
) -> Configuration:
    """``configuration`` with the recordings as its sources, and losing nothing."""
    replace = msgspec.structs.replace
    only = len(shares) == 1
    return replace(
        configuration,
        keep_audio=None,
        sources=tuple(
            RecordingSection(name="replay" if only else f"replay-{n}", paths=share, pace=pace)
            for n, share in enumerate(shares)
        ),
        transcriber=replace(
            configuration.transcriber,
            workers=max(configuration.transcriber.workers, len(shares)),
        ),
        publisher=replace(
            configuration.publisher,
            endpoints=(publish,) if publish else (),
            slow_subscribers="block",
        ),
        journal=JournalSection(enabled=False),
        activation="always",
        on_intent=(),
        metrics=MetricsSection(),
    )


@contextmanager
def private_directory() -> Iterator[Path]:
    """A socket directory that no other daemon has, for as long as it is needed."""
    parent = default_directory().parent
    usable = os.access(parent, os.W_OK) and fits_sockets(parent / "intentd-12345678")
    with tempfile.TemporaryDirectory(prefix="intentd-", dir=parent if usable else None) as path:
        yield Path(path)
