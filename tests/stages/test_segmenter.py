"""The segmenter: given this audio, these utterances."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.messages import (
    AudioBlock,
    EndOfStream,
    Endpoint,
    ErrorReport,
    Progress,
    Resume,
    SpeechChunk,
    StageMessage,
)
from stages.segmenter import Segmenter

COFFEE = Path(__file__).resolve().parents[1] / "replays" / "coffee"
RATE = 16_000


def spoken() -> np.ndarray:
    """A shipped recording without the silence around it, int16 at 16 kHz."""
    path = sorted(COFFEE.glob("*.flac"))[0]
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate, RATE)
    loud = np.flatnonzero(np.abs(mono) > 0.02)
    return (mono[loud[0] : loud[-1]] * 32767).astype("<i2")


SPEECH = spoken()


def silence(seconds: float, level: float = 2.0) -> np.ndarray:
    generator = np.random.default_rng(1)
    return (generator.standard_normal(round(seconds * RATE)) * level).astype("<i2")


def blocks(audio: np.ndarray, size: int = 1600, lost_at: int = -1) -> list[StageMessage]:
    made: list[StageMessage] = []
    for at in range(0, len(audio), size):
        lost = 800 if at == lost_at else 0
        shift = 800 if 0 <= lost_at <= at else 0
        made.append(
            AudioBlock(
                source="kitchen",
                stream="s",
                position=at + shift,
                captured=1000.0,
                pcm=audio[at : at + size].tobytes(),
                lost=lost,
            )
        )
    return [*made, EndOfStream(source="kitchen", stream="s", position=len(audio))]


def run(messages: Iterable[StageMessage], segmenter: Segmenter | None = None) -> list[StageMessage]:
    segmenter = segmenter or Segmenter()
    return [made for message in messages for made in segmenter.process(message)]


def only(kind: type, messages: list[StageMessage]) -> list:
    return [message for message in messages if isinstance(message, kind)]


def utterance_audio(messages: list[StageMessage], identity: str) -> bytes:
    return b"".join(m.pcm for m in only(SpeechChunk, messages) if m.id == identity)


def test_a_command_between_silences_is_one_utterance() -> None:
    audio = np.concatenate([silence(1.0), SPEECH, silence(2.0)])
    [endpoint] = only(Endpoint, run(blocks(audio)))
    assert endpoint.start / RATE == pytest.approx(1.0, abs=0.15)
    assert endpoint.end / RATE == pytest.approx(1.0 + len(SPEECH) / RATE, abs=0.3)
    assert endpoint.trailing == pytest.approx(0.8, abs=0.02)


def test_the_audio_of_an_utterance_is_what_was_heard_with_pre_roll() -> None:
    audio = np.concatenate([silence(1.0), SPEECH, silence(2.0)])
    made = run(blocks(audio))
    [endpoint] = only(Endpoint, made)
    first = only(SpeechChunk, made)[0]
    heard = np.frombuffer(utterance_audio(made, endpoint.id), "<i2")
    assert (heard == audio[first.position : first.position + len(heard)]).all()
    assert first.position + len(heard) >= endpoint.end + 0.5 * RATE, "with the silence behind it"
    assert (endpoint.start - first.position) / RATE == pytest.approx(0.5, abs=0.05)


def test_speech_at_the_first_sample_loses_nothing() -> None:
    made = run(blocks(np.concatenate([SPEECH, silence(2.0)])))
    [endpoint] = only(Endpoint, made)
    assert only(SpeechChunk, made)[0].position == 0
    assert endpoint.start < 0.2 * RATE


def test_two_commands_are_two_utterances_with_different_ids() -> None:
    audio = np.concatenate([SPEECH, silence(1.5), SPEECH, silence(1.5)])
    first, second = only(Endpoint, run(blocks(audio)))
    assert first.id < second.id


@pytest.mark.parametrize(("pause", "count"), [(0.6, 1), (1.4, 2)])
def test_a_pause_shorter_than_the_endpoint_silence_does_not_split(pause: float, count: int) -> None:
    half = len(SPEECH) // 2
    audio = np.concatenate([SPEECH, silence(pause), SPEECH[half:], silence(2.0)])
    made = run(blocks(audio), Segmenter(endpoint_silence=0.9))
    assert len(only(Endpoint, made)) == count


def test_a_recording_that_ends_in_the_middle_of_a_word_is_still_an_utterance() -> None:
    audio = SPEECH[: len(SPEECH) // 2]
    made = run(blocks(audio))
    [endpoint] = only(Endpoint, made)
    assert endpoint.position == len(audio)
    assert isinstance(made[-1], EndOfStream)


def test_speech_without_end_is_cut_at_the_maximum_length_and_goes_on() -> None:
    audio = np.tile(SPEECH, 6)
    made = run(blocks(audio), Segmenter(max_length=3.0, endpoint_silence=1.5))
    endpoints = only(Endpoint, made)
    assert len(endpoints) >= len(audio) / RATE / 3.5
    heard = b"".join(m.pcm for m in only(SpeechChunk, made))
    assert len(heard) // 2 >= 0.93 * len(audio)
    positions = [(m.position, m.position + len(m.pcm) // 2) for m in only(SpeechChunk, made)]
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(positions)), "overlap"


def test_silence_makes_progress_and_no_speech() -> None:
    made = run(blocks(silence(10.0)))
    assert {type(m) for m in made} == {Progress, EndOfStream}
    positions = [m.position for m in only(Progress, made)]
    assert positions == sorted(positions)
    assert 7 * RATE < positions[-1] < 10 * RATE


@settings(deadline=None, max_examples=8)
@given(st.integers(1, 5000))
def test_the_size_of_the_blocks_changes_nothing(size: int) -> None:
    audio = np.concatenate([silence(0.5), SPEECH[: 2 * RATE], silence(1.2)])
    clock = iter(range(10**6)).__next__

    def result(block: int) -> list[tuple[object, ...]]:
        made = run(blocks(audio, block), Segmenter(clock=lambda: float(clock()) * 0))
        return [(type(m), getattr(m, "id", ""), m.position, getattr(m, "pcm", b"")) for m in made]

    assert result(size) == result(1600)


def test_the_gate_finds_the_same_utterance() -> None:
    audio = np.concatenate([silence(6.0, 30.0), SPEECH, silence(3.0, 30.0)])
    [gated] = only(Endpoint, run(blocks(audio), Segmenter(gate=True)))
    [plain] = only(Endpoint, run(blocks(audio), Segmenter(gate=False)))
    assert gated.start == pytest.approx(plain.start, abs=0.1 * RATE)
    assert gated.end == pytest.approx(plain.end, abs=0.1 * RATE)


def test_lost_audio_marks_the_utterance() -> None:
    audio = np.concatenate([SPEECH, silence(2.0)])
    made = run(blocks(audio, lost_at=len(SPEECH) // 3200 * 1600))
    [endpoint] = only(Endpoint, made)
    assert 800 <= endpoint.lost < 800 + 512, "and the piece of a window before it"


def test_the_same_stream_heard_again_gives_the_same_ids() -> None:
    audio = np.concatenate([SPEECH, silence(2.0)])
    assert [m.id for m in only(Endpoint, run(blocks(audio)))] == [
        m.id for m in only(Endpoint, run(blocks(audio)))
    ]


def with_checkpoints(audio: np.ndarray) -> tuple[list[StageMessage], list[tuple[int, bytes]]]:
    made = run(blocks(audio), Segmenter(clock=lambda: 0.0))
    marks = [(m.position, m.checkpoint) for m in made if isinstance(m, Progress | Endpoint)]
    return made, marks


@pytest.mark.parametrize("room", [3.0, 40.0])
def test_from_any_checkpoint_a_new_segmenter_goes_on_exactly_as_the_old_one(room: float) -> None:
    """After a crash the same utterances come out, with the same boundaries, audio and ids."""
    rest = SPEECH[len(SPEECH) // 2 :]
    audio = np.concatenate(
        [silence(5.0, room), SPEECH, silence(4.0, room), rest, silence(1.0, room), SPEECH]
    )
    made, marks = with_checkpoints(audio)
    assert len(only(Endpoint, made)) == 3
    assert len(marks) >= 5
    for position, checkpoint in marks:
        again = Segmenter(clock=lambda: 0.0)
        before = audio[max(0, position - 2 * RATE) : position].tobytes()
        names = {"source": "kitchen", "stream": "s"}
        resume = Resume(**names, position=position, checkpoint=checkpoint, pcm=before)
        later = [
            AudioBlock(**names, position=at, captured=5.0, pcm=audio[at : at + 1600].tobytes())
            for at in range(position, len(audio), 1600)
        ]
        end = EndOfStream(**names, position=len(audio))
        known = {m.id for m in made if isinstance(m, Endpoint) and m.position <= position}
        expected = [
            m
            for m in made
            if (isinstance(m, SpeechChunk | Endpoint) and m.id not in known)
            or (isinstance(m, Progress) and m.position > position)
            or isinstance(m, EndOfStream)
        ]
        assert run([resume, *later, end], again) == expected


def test_a_checkpoint_that_is_none_is_an_error_and_the_stream_begins_anew() -> None:
    segmenter = Segmenter()
    resume = Resume(source="kitchen", stream="s", position=0, checkpoint=b"?", pcm=b"")
    with pytest.raises(ValueError, match="no checkpoint"):
        segmenter.process(resume)
    assert only(Endpoint, run(blocks(np.concatenate([SPEECH, silence(2.0)])), segmenter))


def test_when_capture_died_what_it_gave_is_an_utterance_and_the_gap_is_counted() -> None:
    first = [b for b in blocks(SPEECH) if isinstance(b, AudioBlock)]
    names = {"source": "kitchen", "stream": "s2"}
    later = AudioBlock(**names, position=0, captured=1004.0, pcm=SPEECH.tobytes())
    made = run([*first, later])
    [endpoint] = only(Endpoint, made)
    assert endpoint.stream == "s"
    [report] = only(ErrorReport, made)
    assert report.code == "audio-lost"
    assert report.count == pytest.approx(3.9 * RATE, abs=0.1 * RATE)
    assert [m.stream for m in only(EndOfStream, made)] == ["s"]
