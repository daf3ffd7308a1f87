"""Language models against larger ones and PyTorch, as ratios within one run.

    python -m tests.benchmarks.language            (needs the extra ``train``)

Weights are random, since only shapes cost time. Rounds are interleaved, so that what else the
machine does hits all alike; with one thread the processor's time is taken, which other programs
don't add to, with two the clock's.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from models.catalogue import find
from models.mobilebert import LanguageModel
from models.mobilebert.network import Network, Outputs
from models.mobilebert.session import IDS, MASK, open_session
from models.mobilebert.tokens import Encoding
from tests.benchmarks.figures import Figure, machine
from tests.benchmarks.language_report import Memory, Race, write

SHIPPED = "mobilebert-home"
TOKENS = (8, 16, 32, 64, 128)
BATCHES = (1, 8, 32)
LABELS, TAGS = 7, 79

BARS = {"bert-base fp32": 1 / 8, "bert-base int8": 1 / 4}
"""The shipped model at 16 tokens, one thread, may take so much of the time of these."""

OVERHEAD_BAR = 1.2
"""A text understood, against its network alone."""

_RSS = """
import sys
import numpy as np
from pathlib import Path
from models.mobilebert.network import Network, Outputs
from models.mobilebert.session import IDS, MASK, open_session
def resident():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024
before = resident()
session = open_session(Path(sys.argv[1]), threads=1)
ids = np.ones((int(sys.argv[2]), int(sys.argv[3])), np.int64)
session.run(None, {IDS: ids, MASK: ids})
print(resident() - before)
"""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A network to time."""

    name: str
    run: Callable[[np.ndarray], object]
    path: Path | None


def build(folder: Path, tell: Callable[[str], None], only: Collection[str] = ()) -> dict[str, Path]:
    """Networks as ONNX, fp32 and int8, by name; ``only`` some of them."""
    import torch
    import transformers

    from models.training.language.encoders import GOOGLE, new_encoder
    from models.training.language.export import quantise, write_onnx
    from models.training.language.labelling import INTENT_OUTPUT, SLOTS_OUTPUT
    from models.training.language.network import JointNetwork
    from models.training.language.settings import Shape

    torch.manual_seed(0)
    bert = transformers.BertConfig(num_hidden_layers=12)
    encoders = {
        "6 layers": lambda: new_encoder(Shape(), 30522),
        "24 layers": lambda: new_encoder(GOOGLE, 30522),
        "bert-base": lambda: transformers.BertModel(bert, add_pooling_layer=False),
    }
    found = {}
    for name, make in encoders.items():
        if only and name not in only:
            continue
        tell(f"building {name}")
        full, small = (
            folder / f"{name.replace(' ', '-')}.{kind}.onnx" for kind in ("fp32", "int8")
        )
        outputs = {INTENT_OUTPUT: False, SLOTS_OUTPUT: True}
        write_onnx(JointNetwork(make(), LABELS, TAGS), full, outputs)
        quantise(full, small)
        found |= {f"{name} fp32": full, f"{name} int8": small}
    return found


def eager(threads: int) -> Contestant:
    """The shape of six layers in PyTorch, as it is trained."""
    import torch

    from models.training.language.encoders import new_encoder
    from models.training.language.network import JointNetwork
    from models.training.language.settings import Shape

    torch.set_num_threads(threads)
    network = JointNetwork(new_encoder(Shape(), 30522), LABELS, TAGS).eval()

    def run(ids: np.ndarray) -> object:
        with torch.no_grad():
            tensor = torch.from_numpy(ids)
            return network(tensor, torch.ones_like(tensor))

    return Contestant("6 layers PyTorch eager", run, None)


def session(name: str, path: Path, threads: int) -> Contestant:
    """A network in onnxruntime."""
    opened = open_session(path, threads=threads)

    def run(ids: np.ndarray) -> object:
        return opened.run(None, {IDS: ids, MASK: np.ones_like(ids)})

    return Contestant(name, run, path)


def race(
    contestants: Sequence[Contestant], batch: int, tokens: int, rounds: int, threads: int
) -> dict[str, float]:
    """Median milliseconds of each, rounds interleaved."""
    clock = time.process_time if threads == 1 else time.perf_counter
    ids = np.random.default_rng(0).integers(1000, 20000, (batch, tokens))
    times: dict[str, list[float]] = {one.name: [] for one in contestants}
    for number in range(rounds + 1):
        for one in contestants:
            began = clock()
            one.run(ids)
            if number:
                times[one.name].append(1000 * (clock() - began))
    return {name: float(np.median(found)) for name, found in times.items()}


