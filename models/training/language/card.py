"""The model card: what a model was made from, how, and how well it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.domain import Domain
from models.training.language.evaluation import Scores

CORPORA = {
    "clinc150": "CLINC150 (Larson et al. 2019), CC BY 3.0",
    "hwu64": "HWU64, fold 1, training part (Liu et al. 2019), CC BY 4.0",
    "slurp": "SLURP, devel part, text alone (Bastianelli et al. 2020), CC BY 4.0",
    "snips": "SNIPS custom intent engines 2017-06 (Coucke et al. 2018), CC0",
}
BASE = (
    "The base is a 6-layer MobileBERT (Sun et al. 2020) with layer norm, distilled from the token "
    "states of all-MiniLM-L6-v2 (Apache 2.0) on SNIPS (CC0), HWU64 and SLURP text (CC BY 4.0) and "
    "CLINC150 (CC BY 3.0). Its vocabulary is BERT's (Google, Apache 2.0)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a card says."""

    name: str
    version: str
    domain: Domain
    command: str
    corpora: frozenset[str]
    """Names of the corpora that were used."""

    examples: int
    epochs: int
    outside_per_inside: float
    threshold: float
    size: int
    """Bytes of the network."""

    milliseconds: float
    """Median time of one text of 16 word pieces."""

    scores: Mapping[str, Scores]
    """By what was read: ``held-out sentences``."""

    full: Mapping[str, Scores]
    """The same, for the network before it became int8."""

    accepted: Mapping[str, tuple[int, float]]
    """Number of texts outside the domain and share accepted, by what was read."""


def write_card(facts: Facts) -> str:
    """The text of the card, Markdown."""
    corpora = [f"- {CORPORA[name]}" for name in sorted(facts.corpora) if name in CORPORA]
    return "\n".join(
        [
            f"# {facts.name}",
            "",
            f"Reads the domain `{facts.domain.name}`: {len(facts.domain.intents)} "
            f"intent{'s' * (len(facts.domain.intents) > 1)} and {len(facts.domain.slots)} slots, "
            f"beside the label for what is out of scope. Version {facts.version}, language "
            f"{facts.domain.language}, {facts.size / 1e6:.1f} MB int8 (dynamic quantisation), "
            f"{facts.milliseconds:.1f} ms for 16 word pieces on one thread of the machine it was "
            "made on.",
            "",
            "## Data",
            "",
            f"Per epoch {facts.examples} sentences sampled from the domain's own templates, half "
            "of them changed as a recogniser and a hesitating speaker change them, and "
            f"{facts.outside_per_inside:g} times as many texts outside the domain: requests from "
            "the corpora below, the same with unknown words and with slots of the domain in them, "
            "fragments, shuffled sentences and random words. Requests of the corpora that belong "
            "to the domain are left out or, where their intent is known, used as examples of it.",
            "",
            *corpora,
            "",
            BASE,
            "",
            "## Making",
            "",
            "```",
            facts.command,
            "```",
            "",
            "BASE is the folder of the base; CORPORA is what the module `corpora` beside the "
            "command writes from the corpora above.",
            "",
            f"{facts.epochs} epochs; intents and slots jointly; temperatures fitted to the int8 "
            "network on texts that neither training nor the scores below use.",
            "",
            "## Scores",
            "",
            f'"Accepted" means the right intent with a confidence of at least {facts.threshold:g}.',
            "",
            "| texts | number | intent | slot F1 | sentence | accepted |",
            "|---|---|---|---|---|---|",
            *(_row(name, scores) for name, scores in facts.scores.items()),
            *(_row(f"{name}, before int8", scores) for name, scores in facts.full.items()),
            "",
            "| texts outside the domain | number | wrongly accepted |",
            "|---|---|---|",
            *(
                f"| {name} | {count} | {100 * share:.1f} % |"
                for name, (count, share) in facts.accepted.items()
            ),
            "",
        ]
    )


def _row(name: str, scores: Scores) -> str:
    numbers = (scores.intent, scores.slot_f1, scores.sentence, scores.accepted)
    cells = ["–" if number is None else f"{100 * number:.1f} %" for number in numbers]
    return f"| {name} | {scores.count} | {' | '.join(cells)} |"
