"""The model catalogue: which models there are, where they lie, whether they are whole.

``find`` and ``verify`` are what the daemon needs and import no network library; downloading is
in ``models.catalogue.install``.
"""

from __future__ import annotations

from models.catalogue.entries import Entry, RemoteFile, load_catalogue, lookup
from models.catalogue.layout import check_layout, kind_of
from models.catalogue.places import FoundModel, find, scan
from models.catalogue.verification import verify

__all__ = [
    "Entry",
    "FoundModel",
    "RemoteFile",
    "check_layout",
    "find",
    "kind_of",
    "load_catalogue",
    "lookup",
    "scan",
    "verify",
]
