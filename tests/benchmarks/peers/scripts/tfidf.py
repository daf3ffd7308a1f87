"""TF-IDF of words and characters, and logistic regression (scikit-learn)."""

import json
import sys
import time

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union


def main() -> None:
    request = json.load(sys.stdin)
    texts, intents = zip(*request["train"], strict=True)
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True),
    )
    model = make_pipeline(features, LogisticRegression(C=20.0, max_iter=300))
    begun = time.perf_counter()
    model.fit(texts, intents)
    trained = time.perf_counter() - begun
    found, times = [], []
    for text in request["test"]:
        begun = time.perf_counter()
        found.append(str(model.predict([text])[0]))
        times.append(time.perf_counter() - begun)
    times.sort()
    print(json.dumps({"intents": found, "train": trained, "ms": 1000 * times[len(times) // 2]}))


main()
