"""Train the language model of one domain and write it as a model folder."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import click

from models.domain import Domain
from models.errors import IntentdError, ModelError
from models.mobilebert import LanguageModel
from models.mobilebert.labels import Labels
from models.mobilebert.tokens import TOKENIZER_FILE, WordTokenizer
from models.training.domain.texts import with_other_ways
from models.training.language.card import Facts, write_card
from models.training.language.corpora import Utterance, read_paraphrases, read_utterances
from models.training.language.evaluation import (
    Scores,
    evaluate,
    false_accepts,
    milliseconds,
)
from models.training.language.labelling import (
    MAX_TOKENS,
    MODEL_FILE,
    calibrate,
    new_labels,
    write_labels,
)
from models.training.language.material import gather
from models.training.language.outside import read_outside
from models.training.language.scopes import read_scope

MAX_LOSS = 0.005
"""Share of intents or whole sentences that int8 may cost against fp32 before it is refused."""

MADE = 1000
"""Number of fragments and the like that the card counts."""


class Trainer:
    """One run of the command."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._base: Path = options["base"]
        self._seed: int = options["seed"]
        self._threshold: float = options["threshold"]
        self._domain = Domain.load(options["domain"])
        self._scope = read_scope(self._domain.name, self._domain.intents, self._domain.slots)
        self._tokenizer = WordTokenizer.load(self._base, MAX_TOKENS)
        self._utterances = [
            utterance for path in options["corpora"] for utterance in read_utterances(path)
        ] or _shipped(self._domain.language)
        self._material = gather(
            self._domain,
            self._utterances,
            self._scope,
            options["examples"],
            self._seed,
            with_other_ways(options["domain"]),
        )
        out: Path = options["out"]
        name = options.get("name") or out.name
        self._labels = new_labels(name, options["model_version"], self._domain, self._material)

    def run(self) -> None:
        """Train, export, check and write."""
        out: Path = self._options["out"]
        network = self._fit()
        with tempfile.TemporaryDirectory() as scratch:
            full, small = Path(scratch) / "full", Path(scratch) / "small"
            labels = self._export(network, full, small)
            write_labels(small, labels)
            card = self._card(full, small)
            (small / "README.md").write_text(card, encoding="utf-8")
            out.mkdir(parents=True, exist_ok=True)
            for path in small.iterdir():
                shutil.copyfile(path, out / path.name)
        click.echo(card)

    def _fit(self) -> Any:
        import torch

        from models.training.language.fitting import encode, fit
        from models.training.language.network import load_base

        torch.manual_seed(self._seed)
        torch.set_num_threads(self._options["threads"])
        intent_head, slots_head = self._labels.intent_head, self._labels.slots_head
        assert intent_head is not None
        assert slots_head is not None
        intents, tags = intent_head.labels, slots_head.labels
        network = load_base(self._base, len(intents), len(tags))
        rng = Random(self._seed)

        def epoch(number: int) -> Any:
            texts = self._material.epoch(rng, self._options["outside"])
            click.echo(f"epoch {number + 1}: {len(texts)} texts")
            return encode(texts, self._tokenizer, intents, tags)

        torch.set_flush_denormal(True)
        try:
            fit(
                network,
                epoch,
                epochs=self._options["epochs"],
                batch_size=self._options["batch"],
                rng=rng,
                report=click.echo,
            )
        finally:
            torch.set_flush_denormal(False)
        return network

    def _export(self, network: Any, full: Path, small: Path) -> Labels:
        """Write the fp32 and the int8 network, and the labels with the latter's temperatures.

        Raises ModelError where int8 reads the held-out sentences clearly worse.
        """
        from models.training.language.export import export_onnx, quantise

        for folder in (full, small):
            folder.mkdir()
            shutil.copyfile(self._base / TOKENIZER_FILE, folder / TOKENIZER_FILE)
            write_labels(folder, self._labels)
        export_onnx(network, full / MODEL_FILE)
        reference = self._scores(full)
        for per_channel in (False, True):
            quantise(full / MODEL_FILE, small / MODEL_FILE, per_channel=per_channel)
            scores = self._scores(small)
            click.echo(f"int8{', per channel' * per_channel}: {scores}; fp32: {reference}")
            if _loss(reference, scores) <= MAX_LOSS:
                return calibrate(small, self._labels, self._material, Random(self._seed))
        raise ModelError(
            f"int8 costs {100 * _loss(reference, scores):.1f} points on held-out sentences, more "
            f"than {100 * MAX_LOSS:g}: train for more epochs"
        )

    def _scores(self, folder: Path) -> Scores:
        return evaluate(LanguageModel.load(folder), self._material.held_out, self._threshold)

    def _card(self, full: Path, small: Path) -> str:
        options, material, threshold = self._options, self._material, self._threshold
        model = LanguageModel.load(small)
        noised = material.noised(material.held_out, Random(self._seed + 1))
        scores = {
            "held-out sentences of the templates": evaluate(model, material.held_out, threshold),
            "the same with words changed, put in and left out": evaluate(model, noised, threshold),
        }
        if material.human_test:
            scores["requests in people's own words"] = evaluate(
                model, material.human_test, threshold
            )
        if options["paraphrases"]:
            scores["paraphrases written by hand"] = evaluate(
                model, read_paraphrases(options["paraphrases"]), threshold
            )
        accepted = {}
        if material.outside_test:
            texts = material.outside_test
            accepted["requests of the corpora's test parts"] = texts
        rng = Random(self._seed + 2)
        accepted["fragments, shuffled sentences, random and unknown words"] = tuple(
            material.made.draw(rng).text for _ in range(MADE)
        )
        facts = Facts(
            name=self._labels.name,
            version=self._labels.version,
            domain=self._domain,
            command=self._command(),
            corpora=frozenset(row.label.split("/")[0] for row in self._utterances),
            examples=options["examples"],
            epochs=options["epochs"],
            outside_per_inside=options["outside"],
            threshold=threshold,
            size=(small / MODEL_FILE).stat().st_size,
            milliseconds=milliseconds(model),
            scores=scores,
            full={"held-out sentences of the templates": self._scores(full)},
            accepted={
                name: (len(texts), false_accepts(model, texts, threshold))
                for name, texts in accepted.items()
            },
        )
        return write_card(facts)

    def _command(self) -> str:
        """The command that makes the same model again, folders of data by what they hold."""
        options = self._options
        corpora = " --corpora CORPORA" * bool(options["corpora"])
        return (
            "python -m models.training.language.train_domain "
            f"--domain configs/domains/{self._domain.name}.yaml --base BASE{corpora} "
            f"--out models/weights/{options['out'].name} --examples {options['examples']} "
            f"--epochs {options['epochs']} --outside {options['outside']:g} "
            f"--batch {options['batch']} --seed {self._seed} --threads {options['threads']}"
        )


