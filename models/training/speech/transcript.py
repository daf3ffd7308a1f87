"""Transcripts as the network's labels: words, their pronunciations, numbers of outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from models.vosk.export import PHONES
from models.vosk.lexicon import Lexicon, pronounce

_PUNCTUATION = str.maketrans(dict.fromkeys('.,;:!?"()-–—…', " ") | {"’": "'"})
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*'?|'[a-z]+")
_DIGIT = re.compile(r"\d")
_OUTPUT = {phone: number for number, phone in enumerate(PHONES, start=1)}


class TranscriptError(ValueError):
    """A transcript that can't be learnt from; the message names the reason, then the detail."""


def split_words(transcript: str) -> list[str]:
    """Lower-case words of a transcript, without punctuation.

    Raises TranscriptError for digits (nobody knows how they were read), for other symbols and for
    no words at all.
    """
    words = transcript.lower().translate(_PUNCTUATION).split()
    for word in words:
        if _DIGIT.search(word):
            raise TranscriptError(f"digits in the transcript: {word}; write them as words")
        if not _WORD.fullmatch(word):
            raise TranscriptError(f"unknown symbol in the transcript: {word}")
    if not words:
        raise TranscriptError("no transcript")
    return words


class Pronouncer:
    """Gives the labels of transcripts.

    The first pronunciation of each word is taken; names that the CMU dictionary lacks are guessed
    from their spelling: a wrong phone in ten costs less than a recording. ``lexicon`` takes the
    place of both.
    """

    def __init__(self, lexicon: Mapping[str, tuple[tuple[str, ...], ...]] | None = None) -> None:
        self._known: Lexicon = dict(lexicon or {})
        self._dictionary = lexicon is None
        self._unknown: set[str] = set()

    def prepare(self, words: set[str]) -> None:
        """Look many words up at once; the dictionary takes a second to open."""
        wanted = words - self._known.keys() - self._unknown
        if self._dictionary and wanted:
            found, missing = pronounce(wanted, guesses=1)
            self._known.update(found)
            self._unknown.update(missing)

    def labels(self, transcript: str, phones: str = "") -> tuple[int, ...]:
        """Network outputs of the phones of a transcript, or of ``phones`` where these are given.

        Raises TranscriptError, also for words without a pronunciation and for unknown phones.
        """
        if phones.strip():
            return tuple(self._number(phone) for phone in phones.split())
        words = split_words(transcript)
        self.prepare(set(words))
        for word in words:
            if word not in self._known:
                raise TranscriptError(f"no pronunciation: {word}")
        return tuple(self._number(phone) for word in words for phone in self._known[word][0])

    @staticmethod
    def _number(phone: str) -> int:
        try:
            return _OUTPUT[phone.rstrip("012")]
        except KeyError:
            raise TranscriptError(f"unknown phone: {phone}") from None


def words_of(transcripts: list[str]) -> set[str]:
    """Words of all transcripts that can be split, to prepare a Pronouncer with."""
    found: set[str] = set()
    for transcript in transcripts:
        try:
            found.update(split_words(transcript))
        except TranscriptError:
            continue
    return found
