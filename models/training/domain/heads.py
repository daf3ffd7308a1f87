"""Heads over a frozen base, fitted to the texts of one domain by numpy alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.mobilebert.small_heads import SmallHead
from models.training.domain.features import Features
from models.training.domain.mlp import Array, Fitting, Layer, Settings, State
from models.training.language.alignment import LabelledText

WINDOW = 1
"""Neighbours on either side that the slots head sees. None costs 3 points of sentences, two give
nothing for twice the time."""

INTENTS = Settings(hidden=256, epochs=12)
SLOTS = Settings(hidden=192, epochs=8, batch=256, dropout=0.1)

Report = Callable[[int, int], None]
"""Told how many epochs are done, of how many."""

Indices = npt.NDArray[np.intp]


def fit_intents(
    features: Features,
    targets: Indices,
    outputs: int,
    size: int,
    kept: Path | None = None,
    report: Report | None = None,
    settings: Settings = INTENTS,
) -> tuple[Layer, ...]:
    """Layers of an intent head from the class of each text.

    The state of [CLS], the first ``size`` of a text's features, is left out: the base was
    distilled on the states of words, and with it the head was slower and no better. ``kept`` is
    where the state of the run is kept after each epoch.
    """
    table = np.ascontiguousarray(features.texts[:, size:])

    def gather(rows: Indices) -> Array:
        return table[rows].astype(np.float32)

    layers = _fit(Fitting(gather, targets, outputs, settings), settings, kept, report)
    weight, bias = layers[0]
    whole = np.concatenate([np.zeros((size, weight.shape[1]), np.float32), weight])
    return ((whole, bias), *layers[1:])


def fit_slots(
    features: Features,
    texts: Sequence[LabelledText],
    tags: Sequence[str],
    kept: Path | None = None,
    report: Report | None = None,
    settings: Settings = SLOTS,
) -> tuple[Layer, ...]:
    """Layers of a slots head from the tags of the words of ``texts``, those without left out."""
    windows, starts = window_indices(features)
    number = {tag: index for index, tag in enumerate(tags)}
    rows: list[int] = []
    right: list[int] = []
    for text, start, count in zip(texts, starts, features.counts, strict=True):
        if text.tags is not None and len(text.tags) == count:
            rows += range(start, start + count)
            right += [number[tag] for tag in text.tags]
    chosen, targets = np.array(rows, np.intp), np.array(right, np.intp)
    table = with_empty(features)

    def gather(some: Indices) -> Array:
        found = table[windows[chosen[some]]]
        return found.reshape(len(some), -1).astype(np.float32)

    return _fit(Fitting(gather, targets, len(tags), settings), settings, kept, report)


def intent_logits(layers: Sequence[Layer], features: Features) -> Array:
    """Logits [texts, outputs] of an intent head."""
    return SmallHead(tuple(layers))(features.texts.astype(np.float32))


def slot_logits(layers: Sequence[Layer], features: Features) -> Array:
    """Logits [words of all texts, outputs] of a slots head."""
    windows, _ = window_indices(features)
    seen = with_empty(features)[windows].reshape(len(windows), -1)
    return SmallHead(tuple(layers))(seen.astype(np.float32))


def window_indices(features: Features) -> tuple[Indices, Indices]:
    """Rows of each word and its neighbours [words, 2 * WINDOW + 1], and each text's first word.

    A neighbour beyond the ends of its text is the row behind the last one.
    """
    ends = np.cumsum(features.counts)
    starts = ends - features.counts
    words = np.arange(len(features.words))
    first = np.repeat(starts, features.counts)
    behind = np.repeat(ends, features.counts)
    columns = []
    for offset in range(-WINDOW, WINDOW + 1):
        neighbours = words + offset
        inside = (neighbours >= first) & (neighbours < behind)
        columns.append(np.where(inside, neighbours, len(words)))
    return np.stack(columns, axis=1), starts


def with_empty(features: Features) -> npt.NDArray[np.float16]:
    """The words' states, and a row of zeros behind them."""
    return np.concatenate([features.words, np.zeros_like(features.words[:1])])


def quick(settings: Settings) -> Settings:
    """A smaller and shorter fit, for questions along the way."""
    return replace(settings, hidden=64, epochs=4)


def _fit(
    fitting: Fitting, settings: Settings, kept: Path | None, report: Report | None
) -> tuple[Layer, ...]:
    state = State.load(kept) if kept else None
    if report and state:
        report(state.epoch, settings.epochs)

    def after(state: State, _loss: float) -> None:
        if kept:
            state.save(kept)
        if report:
            report(state.epoch, settings.epochs)

    return fitting.run(state, after)
