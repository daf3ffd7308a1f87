"""The grammar of a domain for one speech model, made again only when something changed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.domain import Domain
from models.pronunciation import read_pronunciations
from models.training.language.outside import read_outside
from models.vosk.compile import compile_domain

Report = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class SpeechTarget:
    """For which speech model, and how."""

    model: Path
    """Folder of the speech model."""

    pronunciations: Path | None = None
    """A file of the user's own pronunciations, if it exists."""

    open: bool = False
    """Let people say other things than the sentences too, as far as the model has the words."""

    content: str
    """Hash of the domain's files."""

    def digest(self) -> str:
        """Hash of all that the grammar depends on."""
        digest = hashlib.sha256(f"{self.content} {self.open}".encode())
        for name in ("words.txt", "HCLr.fst", "Gr.fst"):
            path = self.model / "graph" / name
            if path.is_file():
                digest.update(hashlib.sha256(path.read_bytes()).digest())
        if self.pronunciations and self.pronunciations.is_file():
            digest.update(self.pronunciations.read_bytes())
        return digest.hexdigest()

    def compile(
        self,
        domain: Domain,
        out: Path,
        old: tuple[Path, str | None] | None,
        notes: list[str],
        report: Report,
    ) -> str:
        """Write the grammar to ``out``, taking ``old`` (folder and digest) if it is the same.

        Returns the digest; ``notes`` gains what a person should know. Raises ModelError.
        """
        report("grammar", 0, 1)
        digest = self.digest()
        if old is not None and old[1] == digest and old[0].is_dir():
            shutil.copytree(old[0], out)
            report("grammar", 1, 1)
            return digest
        known = self.pronunciations and self.pronunciations.is_file()
        general = [row.text.split() for row in read_outside(domain.language)]
        made = compile_domain(
            domain,
            self.model,
            out,
            read_pronunciations(self.pronunciations) if known and self.pronunciations else None,
            general=general if self.open else None,
        )
        notes.append(
            f"grammar: {made.words} words, {made.states} states, {made.arcs} arcs, "
            f"{made.bytes / 1e6:.1f} MB, {made.seconds:.1f} s"
        )
        if made.guessed:
            words = ", ".join(word.word for word in made.guessed)
            notes.append(f"pronunciation guessed from the spelling: {words}")
        report("grammar", 1, 1)
        return digest
