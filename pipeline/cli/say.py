"""``intentd say``: text as if it had been heard."""

from __future__ import annotations

import sys
import time

import click

from models.errors import TransportError
from pipeline.events import Event, IntentEvent, NotRecognizedEvent, QuestionEvent, UtteranceEvent


@click.command()
@click.argument("text", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print the event as JSON.")
@click.option(
    "--timeout", default=5.0, show_default=True, help="Seconds to wait for what is understood."
)
def say(text: tuple[str, ...], as_json: bool, timeout: float) -> None:
    """Inject TEXT into the running daemon as if it had been heard.

    Its event is marked "simulated": true, goes to all subscribers, and is printed here.
    """
    from pipeline.addresses import default_directory, events_endpoint
    from pipeline.client import Subscriber
    from pipeline.commands import Say, ask
    from pipeline.events import to_json
    from pipeline.rendering import meaning

    directory = default_directory()
    with Subscriber(endpoint=events_endpoint(directory)) as subscriber:
        subscriber.wait_connected(1.0)
        # The subscription is at the daemon as soon as its last state has come back.
        subscriber.receive(1.0)
        reply = ask(Say(text=" ".join(text)), directory)
        event = _wait_for(subscriber, str(reply.id), timeout)
    if as_json:
        sys.stdout.buffer.write(to_json(event) + b"\n")
    else:
        assert isinstance(event, UtteranceEvent)
        click.echo(meaning(event))


def _wait_for(subscriber: object, identity: str, timeout: float) -> Event:
    from pipeline.client import Subscriber

    assert isinstance(subscriber, Subscriber)
    deadline = time.monotonic() + timeout
    transcript: Event | None = None
    while (left := deadline - time.monotonic()) > 0:
        event = subscriber.receive(left if transcript is None else min(left, 1.0))
        if event is None:
            break
        if event.id != identity:
            continue
        if isinstance(event, IntentEvent | NotRecognizedEvent | QuestionEvent):
            return event
        transcript = event
    if transcript is not None:
        return transcript
    raise TransportError("say: the daemon published no event in time", code="no-answer")
