"""The texts that a domain's model is trained, calibrated and judged on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from random import Random

from models.domain import Domain
from models.training.language.alignment import LabelledText, align, outside
from models.training.language.augmentation import NOISY, Augmenter, Rates, refill, similar_words
from models.training.language.corpora import Utterance
from models.training.language.negatives import Negatives
from models.training.language.paraphrase import Paraphraser, read_rules
from models.training.language.scopes import Corpora, Scope, divide

HELD_OUT = 1000
"""Sentences of the domain kept for the scores, and as many again for the temperatures."""

HUMAN_SHARE = 0.2
"""Requests in people's own words beside each sentence of the templates, where there are any."""

CALIBRATION_SHARE = 20
"""One in so many of the corpora's texts is kept from training for the temperatures."""


OPEN_SHARE = 0.3
"""How often the value of an open slot is words out of free text instead. Higher values let the
tagger rely on the words around a slot, lower ones on the values that people name most."""

OPEN_WORDS = 4

WAYS = 0.8
"""Sentences of the templates for training alone, for each other sentence."""

PARAPHRASED = 0.55
"""Share of the sentences that are said in other words before anything else is changed."""


@dataclass(frozen=True, slots=True)
class Material:
    """Texts of one domain, in parts that do not overlap."""

    sentences: tuple[LabelledText, ...]
    """Sentences of the templates, for training."""

    held_out: tuple[LabelledText, ...]
    """Sentences of the templates, for scores; none of them is among ``sentences``."""

    calibration: tuple[LabelledText, ...]
    """Sentences, people's own words and texts outside, for temperatures."""

    human: tuple[LabelledText, ...]
    """Requests in people's own words, without tags, for training."""

    human_test: tuple[LabelledText, ...]
    outside_test: tuple[str, ...]
    negatives: Negatives
    made: Negatives
    """The same without any text of the corpora."""

    alike: dict[str, tuple[str, ...]]
    open_slots: tuple[str, ...]
    paraphraser: Paraphraser | None = None

    def epoch(self, rng: Random, outside_per_inside: float) -> list[LabelledText]:
        """The texts of one epoch, changed anew."""
        augment = Augmenter(self.alike, Rates())
        texts = [augment(self._said(self._opened(text, rng), rng), rng) for text in self.sentences]
        if self.human:
            count = int(HUMAN_SHARE * len(self.sentences))
            texts += [augment(text, rng) for text in _balanced(self.human, count, rng)]
        count = int(outside_per_inside * len(self.sentences))
        texts += [self.negatives.draw(rng) for _ in range(count)]
        return texts

    def _opened(self, text: LabelledText, rng: Random) -> LabelledText:
        """Now and then other words in an open slot."""
        for slot in self.open_slots:
            if rng.random() < OPEN_SHARE:
                text = refill(text, slot, self.negatives.phrase(rng, OPEN_WORDS))
        return text

    def _said(self, text: LabelledText, rng: Random) -> LabelledText:
        """Now and then the same in other words."""
        if self.paraphraser is None or rng.random() >= PARAPHRASED:
            return text
        return self.paraphraser(text, rng)

    def noised(self, texts: Sequence[LabelledText], rng: Random) -> list[LabelledText]:
        """Copies of ``texts`` as a recogniser with many errors would write them."""
        augment = Augmenter(self.alike, NOISY, clean=0.0)
        return [augment(text, rng) for text in texts]


def gather(
    domain: Domain,
    utterances: Sequence[Utterance],
    scope: Scope,
    examples: int,
    seed: int,
    ways: Domain | None = None,
) -> Material:
    """Sample a domain's sentences and sort the corpora into what is inside and outside of it.

    ``ways`` is the domain with other ways to say it, for training alone.
    """

    def contains(text: str) -> bool:
        return domain.parse(text) is not None

    rng = Random(seed)
    sentences, held_out, calibration = _sample(domain, examples, seed)
    train = divide(utterances, scope, "train")
    test = divide(utterances, scope, "test")
    kept, spare = _spare(train, rng)
    others = ways.sample(int(WAYS * examples), seed) if ways else ()
    vocabulary = domain.words()
    rules = read_rules(domain.language)
    heard = {word for text in train.outside for word in text.split()}

    def negatives(texts: Sequence[str]) -> Negatives:
        return Negatives(texts, sentences, vocabulary, contains)

    return Material(
        sentences=(*sentences, *(align(example) for example in others)),
        held_out=held_out,
        calibration=(
            *calibration,
            *spare.inside,
            *(outside(text) for text in spare.outside if not contains(text)),
        ),
        human=kept.inside,
        human_test=test.inside,
        outside_test=tuple(text for text in test.outside if not contains(text)),
        negatives=negatives([text for text in kept.outside if not contains(text)]),
        made=negatives([]),
        alike=similar_words(vocabulary, heard),
        open_slots=scope.open_slots,
        paraphraser=Paraphraser(rules) if rules else None,
    )


def _sample(domain: Domain, count: int, seed: int) -> tuple[tuple[LabelledText, ...], ...]:
    """Sentences for training, for scores and for temperatures, no text in two parts."""
    rest = [align(example) for example in domain.sample(count + 6 * HELD_OUT, seed)]
    sentences, rest = rest[:count], rest[count:]
    seen = {text.text for text in sentences}
    fresh = list({text.text: text for text in rest if text.text not in seen}.values())
    half = min(HELD_OUT, len(fresh) // 2)
    return tuple(sentences), tuple(fresh[:half]), tuple(fresh[half : 2 * half])


def _spare(corpora: Corpora, rng: Random) -> tuple[Corpora, Corpora]:
    """Split off some texts for temperatures."""
    outside_, inside = list(corpora.outside), list(corpora.inside)
    rng.shuffle(outside_)
    rng.shuffle(inside)
    first, second = len(outside_) // CALIBRATION_SHARE, len(inside) // CALIBRATION_SHARE
    return (
        Corpora(tuple(outside_[first:]), tuple(inside[second:])),
        Corpora(tuple(outside_[:first]), tuple(inside[:second])),
    )


def _balanced(texts: Sequence[LabelledText], count: int, rng: Random) -> list[LabelledText]:
    """``count`` texts, each intent in its turn as long as it has some."""
    by_intent: dict[str, list[LabelledText]] = defaultdict(list)
    for text in rng.sample(texts, len(texts)):
        by_intent[text.intent].append(text)
    turns = zip_longest(*by_intent.values())
    return [text for turn in turns for text in turn if text is not None][:count]
