"""The messages that travel between stages, and the parts that public events are made of.

All are frozen, keyword-only structures. Positions are sample counts at 16 kHz from the start of
a *stream*: one opening of a microphone, or one recording. How they look on the wire is decided
in ``pipeline.wire``.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from stages.documents import Answer

SAMPLE_RATE = 16_000
"""Samples a second of all audio inside the daemon (16-bit mono)."""


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", array_like=False):
    """Base of everything that travels between stages."""

    source: str
    """Name of the source, as configured: ``kitchen``."""

    stream: str
    """Id of one opening of the source; positions count from its start."""

    file: str | None = None
    """Path of the recording as the user gave it, for replays."""


class AudioBlock(Message, frozen=True, kw_only=True, tag="audio"):
    """A piece of audio as it left the source."""

    position: int
    """Position of the first sample."""

    captured: float
    """Seconds since the epoch at which the first sample was heard; for recordings, read."""

    pcm: bytes
    """int16 little-endian mono samples at 16 kHz."""

    lost: int = 0
    """Samples lost immediately before this block (overflow or a full queue)."""


class EndOfStream(Message, frozen=True, kw_only=True, tag="end-of-stream"):
    """No more audio comes from this stream."""

    position: int
    """Length of the stream in samples."""


class Progress(Message, frozen=True, kw_only=True, tag="progress"):
    """Nothing before ``position`` is still being worked on by the stages passed so far."""

    position: int
    checkpoint: bytes = b""
    """State of the segmenter at ``position``, from which a new one goes on with ``Resume``."""


class Resume(Message, frozen=True, kw_only=True, tag="resume"):
    """A source sends its stream again from ``position``, to a segmenter that may be a new one."""

    position: int
    checkpoint: bytes
    """What a message for this position said."""

    pcm: bytes
    """The audio right before it, int16 little-endian mono at 16 kHz, as much as was kept."""


class SpeechChunk(Message, frozen=True, kw_only=True, tag="speech"):
    """A piece of an utterance."""

    id: str
    """Id of the utterance."""

    position: int
    """Position of the first sample."""

    pcm: bytes
    """int16 little-endian mono samples at 16 kHz."""

    first: bool = False
    """True on the first chunk of an utterance."""


class Endpoint(Message, frozen=True, kw_only=True, tag="endpoint"):
    """The utterance is over."""

    id: str
    start: int
    """Position where its speech began."""

    end: int
    """Position where its speech ended (the trailing silence is behind it)."""

    position: int
    """Position up to which the audio belongs to the utterance."""

    captured: float
    """Seconds since the epoch at which the sample at ``start`` was heard."""

    lost: int = 0
    """Samples that were lost inside the utterance."""

    decided: float = 0.0
    """Clock reading (seconds) at which the endpoint was decided."""

    trailing: float = 0.0
    """Seconds of silence that were waited for until it was decided."""

    checkpoint: bytes = b""
    """State of the segmenter at ``position``."""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """One recognised word."""

    word: str
    start: float
    """Seconds from the start of the stream."""

    end: float
    """Seconds from the start of the stream."""

    confidence: float | None
    """Posterior in [0, 1]; None when the recogniser was asked for n-best texts."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time, in seconds from the start of the stream."""

    start: float
    end: float


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """An intent and how sure the understander is of it, in [0, 1]."""

    name: str
    confidence: float


