"""Full mode: the whole encoder is fine-tuned on the domain's texts, with the extra ``train``."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import msgspec
import numpy as np

from models.domain import Domain
from models.errors import ModelError
from models.mobilebert.labels import IntentHead, Labels
from models.mobilebert.network import Network
from models.training.domain.calibration import calibrate
from models.training.domain.fast import MAX_TOKENS, model_name
from models.training.domain.features import FeatureMaker
from models.training.domain.groups import doubtful_texts
from models.training.domain.scoring import judge
from models.training.domain.texts import TextMaker, Texts
from models.training.language.alignment import OUT_OF_SCOPE
from models.training.language.examples import write_examples
from models.training.language.labelling import write_labels
from models.training.language.settings import Classify, Joint

EPOCHS = 4
RATE, RATE_OF_OTHERS = 1e-3, 1e-4
"""Learning rates: of the shipped base, which is narrow, and of any other encoder."""

Report = Callable[[str, int, int], None]


class FullModel:
    """The network of one domain in the making."""

    def __init__(
        self,
        domain: Domain,
        texts: TextMaker,
        base: str,
        work: Path,
        *,
        sorter: Path,
        seed: int,
        jobs: int,
    ) -> None:
        """``base`` is what ``intentd train-language`` takes as such; ``sorter`` is the base that
        sorts shipped texts; ``work`` keeps what is done. Raises ModelError."""
        self._domain = domain
        self._base = base
        self._work = work
        self._seed = seed
        self._jobs = jobs
        self._texts = texts
        self._features = FeatureMaker(sorter, work / "features", jobs)

    def train(self, folder: Path, *, number: int, report: Report) -> dict[str, float]:
        """Fine-tune, export, calibrate, write the model to ``folder``; returns its scores.

        Raises ModelError where PyTorch is missing or the base holds no weights to train.
        """
        _check_packages()
        report("sentences", 0, 1)
        doubtful = doubtful_texts(
            self._domain,
            self._texts,
            lambda texts: self._features([text.text for text in texts]),
            self._features.encoder.size,
        )
        texts = self._texts.make(without=doubtful)
        report("sentences", 1, 1)
        made = _fine_tune(self._settings(texts, number), report)
        shutil.copytree(made, folder, dirs_exist_ok=True)
        write_labels(folder, self._calibrated(folder, texts))
        return judge(self._domain, folder, texts, "full", report)

    def _settings(self, texts: Texts, number: int) -> Joint | Classify:
        self._work.mkdir(parents=True, exist_ok=True)
        train, development = self._work / "train.ndjson", self._work / "development.ndjson"
        write_examples(train, texts.train)
        write_examples(development, (*texts.calibration, *texts.plain))
        return (Joint if self._domain.slots else Classify)(
            out=self._work / "run",
            name=model_name(self._domain.name),
            version=str(number),
            language=self._domain.language,
            base=self._base,
            train=(train,),
            development=(development,),
            seed=self._seed,
            epochs=EPOCHS,
            threads=self._jobs,
            max_tokens=MAX_TOKENS,
            learning_rate=RATE if _is_shipped(self._base) else RATE_OF_OTHERS,
        )

    def _calibrated(self, folder: Path, texts: Texts) -> Labels:
        """Labels with the threshold for what is out of scope, and the domain's own slots."""
        network = Network.load(folder)
        labels, chosen = network.labels, (*texts.calibration, *texts.plain)
        head = labels.intent_head
        assert head is not None
        inside = [name for name in head.labels if name != OUT_OF_SCOPE]
        order = [head.labels.index(name) for name in (*inside, OUT_OF_SCOPE)]
        logits = [
            network.run(network.tokenizer.encode(text.text))[head.output][order] for text in chosen
        ]
        right = [(*inside, OUT_OF_SCOPE).index(text.intent) for text in chosen]
        plain = [False] * len(texts.calibration) + [True] * len(texts.plain)
        found = calibrate(np.stack(logits), np.array(right, np.intp), plain)
        judged = msgspec.structs.replace(
            head,
            out_of_scope=OUT_OF_SCOPE,
            temperature=found.temperature,
            threshold=found.threshold,
        )
        slots_of = self._domain.slots_of
        return msgspec.structs.replace(
            labels,
            heads=tuple(judged if isinstance(one, IntentHead) else one for one in labels.heads),
            intent_slots={name: tuple(sorted(slots_of(name))) for name in self._domain.intents}
            if self._domain.slots
            else None,
        )


def _check_packages() -> None:
    try:
        for name in ("torch", "transformers", "onnx"):
            import_module(name)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"full mode needs the package {error.name}: pip install 'intentd[train]', or take "
            "--mode fast"
        ) from None


def _is_shipped(base: str) -> bool:
    """Whether ``base`` is one of this project's, which learn fast."""
    from models.training.language.encoders import find_base
    from models.training.language.network import BASE_FILE

    folder = find_base(base)
    return folder is not None and (folder / BASE_FILE).exists()


def _fine_tune(settings: Joint | Classify, report: Report) -> Path:
    from models.training.language.training import fine_tune

    return fine_tune(settings, lambda done: report("training", int(1000 * done), 1000))
