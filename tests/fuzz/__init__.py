"""Fuzzing: every decoder gets arbitrary bytes and raises nothing but its own error.

``make fuzz`` runs coverage-guided fuzzing (atheris) for a night; ``test_fuzz.py`` a short form of
it. What it found once lies in ``regressions/TARGET-*`` and is tried by every ``make test``.
"""
