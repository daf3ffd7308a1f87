"""Other words for what a template says: rewriting rules for a language, without a network.

The rules are in ``paraphrases.LANGUAGE.yaml`` beside this module and belong to no domain. Slots
keep their words and tags; only words outside of them are exchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import msgspec

from models.errors import ModelError
from models.mobilebert.labels import OUTSIDE
from models.training.language.alignment import LabelledText

ARTICLES = frozenset({"a", "an", "the", "my", "our", "some", "all", "any", "every"})
QUESTIONS = frozenset(
    {
        *("what", "what's", "which", "who", "where", "when", "how"),
        *("is", "are", "do", "does", "did", "will", "was", "has", "have", "should"),
    }
)
"""First words of sentences that ask."""

REWRITE, CARRIER, REMARK, ENDING, SYNONYM = 0.55, 0.22, 0.14, 0.14, 0.3
"""How often each kind of change is made to a sentence that is to be changed at all."""

_SLOT = "S"
_PIECE = re.compile(r"[A-Z]:\([^)]*\)|\([^)]*\)|\[[^\]]*\]|\S+")

Span = tuple[int, int]


class Rewrite(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sentences of one of these forms may take any of those."""

    forms: tuple[str, ...] = msgspec.field(name="from")
    to: tuple[str, ...]


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rules of one language; see the comments in the file."""

    rewrites: tuple[Rewrite, ...]
    commands: tuple[str, ...]
    questions: tuple[str, ...]
    remarks: tuple[str, ...]
    links: tuple[str, ...]
    endings: tuple[str, ...]
    synonyms: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class _Form:
    pattern: re.Pattern[str]
    outcomes: tuple[tuple[str, ...], ...]


def read_rules(language: str) -> Rules | None:
    """The rules of a language, None where there are none. Raises ModelError for a broken file."""
    path = Path(__file__).with_name(f"paraphrases.{language.lower().split('-')[0]}.yaml")
    if not path.is_file():
        return None
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=Rules)
    except (OSError, msgspec.DecodeError) as error:
        raise ModelError(f"{path}: {error}") from error


class Paraphraser:
    """Says sentences in other words, at random; the same for the same generator."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._forms = tuple(
            _Form(_compile(form), tuple(tuple(outcome.split()) for outcome in rule.to))
            for rule in rules.rewrites
            for form in rule.forms
        )
        self._synonyms: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for group in rules.synonyms:
            phrases = [tuple(phrase.split()) for phrase in group]
            for phrase in phrases:
                others = [other for other in phrases if other != phrase]
                self._synonyms.setdefault(phrase, []).extend(others)
        self._longest = max(map(len, self._synonyms))

    def __call__(self, text: LabelledText, rng: Random) -> LabelledText:
        """``text`` in other words, with the same intent and the same slots."""
        question = bool(text.words) and text.words[0] in QUESTIONS
        asks = question
        if rng.random() < REWRITE:
            changed = self._rewritten(text, rng)
            asks = question and changed is text
            text = changed
        if rng.random() < SYNONYM:
            text = self._exchanged(text, rng)
        if rng.random() < CARRIER:
            text = _with(rng.choice(self._rules.questions if asks else self._rules.commands), text)
        if rng.random() < REMARK:
            remark, link = rng.choice(self._rules.remarks), rng.choice(self._rules.links)
            text = (
                _with(remark, text, "") if rng.random() < 0.2 else _with(f"{remark} {link}", text)
            )
        if rng.random() < ENDING:
            text = _with("", text, rng.choice(self._rules.endings))
        return text

    def _rewritten(self, text: LabelledText, rng: Random) -> LabelledText:
        found = list(self._matches(text))
        if not found:
            return text
        outcomes, spans = rng.choice(found)
        words: list[str] = []
        tags: list[str] = []
        for word in rng.choice(outcomes):
            name = word.lstrip("~")
            if name not in spans:
                words.append(word)
                tags.append(OUTSIDE)
                continue
            first, behind = spans[name]
            if word != name:
                first = _behind_articles(text, first, behind)
            words += text.words[first:behind]
            tags += (text.tags or (OUTSIDE,) * len(text.words))[first:behind]
        return LabelledText(tuple(words), None if text.tags is None else tuple(tags), text.intent)

    def _matches(
        self, text: LabelledText
    ) -> Iterator[tuple[tuple[tuple[str, ...], ...], dict[str, Span]]]:
        line = text.text
        starts = [0]
        for word in text.words:
            starts.append(starts[-1] + len(word) + 1)
        index = {start: number for number, start in enumerate(starts)}
        for form in self._forms:
            match = form.pattern.fullmatch(line)
            if match is None:
                continue
            spans = {
                name: (index[match.start(name)], index[match.end(name) + 1])
                for name in match.groupdict()
            }
            if not _allowed(text, spans):
                continue
            needed = {name for name, span in spans.items() if _has_slot(text, span)}
            outcomes = tuple(o for o in form.outcomes if needed <= {w.lstrip("~") for w in o})
            if outcomes:
                yield outcomes, spans

    def _exchanged(self, text: LabelledText, rng: Random) -> LabelledText:
        """One phrase outside the slots against another of the same meaning."""
        given = text.tags or (OUTSIDE,) * len(text.words)
        places = [
            (at, at + size)
            for at in range(len(text.words))
            for size in range(1, self._longest + 1)
            if text.words[at : at + size] in self._synonyms
            and all(tag == OUTSIDE for tag in given[at : at + size])
        ]
        if not places:
            return text
        first, behind = rng.choice(places)
        other = rng.choice(self._synonyms[text.words[first:behind]])
        words = (*text.words[:first], *other, *text.words[behind:])
        tags = (*given[:first], *(OUTSIDE,) * len(other), *given[behind:])
        return LabelledText(words, None if text.tags is None else tags, text.intent)


