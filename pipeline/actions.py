"""Runs programs for intents: argument lists, never a shell, with the event on standard input."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections import deque
from typing import Final

import zmq

from pipeline.addresses import Addresses, events_endpoint
from pipeline.client import Subscriber
from pipeline.configuration import ActionSection, Configuration
from pipeline.control_line import Control
from pipeline.events import IntentEvent, to_json
from pipeline.outlets import Outlets
from pipeline.transport import Context
from pipeline.wire import Ready
from stages.messages import ErrorReport

POLL_SECONDS: Final = 0.5
KILL_SECONDS: Final = 1.0
"""From the polite request to end to the end."""


class ActionsRunner:
    """Subscribes to intents and runs what the configuration says."""

    def __init__(
        self,
        context: Context,
        addresses: Addresses,
        configuration: Configuration,
        *,
        epoch: int,
        parent: int | None,
    ) -> None:
        self._addresses = addresses
        self._actions = configuration.on_intent
        self._at_once = configuration.actions.at_once
        self._most_waiting = configuration.actions.waiting
        self._epoch = epoch
        self._waiting: deque[tuple[ActionSection, bytes]] = deque()
        self._running: list[_Running] = []
        self.control = Control(context, addresses, "actions", parent)
        self.outlets = Outlets(context, addresses, ("publisher",), self.control)
        self.control.reconnect = self.outlets.reconnect
        self._log = logging.getLogger("intentd.actions")

    def run(self) -> None:
        """Work until told to quit."""
        subscriber = Subscriber("intent/", endpoint=events_endpoint(self._addresses.directory))
        poller = zmq.Poller()
        self.control.register(poller)
        with self.control.until_quit(self._end_all, subscriber.close, self.outlets.close):
            self.control.send(Ready())
            while True:
                event = subscriber.receive(0.05 if self._running else POLL_SECONDS)
                if isinstance(event, IntentEvent):
                    self._take(event)
                self._go_on()
                self.control.check(dict(poller.poll(0)))
                self.control.queue = len(self._waiting)
                self.control.beat(busy=bool(self._running))

    def _take(self, event: IntentEvent) -> None:
        for action in self._actions:
            if action.intents and event.intent.name not in action.intents:
                continue
            if len(self._waiting) >= self._most_waiting and len(self._running) >= self._at_once:
                self._tell("action-left-out", f"{action.run[0]}: too many programs wait already")
                continue
            self._waiting.append((action, to_json(event) + b"\n"))

    def _go_on(self) -> None:
        now = time.monotonic()
        for running in list(self._running):
            problem = running.look(now)
            if problem is None:
                continue
            self._running.remove(running)
            if problem:
                self._tell("action-failed", f"{running.name}: {problem}")
        while self._waiting and len(self._running) < self._at_once:
            action, body = self._waiting.popleft()
            self.control.done += 1
            try:
                self._running.append(_Running(action, body))
            except OSError as error:
                self._tell("action-failed", f"{action.run[0]}: {error.strerror}")

    def _tell(self, code: str, detail: str) -> None:
        self.control.dropped += 1
        report = ErrorReport(source="", stream="", code=code, detail=f"on_intent: {detail}")
        self.outlets.try_send(report, self._epoch)

    def _end_all(self) -> None:
        for running in self._running:
            running.kill()


class _Running:
    """A program that was started."""

    def __init__(self, action: ActionSection, body: bytes) -> None:
        """Raises OSError when it can't be started."""
        self.name = action.run[0]
        self._timeout = action.timeout
        self._deadline = time.monotonic() + action.timeout
        self._asked = False
        self._process = subprocess.Popen(
            action.run, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, process_group=0
        )
        threading.Thread(target=self._feed, args=(body,), daemon=True).start()

    def _feed(self, body: bytes) -> None:
        """In a thread: a program that does not read must not stop the others."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(body)
        with contextlib.suppress(OSError):
            self._process.stdin.close()

    def look(self, now: float) -> str | None:
        """None while it runs; then what went wrong, if anything."""
        code = self._process.poll()
        if code is not None:
            if self._asked:
                return f"was ended after {self._timeout:g} s"
            return f"ended with exit code {code}" if code else ""
        if now > self._deadline:
            if self._asked:
                self.kill()
            else:
                self._signal(signal.SIGTERM)
            self._asked = True
            self._deadline = now + KILL_SECONDS
        return None

    def kill(self) -> None:
        """End it now, with all that it started."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
