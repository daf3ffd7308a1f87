"""A small encoder learns the token states, attention and sentence vectors of a larger one.

The teacher is any BERT-family encoder with the same word pieces (all-MiniLM-L6-v2 for the shipped
base). Layers between can be followed too, as in MobileBERT's feature-map transfer (Sun et al.
2020); the student's states are projected to the teacher's width, and the projection of the last
layer stays with the base: it makes the sentence vector.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from models.training.language.batching import pad
from models.training.language.relations import Projections, relation_loss
from models.training.language.teaching import TeacherStates


class Student(nn.Module):
    """An encoder with a projection to the teacher's width for each layer that is followed."""

    def __init__(self, encoder: nn.Module, pairs: Mapping[int, int], width: int) -> None:
        """``pairs``: the teacher's layer for each layer of the student that follows one."""
        super().__init__()
        self.encoder = encoder
        self.pairs = dict(pairs)
        hidden = int(encoder.config.hidden_size)
        self.project = nn.ModuleDict({str(mine): nn.Linear(hidden, width) for mine in pairs})

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> dict[int, torch.Tensor]:
        """Projected states by the student's layer, each [batch, tokens, width]."""
        found = self.encoder(input_ids=ids, attention_mask=mask, output_hidden_states=True)
        states = found.hidden_states
        return {mine: self.project[str(mine)](states[mine]) for mine in self.pairs}


class DistillationLoss:
    """Mean square and cosine of standardised token states, and the cosine of sentence vectors.

    With ``attention``, a weight, the divergence of the last layers' relations is added.
    """

    def __init__(
        self,
        student: Student,
        texts: Sequence[Sequence[int]],
        taught: TeacherStates,
        attention: float = 0.0,
    ) -> None:
        """Raises ModelError where attention is asked for and the student has another kind."""
        self._student = student
        self._attention = attention
        self._projections = Projections(student.encoder) if attention else None
        self._texts = texts
        self._taught = taught
        self._statistics = {theirs: taught.statistics(theirs) for theirs in student.pairs.values()}
        self._last = max(student.pairs)

    def __call__(self, batch: Sequence[int]) -> torch.Tensor:
        """Loss over texts, given by their numbers."""
        ids, mask = pad([self._texts[i] for i in batch])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = self._student(ids, mask)
        chosen = mask.bool()
        loss = torch.zeros(())
        for mine, theirs in self._student.pairs.items():
            mean, deviation = self._statistics[theirs]
            states = np.concatenate([self._taught.of(theirs, i) for i in batch])
            target = (torch.from_numpy(states) - mean) / deviation
            got = found[mine].float()[chosen]
            loss = loss + functional.mse_loss(got, target)
            loss = loss + 1 - functional.cosine_similarity(got, target).mean()
            if mine == self._last:
                rows = torch.nonzero(chosen)[:, 0]
                back = got * deviation + mean
                vectors = _means(back, rows, len(batch))
                wanted = _means(torch.from_numpy(states), rows, len(batch))
                loss = loss + 1 - functional.cosine_similarity(vectors, wanted).mean()
        if self._projections is not None:
            theirs_too = self._taught.attention_of(batch, ids.shape[1])
            related = relation_loss(self._projections.take().float(), theirs_too, mask)
            loss = loss + self._attention * related
        return loss


def _means(states: torch.Tensor, rows: torch.Tensor, count: int) -> torch.Tensor:
    sums = torch.zeros(count, states.shape[1]).index_add(0, rows, states)
    return sums / torch.bincount(rows, minlength=count).unsqueeze(1)
