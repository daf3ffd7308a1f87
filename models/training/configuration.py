"""Configurations of training runs: YAML into frozen structures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import yaml

from models.errors import ConfigurationError


def read_configuration(path: Path, kind: Any, dec_hook: Callable[[type, Any], Any]) -> Any:
    """A file as a value of ``kind``. Raises ConfigurationError naming the file and the key."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        return msgspec.convert(data, kind, dec_hook=dec_hook)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        text = " ".join(str(error).split())
        raise ConfigurationError(f"{path} is not YAML: {text}") from None
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"{path}: {error}") from None
