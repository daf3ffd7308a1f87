"""(c) Processor time of a live daemon in a quiet room where a fan runs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.events import ErrorEvent, PartialEvent, UtteranceEvent
from tests.benchmarks.figures import Figure
from tests.benchmarks.material import ROOM_DBFS, conversation, room_tone, utterances, write_wav
from tests.benchmarks.processes import Daemon
from tests.benchmarks.sound import live_daemon, open_sound

SECONDS, QUICK_SECONDS = 600.0, 60.0
BAR = 1.0
SETTLE_SECONDS = 5.0
"""From ready to the first sample that counts: the sound server opens its stream meanwhile."""

ANSWER_SECONDS = 10.0

Tell = Callable[[str], None]


def measure(tell: Tell, *, quick: bool, seconds: float | None, placement: str) -> Iterator[Figure]:
    """Play the room, then speak, which proves that the daemon had been listening."""
    length = seconds or (QUICK_SECONDS if quick else SECONDS)
    with tempfile.TemporaryDirectory(prefix="itdb-") as name:
        folder = Path(name)
        room = write_wav(folder / "room.wav", room_tone(SETTLE_SECONDS + length, ROOM_DBFS))
        speech = write_wav(folder / "speech.wav", conversation(list(utterances(1))))
        with open_sound(folder) as sound, live_daemon(sound, placement, folder) as running:
            tell(f"{length:.0f} s of room tone at {ROOM_DBFS:g} dBFS, {sound.what}")
            spent, wall = _listen(running, lambda: sound.play(room, running))
            _expect_silence(running)
            sound.play(speech, running)
            _expect_utterance(running)
    yield Figure(
        benchmark="c",
        what=f"processor time in a quiet room, {placement}, {sound.what}",
        value=100 * sum(spent.values()) / wall,
        unit="% of a core",
        bar=BAR,
        sides=f"{sum(spent.values()):.2f} CPU s in {wall:.0f} s: "
        + ", ".join(f"{worker} {value:.2f}" for worker, value in spent.items()),
    )


def _listen(running: Daemon, play: Callable[[], None]) -> tuple[dict[str, float], float]:
    """Processor seconds by worker, and the seconds in which they were spent."""
    import threading

    player = threading.Thread(target=play)
    player.start()
    time.sleep(SETTLE_SECONDS)
    before, begun = running.cpu_seconds(), time.monotonic()
    player.join()
    wall, after = time.monotonic() - begun, running.cpu_seconds()
    return {worker: after[worker] - before[worker] for worker in before}, wall


def _expect_silence(running: Daemon) -> None:
    while (event := running.receive(0.2)) is not None:
        if isinstance(event, UtteranceEvent | PartialEvent | ErrorEvent):
            raise RuntimeError(f"something was heard in the quiet room: {event}")


def _expect_utterance(running: Daemon) -> None:
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        if isinstance(running.receive(1.0), UtteranceEvent):
            return
    raise RuntimeError("the daemon did not hear the speech behind the room tone")
