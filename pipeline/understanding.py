"""The stages that understand, as a configuration asks for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.configuration import Configuration, DialogueSection, UnderstanderSection
from pipeline.loading import find_domain
from pipeline.runner import Stage

if TYPE_CHECKING:
    from models.domain import Domain
    from stages.dialogue import Dialogue


def understander_stage(configuration: Configuration, index: int) -> Stage:
    """One understander; the last one with the dialogue behind it, where there is a domain."""
    from stages.understander import Understander

    section = configuration.understanders[index]
    domain = section.domain or configuration.domain
    understander = Understander(
        model=section.model,
        domain=find_domain(domain) if domain else None,
        threshold=section.threshold,
        thresholds=section.thresholds,
        word_confidence=section.word_confidence,
        rerank=section.rerank,
    )
    last = index == len(configuration.understanders) - 1
    if not (domain and last and configuration.dialogue.enabled):
        return understander
    from stages.chain import Chain

    # In the understander's worker: a dialogue needs its domain, and next to no time.
    return Chain(understander, _dialogue(lambda: understander.domain, configuration.dialogue))


def threshold_of(section: UnderstanderSection) -> float:
    """Confidence from which its intents are accepted, where they have no threshold of their own.

    Raises ModelError.
    """
    from models.catalogue import find
    from models.mobilebert.labels import read_labels
    from stages.understander import DEFAULT_THRESHOLD

    if section.threshold is not None:
        return section.threshold
    head = read_labels(find(section.model)).intent_head
    own = head.threshold if head else None
    return DEFAULT_THRESHOLD if own is None else own


def templates_stage(domain: Path, section: DialogueSection) -> Stage:
    """What understands by the templates of ``domain`` alone, with the dialogue behind it."""
    from stages.chain import Chain
    from stages.template_understander import TemplateUnderstander

    templates = TemplateUnderstander(domain)
    return Chain(templates, _dialogue(lambda: templates.domain, section))


def _dialogue(domain: Callable[[], Domain | None], section: DialogueSection) -> Dialogue:
    from stages.dialogue import Dialogue

    return Dialogue(domain, timeout=section.timeout, retries=section.retries, speak=section.speak)
