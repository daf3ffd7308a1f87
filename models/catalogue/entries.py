"""The entries of ``catalogue.yaml``: models that can be pulled."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

import msgspec
import yaml

from models.errors import ModelError

CATALOGUE_VARIABLE = "INTENTD_CATALOGUE"
"""Environment variable that names another catalogue file, for a mirror or models of one's own."""

SHIPPED_CATALOGUE = Path(__file__).with_name("catalogue.yaml")

Kind = Literal["vosk", "mobilebert"]
"""What a model is for: a Vosk recogniser or a MobileBERT language model."""

SafeName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)]
HexMd5 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
HexSha256 = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
HttpUrl = Annotated[str, msgspec.Meta(pattern=r"^https?://[^/]+/.*[^/]$")]


class RemoteFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file to download."""

    url: HttpUrl
    """Where it lies."""

    size: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """Bytes, where published."""

    md5: HexMd5 | None = None
    """Published MD5 in hexadecimal; guards against damage, not against forgery."""

    sha256: HexSha256 | None = None
    """Published SHA-256 in hexadecimal."""

    @property
    def name(self) -> str:
        """The last part of the URL's path."""
        return unquote(urlsplit(self.url).path.rsplit("/", 1)[-1])


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model of the catalogue.

    Either one ``.zip`` that holds the model folder, or the files of the folder one by one.
    """

    name: SafeName
    kind: Kind
    language: str
    licence: str
    description: str
    files: Annotated[tuple[RemoteFile, ...], msgspec.Meta(min_length=1)]

    @property
    def size(self) -> int | None:
        """Bytes to download, or None where a file's size isn't published."""
        sizes = [file.size for file in self.files]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def archive(self) -> RemoteFile | None:
        """The one zip archive this entry consists of, if it does."""
        is_archive = len(self.files) == 1 and self.files[0].name.endswith(".zip")
        return self.files[0] if is_archive else None


class _Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    models: list[Entry]


def load_catalogue(path: Path | None = None) -> dict[str, Entry]:
    """Read the catalogue: ``path``, else the file of ``$INTENTD_CATALOGUE``, else the shipped one.

    Raises ModelError for a file that can't be read or has a wrong entry.
    """
    if path is None:
        path = Path(os.environ.get(CATALOGUE_VARIABLE) or SHIPPED_CATALOGUE)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        catalogue = msgspec.convert(content, _Catalogue)
    except OSError as error:
        raise ModelError(
            f"model catalogue {path}: {error.strerror}; correct or unset {CATALOGUE_VARIABLE}"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, msgspec.ValidationError) as error:
        detail = " ".join(str(error).split())
        raise ModelError(f"model catalogue {path}: {detail}; correct the entry") from error
    for entry in catalogue.models:
        _check_file_names(path, entry)
    return {entry.name: entry for entry in catalogue.models}


def lookup(name: str) -> Entry:
    """The catalogue's entry ``name``; raises ModelError with close matches for an unknown one."""
    catalogue = load_catalogue()
    if name in catalogue:
        return catalogue[name]
    close = difflib.get_close_matches(name, catalogue, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else "`intentd models list` shows all"
    raise ModelError(f"no model {name!r} in the catalogue: {hint}")


def _check_file_names(path: Path, entry: Entry) -> None:
    """Refuse names that would leave the model's folder or overwrite each other."""
    names = [file.name for file in entry.files]
    for name in names:
        if name.startswith(".") or "/" in name or "\\" in name or names.count(name) > 1:
            raise ModelError(
                f"model catalogue {path}: {entry.name} has the file name {name!r}, which is "
                "hidden, used twice or leaves the folder; correct its URL"
            )
