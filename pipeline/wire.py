"""How messages look between processes: one version byte, then msgpack.

The public events are JSON and are made in ``pipeline.events``; this is the inner wire only. All
decoding validates types through msgspec and never evaluates anything.
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from stages.messages import StageMessage

WIRE_VERSION: Final = 1
"""First byte of every frame. A daemon only talks to stages of its own version."""

MAX_FRAME_BYTES: Final = 1 << 20
"""Larger frames are refused by the sockets; 100 ms of audio have 3.2 kB."""

_PREFIX: Final = bytes([WIRE_VERSION])


class WireError(ValueError):
    """A frame that is not one of ours."""


class Ack(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="ack"):
    """Published up to sample ``position`` of ``stream``; flows back to the source."""

    stream: str
    position: int
    final: bool = False
    """True when the stream has ended and all of it is published."""


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="ready"):
    """A worker has opened its stage and bound its sockets."""

    detail: dict[str, str] = {}


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


class Go(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="go"):
    """To a source: start."""


class Stop(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="stop"):
    """To a source: end the streams; what was heard is still worked on."""


class Quit(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="quit"):
    """To a worker: close and leave."""


ControlMessage = Ready | Opened | Failed | Finished | Subscribers | Go | Stop | Quit
"""What the daemon and its workers tell each other."""

_encoder = msgspec.msgpack.Encoder()
_stage_decoder = msgspec.msgpack.Decoder(StageMessage)
_ack_decoder = msgspec.msgpack.Decoder(Ack)
_control_decoder = msgspec.msgpack.Decoder(ControlMessage)


def encode(message: StageMessage | Ack | ControlMessage) -> bytes:
    """One frame for any inner message."""
    return _PREFIX + _encoder.encode(message)


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
        return decoder.decode(memoryview(frame)[1:])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from error
