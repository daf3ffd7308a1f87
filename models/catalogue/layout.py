"""Which files a model folder must have.

Vosk's two layouts are those of ``Model::ConfigureV1`` and ``ConfigureV2`` in vosk-api's
``src/model.cc``; the header of an OpenFst file is that of ``FstHeader`` in ``fst/fst.h``.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Literal

import msgspec

from models.errors import ModelError

FolderKind = Literal["vosk", "vosk-grammar", "mobilebert"]
"""What a model folder holds; a grammar is a compiled ``Gr.fst``, or a graph with
words of its own, to be joined with a Vosk model."""

_VOSK_TRACES = ("am", "graph", "conf/mfcc.conf", "final.mdl", "mfcc.conf", "HCLG.fst", "HCLr.fst")
_IVECTOR_PARTS = ("final.dubm", "final.mat", "global_cmvn.stats", "online_cmvn.conf", "splice.conf")
_FST_MAGIC = 2125659606
_FST_HAS_OUTPUT_SYMBOLS = 0x2
_LONGEST_FST_TYPE = 64


def kind_of(folder: Path) -> FolderKind | None:
    """What kind of model a folder looks like, even an incomplete one; None for none of them."""
    if _grammar_in(folder) is not None:
        return "vosk-grammar"
    if any((folder / trace).exists() for trace in _VOSK_TRACES):
        return "vosk"
    if (folder / "labels.json").exists() or any(folder.glob("*.onnx")) or _is_checkpoint(folder):
        return "mobilebert"
    return None


def check_layout(folder: Path) -> FolderKind:
    """Check that a model folder has every file that its kind needs, and return the kind.

    Only names, sizes and headers are looked at, so it is fast enough for a daemon's start.
    Raises ModelError that names the first file at fault.
    """
    if not folder.is_dir():
        state = "is not a folder" if folder.exists() else "does not exist"
        raise ModelError(f"model {folder} {state}: give the model's folder")
    kind = kind_of(folder)
    if kind == "vosk":
        _check_vosk(folder)
    elif kind == "vosk-grammar":
        grammar = _grammar_in(folder) or folder
        _fst_flags(grammar)
        if grammar.name == "HCLr.fst":
            _require(folder / "Gr.fst", "HCLr.fst needs it")
        if grammar.name != "Gr.fst":
            _require(folder / "words.txt", f"{grammar.name} has words of its own")
    elif kind == "mobilebert":
        _check_mobilebert(folder)
    else:
        raise ModelError(
            f"{folder} is no model folder: a Vosk model has am/final.mdl, a MobileBERT model "
            "has labels.json"
        )
    return kind


def _grammar_in(folder: Path) -> Path | None:
    """The graph of a folder that holds a compiled grammar and nothing of a model besides."""
    others = ("final.mdl", "am", "conf", "mfcc.conf")
    if any((folder / name).exists() for name in others):
        return None
    graphs = ("HCLG.fst", "HCLr.fst")
    for name in graphs:
        if (folder / name).exists():
            return folder / name if "base_phones" in read_card(folder) else None
    for place in (folder, folder / "graph"):
        if (place / "Gr.fst").exists():
            is_model = any((place / name).exists() for name in (*graphs, *others))
            return None if is_model else place / "Gr.fst"
    return None


def _check_vosk(folder: Path) -> None:
    flat = (folder / "final.mdl").exists() and not (folder / "am").exists()
    graph = folder if flat else folder / "graph"
    required = (
        ["final.mdl", "mfcc.conf"]
        if flat
        else ["am/final.mdl", "conf/mfcc.conf", "conf/model.conf"]
    )
    for name in required:
        _require(folder / name, "a Vosk model needs it")
    static = graph / "HCLG.fst"
    if not static.exists():
        _require(graph / "HCLr.fst", "a Vosk model needs HCLG.fst, or HCLr.fst and Gr.fst")
        for name in ("Gr.fst", "disambig_tid.int"):
            _require(graph / name, "a Vosk model with HCLr.fst needs it")
        _fst_flags(graph / "HCLr.fst")
    words_in = static if static.exists() else graph / "Gr.fst"
    if not _fst_flags(words_in) & _FST_HAS_OUTPUT_SYMBOLS:
        _require(graph / "words.txt", f"{words_in.name} carries no words of its own")
    if (folder / "ivector" / "final.ie").exists():
        for name in _IVECTOR_PARTS:
            _require(folder / "ivector" / name, "ivector/final.ie needs it")


def _check_mobilebert(folder: Path) -> None:
    if _is_checkpoint(folder):
        _check_checkpoint(folder)
        return
    _require(folder / "labels.json", "a MobileBERT model needs it")
    if _require_json(folder / "labels.json").get("base") is not None:
        _require(folder / "heads.npz", "a MobileBERT model over a base needs its heads")
        return
    _require(folder / "tokenizer.json", "a MobileBERT model needs it")
    _require_json(folder / "tokenizer.json")
    networks = sorted(folder.glob("*.onnx"))
    if not networks:
        raise _missing(folder / "model.onnx", "a MobileBERT model needs an ONNX file")
    for network in networks:
        _require(network, "a MobileBERT model needs its network")


def _is_checkpoint(folder: Path) -> bool:
    """Whether this is a pretrained checkpoint for training, not a model of the stage."""
    has_head = (folder / "labels.json").exists() or any(folder.glob("*.onnx"))
    return (folder / "config.json").exists() and not has_head


def _check_checkpoint(folder: Path) -> None:
    _require_json(folder / "config.json")
    _require(folder / "vocab.txt", "a MobileBERT checkpoint needs its vocabulary")
    if not (folder / "model.safetensors").exists():
        _require(folder / "pytorch_model.bin", "a MobileBERT checkpoint needs its weights")


def _require(path: Path, reason: str) -> None:
    try:
        if path.stat().st_size > 0:
            return
    except (FileNotFoundError, NotADirectoryError):
        raise _missing(path, reason) from None
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; check its permissions") from error
    raise ModelError(f"{path} is empty: {_MEND}")


def _missing(path: Path, reason: str) -> ModelError:
    return ModelError(f"{path} is missing: {reason}; {_MEND}")


_MEND = "copy the model anew, or pull it with --force"


def _require_json(path: Path) -> dict[str, object]:
    try:
        content = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; check its permissions") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not JSON ({error}): {_MEND}") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds no JSON object: {_MEND}")
    return content


def _fst_flags(path: Path) -> int:
    """The flags in the header of an OpenFst file (magic, two typed strings, version, flags)."""
    try:
        with path.open("rb") as file:
            (magic,) = struct.unpack("<i", file.read(4))
            if magic != _FST_MAGIC:
                raise ModelError(f"{path} is no OpenFst file: {_MEND}")
            for _ in ("fst type", "arc type"):
                (length,) = struct.unpack("<i", file.read(4))
                if not 0 < length <= _LONGEST_FST_TYPE:
                    raise ModelError(f"{path} has a damaged header: {_MEND}")
                file.seek(length, 1)
            _, flags = struct.unpack("<ii", file.read(8))
    except struct.error as error:
        raise ModelError(f"{path} is cut off in its header: {_MEND}") from error
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; check its permissions") from error
    return int(flags)


def read_card(folder: Path) -> dict[str, object]:
    """The folder's ``model.json``, or an empty dictionary where there is none to read."""
    try:
        card = json.loads((folder / "model.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return card if isinstance(card, dict) else {}
