"""All figures of the project that say how good something is, each computed in one place.

Everything takes plain values, one entry for each utterance, and gives frozen structures that
write themselves as JSON. Shares are in [0, 1]; intervals are 95 % percentile bootstrap intervals
over utterances, from a fixed seed.
"""

from models.metrics.commands import accepted, accepted_strictly, canonical, same_value
from models.metrics.comparison import McNemar, mcnemar
from models.metrics.labels import LabelScores, Scores, label_scores
from models.metrics.latency import Percentiles, percentiles
from models.metrics.rates import Rate, ratio, share
from models.metrics.rejection import Cost, Guess, Point, Rejection, auroc, rejection
from models.metrics.slots import SlotScores, bio_chunks, slot_scores
from models.metrics.words import Edit, WordErrors, edit_distance, edits, plain, word_errors

__all__ = [
    "Cost",
    "Edit",
    "Guess",
    "LabelScores",
    "McNemar",
    "Percentiles",
    "Point",
    "Rate",
    "Rejection",
    "Scores",
    "SlotScores",
    "WordErrors",
    "accepted",
    "accepted_strictly",
    "auroc",
    "bio_chunks",
    "canonical",
    "edit_distance",
    "edits",
    "label_scores",
    "mcnemar",
    "percentiles",
    "plain",
    "ratio",
    "rejection",
    "same_value",
    "share",
    "slot_scores",
    "word_errors",
]
