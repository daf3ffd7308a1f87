"""``intentd tune``: settings that fit one's own recordings."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.options import configuration_option


@click.command()
@click.argument("data", type=click.Path(path_type=Path))
@configuration_option
@click.option("--audio", type=click.Path(path_type=Path), help="Folder of the recordings.")
@click.option("--noise", "noises", multiple=True, metavar="WAV", help="Noise to mix in.")
@click.option("--snr", "ratios", default="", metavar="6,9,12", help="At these ratios, in dB.")
@click.option("--trials", default=40, show_default=True, type=click.IntRange(1))
@click.option("--jobs", type=click.IntRange(1, 256), help="Processes; default: one for each core.")
@click.option("--seed", default=0, show_default=True, help="Of the search and of the noise.")
@click.option(
    "--false-accept-cost", default=1.0, show_default=True, type=click.FloatRange(0),
    help="What a false accept costs, where a failed command costs 1.",
)  # fmt: skip
@click.option(
    "--write", "target", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Where the recommended configuration goes; default: NAME.tuned.yaml.",
)  # fmt: skip
def tune(
    data: Path,
    configuration: str,
    audio: Path | None,
    noises: tuple[str, ...],
    ratios: str,
    trials: int,
    jobs: int | None,
    seed: int,
    false_accept_cost: float,
    target: Path | None,
) -> None:
    """Search thresholds, endpoint silence, grammar weight and decoder beam on recordings.

    DATA is as for `intentd evaluate`. Every fourth recording is held out and tells what the
    result is worth. Writes the recommended configuration with the figures that justify it.
    Needs the extra `tune`: pip install 'intentd[tune]'.
    """
    from rich.console import Console

    from models.errors import ConfigurationError
    from models.metrics import Cost
    from pipeline.evaluation.checking import check_folder, default_jobs
    from pipeline.evaluation.recommending import default_target, write_recommendation
    from pipeline.evaluation.running import parse_ratios, prepare
    from pipeline.evaluation.tuning import Tuner, rates

    try:
        import optuna  # noqa: F401
        import ruamel.yaml  # noqa: F401
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"tuning needs the package {error.name}: pip install 'intentd[tune]'"
        ) from None
    prepared = prepare(
        data, configuration, noises=noises, ratios=parse_ratios(ratios), seed=seed, audio=audio
    )
    target = target or default_target(configuration)
    check_folder(target.parent, "the configuration")
    console = Console()
    tuner = Tuner(
        prepared,
        jobs=jobs or default_jobs(),
        cost=Cost(false_accept=false_accept_cost),
        tell=lambda line: click.echo(line, err=True),
    )
    tuned = tuner.tune(trials, seed)
    write_recommendation(tuned, configuration, prepared.job.configuration, str(data), target)
    if not tuned.values:
        console.print("nothing better was found; the settings stay as they are")
    for key, value in tuned.values.items():
        console.print(f"{key}: {value:g}")
    for part, found in tuned.after.items():
        for name, rate in rates(found).items():
            before = rates(tuned.before[part])[name]
            if rate.value is not None:
                console.print(
                    f"{part}: {name} {before} before, {rate} now", markup=False, soft_wrap=True
                )
    console.print(f"written: {target}", markup=False, soft_wrap=True)
