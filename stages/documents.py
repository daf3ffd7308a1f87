"""Documents of the user's, and words of them that answer a question."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from models.errors import ConfigurationError

MAX_DOCUMENT = 200_000
"""Characters of a document that may be read."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Words of a document that answer a question."""

    text: str
    document: str
    """Name of the document's file."""

    start: int
    """Offset of the first character in the document."""

    end: int
    """Offset behind the last character."""

    score: float
    """Log-odds against there being no answer: the greater, the surer."""

    context: str
    """The answer with some of what stands around it."""


def read_documents(paths: Sequence[Path]) -> dict[str, str]:
    """Texts by the name of their file.

    Raises ConfigurationError for what is no UTF-8 text, empty, or longer than is ever read.
    """
    documents = {}
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(f"document {path} can't be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigurationError(f"document {path} is not UTF-8 text: convert it") from None
        if not text.strip():
            raise ConfigurationError(f"document {path} is empty: leave it out")
        if len(text) > MAX_DOCUMENT:
            raise ConfigurationError(
                f"document {path} has {len(text)} characters, more than {MAX_DOCUMENT}: split it"
            )
        documents[path.name] = text
    return documents
