"""The CMU Pronouncing Dictionary without stress, packed into a file of half a megabyte.

The file is LZMA of two parts, an empty line between them. The first has the words, sorted, one a
line, front coded: a letter for how many letters are those of the word before (``a`` for none),
then the rest. The second has each word's pronunciations, one letter a phone (``A`` for the first
of PHONES), blanks between them.
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from models.errors import ModelError
from models.pronunciation.phones import PHONES, Phones

FILE = Path(__file__).resolve().parents[1] / "weights" / "pronunciation-en" / "dictionary.xz"

_FIRST_LETTER = ord("A")
_FIRST_COUNT = ord("a")
_LONGEST_SHARED = 25
_FILTERS = [
    {
        "id": lzma.FILTER_LZMA2,
        "preset": 9 | lzma.PRESET_EXTREME,
        "dict_size": 1 << 22,
        "lc": 4,
        "lp": 0,
        "pb": 0,
    }
]


class Dictionary:
    """Pronunciations of words; read once, when the first word is looked up."""

    def __init__(self, packed: Mapping[str, str]) -> None:
        self._packed = packed

    def __contains__(self, word: str) -> bool:
        return word in self._packed

    def __len__(self) -> int:
        return len(self._packed)

    def __iter__(self) -> Iterator[str]:
        return iter(self._packed)

    def get(self, word: str) -> tuple[Phones, ...]:
        """Pronunciations of ``word``, the commonest first; none if it is not there."""
        return tuple(map(_unpack, self._packed.get(word, "").split()))


@cache
def read_dictionary(path: Path = FILE) -> Dictionary:
    """The dictionary in a packed file; raises ModelError if it is missing or damaged."""
    try:
        words, _, ways = lzma.decompress(path.read_bytes()).decode().partition("\n\n")
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is no packed dictionary: {error}; install intentd anew") from None
    packed = {}
    word = ""
    for coded, way in zip(words.split("\n"), ways.split("\n"), strict=True):
        word = word[: ord(coded[0]) - _FIRST_COUNT] + coded[1:]
        packed[word] = way
    return Dictionary(packed)


def pack(dictionary: Mapping[str, tuple[Phones, ...]]) -> bytes:
    """The bytes of a packed file; the same for the same dictionary."""
    words = []
    before = ""
    for word in sorted(dictionary):
        shared = 0
        longest = min(len(word), len(before), _LONGEST_SHARED)
        while shared < longest and word[shared] == before[shared]:
            shared += 1
        words.append(chr(_FIRST_COUNT + shared) + word[shared:])
        before = word
    ways = (" ".join(map(_pack, dictionary[word])) for word in sorted(dictionary))
    text = "\n".join(words) + "\n\n" + "\n".join(ways)
    return lzma.compress(text.encode(), filters=_FILTERS)


def _pack(phones: Phones) -> str:
    return "".join(chr(_FIRST_LETTER + PHONES.index(phone)) for phone in phones)


def _unpack(letters: str) -> Phones:
    return tuple(PHONES[ord(letter) - _FIRST_LETTER] for letter in letters)