SlotValue = str | int | float | dict[str, Any]
"""Canonical value of a slot: a string, a number or an object."""


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A named value inside the text."""

    name: str
    raw: str
    """The words that were heard."""

    value: SlotValue
    """Their canonical value: a JSON number or string, as ``type`` says."""

    type: str = "text"
    """What the value is: ``list``, ``text``, ``number``, ``ordinal``, ``percent``, ``duration``
    (seconds), ``time`` (HH:MM), ``date``, ``datetime`` (ISO 8601), ``temperature``, ``color``."""

    unit: str | UnsetType = UNSET
    """Unit of a number, where it has one: ``seconds``, ``percent``, ``celsius``."""

    start: int
    """Offset of the first character in the text."""

    end: int
    """Offset behind the last character; that of the first where the slot was not said but
    follows from the sentence (``raw`` is empty then)."""

    confidence: float


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked before an intent can be done."""

    text: str
    kind: Literal["slot", "confirm"]
    slot: str | UnsetType = UNSET
    """The slot that the answer is to fill."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What an utterance is in a dialogue."""

    id: str
    """Id of the utterance that began the dialogue."""

    question: Question | None = None
    """What is asked now; the intent is held back until it is answered."""

    ended: bool = False
    """True when this utterance called the intent off."""

    reply: str = ""
    """What is answered, now that the intent is complete."""


class Cancelled(Message, frozen=True, kw_only=True, tag="cancelled"):
    """An intent that was asked about will not be done."""

    id: str
    """Id of the utterance that began the dialogue."""

    text: str
    """All that was said of it."""

    intent: Intent
    slots: tuple[Slot, ...] = ()
    reason: str
    """``cancelled``, ``no``, ``not-understood``, ``replaced``, ``timeout`` or ``ended``."""


class Partial(Message, frozen=True, kw_only=True, tag="partial"):
    """What has been heard so far of an utterance; sent when it changes."""

    id: str
    text: str


class Transcript(Message, frozen=True, kw_only=True, tag="transcript"):
    """What was heard in one utterance, and, as understanders add to it, what was meant."""

    id: str
    text: str
    words: tuple[Word, ...] = ()
    transcripts: tuple[str, ...] | None = None
    """The n-best texts, best first, when the recogniser was asked for them."""

    speech: Span
    position: int
    """Position up to which the stream is dealt with once this utterance is published."""

    checkpoint: bytes = b""
    """State of the segmenter at ``position``."""

    captured: float = 0.0
    decided: float = 0.0
    lost: int = 0
    simulated: bool = False
    """True when the text was injected instead of heard."""

    intent: Intent | None = None
    """Best guess; None while no understander has had a look."""

    accepted: bool = False
    """True when the best guess is above its threshold."""

    slots: tuple[Slot, ...] = ()
    alternatives: tuple[Intent, ...] = ()
    topics: tuple[Intent, ...] | None = None
    """What the text is about; None where no stage looks for topics."""

    entities: tuple[Slot, ...] | None = None
    """Names in the text; None where no stage looks for entities."""

    answer: Answer | None = None

    turn: Turn | None = None
    """Its part in a dialogue; None outside of any."""

    timings: dict[str, float] = {}
    """Milliseconds that each stage took, keyed by what it did: ``transcribe``."""

    models: dict[str, str] = {}
    """Model ids by role: ``{"asr": "vosk-en-starter@2"}``."""


class StateReport(Message, frozen=True, kw_only=True, tag="state"):
    """Something in the daemon changed: a device was lost or found, a stage is ready."""

    state: str
    """Stable name in kebab case: ``ready``, ``device-lost``."""

    detail: str = ""
    id: str = ""
    """Id of the event that is made of it; empty for one made by the publisher."""


class ErrorReport(Message, frozen=True, kw_only=True, tag="error"):
    """Something went wrong or was lost, and the daemon goes on."""

    code: str
    """Stable name in kebab case: ``audio-lost``, ``bad-source``."""

    detail: str
    count: int = 1
    """How many times, samples or frames, as the code says."""

    id: str = ""
    """Id of the event that is made of it; empty for one made by the publisher."""


StageMessage = (
    AudioBlock
    | EndOfStream
    | Progress
    | Resume
    | SpeechChunk
    | Endpoint
    | Partial
    | Transcript
    | Cancelled
    | StateReport
    | ErrorReport
)
"""Any message that may travel between stages."""
