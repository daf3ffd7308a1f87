"""A satellite's link and a hub in one process, with a bad network between them."""

from __future__ import annotations

import socket as unix
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import zmq
from faulty_network import FaultyNetwork

from pipeline.configuration import SatelliteSection, SecuritySection
from pipeline.satellites.frames import Codec
from pipeline.satellites.hub import SatelliteHub
from pipeline.satellites.link import Link
from pipeline.transport import Context
from stages.messages import AudioBlock, EndOfStream, ErrorReport, StageMessage

BLOCK = 1600


def free_port() -> int:
    with unix.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def audio(blocks: int) -> list[AudioBlock]:
    """Noise in which every sample can be told from its neighbours."""
    samples = np.random.default_rng(5).integers(-20_000, 20_000, (blocks, BLOCK)).astype("<i2")
    return [
        AudioBlock(source="m", stream="m-1", position=i * BLOCK, captured=1e9, pcm=s.tobytes())
        for i, s in enumerate(samples)
    ]


class RunningHub:
    """A hub in a thread that publishes all it takes after a while, until it is killed."""

    def __init__(self, port: int, publish_after: float = 0.2, patience: float = 60) -> None:
        self.messages: list[StageMessage] = []
        self._port = port
        self._publish_after = publish_after
        self._patience = patience
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        context: Context = zmq.Context()
        section = SatelliteSection(
            endpoint=f"tcp://127.0.0.1:{self._port}", patience=self._patience
        )
        hub = SatelliteHub(section, context, SecuritySection())
        due: list[tuple[float, StageMessage]] = []
        try:
            hub.open()
            while not self._stop.is_set():
                made = list(hub.read(0.02) or [])
                self.messages += made
                now = time.monotonic()
                due += [(now + self._publish_after, message) for message in made]
                while due and due[0][0] <= now:
                    self._publish(hub, due.pop(0)[1])
        except BaseException as error:  # noqa: BLE001 - told to the test's thread
            self._failure = error
        finally:
            hub.close()
            context.term()

    def _publish(self, hub: SatelliteHub, message: StageMessage) -> None:
        if isinstance(message, AudioBlock):
            end = message.position + len(message.pcm) // 2
            hub.acknowledge(message.stream, end, final=False)
        elif isinstance(message, EndOfStream):
            hub.acknowledge(message.stream, message.position, final=True)

    def kill(self) -> None:
        """What it has taken and not published is gone with it."""
        self._stop.set()
        self._thread.join(10)
        if self._failure is not None:
            raise self._failure

    def pcm(self) -> bytes:
        return b"".join(m.pcm for m in self.messages if isinstance(m, AudioBlock))

    def lost(self) -> int:
        return sum(m.lost for m in self.messages if isinstance(m, AudioBlock))

    def told_lost(self) -> int:
        return sum(
            m.count for m in self.messages if isinstance(m, ErrorReport) and m.code == "audio-lost"
        )


@dataclass
class Pair:
    """What a test works with."""

    buffer: float = 60.0
    codec: Codec = "pcm"
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.network = FaultyNetwork(self.port)
        endpoint = f"tcp://127.0.0.1:{self.network.port}"
        self.link = Link(endpoint, "kitchen", None, codec=self.codec, seconds=self.buffer)

    def send(
        self,
        blocks: list[AudioBlock],
        pace: float = 0.01,
        at: dict[int, Callable[[], None]] | None = None,
    ) -> None:
        """Blocks one after another; ``at`` block N something happens."""
        for index, block in enumerate(blocks):
            action = (at or {}).get(index)
            if action is not None:
                action()
            self.link.add(block)
            self.link.step(pace)

    def step_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.link.step(0.02)

    def finish(self, blocks: list[AudioBlock], seconds: float = 20) -> None:
        """End the stream and wait until all is published."""
        self.link.add(EndOfStream(source="m", stream="m-1", position=len(blocks) * BLOCK))
        end = time.monotonic() + seconds
        while not self.link.done and time.monotonic() < end:
            self.link.step(0.02)
        assert self.link.done, f"{len(self.link.ring)} items are not published"

    def close(self) -> None:
        self.link.close()
        self.network.close()
