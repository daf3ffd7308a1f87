"""Benchmarks: the whole daemon against the same libraries in a plain loop.

``python -m tests.benchmarks`` from the project's root; ``--help`` tells the rest.
"""
