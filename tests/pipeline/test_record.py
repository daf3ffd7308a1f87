"""``intentd record``: somebody reads sentences into a microphone, and they can be evaluated."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from command_line import CommandLine
from virtual_microphone import VirtualMicrophone

from models.domain import Domain
from models.errors import ConfigurationError
from pipeline.evaluation.labels import load_data
from pipeline.loading import find_domain
from pipeline.recording import Collection, Recorder, Take
from stages.messages import AudioBlock, StageMessage
from stages.sources.decoding import decode

RECORDING = "make-me-a-medium-cappuccino.wav"


class Room:
    """A microphone in a room where somebody speaks after a while."""

    live = True
    name = "room"

    def __init__(self, speech: bytes) -> None:
        quiet = (np.random.default_rng(1).standard_normal(16_000 * 3) * 3).astype("<i2").tobytes()
        self._pieces = self._play(quiet + speech + quiet)
        self.now = 0.0
        self._waiting: list[AudioBlock] = [self._block(bytes(3200))] * 5

    def _play(self, pcm: bytes) -> Iterator[bytes]:
        yield from (pcm[start : start + 3200] for start in range(0, len(pcm), 3200))
        while True:
            yield bytes(3200)

    def _block(self, pcm: bytes) -> AudioBlock:
        return AudioBlock(source="room", stream="s", position=0, captured=0.0, pcm=pcm)

    def open(self) -> None:
        pass

    def read(self, timeout: float) -> Sequence[StageMessage]:
        if timeout == 0:
            waiting, self._waiting = self._waiting, []
            return waiting
        self.now += 0.1
        return [self._block(next(self._pieces))]

    def close(self) -> Sequence[StageMessage]:
        return ()


def test_given_somebody_who_speaks_then_a_take_of_the_speech_with_its_margins(
    recordings: Path,
) -> None:
    speech = b"".join(decode(str(recordings / "coffee" / RECORDING)))
    room = Room(speech)
    levels: list[float] = []
    take = Recorder(room, monotonic=lambda: room.now).record(levels.append)
    assert take is not None
    assert take.fault is None
    assert len(speech) / 32_000 - 1 < take.seconds < len(speech) / 32_000 + 1
    loudest = int(np.abs(np.frombuffer(speech, "<i2").astype(int)).max())
    assert int(np.abs(np.frombuffer(take.pcm, "<i2").astype(int)).max()) == loudest
    assert max(levels) > -30 > -60 > min(levels)


def test_given_silence_then_no_take_after_a_while() -> None:
    room = Room(b"")
    assert Recorder(room, monotonic=lambda: room.now).record(lambda _: None) is None
    assert room.now == pytest.approx(10, abs=1)


def test_given_levels_that_are_wrong_then_they_are_told() -> None:
    loud = (np.sin(np.arange(16_000) / 20) * 60_000).clip(-32_768, 32_767).astype("<i2")
    assert "clipped" in str(Take(pcm=loud.tobytes()).fault)
    assert "quiet" in str(Take(pcm=(loud // 1000).tobytes()).fault)


def test_given_recorded_sentences_then_they_are_not_asked_for_again(tmp_path: Path) -> None:
    domain = Domain.load(find_domain("coffee"))
    collection = Collection(tmp_path / "own")
    first = collection.missing(domain, 5, seed=1)
    for example in first[:2]:
        collection.save(example, Take(pcm=bytes(32_000)))
    then = collection.missing(domain, 5, seed=1)
    assert [e.text for e in then[:3]] == [e.text for e in first[2:]]
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o700
    labelled = {recording.label.text for recording in load_data(tmp_path / "own")}
    assert labelled == {example.text for example in first[:2]}
    (tmp_path / "own" / "x.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"x\.json"):
        collection.texts()


@pytest.mark.needs("pulseaudio", "pulseaudio")
@pytest.mark.needs("pactl", "pulseaudio-utils")
def test_given_a_microphone_then_sound_and_label_are_written(
    intentd: CommandLine, virtual_microphone: VirtualMicrophone, recordings: Path, tmp_path: Path
) -> None:
    intentd.environment |= {
        key: value
        for key, value in virtual_microphone.environment.items()
        if key != "XDG_RUNTIME_DIR"
    }
    folder = tmp_path / "own"
    process = intentd.start(
        "record", "coffee", "--into", str(folder), "--count", "1", "--hands-free"
    )
    deadline = time.monotonic() + 40
    while process.poll() is None and time.monotonic() < deadline:
        virtual_microphone.play(recordings / "coffee" / RECORDING).wait(20)
        time.sleep(1.2)
    told, errors = process.communicate(timeout=5)
    assert process.returncode == 0, errors
    assert "1 recorded" in told
    (sound,) = folder.glob("*.flac")
    label = json.loads(sound.with_suffix(".json").read_text())
    assert label["intent"] == "orderDrink"
    assert label["text"] in told
    heard, rate = soundfile.read(sound, dtype="int16")
    assert rate == 16_000
    assert np.abs(heard).max() > 1000
