"""One process, one thread: feeds recordings to the libraries and prints what was heard as JSON.

``python -m tests.benchmarks.plain_loop WAV…``, started by the benchmark of throughput.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from stages.messages import SAMPLE_RATE
from tests.benchmarks.bare import BareLibraries
from tests.benchmarks.material import read_wav

CHUNK_BYTES = 2 * SAMPLE_RATE // 5
"""0.2 s, as in Vosk's own examples."""


def main(paths: list[str]) -> None:
    """Feed all of each file; its end is the end of the utterance."""
    libraries = BareLibraries()
    texts = []
    for path in paths:
        pcm = read_wav(Path(path))
        for start in range(0, len(pcm), CHUNK_BYTES):
            libraries.accept(pcm[start : start + CHUNK_BYTES])
        texts.append(libraries.finish())
    print(json.dumps(texts))


if __name__ == "__main__":
    main(sys.argv[1:])
