"""A domain as a JSGF grammar (Java Speech Grammar Format 1.0), for PocketSphinx.

A rule for each state of the domain's acceptor: exactly its sentences, right-recursive, which
PocketSphinx compiles without blowing up.
"""

from __future__ import annotations

from collections import defaultdict

from models.domain import Domain


def jsgf(domain: Domain) -> str:
    """The grammar of all sentences of the domain."""
    acceptor = domain.acceptor().minimized()
    ways: dict[int, list[str]] = defaultdict(list)
    following = {arc.source for arc in acceptor.arcs}
    for arc in acceptor.arcs:
        onward = f" <s{arc.target}>" if arc.target in following else ""
        ways[arc.source].append(arc.word + onward)
        if onward and arc.target in acceptor.finals:
            ways[arc.source].append(arc.word)
    rules = [f"<s{state}> = {' | '.join(found)};" for state, found in sorted(ways.items())]
    return "\n".join(["#JSGF V1.0;", "grammar domain;", "public <order> = <s0>;", *rules, ""])
