"""Artefacts: speech models, language models, domains, and the catalogue that finds them.

One module or package for each kind of artefact. Nothing here knows of stages, sockets or
configuration files.
"""
