"""PortAudio: the input devices, and the capture of audio from one of them.

Nothing else imports ``sounddevice``, and here it happens when a microphone is first asked for,
so that a machine without PortAudio can replay recordings.
"""

from __future__ import annotations

import atexit
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from models.errors import SourceError
from models.native_messages import held_back
from stages.messages import SAMPLE_RATE

CALLBACKS_A_SECOND = 10
"""Each callback wakes Python up: 10 a second cost next to nothing and delay by 100 ms at most."""

QUEUE_SECONDS = 10.0
"""Audio that may wait to be read: longer than any pause of the reader, small in memory."""

CLOSE_SECONDS = 1.0
"""A stream is closed within milliseconds, unless its driver or sound server hangs."""

_LIST = "`intentd devices` lists what there is"

_lock = threading.Lock()
_captures: set[PortAudioCapture] = set()
_at_exit: list[Callable[[], None]] = []
_closers: list[threading.Thread] = []
"""Threads that close a stream. While one of them hangs, nothing else may touch PortAudio."""


@dataclass(frozen=True, kw_only=True)
class InputDevice:
    """A microphone as PortAudio sees it."""

    name: str
    host_api: str
    """The system's audio interface it belongs to: ``ALSA``."""

    channels: int
    """Most channels it can deliver."""

    sample_rate: int
    """Its own sample rate in Hz."""

    default: bool
    """True for the one that is used when none is named."""

    index: int
    """PortAudio's number of it, which is only good until the devices are looked up again."""


@dataclass(frozen=True, kw_only=True)
class CapturedBlock:
    """What one callback delivered."""

    pcm: bytes
    """int16 little-endian samples, channels interleaved."""

    captured: float
    """Seconds since the epoch at which the first of them was heard."""

    dropped: int
    """Frames that were dropped before, because the queue was full."""

    overflow: bool
    """True if the system lost some before, nobody knows how many."""


class PortAudioCapture:
    """An open microphone that fills a bounded queue."""

    def __init__(
        self,
        device: InputDevice,
        *,
        rate: int | None,
        seconds: float,
        now: Callable[[], float],
    ) -> None:
        """Open ``device`` with room for ``seconds`` of audio; raises SourceError."""
        self.device = device
        self.blocks: queue.Queue[CapturedBlock | None] = queue.Queue(
            max(int(seconds * CALLBACKS_A_SECOND), 2)
        )
        """What was captured; None wakes the reader up when the device is gone."""
        self.ended = threading.Event()
        """Set when no more audio comes from the device."""
        self._now = now
        self._dropped = 0
        self._overflow = False
        self._closer: threading.Thread | None = None
        sounddevice = load()
        self.rate, self.channels = _supported(sounddevice, device, rate)
        try:
            self._stream = sounddevice.RawInputStream(
                device=device.index,
                samplerate=self.rate,
                channels=self.channels,
                dtype="int16",
                blocksize=self.rate // CALLBACKS_A_SECOND,
                latency="high",
                callback=self._receive,
                finished_callback=self._finish,
            )
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            raise _cannot_open(device, error) from None
        _captures.add(self)

    def close(self) -> None:
        """Stop at once; may be called again, and when the device is gone.

        A driver or sound server that hangs would hold us for as long: it is left to a thread.
        """
        if self._closer is None:
            self._closer = threading.Thread(target=self._close, name="closer", daemon=True)
            _closers.append(self._closer)
            self._closer.start()
        self._closer.join(CLOSE_SECONDS)

    def _close(self) -> None:
        self._stream.abort(ignore_errors=True)
        self._stream.close(ignore_errors=True)
        _captures.discard(self)

    def _receive(self, data: Any, frames: int, _time: Any, status: Any) -> None:
        # Runs on PortAudio's own thread: whatever blocks here loses audio, and an exception
        # would stop the stream without a word.
        if status.input_overflow:
            self._overflow = True
        captured = self._now() - frames / self.rate
        block = CapturedBlock(
            pcm=bytes(data), captured=captured, dropped=self._dropped, overflow=self._overflow
        )
        try:
            self.blocks.put_nowait(block)
        except queue.Full:
            self._dropped += frames
            return
        self._dropped, self._overflow = 0, False

    def _finish(self) -> None:
        self.ended.set()
        try:
            self.blocks.put_nowait(None)
        except queue.Full:
            return


def load() -> Any:
    """The sounddevice module; raises SourceError if PortAudio is missing."""
    try:
        import sounddevice
    except (OSError, ImportError):
        raise SourceError(
            "PortAudio is missing, which microphones need; install libportaudio2 "
            "(Debian, Ubuntu) or portaudio (Fedora, Arch, Homebrew)",
            code="no-portaudio",
        ) from None
    if not _at_exit:
        _at_exit.append(_terminate_at_exit)
        atexit.unregister(sounddevice._exit_handler)
        atexit.register(_terminate_at_exit)
    return sounddevice


