"""The bare calls at the end of each utterance, timed: FinalResult, tokenizer, network.

``python -m tests.benchmarks.bare_calls WAV``, started by the benchmark of latency. The recording
is cut by the daemon's own segmenter, and each piece is fed when a microphone would have given it,
so that caches and clock rates are those of a live recogniser. Prints a list of
``{"start", "text", "ms", "last_ms", "again_ms"}`` as JSON: the moment in the recording at which
the utterance began, the time of the bare calls, of feeding the last piece before them, and of the
bare calls when the same utterance is fed a second time without waiting.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pipeline.configuration import SegmenterSection
from stages.messages import SAMPLE_RATE, AudioBlock, EndOfStream, Endpoint, SpeechChunk
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
    names = {"source": "bench", "stream": "bench"}
    blocks = [
        AudioBlock(**names, position=at // 2, captured=0.0, pcm=pcm[at : at + BLOCK_BYTES])
        for at in range(0, len(pcm), BLOCK_BYTES)
    ]
    chunks: list[bytes] = []
    for message in (*blocks, EndOfStream(**names, position=len(pcm) // 2)):
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
    libraries.recogniser.AcceptWaveform(bytes(SAMPLE_RATE))
    libraries.finish()
    libraries.session.run(libraries.tokenizer.encode("warm up").ids)
    begun = time.monotonic()
    calls = []
    for chunks, endpoint in cut:
        position = endpoint.position - sum(map(len, chunks)) // 2
        last = 0.0
        for chunk in chunks:
            position += len(chunk) // 2
            time.sleep(max(0.0, begun + position / SAMPLE_RATE - time.monotonic()))
            last = _timed_feed(libraries, chunk)
        text, spent = _timed_finish(libraries)
        for chunk in chunks:
            libraries.recogniser.AcceptWaveform(chunk)
        _, again = _timed_finish(libraries)
        start = endpoint.start / SAMPLE_RATE
        calls.append(
            {"start": start, "text": text, "ms": spent, "last_ms": last, "again_ms": again}
        )
    print(json.dumps(calls))


def _timed_feed(libraries: BareLibraries, chunk: bytes) -> float:
    begun = time.perf_counter()
    libraries.recogniser.AcceptWaveform(chunk)
    return (time.perf_counter() - begun) * 1000


def _timed_finish(libraries: BareLibraries) -> tuple[str, float]:
    begun = time.perf_counter()
    text = libraries.finish()
    return text, (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main(sys.argv[1])
