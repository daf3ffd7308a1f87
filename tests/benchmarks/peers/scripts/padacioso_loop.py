"""Padacioso: the training texts as its examples, with their slots as its entities."""

from loop import measure, templates, values
from padacioso import IntentContainer


def learn(rows):
    container = IntentContainer()
    for intent, lines in templates(rows).items():
        container.add_intent(intent, [_plain(line) for line in lines])
    for name, words in values(rows).items():
        container.add_entity(name, [_plain(word) for word in words])

    def read(text):
        answer = container.calc_intent(text)
        found = [[name, str(words)] for name, words in (answer.get("entities") or {}).items()]
        return answer.get("name") or "", found

    return read


def _plain(text):
    """Brackets and bars are its syntax, and no speech."""
    return "".join(c for c in text if c not in "()[]|*")


measure(learn, has_slots=True)
