"""Domains: what people may say, which intents and slots it means, and what the slots are worth.

A domain is one YAML file in Home Assistant's sentence-template format. Everything that needs its
sentences starts here: training text, speech grammars, canonical slot values.
"""

from models.domain.acceptor import Acceptor, Arc
from models.domain.domain import Domain
from models.domain.example import Example, ExampleSlot
from models.domain.template import SlotValue

__all__ = ["Acceptor", "Arc", "Domain", "Example", "ExampleSlot", "SlotValue"]
