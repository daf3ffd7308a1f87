"""A hub dies under a satellite that talks: nothing it heard is lost, nothing published twice."""

from __future__ import annotations

import signal
import socket as unix
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from command_line import CommandLine, wait_for
from conversation import make_conversation, undisturbed

from pipeline.client import Subscriber
from pipeline.events import Event, IntentEvent, NotRecognizedEvent, PartialEvent, StateEvent

Configure = Callable[..., Path]


class Talking:
    """A hub, a satellite that sends a conversation at its pace, and what was understood."""

    def __init__(self, intentd: CommandLine, path: Path, port: int, audio: Path) -> None:
        self._intentd = intentd
        self._path = path
        self.heard: list[str] = []
        self.start_hub()
        self.subscriber = Subscriber(since=0)
        self.satellite: subprocess.Popen[str] = intentd.start(
            *("satellite", "--hub", f"tcp://127.0.0.1:{port}", "--name", "kitchen"),
            *("--codec", "pcm", "--recording", str(audio)),
        )

    def start_hub(self) -> None:
        self.daemon = self._intentd.start("run", "-c", str(self._path))

    def worker(self, name: str) -> psutil.Process:
        processes = psutil.Process(self.daemon.pid).children()
        return next(p for p in processes if p.cmdline()[-1] == name)

    def until(self, condition: Callable[[Event], bool]) -> None:
        def note(event: Event) -> bool:
            if isinstance(event, IntentEvent | NotRecognizedEvent):
                self.heard.append(event.text)
            return condition(event)

        assert wait_for(self.subscriber, note, 30), f"no more came after {self.heard}"

    def until_somebody_speaks(self) -> None:
        self.until(lambda event: isinstance(event, PartialEvent))

    def until_understood(self) -> None:
        self.until(lambda event: isinstance(event, IntentEvent | NotRecognizedEvent))

    def all_heard(self) -> list[str]:
        """To the end of the conversation: the satellite goes when all is acknowledged."""
        self.until(lambda event: isinstance(event, StateEvent) and event.state == "satellite-left")
        assert self.satellite.wait(10) == 0
        self.subscriber.close()
        return self.heard


@pytest.fixture
def talk(
    intentd: CommandLine, configure: Configure, tmp_path: Path
) -> Callable[[int], tuple[Talking, list[str]]]:
    def begin(utterances: int) -> tuple[Talking, list[str]]:
        audio = make_conversation(tmp_path / "conversation.wav", utterances)
        expected = [one.text for one in undisturbed(intentd, configure(), audio)]
        with unix.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        source = {"type": "satellite", "endpoint": f"tcp://127.0.0.1:{port}"}
        return Talking(intentd, configure(sources=[source]), port, audio), expected

    return begin


Talk = Callable[[int], tuple[Talking, list[str]]]


def test_the_utterance_in_flight_is_heard_once_when_the_hubs_capture_is_killed(talk: Talk) -> None:
    talking, expected = talk(2)
    talking.until_somebody_speaks()
    talking.worker("source-satellites").kill()
    assert talking.all_heard() == expected


def test_an_utterance_is_out_once_if_the_hub_dies_before_it_can_acknowledge_it(talk: Talk) -> None:
    """The capture is held up, so that the satellite is not told and sends the utterance again."""
    talking, expected = talk(2)
    talking.until_somebody_speaks()
    transcriber, capture = (talking.worker(name) for name in ("transcriber-0", "source-satellites"))
    transcriber.suspend()
    time.sleep(5.0)  # all of the utterance, and the silence behind it
    capture.suspend()
    transcriber.resume()
    talking.until_understood()
    workers = psutil.Process(talking.daemon.pid).children()
    talking.daemon.send_signal(signal.SIGKILL)
    capture.kill()
    talking.daemon.communicate(timeout=30)
    assert not psutil.wait_procs(workers, timeout=10)[1]
    talking.start_hub()
    assert talking.all_heard() == expected
