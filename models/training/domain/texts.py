"""The texts that a domain's heads learn from, all made from the domain and what is shipped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from models.domain import Domain
from models.domain.source import Source
from models.errors import DomainError
from models.training.language.alignment import LabelledText, align, outside
from models.training.language.augmentation import Augmenter, Rates, refill
from models.training.language.confusions import sound_alikes
from models.training.language.mishearings import load_mishearings
from models.training.language.negatives import Negatives
from models.training.language.outside import NOISE, Outside, read_outside
from models.training.language.paraphrase import Paraphraser, read_rules
from models.training.language.scopes import Scope

PER_INTENT = 220
FEWEST, MOST = 900, 9000
"""Sentences for training: so many for each intent, within these bounds."""

HELD_OUT = 500
"""Sentences for the scores, and as many again to calibrate with."""

PLAIN = 0.3
"""Share of the sentences that stay as the templates have them."""

SHIPPED = 1.3
"""Shipped texts outside the domain for each sentence, as far as there are so many."""

MADE = 0.2
"""Texts outside the domain that are made of its own words, for each sentence."""

FEWEST_EACH = 1
"""Shipped texts of each label, however small the domain is."""

OUTSIDE_SPARE = 6
"""One in so many of the shipped texts is kept from training, to calibrate with."""

NEW_VALUE = 0.25
"""How often a slot holds other words than the file lists, so that values may be added later."""

OPEN_LIST = 6
"""Slots whose longest list has fewer values (on, off) are closed: nothing new comes in there."""

NEW_WORDS = 3

WAYS = 0.8
"""Sentences in the other ways to say it, for each of the domain's own."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts in parts that do not overlap."""

    train: tuple[LabelledText, ...]
    calibration: tuple[LabelledText, ...]
    """Sentences, plain and changed, that training does not have, and texts outside."""

    plain: tuple[LabelledText, ...]
    """The sentences of ``calibration`` as the templates have them."""

    held_out: tuple[LabelledText, ...]
    """Sentences of the templates that none of the others has."""


