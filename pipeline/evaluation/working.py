"""Recordings through chains in several processes, with a journal that a broken run goes on from."""

from __future__ import annotations

import hashlib
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import msgspec
import platformdirs
from msgspec import UNSET

from models.catalogue import find
from models.errors import IntentdError, SourceError, StageError
from pipeline.configuration import Configuration
from pipeline.evaluation.chain import Chain
from pipeline.evaluation.labels import LabelledRecording
from pipeline.evaluation.mixing import Condition, mix
from pipeline.evaluation.outcome import Outcome, judge, meaning, utterance
from pipeline.loading import find_domain
from stages.sources.decoding import decode

JOURNAL_VERSION = 3


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be evaluated."""

    configuration: Configuration
    recordings: tuple[LabelledRecording, ...]
    conditions: tuple[Condition, ...]
    seed: int


class Journal:
    """Outcomes on disk, a line for each as soon as it is known."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, job: Job) -> Journal:
        """The journal of this very job: other models, labels or noise have another one."""
        folder = Path(platformdirs.user_cache_dir("intentd")) / "evaluations"
        return cls(folder / f"{fingerprint(job)}.ndjson")

    def read(self) -> list[Outcome]:
        """What is known; a line that was broken off is left out."""
        found = []
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        for line in lines:
            try:
                found.append(msgspec.json.decode(line, type=Outcome))
            except msgspec.DecodeError:
                continue
        return found

    def append(self, outcomes: Sequence[Outcome]) -> None:
        """Write down outcomes."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab") as file:
            # The leading newline ends a line that was broken off.
            file.write(b"".join(b"\n" + msgspec.json.encode(outcome) for outcome in outcomes))

    def remove(self) -> None:
        """All is done."""
        self.path.unlink(missing_ok=True)


def fingerprint(job: Job) -> str:
    """Hash of all that outcomes depend on; files count by size and time."""
    settings = job.configuration
    files = [Path(recording.path) for recording in job.recordings]
    files += [Path(condition.noise) for condition in job.conditions if condition.noise]
    names = [settings.transcriber.model, *(u.model for u in settings.understanders)]
    if settings.transcriber.grammar not in ("none", "auto", "domain"):
        names.append(settings.transcriber.grammar)
    for name in names:
        files += sorted(path for path in find(name).rglob("*") if path.is_file())
    for domain in (settings.domain, *(u.domain for u in settings.understanders)):
        if domain is not None:
            files.append(find_domain(domain))
    stats = [(str(file.resolve()), file.stat()) for file in files]
    told = (
        JOURNAL_VERSION,
        msgspec.structs.replace(settings, sources=()),
        job.recordings,
        job.conditions,
        job.seed,
        [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats],
    )
    return hashlib.blake2b(msgspec.json.encode(told), digest_size=12).hexdigest()


def work(
    job: Job,
    journal: Journal,
    *,
    jobs: int,
    on_done: Callable[[Outcome], None],
    on_warning: Callable[[str], None],
) -> tuple[Outcome, ...]:
    """All outcomes of a job, by condition and recording. Those in the journal are taken from there.

    Raises IntentdError when a recording or a model fails; what is done stays in the journal.
    """
    wanted = {(c.name, r.name) for c in job.conditions for r in job.recordings}
    done = {(o.condition, o.audio): o for o in journal.read() if (o.condition, o.audio) in wanted}
    for outcome in done.values():
        on_done(outcome)
    tasks = []
    for recording in job.recordings:
        left = tuple(c for c in job.conditions if (c.name, recording.name) not in done)
        if left:
            tasks.append((recording, left))
    warned: set[str] = set()
    for outcomes, warnings in _in_processes(job, tasks, jobs):
        journal.append(outcomes)
        for outcome in outcomes:
            done[outcome.condition, outcome.audio] = outcome
            on_done(outcome)
        for warning in warnings:
            if warning not in warned:
                warned.add(warning)
                on_warning(warning)
    return tuple(done[c.name, r.name] for c in job.conditions for r in job.recordings)


_Task = tuple[LabelledRecording, tuple[Condition, ...]]
_Result = tuple[list[Outcome], tuple[str, ...]]


def _in_processes(job: Job, tasks: Sequence[_Task], jobs: int) -> Iterator[_Result]:
    if not tasks:
        return
    # A fork would copy the threads' locks of onnxruntime and Vosk, but not the threads.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(
        min(jobs, len(tasks)), context, initializer=_begin, initargs=(job.configuration, job.seed)
    )
    try:
        waiting: set[Future[_Result]] = set()
        ahead = iter(tasks)
        for task in ahead:
            waiting.add(pool.submit(_do, task))
            if len(waiting) < 2 * jobs:
                continue
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
        while waiting:
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                yield future.result()
    except BrokenProcessPool:
        raise StageError(
            "a worker process died (out of memory?); what is done is kept: run the same command "
            "again, with fewer --jobs"
        ) from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class _Worker:
    """What a worker process keeps between recordings."""

    configuration: Configuration
    seed: int
    chain: Chain | None = None


def _begin(configuration: Configuration, seed: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Worker.configuration, _Worker.seed = configuration, seed


def _do(task: _Task) -> _Result:
    warnings: tuple[str, ...] = ()
    if _Worker.chain is None:
        _Worker.chain = Chain(_Worker.configuration)
        warnings = _Worker.chain.open()
    recording, conditions = task
    return evaluate_recording(_Worker.chain, recording, conditions, _Worker.seed), warnings


def evaluate_recording(
    chain: Chain, recording: LabelledRecording, conditions: Sequence[Condition], seed: int
) -> list[Outcome]:
    """One recording under several conditions. Raises SourceError for a bad recording."""
    pcm = b"".join(decode(recording.path))
    outcomes = []
    for condition in conditions:
        mixed = mix(pcm, condition, name=recording.name, seed=seed)
        try:
            outcome = judge(recording, condition, chain.hear(mixed, recording.path))
        except IntentdError as error:
            raise SourceError(f"{recording.path} ({condition.name}): {error.message}") from error
        text = recording.label.text
        if outcome.failed and text is not UNSET:
            read = meaning((utterance(chain.read(text.casefold())),))
            outcome = msgspec.structs.replace(outcome, read=read)
        outcomes.append(outcome)
    return outcomes
