"""Voice activity detection."""

from models.vad.detector import WINDOW_BYTES, WINDOW_SAMPLES, VoiceActivityDetector

__all__ = ["WINDOW_BYTES", "WINDOW_SAMPLES", "VoiceActivityDetector"]
