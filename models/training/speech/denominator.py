"""All phone sequences at once, for training by maximum mutual information (LF-MMI).

A connectionist loss alone rewards the right phones; decoding compares them with wrong ones. So the
score of everything that could have been said (the denominator) is taken off, over a trigram of
phones in place of words (Povey et al., 2016: Purely sequence-trained neural networks for ASR based
on lattice-free MMI; here without alignments, as Hadian et al., 2018). The topology is that of
``loss.selfless_ctc``: one frame a phone, blank in all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import torch

HISTORY_WEIGHT = 20.0
"""Occurrences of a longer history that weigh as much as all that a shorter one says."""

SCALED_EVERY = 4
"""Frames between two scalings: probabilities of single precision bear some."""


def phone_trigram(sequences: Iterable[Sequence[int]], outputs: int) -> torch.Tensor:
    """Probability [phone, phone before it, next phone] of the next phone, 0 for the end.

    0 stands for the begin in the first two. Interpolated with bigram, unigram and all phones
    alike, so that nothing is impossible but the end of nothing.
    """
    histories = Counter(
        (last, before, phone)
        for sequence in sequences
        for before, last, phone in zip(
            (0, 0, *sequence), (0, *sequence), (*sequence, 0), strict=False
        )
    )
    counts = torch.zeros(outputs, outputs, outputs)
    places = torch.tensor(list(histories), dtype=torch.long).reshape(-1, 3)
    counts[tuple(places.T)] = torch.tensor(list(histories.values()), dtype=torch.float)
    bigrams = counts.sum(1)
    unigrams = bigrams.sum(0)
    even = torch.full((outputs,), 1 / outputs)
    one = _interpolate(unigrams, even)
    two = _interpolate(bigrams, one.expand_as(bigrams))
    return _interpolate(counts, two.unsqueeze(1).expand_as(counts))


def _interpolate(counts: torch.Tensor, shorter: torch.Tensor) -> torch.Tensor:
    return (counts + HISTORY_WEIGHT * shorter) / (counts.sum(-1, keepdim=True) + HISTORY_WEIGHT)


def denominator(scores: torch.Tensor, frames: torch.Tensor, trigram: torch.Tensor) -> torch.Tensor:
    """Log-probability [batch] of all phone sequences.

    ``scores`` log-probabilities [batch, time, outputs] with blank at 0; ``frames`` [batch];
    ``trigram`` from ``phone_trigram``. Sums are of probabilities, scaled now and then.
    """
    batch, time, outputs = scores.shape
    inside = torch.arange(time, device=scores.device).unsqueeze(1) < frames.unsqueeze(0)
    emitted = scores.exp().transpose(0, 1)
    # Behind its end an utterance stays where it is: blank is certain.
    blank = torch.where(inside, emitted[:, :, 0], 1.0).unsqueeze(2).unbind(0)
    phones = (emitted * inside.unsqueeze(2)).index_fill(2, inside.new_zeros(1, dtype=torch.long), 0)
    # paths[last phone, batch, phone before it]
    paths = scores.new_zeros(outputs, batch, outputs)
    paths[0, :, 0] = 1.0
    total = scores.new_zeros(batch)
    for step, said in enumerate(phones.unbind(0)):
        spoken = torch.bmm(paths, trigram) * said
        paths = torch.addcmul(spoken.transpose(0, 2), paths, blank[step])
        if step % SCALED_EVERY == 0:
            scale = paths.sum((0, 2))
            total = total + scale.log()
            paths = paths / scale.view(1, batch, 1)
    ends = (paths * trigram[:, :, 0].unsqueeze(1)).sum((0, 2))
    return total + ends.log()
