"""A model folder opened: labels, tokenizer and network, checked against each other.

The network is either one of its own, or a base that several models share with small heads over
it. Either way its outputs come by the name that the head gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.catalogue import find
from models.errors import ModelError
from models.mobilebert.encoder import Encoder
from models.mobilebert.labels import (
    LABELS_FILE,
    AnswerHead,
    EmbeddingHead,
    Head,
    IntentHead,
    Labels,
    SlotsHead,
    StatesHead,
    TopicsHead,
    read_labels,
)
from models.mobilebert.session import EncoderSession
from models.mobilebert.small_heads import (
    HEADS_FILE,
    SmallHead,
    read_heads,
    text_features,
    word_features,
)
from models.mobilebert.tokens import Encoding, WordTokenizer

Outputs = Mapping[str, npt.NDArray[np.float32]]
"""By name of the output: for a text [labels], for words [words, labels], for tokens [tokens]."""


class Network:
    """Runs one text at a time. Not for use by several threads at once."""

    def __init__(self, labels: Labels, tokenizer: WordTokenizer) -> None:
        self.labels = labels
        self.tokenizer = tokenizer

    @staticmethod
    def load(folder: Path, *, threads: int = 1) -> Network:
        """Open the model folder ``folder``; its layout is described in ``models.mobilebert``.

        ``threads`` is the number of threads that onnxruntime may use for one text. Raises
        ModelError, naming the file at fault, where a file is missing or malformed or the parts do
        not fit each other.
        """
        if not folder.is_dir():
            raise ModelError(
                f"{folder} is missing: a language model is a folder with model, tokenizer and "
                "labels"
            )
        labels = read_labels(folder)
        if labels.base is not None:
            return _open_over_base(folder, labels, labels.base, threads)
        tokenizer = WordTokenizer.load(folder, labels.max_tokens)
        names = [name for head in labels.heads for name in _names(head)]
        session = EncoderSession(folder / labels.model, names, threads=threads)
        session.probe(
            tokenizer.largest_id,
            labels.max_tokens,
            [_shape(head, labels.max_tokens) for head in labels.heads for _ in _names(head)],
            folder / LABELS_FILE,
        )
        return _OwnNetwork(labels, tokenizer, session, names)

    def run(self, encoding: Encoding) -> Outputs:
        """All outputs for one text."""
        raise NotImplementedError

    def run_ids(
        self, ids: npt.NDArray[np.int64], types: npt.NDArray[np.int64] | None = None
    ) -> Outputs:
        """All outputs for token ids [tokens], and which of two texts each belongs to.

        Raises ModelError for a model over a base, whose heads need words.
        """
        del ids, types
        raise ModelError(f"{self.labels.id} stands over a base: it reads no pairs of texts")


class _OwnNetwork(Network):
    """An ONNX file with its heads in it."""

    def __init__(
        self, labels: Labels, tokenizer: WordTokenizer, session: EncoderSession, names: list[str]
    ) -> None:
        super().__init__(labels, tokenizer)
        self._session = session
        self._names = names
        self._tagger = labels.slots_head

    def run_ids(
        self, ids: npt.NDArray[np.int64], types: npt.NDArray[np.int64] | None = None
    ) -> Outputs:
        return dict(zip(self._names, self._session.run(ids, types), strict=True))

    def run(self, encoding: Encoding) -> Outputs:
        outputs = dict(self.run_ids(encoding.ids))
        if self._tagger:
            outputs[self._tagger.output] = outputs[self._tagger.output][encoding.pieces]
        return outputs


class _HeadsOverBase(Network):
    """A base and small heads."""

    def __init__(self, labels: Labels, base: Encoder, heads: Mapping[str, SmallHead]) -> None:
        super().__init__(labels, base.tokenizer.limited(labels.max_tokens))
        self._base = base
        self._heads = [(head, heads[head.output]) for head in labels.heads]

    def run(self, encoding: Encoding) -> Outputs:
        states, embedding = self._base.session.run(encoding.ids)
        outputs = {}
        for head, small in self._heads:
            if isinstance(head, SlotsHead):
                outputs[head.output] = small(word_features(states, encoding, head.window))
            else:
                outputs[head.output] = small(text_features(states, embedding))
        return outputs


def _open_over_base(folder: Path, labels: Labels, base: str, threads: int) -> Network:
    name = base.partition("@")[0]
    beside = folder.parent / name
    encoder = Encoder.load(beside if beside.is_dir() else find(name), threads=threads)
    if base not in (name, encoder.id):
        raise ModelError(
            f"{folder / LABELS_FILE}: the heads were made for {base}, but {encoder.id} is here: "
            "train them anew, or get that base"
        )
    if labels.max_tokens > encoder.max_tokens:
        raise ModelError(
            f"{folder / LABELS_FILE}: max_tokens is {labels.max_tokens}, but {encoder.id} takes "
            f"{encoder.max_tokens}: lower it"
        )
    heads = read_heads(folder, [head.output for head in labels.heads])
    for head in labels.heads:
        small = heads[head.output]
        inputs = 2 * encoder.size + encoder.vector_size
        if isinstance(head, SlotsHead):
            inputs = (2 * head.window + 1) * encoder.size
        wanted = _shape(head, 1)[-1]
        if (small.inputs, small.outputs) != (inputs, wanted):
            raise ModelError(
                f'{folder / HEADS_FILE}: "{head.output}" takes {small.inputs} values and makes '
                f"{small.outputs}, but {encoder.id} and the labels ask for {inputs} and {wanted}: "
                "the heads are of another base or other labels; train them anew"
            )
    return _HeadsOverBase(labels, encoder, heads)


def _names(head: Head) -> tuple[str, ...]:
    return (head.output, head.end_output) if isinstance(head, AnswerHead) else (head.output,)


def _shape(head: Head, tokens: int) -> tuple[int, ...]:
    match head:
        case IntentHead() | TopicsHead():
            return (len(head.labels),)
        case SlotsHead():
            return (tokens, len(head.labels))
        case StatesHead():
            return (tokens, head.size)
        case EmbeddingHead():
            return (head.size,)
        case _:
            return (tokens,)
