"""Every error of intentd: one small tree.

    IntentdError
    ├── ConfigurationError   a key, a value or a line of a configuration file
    ├── DomainError          a domain file or one of its sentence templates
    ├── ModelError           a model folder or file that is missing, broken or does not fit
    ├── SourceError          a microphone or a recording
    ├── TransportError       a socket, a port, a lock
    └── StageError           a stage that failed while it worked

Each carries a ``code`` for programs and a one-line message for people that names the thing and
the mend. The command line prints the message and exits with 2; a running daemon publishes it as
an ``error`` event.
"""

from __future__ import annotations


class IntentdError(Exception):
    """Base of all errors that a user may see.

    ``code`` is a short stable name in kebab case; ``message`` one line that names the thing at
    fault and how to mend it.
    """

    code: str = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class ConfigurationError(IntentdError):
    """A configuration file or one of its keys is wrong."""

    code = "bad-configuration"


class DomainError(IntentdError):
    """A domain file or one of its templates is wrong."""

    code = "bad-domain"


class ModelError(IntentdError):
    """A model is missing, incomplete, or its parts do not fit each other."""

    code = "bad-model"


class SourceError(IntentdError):
    """A microphone or recording can't be opened or read."""

    code = "bad-source"


class TransportError(IntentdError):
    """A socket, port, directory or lock can't be had."""

    code = "transport"


class StageError(IntentdError):
    """A stage failed while it processed a message."""

    code = "stage-failed"
