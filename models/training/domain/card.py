"""The card of a domain's understander."""

from __future__ import annotations

from collections.abc import Mapping

from models.domain import Domain
from models.mobilebert import LanguageModel

CARD = "README.md"

_MADE = {
    "fast": "Two small heads over a frozen base; see the base's card for what that was made from.",
    "full": "A whole encoder, fine-tuned from a base; see the base's card for what that was made "
    "from.",
}


def write_card(
    domain: Domain,
    model: LanguageModel,
    scores: Mapping[str, float],
    counts: tuple[int, int, int],
    mode: str,
) -> str:
    """The text of the card, Markdown; ``counts`` are those of the texts for training, for the
    scores, and outside the domain; ``mode`` is how it was trained."""
    train, held_out, foreign = counts
    slots = len(domain.slots)
    return "\n".join(
        [
            f"# {model.id}",
            "",
            f"Reads the domain `{domain.name}`: {len(domain.intents)} "
            f"intent{'s' * (len(domain.intents) != 1)} and {slots} slot{'s' * (slots != 1)}, "
            f"beside the label for what is out of scope. Language {domain.language}. "
            + _MADE[mode],
            "",
            "## Data",
            "",
            f"{train} texts: sentences sampled from the domain's templates, most of them in other "
            "words, with other values, misheard; and texts outside the domain, made from its "
            "words or taken from the training parts of CLINC150 (Larson et al. 2019, CC BY 3.0) "
            "and HWU64 (Liu et al. 2019, CC BY 4.0).",
            "",
            "## Making",
            "",
            "```",
            f"intentd train {domain.name}" + " --mode full" * (mode == "full"),
            "```",
            "",
            "## Scores",
            "",
            "| texts | number | share |",
            "|---|---|---|",
            f"| held-out sentences: intent right | {held_out} | {_percent(scores['intent'])} |",
            f"| … and every slot right | {held_out} | {_percent(scores['sentence'])} |",
            f"| … intent right and accepted at {scores['threshold']:g} | {held_out} | "
            f"{_percent(scores['accepted'])} |",
            f"| texts outside the domain, wrongly accepted (the threshold was chosen on them) | "
            f"{foreign} | {_percent(scores['false_accepts'])} |",
            "",
        ]
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
