"""What a satellite and its hub tell each other: one version byte, then msgpack.

Everything that a satellite has to deliver is an *item* with a number of its own, counted over all
its streams. The hub takes items in order only, says which it wants next, and how many more it has
room for; what is published is told by stream and position, and only then a satellite forgets it.
Every length and number has a bound here, because frames come from other machines.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from pipeline.configuration import Name
from pipeline.wire import WireError
from stages.messages import SAMPLE_RATE

VERSION: Final = 1
"""First byte of every frame."""

MAX_FRAME_BYTES: Final = 16_384
"""Sockets refuse larger frames: an item of 100 ms has 3.4 kB uncompressed."""

BLOCK_SAMPLES: Final = SAMPLE_RATE // 10

_PREFIX: Final = bytes([VERSION])

Ident = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Text = Annotated[str, Meta(max_length=400)]
Packet = Annotated[bytes, Meta(max_length=2 * BLOCK_SAMPLES)]
Codec = Literal["opus", "pcm"]


class _Frame(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Base of all frames."""


class Hello(_Frame, frozen=True, kw_only=True, tag="hello"):
    """A satellite is there (again)."""

    session: Ident
    """Made anew whenever the satellite is started."""

    name: Name
    """What it calls itself; where keys are used, the name of its key counts instead."""

    codec: Codec
    first: Count
    """Number of the oldest item that it still has."""


class _Item(_Frame, frozen=True, kw_only=True):
    seq: Count
    oldest: bool
    """True when the satellite has nothing older: what was before is gone."""


class Block(_Item, frozen=True, kw_only=True, tag="block"):
    """100 ms of audio, or less at the end of a stream."""

    stream: Ident
    position: Count
    """Of the first sample, at 16 kHz from the start of the stream."""

    captured: Annotated[float, Meta(ge=0, le=1e11)]
    """Seconds since the epoch, by the satellite's clock."""

    lost: Count
    """Samples that were lost immediately before."""

    samples: Annotated[int, Meta(ge=1, le=BLOCK_SAMPLES)]
    packets: Annotated[tuple[Packet, ...], Meta(min_length=1, max_length=10)]


class Ended(_Item, frozen=True, kw_only=True, tag="ended"):
    """No more audio comes from a stream."""

    stream: Ident
    position: Count


class Said(_Item, frozen=True, kw_only=True, tag="said"):
    """What the satellite's microphone has to report: its device is lost, audio was dropped."""

    state: bool
    """True: a state, False: an error."""

    code: Ident
    detail: Text
    count: Count = 1


class Alive(_Frame, frozen=True, kw_only=True, tag="alive"):
    """The satellite has nothing to send, and is there."""


class Bye(_Frame, frozen=True, kw_only=True, tag="bye"):
    """The satellite ends, and everything that it had is published or given up."""


class Welcome(_Frame, frozen=True, kw_only=True, tag="welcome"):
    """The hub knows the satellite, and wants item ``next`` next."""

    next: Count
    credit: Count
    events_port: Annotated[int, Meta(ge=0, le=65_535)] = 0
    """Where the hub publishes its events, on the same host; 0 where it doesn't."""


class Taken(_Frame, frozen=True, kw_only=True, tag="taken"):
    """All items before ``next`` were taken, and ``credit`` more may come."""

    next: Count
    credit: Count
    again: bool = False
    """True when something is missing: go on from ``next``."""


class Published(_Frame, frozen=True, kw_only=True, tag="published"):
    """All of a stream before ``position`` is published; with ``final`` all of it."""

    stream: Ident
    position: Count
    final: bool = False


class Rejected(_Frame, frozen=True, kw_only=True, tag="rejected"):
    """The hub won't have it."""

    code: Literal["say-hello", "name-taken", "full"]
    detail: Text


Item = Block | Ended | Said
FromSatellite = Hello | Block | Ended | Said | Alive | Bye
FromHub = Welcome | Taken | Published | Rejected

_encoder = msgspec.msgpack.Encoder()
_from_satellite = msgspec.msgpack.Decoder(FromSatellite)
_from_hub = msgspec.msgpack.Decoder(FromHub)


def encode(frame: FromSatellite | FromHub) -> bytes:
    """One ZeroMQ frame."""
    return _PREFIX + _encoder.encode(frame)


def decode_from_satellite(data: bytes) -> FromSatellite:
    """What a satellite sent. Raises WireError for anything else."""
    frame: FromSatellite = _decode(_from_satellite, data)
    if isinstance(frame, Block) and not math.isfinite(frame.captured):
        raise WireError("a time that is no number")
    return frame


def decode_from_hub(data: bytes) -> FromHub:
    """What a hub sent. Raises WireError for anything else."""
    frame: FromHub = _decode(_from_hub, data)
    return frame


def _decode(decoder: msgspec.msgpack.Decoder[Any], data: bytes) -> Any:
    if data[:1] != _PREFIX:
        raise WireError(f"not a frame of satellite version {VERSION}")
    try:
        return decoder.decode(memoryview(data)[1:])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise WireError(str(error)) from error
