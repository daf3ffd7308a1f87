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
from tokenizers import Encoding as Pieces
from tokenizers import Tokenizer

from models.errors import ModelError

TOKENIZER_FILE = "tokenizer.json"

UNKNOWN_WORD = "[unk]"
"""What a recogniser with a closed grammar writes for a word outside it."""

MAX_WORD_CHARACTERS = 256
"""Longer words are cut before tokenising, so that a text without blanks costs no time. WordPiece
makes one unknown piece of anything beyond 100 characters, so a word loses nothing."""

MAX_WORDS = 20_000
"""Words of a long text that are read."""

_WORD = re.compile(r"\S+")
_NO_PIECES = np.zeros(0, np.intp)


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
        matches, truncated = _words_of(text, self._max_tokens)
        encoding = self._pieces(matches)
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

    def windows(self, text: str, overlap: int) -> list[Encoding]:
        """A text of any length in windows of whole words that share about ``overlap`` pieces.

        At least one window, which is that of ``encode`` where the text fits into it. The last is
        ``truncated`` where the text has more than MAX_WORDS words; a word that alone is too long
        for a window is cut.
        """
        matches, truncated = _words_of(text, MAX_WORDS)
        encoding = self._pieces(matches)
        room = self._max_tokens - 2
        start, end = encoding.ids[0], encoding.ids[-1]
        words: list[tuple[int, list[int]]] = []
        for piece, word in zip(encoding.ids, encoding.word_ids, strict=True):
            if word is None:
                continue
            if not words or words[-1][0] != word:
                words.append((word, []))
            if len(words[-1][1]) < room:
                words[-1][1].append(piece)
        found = []
        at = 0
        while True:
            behind, used = at, 0
            while behind < len(words) and used + len(words[behind][1]) <= room:
                used += len(words[behind][1])
                behind += 1
            part = words[at:behind]
            lengths = [0, *(len(pieces) for _, pieces in part)]
            found.append(
                Encoding(
                    ids=np.array([start, *(p for _, ps in part for p in ps), end], np.int64),
                    words=tuple(matches[word].span() for word, _ in part),
                    pieces=np.cumsum(lengths[:-1], dtype=np.intp) + 1 if part else _NO_PIECES,
                    truncated=truncated and behind == len(words),
                )
            )
            if behind == len(words):
                return found
            shared, back = 0, behind
            while back - 1 > at and shared + len(words[back - 1][1]) <= overlap:
                back -= 1
                shared += len(words[back][1])
            at = back

    def _pieces(self, matches: list[re.Match[str]]) -> Pieces:
        return self._tokenizer.encode(
            [self._input(match.group()) for match in matches], is_pretokenized=True
        )

    def _input(self, word: str) -> str:
        return self._unknown if word == UNKNOWN_WORD else word[:MAX_WORD_CHARACTERS]


def _words_of(text: str, limit: int) -> tuple[list[re.Match[str]], bool]:
    """The first words of a text, and whether there are more."""
    # Lone surrogates cannot cross into the tokenizer; each becomes one character, so that
    # offsets keep their meaning.
    text = text.encode("utf-8", "replace").decode("utf-8")
    matches = list(islice(_WORD.finditer(text), limit + 1))
    return matches[:limit], len(matches) > limit
