"""``intentd try``: what a text means, without a daemon and without speech."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import configuration_option

if TYPE_CHECKING:
    from models.domain import Domain
    from models.mobilebert import LanguageModel

_SHOWN = 5
"""Intents that an explanation lists."""


@click.command("try")
@click.argument("text", nargs=-1, required=True)
@configuration_option
@click.option("--explain", is_flag=True, help="Show scores, the tag of each word, the template.")
@click.option("--json", "as_json", is_flag=True, help="Print the event as JSON.")
def try_(text: tuple[str, ...], configuration: str, explain: bool, as_json: bool) -> None:
    """Run TEXT through the understanders of a configuration and show what it means.

    Exit code 1 when it is not understood.
    """
    from models.domain import Domain
    from pipeline.events import IntentEvent, to_json
    from pipeline.loading import find_domain, load_configuration
    from pipeline.rendering import meaning
    from pipeline.text_chain import open_text_chain

    settings = load_configuration(configuration)
    words = " ".join(" ".join(text).lower().split())
    with open_text_chain(settings) as chain:
        event = chain.understand(words)
        if as_json:
            sys.stdout.buffer.write(to_json(event) + b"\n")
        else:
            click.echo(meaning(event))
        if explain:
            for understander in chain.understanders:
                _explain(understander.model, understander.threshold, words)
            if settings.domain is not None:
                _template(Domain.load(find_domain(settings.domain)), words)
    sys.exit(0 if isinstance(event, IntentEvent) else 1)


def _explain(model: LanguageModel, threshold: float, text: str) -> None:
    reading = model.understand(text)
    click.echo(f"\n{model.id}, accepts from {threshold:g}")
    for intent in reading.intents[:_SHOWN]:
        click.echo(f"  {intent.confidence:6.3f}  {intent.name}")
    click.echo(f"  {reading.rejected:6.3f}  out of scope")
    best = reading.intents[0].name if reading.intents else None
    words = model.tagged_words(text, best)
    if words:
        click.echo("words")
    for word in words:
        click.echo(f"  {word.confidence:6.3f}  {text[word.start : word.end]:16} {word.tag}")


def _template(domain: Domain, text: str) -> None:
    found = domain.recognize(text)
    if found is None:
        click.echo("template: none, so these words are the understander's to judge")
        return
    click.echo(f"template: {found.template}  ({found.intent})")
