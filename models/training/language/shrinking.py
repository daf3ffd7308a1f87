"""Int8 where it costs next to nothing, fp32 where it doesn't."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from models.training.language.export import quantise
from models.training.language.labelling import MODEL_FILE
from models.training.language.measures import Measures

ROUNDING = 1e-9


def shrink(
    full: Path,
    folder: Path,
    measure: Callable[[Path], Measures],
    allowed: float,
    report: Callable[[str], None],
    steps: Mapping[str, float] | None = None,
) -> tuple[Measures, bool]:
    """Write the network of ``full`` to ``folder``, as int8 if no measure loses over ``allowed``.

    ``steps`` says what one text is worth in a measure: so much may be lost where it is more than
    ``allowed``, since one text of a hundred says nothing. Weights share a scale by matrix or, if
    that costs too much, by column. Returns the measures of what was written, and whether it is
    int8.
    """
    reference = measure(full)
    for per_channel in (False, True):
        quantise(full / MODEL_FILE, folder / MODEL_FILE, per_channel=per_channel)
        found = measure(folder)
        losses = {name: reference[name] - found[name] for name in reference}
        scales = ", per channel" * per_channel
        report(f"int8{scales}: {describe(found)}; loses {100 * max(losses.values()):.2f}")
        if all(
            loss <= max(allowed, (steps or {}).get(name, 0.0) + ROUNDING)
            for name, loss in losses.items()
        ):
            return found, True
    report(f"int8 loses more than {100 * allowed:g} points: the model stays in fp32")
    shutil.copyfile(full / MODEL_FILE, folder / MODEL_FILE)
    return reference, False


def describe(measures: Mapping[str, float]) -> str:
    """Measures in one line, in percent."""
    return ", ".join(f"{name} {100 * value:.2f}" for name, value in measures.items())
