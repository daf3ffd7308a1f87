"""``intentd replay``: recordings through the daemon's own stages."""

from __future__ import annotations

import signal
import sys
from typing import Literal

import click

from models.errors import ConfigurationError, IntentdError, TransportError
from pipeline.cli.errors import BAD_INPUT, report
from pipeline.cli.options import configuration_option
from pipeline.expectations import BESIDE, Expectation, differences, load_expectations
from pipeline.loading import endpoint_problem, load_configuration
from pipeline.replay_output import ReplayOutput


@click.command()
@click.argument("audio", nargs=-1, required=True)
@configuration_option
@click.option(
    "--pace",
    type=click.Choice(["fast", "real"]),
    default="fast",
    show_default=True,
    help="As fast as the machine goes, or as if it were spoken now.",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A line for people, or one JSON object a line.",
)
@click.option(
    "--expect",
    metavar="FILE",
    is_flag=False,
    flag_value=BESIDE,
    help="NDJSON of what the recordings should give; without FILE: JSON beside each recording.",
)
@click.option(
    "--at-least",
    type=click.IntRange(0),
    metavar="N",
    help="With --expect: be content when N recordings are as expected.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 32),
    default=1,
    show_default=True,
    help="Recordings that are worked on at the same time.",
)
@click.option("--publish", metavar="ENDPOINT", help="Publish here too: tcp://127.0.0.1:5556.")
@click.option(
    "--wait-subscribers",
    type=click.IntRange(0, 1000),
    default=0,
    metavar="N",
    help="Begin when N apps have subscribed.",
)
def replay(
    audio: tuple[str, ...],
    configuration: str,
    pace: Literal["fast", "real"],
    style: str,
    expect: str | None,
    at_least: int | None,
    jobs: int,
    publish: str | None,
    wait_subscribers: int,
) -> None:
    """Turn recordings into events: files, folders, patterns, or - for raw 16 kHz PCM.

    Exit code 0, however little was understood; with --expect 1 when something differs; 2 when
    any input was bad. The good recordings of a list are always done.
    """
    from pipeline.logs import configure_logging

    settings = load_configuration(configuration)
    problem = endpoint_problem(publish) if publish else None
    if problem:
        raise TransportError(f"--publish: {problem}")
    import msgspec

    quieter = {"debug": "debug"}.get(settings.log.level, "warning")
    log = msgspec.structs.replace(settings.log, level=quieter)
    settings = msgspec.structs.replace(settings, log=log)
    configure_logging(log)
    files, bad = _files(audio)
    expected = _expected(expect, files)
    output = ReplayOutput(files, style=style, jobs=jobs)
    output.bad += bad
    if files:
        from pipeline.replay import Replay

        player = Replay(
            settings,
            files,
            pace=pace,
            jobs=jobs,
            publish=publish,
            wait_subscribers=wait_subscribers,
        )
        signal.signal(signal.SIGINT, lambda *_: player.stop())
        signal.signal(signal.SIGTERM, lambda *_: player.stop())
        player.run(output.add, output.fail)
        output.finish()
    code = _judge(expected, output, at_least)
    sys.exit(BAD_INPUT if output.bad else code)


def _files(audio: tuple[str, ...]) -> tuple[list[str], int]:
    """The recordings that are meant, and how many arguments gave none."""
    from stages.sources.paths import expand_path

    files: list[str] = []
    bad = 0
    for path in audio:
        try:
            files += expand_path(path)
        except IntentdError as error:
            report(error)
            bad += 1
    return files, bad


def _expected(expect: str | None, files: list[str]) -> dict[str, Expectation]:
    if expect is None:
        return {}
    if expect.endswith((".wav", ".flac", ".ogg", ".mp3", ".opus")):
        raise ConfigurationError(
            f"--expect: {expect} is a recording; write --expect FILE.ndjson, or put --expect last"
        )
    return load_expectations(expect, files)


def _judge(expected: dict[str, Expectation], output: ReplayOutput, at_least: int | None) -> int:
    """Tell what differs; 1 when it is too much."""
    if not expected:
        return 0
    good = 0
    for file, expectation in expected.items():
        if file in output.failed:
            continue
        found = differences(expectation, output.events_of(file))
        good += not found
        for line in found:
            click.echo(f"{file}: {line}", err=True)
    click.echo(f"{good} of {len(expected)} recordings as expected", err=True)
    enough = len(expected) - len(output.failed) if at_least is None else at_least
    return 0 if good >= enough else 1
