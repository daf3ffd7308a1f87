"""How messages look between processes: a version byte, the epoch, then msgpack.

The epoch (32 bits, little-endian) grows by one whenever a worker was started again and the
sources begin to send anew what is not published yet: what is older is a fragment.

The public events are JSON and are made in ``pipeline.events``; this is the inner wire only. All
decoding validates types through msgspec and never evaluates anything.
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from stages.messages import StageMessage

WIRE_VERSION: Final = 2
"""First byte of every frame. A daemon only talks to stages of its own version."""

MAX_FRAME_BYTES: Final = 1 << 20
"""Larger frames are refused by the sockets; 100 ms of audio have 3.2 kB."""

_PREFIX: Final = bytes([WIRE_VERSION])
_HEADER_BYTES: Final = 5


class WireError(ValueError):
    """A frame that is not one of ours."""


class Ack(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="ack"):
    """Published up to sample ``position`` of ``stream``; flows back to the source."""

    stream: str
    position: int
    checkpoint: bytes = b""
    """State of the segmenter there."""

    final: bool = False
    """True when the stream has ended and all of it is published."""


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="ready"):
    """A worker has opened its stage and bound its sockets."""

    models: dict[str, str] = {}
    """Models by role."""


class Beat(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="beat"):
    """A worker lives. About one a second."""

    queue: int = 0
    """Messages that wait in the worker."""

    idle: float = 0.0
    """Seconds since it last worked on something."""

    done: int = 0
    """Messages that it worked on so far."""

    dropped: int = 0
    """What it had to drop so far: samples of a source, frames that are not ours, lost events."""

    figures: dict[str, float] = {}
    """What else it can tell: latency percentiles in ms, the position of a source."""


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="opened"):
    """A source has opened its device or recordings."""


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="failed"):
    """A worker could not start, or had to stop."""

    code: str
    message: str


class Finished(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="finished"):
    """A source has nothing more to give and all of it is published."""


class Subscribers(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="subscribers"):
    """How many subscribers the publisher has."""

    count: int


class Injected(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="injected"):
    """A text that was put in by a command is published."""

    id: str


class Go(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="go"):
    """To a source: start."""


class Rewind(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="rewind"):
    """To a source: send all that is not published again, marked with this epoch."""

    epoch: int
    skip: bool = False
    """Leave out what has been sent: it has brought a worker down again and again."""


class Activity(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="activity"):
    """To a source: when to listen. Times are readings of the machine's monotonic clock."""

    muted_until: float = 0.0
    listen_until: float = 0.0
    """With push-to-talk: closed outside of this."""


class Retune(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="retune"):
    """To any worker: log at this level from now on."""

    level: str


class Reconnect(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="reconnect"):
    """To a worker that is a thread: this one was started again, connect to it anew."""

    name: str


class Stop(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="stop"):
    """To a source: end the streams; what was heard is still worked on."""


class Quit(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="quit"):
    """To a worker: close and leave."""


ControlMessage = (
    Ready
    | Beat
    | Opened
    | Failed
    | Finished
    | Subscribers
    | Injected
    | Go
    | Rewind
    | Activity
    | Retune
    | Reconnect
    | Stop
    | Quit
)
"""What the daemon and its workers tell each other."""

_encoder = msgspec.msgpack.Encoder()
_stage_decoder = msgspec.msgpack.Decoder(StageMessage)
_ack_decoder = msgspec.msgpack.Decoder(Ack)
_control_decoder = msgspec.msgpack.Decoder(ControlMessage)


def encode(message: StageMessage | Ack | ControlMessage, epoch: int = 0) -> bytes:
    """One frame for any inner message."""
    return _PREFIX + epoch.to_bytes(4, "little") + _encoder.encode(message)


def epoch_of(frame: bytes) -> int:
    """The epoch of a frame that was decoded."""
    return int.from_bytes(frame[1:_HEADER_BYTES], "little")


def decode(frame: bytes) -> StageMessage:
    """A message between stages. Raises WireError for anything else."""
    message: StageMessage = _decode(_stage_decoder, frame)
    pcm = getattr(message, "pcm", b"")
    if len(pcm) % 2:
        raise WireError("audio with half a sample")
    return message


def decode_ack(frame: bytes) -> Ack:
    """An acknowledgement. Raises WireError for anything else."""
    return _decode(_ack_decoder, frame)


def decode_control(frame: bytes) -> ControlMessage:
    """A control message. Raises WireError for anything else."""
    message: ControlMessage = _decode(_control_decoder, frame)
    return message


_T = TypeVar("_T")


def _decode(decoder: msgspec.msgpack.Decoder[_T], frame: bytes) -> _T:
    if frame[:1] != _PREFIX:
        raise WireError(f"not a frame of wire version {WIRE_VERSION}")
    try:
        return decoder.decode(memoryview(frame)[_HEADER_BYTES:])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from error
