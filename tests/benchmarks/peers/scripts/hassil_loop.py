"""hassil, Home Assistant's matcher: the training texts as templates, their slots as wildcards."""

import re

from hassil import Intents, recognize_best
from loop import measure, templates, values


def learn(rows):
    intents = Intents.from_dict(
        {
            "language": "en",
            "intents": {
                name: {"data": [{"sentences": [line for line in map(_plain, lines) if line]}]}
                for name, lines in templates(rows).items()
            },
            "lists": {name: {"wildcard": True} for name in values(rows)},
        }
    )

    def read(text):
        answer = recognize_best(text, intents)
        if answer is None:
            return "", []
        return answer.intent.name, [[e.name, str(e.value).strip()] for e in answer.entities_list]

    return read


def _plain(text):
    """Without the signs that are the syntax of templates."""
    return " ".join(re.sub(r"[\[\]()<>|;:]+", " ", text).split())


measure(learn, has_slots=True)
