"""A trained understander as a model folder that can be shipped, several over one base."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from models.errors import ModelError
from models.mobilebert.labels import LABELS_FILE, read_labels
from models.mobilebert.small_heads import HEADS_FILE
from models.mobilebert.tokens import TOKENIZER_FILE
from models.training.domain.card import CARD
from models.training.language.labelling import write_labels


def export_model(version: Path, target: Path, base: Path) -> None:
    """Write what ``version`` holds to ``target``: a network, or heads over ``base`` by its id.

    The model's name is that of the folder; its version counts up if a model is there already.
    Raises ModelError where it can't be written.
    """
    labels = read_labels(version)
    number = 1
    if (target / LABELS_FILE).is_file():
        number = int(read_labels(target).version) + 1
    whole = labels.base is None
    shared = msgspec.structs.replace(
        labels,
        name=target.name,
        version=str(number),
        base=None if whole else read_labels(base).id,
    )
    files = (labels.model, TOKENIZER_FILE) if whole else (HEADS_FILE,)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name in {labels.model, TOKENIZER_FILE, HEADS_FILE}:
            (target / name).unlink(missing_ok=True)
        for name in files:
            shutil.copyfile(version / name, target / name)
        card = (version / CARD).read_text(encoding="utf-8")
        (target / CARD).write_text(card.replace(f"# {labels.id}", f"# {target.name}", 1))
        write_labels(target, shared)
    except OSError as error:
        raise ModelError(f"{target} can't be written: {error.strerror}") from None
