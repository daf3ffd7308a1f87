"""What happens to speech on its way to a microphone, and masks over its features.

Waveforms: speed, rooms, recorded noise and babble at a random signal-to-noise ratio, bandwidth
and tilt of the channel, volume with clipping, codecs, and the daemon's own suppression of noise.
Features: SpecAugment (Park et al., 2019)
without time warping. Everything is drawn from the generator that is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import soxr

from models.suppression import suppress
from models.training.speech.audio import RATE, Samples
from models.training.speech.codec import pass_codec
from models.training.speech.features import BINS, Features
from models.training.speech.noise import NoisePool

ROOMS = 200
"""Simulated rooms of a run; more are hardly told apart and take a second a hundred."""

TILT = 6.0
"""Greatest tilt of the channel, dB between 100 Hz and 8 kHz."""

MASK_BINS, MASK_FRAMES, MASK_EVERY = 8, 9, 150
"""Widest mask over mel bins, longest over frames, and frames of speech for each of the latter."""

FULL_SCALE = 32_768.0


class Augmentation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often and how much; shares are of all utterances, each drawn by itself."""

    speeds: tuple[float, ...] = (0.9, 1.0, 1.1)
    volume: tuple[float, float] = (-30.0, 0.0)
    """Peak level, dB of full scale; up to 3 dB more, clipped, in a few."""

    noise: float = 0.6
    snr: tuple[float, float] = (0.0, 25.0)
    """Ratio of the mean powers of speech and noise, dB."""

    babble: float = 0.1
    """Share with other people's speech behind; its ratio is 5 dB more."""

    room: float = 0.25
    bandwidth: float = 0.25
    """Share with a low-pass between 3.4 and 7.5 kHz."""

    tilt: float = 0.4
    codec: float = 0.0
    """Share that was packed and unpacked by one of ``codec.CODECS``, as by a telephone or radio."""

    suppressed: float = 0.0
    """Share whose noise is suppressed as the daemon does it (``models.suppression``)."""

    fresh_noise: float = 0.0
    """Share with noise added to the features, drawn anew in every epoch."""

    masks: float = 0.5
    """Share of utterances with masks over their features, drawn anew in every epoch."""


class Augmenter:
    """Changes waveforms; the same generator state gives the same result."""

    def __init__(self, settings: Augmentation, noises: NoisePool, rooms: Sequence[Samples]) -> None:
        self._settings = settings
        self._noises = noises
        self._rooms = rooms

    def __call__(
        self, samples: Samples, rng: np.random.Generator, others: Sequence[Samples] = ()
    ) -> Samples:
        """Changed speech; ``others`` are recordings to make babble of."""
        settings = self._settings
        samples = change_speed(samples, float(rng.choice(settings.speeds)))
        room = self._rooms[int(rng.integers(len(self._rooms)))] if self._rooms else None
        if room is not None and rng.random() < settings.room:
            samples = convolve(samples, room)
        if len(self._noises) and rng.random() < settings.noise:
            noise = self._noises.draw(len(samples), rng)
            samples = mix(samples, noise, rng.uniform(*settings.snr))
        if others and rng.random() < settings.babble:
            babble = np.sum([_fit(other, len(samples), rng) for other in others], axis=0)
            samples = mix(samples, babble, rng.uniform(*settings.snr) + 5.0)
        samples = self._channel(samples, rng)
        samples = self._volume(samples, rng)
        # Drawn last: with a share of 0 all other draws are what they were.
        if rng.random() < settings.codec:
            samples = pass_codec(samples, rng)
        return suppress(samples) if rng.random() < settings.suppressed else samples

    def _channel(self, samples: Samples, rng: np.random.Generator) -> Samples:
        settings = self._settings
        narrow, tilted = rng.random() < settings.bandwidth, rng.random() < settings.tilt
        if not narrow and not tilted:
            return samples
        size = _fast_length(len(samples))
        frequency = np.fft.rfftfreq(size, 1 / RATE)
        decibel = np.zeros_like(frequency)
        if tilted:
            octaves = np.log2(np.maximum(frequency, 100.0) / 100.0) / np.log2(80.0)
            decibel += rng.uniform(-TILT, TILT) * (octaves - 0.5)
        if narrow:
            cut = rng.uniform(3400.0, 7500.0)
            decibel -= np.clip((frequency - cut) / 300.0, 0.0, 1.0) * 60.0
        spectrum = np.fft.rfft(samples, size) * 10 ** (decibel / 20)
        return np.asarray(np.fft.irfft(spectrum, size)[: len(samples)], np.float32)

    def _volume(self, samples: Samples, rng: np.random.Generator) -> Samples:
        low, high = self._settings.volume
        level = rng.uniform(low, high + 1.0)
        peak = 10 ** ((level if level <= high else high + rng.uniform(0.0, 3.0)) / 20)
        scaled = samples * (peak / max(float(np.abs(samples).max()), 1e-6))
        # A microphone's own noise: without it digital silence would be learnt as a cue.
        hiss = rng.standard_normal(len(scaled)) * rng.uniform(0.3, 3.0) / FULL_SCALE
        return quantise(np.asarray(scaled + hiss, np.float32))


