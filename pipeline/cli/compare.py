"""``intentd compare``: two evaluations side by side."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
@click.option("--fail-if-worse", is_flag=True, help="Exit code 1 if it got significantly worse.")
def compare(first: Path, second: Path, as_json: bool, fail_if_worse: bool) -> None:
    """Show what got better and worse from the evaluation FIRST to SECOND.

    Both are JSON as `intentd evaluate --json` prints it, or evaluation.json of a report. Whether
    a difference is more than chance is McNemar's exact test over the recordings that both hold.
    """
    import msgspec
    from rich.console import Console

    from pipeline.evaluation.comparing import compare as compare_evaluations
    from pipeline.evaluation.comparing import print_comparison
    from pipeline.evaluation.document import read_document

    found = compare_evaluations(read_document(first), read_document(second))
    if as_json:
        sys.stdout.buffer.write(msgspec.json.encode(found) + b"\n")
    else:
        print_comparison(found, Console())
    worse = any(c.test.significant and c.test.worse > c.test.better for c in found.conditions)
    sys.exit(1 if fail_if_worse and worse else 0)
