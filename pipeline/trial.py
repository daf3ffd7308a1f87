"""A trained domain tested with its own examples, as text and as speech."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.domain import Domain
from models.errors import SourceError
from pipeline.configuration import (
    Configuration,
    LogSection,
    MicrophoneSection,
    TranscriberSection,
    UnderstanderSection,
)
from pipeline.events import ErrorEvent, UtteranceEvent
from pipeline.expectations import BESIDE, differences, load_expectations
from pipeline.text_chain import differing, open_text_chain


@dataclass(frozen=True)
class Tested:
    """How one kind of test went."""

    summary: str
    failures: tuple[str, ...]
    """A line for each example or recording that was not understood as written."""


class Trial:
    """Tests one trained version."""

    def __init__(self, domain: Path, version: Path, speech_model: str, recordings: Path) -> None:
        """``recordings`` are tested if the folder exists and a grammar was made."""
        grammar = version / "grammar"
        self._domain = domain
        self._hears = grammar.is_dir()
        self._recordings = recordings
        self._configuration = Configuration(
            domain=str(domain),
            placement="thread",
            sources=(MicrophoneSection(),),
            transcriber=TranscriberSection(
                model=speech_model, grammar=str(grammar) if self._hears else "none"
            ),
            understanders=(UnderstanderSection(model=str(version)),),
            log=LogSection(level="error"),
        )

    def run(self) -> Iterator[Tested]:
        """The tests that there is something for, one after the other. Raises IntentdError."""
        examples = Domain.load(self._domain).examples
        if examples:
            with open_text_chain(self._configuration) as chain:
                found = differing(chain, examples)
            good = len(examples) - len(found)
            yield Tested(
                f"examples of the file: {good} of {len(examples)} understood as written",
                tuple(
                    f'{one.example.file}, line {one.example.line}: "{one.example.text}": '
                    f"{one.found}"
                    for one in found
                ),
            )
        if self._hears and self._recordings.is_dir():
            yield self._heard()

    def _heard(self) -> Tested:
        from pipeline.replay import Replay
        from stages.sources.paths import expand_path

        files = expand_path(str(self._recordings))
        expected = load_expectations(BESIDE, files)
        events: dict[str, list[UtteranceEvent]] = defaultdict(list)

        def take(event: UtteranceEvent) -> None:
            events[str(event.file)].append(event)

        def fail(event: ErrorEvent) -> None:
            raise SourceError(event.detail)

        Replay(self._configuration, files).run(take, fail)
        failures = []
        for file in files:
            wrong = differences(expected[file], events[file])
            if wrong:
                failures.append(f"{file}: {'; '.join(wrong)}")
        good = len(files) - len(failures)
        return Tested(f"recordings: {good} of {len(files)} understood as written", tuple(failures))
