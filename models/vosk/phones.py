"""The phones of a speech model and the transitions that stand for them in its graphs.

Every phone has one emitting state: its forward transition (2i for phone i) is taken in the one
frame that carries the phone's label, its self-loop (2i - 1) in the blank frames that follow.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from models.errors import ModelError

SILENCE = "SIL"
GARBAGE = "GBG"
"""Stands for any phone: its likelihood is that of the best phone of the frame."""

UNKNOWN = "[unk]"
"""The word that stands for words outside the vocabulary."""

_KINDS = {"B": "begin", "E": "end", "I": "internal", "S": "singleton"}


@dataclass(frozen=True)
class PhoneSet:
    """Names and numbers of the phones, by position in the word: ``AA_B``, ``AA_I`` …"""

    ids: dict[str, int]
    """Number of each phone, from 1 on without gaps."""

    @classmethod
    def read(cls, path: Path) -> PhoneSet:
        """Read ``phones.txt``; raises ModelError if it is missing or its numbers have gaps."""
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except OSError as error:
            raise ModelError(f"{path} can't be read: {error.strerror}") from None
        rows = [line.split() for line in lines if line.strip()]
        try:
            ids = {name: int(number) for name, number in rows if name != "<eps>"}
        except ValueError:
            raise ModelError(f"{path}: every line must have a phone and its number") from None
        if sorted(ids.values()) != list(range(1, len(ids) + 1)) or SILENCE not in ids:
            raise ModelError(f"{path}: phones must be numbered from 1 on and include {SILENCE}")
        return cls(ids)

    def with_garbage(self) -> PhoneSet:
        """The set with the garbage phone's begin, internal and end forms, at the end."""
        ids = dict(self.ids)
        for position in "BIE":
            ids.setdefault(f"{GARBAGE}_{position}", len(ids) + 1)
        return PhoneSet(ids)

    def forward(self, phone: str) -> int:
        """Transition that is taken when the phone's label is emitted."""
        return 2 * self.ids[phone]

    def loop(self, phone: str) -> int:
        """Transition that is taken in the blank frames behind the label."""
        return 2 * self.ids[phone] - 1

    @property
    def free_transition(self) -> int:
        """A transition number that no phone uses; serves as disambiguation symbol."""
        return 2 * len(self.ids) + 1

    def write(self, graph: Path) -> None:
        """Write ``phones.txt``, ``phones/word_boundary.int`` and ``disambig_tid.int``."""
        (graph / "phones").mkdir(parents=True, exist_ok=True)
        names = "".join(f"{name} {number}\n" for name, number in self.ids.items())
        (graph / "phones.txt").write_text(f"<eps> 0\n{names}", encoding="utf-8")
        kinds = "".join(
            f"{number} {'nonword' if name == SILENCE else _KINDS[name[-1]]}\n"
            for name, number in self.ids.items()
        )
        (graph / "phones" / "word_boundary.int").write_text(kinds, encoding="utf-8")
        (graph / "disambig_tid.int").write_text(f"{self.free_transition}\n", encoding="utf-8")
