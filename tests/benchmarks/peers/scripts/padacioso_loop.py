"""Padacioso: the training texts as its examples."""

import json
import sys
import time

from padacioso import IntentContainer


def main() -> None:
    request = json.load(sys.stdin)
    examples: dict[str, list[str]] = {}
    for text, intent in request["train"]:
        # Brackets and braces are its syntax, and no speech.
        clean = "".join(c for c in text if c not in "()[]{}|<>")
        examples.setdefault(intent, []).append(clean)
    container = IntentContainer(fuzz=True)
    begun = time.perf_counter()
    for intent, lines in examples.items():
        container.add_intent(intent, lines)
    trained = time.perf_counter() - begun
    found, times = [], []
    for text in request["test"]:
        begun = time.perf_counter()
        answer = container.calc_intent(text)
        times.append(time.perf_counter() - begun)
        found.append(answer.get("name") or "")
    times.sort()
    print(json.dumps({"intents": found, "train": trained, "ms": 1000 * times[len(times) // 2]}))


main()
