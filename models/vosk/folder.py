"""Replace a folder as a whole, or leave it as it was: a grammar's, above all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from models.errors import ModelError
from models.vosk.manifest import FILE_NAME, ModelManifest

GRAMMAR_FILES = ("HCLG.fst", "HCLr.fst", "Gr.fst", "words.txt", FILE_NAME)
"""What a grammar of any kind may consist of: those of an earlier one go."""


def write_grammar(out: Path, files: Mapping[str, bytes], manifest: ModelManifest) -> None:
    """Write a grammar into ``out``, whole or not at all.

    Raises ModelError if the disk does not let it.
    """
    with replaced_folder(out, GRAMMAR_FILES) as folder:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        manifest.write(folder)


@contextmanager
def replaced_folder(target: Path, ours: Collection[str]) -> Iterator[Path]:
    """A new folder to fill, which takes the place of ``target`` if the body succeeds.

    Files of ``target`` that are not named in ``ours`` (a card, say) come along. Raises ModelError
    if the disk does not let it.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise _failure(target, error) from None
    made, old = work / "new", work / "old"
    try:
        made.mkdir()
        if target.exists():
            for entry in target.iterdir():
                if entry.is_file() and entry.name not in ours:
                    shutil.copy2(entry, made / entry.name)
        yield made
        if target.exists():
            target.rename(old)
        try:
            made.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
    except OSError as error:
        raise _failure(target, error) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _failure(target: Path, error: OSError) -> ModelError:
    return ModelError(
        f"{target} can't be written: {error.strerror or error}; free some space or choose "
        "another place"
    )
