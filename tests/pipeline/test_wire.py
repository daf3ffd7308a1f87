"""The inner wire: what is sent is what arrives, and nothing else is let in."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire import (
    Ack,
    Activity,
    Beat,
    Failed,
    Finished,
    Go,
    Injected,
    Opened,
    Quit,
    Ready,
    Reconnect,
    Retune,
    Rewind,
    Stop,
    Subscribers,
    WireError,
    decode,
    decode_ack,
    decode_control,
    encode,
    epoch_of,
)
from stages.messages import (
    Answer,
    AudioBlock,
    Cancelled,
    EndOfStream,
    Endpoint,
    ErrorReport,
    Intent,
    Partial,
    Progress,
    Question,
    Resume,
    Slot,
    Span,
    SpeechChunk,
    StageMessage,
    StateReport,
    Transcript,
    Turn,
    Word,
)

FULL_TRANSCRIPT = Transcript(
    source="kitchen",
    stream="kitchen-1",
    file="a.wav",
    id="01J",
    text="set a timer for ten minutes",
    words=(Word(word="set", start=0.42, end=0.61, confidence=None),),
    transcripts=("set a timer", "set the timer"),
    speech=Span(start=12.4, end=14.05),
    position=224_800,
    checkpoint=b"state",
    captured=1.5,
    decided=2.5,
    lost=3,
    simulated=True,
    intent=Intent(name="HassStartTimer", confidence=0.98),
    accepted=True,
    slots=(
        Slot(
            name="volume",
            raw="ten",
            value=10,
            type="percent",
            unit="percent",
            start=16,
            end=19,
            confidence=0.97,
        ),
        Slot(name="when", raw="soon", value={"kind": "date"}, start=0, end=1, confidence=0.1),
    ),
    alternatives=(Intent(name="HassIncreaseTimer", confidence=0.01),),
    topics=(Intent(name="kitchen", confidence=0.5),),
    entities=(Slot(name="person", raw="ann", value="ann", start=0, end=3, confidence=0.9),),
    answer=Answer(text="ten", document="a.txt", start=1, end=4, score=2.5, context="or ten"),
    turn=Turn(
        id="01H",
        question=Question(text="For how long?", kind="slot", slot="minutes"),
        ended=True,
        reply="Done",
    ),
    timings={"transcribe": 21.0},
    models={"asr": "vosk-en@1"},
)

COMMON = {"source": "kitchen", "stream": "kitchen-1", "file": "a.wav"}
MESSAGES: list[StageMessage] = [
    AudioBlock(**COMMON, position=1, captured=2.5, pcm=b"\1\2\3\4", lost=7),
    EndOfStream(**COMMON, position=9),
    Progress(**COMMON, position=9, checkpoint=b"state"),
    Resume(**COMMON, position=9, checkpoint=b"state", pcm=b"\1\2"),
    SpeechChunk(**COMMON, id="01J", position=3, pcm=b"\0\1", first=True),
    Endpoint(
        **COMMON,
        id="01J",
        start=1,
        end=2,
        position=3,
        captured=4.5,
        lost=5,
        decided=6.5,
        trailing=0.8,
        checkpoint=b"state",
    ),
    Partial(**COMMON, id="01J", text="set a"),
    FULL_TRANSCRIPT,
    Cancelled(
        **COMMON,
        id="01J",
        text="set a timer",
        intent=Intent(name="HassStartTimer", confidence=0.98),
        slots=FULL_TRANSCRIPT.slots,
        reason="timeout",
    ),
    StateReport(**COMMON, state="device-lost", detail="unplugged", id="01K"),
    ErrorReport(**COMMON, code="audio-lost", detail="too busy", count=12, id="01K"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_every_field_of_every_message_survives_the_wire(message: StageMessage) -> None:
    for field in msgspec.structs.fields(type(message)):
        if field.default is not msgspec.NODEFAULT:
            assert getattr(message, field.name) != field.default, f"{field.name} is not tested"
    assert decode(encode(message)) == message


@pytest.mark.parametrize(
    "message",
    [
        Ready(models={"asr": "b"}),
        Opened(),
        Failed(code="x", message="y"),
        Finished(),
        Subscribers(count=3),
        Beat(queue=1, idle=2.5, done=3, dropped=4, figures={"transcribe.p50": 21.5}),
        Injected(id="01J"),
        Go(),
        Rewind(epoch=3, skip=True),
        Activity(muted_until=math.inf, listen_until=2.5),
        Retune(level="debug"),
        Reconnect(name="publisher"),
        Stop(),
        Quit(),
    ],
    ids=lambda m: type(m).__name__,
)
def test_control_messages_survive_the_wire(message: Ready) -> None:
    assert decode_control(encode(message)) == message


def test_an_acknowledgement_survives_the_wire() -> None:
    ack = Ack(stream="kitchen-1", position=12, checkpoint=b"state", final=True)
    assert decode_ack(encode(ack)) == ack


@given(st.integers(0, 2**32 - 1))
def test_the_epoch_survives_the_wire(epoch: int) -> None:
    frame = encode(MESSAGES[0], epoch)
    assert (decode(frame), epoch_of(frame)) == (MESSAGES[0], epoch)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_and_nothing_else_is_raised(frame: bytes) -> None:
    for decoder in (decode, decode_ack, decode_control):
        try:
            decoder(frame)
        except WireError:
            continue
        assert frame[:1] == b"\2", "accepted a frame of another version"


@given(st.data())
def test_a_damaged_frame_is_refused_or_still_typed(data: st.DataObject) -> None:
    frame = bytearray(encode(data.draw(st.sampled_from(MESSAGES))))
    frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    try:
        message = decode(bytes(frame))
    except WireError:
        return
    assert isinstance(message.source, str)
    assert isinstance(message.stream, str)


def test_audio_with_half_a_sample_is_refused() -> None:
    frame = encode(AudioBlock(**COMMON, position=0, captured=0.0, pcm=b"\0\0\0"))
    with pytest.raises(WireError, match="half a sample"):
        decode(frame)
