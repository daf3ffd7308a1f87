"""Nobody gets an event without an allowed key, and who loses it loses the connection."""

from __future__ import annotations

import socket as unix
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import zmq
from command_line import CommandLine, wait_for

from models.errors import ConfigurationError, TransportError
from pipeline.client import Subscriber
from pipeline.configuration import Configuration, PublisherSection, SecuritySection
from pipeline.event_socket import EventSocket
from pipeline.events import ErrorEvent, StateEvent
from pipeline.loading import parse_configuration
from pipeline.security.credentials import Handshakes
from pipeline.security.keys import KeyFolder, Right
from pipeline.security.refusals import Refusals
from pipeline.transport import Context

SOON = 1.0
"""Seconds within which a peer is refused."""


def state(seq: int) -> StateEvent:
    return StateEvent(seq=seq, id=str(seq), source="", state="ready", detail="", published="")


def free_port() -> int:
    with unix.socket() as probe:
        probe.bind(("", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Hub:
    """An event socket that listens on all interfaces, and its keys."""

    events: EventSocket
    keys: KeyFolder
    endpoint: str
    server_key: str
    seq: int = 0

    def serve(self, seconds: float) -> None:
        """What the publisher's loop does, and an event every 20 ms."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.events.take_subscriptions()
            self.events.take_connections()
            self.events.door.take_revocations()
            self.seq += 1
            self.events.send(state(self.seq))
            time.sleep(0.02)

    def client(self, name: str, **options: str) -> Subscriber:
        keys = {"server_key": self.server_key, "key": str(self.keys.path / f"own/{name}.key")}
        return Subscriber(endpoint=self.endpoint, **(keys | options))

    def enrol(self, name: str, rights: tuple[Right, ...] = ("events",)) -> None:
        self.keys.allow(name, self.keys.create(name).public, rights)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    keys = KeyFolder(tmp_path / "keys")
    server = keys.create("server")
    context: Context = zmq.Context()
    port = free_port()
    security = SecuritySection(keys=str(keys.path))
    ipc = f"ipc://{tmp_path / 'events'}"
    events = EventSocket(context, [ipc, f"tcp://0.0.0.0:{port}"], hwm=1000, security=security)
    yield Hub(events, keys, f"tcp://127.0.0.1:{port}", server.public)
    events.close()
    context.term()


def test_an_allowed_key_gets_the_events(hub: Hub) -> None:
    hub.enrol("phone")
    time.sleep(0.3)
    with hub.client("phone") as subscriber:
        hub.serve(0.5)
        assert isinstance(subscriber.receive(1), StateEvent)
    assert hub.events.door.refused == 0


def test_who_is_allowed_while_it_runs_is_let_in(hub: Hub) -> None:
    hub.keys.create("phone")
    with hub.client("phone") as early:
        hub.serve(0.3)
        assert early.receive(0) is None
    hub.keys.allow("phone", hub.keys.own("phone").public)
    hub.serve(0.5)
    with hub.client("phone") as subscriber:
        hub.serve(0.3)
        assert subscriber.receive(1) is not None


def client_without_encryption(hub: Hub) -> Subscriber:
    return Subscriber(endpoint=hub.endpoint)


def client_with_an_unknown_key(hub: Hub) -> Subscriber:
    hub.keys.create("stranger")
    return hub.client("stranger")


def client_of_another_server(hub: Hub) -> Subscriber:
    hub.enrol("phone")
    time.sleep(0.3)
    return hub.client("phone", server_key=hub.keys.create("other").public)


def client_that_may_only_send_audio(hub: Hub) -> Subscriber:
    hub.enrol("kitchen", ("audio",))
    time.sleep(0.3)
    return hub.client("kitchen")


@pytest.mark.parametrize(
    "client",
    [
        client_without_encryption,
        client_with_an_unknown_key,
        client_of_another_server,
        client_that_may_only_send_audio,
    ],
)
def test_others_get_nothing_and_are_refused_within_a_second(
    hub: Hub, client: Callable[[Hub], Subscriber]
) -> None:
    with client(hub) as subscriber:
        hub.serve(SOON)
        assert subscriber.receive(0) is None
        assert hub.events.door.refused >= 1
        hub.serve(0.5)
        assert subscriber.receive(0) is None


def test_a_revoked_key_loses_its_open_connection_within_a_second_and_others_go_on(
    hub: Hub,
) -> None:
    hub.enrol("phone")
    hub.enrol("tablet")
    time.sleep(0.3)
    with hub.client("phone") as phone, hub.client("tablet") as tablet:
        hub.serve(0.5)
        assert phone.receive(1)
        assert tablet.receive(1)
        hub.keys.revoke("phone")
        hub.serve(SOON)
        while phone.receive(0):
            pass
        while tablet.receive(0):
            pass
        hub.serve(0.7)
        assert phone.receive(0) is None
        assert tablet.receive(1) is not None
        assert hub.events.peers == 1
    assert hub.events.door.refused >= 1


def test_a_refusal_is_told_at_once_and_then_once_a_minute(hub: Hub) -> None:
    refusals = Refusals("publisher")
    refusals.add(3)
    report = refusals.report(hub.events.door)
    assert report is not None
    assert (report.code, report.count) == ("peer-refused", 3)
    refusals.add(5)
    assert refusals.report(hub.events.door) is None


def test_the_own_sockets_stay_open_to_this_user_without_a_key(hub: Hub, tmp_path: Path) -> None:
    with Subscriber(endpoint=f"ipc://{tmp_path / 'events'}") as subscriber:
        hub.serve(0.3)
        assert subscriber.receive(1) is not None


@pytest.mark.parametrize(
    "client", [client_without_encryption, client_with_an_unknown_key, client_of_another_server]
)
def test_a_client_is_told_that_it_is_refused(hub: Hub, client: Callable[[Hub], Subscriber]) -> None:
    with (
        client(hub) as subscriber,
        pytest.raises(TransportError, match=r"refuses .*(intentd keys allow NAME|wants a key)"),
    ):
        subscriber.wait_connected(3)


def test_half_of_the_keys_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError, match="server key alone"):
        Subscriber(server_key="rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7")


@pytest.mark.parametrize("endpoint", ["tcp://0.0.0.0:5556", "tcp://*:5556", "tcp://192.0.2.7:5556"])
def test_beyond_loopback_nothing_is_configured_without_a_key(tmp_path: Path, endpoint: str) -> None:
    text = f"publisher: {{endpoints: ['{endpoint}']}}\nsecurity: {{keys: keys}}\n"
    path = tmp_path / "c.yaml"
    with pytest.raises(ConfigurationError, match=r"c.yaml:1: .*beyond this machine.*keys new"):
        parse_configuration(text, path)
    KeyFolder(tmp_path / "keys").create("server")
    assert parse_configuration(text, path).publisher.endpoints == (endpoint,)


def test_loopback_asks_for_keys_where_it_is_told_to(tmp_path: Path) -> None:
    text = "publisher: {endpoints: ['tcp://127.0.0.1:5556']}\nsecurity: {keys: k, loopback: true}\n"
    with pytest.raises(ConfigurationError, match="on this machine, which needs a key"):
        parse_configuration(text, tmp_path / "c.yaml")


def test_without_its_key_a_door_stays_shut(tmp_path: Path) -> None:
    """Whatever the configuration's check has missed, the socket itself refuses."""
    context: Context = zmq.Context()
    port = free_port()
    with pytest.raises(ConfigurationError, match="no key called server"):
        EventSocket(
            context, [f"tcp://0.0.0.0:{port}"], hwm=1, security=SecuritySection(keys=str(tmp_path))
        )
    context.term()
    with unix.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert Configuration().publisher == PublisherSection()


@pytest.mark.parametrize("placement", ["process", "thread"])
def test_a_daemon_refuses_a_stranger_and_says_so(
    intentd: CommandLine, configure: Callable[..., Path], tmp_path: Path, placement: str
) -> None:
    keys = KeyFolder(tmp_path / "keys")
    server = keys.create("server")
    keys.allow("phone", keys.create("phone").public)
    keys.create("stranger")
    port = free_port()
    intentd.start_daemon(
        configure(
            placement=placement,
            publisher={"endpoints": [f"tcp://0.0.0.0:{port}"]},
            security={"keys": str(keys.path)},
        )
    )
    remote = {"endpoint": f"tcp://127.0.0.1:{port}", "server_key": server.public}
    with Subscriber("error/") as local:
        assert local.wait_connected(5)
        with (
            Subscriber(**remote, key=str(keys.path / "own/phone.key")) as phone,
            Subscriber(**remote, key=str(keys.path / "own/stranger.key")) as stranger,
        ):
            told = wait_for(local, lambda event: isinstance(event, ErrorEvent), 10)
            assert isinstance(told, ErrorEvent)
            assert told.code == "peer-refused"
            assert "127.0.0.1" in told.detail
            assert phone.wait_connected(5)
            assert intentd("say", "give me a latte").returncode == 0
            assert wait_for(phone, lambda event: event.source == "say", 10)
            assert stranger.receive(0) is None
    shown = intentd(
        *("listen", "--endpoint", f"tcp://127.0.0.1:{port}"),
        *("--server-key", server.public, "--key", str(keys.path / "own/stranger.key")),
    )
    assert shown.returncode == 2
    assert "refuses the connection" in shown.stderr


def test_a_network_that_breaks_off_is_no_refusal_until_it_did_so_again_and_again() -> None:
    handshakes = Handshakes()
    broken, gone = zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL, zmq.EVENT_DISCONNECTED
    assert [handshakes.refused(event) for event in (broken, gone) * 3] == [False] * 6
    assert handshakes.refused(broken)
    assert not handshakes.refused(gone)
    assert not handshakes.refused(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    assert not handshakes.refused(broken)
    assert handshakes.refused(zmq.EVENT_HANDSHAKE_FAILED_AUTH)
