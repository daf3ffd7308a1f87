"""From a text to the word pieces of a model, and from word pieces back to words.

Words are what whitespace separates. The model sees each as one or more word pieces (WordPiece,
Wu et al. 2016); the first piece of a word speaks for the word, as in Devlin et al. 2019.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from models.errors import ModelError

TOKENIZER_FILE = "tokenizer.json"

UNKNOWN_WORD = "[unk]"
"""What a recogniser with a closed grammar writes for a word outside it."""

MAX_WORD_CHARACTERS = 256
"""Longer words are cut before tokenising, so that a text without blanks costs no time. WordPiece
makes one unknown piece of anything beyond 100 characters, so a word loses nothing."""

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Encoding:
    """A text as the model sees it."""

    ids: npt.NDArray[np.int64]
    """Token ids [tokens], [CLS] and [SEP] included."""

    words: tuple[tuple[int, int], ...]
    """Start and end (exclusive) of each tagged word, in characters of the text."""

    pieces: npt.NDArray[np.intp]
    """Position in ``ids`` of the first piece of each of ``words`` [words]."""

    truncated: bool
    """True when the text was longer than the model takes, and its end was left out."""


class WordTokenizer:
    """Splits a text at whitespace and each word into word pieces."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._unknown = str(getattr(tokenizer.model, "unk_token", None) or "[UNK]")

    @classmethod
    def load(cls, folder: Path, max_tokens: int) -> WordTokenizer:
        """Read ``tokenizer.json`` of a model folder.

        Raises ModelError, naming the file, where it is missing, malformed, or does not frame a
        text with one token before and one behind.
        """
        path = folder / TOKENIZER_FILE
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ModelError(
                f"{path} is missing: copy the tokenizer that the model was trained with"
            ) from None
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise ModelError(f"{path} is not a tokenizer file: it is not UTF-8 text") from error
        try:
            tokenizer = Tokenizer.from_str(text)
        except Exception as error:  # tokenizers raises nothing narrower
            raise ModelError(f"{path} is not a tokenizer file: {error}") from error
        if len(tokenizer.encode("").ids) != 2:
            raise ModelError(
                f"{path} does not put [CLS] and [SEP] around a text: add its post-processor"
            )
        return cls(tokenizer, max_tokens)

    def limited(self, max_tokens: int) -> WordTokenizer:
        """The same for shorter texts."""
        return WordTokenizer(self._tokenizer, max_tokens)

    @property
    def backend(self) -> Tokenizer:
        """What splits words into pieces."""
        return self._tokenizer

    @property
    def largest_id(self) -> int:
        """The largest token id that can occur."""
        return max(self._tokenizer.get_vocab(with_added_tokens=True).values())

    def encode(self, text: str) -> Encoding:
        """Split a text into words and word pieces; any string is allowed."""
        # Lone surrogates cannot cross into the tokenizer; each becomes one character, so that
        # offsets keep their meaning.
        text = text.encode("utf-8", "replace").decode("utf-8")
        matches = list(islice(_WORD.finditer(text), self._max_tokens + 1))
        truncated = len(matches) > self._max_tokens
        encoding = self._tokenizer.encode(
            [self._input(match.group()) for match in matches[: self._max_tokens]],
            is_pretokenized=True,
        )
        ids = encoding.ids
        if len(ids) > self._max_tokens:
            truncated = True
            ids = [*ids[: self._max_tokens - 1], ids[-1]]
        first: dict[int, int] = {}
        for piece, word in enumerate(encoding.word_ids[: len(ids) - 1]):
            if word is not None:
                first.setdefault(word, piece)
        return Encoding(
            ids=np.array(ids, np.int64),
            words=tuple(matches[word].span() for word in first),
            pieces=np.fromiter(first.values(), np.intp, len(first)),
            truncated=truncated,
        )

    def _input(self, word: str) -> str:
        return self._unknown if word == UNKNOWN_WORD else word[:MAX_WORD_CHARACTERS]
