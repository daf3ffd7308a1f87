"""The command line. Each command imports what it needs only when it is called."""

from __future__ import annotations

import importlib
from typing import Final

import click

from pipeline.cli.errors import CleanErrors

_COMMANDS: Final = {
    "run": "pipeline.cli.run:run",
    "listen": "pipeline.cli.listen:listen",
    "say": "pipeline.cli.say:say",
    "chat": "pipeline.cli.chat:chat",
    "status": "pipeline.cli.status:status",
    "mute": "pipeline.cli.control:mute",
    "unmute": "pipeline.cli.control:unmute",
    "trigger": "pipeline.cli.control:trigger",
    "reload": "pipeline.cli.control:reload",
    "stop": "pipeline.cli.control:stop",
    "history": "pipeline.cli.history:history",
    "replay": "pipeline.cli.replay:replay",
    "ask": "pipeline.cli.ask:ask",
    "evaluate": "pipeline.cli.evaluate:evaluate",
    "compare": "pipeline.cli.compare:compare",
    "record": "pipeline.cli.record:record",
    "tune": "pipeline.cli.tune:tune",
    "devices": "pipeline.cli.devices:devices",
    "satellite": "pipeline.cli.satellite:satellite",
    "keys": "pipeline.cli.keys:keys",
    "service": "pipeline.cli.service:service",
    "check": "pipeline.cli.check:check",
    "models": "pipeline.cli.models:models",
    "words": "pipeline.cli.words:words",
    "try": "pipeline.cli.try_:try_",
    "train": "pipeline.cli.train:train",
    "train-speech": "pipeline.cli.train_speech:train_speech",
    "train-language": "pipeline.cli.train_language:train_language",
    "version": "pipeline.cli.version:version",
}


class LazyCommands(CleanErrors):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of a user's way through them."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """intentd turns speech into intents, offline, and publishes them over ZeroMQ."""
