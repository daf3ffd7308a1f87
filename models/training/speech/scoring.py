"""How well a network hears phones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from models.metrics import edit_distance
from models.training.speech.batches import collate
from models.training.speech.cache import Example
from models.training.speech.loss import selfless_ctc
from models.training.speech.network import AcousticNetwork

BATCH = 16


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures on some utterances."""

    phone_error_rate: float
    """Edits a phone, with the most likely output of every frame: no lexicon, no grammar."""

    loss: float
    """Negative log-probability a phone."""


@torch.no_grad()
def score(
    network: AcousticNetwork, examples: Sequence[Example], device: torch.device
) -> Scores | None:
    """Figures of a network on utterances; None if there are none."""
    if not examples:
        return None
    was_training = network.training
    network.eval()
    edits, phones, total = 0, 0, 0.0
    order = sorted(examples, key=lambda example: len(example.features))
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        batch = collate(part, network.context).to(device)
        scores = network(batch.features)
        loss = selfless_ctc(scores, batch.labels, batch.frames, batch.counts)
        total += float(loss.sum())
        best = scores.argmax(dim=-1).cpu()
        for row, example in enumerate(part):
            heard = collapse(best[row, : int(batch.frames[row])].tolist())
            edits += edit_distance(heard, example.labels.tolist())
            phones += len(example.labels)
    network.train(was_training)
    return Scores(edits / phones, total / phones)


def collapse(outputs: Sequence[int]) -> list[int]:
    """Labels of a sequence of frames: blanks (0) and repetitions left out."""
    return [
        output
        for place, output in enumerate(outputs)
        if output and (place == 0 or outputs[place - 1] != output)
    ]
