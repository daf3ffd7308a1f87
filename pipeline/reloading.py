"""Takes over a changed configuration, stage by stage, without losing audio.

What changed is looked at first, in a process of its own, as ``intentd check`` does: a broken
file or model leaves everything as it is. Then the stages that are concerned end and are started
again, and what they had not finished is worked on again as after a crash.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from models.errors import ConfigurationError, IntentdError
from pipeline.commands import Reply
from pipeline.configuration import AnswerSection
from pipeline.loading import find_domain
from pipeline.logs import set_level
from pipeline.plan import WorkerSpec, make_plan
from pipeline.supervisor import Worker
from pipeline.wire import Retune

if TYPE_CHECKING:
    from pipeline.daemon import Daemon

_FIXED: Final = ("placement", "metrics")
"""Keys that only a new start of the daemon can change."""


class Reloading:
    """One reload, from the request to its reply."""

    def __init__(self, daemon: Daemon, answer: Callable[[Reply], None]) -> None:
        self._daemon = daemon
        self._answer = answer
        self.over = False
        self._old: dict[str, WorkerSpec] = {}
        self._check: subprocess.Popen[bytes] | None = None
        try:
            self._begin()
        except IntentdError as error:
            self._end(error.message)

    def _begin(self) -> None:
        """Raises IntentdError when the new configuration can't be taken over."""
        if self._daemon.load is None:
            raise ConfigurationError("this daemon has no configuration file")
        self._new = self._daemon.load()
        self._plan = {spec.name: spec for spec in make_plan(self._new, str(self._daemon.directory))}
        workers = self._daemon.supervisor.workers
        for key in _FIXED:
            if getattr(self._new, key) != getattr(self._daemon.configuration, key):
                raise ConfigurationError(f"{key}: only a new start can change it; restart intentd")
        if self._plan.keys() != workers.keys():
            names = ", ".join(sorted(self._plan.keys() ^ workers.keys()))
            raise ConfigurationError(
                f"stages come or go ({names}), which takes a new start; restart intentd"
            )
        self._changed = [
            name
            for name, spec in self._plan.items()
            if fingerprint(spec) != self._daemon.fingerprints[name]
        ]
        if self._changed:
            self._check = subprocess.Popen(
                [sys.executable, "-P", "-m", "pipeline.cli.check_stages"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                process_group=0,
            )
            assert self._check.stdin is not None
            self._check.stdin.write(msgspec.json.encode(self._new))
            self._check.stdin.close()
        else:
            self._take_over()

    def tick(self) -> None:
        """Go on when the next step can be done."""
        if self.over:
            return
        if self._check is not None:
            if self._check.poll() is None:
                return
            assert self._check.stdout is not None
            problem = self._check.stdout.read().decode(errors="replace").strip()
            self._check.stdout.close()
            failed, self._check = self._check.returncode != 0, None
            if failed:
                self._end(problem or "the new configuration can't be checked; see the log")
            else:
                self._take_over()
            return
        workers = self._daemon.supervisor.workers
        if all(workers[name].state in ("running", "finished") for name in self._changed):
            self._end(None)

    def note_failed(self, worker: Worker, reason: str) -> bool:
        """A stage does not start with its new configuration: take the old one again."""
        old = self._old.pop(worker.spec.name, None)
        if old is None:
            return False
        self._daemon.restart(old)
        self._end(f"{worker.spec.name}: {reason}; it goes on as before")
        return True

    def _take_over(self) -> None:
        daemon = self._daemon
        level = self._new.log.level
        if level != daemon.configuration.log.level:
            set_level(level)
            daemon.lines.send(daemon.supervisor.workers, Retune(level=level))
        daemon.configuration = self._new
        daemon.supervisor.section = self._new.supervision
        daemon.listening.push_to_talk = self._new.activation == "push-to-talk"
        for name in self._changed:
            self._old[name] = daemon.supervisor.workers[name].spec
            daemon.restart(self._plan[name])
        for name, spec in self._plan.items():
            daemon.fingerprints[name] = fingerprint(spec)
            daemon.supervisor.workers[name].spec = spec
        if not self._changed:
            self._end(None)

    def _end(self, problem: str | None) -> None:
        self.over = True
        if problem is not None:
            self._answer(Reply(ok=False, error=problem))
            return
        self._daemon.tell_state("ready", "the configuration was read anew")
        self._answer(Reply(ok=True, restarted=self._changed))


def fingerprint(spec: WorkerSpec) -> str:
    """What a worker's behaviour depends on: its sections and the files that they name."""
    c = spec.configuration
    parts: list[object] = []
    files: list[Path] = []
    match spec.kind:
        case "source":
            s = c.segmenter
            longest = max(c.queues.replay_seconds, s.max_length + s.endpoint_silence)
            parts = [c.sources[spec.index], c.activation, c.queues, longest, s.pre_roll, s.start]
        case "segmenter":
            parts = [c.segmenter]
        case "transcriber":
            parts = [c.transcriber]
            files = _domains(c.domain)
        case "understander":
            section = c.understanders[spec.index]
            parts = [section, c.dialogue]
            files = _domains(section.domain or c.domain)
        case "annotator":
            annotator = c.annotators[spec.index]
            parts = [annotator]
            if isinstance(annotator, AnswerSection):
                files = [Path(document) for document in annotator.documents]
        case "publisher":
            parts = [c.publisher, c.journal, c.security, bool(c.understanders)]
        case "actions":
            parts = [c.on_intent, c.actions]
    digest = hashlib.blake2b(msgspec.json.encode(parts), digest_size=16)
    for path in files:
        digest.update(_content(path))
    return digest.hexdigest()


def _domains(name: str | None) -> list[Path]:
    return [] if name is None else [find_domain(name)]


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            files = sorted(file for file in path.rglob("*") if file.is_file())
            return b"".join(file.read_bytes() for file in files)
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: can't be read: {error.strerror}") from error
