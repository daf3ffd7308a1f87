"""Speech to intent on the same noisy files: intentd, a raw Vosk loop, PocketSphinx with JSGF."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
import wave
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET

from models.domain import Domain
from models.metrics import Rate, accepted, accepted_strictly, share
from pipeline.evaluation.labels import LabelledRecording
from pipeline.evaluation.mixing import Condition, mix
from pipeline.evaluation.running import Prepared
from pipeline.evaluation.working import work
from pipeline.loading import find_domain
from stages.messages import SAMPLE_RATE
from stages.sources.decoding import decode
from tests.benchmarks.peers.environments import python, run_script
from tests.benchmarks.peers.jsgf import jsgf

Tell = Callable[[str], None]
CHUNK_BYTES = 2 * SAMPLE_RATE // 5
POCKETSPHINX = ("pocketsphinx==5.0.4",)


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What one system reached under one condition."""

    acceptance: Rate
    """Picovoice's rule."""

    strict: Rate
    real_time_factor: float
    """Seconds of one process a second of audio, by the clock."""


Results = dict[str, dict[str, Side]]
"""By system and condition."""


def measure(prepared: Prepared, tell: Tell, jobs: int) -> Results:
    """All three on all recordings under all conditions."""
    results: Results = {"intentd": _intentd(prepared, tell, jobs)}
    domain_name = prepared.job.configuration.domain
    assert domain_name is not None
    domain = Domain.load(find_domain(domain_name))
    python("pocketsphinx", POCKETSPHINX)  # once, before several processes want it
    results["raw Vosk loop"], results["PocketSphinx, JSGF"] = {}, {}
    for condition in prepared.job.conditions:
        with tempfile.TemporaryDirectory(prefix="itdb-") as folder:
            files = _mixed(prepared, condition, Path(folder))
            for name, hear in (("raw Vosk loop", _vosk), ("PocketSphinx, JSGF", _pocketsphinx)):
                texts, seconds = _in_parallel(hear, prepared, domain, files, jobs)
                side = _judge(prepared, domain, texts, seconds)
                results[name][condition.name] = side
                tell(f"{name}, {condition.name}: {side.acceptance}")
    return results


def _intentd(prepared: Prepared, tell: Tell, jobs: int) -> dict[str, Side]:
    journal = prepared.journal()
    outcomes = work(
        prepared.job, journal, jobs=jobs, on_done=lambda _: None, on_warning=lambda _: None
    )
    journal.remove()
    found = {}
    for condition in prepared.job.conditions:
        own = [o for o in outcomes if o.condition == condition.name]
        found[condition.name] = Side(
            acceptance=share(o.acceptance is True for o in own),
            strict=share(o.acceptance_strict is True for o in own),
            real_time_factor=sum(o.processing_seconds for o in own)
            / sum(o.audio_seconds for o in own),
        )
        tell(f"intentd, {condition.name}: {found[condition.name].acceptance}")
    return found


def _mixed(prepared: Prepared, condition: Condition, folder: Path) -> list[str]:
    """WAV files of exactly the sound that the evaluation hears."""
    paths = []
    for number, recording in enumerate(prepared.job.recordings):
        pcm = b"".join(decode(recording.path))
        path = folder / f"{number:05d}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(mix(pcm, condition, name=recording.name, seed=prepared.job.seed))
        paths.append(str(path))
    return paths


_Hear = Callable[[Any, list[str], list[str], str], tuple[list[str], float]]


def _in_parallel(
    hear: _Hear, prepared: Prepared, domain: Domain, files: Sequence[str], jobs: int
) -> tuple[list[str], float]:
    shares = [list(files[job::jobs]) for job in range(jobs)]
    context = multiprocessing.get_context("spawn")
    words = sorted(domain.words())
    with ProcessPoolExecutor(jobs, context) as pool:
        futures = [
            pool.submit(hear, prepared.job.configuration, part, words, jsgf(domain))
            for part in shares
        ]
        found = [future.result() for future in futures]
    texts = {f: t for part, (heard, _) in zip(shares, found, strict=True)
             for f, t in zip(part, heard, strict=True)}  # fmt: skip
    return [texts[file] for file in files], sum(seconds for _, seconds in found)


def _vosk(
    settings: Any, files: list[str], words: list[str], grammar: str
) -> tuple[list[str], float]:
    """The loop of Vosk's own examples, with the same model and compiled grammar."""
    del words, grammar
    import json

    import vosk

    from stages.transcriber import assemble_model

    vosk.SetLogLevel(-1)
    section = settings.transcriber
    model = vosk.Model(str(assemble_model(section.model, section.grammar)))
    begun = time.perf_counter()
    texts = []
    for name in files:
        recogniser = vosk.KaldiRecognizer(model, SAMPLE_RATE)
        with wave.open(name, "rb") as file:
            while piece := file.readframes(CHUNK_BYTES // 2):
                recogniser.AcceptWaveform(piece)
        texts.append(json.loads(recogniser.FinalResult())["text"])
    return texts, time.perf_counter() - begun


def _pocketsphinx(
    settings: Any, files: list[str], words: list[str], grammar: str
) -> tuple[list[str], float]:
    del settings
    request = {"grammar": grammar, "words": words, "files": files}
    found = run_script("pocketsphinx", "pocketsphinx_loop.py", request, POCKETSPHINX)
    return found["texts"], found["seconds"]


def _judge(prepared: Prepared, domain: Domain, texts: Sequence[str], seconds: float) -> Side:
    """Peers have no understander: the domain's own sentences read what they heard."""
    pairs = list(zip(prepared.job.recordings, texts, strict=True))
    return Side(
        acceptance=share(_right(recording, domain, text)[0] for recording, text in pairs),
        strict=share(_right(recording, domain, text)[1] for recording, text in pairs),
        real_time_factor=seconds / prepared.audio_seconds,
    )


def _right(recording: LabelledRecording, domain: Domain, text: str) -> tuple[bool, bool]:
    read = domain.parse(text)
    found = read.slots if read else ()
    slots = {slot.name: (slot.value, text[slot.start : slot.end]) for slot in found}
    label = recording.label
    assert label.intent is not UNSET
    expected = None if label.slots is UNSET else label.slots
    intent = read.intent if read else None
    return (
        accepted(label.intent, expected, intent, slots),
        accepted_strictly(label.intent, expected, intent, slots),
    )
