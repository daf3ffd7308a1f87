"""N-gram language models over numbers: words of a speech model, or letters with phones."""

from models.ngram.kneser_ney import BEGIN, END, BackOffModel, Gram, train

__all__ = ["BEGIN", "END", "BackOffModel", "Gram", "train"]
