"""Numbers as people say them."""

from __future__ import annotations

from hassil.intents import RangeSlotList
from hassil.numbers import get_rbnf_engine

from models.domain.template import ListValue, Text

ALSO_SAID = {"en": {"one hundred": "a hundred", " point five": " and a half"}}
"""Ways of speaking that Unicode's number rules lack, by language: an ending, and what people also
say in its place."""


def spoken_numbers(numbers: RangeSlotList, language: str) -> tuple[ListValue, ...]:
    """Every number of a range in words, each with its value.

    Integers stay ``int`` unless the range has a multiplier; fractions are ``float``. Words come
    from Unicode's rule-based number formats (CLDR), with blanks for hyphens. Raises ValueError if
    CLDR has none for the language.
    """
    engine = get_rbnf_engine(language)
    also_said = ALSO_SAID.get(language.replace("_", "-").split("-")[0], {})
    spoken: dict[str, ListValue] = {}
    for number in numbers.get_numbers():
        value = number if numbers.multiplier is None else number * numbers.multiplier
        for form in engine.format_number(number).text_by_ruleset.values():
            words = form.replace("-", " ").replace("\u00ad", "").lower()
            forms = [words]
            for ending, other in also_said.items():
                if words.endswith(ending):
                    forms.append(words.removesuffix(ending) + other)
            for said in forms:
                spoken.setdefault(said, ListValue(Text(said), value))
    return tuple(spoken.values())
