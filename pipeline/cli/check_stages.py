"""``python -m pipeline.cli.check_stages``: can the stages of a configuration be opened?

The configuration comes as JSON on standard input; what is wrong goes to standard output.
A daemon runs this before it takes over a changed configuration.
"""

from __future__ import annotations

import sys

import msgspec

from models.errors import IntentdError
from pipeline.cli.check import check_annotator, check_language, check_speech
from pipeline.configuration import Configuration


def main() -> int:
    """Exit code 0, or 2 with one line that says what is wrong."""
    settings = msgspec.json.decode(sys.stdin.buffer.read(), type=Configuration)
    try:
        check_speech(settings)
        for index in range(len(settings.understanders)):
            check_language(settings, index)
        for section in settings.annotators:
            check_annotator(section)
    except IntentdError as error:
        print(error.message)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