def list_devices() -> list[InputDevice]:
    """The input devices; raises SourceError if PortAudio is missing or fails."""
    sounddevice = load()
    try:
        apis = sounddevice.query_hostapis()
        default = sounddevice.default.device[0]
        if default < 0 and apis:
            default = apis[0]["default_input_device"]
        return [
            InputDevice(
                name=device["name"],
                host_api=apis[device["hostapi"]]["name"],
                channels=device["max_input_channels"],
                sample_rate=round(device["default_samplerate"]),
                default=index == default,
                index=index,
            )
            for index, device in enumerate(sounddevice.query_devices())
            if device["max_input_channels"] > 0
        ]
    except sounddevice.PortAudioError as error:
        raise _unusable(error) from None


def choose(devices: Sequence[InputDevice], name: str | None) -> InputDevice:
    """The device whose name contains ``name`` in any case, or the default for None.

    A name that is equal wins over those that only contain it. Raises SourceError if none or
    several match.
    """
    if not devices:
        raise SourceError(
            "no microphone found; plug one in, or give a container its sound devices "
            "(--device /dev/snd)",
            code="no-microphone",
        )
    if name is None:
        default = [device for device in devices if device.default]
        if default:
            return default[0]
        raise SourceError(
            f"no default microphone; name one in the configuration, {_LIST}", code="no-microphone"
        )
    wanted = name.casefold()
    titles = {device.index: f"{device.name}, {device.host_api}".casefold() for device in devices}
    matches = [
        device for device in devices if wanted in (device.name.casefold(), titles[device.index])
    ] or [device for device in devices if wanted in titles[device.index]]
    if not matches:
        raise SourceError(f"no microphone is called {name!r}; {_LIST}", code="no-microphone")
    if len(matches) > 1:
        names = " | ".join(f"{device.name}, {device.host_api}" for device in matches)
        raise SourceError(f"several microphones match {name!r}; write more of one's name: {names}")
    return matches[0]


def open_capture(
    name: str | None,
    *,
    rate: int | None = None,
    seconds: float = QUEUE_SECONDS,
    now: Callable[[], float] = time.time,
) -> PortAudioCapture:
    """Open the microphone that matches ``name`` now, plugged in since the start or not.

    It is opened at ``rate`` Hz, or for None at 16 kHz if it can and else at its own rate;
    ``seconds`` of audio fit in its queue. Raises SourceError.
    """
    with _lock, held_back():
        if _hangs():
            raise SourceError(
                "the sound system does not answer; it may need to be restarted",
                code="no-microphone",
            )
        _refresh()
        return PortAudioCapture(choose(list_devices(), name), rate=rate, seconds=seconds, now=now)


def _hangs() -> bool:
    """True while PortAudio can't be used, because a call into it does not come back."""
    _closers[:] = [thread for thread in _closers if thread.is_alive()]
    return bool(_closers)


def _terminate_at_exit() -> None:
    # What sounddevice does at exit; but that would wait for a driver that hangs.
    if not _hangs():
        load()._exit_handler()


def _refresh() -> None:
    # PortAudio looks for devices only when it is initialised, and doing that anew ends the
    # streams that are open: with another microphone at work the old list must do.
    if _captures:
        return
    sounddevice = load()
    try:
        if sounddevice._initialized:
            sounddevice._terminate()
        sounddevice._initialize()
    except sounddevice.PortAudioError as error:
        raise _unusable(error) from None


def _supported(sounddevice: Any, device: InputDevice, rate: int | None) -> tuple[int, int]:
    """Sample rate and channels to open with: as little to convert as the device allows."""
    rates = dict.fromkeys((rate,) if rate else (SAMPLE_RATE, device.sample_rate))
    channels = dict.fromkeys(n for n in (1, 2, device.channels) if n <= device.channels)
    failure: Exception | None = None
    for count in channels:
        for hertz in rates:
            try:
                sounddevice.check_input_settings(
                    device=device.index, channels=count, dtype="int16", samplerate=hertz
                )
            except (sounddevice.PortAudioError, ValueError) as error:
                failure = failure or error
            else:
                return hertz, count
    raise _cannot_open(device, failure)


def _unusable(error: Exception) -> SourceError:
    return SourceError(f"PortAudio fails to list devices ({error}); check the sound system")


def _cannot_open(device: InputDevice, error: Exception | None) -> SourceError:
    reason = str(error).splitlines()[0] if error else "no setting fits"
    return SourceError(
        f"microphone {device.name!r} can't be opened ({reason}); close the program that uses it, "
        f"or take another one: {_LIST}",
        code="no-microphone",
    )
