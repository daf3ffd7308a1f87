"""The configuration file: frozen typed structures, validated when the file is loaded.

Every mistake is a ConfigurationError that names the file, the line and the key. The sections of
sources and stages are in ``pipeline.stage_sections``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from pipeline.stage_sections import (
    AnswerSection,
    DialogueSection,
    EntitiesSection,
    MicrophoneSection,
    Name,
    RecordingSection,
    SatelliteSection,
    Seconds,
    Section,
    SegmenterSection,
    TopicsSection,
    TranscriberSection,
    UnderstanderSection,
)

__all__ = [
    "ActionSection",
    "ActionsSection",
    "AnswerSection",
    "Configuration",
    "DialogueSection",
    "EntitiesSection",
    "JournalSection",
    "KeepAudioSection",
    "LogSection",
    "MetricsSection",
    "MicrophoneSection",
    "Name",
    "PublisherSection",
    "QueueSection",
    "RecordingSection",
    "SatelliteSection",
    "Section",
    "SecuritySection",
    "SegmenterSection",
    "SupervisionSection",
    "TopicsSection",
    "TranscriberSection",
    "UnderstanderSection",
    "json_schema",
]


class PublisherSection(Section, frozen=True, kw_only=True):
    """Events to apps."""

    endpoints: tuple[str, ...] = ()
    """More places to publish at, besides the daemon's own socket: ``tcp://127.0.0.1:5556``."""

    hwm: Annotated[int, Meta(ge=1, le=1_000_000)] = 1000
    """Events that may wait for one slow subscriber before it loses some."""

    slow_subscribers: Literal["drop", "block"] = "drop"
    """What happens then: the slow one loses events, or everybody waits for it."""


class SecuritySection(Section, frozen=True, kw_only=True):
    """Connections from other machines. They are always encrypted (CurveZMQ) and open to allowed
    keys only; see ``intentd keys``."""

    keys: str | None = None
    """Folder of the keys; null: the one in the user's configuration folder."""

    key: Name = "server"
    """Which of the own key pairs is the daemon's."""

    loopback: bool = False
    """Ask for keys on 127.0.0.1 too, where other users of this machine could connect."""


class QueueSection(Section, frozen=True, kw_only=True):
    """Bounds of the queues."""

    live_seconds: Annotated[float, Meta(ge=1, le=600)] = 20.0
    """Live audio that may wait for a busy machine before the quietest is dropped."""

    replay_seconds: Annotated[float, Meta(ge=30, le=600)] = 60.0
    """Audio that is kept until it is published, to be worked on again after a crash."""


class JournalSection(Section, frozen=True, kw_only=True):
    """Events that were published, for those who were away."""

    enabled: bool = True
    path: str | None = None
    """An SQLite file; null: ``$XDG_STATE_HOME/intentd/journal.db``."""

    days: Annotated[float, Meta(gt=0, le=36_500)] = 30.0
    """Older events are deleted."""

    megabytes: Annotated[float, Meta(ge=0.1, le=1_000_000)] = 100.0
    """The oldest events are deleted when the file grows larger."""


class SupervisionSection(Section, frozen=True, kw_only=True):
    """What happens to a stage that dies or hangs."""

    hang_seconds: Annotated[float, Meta(ge=3, le=3600)] = 20.0
    """A stage that shows no life for so long is killed and started again."""

    first_delay: Annotated[float, Meta(ge=0, le=60)] = 0.1
    """Seconds until a stage that died is started again; doubled each time it dies again soon."""

    longest_delay: Seconds = 30.0
    tries: Annotated[int, Meta(ge=0, le=1000)] = 10
    """A stage that died so often in a row, each time soon after its start, is given up."""

    settled_seconds: Seconds = 10.0
    """A stage that worked for so long has recovered."""


class ActionSection(Section, frozen=True, kw_only=True):
    """A program that is run for intents, with the event's JSON on its standard input."""

    run: Annotated[tuple[Annotated[str, Meta(min_length=1)], ...], Meta(min_length=1)]
    """The program and its arguments. No shell reads them."""

    intents: tuple[str, ...] = ()
    """Only for these; empty: for all."""

    timeout: Seconds = 10.0
    """It is ended when it takes longer."""


class ActionsSection(Section, frozen=True, kw_only=True):
    """Bounds for the programs of ``on_intent``."""

    at_once: Annotated[int, Meta(ge=1, le=64)] = 4
    """So many run at the same time."""

    waiting: Annotated[int, Meta(ge=0, le=1000)] = 16
    """So many may wait for their turn; more are left out, and told."""


class MetricsSection(Section, frozen=True, kw_only=True):
    """Prometheus metrics and health, over HTTP on this machine only."""

    port: Annotated[int, Meta(ge=0, le=65_535)] = 0
    """``/metrics``, ``/healthz`` and ``/readyz`` on 127.0.0.1; 0: none."""


class KeepAudioSection(Section, frozen=True, kw_only=True):
    """Utterances on disk, with their events: nobody but the user can read them."""

    dir: Annotated[str, Meta(min_length=1)]
    """Folder for ``ID.flac`` and ``ID.event.json``; made where it isn't there."""

    max_age: Annotated[float, Meta(gt=0, le=3650)] = 7.0
    """Days after which they are deleted."""

    max_size: Annotated[float, Meta(gt=0, le=1_000_000)] = 500.0
    """Megabytes; the oldest are deleted when there are more."""


class LogSection(Section, frozen=True, kw_only=True):
    """What goes to standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"
    """``auto``: readable on a terminal, fields in systemd's journal, JSON elsewhere."""


class Configuration(Section, frozen=True, kw_only=True):
    """All of a configuration file."""

    placement: Literal["process", "thread"] = "process"
    """One process for each stage, or one process with a thread for each."""

    domain: str | None = None
    """What may be said: name of a shipped domain or path of a domain file."""

    sources: Annotated[
        tuple[MicrophoneSection | RecordingSection | SatelliteSection, ...],
        Meta(min_length=1, max_length=64),
    ] = (MicrophoneSection(),)
    segmenter: SegmenterSection = SegmenterSection()
    transcriber: TranscriberSection = TranscriberSection()
    understanders: Annotated[tuple[UnderstanderSection, ...], Meta(max_length=8)] = ()
    """None: what was trained from the domain, if anything was."""

    annotators: Annotated[
        tuple[TopicsSection | EntitiesSection | AnswerSection, ...], Meta(max_length=8)
    ] = ()
    """What else is looked for in a text, behind the understanders."""

    dialogue: DialogueSection = DialogueSection()
    publisher: PublisherSection = PublisherSection()
    security: SecuritySection = SecuritySection()
    queues: QueueSection = QueueSection()
    keep_audio: KeepAudioSection | None = None
    """Save what was said, to learn from it; null: nothing is ever written."""

    journal: JournalSection = JournalSection()
    supervision: SupervisionSection = SupervisionSection()
    activation: Literal["always", "push-to-talk"] = "always"
    """Listen all the time, or only for a while after ``intentd trigger``."""

    on_intent: Annotated[tuple[ActionSection, ...], Meta(max_length=64)] = ()
    actions: ActionsSection = ActionsSection()
    metrics: MetricsSection = MetricsSection()
    log: LogSection = LogSection()
    drain_seconds: Seconds = 5.0
    """How long a daemon that is told to stop may finish what it has heard."""


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the configuration file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "intentd configuration",
        **msgspec.json.schema(Configuration),
    }


if __name__ == "__main__":
    import json
    from pathlib import Path

    target = Path(__file__).parent / "schemas" / "configuration.schema.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(json_schema(), indent=2) + "\n")
