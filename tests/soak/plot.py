"""A soak as a picture."""

from __future__ import annotations

from pathlib import Path

from tests.soak.sampling import Sample


def draw(samples: list[Sample], path: Path) -> None:
    """Memory, files, threads, queues and latency over the minutes, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    panels = {
        "memory (RSS, MB)": lambda sample: sample.rss,
        "open files": lambda sample: sample.files,
        "threads": lambda sample: sample.threads,
        "messages waiting": lambda sample: sample.queues,
        "latency (ms, median)": lambda sample: (
            {} if sample.latency_ms is None else {"endpoint to event": sample.latency_ms}
        ),
    }
    figure, axes = pyplot.subplots(len(panels), 1, sharex=True, figsize=(9, 12))
    for axis, (title, values) in zip(axes, panels.items(), strict=True):
        for name in sorted({name for sample in samples for name in values(sample)}):
            points = [(s.minute, values(s)[name]) for s in samples if name in values(s)]
            axis.plot(*zip(*points, strict=True), label=name, linewidth=1)
        axis.set_ylabel(title)
        axis.set_ylim(bottom=0)
        if axis.get_legend_handles_labels()[0]:
            axis.legend(fontsize=7, loc="lower right", ncols=3)
    axes[-1].set_xlabel("minutes")
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
