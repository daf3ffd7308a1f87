"""Soak: the live daemon for an hour or a night, and hours of what nobody said.

``python -m tests.soak --minutes 60`` from the project's root plays recordings, noise and silence
into a live daemon and draws how its memory, files, threads, queues and latency behave.
``python -m tests.soak.quiet --hours 2`` replays noise, music and silence and counts false accepts.
"""
