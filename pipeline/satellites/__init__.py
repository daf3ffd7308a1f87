"""Microphones on other machines: a satellite sends its audio, a hub takes it as a source."""
