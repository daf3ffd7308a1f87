"""Which workers a configuration needs, and how they are joined."""

from __future__ import annotations

from typing import Literal

import msgspec

from pipeline.configuration import Configuration, RecordingSection, SatelliteSection

WorkerKind = Literal[
    "source", "segmenter", "transcriber", "understander", "annotator", "publisher", "actions"
]


class WorkerSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One worker: a stage or source with its name, its place and its ways out."""

    name: str
    """Name of its inlet, of its process and of its log."""

    kind: WorkerKind
    index: int
    """Which one of its kind in the configuration."""

    outlets: tuple[str, ...]
    """Names of the workers that take what it makes; several share the sources."""

    configuration: Configuration
    directory: str
    """Where the sockets are."""

    epoch: int = 0
    """What belongs to an earlier epoch is a fragment of what a dead worker had."""

    restarts: int = 0
    """How often it was started again."""

    stream: int = -1
    """For recordings: number of the one that a source which died was playing."""

    position: int = 0
    """And the sample up to which it has been heard."""


def make_plan(configuration: Configuration, directory: str) -> list[WorkerSpec]:
    """All workers, those at the end of the chain first."""

    without_files = _without_files(configuration)

    def spec(name: str, kind: WorkerKind, index: int, *outlets: str) -> WorkerSpec:
        return WorkerSpec(
            name=name,
            kind=kind,
            index=index,
            outlets=outlets,
            configuration=configuration if kind == "source" else without_files,
            directory=directory,
        )

    plan = [spec("publisher", "publisher", 0)]
    if configuration.on_intent:
        plan.append(spec("actions", "actions", 0, "publisher"))
    after = "publisher"
    for index in reversed(range(len(configuration.annotators))):
        plan.append(spec(f"annotator-{index}", "annotator", index, after))
        after = f"annotator-{index}"
    for index in reversed(range(len(configuration.understanders))):
        plan.append(spec(f"understander-{index}", "understander", index, after))
        after = f"understander-{index}"
    transcribers = [f"transcriber-{i}" for i in range(configuration.transcriber.workers)]
    for index, name in enumerate(transcribers):
        plan.append(spec(name, "transcriber", index, text_inlet(configuration)))
    plan.append(spec("segmenter", "segmenter", 0, *transcribers))
    for index, source in enumerate(configuration.sources):
        plan.append(spec(source_worker(source.name), "source", index, "segmenter"))
    return plan


def _without_files(configuration: Configuration) -> Configuration:
    """For workers that play nothing: a list of a hundred thousand recordings is large."""
    sources = tuple(
        msgspec.structs.replace(source, paths=("…",))
        if isinstance(source, RecordingSection)
        else source
        for source in configuration.sources
    )
    return msgspec.structs.replace(configuration, sources=sources)


def text_inlet(configuration: Configuration) -> str:
    """The worker that takes transcripts first."""
    if configuration.understanders:
        return "understander-0"
    return "annotator-0" if configuration.annotators else "publisher"


def can_go_on(spec: WorkerSpec) -> bool:
    """True when a worker that died can be started again.

    A replay can't: what a dead reader of files had sent would be sent a second time.
    """
    if spec.kind != "source":
        return True
    section = spec.configuration.sources[spec.index]
    return not isinstance(section, RecordingSection) or section.pace == "real"


def sends_again(spec: WorkerSpec) -> bool:
    """True for what begins anew when it was started again: a stage, and a hub, whose satellites
    keep what it had not published. Whatever else captures goes on with what is said now."""
    if spec.kind != "source":
        return True
    return isinstance(spec.configuration.sources[spec.index], SatelliteSection)


def source_worker(source: str) -> str:
    """Name of the worker that runs a source."""
    return f"source-{source}"
