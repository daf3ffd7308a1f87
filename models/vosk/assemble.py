"""Make one Vosk model folder out of several parts, in a cache.

Vosk wants everything in one folder, while a grammar is shipped apart from the model that it is
made for, and the endpoint rules of a model must not cut what a segmenter delimits. The assembled
folder holds links to the parts (copies where links fail) and a ``model.conf`` of its own.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from models.errors import ModelError
from models.vosk.confidence import CONFIDENCE_FILE
from models.vosk.manifest import read_manifest
from models.vosk.words import file_hash

NEVER = 1_000_000
"""Seconds of silence or speech that no utterance reaches."""

ENDPOINT_RULES = {
    **{f"endpoint.rule{number}.min-trailing-silence": NEVER for number in (1, 2, 3, 4)},
    "endpoint.rule5.min-utterance-length": NEVER,
}
"""Endpoint options that keep Vosk from ever ending an utterance by itself."""

AT_THE_END = {"determinize-max-delay": 1_000_000, "determinize-min-chunk-size": 500_000}
"""Lattice options: determinize once, when the utterance ends. Kaldi's incremental decoder would do
it every 20 frames; in noise, where hypotheses do not converge, it does most of it anew each time:
ten seconds of noise took 2.8 s, and take 0.24 s so. Utterances are short enough for it."""

HASHED_SIZE = 32 * 1024 * 1024
"""Files above this many bytes count by size and time, because reading them delays each start."""

_REQUIRED = ("am/final.mdl", "conf/mfcc.conf", "conf/model.conf")
_GRAMMAR = "Gr.fst"
_OWN_WORDS = ("HCLG.fst", "HCLr.fst")
"""Either of them has words of its own."""

_GRAPHS = ("HCLr.fst", "Gr.fst", "HCLG.fst", "words.txt")
"""Files of a base's graph that a grammar with words of its own takes the place of."""

_RULE = re.compile(r"\s*--endpoint\.rule")


@dataclass(frozen=True)
class Parts:
    """What a model folder is made of."""

    base: Path
    """A Vosk model folder with ``am``, ``conf`` and ``graph``."""

    grammar: Path | None = None
    """A folder with a compiled grammar that takes the place of the base's graph, as
    ``models.vosk.compile`` writes it."""

    options: Mapping[str, float | int | str] = field(default_factory=dict)
    """Decoding options that take the place of those in ``model.conf``: ``{"beam": 11.0}``."""


def assemble(parts: Parts, cache_dir: Path) -> Path:
    """A folder below ``cache_dir`` that Vosk can load; made once for each content of the parts.

    The folder appears whole or not at all, also if several processes make it at once. Raises
    ModelError if a part is missing or incomplete, or if the grammar was made for another model.
    """
    _check(parts)
    target = cache_dir / "vosk" / f"{parts.base.resolve().name}-{_key(parts)}"
    if target.is_dir():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=".making-", dir=target.parent))
        try:
            _fill(making, parts)
            making.rename(target)
        except OSError:
            # Another process was faster, or the disk is full: the folder tells which.
            shutil.rmtree(making, ignore_errors=True)
            if not target.is_dir():
                raise
    except OSError as error:
        raise ModelError(
            f"the model folder {target} can't be made: {error.strerror}; "
            "free some space or choose another cache directory"
        ) from None
    return target


def _check(parts: Parts) -> None:
    for name in _REQUIRED:
        if not (parts.base / name).is_file():
            raise ModelError(f"{parts.base} is not a Vosk model: {name} is missing; get it anew")
    if parts.grammar is None:
        return
    manifest = read_manifest(parts.grammar)
    if _has_own_words(parts.grammar):
        given, hashed = manifest and manifest.base_phones, "phones.txt"
    elif not (parts.grammar / _GRAMMAR).is_file():
        raise ModelError(
            f"{parts.grammar} is not a compiled grammar: it has neither HCLG.fst nor {_GRAMMAR}"
        )
    elif not (parts.base / "graph" / "HCLr.fst").is_file():
        raise ModelError(
            f"{parts.base} can't take a grammar: it has no graph/HCLr.fst; "
            "use a model with a look-ahead graph"
        )
    else:
        given, hashed = manifest and manifest.base_words, "words.txt"
    if manifest is None or given is None:
        raise ModelError(f"{parts.grammar} does not say which model it is for: compile it anew")
    if given != file_hash(parts.base / "graph" / hashed):
        raise ModelError(
            f"the grammar {parts.grammar} was compiled for {manifest.base}, and {parts.base} "
            f"has other {hashed.removesuffix('.txt')}: compile it for this model"
        )


def _has_own_words(grammar: Path) -> bool:
    return any((grammar / name).is_file() for name in _OWN_WORDS)


def _key(parts: Parts) -> str:
    """Hash of the parts' places and contents, in hexadecimal."""
    digest = hashlib.sha256(
        repr((sorted(parts.options.items()), AT_THE_END, ENDPOINT_RULES)).encode()
    )
    for folder in filter(None, (parts.base, parts.grammar)):
        # Links hold absolute paths, so the place counts too.
        digest.update(str(folder.resolve()).encode())
        for path in _files(folder):
            status = path.stat()
            digest.update(f"{path.relative_to(folder)}\0{status.st_size}\0".encode())
            if status.st_size > HASHED_SIZE:
                digest.update(str(status.st_mtime_ns).encode())
            else:
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _files(folder: Path) -> Iterator[Path]:
    return iter(sorted(path for path in folder.rglob("*") if path.is_file()))


def _fill(target: Path, parts: Parts) -> None:
    replaced: tuple[str, ...] = ()
    if parts.grammar:
        replaced = _GRAPHS if _has_own_words(parts.grammar) else (_GRAMMAR,)
    # What a confidence is worth depends on the grammar: the base's own says nothing with another.
    apart = ("conf", "graph", *([CONFIDENCE_FILE] if parts.grammar else []))
    for entry in parts.base.iterdir():
        if entry.name not in apart:
            _link(entry, target / entry.name)
    for name in ("conf", "graph"):
        (target / name).mkdir()
        for entry in (parts.base / name).iterdir():
            if entry.name != "model.conf" and entry.name not in replaced:
                _link(entry, target / name / entry.name)
    if parts.grammar:
        for name in replaced:
            if (parts.grammar / name).is_file():
                _link(parts.grammar / name, target / "graph" / name)
        if (parts.grammar / CONFIDENCE_FILE).is_file():
            _link(parts.grammar / CONFIDENCE_FILE, target / CONFIDENCE_FILE)
    text = (parts.base / "conf" / "model.conf").read_text(encoding="utf-8")
    (target / "conf" / "model.conf").write_text(_configure(text, parts.options), encoding="utf-8")


def _configure(text: str, options: Mapping[str, float | int | str]) -> str:
    """``model.conf`` with other options in place of its own, and without its endpoint rules."""
    changed = {**AT_THE_END, **options, **ENDPOINT_RULES}
    kept = [
        line
        for line in text.splitlines()
        if line.strip() and line.strip().lstrip("-").split("=")[0] not in changed
    ]
    kept = [line for line in kept if not _RULE.match(line)]
    return "\n".join([*kept, *(f"--{name}={value}" for name, value in changed.items()), ""])


def _link(source: Path, target: Path) -> None:
    """A link where the file system has them, else a copy."""
    try:
        os.symlink(source.resolve(), target, target_is_directory=source.is_dir())
    except OSError:
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
