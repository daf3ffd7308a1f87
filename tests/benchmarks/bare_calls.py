"""The bare calls at the end of each utterance, timed: FinalResult, tokenizer, network.

``python -m tests.benchmarks.bare_calls WAV``, started by the benchmark of latency. The recording
is cut by the daemon's own segmenter. It says ``ready`` and reads when to begin (a reading of the
monotonic clock); from then on each piece is fed when a microphone would have given it, so that
caches and clock rates are those of a live recogniser. Then it prints a list of ``{"start",
"text", "ms", "last_ms"}`` as JSON: the moment in the recording at which the utterance began, the
time of the bare calls, and that of feeding the last piece before them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline.configuration import SegmenterSection
from stages.messages import (
    SAMPLE_RATE,
    AudioBlock,
    EndOfStream,
    Endpoint,
    SpeechChunk,
    StageMessage,
)
from stages.segmenter import Segmenter
from tests.benchmarks.bare import BareLibraries
from tests.benchmarks.material import read_wav

BLOCK_BYTES = 2 * SAMPLE_RATE // 10


def segments(pcm: bytes, section: SegmenterSection) -> Iterator[tuple[list[bytes], Endpoint]]:
    """The utterances of a recording: their chunks and where they end."""
    segmenter = Segmenter(
        threshold=section.threshold,
        start=section.start,
        endpoint_silence=section.endpoint_silence,
        max_length=section.max_length,
        pre_roll=section.pre_roll,
        gate=section.gate,
    )
    messages: list[StageMessage] = [
        AudioBlock(
            source="bench",
            stream="bench",
            position=at // 2,
            captured=0.0,
            pcm=pcm[at : at + BLOCK_BYTES],
        )
        for at in range(0, len(pcm), BLOCK_BYTES)
    ]
    messages.append(EndOfStream(source="bench", stream="bench", position=len(pcm) // 2))
    chunks: list[bytes] = []
    for message in messages:
        for made in segmenter.process(message):
            if isinstance(made, SpeechChunk):
                chunks.append(made.pcm)
            elif isinstance(made, Endpoint):
                yield chunks, made
                chunks = []


def main(path: str) -> None:
    """Feed, time, print."""
    libraries = BareLibraries()
    cut = list(segments(read_wav(Path(path)), libraries.settings.segmenter))
    libraries.accept(bytes(SAMPLE_RATE))
    libraries.finish()
    libraries.session.run(libraries.tokenizer.encode("warm up").ids)
    print("ready", flush=True)
    begun = float(sys.stdin.readline())
    calls = []
    for chunks, endpoint in cut:
        position = endpoint.position - sum(map(len, chunks)) // 2
        last = 0.0
        for chunk in chunks:
            position += len(chunk) // 2
            time.sleep(max(0.0, begun + position / SAMPLE_RATE - time.monotonic()))
            last = _feed(libraries, chunk)
        text, spent = _finish(libraries)
        start = endpoint.start / SAMPLE_RATE
        calls.append({"start": start, "text": text, "ms": spent, "last_ms": last})
    print(json.dumps(calls))


def _feed(libraries: BareLibraries, chunk: bytes) -> float:
    begun = time.perf_counter()
    libraries.accept(chunk)
    return (time.perf_counter() - begun) * 1000


def _finish(libraries: BareLibraries) -> tuple[str, float]:
    begun = time.perf_counter()
    text = libraries.finish()
    return text, (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main(sys.argv[1])
