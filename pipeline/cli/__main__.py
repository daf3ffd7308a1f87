"""``python -m pipeline.cli``: the command ``intentd`` where its script is not on the path."""

from pipeline.cli import main

main(prog_name="intentd")
