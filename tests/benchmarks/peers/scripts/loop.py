"""What the scripts of the peers share: texts in, readings out, within a budget of time.

Input ``{"train": [{"text", "intent", "slots": [[name, start, end]]}], "test": [text],
"budget": seconds}``; output ``{"intents": [...], "slots": [[[name, words]]] or null, "train":
seconds, "ms": median of a text}``. Times are the processor's. Readings may be fewer than texts: the
budget was spent then.
"""

import json
import resource
import sys
import time


def measure(learn, has_slots):
    """``learn(rows)`` gives a function from a text to its intent and slots."""
    request = json.load(sys.stdin)
    begun = _seconds()
    read = learn(request["train"])
    trained = _seconds() - begun
    intents, slots, times = [], [], []
    for text in request["test"]:
        begun = _seconds()
        intent, found = read(text)
        times.append(_seconds() - begun)
        intents.append(intent)
        slots.append(found)
        if sum(times) > request["budget"]:
            break
    answer = {
        "intents": intents,
        "slots": slots if has_slots else None,
        "train": trained,
        "ms": 1000 * sorted(times)[len(times) // 2],
    }
    print(json.dumps(answer))


def _seconds():
    """Processor time of this process and of those that it started."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def templates(rows):
    """The training texts with their slots as ``{name}``, each once, by intent."""
    found = {}
    for row in rows:
        text, seen = row["text"], set()
        for name, start, end in reversed(row["slots"]):
            if name not in seen:  # no name may stand twice
                text = text[:start] + "{" + name + "}" + text[end:]
            seen.add(name)
        found.setdefault(row["intent"], {})[text] = None
    return {intent: list(texts) for intent, texts in found.items()}


def values(rows):
    """The words of each slot, each once."""
    found = {}
    for row in rows:
        for name, start, end in row["slots"]:
            found.setdefault(name, {})[row["text"][start:end]] = None
    return {name: list(words) for name, words in found.items()}
