"""Makes a worker from its specification, and runs it as a process or in a thread.

As a process (``python -m pipeline.worker DESCRIPTOR``) it reads its specification as one line of
JSON from an inherited pipe; that pipe stays open, and its end is the end of the daemon.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Final, Protocol

import msgspec
import zmq

from models.errors import IntentdError
from pipeline.activation import Activation
from pipeline.addresses import Addresses
from pipeline.configuration import (
    AnswerSection,
    Configuration,
    EntitiesSection,
    MicrophoneSection,
    RecordingSection,
    SatelliteSection,
    TopicsSection,
)
from pipeline.control_line import Control, Leaving
from pipeline.plan import WorkerSpec, source_worker
from pipeline.rings import Rings
from pipeline.runner import Stage, StageRunner
from pipeline.source_runner import SourceRunner
from pipeline.transport import Context
from stages.sources.base import Source

RING_MARGIN_SECONDS: Final = 10.0
HISTORY_MARGIN_SECONDS: Final = 1.0

ORPHAN_SECONDS: Final = 5.0
"""How long a worker may take to leave when the daemon is gone."""


class Runner(Protocol):
    """What a worker runs until it is told to quit."""

    def run(self) -> None:
        """Work."""


def run_worker(spec: WorkerSpec, context: Context, parent: int | None = None) -> None:
    """Build the worker and run it until it is told to quit."""
    threads = spec.configuration.placement == "thread"
    addresses = Addresses(Path(spec.directory), threads=threads)
    try:
        runner = _make_runner(spec, context, addresses, parent)
    except IntentdError as error:
        control = Control(context, addresses, spec.name, parent)
        control.fail(error)
        control.socket.close()
        return
    runner.run()


def _make_runner(
    spec: WorkerSpec, context: Context, addresses: Addresses, parent: int | None
) -> Runner:
    configuration = spec.configuration
    if spec.kind == "publisher":
        from pipeline.publisher import PublisherRunner

        section = configuration.publisher
        return PublisherRunner(
            context,
            addresses,
            endpoints=section.endpoints,
            sources={s.name: source_worker(s.name) for s in configuration.sources},
            understands=bool(configuration.understanders),
            hwm=section.hwm,
            block=section.slow_subscribers == "block",
            security=configuration.security,
            journal=configuration.journal,
            epoch=spec.epoch,
            parent=parent,
        )
    if spec.kind == "source":
        return SourceRunner(
            spec.name,
            _make_source(spec, context),
            spec.outlets,
            context,
            addresses,
            rings=_make_rings(configuration),
            activation=Activation(
                configuration.sources[spec.index].name,
                push_to_talk=configuration.activation == "push-to-talk",
            ),
            epoch=spec.epoch,
            parent=parent,
        )
    if spec.kind == "actions":
        from pipeline.actions import ActionsRunner

        return ActionsRunner(context, addresses, configuration, epoch=spec.epoch, parent=parent)
    from pipeline.keeping import keeping

    stage = keeping(make_stage(spec, configuration), spec, configuration)
    return StageRunner(
        spec.name, stage, spec.outlets, context, addresses, epoch=spec.epoch, parent=parent
    )


def _make_rings(configuration: Configuration) -> Rings:
    """As long as the longest utterance and its endpoint, or nothing would ever be published."""
    segmenter = configuration.segmenter
    before = segmenter.pre_roll + segmenter.start
    longest = segmenter.max_length + segmenter.endpoint_silence + before
    return Rings(
        keep=max(configuration.queues.replay_seconds, longest + RING_MARGIN_SECONDS),
        live=configuration.queues.live_seconds,
        history=before + HISTORY_MARGIN_SECONDS,
    )


def _make_source(spec: WorkerSpec, context: Context) -> Source:
    configuration = spec.configuration
    section = configuration.sources[spec.index]
    if isinstance(section, SatelliteSection):
        from pipeline.journal import position_in
        from pipeline.satellites.hub import SatelliteHub

        ports = [e.rpartition(":")[2] for e in configuration.publisher.endpoints if "tcp:" in e]
        return SatelliteHub(
            section,
            context,
            configuration.security,
            events_port=int(ports[0]) if ports else 0,
            position=position_in(configuration.journal),
        )
    if isinstance(section, MicrophoneSection):
        from stages.sources.microphone import MicrophoneSource

        return MicrophoneSource(
            section.name,
            section.device,
            wait_for_device=section.wait_for_device or spec.restarts > 0,
            watchdog=section.watchdog,
        )
    from stages.sources.recording import RecordingSource

    return RecordingSource(
        section.name,
        list(section.paths),
        pace=section.pace,
        first=max(0, spec.stream),
        position=spec.position,
        attempt=spec.restarts,
    )


def make_stage(spec: WorkerSpec, configuration: Configuration) -> Stage:
    """The stage of a worker. Each kind imports only what it needs, to stay small."""
    if spec.kind == "segmenter":
        from stages.segmenter import Segmenter

        s = configuration.segmenter
        return Segmenter(
            threshold=s.threshold,
            start=s.start,
            endpoint_silence=s.endpoint_silence,
            max_length=s.max_length,
            pre_roll=s.pre_roll,
            gate=s.gate,
        )
    if spec.kind == "transcriber":
        from pipeline.loading import find_domain
        from stages.transcriber import Transcriber

        t = configuration.transcriber
        return Transcriber(
            model=t.model,
            grammar=t.grammar,
            domain=find_domain(configuration.domain) if configuration.domain else None,
            grammar_sentences=t.grammar_sentences,
            nbest=t.nbest,
            partials=t.partials,
            beam=t.beam,
            grammar_weight=t.grammar_weight,
            noise_suppression=t.noise_suppression,
        )
    if spec.kind == "annotator":
        return make_annotator(configuration.annotators[spec.index])
    from pipeline.understanding import understander_stage

    return understander_stage(configuration, spec.index)


def make_annotator(section: TopicsSection | EntitiesSection | AnswerSection) -> Stage:
    """The stage of an annotator."""
    if isinstance(section, TopicsSection):
        from stages.topics import TopicsStage

        return TopicsStage(model=section.model, threshold=section.threshold)
    if isinstance(section, EntitiesSection):
        from stages.entities import EntitiesStage

        return EntitiesStage(model=section.model, threshold=section.threshold)
    from stages.answer import AnswerStage

    return AnswerStage(
        model=section.model,
        documents=[Path(document) for document in section.documents],
        threshold=section.threshold,
    )


def reads_standard_input(spec: WorkerSpec) -> bool:
    """True for the source whose audio comes on standard input."""
    if spec.kind != "source":
        return False
    section = spec.configuration.sources[spec.index]
    return isinstance(section, RecordingSection) and "-" in section.paths


def main() -> None:
    """Entry of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    leash = int(sys.argv[1])
    line = _read_line(leash)
    spec = msgspec.json.decode(line, type=WorkerSpec)
    threading.Thread(target=_end_with, args=(leash,), name="leash", daemon=True).start()
    from pipeline.logs import configure_logging

    configure_logging(spec.configuration.log)
    context: Context = zmq.Context()
    try:
        run_worker(spec, context, parent=leash)
    except Leaving:
        pass
    finally:
        context.term()


def _end_with(leash: int) -> None:
    """A worker that hangs doesn't see that the daemon is gone, and must not outlive it."""
    os.read(leash, 1)
    time.sleep(ORPHAN_SECONDS)
    os._exit(1)


def _read_line(descriptor: int) -> bytes:
    """The one line that is ever written; what is watched afterwards is only the pipe's end."""
    line = bytearray()
    while not line.endswith(b"\n"):
        piece = os.read(descriptor, 65_536)
        if not piece:
            sys.exit(0)
        line += piece
    return bytes(line)


if __name__ == "__main__":
    main()
