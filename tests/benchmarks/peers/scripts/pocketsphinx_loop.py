"""PocketSphinx with a JSGF grammar over WAV files; runs in its own environment.

Input ``{"grammar": JSGF, "words": [...], "files": [...]}``, output ``{"texts": [...], "seconds"}``.
"""

import json
import sys
import time
import wave

from pocketsphinx import Decoder


def main() -> None:
    request = json.load(sys.stdin)
    decoder = Decoder(samprate=16_000, loglevel="FATAL")
    lacking = [word for word in request["words"] if decoder.lookup_word(word) is None]
    if lacking:
        raise SystemExit(f"the dictionary lacks {', '.join(lacking)}")
    decoder.add_jsgf_string("domain", request["grammar"])
    decoder.activate_search("domain")
    texts = []
    begun = time.perf_counter()
    for name in request["files"]:
        with wave.open(name, "rb") as file:
            pcm = file.readframes(file.getnframes())
        decoder.start_utt()
        decoder.process_raw(pcm, full_utt=True)
        decoder.end_utt()
        found = decoder.hyp()
        texts.append(found.hypstr if found else "")
    print(json.dumps({"texts": texts, "seconds": time.perf_counter() - begun}))


main()
