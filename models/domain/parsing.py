"""From a domain file to template trees: parse with hassil, then fill in lists and rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hassil import expression as hassil
from hassil.parse_expression import ParseExpressionError, parse_sentence
from hassil.parser import ParseError

from models.domain.lists import read_list
from models.domain.source import KeyPath, Source
from models.domain.template import (
    Choice,
    Node,
    Permutation,
    Sequence,
    Slot,
    Template,
    Text,
    ValueList,
)

TOP_KEYS = ("language", "intents", "lists", "expansion_rules", "skip_words")
BLOCK_KEYS = ("sentences", "lists", "expansion_rules")

SPOKEN = re.compile(r"[^\W\d_]*(?:'[^\W\d_]*)*")
"""What may stand in a template besides blanks: letters and apostrophes. Speech has no digits."""


@dataclass(frozen=True)
class Scope:
    """The lists and rules that a template may refer to."""

    lists: dict[str, ValueList] = field(default_factory=dict)
    rules: dict[str, tuple[object, KeyPath]] = field(default_factory=dict)
    """What is written for each rule, and where."""

    filled: dict[str, Node] = field(default_factory=dict)
    """Trees of the rules that were needed so far."""


class TemplateParser:
    """Parses the templates of one domain file; every DomainError names its place in the file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        source.known_keys(source.data, TOP_KEYS, ())
        self.language = source.string(source.data.get("language"), ("language",))
        self._open_rules: list[str] = []
        self._used_rules: set[KeyPath] = set()
        self._scope = self._extend(Scope(), source.data, ())

    def templates(self) -> tuple[Template, ...]:
        """All templates in the order of the file."""
        source = self._source
        intents = source.mapping(source.data.get("intents"), ("intents",))
        if not intents:
            source.fail(("intents",), "there are none: add at least one intent")
        found: list[Template] = []
        for name, body in intents.items():
            path: KeyPath = ("intents", name)
            source.known_keys(source.mapping(body, path), ("data",), path)
            blocks = source.sequence(body.get("data"), (*path, "data"))
            for number, block in enumerate(blocks):
                found += self._block(name, block, (*path, "data", number))
        self._check_unused_rules()
        return tuple(found)

    def skip_words(self) -> tuple[str, ...]:
        """Phrases that may stand before or behind a sentence."""
        path: KeyPath = ("skip_words",)
        if "skip_words" not in self._source.data:
            return ()
        phrases = []
        for number, phrase in enumerate(
            self._source.sequence(self._source.data["skip_words"], path)
        ):
            text = self._source.string(phrase, (*path, number))
            phrases.append(" ".join(self._text(text, (*path, number)).text.split()))
        return tuple(phrases)

    def _block(self, intent: str, block: object, path: KeyPath) -> list[Template]:
        body = self._source.mapping(block, path)
        self._source.known_keys(body, BLOCK_KEYS, path)
        scope = self._scope
        if "lists" in body or "expansion_rules" in body:
            scope = self._extend(scope, body, path)
        sentences = self._source.sequence(body.get("sentences"), (*path, "sentences"))
        return [
            Template(intent, str(text), self._parse(text, scope, (*path, "sentences", number)))
            for number, text in enumerate(sentences)
        ]

    def _extend(self, outer: Scope, data: Mapping[str, Any], path: KeyPath) -> Scope:
        """``outer`` plus the lists and rules of ``data``, which hide those of the same name."""
        scope = Scope(dict(outer.lists), dict(outer.rules))
        rules_path = (*path, "expansion_rules")
        for name, text in self._source.mapping(data.get("expansion_rules", {}), rules_path).items():
            scope.rules[name] = (text, (*rules_path, name))
        lists_path = (*path, "lists")
        for name, body in self._source.mapping(data.get("lists", {}), lists_path).items():
            list_path = (*lists_path, name)
            values = read_list(
                self._source, name, body, list_path, self.language, self._parser_in(scope)
            )
            scope.lists[name] = values
            if "values" in body:
                # Number words are made when needed; mistakes in words should show at once.
                _ = values.values
        return scope

    def _parser_in(self, scope: Scope) -> Any:
        return lambda text, path: self._parse(text, scope, path)

    def _parse(self, text: object, scope: Scope, path: KeyPath) -> Node:
        template = self._source.string(text, path)
        try:
            sentence = parse_sentence(template)
        except (ParseError, ParseExpressionError, AssertionError):
            self._source.fail(path, f'the template "{template}" has unbalanced or empty brackets')
        return self._fill(sentence.expression, scope, path)

    def _fill(self, node: hassil.Expression, scope: Scope, path: KeyPath) -> Node:
        if isinstance(node, hassil.TextChunk):
            return self._text(node.original_text, path)
        if isinstance(node, hassil.ListReference):
            if node.list_name not in scope.lists:
                self._source.fail(path, f"there is no list {{{node.list_name}}}")
            return Slot(node.slot_name, scope.lists[node.list_name])
        if isinstance(node, hassil.RuleReference):
            return self._rule(node.rule_name, scope, path)
        assert isinstance(node, hassil.Group), node
        items = tuple(self._fill(item, scope, path) for item in node.items)
        if isinstance(node, hassil.Alternative):
            return Choice(items, node.is_optional)
        return Permutation(items) if isinstance(node, hassil.Permutation) else Sequence(items)

    def _text(self, text: str, path: KeyPath) -> Text:
        for word in text.split():
            if not SPOKEN.fullmatch(word):
                self._source.fail(path, f'"{word}" is not a spoken word: use letters only')
        return Text(text.lower())

    def _rule(self, name: str, scope: Scope, path: KeyPath) -> Node:
        if name not in scope.rules:
            self._source.fail(path, f"there is no expansion rule <{name}>")
        if name in self._open_rules:
            chain = " → ".join([*self._open_rules, name])
            self._source.fail(path, f"the expansion rule <{name}> refers to itself: {chain}")
        if name not in scope.filled:
            text, written = scope.rules[name]
            self._open_rules.append(name)
            scope.filled[name] = self._parse(text, scope, written)
            self._open_rules.pop()
            self._used_rules.add(written)
        return scope.filled[name]

    def _check_unused_rules(self) -> None:
        """Mistakes in a rule that no template uses (yet) are mistakes too."""
        for name, (_, written) in self._scope.rules.items():
            if written not in self._used_rules:
                self._rule(name, self._scope, written)
