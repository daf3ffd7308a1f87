"""The JSON Schema of domain files, for editors: ``python -m models.domain.schema`` writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from models.domain.shape import DomainShape


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the domain file."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "intentd domain",
        **msgspec.json.schema(DomainShape),
    }
    made: dict[str, Any] = json.loads(json.dumps(schema))
    return made


if __name__ == "__main__":
    folder = Path(__file__).resolve().parents[2] / "pipeline" / "schemas"
    target = folder / "domain.schema.json"
    target.write_text(json.dumps(json_schema(), indent=2) + "\n")
