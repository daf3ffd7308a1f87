"""From a domain's files to template trees: parse with hassil, then fill in lists and rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hassil import expression as hassil
from hassil.parse_expression import ParseExpressionError, parse_sentence
from hassil.parser import ParseError
from hassil.util import is_template

from models.domain.context import block_context, fits
from models.domain.lists import read_list
from models.domain.shape import BlockShape, DomainShape, IntentShape, keys
from models.domain.source import KeyPath, Source
from models.domain.template import (
    Choice,
    ListValue,
    Node,
    Permutation,
    Sequence,
    Slot,
    SlotValue,
    Template,
    Text,
    ValueList,
)

TOP_KEYS = keys(DomainShape)
INTENT_KEYS = keys(IntentShape)
BLOCK_KEYS = keys(BlockShape)

MOST_PERMUTED = 7
"""Parts of ``(a;b;…)``: there are 5,040 orders of seven, and each is a way to say the sentence."""

SPOKEN = re.compile(r"[^\W\d_]*(?:'[^\W\d_]*)*")
"""What may stand in a template besides blanks: letters and apostrophes. Speech has no digits."""


@dataclass(frozen=True)
class Scope:
    """The lists and rules that a template may refer to."""

    lists: dict[str, ValueList] = field(default_factory=dict)
    rules: dict[str, tuple[object, KeyPath]] = field(default_factory=dict)
    """What is written for each rule, and where."""

    allows: Callable[[ListValue], bool] | None = None
    """Which list values may be said here; None: all."""

    filled: dict[str, Node | None] = field(default_factory=dict)
    """Trees of the rules that were needed so far; None for what can only be written."""


class TemplateParser:
    """Parses the templates of a domain; every DomainError names its place in the files.

    Parts that can only be written ("50%" beside "fifty percent") are left out of the trees, and
    so are values that the context of a sentence rules out.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        source.known_keys(source.data, TOP_KEYS, ())
        self.language = source.string(source.data.get("language"), ("language",))
        self._open_rules: list[str] = []
        self._used_rules: set[KeyPath] = set()
        self.unspoken: list[str] = []
        """Templates that can be written but not said; only where files are many."""

        self._problem: tuple[KeyPath, str, str] | None = None
        """Where the last part stands that can't be said: path, template and word."""

        self._scope = self._extend(Scope(), source.data, ())

    def templates(self) -> tuple[Template, ...]:
        """All templates in the order of the files."""
        source = self._source
        intents = source.mapping(source.data.get("intents"), ("intents",))
        if not intents:
            source.fail(("intents",), "there are none: add at least one intent")
        found: list[Template] = []
        for name, body in intents.items():
            path: KeyPath = ("intents", name)
            source.known_keys(source.mapping(body, path), INTENT_KEYS, path)
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
        self._problem = None
        for number, phrase in enumerate(
            self._source.sequence(self._source.data["skip_words"], path)
        ):
            text = self._source.string(phrase, (*path, number))
            spoken = self._text(text, text, (*path, number))
            self._check_unspoken()
            phrases.append(" ".join(spoken.text.split()) if spoken else "")
        return tuple(phrases)

    def _block(self, intent: str, block: object, path: KeyPath) -> list[Template]:
        body = self._source.mapping(block, path)
        self._source.known_keys(body, BLOCK_KEYS, path)
        for key in ("slots", "requires_context", "excludes_context", "metadata"):
            self._source.mapping(body.get(key, {}), (*path, key))
        context = block_context(body)
        scope = self._scope
        if "lists" in body or "expansion_rules" in body:
            scope = self._extend(scope, body, path)
        if context.required or context.excluded:
            scope = Scope(
                dict(scope.lists), scope.rules, lambda value: fits(value.context, context)
            )
        implied = tuple(
            (name, value) for name, value in context.implied.items() if _is_scalar(value)
        )
        templates = []
        sentences = self._source.sequence(body.get("sentences"), (*path, "sentences"))
        for number, text in enumerate(sentences):
            self._problem = None
            root = self._parse(text, scope, (*path, "sentences", number))
            if root is not None:
                templates.append(Template(intent, text, root, implied, body.get("response")))
            elif self._source.strict:
                self._check_unspoken()
            elif self._is_unspoken():
                self.unspoken.append(text)
        return templates

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

    def _parser_in(self, scope: Scope) -> Callable[[object, KeyPath], Node | None]:
        return lambda text, path: self._parse(text, scope, path)

    def _parse(self, text: object, scope: Scope, path: KeyPath) -> Node | None:
        template = self._source.string(text, path)
        if not is_template(template) and "\\" not in template and ";" not in template:
            return self._text(template, template, path)
        try:
            sentence = _parse_sentence(template)
        except (ParseError, ParseExpressionError, AssertionError):
            self._source.fail_inside(
                path,
                template,
                _unbalanced(template),
                f'the template "{template}" has unbalanced or empty brackets',
            )
        return self._fill(sentence, template, scope, path)

    def _fill(
        self, node: hassil.Expression, template: str, scope: Scope, path: KeyPath
    ) -> Node | None:
        if isinstance(node, hassil.TextChunk):
            return self._text(node.original_text, template, path)
        if isinstance(node, hassil.ListReference):
            return self._slot(node, template, scope, path)
        if isinstance(node, hassil.RuleReference):
            return self._rule(node.rule_name, template, scope, path)
        assert isinstance(node, hassil.Group), node
        before = self._problem
        filled = tuple(self._fill(item, template, scope, path) for item in node.items)
        items = tuple(item for item in filled if item is not None)
        if isinstance(node, hassil.Alternative):
            if items:
                self._problem = before
            if node.is_optional and len(items) == 1:
                return items[0]
            return Choice(items, node.is_optional) if items else None
        if len(items) < len(filled):
            return None
        if not isinstance(node, hassil.Permutation):
            return Sequence(items)
        if len(items) > MOST_PERMUTED:
            self._source.fail_inside(
                path,
                template,
                ";",
                f'the template "{template}" has {len(items)} parts in any order: at most '
                f"{MOST_PERMUTED} can be",
            )
        return Permutation(items)

    def _slot(
        self, node: hassil.ListReference, template: str, scope: Scope, path: KeyPath
    ) -> Node | None:
        name = node.list_name
        if node.is_inline_range and name not in scope.lists:
            first, last, step = node.get_inline_range() or (0, 0, 1)
            body = {"range": {"from": first, "to": last, "step": step}}
            scope.lists[name] = read_list(
                self._source, name, body, path, self.language, self._parser_in(scope)
            )
        if name not in scope.lists:
            known = ", ".join(sorted(scope.lists)) or "none"
            self._source.fail_inside(
                path,
                template,
                f"{{{name}",
                f'there is no list {{{name}}} for "{template}"; known are {known}',
            )
        values = scope.lists[name]
        if scope.allows and values.accepts is None and values.type in ("list", "text"):
            values = values.restricted(scope.allows)
            if not values.values:
                return None
            scope.lists[name] = values
        return Slot(node.slot_name, values)

    def _text(self, text: str, template: str, path: KeyPath) -> Text | None:
        for word in text.split():
            if not SPOKEN.fullmatch(word):
                self._problem = (path, template, word)
                return None
        return Text(text.lower())

    def _is_unspoken(self) -> bool:
        return self._problem is not None

    def _check_unspoken(self) -> None:
        if self._problem is None:
            return
        path, template, word = self._problem
        self._source.fail_inside(
            path,
            template,
            word,
            f'"{word}" is not a spoken word: use letters only, in "{template}"',
        )

    def _rule(self, name: str, template: str, scope: Scope, path: KeyPath) -> Node | None:
        if name not in scope.rules:
            self._source.fail_inside(
                path, template, f"<{name}", f'there is no expansion rule <{name}> for "{template}"'
            )
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
        if not self._source.strict:
            return
        for name, (_, written) in self._scope.rules.items():
            if written not in self._used_rules:
                self._rule(name, f"<{name}>", self._scope, written)


@lru_cache(maxsize=4096)
def _parse_sentence(template: str) -> hassil.Expression:
    return parse_sentence(template).expression


def _unbalanced(template: str) -> str:
    """The rest of ``template`` from the first bracket on that has no partner."""
    partners = {")": "(", "]": "[", "}": "{", ">": "<"}
    opened: list[tuple[str, int]] = []
    for position, character in enumerate(template):
        if character in partners.values():
            opened.append((character, position))
        elif character in partners:
            if not opened or opened[-1][0] != partners[character]:
                return template[position:]
            opened.pop()
    return template[opened[0][1] :] if opened else template


def _is_scalar(value: object) -> bool:
    return isinstance(value, SlotValue) and not isinstance(value, bool)
