"""Stages: small classes that turn messages into messages, and the message types themselves.

A stage knows nothing of sockets, processes or the command line.
"""
