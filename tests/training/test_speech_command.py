"""``train-speech``: a configuration in, a final.mdl out."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from speech_material import write_configuration, write_corpus

from models.errors import ConfigurationError, ModelError
from models.training.speech.settings import read_settings
from pipeline.cli.train_speech import train_speech

ROOT = Path(__file__).resolve().parents[2]


def test_given_a_configuration_then_the_model_is_written_and_named(tmp_path: Path) -> None:
    (tmp_path / "speech").mkdir()
    manifest = write_corpus(tmp_path / "speech")
    configuration = write_configuration(tmp_path, manifest, epochs=1)
    result = CliRunner().invoke(train_speech, [str(configuration)], catch_exceptions=False)
    assert result.exit_code == 0
    assert f"{tmp_path}/run/final.mdl: written" in result.output
    assert (tmp_path / "run" / "final.mdl").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (False, ConfigurationError, r"speech\.yaml can't be read: No such file"),
        (True, ModelError, r"the manifest .*nowhere\.tsv can't be read: No such file"),
    ],
)
def test_given_something_missing_then_the_error_names_it(
    tmp_path: Path, make: bool, error: type[Exception], message: str
) -> None:
    path = tmp_path / "speech.yaml"
    if make:
        write_configuration(tmp_path, tmp_path / "nowhere.tsv")
    with pytest.raises(error, match=message):
        CliRunner().invoke(train_speech, [str(path)], catch_exceptions=False)


def test_the_shipped_configuration_is_one() -> None:
    settings = read_settings(ROOT / "configs" / "training" / "speech-en.yaml")
    assert settings.network.dilations == (1, 1, 1, 2, 2, 3, 3)
    assert not any("kitchen" in str(source.manifest) for source in settings.noise)
