"""The configuration file of a training run (YAML), one kind for each task."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from models.paths import expand
from models.training.configuration import read_configuration

Count = Annotated[int, msgspec.Meta(ge=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Files = Annotated[tuple[Path, ...], msgspec.Meta(min_length=1)]


class Shape(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A MobileBERT (Sun et al. 2020, table 1)."""

    layers: Count = 6
    hidden: Count = 512
    embedding: Count = 128
    bottleneck: Count = 128
    feed_forward: Count = 512
    feed_forwards: Count = 4
    heads: Count = 4
    positions: Count = 128
    normalisation: Literal["layer_norm", "no_norm"] = "layer_norm"
    """Google's has none, which is faster; layer norm trains far better from few texts."""


class Settings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="task"
):
    """What all tasks have in common."""

    out: Path
    """Folder of the run: checkpoint, ``model`` and its card, scores."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]*$")]
    version: str = "1"
    language: str = "en"
    base: str = "mobilebert-base"
    """A model that intentd knows, a folder, or a name on Hugging Face; or ``scratch``."""

    tokenizer: str = "mobilebert-base"
    """For ``scratch``: the model whose word pieces are used."""

    shape: Shape = Shape()
    """For ``scratch``."""

    licences: tuple[str, ...] = ()
    """Data and their licences, a line each for the card."""

    seed: int = 0
    epochs: Count = 5
    minutes: Positive | None = None
    batch: Count = 32
    learning_rate: Positive = 1e-3
    """High for a transformer, right for one this narrow; larger encoders want 5e-5."""

    warm_up: Share = 0.06
    patience: Count | None = None
    """Epochs without a better score after which training ends."""

    dropout: Share = 0.1
    threads: Count = 1
    max_tokens: Annotated[int, msgspec.Meta(ge=4, le=512)] = 64
    int8_loss: Share = 0.003
    """How much of a score int8 may cost; if it costs more, the model stays in fp32."""


class Distill(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="distill"):
    """An encoder learns the states of a larger one."""

    teacher: str
    """Folder or Hugging Face name of an encoder of the BERT family with the same word pieces."""

    texts: Files
    """Plain text, one a line."""

    layers: dict[int, int] = {}
    """The teacher's layer for each layer of the student besides the last ones."""

    attention: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    """Weight of the relations of queries, keys and values in the last layer; 0: not learned."""

    deepen: Count = 1
    """How many times as many layers as its base the encoder gets."""

    development: Share = 0.01
    """Share of the texts that the loss is judged on."""

    max_tokens: Annotated[int, msgspec.Meta(ge=4, le=512)] = 128


class TextSettings(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tasks on labelled texts."""

    train: Files
    development: Files
    test: dict[str, Path] = {}
    """Files that are scored once, at the end, by what the card calls them."""

    substitute: Share = 0.0
    """How often a slot's words become those of another text."""

    invent: Share = 0.0
    """How often a slot's words become words out of any texts: names that nobody has seen."""

    noise: Share = 0.0
    """Share of words that are misspelt, left out or joined by a filler."""

    teacher: Path | None = None
    """Folder of a larger model that learned the same labels (``OUT/model`` of its run): what it
    believes of a text is learned too."""

    teacher_weight: Share = 0.5
    """Its weight; the rest is that of the labels themselves."""

    speech: Share = 0.0
    """Share of texts that are changed as a recogniser and a hesitating speaker change them."""


class Joint(TextSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="joint"):
    """Intent and slots."""

    slots_weight: Positive = 2.0
    """Weight of the tags' loss beside the intents': most tags are easy and pull the mean down."""


class Classify(TextSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="classify"):
    """One label of several for a text, or any number of them."""

    several: bool = False
    out_of_scope: str | None = None
    """The label of texts that have none of the others: told from them by energy, and by distance
    where that helps, and taught, where there are some to train on, to be like no label."""


class Tag(TextSettings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="tag"):
    """Entities."""


class Answer(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="qa"):
    """Where in a text the answer to a question stands (SQuAD's format)."""

    epochs: Annotated[int, msgspec.Meta(ge=0)] = 5
    """0 exports a base that was taught to answer already, as many on Hugging Face are."""

    train: tuple[Path, ...] = ()
    development: Files
    test: dict[str, Path] = {}
    max_tokens: Annotated[int, msgspec.Meta(ge=4, le=512)] = 128
    stride: Count = 48
    """Tokens by which windows over a longer text overlap."""


AnySettings = Distill | Joint | Classify | Tag | Answer


def read_settings(path: Path) -> AnySettings:
    """Read a configuration; paths in it are relative to it. Raises ConfigurationError."""
    settings: AnySettings = read_configuration(path, AnySettings, _in(path.parent))
    return settings


def _in(folder: Path) -> Any:
    def convert(kind: type, value: Any) -> Any:
        if kind is Path and isinstance(value, str):
            return folder / expand(value)
        raise ValueError("must be a path")

    return convert
