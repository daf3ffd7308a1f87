"""Command acceptance on Picovoice's recordings, clean and in its kitchen noise.

``python -m tests.benchmarks.picovoice LABELS NOISE``. Figures are on the odd-numbered files
(sorted by name) unless told otherwise; the even-numbered ones are for choices.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from pipeline.evaluation.checking import default_jobs
from pipeline.evaluation.mixing import Condition
from pipeline.evaluation.running import Prepared, model_ids, parse_ratios, prepare
from tests.benchmarks.documents import DOCS, share, table, write_part
from tests.benchmarks.figures import machine
from tests.benchmarks.peers.speech import Results, measure
from tests.benchmarks.picovoice.published import KITCHEN, RATIOS, SUMMARY
from tests.benchmarks.plots import lines

PLOT = "picovoice.svg"
PARTS = {"even": slice(0, None, 2), "odd": slice(1, None, 2), "all": slice(None)}


@click.command()
@click.argument("labels", type=click.Path(path_type=Path))
@click.argument("noise", type=click.Path(path_type=Path))
@click.option("--audio", type=click.Path(path_type=Path), help="Folder of the recordings.")
@click.option("-c", "--config", "configuration", default="coffee", show_default=True)
@click.option("--part", type=click.Choice(list(PARTS)), default="odd", show_default=True)
@click.option("--snr", default=",".join(f"{r:g}" for r in RATIOS), show_default=True)
@click.option("--limit", type=click.IntRange(1), help="So many recordings, to see that it runs.")
@click.option("--jobs", type=click.IntRange(1), help="Processes; default: one for each core.")
@click.option("--json", "target", type=click.Path(path_type=Path), help="Write the figures here.")
@click.option("--docs", is_flag=True, help="Write them into docs/benchmarks.md, with a plot.")
def main(
    labels: Path,
    noise: Path,
    audio: Path | None,
    configuration: str,
    part: str,
    snr: str,
    limit: int | None,
    jobs: int | None,
    target: Path | None,
    docs: bool,
) -> None:
    """Measure intentd, a raw Vosk loop and PocketSphinx; tell the published figures beside them."""
    ratios = parse_ratios(snr)
    prepared = prepare(labels, configuration, noises=[str(noise)], ratios=ratios, audio=audio)
    recordings = prepared.job.recordings[PARTS[part]][:limit]
    job = msgspec.structs.replace(prepared.job, recordings=recordings)
    prepared = msgspec.structs.replace(prepared, job=job, audio_seconds=_seconds(job.recordings))
    results = measure(prepared, lambda text: click.echo(f"    … {text}", err=True),
                      jobs or default_jobs())  # fmt: skip
    text = _report(prepared, results, part)
    click.echo(text)
    if target is not None:
        target.write_text(json.dumps(msgspec.to_builtins(results), indent=1) + "\n")
    if docs:
        (DOCS / PLOT).write_text(_plot(prepared, results), encoding="utf-8")
        write_part("picovoice", f"{text}\n\n![Command acceptance against noise]({PLOT})")


def _seconds(recordings: tuple[object, ...]) -> float:
    from pipeline.evaluation.labels import LabelledRecording
    from stages.sources.decoding import seconds

    return sum(seconds(r.path) for r in recordings if isinstance(r, LabelledRecording))


def _report(prepared: Prepared, results: Results, part: str) -> str:
    job = prepared.job
    noisy = [c for c in job.conditions if c.noise]
    heading = ["command acceptance, %", "clean", *(f"{c.snr:g} dB" for c in noisy), "mean in noise"]
    rows = []
    for name, found in results.items():
        values = [found[c.name].acceptance.value for c in job.conditions]
        shown = f"**{name}**" if name == "intentd" else name
        rows.append([shown, *map(share, values), share(_mean(values[1:]))])
    strict = [results["intentd"][c.name].strict.value for c in job.conditions]
    rows.append(["intentd, no slot too many", *map(share, strict), share(_mean(strict[1:]))])
    for name, published in KITCHEN.items():
        by_ratio = dict(zip(RATIOS, published, strict=True))
        values = [by_ratio.get(c.snr or 0.0) for c in noisy]
        rows.append([f"{name} (published)", "–", *map(share, values), share(_mean(values))])
    ids = ", ".join(model_ids(job.configuration).values())
    speed = ", ".join(
        f"{name} {found['clean'].real_time_factor:.3f}" for name, found in results.items()
    )
    summary = ", ".join(f"{name} {share(value)}" for name, value in SUMMARY.items())
    return "\n\n".join(
        [
            "### Picovoice's speech-to-intent benchmark",
            f"{len(job.recordings)} recordings ({_part(part)}; "
            f"more than 50 speakers), kitchen noise mixed as the benchmark mixes it (loudest "
            f"frames, seed {job.seed}), {ids}, {datetime.now(UTC):%Y-%m-%d}. Raw Vosk is the same "
            "model and grammar fed with whole files, PocketSphinx its own English model with the "
            "domain as JSGF, without bestpath and with wide beams, the best of eleven settings on "
            "even-numbered files; what both heard is read by the domain's own sentences.",
            table(heading, rows),
            f"95 % interval of intentd, clean: {results['intentd']['clean'].acceptance}. "
            f"Published means over cafe and kitchen noise: {summary}; those are of all 619 "
            f"recordings. Seconds of work a second of audio, clean, by the clock: {speed}. "
            f"{machine()}.",
        ]
    )


def _part(part: str) -> str:
    return "all at hand" if part == "all" else f"the {part}-numbered of those at hand, by name"


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _plot(prepared: Prepared, results: Results) -> str:
    noisy: list[Condition] = sorted(
        (c for c in prepared.job.conditions if c.snr is not None), key=lambda c: c.snr or 0.0
    )
    rows: dict[str, list[float | None]] = {
        name: [found[c.name].acceptance.value for c in noisy] for name, found in results.items()
    }
    for name in ("Picovoice Rhino", "Google Dialogflow"):
        by_ratio = dict(zip(RATIOS, KITCHEN[name], strict=True))
        rows[f"{name} *"] = [by_ratio.get(c.snr or 0.0) for c in noisy]
    title = "command acceptance against kitchen noise (* published)"
    return lines(title, [f"{c.snr:g} dB" for c in noisy], rows)


if __name__ == "__main__":
    main(prog_name="python -m tests.benchmarks.picovoice")
