"""The control protocol: other programs ask the daemon to do something (REQ/REP, JSON).

A request is ``{"command": NAME, …}``; the reply ``{"ok": true, …}`` or
``{"ok": false, "error": TEXT}``. ``python -m pipeline.commands`` writes its JSON Schema.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import zmq
from msgspec import UNSET, Meta, UnsetType

from models.errors import TransportError
from pipeline.addresses import Addresses
from pipeline.configuration import Name
from pipeline.transport import Context, is_alive, make_socket

_Duration = Annotated[float, Meta(gt=0, le=86_400)]


class Say(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="say"):
    """Treat ``text`` as if it had been heard. The reply has its ``id``."""

    text: Annotated[str, Meta(max_length=2000)]
    source: Name = "say"


class Ping(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="ping"):
    """Is anybody there?"""


class Status(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="status"):
    """How is everything? The reply has a ``status``."""


class Mute(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="mute"):
    """Hear nothing, for so many ``seconds`` or until unmuted; of one source, or of all."""

    seconds: _Duration | None = None
    source: Name | None = None


class Unmute(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="unmute"):
    """Hear again; one source, or all."""

    source: Name | None = None


class Trigger(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="trigger"):
    """With push-to-talk: listen for so many ``seconds``; to one source, or to all."""

    seconds: _Duration = 8.0
    source: Name | None = None


class Reload(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="reload"):
    """Read the configuration anew. The reply has ``restarted``: the stages that changed."""


class StopDaemon(msgspec.Struct, frozen=True, kw_only=True, tag_field="command", tag="stop"):
    """Finish what is being said, and end."""


Request = Say | Ping | Status | Mute | Unmute | Trigger | Reload | StopDaemon


class StageStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One worker."""

    state: str
    """``starting``, ``running``, ``waiting`` to be started again, ``given-up``, ``finished``."""

    age: float
    """Seconds since it was last heard of."""

    idle: float
    """Seconds since it last worked on something."""

    uptime: float
    """Seconds since it was started."""

    queue: int
    """Messages that wait in it."""

    done: int
    """Messages that it worked on since it was started."""

    restarts: int
    dropped: int
    """What it had to drop: samples of a source, frames that are not ours, lost events."""

    models: dict[str, str]
    reason: str = ""
    """Why it was last started again."""


class DaemonStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The whole daemon."""

    state: str
    """``starting``, ``ready``, ``degraded`` or ``stopping``."""

    uptime: float
    placement: str
    subscribers: int
    stages: dict[str, StageStatus]
    sources: dict[str, str]
    """``listening``, ``waiting`` for a trigger, or ``muted``."""

    latency_ms: dict[str, float]
    """Percentiles of the last utterances by timing: ``transcribe.p95``."""


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the daemon answers."""

    ok: bool
    error: str | UnsetType = UNSET
    id: str | UnsetType = UNSET
    restarted: list[str] | UnsetType = UNSET
    status: DaemonStatus | UnsetType = UNSET


_requests = msgspec.json.Decoder(Request)
_replies = msgspec.json.Decoder(Reply)


def read_request(body: bytes) -> Request:
    """The request in ``body``. Raises ValueError where it isn't one."""
    try:
        request: Request = _requests.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"not a request: {error}") from error
    return request


def ask(request: Request, directory: Path, timeout: float = 5.0) -> Reply:
    """Send a request to the daemon and return its reply. Raises TransportError.

    A request that the daemon refuses raises TransportError too, with what it says.
    """
    endpoint = Addresses(directory, threads=False).control
    if not is_alive(endpoint):
        raise TransportError(
            f"no intentd runs in {directory}; start one with: intentd run", code="not-running"
        )
    context: Context = zmq.Context()
    socket = make_socket(context, zmq.REQ)
    try:
        socket.connect(endpoint)
        socket.send(msgspec.json.encode(request))
        if not socket.poll(round(timeout * 1000)):
            raise TransportError(
                f"intentd in {directory} does not answer; see its log, or stop it by its number "
                f"in {directory / 'lock'}",
                code="no-answer",
            )
        reply = _replies.decode(socket.recv())
    except msgspec.DecodeError as error:
        raise TransportError(f"{endpoint}: no intentd of this version answers: {error}") from error
    finally:
        socket.close()
        context.term()
    if not reply.ok:
        name = type(request).__struct_config__.tag
        text = reply.error if isinstance(reply.error, str) else "refused"
        raise TransportError(f"{name}: {text}", code="refused")
    return reply


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of requests and replies."""
    (requests, replies), definitions = msgspec.json.schema_components(
        [Request, Reply], ref_template="#/$defs/{name}"
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "intentd control protocol",
        "anyOf": [requests, replies],
        "$defs": definitions,
    }


if __name__ == "__main__":
    import json

    target = Path(__file__).parent / "schemas" / "control.schema.json"
    target.write_text(json.dumps(json_schema(), indent=2) + "\n")
