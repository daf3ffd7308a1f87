"""Runs a MicrophoneSource in a process of its own, for the tests.

``capture_microphone.py PCM_FILE OPTIONS_JSON``: what was heard goes into PCM_FILE as it comes,
every other message as a JSON line to standard output, after ``{"kind": "hearing"}`` for the
first block of each stream. Ends when its standard input does.
"""

from __future__ import annotations

import json
import select
import sys

import msgspec

from models.errors import IntentdError
from stages.messages import AudioBlock
from stages.sources.microphone import MicrophoneSource


def main() -> int:
    """Run until standard input is closed."""
    pcm_file, options = sys.argv[1], json.loads(sys.argv[2])
    source = MicrophoneSource("kitchen", **options)
    try:
        source.open()
    except IntentdError as error:
        print(json.dumps({"kind": "refused", "detail": error.message, "code": error.code}))
        return 2
    hearing = ""
    with open(pcm_file, "wb", buffering=0) as pcm:
        ended = False
        while not ended:
            ended = bool(select.select([sys.stdin], [], [], 0)[0])
            for message in (source.close() if ended else source.read(0.2)) or []:
                if not isinstance(message, AudioBlock):
                    print(msgspec.json.encode(message).decode(), flush=True)
                    continue
                if message.stream != hearing:
                    hearing = message.stream
                    print(json.dumps({"kind": "hearing", "stream": hearing}), flush=True)
                pcm.write(message.pcm)
    return 0


if __name__ == "__main__":
    sys.exit(main())
