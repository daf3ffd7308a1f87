"""Runs one stage: owns its sockets, feeds it messages, sends on what it makes.

A stage is a plain class; everything that has to do with ZeroMQ, control and errors at the
stage's edge is here.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from typing import Final, Protocol, runtime_checkable

import zmq

from pipeline.addresses import Addresses
from pipeline.control_line import BEAT_SECONDS, Control, Leaving
from pipeline.outlets import Outlets
from pipeline.transport import Context, GarbageCounter, Socket, bind, make_socket
from pipeline.wire import Ready, WireError, decode, epoch_of
from stages.messages import (
    EndOfStream,
    ErrorReport,
    Progress,
    StageMessage,
    StateReport,
    Transcript,
)

BATCH: Final = 64
"""Messages that a worker takes at once; control is looked at behind them."""

KNOWN: Final = 64
"""Texts whose answer is kept."""

BEAT_MS: Final = round(BEAT_SECONDS * 1000)


class Stage(Protocol):
    """What turns messages into messages."""

    def open(self) -> Iterable[StageMessage]:
        """Load what is needed; returns reports for the user. Raises IntentdError."""

    def process(self, message: StageMessage) -> Iterable[StageMessage]:
        """The messages that follow from one message."""

    def close(self) -> None:
        """Let go of everything."""


@runtime_checkable
class Remembering(Protocol):
    """A stage that keeps something of an utterance that goes on."""

    def forget(self, source: str) -> None:
        """Drop what is unfinished of a source: it sends all of it again."""


@runtime_checkable
class Described(Protocol):
    """A stage that says which models it opened."""

    def describe(self) -> dict[str, str]:
        """Their ids, by role."""


def forget(stage: object, source: str) -> None:
    """Let a stage drop what is unfinished of a source."""
    if isinstance(stage, Remembering):
        stage.forget(source)


def models_of(stage: object) -> dict[str, str]:
    """The models of a stage, by role."""
    return stage.describe() if isinstance(stage, Described) else {}


class Epochs:
    """Tells fragments from what may be worked on.

    ``least`` is the epoch that began when this worker was started: what is older was on its way
    to a worker that died, and parts of it are missing. Reports stand for themselves.
    """

    def __init__(self, least: int) -> None:
        self.now = least
        self._least = least
        self._sources: dict[str, int] = {}

    def is_stale(self, message: StageMessage, epoch: int) -> bool:
        """True for what is sent again, or has been."""
        if isinstance(message, StateReport | ErrorReport):
            return False
        return epoch < self._sources.get(message.source, self._least)

    def begins(self, message: StageMessage, epoch: int) -> bool:
        """Note the epoch; True when its source begins to send anew."""
        before = self._sources.get(message.source, self._least)
        if isinstance(message, StateReport | ErrorReport) or epoch <= before:
            return False
        self._sources[message.source] = epoch
        self.now = max(self.now, epoch)
        return True


def decode_frames(frames: list[bytes]) -> tuple[StageMessage, int]:
    """The message in what an inlet received, and its epoch. Raises WireError."""
    if len(frames) != 1:
        raise WireError(f"{len(frames)} frames instead of one")
    return decode(frames[0]), epoch_of(frames[0])


def garbage_report(name: str, count: int) -> ErrorReport:
    """What is published when a worker's inlet got frames that are not ours."""
    detail = f"{name}: frames that are not ours were dropped"
    return ErrorReport(source="", stream="", code="garbage", detail=detail, count=count)


class StageRunner:
    """Feeds a stage from its inlet and sends what it makes to its outlets, until told to quit."""

    def __init__(
        self,
        name: str,
        stage: Stage,
        outlets: tuple[str, ...],
        context: Context,
        addresses: Addresses,
        *,
        epoch: int = 0,
        parent: int | None = None,
    ) -> None:
        self.name = name
        self.stage = stage
        self._context = context
        self._addresses = addresses
        self._log = logging.getLogger(f"intentd.{name}")
        self.control = Control(context, addresses, name, parent)
        self.outlets = Outlets(context, addresses, outlets, self.control)
        self.control.reconnect = self.outlets.reconnect
        self._epochs = Epochs(epoch)
        self._waiting: deque[list[bytes]] = deque()
        self._known: dict[str, list[StageMessage]] = {}
        self.garbage = GarbageCounter(self._log.warning)

    def run(self) -> None:
        """Work until told to quit. Errors while opening are told to the daemon."""
        inlet = make_socket(self._context, zmq.PULL)
        with self.control.until_quit(inlet.close, self.stage.close, self.outlets.close):
            bind(inlet, self._addresses.inner(self.name))
            reports = list(self.stage.open())
            self.control.send(Ready(models=models_of(self.stage)))
            for report in reports:
                self.outlets.send(report, self._epochs.now)
            self._loop(inlet)

    def _loop(self, inlet: Socket) -> None:
        poller = zmq.Poller()
        self.control.register(poller)
        poller.register(inlet, zmq.POLLIN)
        while True:
            ready = dict(poller.poll(BEAT_MS))
            self.control.check(ready)
            if inlet in ready:
                self._take(inlet)
            self.control.beat(busy=bool(self._waiting))

    def _take(self, inlet: Socket) -> None:
        """Take what waits, so that its number is known, and work on it."""
        # Asking is cheaper than the exception that an empty inlet raises.
        while len(self._waiting) < BATCH and int(inlet.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            self._waiting.append(inlet.recv_multipart(zmq.NOBLOCK))
        while self._waiting:
            self._work(self._waiting.popleft())
            self.control.queue = len(self._waiting)
            self.control.beat()

    def _work(self, frames: list[bytes]) -> None:
        try:
            message, epoch = decode_frames(frames)
        except WireError as error:
            if self.garbage.note(error):
                self.outlets.send(garbage_report(self.name, self.garbage.count), self._epochs.now)
            self.control.dropped = self.garbage.count
            return
        if self._epochs.is_stale(message, epoch):
            return
        if self._epochs.begins(message, epoch):
            forget(self.stage, message.source)
        self._process(message, epoch)
        self.control.done += 1

    def _answers(self, message: StageMessage) -> Iterable[StageMessage]:
        """What the stage makes of it. A text that comes again after a crash behind this stage
        has the same answer: a dialogue must not take it for the next thing that was said."""
        if not isinstance(message, Transcript):
            return self.stage.process(message)
        known = self._known.get(message.id)
        if known is None:
            known = self._known[message.id] = list(self.stage.process(message))
            if len(self._known) > KNOWN:
                del self._known[next(iter(self._known))]
        return known

    def _process(self, message: StageMessage, epoch: int) -> None:
        try:
            for made in self._answers(message):
                self.outlets.send(made, epoch)
        except Leaving:
            raise
        except Exception as error:  # noqa: BLE001 - the edge: one bad utterance must not end all
            detail = f"{self.name}: {type(error).__name__}: {error}"
            self._log.debug("%s", detail, exc_info=True)
            self.outlets.send(
                ErrorReport(
                    source=message.source,
                    stream=message.stream,
                    file=message.file,
                    code=getattr(error, "code", "stage-failed"),
                    detail=detail,
                ),
                epoch,
            )
            # What was heard is published without what this stage would have added, and the
            # source learns how far its stream is dealt with.
            if isinstance(message, Transcript | Progress | EndOfStream):
                self.outlets.send(message, epoch)
