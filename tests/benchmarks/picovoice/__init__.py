"""Picovoice's speech-to-intent benchmark."""
