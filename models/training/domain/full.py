"""Full mode: the whole encoder is fine-tuned, with the extra ``train``."""

from __future__ import annotations

import shutil
from pathlib import Path

from models.errors import ModelError
from models.training.domain.fast import model_name

EXAMPLES = 8000
EPOCHS = 4
THRESHOLD = 0.6


def train_full(
    domain: Path, base: Path, folder: Path, *, number: int, seed: int, jobs: int
) -> None:
    """Fine-tune ``base`` for a domain and write the model to ``folder``.

    Raises ModelError where PyTorch is missing or the base holds no weights to train.
    """
    try:
        import torch  # noqa: F401
        import transformers  # noqa: F401

        from models.training.language.train_domain import Trainer
    except ModuleNotFoundError as error:
        raise ModelError(
            f"full mode needs the package {error.name}: pip install 'intentd[train]', or take "
            "--mode fast"
        ) from None
    out = folder.parent / f"{folder.name}-full"
    shutil.rmtree(out, ignore_errors=True)
    Trainer(
        {
            "domain": domain,
            "base": base,
            "out": out,
            "name": model_name(domain.stem if domain.is_file() else domain.name),
            "corpora": (),
            "paraphrases": None,
            "examples": EXAMPLES,
            "outside": 0.8,
            "epochs": EPOCHS,
            "batch": 48,
            "seed": seed,
            "threads": jobs,
            "threshold": THRESHOLD,
            "model_version": str(number),
        }
    ).run()
    for path in out.iterdir():
        path.rename(folder / path.name)
    out.rmdir()
