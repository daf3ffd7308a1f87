"""What breaks in other voice daemons, and is not shown to be whole here by another test.

docs/reliability.md lists all of them with their tests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import zmq
from command_line import CommandLine

from models.vosk.recogniser import SpeechModel
from pipeline.addresses import events_endpoint
from stages.messages import AudioBlock, SpeechChunk
from stages.segmenter import Segmenter
from stages.sources.decoding import decode
from stages.transcriber import assemble_model
from tests.soak.material import make

Configure = Callable[..., Path]


def test_a_quiet_room_costs_next_to_no_processor_time() -> None:
    """Others spend 25 % of a core on silence."""
    room = make("room", 120).tobytes()
    stage = Segmenter()
    stage.open()
    began = time.process_time()
    made = []
    for at in range(0, len(room), 3200):
        block = AudioBlock(
            source="m", stream="s", position=at // 2, captured=0.0, pcm=room[at : at + 3200]
        )
        made += stage.process(block)
    spent = time.process_time() - began
    assert not any(isinstance(message, SpeechChunk) for message in made)
    print(f"{3600 * spent / 120:.0f} s of processor time for an hour of a quiet room")
    assert spent < 0.02 * 120


def test_recognisers_of_one_model_work_in_threads_without_disturbing_each_other(
    recordings: Path,
) -> None:
    """The model is shared, a recogniser belongs to one thread, and no host of threads is made."""
    before = threading.active_count()
    model = SpeechModel(assemble_model("vosk-en", "vosk-coffee"), name="vosk-en")
    names = ["make-me-a-medium-cappuccino.wav", "id-like-an-americano-with-sweetener.wav"]
    spoken = [b"".join(decode(str(recordings / "coffee" / name))) for name in names]

    def hear(pcm: bytes) -> str:
        recogniser = model.recogniser()
        for at in range(0, len(pcm), 6400):
            recogniser.accept(pcm[at : at + 6400])
        return recogniser.finish().text

    alone = [hear(pcm) for pcm in spoken]
    together: dict[int, str] = {}

    def work(number: int) -> None:
        together[number] = hear(spoken[number % 2])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[number] for number in range(6)] == alone * 3
    assert threading.active_count() == before
    assert psutil.Process().num_threads() < 60


@pytest.mark.parametrize("peer", ["none", "deaf"])
def test_a_stop_never_waits_for_a_peer(
    intentd: CommandLine, configure: Configure, peer: str
) -> None:
    """Nobody there, or somebody who never reads: ZeroMQ would linger for ever."""
    process = intentd.start_daemon(configure())
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, 1)
    socket.setsockopt(zmq.LINGER, 0)
    if peer == "deaf":
        socket.connect(events_endpoint(intentd.directory))
        socket.subscribe("")
        time.sleep(0.5)
        for _ in range(5):
            assert intentd("say", "give me a latte").returncode == 0
    began = time.monotonic()
    process.terminate()
    process.wait(20)
    took = time.monotonic() - began
    print(f"stopped after {took:.1f} s")
    assert took < 8
    socket.close()
    context.term()
