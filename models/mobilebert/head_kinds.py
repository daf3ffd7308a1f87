"""The kinds of heads that a language model can have, as ``labels.json`` describes them."""

from __future__ import annotations

from typing import Annotated

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1)]
Temperature = Annotated[float, msgspec.Meta(gt=0.0, le=100.0)]
Size = Annotated[int, msgspec.Meta(ge=1, le=65_536)]


class Head(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """One output of a network."""

    output: Text
    """Name of the output."""


class Scope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an intent head tells what it was made for from what it was not, by energy.

    The energy of a text is the log-sum-exp of its logits (Liu et al. 2020), and it is in scope
    with the probability ``sigmoid((energy - threshold) / scale)``.
    """

    threshold: float
    scale: Annotated[float, msgspec.Meta(gt=0.0)]


class IntentHead(Head, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="intent"):
    """Scores of whole texts of which one is right: an output of shape [batch, labels]."""

    labels: tuple[Text, ...]
    temperature: Temperature = 1.0
    out_of_scope: str | None = None
    """The label, if it has one, of texts that have none of the others."""

    scope: Scope | None = None
    threshold: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] | None = None
    """Confidence from which an intent is worth accepting, where nobody configures another."""


class TopicsHead(Head, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="topics"):
    """Scores of whole texts, any number of them right: an output of shape [batch, labels]."""

    labels: tuple[Text, ...]
    temperature: Temperature = 1.0


class SlotsHead(Head, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="slots"):
    """Scores of BIO tags: an output of shape [batch, tokens, labels]."""

    labels: tuple[Text, ...]
    temperature: Temperature = 1.0
    transitions: dict[str, dict[str, Annotated[int, msgspec.Meta(ge=0)]]] | None = None
    transition_weight: Annotated[float, msgspec.Meta(ge=0.0, le=10.0)] = 0.2
    window: Annotated[int, msgspec.Meta(ge=0, le=8)] = 0
    """For a head over a base: neighbours on either side whose states it sees too."""

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of the slots, in the order of their B- tags."""
        return tuple(label[2:] for label in self.labels if label.startswith("B-"))


class AnswerHead(Head, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="answer"):
    """Where an answer begins and ends: two outputs of shape [batch, tokens]."""

    end_output: Text
    no_answer: bool = False
    """Whether the model was taught to point at [CLS] where the text holds no answer."""

    threshold: float = 0.0
    """Log-odds above which an answer is worth giving."""


class StatesHead(Head, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="states"):
    """States of the tokens: an output of shape [batch, tokens, size]."""

    size: Size


class EmbeddingHead(Head, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="embedding"):
    """A vector for the whole text, of length 1: an output of shape [batch, size]."""

    size: Size


AnyHead = IntentHead | TopicsHead | SlotsHead | AnswerHead | StatesHead | EmbeddingHead
