"""(d) Memory of the whole daemon after some utterances."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.events import IntentEvent, NotRecognizedEvent
from tests.benchmarks.figures import Figure
from tests.benchmarks.material import conversation, duration, utterances, write_wav
from tests.benchmarks.processes import Daemon
from tests.benchmarks.settings import PLACEMENTS
from tests.benchmarks.sound import Sound, live_daemon, open_sound

UTTERANCES, QUICK_UTTERANCES = 20, 5
BARS = {"process": 350.0, "thread": 200.0}

Tell = Callable[[str], None]


def measure(tell: Tell, *, quick: bool) -> Iterator[Figure]:
    """Speak to a live daemon of each placement and look at its processes."""
    count = QUICK_UTTERANCES if quick else UTTERANCES
    with tempfile.TemporaryDirectory(prefix="itdb-") as name, open_sound(Path(name)) as sound:
        folder = Path(name)
        recording = write_wav(folder / "spoken.wav", conversation(list(utterances(count))))
        tell(f"{count} utterances, {duration(recording):.0f} s in real time, twice; {sound.what}")
        for placement in PLACEMENTS:
            yield _measure(sound, placement, recording, count, folder)


def _measure(sound: Sound, placement: str, recording: Path, count: int, folder: Path) -> Figure:
    with live_daemon(sound, placement, folder) as running:
        fresh = sum(running.memory().values())
        player = threading.Thread(target=sound.play, args=(recording, running))
        player.start()
        heard = _count(running, count, duration(recording) + 20)
        player.join()
        used = running.memory()
    if heard < 0.9 * count:
        raise RuntimeError(f"{placement}: only {heard} of {count} utterances were heard")
    return Figure(
        benchmark="d",
        what=f"memory (PSS) after {heard} utterances, {placement}",
        value=sum(used.values()),
        unit="MB",
        bar=BARS[placement],
        sides=f"{fresh:.0f} MB when ready; "
        + ", ".join(f"{worker} {value:.0f}" for worker, value in used.items()),
    )


def _count(running: Daemon, count: int, seconds: float) -> int:
    deadline = time.monotonic() + seconds
    heard = 0
    while heard < count and time.monotonic() < deadline:
        heard += isinstance(running.receive(1.0), IntentEvent | NotRecognizedEvent)
    return heard
