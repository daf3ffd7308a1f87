"""Which words a recogniser may take for each other, by how they are spelled.

For words that nobody has measured yet, as those of a new domain; what a recogniser was measured
to mishear (``mishearings``) takes their place where there is any.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection

MAX_ALIKE = 6

_SOUNDS = (
    (re.compile(r"(.)\1+"), r"\1"),
    (re.compile(r"ph"), "f"),
    (re.compile(r"^kn|^gn"), "n"),
    (re.compile(r"^wr"), "r"),
    (re.compile(r"igh|eigh"), "ai"),
    (re.compile(r"gh"), ""),
    (re.compile(r"ck|[cq]"), "k"),
    (re.compile(r"x"), "ks"),
    (re.compile(r"[zs]+"), "s"),
    (re.compile(r"[dt]+"), "t"),
    (re.compile(r"[pb]+"), "p"),
    (re.compile(r"[vf]+"), "f"),
    (re.compile(r"(?<=.)e$"), ""),
    (re.compile(r"[aeiouyw']+"), "a"),
)
"""A coarse phonetic code: voicing and the quality of vowels are what small models mix up."""


def sound_code(word: str) -> str:
    """Words with the same code sound much alike."""
    for pattern, code in _SOUNDS:
        word = pattern.sub(code, word)
    return word


def sound_alikes(words: Collection[str], others: Collection[str]) -> dict[str, tuple[str, ...]]:
    """For each of ``words`` those of ``others`` (and of itself) that it may be heard as."""
    by_code: dict[str, set[str]] = defaultdict(set)
    by_lack: dict[str, set[str]] = defaultdict(set)
    for word in {*words, *others}:
        code = sound_code(word)
        by_code[code].add(word)
        if len(code) > 3:
            for lack in _lacking_one(code):
                by_lack[lack].add(word)
    found = {}
    for word in sorted(words):
        code = sound_code(word)
        same = sorted(by_code[code] - {word})
        near = {
            other
            for lack in (_lacking_one(code) if len(code) > 3 else ())
            for other in by_lack[lack]
        }
        alike = [*same, *sorted(near - {word, *same})][:MAX_ALIKE]
        if alike:
            found[word] = tuple(alike)
    return found


def _lacking_one(code: str) -> set[str]:
    return {code[:at] + code[at + 1 :] for at in range(len(code))}
