"""The systemd unit: what the service may do, and what happens when it fails."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Final

from models.errors import ConfigurationError

NAME: Final = "intentd.service"

_COMMON: Final = """\
[Unit]
Description=intentd: speech to intents, offline
Documentation=man:systemd.service(5)
{after}StartLimitIntervalSec=300
StartLimitBurst=20

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
Restart=always
RestartSec=2
# Everything that is wrong with the configuration or the models: no restart mends it.
RestartPreventExitStatus=2
TimeoutStartSec=120
TimeoutStopSec=20
WatchdogSec=30
KillMode=mixed
SyslogIdentifier=intentd
{identity}
MemoryMax=1G
MemorySwapMax=0
TasksMax=256
LimitCORE=0
OOMPolicy=stop

UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
PrivateTmp=yes
ProtectSystem=strict
{home}
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy={wanted_by}
"""

_SOUND: Final = "After=pipewire-pulse.socket pulseaudio.socket sound.target\n"


def user_unit(executable: str, configuration: str) -> str:
    """The unit of one user: sound servers belong to users, so this is the usual one."""
    return _COMMON.format(
        after=_SOUND,
        command=_command(executable, configuration),
        identity="",
        # Models and keys are read, sockets are in the runtime directory; nothing else is written.
        home="ProtectHome=read-only\n"
        f"ReadWritePaths=%t {' '.join(_quoted(f'-{path}') for path in writable_folders())}\n"
        "PrivateUsers=yes",
        wanted_by="default.target",
    ).replace("\n\nMemoryMax", "\nMemoryMax")


def system_unit(executable: str, configuration: str) -> str:
    """The unit of the machine, for hubs and machines with one sound card and no users."""
    return _COMMON.format(
        after="After=network-online.target sound.target\nWants=network-online.target\n",
        command=_command(executable, configuration),
        identity="DynamicUser=yes\nSupplementaryGroups=audio\nRuntimeDirectory=intentd\n"
        "StateDirectory=intentd\nCacheDirectory=intentd\nConfigurationDirectory=intentd\n"
        "Environment=XDG_RUNTIME_DIR=%t/intentd XDG_CONFIG_HOME=/etc XDG_CACHE_HOME=%C\n"
        "Environment=XDG_STATE_HOME=%S XDG_DATA_HOME=%S\n"
        "DevicePolicy=closed\nDeviceAllow=char-alsa rw",
        home="ProtectHome=yes\nPrivateUsers=no",
        wanted_by="multi-user.target",
    )


def writable_folders() -> tuple[Path, ...]:
    """Where the daemon may write besides the runtime directory: the event journal, downloads."""
    import platformdirs

    return (
        platformdirs.user_state_path("intentd"),
        platformdirs.user_data_path("intentd"),
        platformdirs.user_cache_path("intentd"),
    )


def unit_path() -> Path:
    """Where a user's own units are."""
    home = os.environ.get("XDG_CONFIG_HOME")
    base = Path(home) if home else Path.home() / ".config"
    return base / "systemd" / "user" / NAME


def executable() -> str:
    """The command that the unit starts: the script that is running, by its full path."""
    script = Path(sys.argv[0]).resolve()
    if script.name == "intentd" and os.access(script, os.X_OK):
        return str(script)
    beside = Path(sys.executable).parent / "intentd"
    if os.access(beside, os.X_OK):
        return str(beside)
    raise ConfigurationError(
        "the command intentd is not installed as a program; install it with: pipx install intentd"
    )


def _command(executable: str, configuration: str) -> str:
    words = [executable, "run", "-c", configuration]
    # systemd's own quoting: like a shell's, but % and $ mean something everywhere.
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace("%", "%%").replace("$", "$$").replace('"', '\\"')
    return f'"{escaped}"' if escaped != shlex.quote(escaped) else escaped


if __name__ == "__main__":
    target = Path(__file__).resolve().parents[2] / "packaging" / NAME
    target.write_text(system_unit("/opt/intentd/bin/intentd", "/etc/intentd/intentd.yaml"))
