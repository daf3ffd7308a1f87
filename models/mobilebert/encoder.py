"""A base without a task: token states and sentence vectors of any text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.errors import ModelError
from models.mobilebert.labels import LABELS_FILE, EmbeddingHead, Labels, StatesHead, read_labels
from models.mobilebert.session import EncoderSession
from models.mobilebert.tokens import Encoding, WordTokenizer

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text as the base sees it."""

    encoding: Encoding
    """Its words, and which token speaks for each."""

    states: Array
    """[tokens, size], [CLS] and [SEP] included."""

    embedding: Array
    """Sentence vector [vector size], of length 1: the dot product of two is their cosine."""


@dataclass(frozen=True, slots=True)
class EncodedTexts:
    """Several texts, padded with zeros to the longest."""

    states: Array
    """[texts, tokens, size]."""

    mask: npt.NDArray[np.bool_]
    """Which tokens are not padding [texts, tokens]."""

    embeddings: Array
    """[texts, vector size], each of length 1."""

    encodings: tuple[Encoding, ...]
    """Words and first pieces of each text; ``pieces`` index the tokens of ``states``."""


class Encoder:
    """A base with its tokenizer. Not for use by several threads at once."""

    def __init__(self, labels: Labels, tokenizer: WordTokenizer, session: EncoderSession) -> None:
        states, embedding = labels.head(StatesHead), labels.head(EmbeddingHead)
        assert states is not None
        assert embedding is not None
        self._labels = labels
        self._states = states
        self._embedding = embedding
        self._tokenizer = tokenizer
        self._session = session

    @classmethod
    def load(cls, folder: Path, *, threads: int = 1) -> Encoder:
        """Load a base: a model folder with a head of kind ``states`` and one of ``embedding``.

        Raises ModelError, naming the file at fault, where a file is missing or malformed, the
        parts do not fit each other, or the folder holds a model of another kind.
        """
        if not folder.is_dir():
            raise ModelError(f"{folder} is missing: a base is a folder with model and tokenizer")
        labels = read_labels(folder)
        states, embedding = labels.head(StatesHead), labels.head(EmbeddingHead)
        if states is None or embedding is None:
            raise ModelError(
                f"{folder / LABELS_FILE} has no heads of kind states and embedding: this is no "
                "base; give the folder of one, such as mobilebert-base"
            )
        tokenizer = WordTokenizer.load(folder, labels.max_tokens)
        session = EncoderSession(
            folder / labels.model, [states.output, embedding.output], threads=threads
        )
        session.probe(
            tokenizer.largest_id,
            labels.max_tokens,
            [(labels.max_tokens, states.size), (embedding.size,)],
            folder / LABELS_FILE,
        )
        return cls(labels, tokenizer, session)

    @property
    def id(self) -> str:
        """Name and version: ``mobilebert-base@1``."""
        return self._labels.id

    @property
    def language(self) -> str:
        """Language of the texts, as a code: ``en``."""
        return self._labels.language

    @property
    def max_tokens(self) -> int:
        """Longest text in word pieces; what is longer is cut, and said so in its ``Encoding``."""
        return self._labels.max_tokens

    @property
    def size(self) -> int:
        """Length of a token's state."""
        return self._states.size

    @property
    def vector_size(self) -> int:
        """Length of a sentence vector."""
        return self._embedding.size

    @property
    def tokenizer(self) -> WordTokenizer:
        """Splits texts as the base wants them."""
        return self._tokenizer

    @property
    def session(self) -> EncoderSession:
        """The network; its outputs are states and sentence vector."""
        return self._session

    def encode_text(self, text: str) -> Encoded:
        """One text, at its exact length; any string is allowed."""
        encoding = self._tokenizer.encode(text)
        states, embedding = self._session.run(encoding.ids)
        return Encoded(encoding, states, embedding)

    def encode(self, texts: Sequence[str]) -> EncodedTexts:
        """Several texts; any strings are allowed, none too.

        Each runs alone, because int8 scales a whole batch by its largest value: a head that
        learned from these states sees the very same ones when it is used. All states are held at
        once, ``texts * longest * size * 4`` bytes; take ``encode_text`` one by one for more.
        """
        found = [self.encode_text(text) for text in texts]
        longest = max((len(one.states) for one in found), default=0)
        states = np.zeros((len(found), longest, self.size), np.float32)
        mask = np.zeros((len(found), longest), np.bool_)
        embeddings = np.zeros((len(found), self.vector_size), np.float32)
        for row, one in enumerate(found):
            states[row, : len(one.states)] = one.states
            mask[row, : len(one.states)] = True
            embeddings[row] = one.embedding
        return EncodedTexts(states, mask, embeddings, tuple(one.encoding for one in found))
