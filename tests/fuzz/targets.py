"""What is fuzzed: a function of bytes for each decoder, and bytes that it accepts.

A target returns or raises the error that its decoder promises; whatever else comes out is a bug.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from fuzz import sound
from fuzz.files import written
from models.domain import Domain
from models.errors import ConfigurationError, DomainError, ModelError, SourceError
from pipeline import wire
from pipeline.commands import Say, read_request
from pipeline.configuration import Configuration
from pipeline.control_server import as_heard
from pipeline.events import StateEvent, from_json, to_json
from pipeline.expectations import load_expectations
from pipeline.following import Following
from pipeline.loading import SHIPPED, parse_configuration
from pipeline.satellites import frames
from pipeline.satellites.codec import opus_is_there
from pipeline.satellites.link import Link
from pipeline.satellites.session import Session
from pipeline.security.gatekeeper import Gatekeeper
from pipeline.security.keys import parse_certificate
from pipeline.transport import OncePer
from stages.messages import AudioBlock, Endpoint, Span, StageMessage, StateReport, Transcript


@dataclass(frozen=True)
class Target:
    """One decoder."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    max_length: int = 4096
    expected: tuple[type[Exception], ...] = ()

    def __call__(self, data: bytes) -> None:
        try:
            self.run(data)
        except self.expected:
            return


def _stage_seeds() -> list[bytes]:
    common = {"source": "kitchen", "stream": "kitchen-1"}
    messages: list[StageMessage] = [
        AudioBlock(**common, position=1, captured=2.5, pcm=b"\1\2\3\4", lost=7),
        Endpoint(**common, id="01J", start=1, end=2, position=3, captured=4.5),
        StateReport(**common, state="device-lost", detail="unplugged"),
        Transcript(
            **common, id="01J", text="set a timer", speech=Span(start=0.0, end=1.0), position=9
        ),
    ]
    return [wire.encode(message) for message in messages]


def _control(data: bytes) -> None:
    wire.decode_control(data)


def _control_seeds() -> list[bytes]:
    return [
        wire.encode(message)
        for message in (
            wire.Ready(models={"asr": "b"}),
            wire.Failed(code="x", message="y"),
            wire.Go(),
        )
    ]


def _command(data: bytes) -> None:
    try:
        request = read_request(data)
    except ValueError:
        return
    msgspec.json.encode(request)
    if isinstance(request, Say):
        wire.decode(wire.encode(as_heard(request.source, "01K", request.text)))


def _event(data: bytes) -> None:
    following = Following(("",), since=1)
    pieces = data.split(b"\xff", 2)
    following.take(pieces)
    following.take([following.request, *pieces[1:]])
    to_json(from_json(data))


def _event_seeds() -> list[bytes]:
    event = to_json(StateEvent(seq=1, id="a", source="", state="x", detail="", published=""))
    return [event, b"state/\xff" + event + b"\xff7"]


def _configuration(data: bytes) -> None:
    configuration = parse_configuration(data.decode("utf-8", "replace"), Path("/nowhere/c.yaml"))
    assert isinstance(configuration, Configuration)


def _configuration_seeds() -> list[bytes]:
    return [path.read_bytes() for path in SHIPPED.glob("*.yaml")] + [
        b"sources: [{type: satellite, endpoint: 'tcp://127.0.0.1:5560'}]",
        b"publisher: {endpoints: ['ipc:///tmp/x', 'tcp://*:1']}\nsecurity: {keys: k}",
        b"a: &a [*a]",
        b"{a: 2001-99-99}",
    ]


def _domain(data: bytes) -> None:
    domain = Domain.load(written(data, "domain.yaml"))
    domain.sample(3, 1)
    domain.parse("turn on the light")


def _domain_seeds() -> list[bytes]:
    """Small ones: the fuzzer is faster with them."""
    seeds = [
        b"intents:\n  A:\n    data:\n      - sentences: ['(turn|put) on [the] {x}']\n"
        b"lists:\n  x:\n    values: [lamp, {in: tee vee, out: tv}]\n",
        b"intents: {A: {data: [{sentences: ['{n} minutes']}]}}\n"
        b"lists: {n: {range: {from: 1, to: 9}}}",
        b"intents: {A: {data: [{sentences: ['<x> now']}]}}\n"
        b"expansion_rules: {x: '(do|<y>)', y: '[re]do'}",
        b"intents:\n  A:\n    threshold: 0.7\n    required: {d: 'How long?'}\n"
        b"    confirm: '{{ raw.d }}?'\n    replies: '{{ d }}'\n    data:\n"
        b"      - {sentences: ['wait {d}'], slots: {k: 1}, requires_context: {e: {slot: true}}}\n"
        b"lists: {d: {type: duration}}\nskip_words: [please]\n"
        b"examples: [{text: a, intent: null}]\n",
        b"intents: {A: {data: [{sentences: ['play {t:name} [at {v}]']}]}}\n"
        b"lists: {t: {wildcard: true, examples: [blue moon]}, v: {range: {type: percentage, "
        b"from: 0, to: 100, step: 10}}}",
    ]
    return [b"language: en\n" + seed for seed in seeds]