class Timed(Network):
    """A network that notes how long each text takes it."""

    def __init__(self, inner: Network) -> None:
        super().__init__(inner.labels, inner.tokenizer)
        self._inner = inner
        self.milliseconds: list[float] = []

    def run(self, encoding: Encoding) -> Outputs:
        """All outputs for one text."""
        began = time.process_time()
        outputs = self._inner.run(encoding)
        self.milliseconds.append(1000 * (time.process_time() - began))
        return outputs


def overhead(rounds: int) -> Figure:
    """A text of about 16 tokens through tokenizer, network and decoding, against the network."""
    network = Timed(Network.load(find(SHIPPED)))
    model = LanguageModel(network)
    text = "turn on the lights in the kitchen and close the blinds in the office"
    tokens = len(text.split()) + 2
    whole = []
    for _ in range(rounds * 5):
        began = time.process_time()
        model.understand(text)
        whole.append(1000 * (time.process_time() - began))
    one, two = float(np.median(whole)), float(np.median(network.milliseconds))
    return Figure(
        benchmark="language",
        what=f"a text of {tokens} word pieces understood, against its network alone",
        value=one / two,
        unit="x",
        bar=OVERHEAD_BAR,
        sides=f"{one:.2f} ms / {two:.2f} ms, processor time, one thread",
    )


def memory(path: Path, batch: int, tokens: int) -> float:
    """Megabytes that a network adds to a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", _RSS, str(path), str(batch), str(tokens)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


@click.command()
@click.option("--rounds", default=30, show_default=True, type=click.IntRange(3))
@click.option("--quick", is_flag=True, help="16 tokens alone, batch 1, one thread.")
@click.option("--docs", is_flag=True, help="Write tables and a plot into docs/benchmarks.md.")
def main(rounds: int, quick: bool, docs: bool) -> None:
    """Time and memory at 8 to 128 tokens, batch 1 to 32, one and two threads."""
    click.echo(machine())
    figures: list[Figure] = [overhead(rounds)]
    races: list[Race] = []
    memories: list[Memory] = []
    sizes = ((1, 16),) if quick else ((1, 16), (32, 128))
    with tempfile.TemporaryDirectory() as scratch:
        paths = build(Path(scratch), lambda text: click.echo(f"    … {text}", err=True))
        shipped = find(SHIPPED) / "model.onnx"
        for threads in (1,) if quick else (1, 2):
            runners = [session("shipped", shipped, threads)]
            runners += [session(name, path, threads) for name, path in paths.items()]
            runners.append(eager(threads))
            for batch in (1,) if quick else BATCHES:
                for tokens in (16,) if quick else TOKENS:
                    fewer = max(3, rounds // (batch * tokens // 16 + 1))
                    found = race(runners, batch, tokens, fewer, threads)
                    races.append(Race(batch, tokens, threads, found))
                    figures += _figures(races[-1])
        for name, path in {"shipped": shipped, **paths}.items():
            added = {size: memory(path, *size) for size in sizes}
            memories.append(Memory(name, path.stat().st_size / 1e6, added))
            figures += _memory_figures(memories[-1])
    if docs:
        write(races, memories, figures[0], rounds)
    for figure in figures:
        click.echo(figure.line())
    sys.exit(0 if all(figure.passed for figure in figures) else 1)


def _figures(race: Race) -> list[Figure]:
    batch, tokens, threads = race.batch, race.tokens, race.threads
    mine = race.milliseconds["shipped"]
    return [
        Figure(
            benchmark="language",
            what=f"shipped / {name}, batch {batch}, {tokens} tokens, {threads} thread(s)",
            value=mine / other,
            unit="x",
            bar=BARS.get(name) if (batch, tokens, threads) == (1, 16, 1) else None,
            sides=f"{mine:.2f} ms / {other:.2f} ms",
        )
        for name, other in race.milliseconds.items()
        if name != "shipped"
    ]


def _memory_figures(found: Memory) -> list[Figure]:
    return [
        Figure(
            benchmark="language",
            what=f"memory of {found.name}, batch {batch}, {tokens} tokens",
            value=added,
            unit="MB",
            bar=None,
            sides=f"file {found.file_mb:.1f} MB",
        )
        for (batch, tokens), added in found.resident_mb.items()
    ]


if __name__ == "__main__":
    main(prog_name="python -m tests.benchmarks.language")
