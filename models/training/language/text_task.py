"""Joint intent and slots, classification and tagging: one network, one loss, three choices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import msgspec
import torch
from torch import nn

from models.errors import ModelError
from models.mobilebert.heads import energy
from models.mobilebert.labels import Head, IntentHead, Labels, SlotsHead, TopicsHead
from models.mobilebert.network import Network
from models.mobilebert.tokens import Encoding, WordTokenizer
from models.training.language.alignment import LabelledText, bio_tags, count_transitions
from models.training.language.batching import pad
from models.training.language.changes import Changes
from models.training.language.distance import Distance, best_weight
from models.training.language.examples import (
    check_known,
    label_set,
    labels_of,
    read_examples,
    slot_set,
)
from models.training.language.labelling import INTENT_OUTPUT, MODEL_FILE, SLOTS_OUTPUT
from models.training.language.measures import Logits, Measures, measure, steps_of
from models.training.language.network import JointNetwork, pooled
from models.training.language.settings import Classify, Joint, Tag
from models.training.language.text_loss import Target, TextLoss

TRANSITION_WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.5)
POOL = 40
"""Batches that are sorted by length together, so that padding is short and order still random."""

PREDICTED = 64
"""Texts in a batch when nothing is learned."""


class TextTask:
    """What the loop needs to train on labelled texts, and what the export needs to know."""

    def __init__(self, settings: Joint | Classify | Tag, tokenizer: WordTokenizer) -> None:
        self._settings = settings
        self._tokenizer = tokenizer
        self._outside = settings.out_of_scope if isinstance(settings, Classify) else None
        self._train = [text for path in settings.train for text in read_examples(path)]
        intents = tuple(n for n in label_set(self._train) if n != self._outside)
        slots = slot_set(self._train)
        with_labels, with_tags = not isinstance(settings, Tag), not isinstance(settings, Classify)
        if with_labels and len(intents) < 2:
            raise ModelError(f"{settings.train[0]}: give texts with at least two labels")
        if with_tags and not slots:
            raise ModelError(f"{settings.train[0]}: give texts with slots")
        outer = (self._outside,) if self._outside else ()
        self._known = (*intents, *outer) if with_labels else (), slots if with_tags else ()
        self.development: list[LabelledText] = []
        for path in settings.development:
            texts = read_examples(path)
            self.check(path, texts)
            self.development += texts
        self._changes = Changes(self._train, settings)
        self.labels = self._new_labels(intents if with_labels else (), slots if with_tags else ())
        text_head = self.labels.text_head
        self._label_index = {n: i for i, n in enumerate(text_head.labels if text_head else ())}
        tags = self.labels.slots_head.labels if self.labels.slots_head else ()
        self._tag_index = {name: i for i, name in enumerate(tags)}
        self._network: JointNetwork | None = None
        self._loss = TextLoss(settings, self.labels)

    def check(self, path: Path, texts: Sequence[LabelledText]) -> None:
        """Raise ModelError for labels that no text for training has."""
        check_known(path, texts, *self._known)

    @property
    def int8_loss(self) -> float:
        """How much of a measure int8 may cost."""
        return self._settings.int8_loss

    @property
    def outputs(self) -> dict[str, bool]:
        """Names of the network's outputs, and whether each has an axis of tokens."""
        return {head.output: isinstance(head, SlotsHead) for head in self.labels.heads}

    def network(self, encoder: nn.Module) -> JointNetwork:
        """The encoder with the heads of this task."""
        self._network = JointNetwork(encoder, len(self._label_index), len(self._tag_index))
        return self._network

    def batches(self, epoch: int, rng: Random) -> list[list[Target]]:
        """Batches of an epoch, of texts of about the same length, changed anew."""
        del epoch
        targets = [self._target(self._changes(text, rng)) for text in self._train]
        rng.shuffle(targets)
        size, found = self._settings.batch, []
        for start in range(0, len(targets), size * POOL):
            pool = sorted(targets[start : start + size * POOL], key=lambda t: len(t.ids))
            found += [pool[at : at + size] for at in range(0, len(pool), size)]
        rng.shuffle(found)
        return found

    def loss(self, batch: Sequence[Target]) -> torch.Tensor:
        """Distance from the labels and from the teacher of a batch."""
        assert self._network is not None
        return self._loss(self._network, batch)

    def score(self) -> float:
        """What the best epoch is chosen by: the mean of the measures of the development part."""
        measures = self.measures(self.development, self.predict(self.development))
        kept = [value for name, value in measures.items() if name != "out-of-scope recall"]
        return sum(kept) / len(kept)

    def measures(self, texts: Sequence[LabelledText], found: Sequence[Logits]) -> Measures:
        """Scores by name."""
        return measure(self.labels, texts, found, self._outside)

    @property
    def steps(self) -> Measures:
        """What one text of the development part is worth in a measure, by name."""
        return steps_of(self.development, self._outside)

    def predict(self, texts: Sequence[LabelledText]) -> list[Logits]:
        """What the network in PyTorch says, in fp32."""
        assert self._network is not None
        encodings = [self._tokenizer.encode(text.text) for text in texts]
        found: dict[int, Logits] = {}
        training = self._network.training
        self._network.eval()
        for chunk, ids, mask in _chunks(encodings):
            with torch.no_grad():
                outputs = [output.numpy() for output in self._network(ids, mask)]
            for row, i in enumerate(chunk):
                rows = [output[row] for output in outputs]
                whole = rows.pop(0) if self._label_index else None
                words = rows[0][encodings[i].pieces] if rows else None
                found[i] = Logits(encodings[i], whole, words)
        self._network.train(training)
        return [found[i] for i in range(len(texts))]

    def add_distance(self) -> float:
        """Let the distance from the training texts count in scope; returns its weight.

        0.0, and nothing changes, where nothing is out of scope or it does not help.
        """
        network = self._network
        if network is None or self._outside is None:
            return 0.0
        inner = [text for text in self._train if text.intent in self._label_index]
        labels = torch.tensor([self._label_index[text.intent] for text in inner])
        distance = Distance(self._states(inner), labels)
        with torch.no_grad():
            far = distance(self._states(self.development))[:, 0].tolist()
        energies = [
            energy(found.whole)
            for found in self.predict(self.development)
            if found.whole is not None
        ]
        distance.weight = best_weight(energies, far, self.development, self._outside)
        network.distance = distance if distance.weight else None
        return distance.weight

    def _states(self, texts: Sequence[LabelledText]) -> torch.Tensor:
        """What the text head sees, float32 [texts, size]."""
        assert self._network is not None
        self._network.eval()
        encodings = [self._tokenizer.encode(text.text) for text in texts]
        found: dict[int, torch.Tensor] = {}
        for chunk, ids, mask in _chunks(encodings):
            with torch.no_grad():
                states = self._network.encoder(input_ids=ids, attention_mask=mask)
            found |= dict(zip(chunk, pooled(states.last_hidden_state, mask), strict=True))
        return torch.stack([found[i] for i in range(len(texts))])

    def run(self, network: Network, texts: Sequence[LabelledText]) -> list[Logits]:
        """What a model folder says, text by text as the daemon would ask."""
        found = []
        head = self.labels.text_head
        tagger = self.labels.slots_head
        for text in texts:
            encoding = network.tokenizer.encode(text.text)
            outputs = network.run(encoding)
            whole = outputs[head.output] if head else None
            found.append(Logits(encoding, whole, outputs[tagger.output] if tagger else None))
        return found

    def choose_transitions(self, found: Sequence[Logits]) -> Labels:
        """Give the tagger the weight of transitions that is best on the development part."""
        tagger = self.labels.slots_head
        if tagger is None:
            return self.labels
        best = -1.0
        for weight in TRANSITION_WEIGHTS:
            head = msgspec.structs.replace(tagger, transition_weight=weight)
            heads = tuple(head if isinstance(h, SlotsHead) else h for h in self.labels.heads)
            labels = msgspec.structs.replace(self.labels, heads=heads)
            score = measure(labels, self.development, found)["slot F1"]
            if score > best:
                best, chosen = score, labels
        self.labels = chosen
        return chosen

    def _target(self, text: LabelledText) -> Target:
        encoding = self._tokenizer.encode(text.text)
        labels = tuple(self._label_index[n] for n in labels_of(text) if n in self._label_index)
        pieces: list[int] = []
        tags: list[int] = []
        first: list[int] = []
        if text.tags is not None and self._tag_index:
            # Words that vanish in the tokenizer or behind its limit have no tag to learn.
            starts, at = {}, 0
            for number, word in enumerate(text.words):
                starts[at] = number
                at += len(word) + 1
            for (start, _), piece in zip(encoding.words, encoding.pieces, strict=True):
                pieces.append(int(piece))
                first.append(start)
                tags.append(self._tag_index[text.tags[starts[start]]])
        return Target(
            tuple(encoding.ids.tolist()),
            labels,
            tuple(pieces),
            tuple(tags),
            text.text,
            tuple(first),
        )

    def _new_labels(self, intents: Sequence[str], slots: Sequence[str]) -> Labels:
        settings = self._settings
        heads: list[Head] = []
        if intents and isinstance(settings, Classify) and settings.several:
            heads.append(TopicsHead(output=INTENT_OUTPUT, labels=tuple(intents)))
        elif intents:
            heads.append(IntentHead(output=INTENT_OUTPUT, labels=tuple(intents)))
        if slots:
            heads.append(
                SlotsHead(
                    output=SLOTS_OUTPUT,
                    labels=bio_tags(slots),
                    transitions=count_transitions(self._train),
                )
            )
        allowed: dict[str, set[str]] = {name: set() for name in intents}
        for text in self._train:
            if intents and slots:
                allowed[text.intent] |= {tag[2:] for tag in text.tags or () if tag != "O"}
        return Labels(
            format=1,
            name=settings.name,
            version=settings.version,
            language=settings.language,
            max_tokens=settings.max_tokens,
            model=MODEL_FILE,
            heads=tuple(heads),  # type: ignore[arg-type]
            intent_slots=(
                {name: tuple(sorted(names)) for name, names in allowed.items()}
                if intents and slots
                else None
            ),
        )


def _chunks(
    encodings: Sequence[Encoding],
) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """Which of the texts, their ids and their mask, texts of about the same length together."""
    order = sorted(range(len(encodings)), key=lambda i: len(encodings[i].ids))
    for at in range(0, len(order), PREDICTED):
        chunk = order[at : at + PREDICTED]
        yield chunk, *pad([encodings[i].ids.tolist() for i in chunk])
