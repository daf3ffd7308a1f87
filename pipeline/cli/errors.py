"""How a command ends: no traceback, one line on standard error, a fixed exit code."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from models.errors import IntentdError

BAD_INPUT = 2
"""Exit code of every IntentdError, as of click's own usage errors."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells report SIGINT."""

BROKEN_PIPE = 141
"""Exit code when the reader of standard output went away, as shells report SIGPIPE."""


def report(error: IntentdError) -> None:
    """Print an error as one line on standard error."""
    message = " ".join(error.message.split())
    click.echo(f"intentd: error: {message}", err=True)


class CleanErrors(click.Group):
    """A command group whose commands may raise IntentdError."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and turn what it raises into an exit code."""
        try:
            return super().invoke(ctx)
        except IntentdError as error:
            report(error)
            ctx.exit(BAD_INPUT)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            _silence_stdout()
            ctx.exit(BROKEN_PIPE)
        except OSError as error:
            _silence_stdout()
            report(IntentdError(f"{error.filename or 'standard output'}: {error.strerror}"))
            ctx.exit(BAD_INPUT)


def _silence_stdout() -> None:
    """Let the interpreter flush the rest of standard output into nothing at exit."""
    try:
        stdout = sys.stdout.fileno()
    except (OSError, ValueError):
        return
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, stdout)
    os.close(devnull)
