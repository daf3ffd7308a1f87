"""Domains: what people may say, which intents and slots it means, and what the slots are worth.

A domain is a YAML file, or a folder of them, in Home Assistant's sentence-template format.
Everything that needs its sentences starts here: training text, speech grammars, slot values,
questions and replies.
"""

from models.domain.acceptor import Acceptor, Arc
from models.domain.domain import Domain
from models.domain.example import Example, ExampleSlot
from models.domain.intents import IntentDetails, WrittenExample
from models.domain.recognition import Recognition
from models.domain.template import WILDCARD, SlotValue

__all__ = [
    "WILDCARD",
    "Acceptor",
    "Arc",
    "Domain",
    "Example",
    "ExampleSlot",
    "IntentDetails",
    "Recognition",
    "SlotValue",
    "WrittenExample",
]
