"""hassil, Home Assistant's matcher: the training texts as its sentence templates."""

import json
import re
import sys
import time

from hassil import Intents, recognize_best


def main() -> None:
    request = json.load(sys.stdin)
    sentences: dict[str, list[str]] = {}
    for text, intent in request["train"]:
        plain = re.sub(r"[^\w' ]+", " ", text).strip()
        if plain:
            sentences.setdefault(intent, []).append(plain)
    begun = time.perf_counter()
    intents = Intents.from_dict(
        {
            "language": "en",
            "intents": {name: {"data": [{"sentences": s}]} for name, s in sentences.items()},
        }
    )
    trained = time.perf_counter() - begun
    found, times = [], []
    for text in request["test"]:
        begun = time.perf_counter()
        answer = recognize_best(re.sub(r"[^\w' ]+", " ", text).strip(), intents)
        times.append(time.perf_counter() - begun)
        found.append(answer.intent.name if answer else "")
    times.sort()
    print(json.dumps({"intents": found, "train": trained, "ms": 1000 * times[len(times) // 2]}))


main()
