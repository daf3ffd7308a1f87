"""A trained understander as a model folder that can be shipped, several over one base."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from models.errors import ModelError
from models.mobilebert.labels import LABELS_FILE, read_labels
from models.mobilebert.small_heads import HEADS_FILE

CARD = "README.md"


def export_model(version: Path, target: Path, base: Path) -> None:
    """Write the heads of ``version`` to ``target``, over the installed ``base`` by its id.

    The model's name is that of the folder; its version counts up if a model is there already.
    Raises ModelError for a version without heads of its own, or where it can't be written.
    """
    labels = read_labels(version)
    if labels.base is None:
        raise ModelError(f"{version} is a whole network, not heads over a base: copy it as it is")
    number = 1
    if (target / LABELS_FILE).is_file():
        number = int(read_labels(target).version) + 1
    shared = msgspec.structs.replace(
        labels, name=target.name, version=str(number), base=read_labels(base).id
    )
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in ("model.onnx", "tokenizer.json"):
            (target / name).unlink(missing_ok=True)
        shutil.copyfile(version / HEADS_FILE, target / HEADS_FILE)
        card = (version / CARD).read_text(encoding="utf-8")
        (target / CARD).write_text(card.replace(f"# {labels.id}", f"# {target.name}", 1))
        text = msgspec.json.format(msgspec.json.encode(shared), indent=1)
        (target / LABELS_FILE).write_bytes(text + b"\n")
    except OSError as error:
        raise ModelError(f"{target} can't be written: {error.strerror}") from None
