"""The labels of a new model, and the temperatures that make its confidences mean something."""

from __future__ import annotations

from pathlib import Path
from random import Random

import msgspec

from models.domain import Domain
from models.mobilebert.labels import LABELS_FILE, IntentHead, Labels, SlotsHead
from models.mobilebert.session import EncoderSession
from models.mobilebert.tokens import WordTokenizer
from models.training.language.alignment import OUT_OF_SCOPE, bio_tags, count_transitions
from models.training.language.evaluation import best_temperature
from models.training.language.material import Material

MODEL_FILE = "model.onnx"
MAX_TOKENS = 64
"""Longest text in word pieces; the longest sentences of a domain have about half as many."""

INTENT_OUTPUT = "intent_logits"
SLOTS_OUTPUT = "slot_logits"


def new_labels(name: str, version: str, domain: Domain, material: Material) -> Labels:
    """Labels of a new model, temperatures still 1."""
    return Labels(
        format=1,
        name=name,
        version=version,
        language=domain.language,
        max_tokens=MAX_TOKENS,
        model=MODEL_FILE,
        heads=(
            IntentHead(
                output=INTENT_OUTPUT,
                labels=(*domain.intents, OUT_OF_SCOPE),
                out_of_scope=OUT_OF_SCOPE,
            ),
            SlotsHead(
                output=SLOTS_OUTPUT,
                labels=bio_tags(domain.slots),
                transitions=count_transitions(material.sentences),
            ),
        ),
        intent_slots={name: tuple(sorted(domain.slots_of(name))) for name in domain.intents},
    )


def calibrate(folder: Path, labels: Labels, material: Material, rng: Random) -> Labels:
    """Labels with temperatures that fit the network in ``folder``."""
    tokenizer = WordTokenizer.load(folder, labels.max_tokens)
    intent_head, slots_head = labels.intent_head, labels.slots_head
    assert intent_head is not None
    assert slots_head is not None
    session = EncoderSession(folder / labels.model, [head.output for head in labels.heads])
    intents = {name: index for index, name in enumerate(intent_head.labels)}
    tags = {name: index for index, name in enumerate(slots_head.labels)}
    intent_logits, intent_right, slot_logits, slot_right = [], [], [], []
    for text in material.noised(material.calibration, rng):
        encoding = tokenizer.encode(text.text)
        of_text, of_tokens = session.run(encoding.ids)
        intent_logits.append(of_text)
        intent_right.append(intents[text.intent])
        if text.tags is not None and len(encoding.words) == len(text.words):
            slot_logits += list(of_tokens[encoding.pieces])
            slot_right += [tags[tag] for tag in text.tags]
    return msgspec.structs.replace(
        labels,
        heads=(
            msgspec.structs.replace(
                intent_head, temperature=best_temperature(intent_logits, intent_right)
            ),
            msgspec.structs.replace(
                slots_head, temperature=best_temperature(slot_logits, slot_right)
            ),
        ),
    )


def write_labels(folder: Path, labels: Labels) -> None:
    """Write ``labels.json``."""
    text = msgspec.json.format(msgspec.json.encode(labels), indent=1)
    (folder / LABELS_FILE).write_bytes(text + b"\n")
