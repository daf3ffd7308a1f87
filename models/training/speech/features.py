"""Features exactly as Vosk computes them.

Vosk reads MFCC by ``conf/mfcc.conf``; the network's first layer turns them back into log-mel
energies (40 of both: no information is lost), so the network is trained on log-mel energies.
Kaldi's filter bank: frames of 25 ms every 10 ms, Povey window, pre-emphasis 0.97, no dither, 40
triangular mel filters from 20 to 7,600 Hz, natural logarithm of the power, samples scaled as int16.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from models.errors import ModelError
from models.training.speech.audio import RATE, Samples

BINS = 40
LOW, HIGH = 20.0, -400.0
"""Hz; negative counts from the Nyquist frequency. As in ``conf/mfcc.conf``."""

LIFTER = 22.0
"""Kaldi's default cepstral lifter."""

FULL_SCALE = 32_768.0

STRIDE = 3
"""Frames of features for one frame of the network's output: 30 ms."""

Features = NDArray[np.float32]
"""Log-mel energies [frames of 10 ms, 40]."""


def log_mel(samples: Samples) -> Features:
    """Features of samples; empty if there are fewer than 400.

    Needs the package kaldi-native-fbank; raises ModelError without it.
    """
    try:
        import kaldi_native_fbank
    except ImportError:
        raise ModelError(
            "features need the package kaldi-native-fbank: pip install 'intentd[train]'"
        ) from None
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither = 0.0
    options.frame_opts.samp_freq = RATE
    options.mel_opts.num_bins = BINS
    options.mel_opts.low_freq = LOW
    options.mel_opts.high_freq = HIGH
    options.use_energy = False
    bank = kaldi_native_fbank.OnlineFbank(options)
    bank.accept_waveform(RATE, (samples * FULL_SCALE).tolist())
    bank.input_finished()
    count = bank.num_frames_ready
    if count == 0:
        return np.zeros((0, BINS), np.float32)
    return np.stack([bank.get_frame(number) for number in range(count)])


def output_frames(frames: int) -> int:
    """Frames of 30 ms that the network gives for so many frames of 10 ms."""
    return (frames + STRIDE - 1) // STRIDE


def cepstra_of_log_mel() -> NDArray[np.float64]:
    """The matrix [40, 40] that makes Kaldi's MFCC of log-mel energies: DCT-II, then the lifter."""
    orders, bins = np.arange(BINS)[:, None], np.arange(BINS)[None, :]
    transform = math.sqrt(2 / BINS) * np.cos(math.pi / BINS * (bins + 0.5) * orders)
    transform[0] = math.sqrt(1 / BINS)
    lifter = 1 + 0.5 * LIFTER * np.sin(np.pi * np.arange(BINS) / LIFTER)
    return np.asarray(lifter[:, None] * transform)