def _with(before: str, text: LabelledText, after: str = "") -> LabelledText:
    """``text`` with words before and behind it."""
    head, tail = before.split(), after.split()
    tags = text.tags
    if tags is not None:
        tags = (*[OUTSIDE] * len(head), *tags, *[OUTSIDE] * len(tail))
    return LabelledText((*head, *text.words, *tail), tags, text.intent)


def _allowed(text: LabelledText, spans: Mapping[str, Span]) -> bool:
    """Whether the named words lie outside all slots, no slot is cut, and S is one slot."""
    tags = text.tags
    if tags is None:
        return _SLOT not in spans
    inside = {word for first, behind in spans.values() for word in range(first, behind)}
    if any(tag != OUTSIDE and word not in inside for word, tag in enumerate(tags)):
        return False
    for name, (first, behind) in spans.items():
        if tags[first].startswith("I-") or (behind < len(tags) and tags[behind].startswith("I-")):
            return False
        if name == _SLOT and not _is_slot(tags[first:behind]):
            return False
    return True


def _has_slot(text: LabelledText, span: Span) -> bool:
    return any(tag != OUTSIDE for tag in (text.tags or ())[span[0] : span[1]])


def _is_slot(tags: Sequence[str]) -> bool:
    return tags[0].startswith("B-") and all(tag.startswith("I-") for tag in tags[1:])


def _behind_articles(text: LabelledText, first: int, behind: int) -> int:
    while first + 1 < behind and text.words[first] in ARTICLES:
        first += 1
    return first


@cache
def _compile(form: str) -> re.Pattern[str]:
    """A form as a regular expression: capital letters are one word or more."""
    pattern = ""
    for piece in _PIECE.findall(form):
        if piece[0] == "[":
            pattern += f"(?:{piece[1:-1]} )?"
        elif piece[0] == "(":
            pattern += f"(?:{piece[1:-1]}) "
        elif piece[1:2] == ":":
            pattern += f"(?P<{piece[0]}>{piece[3:-1]}) "
        elif piece.isupper():
            pattern += rf"(?P<{piece}>\S+(?: \S+)*?) "
        else:
            pattern += f"{re.escape(piece)} "
    return re.compile(pattern.rstrip())
