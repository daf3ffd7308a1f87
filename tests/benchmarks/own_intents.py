"""How well a trained `home` reads templates, paraphrases and foreign texts.

``python -m tests.benchmarks.own_intents MODEL [--clinc data_full.json]``: MODEL is the folder of
an understander. CLINC150's test part of out-of-scope texts was used for nothing else.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from models.domain import Domain
from models.mobilebert import LanguageModel

ROOT = Path(__file__).resolve().parents[2]
SENTENCES = 1500
SEED = 987_654
"""Not a seed that was trained with."""

RECALL = 0.95


@click.command()
@click.argument("model", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--clinc", type=click.Path(exists=True, path_type=Path), help="data_full.json.")
def main(model: Path, clinc: Path | None) -> None:
    """Print the figures of docs/own-intents.md."""
    loaded = LanguageModel.load(model)
    threshold = 0.6 if loaded.threshold is None else loaded.threshold
    home = Domain.load(ROOT / "configs" / "domains" / "home.yaml")
    sure = _templates(loaded, home, threshold)
    _paraphrases(loaded, threshold)
    if clinc is not None:
        texts = [text for text, _ in json.loads(clinc.read_text(encoding="utf-8"))["oos_test"]]
        found = [loaded.understand(text).intents[0].confidence for text in texts]
        for name, level in (("its own threshold", threshold), (f"recall {RECALL:g}", sure)):
            share = sum(confidence >= level for confidence in found) / len(found)
            click.echo(f"CLINC150, out of scope, accepted at {name} ({level:.2f}): {share:.1%}")


def _templates(model: LanguageModel, home: Domain, threshold: float) -> float:
    """Print how sentences of the templates are read; returns the threshold at the recall."""
    intents = slots = 0
    sure = []
    for example in home.sample(SENTENCES, SEED):
        reading = model.understand(example.text)
        best = reading.intents[0]
        right = best.name == example.intent
        intents += right
        wanted = {(slot.name, slot.start, slot.end) for slot in example.slots}
        slots += {(slot.name, slot.start, slot.end) for slot in reading.slots} == wanted
        sure.append(best.confidence if right else 0.0)
    sure.sort()
    accepted = sum(confidence >= threshold for confidence in sure)
    click.echo(
        f"templates, {SENTENCES} fresh sentences: intent {intents / SENTENCES:.1%}, "
        f"all slots {slots / SENTENCES:.1%}, accepted {accepted / SENTENCES:.1%}"
    )
    return sure[int((1 - RECALL) * len(sure))]


def _paraphrases(model: LanguageModel, threshold: float) -> None:
    path = ROOT / "tests" / "data" / "home_paraphrases.ndjson"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    intents = whole = accepted = 0
    for row in rows:
        reading = model.understand(row["text"])
        best = reading.intents[0]
        right = best.name == row["intent"]
        found = {slot.name: row["text"][slot.start : slot.end] for slot in reading.slots}
        intents += right
        whole += right and found == row["slots"]
        accepted += right and best.confidence >= threshold
    click.echo(
        f"paraphrases, {len(rows)}: intent {intents / len(rows):.1%}, with all slots "
        f"{whole / len(rows):.1%}, accepted {accepted / len(rows):.1%}"
    )


if __name__ == "__main__":
    main()