def change_speed(samples: Samples, factor: float) -> Samples:
    """Speech that is ``factor`` times as fast and as high."""
    return samples if factor == 1 else soxr.resample(samples, RATE, RATE / factor, quality="MQ")


def convolve(samples: Samples, response: Samples) -> Samples:
    """Samples heard through a room, as many as before."""
    size = _fast_length(len(samples) + len(response))
    spectrum = np.fft.rfft(samples, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(spectrum, size)[: len(samples)], np.float32)


def mix(speech: Samples, noise: Samples, snr: float) -> Samples:
    """Speech with noise so that the ratio of their mean powers is ``snr`` dB."""
    wanted = np.mean(speech**2) / 10 ** (snr / 10)
    power = max(float(np.mean(noise**2)), 1e-12)
    return np.asarray(speech + noise * np.sqrt(wanted / power), np.float32)


def quantise(samples: Samples) -> Samples:
    """Samples as 16 bits hold them: clipped and rounded."""
    rounded = np.rint(np.clip(samples * FULL_SCALE, -32_768, 32_767))
    return np.asarray(rounded / FULL_SCALE, np.float32)


def change_features(
    noises: NoisePool, settings: Augmentation, rng: np.random.Generator, features: Features
) -> Features:
    """Features as one epoch sees them: with ``noises`` (features) and masks, in some."""
    if len(noises) and rng.random() < settings.fresh_noise:
        noise = noises.draw(len(features), rng)
        features = add_noise(features, noise, rng.uniform(*settings.snr))
    return mask(features, rng) if rng.random() < settings.masks else features


def add_noise(features: Features, noise: Features, snr: float) -> Features:
    """Features of speech with noise whose mean power is ``snr`` dB below the speech's.

    Powers are added, as if the two waves were never in phase: a good guess of what mixing the
    waves gives, at no cost.
    """
    gain = np.log(np.exp(features).mean() / np.exp(noise).mean()) - snr * np.log(10) / 10
    return np.asarray(np.logaddexp(features, noise + gain), np.float32)


def mask(features: Features, rng: np.random.Generator) -> Features:
    """Features with one band of bins and some stretches of time set to their mean (SpecAugment)."""
    masked = features.copy()
    mean = features.mean(axis=0)
    width = int(rng.integers(MASK_BINS + 1))
    low = int(rng.integers(BINS - width + 1))
    masked[:, low : low + width] = mean[low : low + width]
    for _ in range(max(1, len(features) // MASK_EVERY)):
        length = int(rng.integers(MASK_FRAMES + 1))
        start = int(rng.integers(max(1, len(features) - length)))
        masked[start : start + length] = mean
    return masked


def _fit(samples: Samples, length: int, rng: np.random.Generator) -> Samples:
    return np.resize(np.roll(samples, int(rng.integers(len(samples)))), length)


def _fast_length(length: int) -> int:
    """A length at least this that the FFT is fast for."""
    power = 1 << max(0, length - 1).bit_length()
    return next(size for size in (5 * power // 8, 3 * power // 4, power) if size >= length)
