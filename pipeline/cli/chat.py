"""``intentd chat``: the dialogue as text on the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.cli.options import configuration_option

if TYPE_CHECKING:
    from pipeline.events import Event
    from pipeline.runner import Stage
    from stages.messages import Transcript


@click.command()
@configuration_option
@click.option("--json", "as_json", is_flag=True, help="Print every event as JSON, one a line.")
@click.option("--speak", is_flag=True, help="Say questions and replies, as dialogue.speak tells.")
def chat(configuration: str, as_json: bool, speak: bool) -> None:
    """Type what would be said; read what is understood, asked and answered.

    -c also takes a domain (a file or a folder), which is then understood by its templates alone,
    without any model. The end of the input (Ctrl-D) ends it.
    """
    from pipeline.event_maker import EventMaker
    from pipeline.events import to_json

    stage = _stage(configuration, speak)
    maker = EventMaker(understands=True)
    messages = list(stage.open())
    try:
        for number, text in enumerate(_lines(), start=1):
            messages += stage.process(_as_heard(number, text))
            for event in (event for message in messages for event in maker.events(message)):
                line = to_json(event).decode() if as_json else _line(event)
                if line:
                    click.echo(line)
            messages = []
    finally:
        stage.close()


def _stage(name: str, speak: bool) -> Stage:
    """All understanders of a configuration, or the templates of a domain; and the dialogue."""
    import msgspec

    from models.errors import ConfigurationError
    from pipeline.configuration import DialogueSection
    from pipeline.loading import find_domain, load_configuration
    from pipeline.understanding import templates_stage, understander_stage
    from stages.chain import Chain

    if _is_domain(name):
        return templates_stage(Path(name), DialogueSection())
    settings = load_configuration(name)
    if not speak:
        dialogue = msgspec.structs.replace(settings.dialogue, speak=())
        settings = msgspec.structs.replace(settings, dialogue=dialogue)
    if settings.understanders:
        count = len(settings.understanders)
        return Chain(*(understander_stage(settings, index) for index in range(count)))
    if settings.domain is None:
        raise ConfigurationError(
            f"{name}: understanders: there are none, and no domain whose templates would do"
        )
    return templates_stage(find_domain(settings.domain), settings.dialogue)


def _is_domain(name: str) -> bool:
    """A folder, or a YAML file with intents."""
    import yaml

    path = Path(name)
    if path.is_dir():
        return True
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return False  # what is wrong with it is told when it is loaded
    return isinstance(data, dict) and "intents" in data


def _lines() -> Iterator[str]:
    """What is typed, in lower case, without punctuation around words."""
    prompt = sys.stdin.isatty()
    while True:
        if prompt:
            click.echo("> ", nl=False)
        line = sys.stdin.readline()
        if not line:
            return
        words = (word.strip(",.!?;") for word in line.lower().split())
        text = " ".join(word for word in words if word)
        if text:
            yield text


def _as_heard(number: int, text: str) -> Transcript:
    from ulid import ULID

    from stages.messages import Span, Transcript

    return Transcript(
        source="chat",
        stream="chat",
        id=str(ULID()),
        text=text,
        speech=Span(start=0.0, end=0.0),
        position=number,
        captured=time.time(),
        decided=time.monotonic(),
        simulated=True,
    )


def _line(event: Event) -> str:
    """What a person wants to see of an event; "" for nothing."""
    from pipeline.events import (
        CancelledEvent,
        IntentEvent,
        NotRecognizedEvent,
        QuestionEvent,
        ReplyEvent,
        TranscriptEvent,
    )
    from pipeline.rendering import meaning, one_line

    match event:
        case TranscriptEvent():
            return ""
        case QuestionEvent():
            return click.style(f"? {event.question.text}", fg="yellow")
        case ReplyEvent():
            return click.style(f"< {event.text}", fg="yellow")
        case CancelledEvent():
            return click.style(f"  {event.intent} is off: {event.reason}", dim=True)
        case IntentEvent() | NotRecognizedEvent():
            return f"  {meaning(event)}"
        case _:
            return one_line(event)
