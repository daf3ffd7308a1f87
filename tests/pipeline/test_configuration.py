"""Configuration files: what is wrong is named with file, line and key."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ConfigurationError
from pipeline.configuration import Configuration, MicrophoneSection, json_schema
from pipeline.loading import (
    find_configuration,
    load_configuration,
    parse_configuration,
    shipped_names,
)

HERE = Path("my.yaml")

MISTAKES = {
    "segmenter:\n  endpoint_silense: 1": "my.yaml:2: segmenter.endpoint_silense: unknown key; "
    "did you mean endpoint_silence?",
    "placemnt: thread": "my.yaml:1: placemnt: unknown key; did you mean placement?",
    "placement: threads": "my.yaml:1: placement: Invalid enum value 'threads'",
    "domain: home\nsegmenter:\n  threshold: 2": "my.yaml:3: segmenter.threshold: "
    "Expected `float` <= 1.0",
    "segmenter: {max_length: 0}": "my.yaml:1: segmenter.max_length: Expected `float` >= 1.0",
    "transcriber:\n  nbest: many": "my.yaml:2: transcriber.nbest: Expected `int`, got `str`",
    "sources: []": "my.yaml:1: sources: Expected `array` of length >= 1",
    "sources:\n  - type: microfone": "my.yaml:2: sources[0].type: Invalid value 'microfone'",
    "sources:\n  - type: microphone\n    devise: usb": "my.yaml:3: sources[0].devise: "
    "unknown key; did you mean device?",
    "sources:\n  - {type: microphone, name: a b}": "my.yaml:2: sources[0].name: Expected `str` "
    "matching regex",
    "sources:\n  - {type: microphone}\n  - {type: microphone}": "my.yaml:3: sources[1].name: "
    "microphone is taken; give each source its own",
    "publisher:\n  endpoints:\n    - tcp://0.0.0.0:5556": "my.yaml:3: publisher.endpoints[0]: "
    "tcp://0.0.0.0:5556 would listen beyond this machine, which needs a key",
    "publisher: {endpoints: [tcp://localhost.example.org:1]}": "would listen beyond this machine",
    "publisher: {endpoints: [udp://x]}": "udp://x is no endpoint",
    "publisher: {endpoints: ['tcp://127.0.0.1:99999']}": "is no endpoint",
    "placement: thread\nsources:\n- {type: microphone, name: a}\n- {type: microphone, name: b}": (
        "my.yaml:4: sources[1]: placement: thread can do with one microphone only"
    ),
    "transcriber: {grammar: domain}": "my.yaml:1: transcriber.grammar: domain needs the key domain",
    "domain: home\ndomain: coffee": "my.yaml:2: key domain stands here a second time",
    "domain: [": "my.yaml:1: not valid YAML",
    "domain: home\n\tx: 1": "my.yaml:2: not valid YAML",
    "- a": "my.yaml:1: the file: Expected `object`, got `array`",
    "domain: !!python/object/apply:os.system [ls]": "my.yaml:1: not valid YAML",
}


@pytest.mark.parametrize(("text", "message"), MISTAKES.items())
def test_a_mistake_is_named_with_file_line_and_key(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_configuration(text, HERE)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_empty_file_is_the_default_configuration() -> None:
    configuration = parse_configuration("", HERE)
    assert configuration == Configuration()
    assert configuration.sources == (MicrophoneSection(),)


@pytest.mark.parametrize("name", shipped_names())
def test_every_shipped_configuration_loads(name: str) -> None:
    understood = bool(load_configuration(name).understanders)
    assert understood == (name != "dictation")


def test_a_misspelt_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ConfigurationError, match="did you mean coffee"):
        find_configuration("cofee")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml: no such configuration file"):
        load_configuration("nowhere.yaml")


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "my-domain.yaml").touch()
    (tmp_path / "speech").mkdir()
    file = tmp_path / "my.yaml"
    file.write_text("domain: my-domain.yaml\ntranscriber: {model: ./speech}\n")
    configuration = load_configuration(str(file))
    assert configuration.domain == str(tmp_path / "my-domain.yaml")
    assert Path(configuration.transcriber.model).resolve() == (tmp_path / "speech").resolve()


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match=r"my\.yaml: can't be read"):
        load_configuration(str(file))


@given(st.text(alphabet="abs:[]{}-#&*!|>'\"%@ \n\t0", max_size=60))
def test_no_text_raises_anything_but_a_configuration_error(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        parse_configuration(text, HERE)


def test_the_published_schema_is_that_of_the_code() -> None:
    root = Path(__file__).resolve().parents[2]
    published = json.loads((root / "pipeline/schemas/configuration.schema.json").read_text())
    assert published == json.loads(json.dumps(json_schema())), (
        "run: python -m pipeline.configuration"
    )
