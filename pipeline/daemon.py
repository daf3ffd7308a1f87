"""The daemon: starts the workers, keeps them alive, and ends them in order.

Start: the end of the chain first, sources last and only when all else is ready. A worker that
dies is started again, and the sources send again what is not published. End: sources stop, what
was heard is worked on and published, then everybody quits; what has not ended within
``drain_seconds`` is killed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import zmq

from models.errors import IntentdError, StageError
from pipeline.addresses import Addresses, SocketDirectory
from pipeline.configuration import Configuration
from pipeline.control_server import ControlServer
from pipeline.lines import Lines
from pipeline.listening import Listening
from pipeline.placement import make_placement
from pipeline.plan import WorkerSpec, can_go_on, make_plan, text_inlet
from pipeline.reloading import fingerprint
from pipeline.supervisor import START_SECONDS, SUSPECT_DEATHS, Change, Supervisor, Worker
from pipeline.texts import Texts
from pipeline.transport import Context
from pipeline.wire import (
    Beat,
    ControlMessage,
    Failed,
    Finished,
    Go,
    Injected,
    Opened,
    Quit,
    Ready,
    Reconnect,
    Rewind,
    Stop,
    Subscribers,
)

QUIT_SECONDS: Final = 3.0
"""How long a worker may take to leave before it is killed."""

TICK_MS: Final = 1000
BUSY_MS: Final = 50
"""How often the daemon looks at everything, also while something is going on."""


class Daemon:
    """Runs one configuration in one socket directory until its sources end or it is stopped.

    ``wait_subscribers`` holds the sources back until so many subscribers are there. ``load``
    reads the configuration anew; without it there is no reload.
    """

    def __init__(
        self,
        configuration: Configuration,
        directory: Path,
        *,
        wait_subscribers: int = 0,
        load: Callable[[], Configuration] | None = None,
    ) -> None:
        self.configuration = configuration
        self.load = load
        self.directory = directory
        self.lines = Lines(
            Addresses(directory, threads=configuration.placement == "thread"),
            text_inlet(configuration),
        )
        self._wait_subscribers = wait_subscribers
        self._log = logging.getLogger("intentd.daemon")
        self._opened: set[str] = set()
        self.texts = Texts(self.lines)
        self._failure: IntentdError | None = None
        self._stop_asked = False
        self.subscribers = 0
        self.running = False
        """True from ready to the last word."""

        self.state = "starting"
        self.begun = time.time()
        self.ticked = time.monotonic()
        """When the daemon last looked at everything."""

    def stop(self) -> None:
        """Ask the daemon to stop, from any thread or a signal handler."""
        self._stop_asked = True
        self.lines.wake()

    def run(self) -> None:
        """Run until all sources are done or ``stop`` was called.

        Raises IntentdError when a worker can't start, TransportError when the directory is taken.
        """
        directory = SocketDirectory(self.directory)
        with directory:
            context: Context = zmq.Context()
            self._placement = make_placement(
                self.configuration.placement, context, (directory.lock,)
            )
            plan = make_plan(self.configuration, str(self.directory))
            self.supervisor = Supervisor(plan, self._placement, self.configuration.supervision)
            self.fingerprints = {spec.name: fingerprint(spec) for spec in plan}
            self.listening = Listening(
                self.configuration, lambda name, message: self.lines.send([name], message)
            )
            self._control = ControlServer(self)
            try:
                self.lines.open(context)
                self._control.open()
                try:
                    self._work()
                finally:
                    self._quit()
            finally:
                self._control.close()
                self.lines.close()
                self._placement.close()
                if self._placement.everybody_left:
                    context.term()
        if self._failure is not None:
            raise self._failure

    def tell_state(self, state: str, detail: str = "") -> None:
        """Publish what the daemon is doing from now on."""
        self.state = state
        self.lines.tell_state(state, detail)

    def restart(self, spec: WorkerSpec) -> None:
        """Let a worker end in order, and start it with another specification."""
        self.lines.send([spec.name], Quit())
        self._placement.join({spec.name}, QUIT_SECONDS)
        self.supervisor.replace(spec.name, spec)

    def _names(self, kind: str = "") -> set[str]:
        workers = self.supervisor.workers.values()
        return {w.spec.name for w in workers if not kind or w.spec.kind == kind}

    def _in_state(self, *states: str) -> set[str]:
        return {name for name, w in self.supervisor.workers.items() if w.state in states}

    def _work(self) -> None:
        sources = self._names("source")
        self.supervisor.start_all()
        self.lines.watch(self._placement)
        if not self._wait_until(lambda: self.supervisor.all_run, START_SECONDS):
            if not self._stop_asked:
                self._fail(self.supervisor.too_late())
            return
        if not self._wait_until(lambda: self.subscribers >= self._wait_subscribers):
            return
        self.lines.send(sources, Go())
        self.listening.tell_all()
        if not self._wait_until(lambda: self._opened | self._in_state("finished") >= sources):
            return
        self.running = True
        self.tell_state("ready")
        if not self._wait_until(lambda: self._in_state("finished") >= sources):
            self._drain(sources)

    def _drain(self, sources: set[str]) -> None:
        """Let what was heard be worked on and published."""
        if self._failure is not None:
            return
        self.tell_state("stopping")
        self._stop_asked = False
        self.lines.send(sources, Stop())
        if not self._wait_until(
            lambda: self._in_state("finished", "given-up") >= sources,
            self.configuration.drain_seconds,
        ):
            self._log.warning("not all that was heard could be worked on before the end")

    def _quit(self) -> None:
        if self._failure is not None and self.running:
            self.lines.tell_error(self._failure.code, self._failure.message)
        if self.running:
            self.tell_state("stopped")
        self.running = False
        names = self._names()
        # Those that are not ready would not hear that they are to quit.
        self._placement.kill({w.spec.name for w in self.supervisor.missing()})
        self.lines.send(names - {"publisher"}, Quit())
        self._placement.join(names - {"publisher"}, QUIT_SECONDS)
        self.lines.send({"publisher"}, Quit())
        self._placement.join({"publisher"}, QUIT_SECONDS)

    def _wait_until(self, reached: Callable[[], bool], seconds: float | None = None) -> bool:
        """Serve until ``reached``; False when stopped, failed or out of time."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while not reached():
            if self._stop_asked or self._failure is not None:
                return False
            if deadline is not None and time.monotonic() > deadline:
                return False
            self._serve()
        return True

    def _serve(self) -> None:
        due = self.supervisor.next_due()
        longest = BUSY_MS if self._control.busy else TICK_MS
        died = self.lines.wait(longest if due is None else min(longest, round(due * 1000) + 1))
        self._take_reports()
        self._control.serve()
        if not died and due is None and time.monotonic() - self.ticked < TICK_MS / 2000:
            return  # only a heartbeat
        self.ticked = time.monotonic()
        for change in self.supervisor.check():
            self._take_reports()  # its last words
            self._note_change(change)
        self.lines.watch(self._placement)

    def _note_change(self, change: Change) -> None:
        worker = change.worker
        name, how = worker.spec.name, worker.reason
        if not self.running or not can_go_on(worker.spec) or change.kind == "hangs":
            end = "shows no life any more" if change.kind == "hangs" else "ended unexpectedly"
            text = f"{name} {end}; its last words are in the log above"
            self._fail(StageError(text, code="stage-died"))
            return
        if change.kind == "given-up":
            text = f"{name}: {how}; it died {worker.deaths} times in a row and is given up"
            self.lines.tell_error("stage-given-up", text)
        else:
            text = f"{name}: {how}; it is started again"
            self.lines.tell_error("stage-died", text)
        if self.state in ("ready", "degraded"):
            self.tell_state("degraded", text)

    def _fail(self, error: IntentdError) -> None:
        if self._failure is None:
            self._failure = error

    def _take_reports(self) -> None:
        for name, message in self.lines.reports():
            if name in self.supervisor.workers:
                self._note(name, message)
            else:
                self.lines.garbage("not from a worker")

    def _note(self, name: str, message: ControlMessage) -> None:
        match message:
            case Beat():
                self.supervisor.note_beat(name, message)
            case Ready(models=models):
                if self.supervisor.note_ready(name, models):
                    self._resume(self.supervisor.workers[name])
            case Opened():
                self._opened.add(name)
            case Finished():
                self.supervisor.note_finished(name)
            case Subscribers(count=count):
                self.subscribers = count
            case Injected(id=identity):
                self.texts.note_published(identity)
            case Failed(code=code, message=text):
                self._log.debug("%s failed: %s", name, text)
                self._note_failed(self.supervisor.workers[name], IntentdError(text, code=code))
            case _:
                self.lines.garbage(f"{name} sent a {type(message).__name__}")

    def _note_failed(self, worker: Worker, error: IntentdError) -> None:
        """A worker tells why it ends. At the start that is the end of the daemon."""
        if not self.running or not can_go_on(worker.spec):
            self._fail(error)
        elif not self._control.note_failed(worker, error.message):
            self.lines.tell_error(error.code, error.message)

    def _resume(self, worker: Worker) -> None:
        """A worker is back: everybody sends it again what it may not have dealt with."""
        name = worker.spec.name
        self.lines.epoch = self.supervisor.epoch
        if self.configuration.placement == "thread":
            self.lines.send(self._names() - {name}, Reconnect(name=name))
            self.lines.reconnect(name)
        if worker.spec.kind == "source":
            self.lines.send([name], Go())
            self.listening.tell(self.configuration.sources[worker.spec.index].name)
        else:
            skip = worker.deaths >= SUSPECT_DEATHS
            rewind = Rewind(epoch=self.supervisor.epoch, skip=skip)
            self.lines.send(self._names("source"), rewind)
            self.texts.put_again()
        if self.supervisor.all_run and self.state == "degraded":
            self.tell_state("ready", f"{name} was started again")
