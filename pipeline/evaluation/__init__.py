"""Evaluation: labelled recordings through the daemon's own stages, and figures of what came out."""
