"""TF-IDF of words and characters, and logistic regression (scikit-learn)."""

from loop import measure
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union


def learn(rows):
    features = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True),
    )
    model = make_pipeline(features, LogisticRegression(C=20.0, max_iter=300))
    model.fit([row["text"] for row in rows], [row["intent"] for row in rows])
    return lambda text: (str(model.predict([text])[0]), [])


measure(learn, has_slots=False)