def _from_satellite(data: bytes) -> None:
    """A whole conversation: frames one after the other, each behind its length."""
    session: Session | None = None
    while data:
        size, data = int.from_bytes(data[:2]), data[2:]
        piece, data = data[:size], data[size:]
        try:
            frame = frames.decode_from_satellite(piece)
        except wire.WireError:
            continue
        if isinstance(frame, frames.Hello):
            codec = "pcm"
            session = Session("hub", frame.name, msgspec.structs.replace(frame, codec=codec))
        elif isinstance(frame, frames.Block | frames.Ended | frames.Said) and session is not None:
            for message in session.take(frame):
                wire.decode(wire.encode(message))
    if session is not None:
        session.end()


def _satellite_seeds() -> list[bytes]:
    hello = frames.Hello(session="s", name="kitchen", codec="pcm", first=0)
    block = frames.Block(
        seq=0,
        oldest=True,
        stream="a",
        position=0,
        captured=1.0,
        lost=0,
        samples=2,
        packets=(b"12", b"34"),
    )
    ended = frames.Ended(seq=1, oldest=False, stream="a", position=2)
    said = frames.Said(seq=2, oldest=False, state=False, code="x", detail="y")
    pieces = [frames.encode(frame) for frame in (hello, block, ended, said)]
    return [b"".join(len(piece).to_bytes(2) + piece for piece in pieces)]


def _from_hub(data: bytes) -> None:
    frame = frames.decode_from_hub(data)
    link = _link()
    link.add(AudioBlock(source="m", stream="m", position=0, captured=0.0, pcm=b"\0\0"))
    link._handle(frame)


@functools.cache
def _link() -> Link:
    return Link("inproc://nowhere", "kitchen", None, codec="pcm", seconds=1)


def _hub_seeds() -> list[bytes]:
    return [
        frames.encode(frame)
        for frame in (
            frames.Welcome(next=0, credit=5, events_port=7),
            frames.Taken(next=1, credit=5, again=True),
            frames.Published(stream="a", position=9, final=True),
            frames.Rejected(code="full", detail="x"),
        )
    ]


def _certificate(data: bytes) -> None:
    parse_certificate(data.decode("utf-8", "replace"))


def _expectations(data: bytes) -> None:
    load_expectations(str(written(data, "expect.ndjson")), [])


def _zap(data: bytes) -> None:
    keeper = object.__new__(Gatekeeper)  # its thread and sockets are not asked here
    keeper._lock, keeper._peers, keeper._told = threading.Lock(), {}, OncePer(1e9)
    keeper._told.due()
    reply = keeper._reply(data.split(b"|"))
    assert reply[2] == b"400", "nobody is on the list"


TARGETS: dict[str, Target] = {
    "stage-frames": Target(
        lambda data: void(wire.decode(data)), _stage_seeds, expected=(wire.WireError,)
    ),
    "acknowledgements": Target(
        lambda data: void(wire.decode_ack(data)),
        lambda: [wire.encode(wire.Ack(stream="a", position=1, final=True))],
        expected=(wire.WireError,),
    ),
    "control-frames": Target(_control, _control_seeds, expected=(wire.WireError,)),
    "commands": Target(
        _command,
        lambda: [b'{"command":"ping"}', b'{"command":"say","text":"hi","source":"a"}'],
    ),
    "events": Target(_event, _event_seeds, expected=(msgspec.DecodeError, UnicodeDecodeError)),
    "configuration": Target(
        _configuration, _configuration_seeds, max_length=400, expected=(ConfigurationError,)
    ),
    "domain": Target(_domain, _domain_seeds, max_length=400, expected=(DomainError,)),
    "satellite-frames": Target(_from_satellite, _satellite_seeds, expected=(wire.WireError,)),
    "hub-frames": Target(_from_hub, _hub_seeds, expected=(wire.WireError,)),
    "key-files": Target(
        _certificate,
        lambda: [b'curve\n  public-key = "%s"\n' % (b"a" * 40)],
        expected=(ValueError,),
    ),
    "gatekeeper": Target(
        _zap, lambda: [b"1.0|1|audio|127.0.0.1||CURVE|" + b"k" * 32, b"1.0|1|||NULL|"]
    ),
    "expectations": Target(
        _expectations,
        lambda: [b'{"audio":"x.wav","intent":"A","slots":{"a":1}}\n{"audio":"y","intent":null}'],
        expected=(ConfigurationError,),
    ),
    "recordings": Target(
        sound.recording, sound.recording_seeds, max_length=4000, expected=(SourceError, ModelError)
    ),
}

if opus_is_there():
    TARGETS["opus"] = Target(sound.opus, sound.opus_seeds, max_length=1024)


def void(_: object) -> None:
    """Only whether it raises is of interest."""