class TextMaker:
    """Makes the texts of one domain."""

    def __init__(
        self,
        domain: Domain,
        scope: Scope,
        seed: int,
        *,
        ways: Domain | None = None,
        sentences: int | None = None,
    ) -> None:
        """``ways`` is the domain with other ways to say it, for training alone; ``sentences`` is
        how many to learn from, None: as the number of intents asks for."""
        self._domain = domain
        self._ways = ways
        self._seed = seed
        self.count = sentences or min(MOST, max(FEWEST, PER_INTENT * len(domain.intents)))
        """Sentences to learn from."""

        self._human = tuple(
            LabelledText(tuple(row.text.split()), None, intent)
            for row in read_outside(domain.language)
            if (intent := scope.intent_of(row.label)) is not None
        )
        rules = read_rules(domain.language)
        self._paraphraser = Paraphraser(rules) if rules else None
        self._vocabulary = domain.words()
        shipped = [row for row in read_outside(domain.language) if not scope.has(row.label)]
        self.outside: tuple[Outside, ...] = tuple(
            row
            for row in _some_of_each(shipped, int(SHIPPED * self.count))
            if not self._contains(row.text)
        )
        """Shipped texts that are not known to belong to the domain."""

        heard = {word for row in self.outside for word in row.text.split()}
        measured = load_mishearings().heard_as(self._vocabulary) if domain.language == "en" else {}
        self._alike = {**sound_alikes(self._vocabulary, heard), **measured}
        self._open = open_slots(domain, scope.open_slots)

    def make(self, without: Collection[str] = ()) -> Texts:
        """All parts; ``without`` are labels of shipped texts to leave alone."""
        rng = Random(self._seed)
        domain = self._domain
        count = self.count
        spares = min(HELD_OUT, count)
        sampled = [align(example) for example in domain.sample(count + 8 * spares, self._seed)]
        sentences, rest = sampled[:count], sampled[count:]
        seen = {text.text for text in sentences}
        fresh = list({text.text: text for text in rest if text.text not in seen}.values())
        if len(fresh) < 2:  # so few sentences that training has them all
            fresh = list({text.text: text for text in sentences}.values()) * 2
        half = min(spares, len(fresh) // 2)
        rows = [row for row in self.outside if row.label not in without]
        rng.shuffle(rows)
        spare = [outside(row.text) for row in rows[::OUTSIDE_SPARE]]
        kept = [row.text for at, row in enumerate(rows) if at % OUTSIDE_SPARE]
        negatives = Negatives(kept, sentences, self._vocabulary, self._contains)
        others = self._ways.sample(int(WAYS * count), self._seed) if self._ways else ()
        train = [
            self._changed(text, negatives, rng)
            for text in (*sentences, *(align(example) for example in others))
        ]
        train += [self._changed(text, negatives, rng) for text in self._human]
        train += self._written()
        train += [outside(text) for text in (*kept, *NOISE)]
        train += [negatives.draw(rng) for _ in range(int(MADE * count))]
        calibration = [self._changed(text, negatives, rng) for text in fresh[:half]]
        made = max(len(spare) // 3, half // 2)
        calibration += spare + [negatives.draw(rng) for _ in range(made)]
        return Texts(
            tuple(train), tuple(calibration), tuple(fresh[:half]), tuple(fresh[half : 2 * half])
        )

    def _changed(self, text: LabelledText, negatives: Negatives, rng: Random) -> LabelledText:
        """In other words, with other values, misheard: or as it is."""
        for slot in self._open:
            if rng.random() < NEW_VALUE:
                text = refill(text, slot, negatives.phrase(rng, NEW_WORDS))
        if rng.random() < PLAIN:
            return text
        if self._paraphraser is not None:
            text = self._paraphraser(text, rng)
        return Augmenter(self._alike, Rates())(text, rng)

    def _written(self) -> list[LabelledText]:
        """What the file says must be rejected."""
        return [outside(text) for text in written_outside(self._domain)]

    def _contains(self, text: str) -> bool:
        known = self._vocabulary
        return all(word in known for word in text.split()) and self._domain.parse(text) is not None


def _some_of_each(rows: Sequence[Outside], count: int) -> list[Outside]:
    """About ``count`` rows, the same number of each label."""
    by_label: dict[str, list[Outside]] = defaultdict(list)
    for row in rows:
        by_label[row.label].append(row)
    each = max(FEWEST_EACH, -(-count // max(1, len(by_label))))
    return [row for found in by_label.values() for row in found[:each]]


def other_ways(path: Path) -> Path | None:
    """The file with other ways to say a domain, if its author wrote one.

    ``home.paraphrases.yaml`` beside ``home.yaml``: templates of the same intents, which may use
    the lists and rules of the domain. Nobody has to say what a grammar would take from them.
    """
    found = path.with_name(f"{path.stem if path.is_file() else path.name}.paraphrases.yaml")
    return found if found.is_file() else None


def with_other_ways(path: Path) -> Domain | None:
    """A domain together with the other ways to say it; None without any. Raises DomainError."""
    found = other_ways(path)
    if found is None:
        return None
    domain = Domain.load(path)
    both = Domain(domain.name, Source((*domain.files, found)))
    new = sorted(set(both.intents) - set(domain.intents))
    if new:
        raise DomainError(f"{found}: {path.name} has no intent {new[0]}: add it there first")
    return both


def written_outside(domain: Domain) -> tuple[str, ...]:
    """Sentences that the domain's file gives as such that must be rejected."""
    return tuple(example.text for example in domain.examples if example.intent is None)


def open_slots(domain: Domain, more: Iterable[str] = ()) -> tuple[str, ...]:
    """Slots that may hold other words than are listed now: names, not numbers or states."""
    found = set(more)
    for slot in domain.slots:
        lists = [known.values for known in domain.lists_of(slot)]
        values = [entry.value for entries in lists for entry in entries]
        if any(known.accepts and known.type == "text" for known in domain.lists_of(slot)):
            found.add(slot)
        words = all(value is None or isinstance(value, str) for value in values)
        if words and max(map(len, lists)) >= OPEN_LIST:
            found.add(slot)
    return tuple(sorted(found))
