"""Names of the streams that a hub makes of what its satellites send."""

from __future__ import annotations


def stream_name(hub: str, satellite: str, stream: str, count: int) -> str:
    """A name that is new for each part of a satellite's stream that is heard here.

    What stands before the slash is the hub's, by which acknowledgements find their way.
    """
    return f"{hub}/{satellite}-{stream}-{count}"


def lasting_name(name: str) -> str:
    """The satellite's own stream, whatever hub hears a part of it."""
    return name.partition("/")[2].rpartition("-")[0]


def lasting_name_of(satellite: str, stream: str) -> str:
    """The same, before any part of it has a name."""
    return f"{satellite}-{stream}"
