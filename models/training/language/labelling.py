"""Names in a new model's folder, and its labels."""

from __future__ import annotations

from pathlib import Path

import msgspec

from models.mobilebert.labels import LABELS_FILE, Labels

MODEL_FILE = "model.onnx"
INTENT_OUTPUT = "intent_logits"
SLOTS_OUTPUT = "slot_logits"


def write_labels(folder: Path, labels: Labels) -> None:
    """Write ``labels.json``."""
    text = msgspec.json.format(msgspec.json.encode(labels), indent=1)
    (folder / LABELS_FILE).write_bytes(text + b"\n")
