"""``intentd replay``: recordings through the daemon's own stages."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Literal

import click

from models.errors import ConfigurationError, IntentdError, SourceError, TransportError
from pipeline.cli.errors import BAD_INPUT, report
from pipeline.cli.options import configuration_option
from pipeline.expectations import BESIDE, Expectation, differences, load_expectations
from pipeline.loading import endpoint_problem, load_configuration
from pipeline.replay_output import ReplayOutput

if TYPE_CHECKING:
    from pipeline.replay import Replay


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
    if wait_subscribers and not publish:
        raise ConfigurationError("--wait-subscribers: nobody can subscribe; add --publish ENDPOINT")
    if at_least is not None and not expect:
        raise ConfigurationError("--at-least: nothing is expected; add --expect FILE")
    problem = endpoint_problem(publish, settings.security) if publish else None
    if problem:
        raise TransportError(f"--publish: {problem}")
    import msgspec

    # What goes wrong is printed here, as one line each.
    quieter: Literal["debug", "error"] = "debug" if settings.log.level == "debug" else "error"
    log = msgspec.structs.replace(settings.log, level=quieter)
    settings = msgspec.structs.replace(settings, log=log)
    configure_logging(log)
    files, bad = _files(audio)
    expected = _expected(expect, files)
    output = ReplayOutput(files, style=style, jobs=jobs)
    output.bad += bad
    interrupted = 0
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
        interrupted = _play(player, output)
    if interrupted:
        sys.exit(128 + interrupted)
    code = _judge(expected, files, output, at_least)
    sys.exit(BAD_INPUT if output.bad else code)


def _play(player: Replay, output: ReplayOutput) -> int:
    """Play everything; the number of the signal that ended it early, else 0."""
    caught: list[int] = []

    def stop(number: int, _frame: object) -> None:
        if caught:
            raise KeyboardInterrupt
        caught.append(number)
        player.stop()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    player.run(output.add, output.fail)
    if caught:
        return caught[0]
    output.finish()
    return 0


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
    for file in [file for file in files if not _is_text(file)]:
        name = file.encode("utf-8", "backslashreplace").decode()
        report(SourceError(f"{name}: the name is not valid UTF-8; rename the file"))
        files.remove(file)
        bad += 1
    if files.count("-") > 1:
        raise SourceError("-: standard input can be played once only")
    return files, bad


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _expected(expect: str | None, files: list[str]) -> dict[str, Expectation]:
    if expect is None:
        return {}
    if expect.endswith((".wav", ".flac", ".ogg", ".mp3", ".opus")):
        raise ConfigurationError(
            f"--expect: {expect} is a recording; write --expect FILE.ndjson, or put --expect last"
        )
    return load_expectations(expect, files)


def _judge(
    expected: dict[str, Expectation],
    files: list[str],
    output: ReplayOutput,
    at_least: int | None,
) -> int:
    """Tell what differs; 1 when it is too much."""
    if not expected:
        return 0
    good = 0
    for place, file in enumerate(files):
        if place in output.failed:
            continue
        found = differences(expected[file], output.events_at(place))
        good += not found
        for line in found:
            click.echo(f"{file}: {line}", err=True)
    click.echo(f"{good} of {len(files)} recordings as expected", err=True)
    enough = len(files) - len(output.failed) if at_least is None else at_least
    return 0 if good >= enough else 1
