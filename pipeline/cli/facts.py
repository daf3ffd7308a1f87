"""What a bug report needs to know of a machine, and nothing that is secret."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from models.errors import IntentdError

_PACKAGES: Final = (
    *("intentd", "vosk", "onnxruntime", "tokenizers", "sounddevice", "soundfile", "soxr"),
    *("pyzmq", "msgspec", "numpy", "hassil", "av", "cysystemd"),
)


def facts() -> Iterator[tuple[str, str]]:
    """Name and text of each fact. Nothing here fails: what can't be had is said so."""
    yield "versions", ", ".join(_versions())
    yield "machine", _machine()
    yield "sound", _sound()
    for name, folder in _folders().items():
        yield name, _folder(folder)
    yield "service", _service()


def _versions() -> Iterator[str]:
    yield f"Python {platform.python_version()}"
    for package in _PACKAGES:
        try:
            yield f"{package} {importlib.metadata.version(package)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"{package} missing"
    import zmq

    yield f"libzmq {zmq.zmq_version()}{'' if zmq.has('curve') else ' without CURVE'}"


def _machine() -> str:
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "") if _is_linux() else ""
    container = ", in a container" if Path("/.dockerenv").exists() else ""
    return (
        f"{platform.system()} {platform.release()} {platform.machine()} {system}, "
        f"{' '.join(platform.libc_ver())}, {os.cpu_count()} processors, "
        f"{pages * size / 2**30:.1f} GiB{container}"
    )


def _is_linux() -> bool:
    return Path("/etc/os-release").is_file() or Path("/usr/lib/os-release").is_file()


def _sound() -> str:
    try:
        from stages.sources.portaudio import list_devices, load

        devices = list_devices()
        version: str = load().get_portaudio_version()[1]
    except IntentdError as error:
        return error.message
    names = " | ".join(f"{d.name}, {d.host_api}{' *' if d.default else ''}" for d in devices)
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", "/nowhere"))
    servers = [name for name in ("pulse/native", "pipewire-0") if (runtime / name).exists()]
    return (
        f"{version.partition(',')[0]}; server: {', '.join(servers) or 'none in the runtime folder'}"
        f"; microphones: {names or 'none'}"
    )


def _folders() -> dict[str, Path]:
    import platformdirs

    from pipeline.addresses import default_directory
    from pipeline.security.keys import default_folder

    return {
        "runtime folder": default_directory(),
        "state folder": platformdirs.user_state_path("intentd"),
        "models folder": platformdirs.user_data_path("intentd"),
        "keys folder": default_folder(),
    }


def _folder(path: Path) -> str:
    there = next(folder for folder in (path, *path.parents) if folder.exists())
    free = shutil.disk_usage(there).free / 2**30
    mode = stat.S_IMODE(there.stat().st_mode)
    writable = "writable" if os.access(there, os.W_OK) else "not writable"
    missing = "" if there == path else f" (not there yet; of {shown(there)}:)"
    return f"{shown(path)}{missing} mode {mode:04o}, {writable}, {free:.1f} GiB free"


def _service() -> str:
    from pipeline.service.unit import unit_path

    path = unit_path()
    return f"{shown(path)} is installed" if path.is_file() else "no systemd unit of this user"


def shown(path: Path) -> str:
    """A path without the user's name."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)