def _shipped(language: str) -> list[Utterance]:
    """The texts outside of most domains that come with the project."""
    return [
        Utterance(text=row.text, label=row.label, split="train") for row in read_outside(language)
    ]


def _loss(reference: Scores, scores: Scores) -> float:
    sentence = (reference.sentence or 0.0) - (scores.sentence or 0.0)
    return max(reference.intent - scores.intent, sentence)


_PATH = click.Path(path_type=Path)


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--domain", type=_PATH, required=True, help="Domain file to train for.")
@click.option("--base", type=_PATH, required=True, help="Folder of the pretrained encoder.")
@click.option("--out", type=_PATH, required=True, help="Model folder to write; gives the name.")
@click.option(
    "--corpora",
    type=_PATH,
    multiple=True,
    help="Utterances written by the module `corpora`; without, those that are shipped.",
)
@click.option(
    "--paraphrases", type=_PATH, help='NDJSON of {"text", "intent"} to count in the card.'
)
@click.option("--examples", default=12_000, help="Sentences of the templates in an epoch.")
@click.option("--outside", default=0.8, help="Texts outside the domain for each of them.")
@click.option("--epochs", default=5)
@click.option("--batch", default=48, help="Texts in a batch.")
@click.option("--seed", default=0)
@click.option("--threads", default=1, help="Threads of torch.")
@click.option("--threshold", default=0.6, help="Confidence at which the card counts an intent.")
@click.option("--model-version", default="1", help="Version that the model's id carries.")
def main(**options: Any) -> None:
    """Train the language model of a domain from its own sentence templates.

    Takes minutes on one core. What it writes is a model folder: network, tokenizer, labels and
    card.
    """
    try:
        Trainer(options).run()
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"{error.name} is not installed: pip install 'intentd[train]'"
        ) from error
    except IntentdError as error:
        raise click.ClickException(error.message) from error


if __name__ == "__main__":
    main()
