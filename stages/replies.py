"""Fill slot values into the texts of questions and replies."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from stages.messages import Slot

_log = logging.getLogger("intentd.dialogue")


def render(template: str, slots: tuple[Slot, ...]) -> str:
    """The text of a Jinja template; "" where it can't be filled in, which the log tells.

    It sees each slot's value by name, all of them in ``slots``, and what was said in ``raw``.
    Templates are sandboxed.
    """
    values: dict[str, Any] = {slot.name: slot.value for slot in slots}
    raw: Mapping[str, str] = {slot.name: slot.raw for slot in slots}
    try:
        text = _compile(template).render(**{**values, "slots": values, "raw": raw})
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        _log.warning("the text %r can't be filled in: %s", template, error)
        return ""
    return " ".join(text.split())


@lru_cache(maxsize=512)
def _compile(template: str) -> Template:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
    return environment.from_string(template)
