"""Which labels of the corpora belong to a domain: ``scopes.yaml``, read and checked.

::

    home:
      intents: {"*/iot_hue_lightoff": HassTurnOff}   # the same request in people's own words
      within: ["*/iot_*"]                            # perhaps in the domain: left out
      open_slots: [search_query]                     # slots that hold any words

Labels are shell patterns; ``intents`` come before ``within``.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from models.errors import ModelError

SCOPES_FILE = Path(__file__).with_name("scopes.yaml")


class Scope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The labels of the corpora that belong to one domain."""

    within: tuple[str, ...] = ()
    """Labels of texts that may be in the domain."""

    intents: dict[str, str] = {}
    """Labels of texts that are in the domain, with the intent they have there."""

    open_slots: tuple[str, ...] = ()
    """Slots that hold any words, whatever the values in the domain's file."""

    def intent_of(self, label: str) -> str | None:
        """The intent that texts with ``label`` have in the domain, if that is known."""
        for pattern, intent in self.intents.items():
            if fnmatchcase(label, pattern):
                return intent
        return None

    def has(self, label: str) -> bool:
        """Whether texts with ``label`` may be in the domain."""
        patterns = (*self.intents, *self.within)
        return any(fnmatchcase(label, pattern) for pattern in patterns)


def read_scope(
    domain: str, intents: Iterable[str], slots: Iterable[str], path: Path = SCOPES_FILE
) -> Scope:
    """The scope of a domain; an empty one where the file has none.

    Raises ModelError where the file is malformed or names an intent or slot that the domain lacks.
    """
    try:
        scopes = msgspec.yaml.decode(path.read_bytes(), type=dict[str, Scope])
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise ModelError(f"{path}: {error}") from error
    scope = scopes.get(domain, Scope())
    for kind, named, known in (
        ("intent", scope.intents.values(), intents),
        ("slot", scope.open_slots, slots),
    ):
        unknown = set(named) - set(known)
        if unknown:
            raise ModelError(f'{path}: the domain "{domain}" has no {kind} "{min(unknown)}"')
    return scope
