"""``intentd check``: is everything there that a configuration needs?"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from models.errors import ConfigurationError, IntentdError, ModelError, TransportError
from pipeline.cli.options import configuration_option
from pipeline.configuration import (
    AnswerSection,
    Configuration,
    EntitiesSection,
    MicrophoneSection,
    TopicsSection,
)


@click.command()
@configuration_option
@click.option(
    "--no-microphone", is_flag=True, help="Leave the microphones out, as on a build machine."
)
def check(configuration: str, no_microphone: bool) -> None:
    """Check configuration, models, words, sockets and microphones, a line for each.

    The first lines are what a bug report needs; there is nothing secret in them. Exit code 2 when
    something is missing or broken.
    """
    from pipeline.cli.facts import facts
    from pipeline.loading import load_configuration

    for name, text in facts():
        click.echo(f"{click.style('info', fg='blue')}   {name}: {text}")
    report = _Report()
    settings = report.run("configuration", lambda: load_configuration(configuration))
    if settings is None:
        sys.exit(2)
    report.run("sockets", lambda: _check_sockets(settings))
    if settings.domain is not None:
        report.run("domain", lambda: _check_domain(settings))
    report.run("speech model", lambda: check_speech(settings))
    for index, _ in enumerate(settings.understanders):
        report.run(f"language model {index + 1}", partial(check_language, settings, index))
    for section in settings.annotators:
        report.run(str(section.__struct_config__.tag), partial(check_annotator, section))
    if not no_microphone:
        for source in settings.sources:
            if isinstance(source, MicrophoneSection):
                report.run(f"microphone {source.name}", partial(_check_level, source))
    sys.exit(2 if report.failed else 0)


class _Report:
    """Runs checks and prints a line for each."""

    def __init__(self) -> None:
        self.failed = False

    def run(self, name: str, what: Callable[[], object]) -> Configuration | None:
        try:
            result = what()
        except IntentdError as error:
            self.failed = True
            click.echo(f"{click.style('fails', fg='red')}  {name}: {error.message}")
            return None
        note = f": {result}" if isinstance(result, str) else ""
        click.echo(f"{click.style('ok', fg='green')}     {name}{note}")
        return result if isinstance(result, Configuration) else None


def _check_sockets(settings: Configuration) -> str:
    import zmq

    from pipeline.addresses import SocketDirectory, default_directory
    from pipeline.security.door import Door
    from pipeline.transport import Context, make_socket

    directory = default_directory()
    try:
        with SocketDirectory(directory):
            pass
    except TransportError as error:
        if error.code == "already-running":
            return f"{directory}, in use by the intentd that runs now"
        raise
    with SocketDirectory(directory):
        context: Context = zmq.Context()
        socket = make_socket(context, zmq.XPUB)
        door = Door(socket, context, settings.security, "events")
        try:
            door.bind(settings.publisher.endpoints)
        finally:
            socket.disable_monitor()
            socket.close()
            door.close()
            context.term()
    return str(directory)


def _check_domain(settings: Configuration) -> str:
    from models.domain import Domain
    from pipeline.loading import find_domain
    from stages.speaker import find_program

    assert settings.domain is not None
    domain = Domain.load(find_domain(settings.domain))
    if domain.talks and settings.dialogue.enabled and settings.dialogue.speak:
        find_program(settings.dialogue.speak)
    counts = f"{domain.name}, {len(domain.intents)} intents, {len(domain.templates)} templates"
    written = f"; only written: {', '.join(domain.unspoken)}" if domain.unspoken else ""
    return f"{counts}{written}"


def check_speech(settings: Configuration) -> str:
    from models.domain import Domain
    from models.suppression import strength_of
    from models.vosk.recogniser import SpeechModel
    from pipeline.loading import find_domain
    from stages.transcriber import assemble_model

    section = settings.transcriber
    folder = assemble_model(
        section.model,
        section.grammar,
        beam=section.beam,
        grammar_weight=section.grammar_weight,
    )
    model = SpeechModel(folder, name=section.model)
    strength = strength_of(section.noise_suppression)
    noise = f"noise suppressed ({strength:g})" if strength else "noise is not suppressed"
    found = f"{model.id}, {noise}"
    if settings.domain is None:
        return found
    missing = model.missing(Domain.load(find_domain(settings.domain)).words())
    if missing and section.grammar not in ("none", "auto"):
        raise ModelError(
            f"{model.id} lacks these words of domain {settings.domain}: {', '.join(missing)}; "
            "say them otherwise in the domain, or choose a larger model"
        )
    return found


def check_language(settings: Configuration, index: int) -> str:
    from models.catalogue import find
    from models.mobilebert import LanguageModel
    from pipeline.loading import find_domain

    section = settings.understanders[index]
    model = LanguageModel.load(find(section.model))
    model.warm_up()
    domain = section.domain or settings.domain
    if domain is not None and (Path(section.model) / "trained.json").is_file():
        _check_fresh(Path(section.model), domain)
    if domain is not None:
        find_domain(domain)
    unknown = sorted(set(section.thresholds) - set(model.intents))
    if unknown:
        raise ConfigurationError(
            f"understanders[{index}].thresholds: {model.id} has no intent {unknown[0]}"
        )
    return model.id


def check_annotator(section: TopicsSection | EntitiesSection | AnswerSection) -> str:
    from pipeline.worker import make_annotator

    stage = make_annotator(section)
    stage.open()
    stage.close()
    return section.model


def _check_fresh(version: Path, domain: str) -> None:
    """Raises ModelError if the domain's file is not what the version was trained from."""
    from models.catalogue.trained import Trained
    from models.training.domain.recipe import content_hash
    from pipeline.loading import find_domain

    facts = Trained(version.parent).facts()
    if facts is not None and facts.content != content_hash(find_domain(domain)):
        raise ModelError(
            f"{domain} was changed after {version} was trained from it: run `intentd train "
            f"{domain}`"
        )


def _check_level(source: MicrophoneSection) -> str:
    from stages.sources.level import measure_level

    level = measure_level(source.device, 1.0)
    hint = "; it seems to be muted" if level < -80 else ""
    return f"{level:.0f} dBFS over one second{hint}"
