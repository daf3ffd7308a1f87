"""The transcriber: speech chunks in, partials and transcripts out, through the real Vosk."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from models import suppression
from models.errors import ModelError
from stages.messages import (
    EndOfStream,
    Endpoint,
    ErrorReport,
    Partial,
    Progress,
    SpeechChunk,
    StageMessage,
    Transcript,
)
from stages.transcriber import Transcriber

ROOT = Path(__file__).resolve().parents[2]
COFFEE = ROOT / "configs/domains/coffee.yaml"
RECORDING = ROOT / "tests/replays/coffee/get-me-a-small-dark-roast-espresso.flac"
TEXT = "get me a small dark roast espresso"
RATE = 16_000


def speech() -> bytes:
    samples, rate = soundfile.read(RECORDING, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate, RATE)
    return bytes((mono * 32767).astype("<i2").tobytes())


PCM = speech()


def utterance(
    pcm: bytes = PCM, *, at: int = 0, stream: str = "s", name: str = "u"
) -> list[StageMessage]:
    where = {"source": "kitchen", "stream": stream}
    step = 6400
    messages: list[StageMessage] = [
        SpeechChunk(**where, id=name, position=at + i // 2, pcm=pcm[i : i + step], first=i == 0)
        for i in range(0, len(pcm), step)
    ]
    end = at + len(pcm) // 2
    return [
        *messages,
        Endpoint(**where, id=name, start=at, end=end, position=end, captured=1.0, trailing=0.5),
    ]


def run(stage: Transcriber, messages: list[StageMessage]) -> list[StageMessage]:
    return [made for message in messages for made in stage.process(message)]


def only_transcript(messages: list[StageMessage]) -> Transcript:
    [transcript] = [m for m in messages if isinstance(m, Transcript)]
    return transcript


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Transcriber:
    stage = Transcriber(
        model="vosk-en", grammar="vosk-coffee", domain=COFFEE,
        cache=tmp_path_factory.mktemp("cache"),
    )  # fmt: skip
    assert list(stage.open()) == [], "the shipped model has all words of the shipped domain"
    return stage


def test_speech_becomes_text_with_timed_words(compiled: Transcriber) -> None:
    transcript = only_transcript(run(compiled, utterance()))
    assert transcript.text == TEXT
    assert [word.word for word in transcript.words] == TEXT.split()
    starts = [word.start for word in transcript.words]
    assert starts == sorted(starts)
    assert all(0 <= w.start < w.end <= len(PCM) / 2 / RATE + 0.1 for w in transcript.words)
    assert all(w.confidence is not None and 0 <= w.confidence <= 1 for w in transcript.words)
    assert transcript.models["asr"].startswith("vosk-en")
    assert transcript.timings["endpoint"] == 500.0


def test_word_times_count_from_the_start_of_the_stream(compiled: Transcriber) -> None:
    first = only_transcript(run(compiled, utterance(stream="t")))
    later = only_transcript(run(compiled, utterance(at=10 * RATE, stream="t")))
    for one, other in zip(first.words, later.words, strict=True):
        assert other.start == pytest.approx(one.start + 10, abs=0.02)


def test_partials_come_when_they_change_and_grow_into_the_text(compiled: Transcriber) -> None:
    partials = [m.text for m in run(compiled, utterance()) if isinstance(m, Partial)]
    assert len(partials) > 3
    assert all(a != b for a, b in itertools.pairwise(partials))
    assert TEXT.startswith(partials[-1][:10])


def test_silence_gives_progress_and_no_transcript(compiled: Transcriber) -> None:
    made = run(compiled, utterance(bytes(RATE)))
    assert [type(m) for m in made] == [Progress]


def test_two_streams_at_once_do_not_disturb_each_other(compiled: Transcriber) -> None:
    one, other = utterance(stream="a", name="a"), utterance(stream="b", name="b")
    mixed = [message for pair in zip(one, other, strict=True) for message in pair]
    texts = [m.text for m in run(compiled, mixed) if isinstance(m, Transcript)]
    assert texts == [TEXT, TEXT]


def test_a_stream_that_ends_gives_its_recogniser_to_the_next(compiled: Transcriber) -> None:
    for number in range(4):
        stream = f"n{number}"
        end = EndOfStream(source="kitchen", stream=stream, position=1)
        assert only_transcript(run(compiled, [*utterance(stream=stream), end])).text == TEXT
    assert len(compiled._idle) <= 4


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_clean_speech_is_heard_with_and_without_suppression(
    strength: float, tmp_path: Path
) -> None:
    stage = Transcriber(
        model="vosk-en", grammar="vosk-coffee", noise_suppression=strength, cache=tmp_path
    )
    list(stage.open())
    transcript = only_transcript(run(stage, utterance()))
    assert transcript.text == TEXT
    assert transcript.words[-1].end <= len(PCM) / 2 / RATE + 0.1


def test_suppression_that_is_asked_for_and_missing_is_told_at_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.suppression._find", lambda: None)
    suppression._load.cache_clear()
    stage = Transcriber(
        model="vosk-en", grammar="vosk-coffee", noise_suppression=0.6, cache=tmp_path
    )
    with pytest.raises(ModelError, match="pyrnnoise"):
        list(stage.open())
    free = Transcriber(model="vosk-en", grammar="vosk-coffee", cache=tmp_path)
    list(free.open())
    assert only_transcript(run(free, utterance())).text == TEXT


def test_n_best_gives_texts_and_no_word_confidence(tmp_path: Path) -> None:
    stage = Transcriber(model="vosk-en", grammar="vosk-coffee", nbest=5, cache=tmp_path)
    list(stage.open())
    transcript = only_transcript(run(stage, utterance()))
    assert transcript.transcripts is not None
    assert transcript.transcripts[0] == transcript.text == TEXT
    assert len(set(transcript.transcripts)) == len(transcript.transcripts) <= 5
    assert all(word.confidence is None for word in transcript.words)


def test_a_run_time_grammar_hears_the_domain(tmp_path: Path) -> None:
    stage = Transcriber(model="vosk-en", grammar="domain", domain=COFFEE, cache=tmp_path)
    assert list(stage.open()) == []
    assert set(only_transcript(run(stage, utterance())).text.split()) >= {"small", "espresso"}


def test_words_that_the_model_lacks_are_reported_by_name(tmp_path: Path) -> None:
    domain = tmp_path / "tea.yaml"
    domain.write_text(
        "language: en\nintents:\n  orderTea:\n    data:\n      - sentences:\n"
        "          - give me (lapsangsouchong|black) tea\n          - give me coffee\n"
    )
    stage = Transcriber(model="vosk-en", grammar="domain", domain=domain, cache=tmp_path)
    [report] = stage.open()
    assert isinstance(report, ErrorReport)
    assert report.code == "words-missing"
    assert "lapsangsouchong" in report.detail
    assert "coffee" not in report.detail


def test_noise_of_all_levels_is_survived(compiled: Transcriber) -> None:
    generator = np.random.default_rng(1)
    for level in (0, 10, 1000, 30_000):
        noise = (generator.uniform(-1, 1, RATE) * level).astype("<i2").tobytes()
        made = run(compiled, utterance(noise))
        assert all(isinstance(m, Progress | Transcript | Partial) for m in made)


def test_a_missing_model_is_named() -> None:
    with pytest.raises(ModelError, match="vosk-tea"):
        Transcriber(model="vosk-tea").open()
