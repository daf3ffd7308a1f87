"""Cardinal and ordinal numbers, fractions and amounts."""

from __future__ import annotations

import re

from models.values.words import Words, without

Number = int | float

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
UNITS = {word: value for value, word in enumerate(_UNITS.split())}
TENS = {word: 10 * value for value, word in enumerate(_TENS.split(), start=2)}
SCALES = {"billion": 10**9, "million": 10**6, "thousand": 10**3}
FRACTIONS = {"half": 1 / 2, "quarter": 1 / 4, "quarters": 1 / 4, "third": 1 / 3, "thirds": 1 / 3}
AMOUNTS = {"dozen": 12, "couple": 2, "pair": 2}

_IRREGULAR = {
    "first": "one",
    "second": "two",
    "third": "three",
    "fifth": "five",
    "eighth": "eight",
    "ninth": "nine",
    "twelfth": "twelve",
}
_DIGITS = re.compile(r"-?\d+(?:\.\d+)?")
_ORDINAL_DIGITS = re.compile(r"(\d+)(?:st|nd|rd|th)")


def number(words: Words) -> Number | None:
    """The number that ``words`` are, or None: ``minus two and a half``, ``a dozen``, ``3.5``."""
    if words[:1] in (("minus",), ("negative",)):
        amount = number(words[1:])
        return None if amount is None else -amount
    for read in (_decimal, _fraction, _amount, cardinal):
        found = read(words)
        if found is not None:
            return int(found) if found == int(found) else found
    return None


def cardinal(words: Words) -> int | None:
    """A whole number of at least zero, in words or digits."""
    if len(words) == 1 and words[0].isdigit():
        return int(words[0])
    if words in (("oh",), ("nought",), ("nil",)):
        return 0
    if words == ("a", "single"):
        return 1
    for scale, size in SCALES.items():
        if scale in words:
            at = words.index(scale)
            many = number(words[:at]) if words[:at] not in ((), ("a",)) else 1
            rest = cardinal(without(words[at + 1 :], "and")) if words[at + 1 :] else 0
            if many is None or rest is None or rest >= size or many <= 0:
                return None
            total = many * size + rest
            return int(total) if total == int(total) else None
    return _hundreds(words)


def small(words: Words) -> int | None:
    """A number from 0 to 99."""
    if len(words) == 1:
        if words[0].isdigit() and len(words[0]) <= 2:
            return int(words[0])
        return UNITS.get(words[0], TENS.get(words[0]))
    if len(words) == 2 and words[0] in TENS and 0 < UNITS.get(words[1], 0) < 10:
        return TENS[words[0]] + UNITS[words[1]]
    return None


def ordinal(words: Words) -> int | None:
    """A place in a row, from 1; -1 is the last. ``the twenty first``, ``number seven``."""
    words = without(words, "the", "very")
    if words in (("last",), ("final",)):
        return -1
    if words in (("next", "to", "last"), ("second", "to", "last")):
        return -2
    if words[:1] == ("number",):
        return cardinal(words[1:])
    if not words:
        return None
    written = _ORDINAL_DIGITS.fullmatch(words[-1])
    if written:
        return int(written.group(1)) if len(words) == 1 else None
    base = _IRREGULAR.get(words[-1]) or _regular(words[-1])
    if base is None:
        return None
    if words[:-1] == () and base in ("hundred", "thousand", "million"):
        return cardinal(("one", base))
    found = cardinal((*words[:-1], base))
    return found or None


def _regular(word: str) -> str | None:
    """``four`` for ``fourth``, ``twenty`` for ``twentieth``."""
    if word.endswith("ieth"):
        return f"{word[:-4]}y" if f"{word[:-4]}y" in TENS else None
    stem = word.removesuffix("th")
    known = stem in UNITS or stem in SCALES or stem == "hundred"
    return stem if known and stem != word else None


def _hundreds(words: Words) -> int | None:
    if "hundred" not in words:
        return small(words)
    at = words.index("hundred")
    many = small(words[:at]) if words[:at] not in ((), ("a",)) else 1
    rest = small(without(words[at + 1 :], "and")) if words[at + 1 :] else 0
    return None if not many or rest is None else many * 100 + rest


def _decimal(words: Words) -> float | None:
    if len(words) == 1 and _DIGITS.fullmatch(words[0]):
        return float(words[0])
    if words.count("point") != 1:
        return None
    at = words.index("point")
    behind = words[at + 1 :]
    scale = 1
    if behind and behind[-1] in SCALES:
        scale, behind = SCALES[behind[-1]], behind[:-1]
    whole = cardinal(words[:at]) if at else 0
    digits = [0 if word == "oh" else small((word,)) for word in behind]
    if whole is None or not digits:
        return None
    if len(behind) == 2 and small(behind) is not None:
        digits = [small(behind)]  # twenty one point twenty five
    if any(digit is None for digit in digits) or (len(digits) > 1 and max(map(_or, digits)) > 9):
        return None
    return float(f"{whole}.{''.join(map(str, digits))}") * scale


def _or(digit: int | None) -> int:
    return 99 if digit is None else digit


def _fraction(words: Words) -> float | None:
    """``half``, ``three quarters``, ``two and a half``, ``two and a half thousand``."""
    if len(words) > 1 and words[-1] in SCALES:
        many = _fraction(words[:-1])
        if many is None and words[0] == "half" and words[1:-1] == ("a",):
            many = 0.5
        return None if many is None else many * SCALES[words[-1]]
    if "and" in words:
        at = len(words) - 1 - words[::-1].index("and")
        whole, part = cardinal(words[:at]), _fraction(words[at + 1 :])
        return None if whole is None or part is None or part >= 1 else whole + part
    if not words or words[-1] not in FRACTIONS:
        return None
    if words[:-1] in ((), ("a",)):
        return FRACTIONS[words[-1]]
    many = small(words[:-1])
    return None if not many else many * FRACTIONS[words[-1]]


def _amount(words: Words) -> int | None:
    if not words or words[-1] not in AMOUNTS:
        return None
    before = words[:-1]
    if before in (("half", "a"), ("a", "half")) and words[-1] == "dozen":
        return 6
    many = 1 if before in ((), ("a",)) else small(before)
    return None if not many else many * AMOUNTS[words[-1]]
