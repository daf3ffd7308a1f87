"""N-gram language models over numbers: words of a speech model, or letters with phones."""

from models.ngram.kneser_ney import BEGIN, END, BackOffModel, Gram, train
from models.ngram.mixture import LanguageModel, mix, mixture_weights, perplexity
from models.ngram.pruning import prune

__all__ = [
    "BEGIN",
    "END",
    "BackOffModel",
    "Gram",
    "LanguageModel",
    "mix",
    "mixture_weights",
    "perplexity",
    "prune",
    "train",
]
