"""The training loop: joint cross-entropy of intents and tags."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import nn
from torch.nn import functional

from models.mobilebert.tokens import Encoding, WordTokenizer
from models.training.language.alignment import LabelledText
from models.training.language.network import JointNetwork

IGNORED = -100
"""Target of tokens that no tag belongs to."""

LEARNING_RATE = 1e-3
"""High for a transformer, right for one this narrow; half of it was worse after few epochs."""

WARM_UP = 0.06
"""Share of the steps in which the learning rate rises."""

WEIGHT_DECAY = 0.01
SLOTS_WEIGHT = 2.0
"""Weight of the tags' loss beside the intents': most tags are easy and pull the mean down."""

MAX_NORM = 1.0
POOL = 40
"""Batches that are sorted by length together, so that padding is short and order still random."""

REPORT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Target:
    """One text, ready for a batch."""

    encoding: Encoding
    intent: int
    tags: tuple[int, ...] | None


def encode(
    texts: Sequence[LabelledText],
    tokenizer: WordTokenizer,
    intents: Sequence[str],
    tags: Sequence[str],
) -> list[Target]:
    """Texts as token ids and label indices."""
    intent_index = {name: index for index, name in enumerate(intents)}
    tag_index = {name: index for index, name in enumerate(tags)}
    targets = []
    for text in texts:
        encoding = tokenizer.encode(text.text)
        chosen = None
        if text.tags is not None:
            # Words that vanish in the tokenizer or behind its limit have no tag to learn.
            starts = [0]
            for word in text.words:
                starts.append(starts[-1] + len(word) + 1)
            position = {start: index for index, start in enumerate(starts)}
            chosen = tuple(tag_index[text.tags[position[start]]] for start, _ in encoding.words)
        targets.append(Target(encoding, intent_index[text.intent], chosen))
    return targets


def batches(targets: Sequence[Target], size: int, rng: Random) -> Iterator[list[Target]]:
    """Random batches of texts of about the same length."""
    order = list(targets)
    rng.shuffle(order)
    found = []
    for start in range(0, len(order), size * POOL):
        pool = sorted(order[start : start + size * POOL], key=lambda t: len(t.encoding.ids))
        found += [pool[at : at + size] for at in range(0, len(pool), size)]
    rng.shuffle(found)
    yield from found


def collate(
    batch: Sequence[Target],
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token ids, mask and tags, each [batch, tokens], and intents [batch]."""
    longest = max(len(target.encoding.ids) for target in batch)
    ids = torch.zeros(len(batch), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    tags = torch.full_like(ids, IGNORED)
    for row, target in enumerate(batch):
        length = len(target.encoding.ids)
        ids[row, :length] = torch.from_numpy(target.encoding.ids)
        mask[row, :length] = 1
        if target.tags:
            tags[row, torch.from_numpy(target.encoding.pieces)] = torch.tensor(target.tags)
    return ids, mask, tags, torch.tensor([target.intent for target in batch])


def fit(
    network: JointNetwork,
    epoch_of: Callable[[int], Sequence[Target]],
    *,
    epochs: int,
    batch_size: int,
    rng: Random,
    report: Callable[[str], None],
) -> None:
    """Train in place; ``epoch_of`` gives the texts of each epoch, all epochs the same number."""
    parameters = [p for p in network.parameters() if p.requires_grad]
    decayed = [p for p in parameters if p.dim() == 2 and p.shape[0] < 10_000]
    rest = [p for p in parameters if not (p.dim() == 2 and p.shape[0] < 10_000)]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": rest, "weight_decay": 0.0}],
        lr=LEARNING_RATE,
        betas=(0.9, 0.98),
        eps=1e-6,
    )
    network.train()
    step, total, mean = 0, 0, 0.0
    began = reported = time.monotonic()
    for epoch in range(epochs):
        targets = epoch_of(epoch)
        total = total or epochs * math.ceil(len(targets) / batch_size)
        for batch in batches(targets, batch_size, rng):
            _set_rate(optimiser, step / total)
            loss = _loss(network, batch)
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(parameters, MAX_NORM)
            optimiser.step()
            step += 1
            mean = loss.item() if step == 1 else 0.98 * mean + 0.02 * loss.item()
            if time.monotonic() - reported > REPORT_SECONDS:
                reported = time.monotonic()
                report(f"step {step} of {total}, loss {mean:.3f}, {reported - began:.0f} s")


def _loss(network: JointNetwork, batch: Sequence[Target]) -> torch.Tensor:
    ids, mask, tags, intents = collate(batch)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        intent_logits, slot_logits = network(ids, mask)
    loss = functional.cross_entropy(intent_logits.float(), intents)
    if bool((tags != IGNORED).any()):
        loss = loss + SLOTS_WEIGHT * functional.cross_entropy(
            slot_logits.float().flatten(0, 1), tags.flatten(), ignore_index=IGNORED
        )
    return loss


def _set_rate(optimiser: torch.optim.Optimizer, done: float) -> None:
    """Rise linearly, then fall linearly to zero."""
    share = done / WARM_UP if done < WARM_UP else (1 - done) / (1 - WARM_UP)
    for group in optimiser.param_groups:
        group["lr"] = LEARNING_RATE * share
