"""Sections of the configuration file: what is heard, and what each stage makes of it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Seconds = Annotated[float, Meta(gt=0, le=3600)]
Probability = Annotated[float, Meta(ge=0, le=1)]
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*\Z", max_length=40)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections: frozen, and an unknown key is an error."""


class MicrophoneSection(Section, frozen=True, kw_only=True, tag_field="type", tag="microphone"):
    """A microphone."""

    name: Name = "microphone"
    device: str | None = None
    """Part of the device's name, any case; null for the system's default."""

    wait_for_device: bool = True
    """Keep trying when it isn't there at start, instead of refusing to run."""

    watchdog: Seconds = 3.0
    """A device that gives nothing for so many seconds is taken for lost."""


class RecordingSection(Section, frozen=True, kw_only=True, tag_field="type", tag="recording"):
    """Recordings: files, folders, glob patterns, or ``-`` for raw PCM on standard input."""

    name: Name = "recording"
    paths: Annotated[tuple[str, ...], Meta(min_length=1)]
    pace: Literal["fast", "real"] = "real"


class SatelliteSection(Section, frozen=True, kw_only=True, tag_field="type", tag="satellite"):
    """Microphones of other machines, which send their audio here: ``intentd satellite``."""

    name: Name = "satellites"
    endpoint: str
    """Where to listen: ``tcp://0.0.0.0:5560``. Beyond this machine allowed keys only."""

    most: Annotated[int, Meta(ge=1, le=64)] = 8
    """How many satellites may be connected at once."""

    patience: Seconds = 60.0
    """What a satellite was saying when it fell silent is ended after so many seconds."""


class SegmenterSection(Section, frozen=True, kw_only=True):
    """When speech begins and ends. All times are seconds of audio."""

    threshold: Probability = 0.5
    """Speech probability from which a window counts as speech."""

    start: Seconds = 0.09
    """So much speech in a row begins an utterance: a click does not."""

    endpoint_silence: Seconds = 0.8
    """So much silence ends it. Shorter answers sooner, longer allows hesitation."""

    max_length: Annotated[float, Meta(ge=1, le=600)] = 20.0
    """An utterance is cut here, so that a radio can't keep one open for ever."""

    pre_roll: Annotated[float, Meta(ge=0, le=5)] = 0.5
    """Audio kept from before the speech was noticed, so that the first word is whole."""

    gate: bool = True
    """Skip the neural detector while the room is steadily quiet (saves processor time)."""


class TranscriberSection(Section, frozen=True, kw_only=True):
    """Speech to text."""

    model: str = "vosk-en"
    """A model's name (``intentd models list``) or its folder."""

    grammar: str = "auto"
    """Name or folder of a compiled grammar, ``vosk-dictation`` for free speech.
    ``domain``: a run-time grammar made from the domain's sentences. ``trained``: what
    `intentd train` compiled from the domain; ``auto``: that, or else none. ``none``: the model's
    own n-gram, over few words."""

    grammar_sentences: Annotated[int, Meta(ge=10, le=100_000)] = 1500
    """How many sentences the run-time grammar is made from."""

    nbest: Annotated[int, Meta(ge=0, le=50)] = 0
    """Give so many alternative texts; the words then have no confidence."""

    partials: bool = True
    """Publish what has been heard so far, whenever it changes."""

    beam: Annotated[float, Meta(ge=1, le=50)] | None = None
    """How much worse than the best a hypothesis may be and still be followed; null: the model's
    own. Wider is slower and finds more."""

    grammar_weight: Annotated[float, Meta(ge=0.1, le=10)] = 1.0
    """Weight of the grammar against the sound; 1: as the model is."""

    noise_suppression: Probability | None = None
    """Share of the sound that RNNoise has taken the noise out of, the rest is as it was; 0: none.
    null: 0.6 where it is installed (``pip install "intentd[noise]"``)."""

    workers: Annotated[int, Meta(ge=1, le=32)] = 1
    """How many transcribers share the sources. A source stays with one."""


class UnderstanderSection(Section, frozen=True, kw_only=True):
    """Text to intent and slots. Several understanders form a chain."""

    model: str
    """A model's name or its folder; ``trained``: what `intentd train` made from the domain."""

    domain: str | None = None
    """Domain that turns the words of a slot into its value; null: the configuration's."""

    threshold: Probability | None = None
    """An intent below it is published as not recognised; null: the model's own, or 0.6."""

    thresholds: dict[str, Probability] = {}
    """Thresholds of single intents."""

    word_confidence: Probability = 0.6
    """Words whose mean confidence is below it are no command, whatever they mean: noises that are
    heard as words rarely come above it, and speech rarely below. 0: any."""

    rerank: Annotated[int, Meta(ge=1, le=50)] = 5
    """With `transcriber: nbest`, so many transcripts are read, and the first that is accepted is
    taken."""


class TopicsSection(Section, frozen=True, kw_only=True, tag_field="type", tag="topics"):
    """What the text is about."""

    model: str
    """A model's name or its folder."""

    threshold: Probability = 0.5


class EntitiesSection(Section, frozen=True, kw_only=True, tag_field="type", tag="entities"):
    """Names in the text."""

    model: str
    """A model's name or its folder."""

    threshold: Probability = 0.5


class AnswerSection(Section, frozen=True, kw_only=True, tag_field="type", tag="answer"):
    """Answers out of your own documents, where no intent was accepted."""

    model: str
    """A model's name or its folder."""

    documents: Annotated[tuple[str, ...], Meta(min_length=1, max_length=64)]
    """Text files (UTF-8)."""

    threshold: Annotated[float, Meta(ge=-100, le=100)] | None = None
    """Log-odds against there being no answer, below which none is given; null: the model's."""


class DialogueSection(Section, frozen=True, kw_only=True):
    """Questions and replies, where the domain has any."""

    enabled: bool = True
    timeout: Seconds = 20.0
    """A question that nobody answers for so long calls the intent off."""

    retries: Annotated[int, Meta(ge=0, le=5)] = 1
    """How often a question is asked again when the answer does not fit."""

    speak: tuple[str, ...] = ()
    """Program that says questions and replies, with its arguments: ``[espeak-ng, -v, en]``. It
    gets the text on standard input."""
