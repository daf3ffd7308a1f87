"""Download one file over HTTP: resumed, retried, bounded. No hashes, no progress bars.

Resuming follows RFC 9110, sections 13.1.5 (If-Range) and 14 (ranges). The unfinished file is
``TARGET.part``; beside it ``TARGET.part.tag`` keeps the validator of the version it belongs to.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from models.errors import ModelError

# A broken connection is tried anew this often in a row. Only attempts that brought less than
# WORTHWHILE_BYTES count, so that two gigabytes over a bad line still arrive, in bounded time.
ATTEMPTS = 5
WORTHWHILE_BYTES = 1 << 20

# Seconds before the second attempt; doubled for each further one. Longer waits help a server that
# restarts, and annoy the user who merely has no network.
FIRST_BACKOFF = 0.5

# No model comes near this; it ends a server that never stops sending.
MAX_BYTES = 16 << 30

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and the bytes in all (None while unknown)."""


class _PassingError(Exception):
    """The attempt failed in a way that may pass."""


class _StaleError(_PassingError):
    """The part that is there can't be continued."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How stubborn a download is."""

    attempts: int = ATTEMPTS
    """Attempts in a row that bring next to nothing."""

    backoff: float = FIRST_BACKOFF
    """Seconds before the second of them."""


def download(
    url: str,
    target: Path,
    *,
    size: int | None = None,
    progress: Progress = lambda _done, _total: None,
    retries: Retries | None = None,
) -> None:
    """Fetch ``url`` to ``target``, continuing an earlier ``TARGET.part`` where possible.

    ``size`` is the size to expect in bytes; a server that offers another one is refused.

    Raises ModelError: not found, refused, cut too often (what came is kept for the next call),
    a full disk (what came is removed, so that the disk is usable).
    """
    retries = retries or Retries()
    part = target.with_name(target.name + ".part")
    try:
        with httpx.Client(follow_redirects=True, timeout=_TIMEOUT) as client:
            _attempt_until_done(client, url, part, size, progress, retries)
        os.replace(part, target)
        _tag_file(part).unlink(missing_ok=True)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise ModelError(f"{url} is no URL to download from ({error}): correct it") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            discard(target)
            raise disk_full(target.parent, size) from error
        raise ModelError(f"{part} can't be written: {error.strerror}; mend the folder") from error


def discard(target: Path) -> None:
    """Remove a download and whatever is left of an unfinished one."""
    part = target.with_name(target.name + ".part")
    for path in (target, part, _tag_file(part)):
        path.unlink(missing_ok=True)


def disk_full(folder: Path, size: int | None) -> ModelError:
    """The error for a disk on which ``size`` bytes don't fit."""
    needed = "the model" if size is None else f"{size / 1e6:.0f} MB"
    return ModelError(f"no space for {needed} in {folder}: free some and pull again")


def _attempt_until_done(
    client: httpx.Client,
    url: str,
    part: Path,
    size: int | None,
    progress: Progress,
    retries: Retries,
) -> None:
    failures = 0
    while True:
        before = _size(part)
        try:
            _attempt(client, url, part, size, progress)
            return
        except (httpx.TransportError, _PassingError) as error:
            if isinstance(error, httpx.UnsupportedProtocol):
                raise
            if isinstance(error, _StaleError):
                part.unlink()
            failures = 1 if _size(part) - before >= WORTHWHILE_BYTES else failures + 1
            if failures >= retries.attempts:
                raise ModelError(
                    f"{url} can't be fetched: {str(error) or type(error).__name__}; check the "
                    "network and pull again, or use --from with a copy"
                ) from error
            time.sleep(retries.backoff * 2 ** (failures - 1))
        except httpx.TooManyRedirects as error:
            raise ModelError(f"{url} redirects in a circle: try again later") from error


def _attempt(
    client: httpx.Client, url: str, part: Path, size: int | None, progress: Progress
) -> None:
    """One request that starts the file or continues it; returns when the file is complete."""
    have, headers = _size(part), {"Accept-Encoding": "identity"}
    tag = _read_tag(part)
    if have and tag:
        headers |= {"Range": f"bytes={have}-", "If-Range": tag}
    with client.stream("GET", url, headers=headers) as response:
        start, total = _check_response(response, url, have)
        if size is not None and total not in (None, size):
            raise ModelError(
                f"{url} has {total} bytes, not {size} as listed: it was replaced; "
                "look for a newer intentd, or use --from with a copy"
            )
        if have and start == have == total:
            return
        limit = size or total or MAX_BYTES
        done = _write(response, url, part, start, total or size, limit, progress)
    if done < (total or size or 0):
        raise _PassingError(f"the connection ended after {done} of {total or size} bytes")


def _check_response(response: httpx.Response, url: str, have: int) -> tuple[int, int | None]:
    """Where the body starts in the file, and the file's size if the server tells it."""
    if url.startswith("https:") and response.url.scheme != "https":
        raise ModelError(f"{url} redirects to the unprotected {response.url}: refused")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise ModelError(f"{url} was sent compressed although asked not to: use another mirror")
    if response.status_code == 206:
        start, total = _content_range(response)
        if start != have:
            raise _StaleError(f"the server sent bytes from {start} instead of {have}")
        return start, total
    if response.status_code == 200:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdigit() else None
    if response.status_code == 416:
        _, total = _content_range(response)
        if total == have:
            return have, total
        raise _StaleError("the server has no such range")
    message = f"HTTP {response.status_code} {response.reason_phrase}"
    if response.status_code in _PASSING_STATUS:
        raise _PassingError(message)
    raise ModelError(f"{url} can't be fetched: {message}; use --from with a copy from elsewhere")


def _content_range(response: httpx.Response) -> tuple[int | None, int | None]:
    """Parse ``bytes 5-9/10`` or ``bytes */10`` into the start and the total."""
    span, _, total = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
    start = span.partition("-")[0]
    return (
        int(start) if start.isdigit() else None,
        int(total) if total.isdigit() else None,
    )


def _write(
    response: httpx.Response,
    url: str,
    part: Path,
    start: int,
    total: int | None,
    limit: int,
    progress: Progress,
) -> int:
    """Append the body to the file from ``start`` on and return the size that was reached."""
    done = start
    progress(done, total)
    with part.open("ab" if start else "wb") as file:
        # Only now, when the bytes of another version are gone, may the tag name this one.
        _store_tag(part, response)
        for chunk in response.iter_raw():
            done += len(chunk)
            if done > limit:
                raise ModelError(f"{url} sends more than the {limit} bytes it should have: refused")
            file.write(chunk)
            progress(done, total)
    return done


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _tag_file(part: Path) -> Path:
    return part.with_name(part.name + ".tag")


def _read_tag(part: Path) -> str:
    path = _tag_file(part)
    return path.read_text(encoding="ascii") if path.exists() else ""


def _store_tag(part: Path, response: httpx.Response) -> None:
    """Keep what If-Range may carry: a strong entity tag, else the date of the last change.

    Without either there is no telling whether a rest belongs to the same version of the file, and
    the next attempt starts from the beginning.
    """
    tag = response.headers.get("ETag", "")
    if not tag or tag.startswith("W/"):
        tag = response.headers.get("Last-Modified", "")
    _tag_file(part).write_text(tag, encoding="ascii", errors="ignore")
