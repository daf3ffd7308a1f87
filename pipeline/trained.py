"""Where what was trained from a domain lies, and how a configuration takes it into use."""

from __future__ import annotations

from pathlib import Path

import msgspec
import platformdirs

from models.catalogue.trained import SUFFIX, Trained
from models.errors import ConfigurationError
from pipeline.configuration import Configuration, UnderstanderSection
from pipeline.loading import SHIPPED, find_domain

TRAINED = "trained"
"""Instead of a model's name: what was trained from the domain."""


def trained_folder(domain: Path) -> Path:
    """The folder of what is trained from a domain: beside its file, ``kitchen.trained``.

    Shipped domains have theirs among the user's data, because nobody may write beside them.
    """
    path = domain.resolve()
    if SHIPPED.resolve() in path.parents:
        data = platformdirs.user_data_path("intentd", appauthor=False)
        return data / "trained" / f"{path.stem}{SUFFIX}"
    return path.with_name(f"{path.stem if path.is_file() else path.name}{SUFFIX}")


def with_trained(configuration: Configuration) -> Configuration:
    """``configuration`` with folders in the place of the word ``trained``.

    A domain without any understander gets the trained one if there is one. Raises
    ConfigurationError where something trained is asked for and there is nothing.
    """
    asked = configuration.transcriber.grammar in (TRAINED, "auto") or any(
        section.model == TRAINED for section in configuration.understanders
    )
    implied = not configuration.understanders
    if not asked and not implied:
        return configuration
    trained = None
    if configuration.domain is not None:
        trained = Trained(trained_folder(find_domain(configuration.domain)))
    version = trained.version if trained else None
    return msgspec.structs.replace(
        configuration,
        transcriber=msgspec.structs.replace(
            configuration.transcriber, grammar=_grammar(configuration, trained)
        ),
        understanders=_understanders(configuration, version),
    )


def _understanders(
    configuration: Configuration, version: Path | None
) -> tuple[UnderstanderSection, ...]:
    sections = configuration.understanders
    if version is None:
        if any(section.model == TRAINED for section in sections):
            raise ConfigurationError(f"understanders: {_mend(configuration)}")
        return sections
    if not sections:
        return (UnderstanderSection(model=str(version)),)
    return tuple(
        msgspec.structs.replace(section, model=str(version))
        if section.model == TRAINED
        else section
        for section in sections
    )


def _grammar(configuration: Configuration, trained: Trained | None) -> str:
    name = configuration.transcriber.grammar
    if name not in (TRAINED, "auto"):
        return name
    folder = trained.grammar if trained else None
    if folder is not None:
        return str(folder)
    if name == TRAINED:
        raise ConfigurationError(f"transcriber.grammar: {_mend(configuration)}")
    return "none"


def _mend(configuration: Configuration) -> str:
    if configuration.domain is None:
        return "trained needs the key domain at the top level"
    return (
        f"nothing is trained for the domain {configuration.domain}: run "
        f"`intentd train {configuration.domain}`"
    )
