"""``keep_audio``: sound and event of utterances on disk, for the user alone, for a limited time."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import soundfile
from command_line import CommandLine, wait_for

from models.errors import ConfigurationError
from pipeline.client import Subscriber
from pipeline.configuration import KeepAudioSection
from pipeline.events import IntentEvent
from pipeline.keeping import Keeper, SoundKeeping
from stages.messages import Endpoint, Span, SpeechChunk, StageMessage, Transcript

Configure = Callable[..., Path]


def test_given_keep_audio_then_an_utterance_is_kept_with_its_event(
    intentd: CommandLine, configure: Configure, recordings: Path, tmp_path: Path
) -> None:
    recording = recordings / "coffee" / "make-me-a-medium-cappuccino.wav"
    path = configure(recording, keep_audio={"dir": "kept"}, placement="thread")
    process = intentd.start("run", "-c", str(path))
    with Subscriber("intent/", "state/") as subscriber:
        event = wait_for(subscriber, lambda e: isinstance(e, IntentEvent))
    process.terminate()
    process.communicate(timeout=20)
    assert isinstance(event, IntentEvent)
    folder = tmp_path / "kept"
    assert sorted(p.name for p in folder.iterdir()) == [
        f"{event.id}.event.json",
        f"{event.id}.flac",
    ]
    kept = json.loads((folder / f"{event.id}.event.json").read_text())
    assert kept["intent"]["name"] == event.intent.name
    assert kept["text"] == event.text
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {0o600}
    spoken = event.speech.end - event.speech.start
    assert soundfile.info(folder / f"{event.id}.flac").duration > spoken


def keeper(folder: Path, **bounds: float) -> Keeper:
    made = Keeper(KeepAudioSection(dir=str(folder), **bounds), now=lambda: 10 * 86_400.0)
    made.open()
    return made


def age(folder: Path, identity: str, days: float) -> None:
    for path in folder.glob(f"{identity}.*"):
        os.utime(path, (10 * 86_400 - days * 86_400,) * 2)


def test_given_old_utterances_then_they_are_deleted_with_their_events(tmp_path: Path) -> None:
    folder = keeper(tmp_path / "kept").folder
    mine = folder / "notes.txt"
    mine.write_text("not an utterance")
    for identity, days in (("a", 9.0), ("b", 1.0)):
        keep = keeper(folder, max_age=100)
        keep.keep_sound(identity, bytes(3200))
        keep.keep_event(identity, b"{}")
        age(folder, identity, days)
    keeper(folder, max_age=7)
    assert sorted(p.name for p in folder.iterdir()) == ["b.event.json", "b.flac", "notes.txt"]


def test_given_too_many_then_the_oldest_are_deleted(tmp_path: Path) -> None:
    sound = os.urandom(32_000)
    keep = keeper(tmp_path / "kept", max_size=0.07)
    for number in range(4):
        keep.keep_sound(f"u{number}", sound)
        age(keep.folder, f"u{number}", 4 - number)
    assert sorted(p.name for p in keep.folder.iterdir()) == ["u2.flac", "u3.flac"]


def test_given_a_folder_that_cant_be_made_then_the_start_fails_and_names_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"keep_audio\.dir: .*/file/kept"):
        keeper(tmp_path / "file" / "kept")


class Hears:
    """A transcriber that hears the same in everything."""

    def open(self) -> Iterable[StageMessage]:
        return ()

    def process(self, message: StageMessage) -> Iterable[StageMessage]:
        if not isinstance(message, Endpoint):
            return ()
        names = {"source": message.source, "stream": message.stream}
        span = Span(start=0, end=1)
        return (Transcript(**names, id=message.id, text="stop", speech=span, position=1),)

    def close(self) -> None:
        pass


def test_given_a_full_disk_then_the_transcript_still_comes_and_the_loss_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = keeper(tmp_path / "kept")
    stage = SoundKeeping(Hears(), keep)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keep, "keep_sound", full)
    names = {"source": "room", "stream": "s"}
    list(stage.process(SpeechChunk(**names, id="u", position=0, pcm=bytes(64), first=True)))
    end = Endpoint(**names, id="u", start=0, end=1, position=1, captured=0.0)
    transcript, report = stage.process(end)
    assert isinstance(transcript, Transcript)
    assert getattr(report, "code", None) == "audio-not-kept"
