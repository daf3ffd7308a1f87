"""Which of the shipped texts may be the domain's own business after all.

A kitchen timer must not be taught to reject "set a timer". Nobody says which labels of the
corpora belong to a user's domain, so the heads are asked: what a head that has never seen a label
takes for the domain is not used against it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from models.domain import Domain
from models.mobilebert.decoding import softmax
from models.training.domain.features import Features
from models.training.domain.heads import INTENTS, fit_intents, intent_logits, quick
from models.training.domain.texts import TextMaker
from models.training.language.alignment import OUT_OF_SCOPE, LabelledText, align
from models.training.language.outside import Outside

PROBES = 600
"""Sentences that stand for the domain."""

FOLDS = 4
TAKEN = 0.4
"""Share of a label's texts that must look like the domain for the label to be left out."""


def doubtful_texts(
    domain: Domain,
    maker: TextMaker,
    read: Callable[[Sequence[LabelledText]], Features],
    size: int,
) -> frozenset[str]:
    """Labels of the shipped texts that may belong to ``domain``.

    ``read`` gives features of texts, ``size`` is the length of a state in them.
    """
    rows = maker.outside
    if not rows:
        return frozenset()
    inside = [align(example) for example in domain.sample(min(PROBES, maker.count), seed=1)]
    foreign = [LabelledText(tuple(row.text.split()), None, OUT_OF_SCOPE) for row in rows]
    number = {name: index for index, name in enumerate(domain.intents)}
    targets = np.array([number[text.intent] for text in inside], np.intp)
    return doubtful_labels(read(inside), targets, len(number), read(foreign), rows, size)


def doubtful_labels(
    inside: Features,
    intents: npt.NDArray[np.intp],
    count: int,
    outside: Features,
    rows: Sequence[Outside],
    size: int,
) -> frozenset[str]:
    """Labels of ``rows`` whose texts a head without them takes for one of ``count`` intents.

    ``inside`` are features of the domain's sentences with their ``intents``, ``outside`` those of
    ``rows``; ``size`` is the length of a state.
    """
    labels = sorted({row.label for row in rows})
    fold_of = {label: number % FOLDS for number, label in enumerate(labels)}
    folds = np.array([fold_of[row.label] for row in rows])
    taken: dict[str, list[bool]] = defaultdict(list)
    for fold in range(FOLDS):
        seen = folds != fold
        texts = np.concatenate([inside.texts, outside.texts[seen]])
        targets = np.concatenate([intents, np.full(int(seen.sum()), count)])
        known = Features(texts, inside.words[:0], inside.counts[:0])
        layers = fit_intents(known, targets, count + 1, size, settings=quick(INTENTS))
        asked = Features(outside.texts[~seen], inside.words[:0], inside.counts[:0])
        rejected = softmax(intent_logits(layers, asked))[:, -1]
        for row, share in zip(np.flatnonzero(~seen), rejected, strict=True):
            taken[rows[int(row)].label].append(bool(share < 0.5))
    return frozenset(label for label, votes in taken.items() if np.mean(votes) >= TAKEN)
