"""Fast mode: new heads over the frozen base, in a minute or two and without PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from models.domain import Domain
from models.mobilebert.labels import IntentHead, Labels, SlotsHead
from models.mobilebert.small_heads import Layer, write_heads
from models.training.domain.calibration import calibrate
from models.training.domain.features import FeatureMaker, Features
from models.training.domain.groups import doubtful_texts
from models.training.domain.heads import (
    WINDOW,
    fit_intents,
    fit_slots,
    intent_logits,
)
from models.training.domain.scoring import judge
from models.training.domain.texts import TextMaker, Texts
from models.training.language.alignment import (
    OUT_OF_SCOPE,
    LabelledText,
    bio_tags,
    count_transitions,
)
from models.training.language.labelling import write_labels

MAX_TOKENS = 64
INTENT, SLOTS = "intent", "slots"

Report = Callable[[str, int, int], None]


class FastHeads:
    """The heads of one domain in the making."""

    def __init__(
        self,
        domain: Domain,
        texts: TextMaker,
        base: Path,
        work: Path,
        *,
        jobs: int,
    ) -> None:
        """``work`` keeps what is done; ``jobs`` texts are read at a time. Raises ModelError."""
        self._domain = domain
        self._work = work
        self._texts = texts
        self._features = FeatureMaker(base, work / "features", jobs)
        self._size = self._features.encoder.size
        self._intents = (*domain.intents, OUT_OF_SCOPE)

    def train(
        self, folder: Path, *, number: int, base_name: str, report: Report
    ) -> dict[str, float]:
        """Fit, calibrate, write the model to ``folder``; returns its scores."""
        report("sentences", 0, 1)
        doubtful = doubtful_texts(
            self._domain,
            self._texts,
            lambda texts: self._read("sorting", texts, report),
            self._size,
        )
        texts = self._texts.make(without=doubtful)
        report("sentences", 1, 1)
        labels = self._labels(texts, number, base_name)
        features = self._read("reading", texts.train, report)
        intents = fit_intents(
            features,
            self._targets(texts.train),
            len(self._intents),
            self._size,
            self._work / "intents.npz",
            lambda done, of: report("intents", done, of),
        )
        heads: dict[str, Sequence[Layer]] = {INTENT: intents}
        if labels.slots_head is not None:
            heads[SLOTS] = fit_slots(
                features,
                texts.train,
                labels.slots_head.labels,
                self._work / "slots.npz",
                lambda done, of: report("slots", done, of),
            )
        labels = self._calibrated(labels, intents, texts, report)
        write_labels(folder, labels)
        write_heads(folder, heads)
        return judge(self._domain, folder, texts, "fast", report)

    def _read(self, step: str, texts: Sequence[LabelledText], report: Report) -> Features:
        done = 0

        def more(count: int) -> None:
            nonlocal done
            done += count
            report(step, done, len(texts))

        report(step, 0, len(texts))
        return self._features([text.text for text in texts], more)

    def _targets(self, texts: Sequence[LabelledText]) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
        number = {name: index for index, name in enumerate(self._intents)}
        return np.array([number[text.intent] for text in texts], np.intp)

    def _labels(self, texts: Texts, number: int, base_name: str) -> Labels:
        domain = self._domain
        tags = bio_tags(domain.slots)
        heads: tuple[IntentHead | SlotsHead, ...] = (
            IntentHead(output=INTENT, labels=self._intents, out_of_scope=OUT_OF_SCOPE),
        )
        if domain.slots:
            transitions = count_transitions(texts.train)
            slots = SlotsHead(output=SLOTS, labels=tags, transitions=transitions, window=WINDOW)
            heads = (*heads, slots)
        return Labels(
            format=1,
            name=model_name(domain.name),
            version=str(number),
            language=domain.language,
            max_tokens=MAX_TOKENS,
            base=base_name,
            heads=heads,
            intent_slots={name: tuple(sorted(domain.slots_of(name))) for name in domain.intents},
        )

    def _calibrated(
        self, labels: Labels, intents: Sequence[Layer], texts: Texts, report: Report
    ) -> Labels:
        chosen = (*texts.calibration, *texts.plain)
        logits = intent_logits(intents, self._read("calibrating", chosen, report))
        plain = [False] * len(texts.calibration) + [True] * len(texts.plain)
        found = calibrate(logits, self._targets(chosen), plain)
        head = labels.intent_head
        assert head is not None
        judged = msgspec.structs.replace(
            head, temperature=found.temperature, threshold=found.threshold
        )
        return msgspec.structs.replace(labels, heads=(judged, *labels.heads[1:]))


def model_name(domain: str) -> str:
    """The domain's name in the letters that a model's name may have."""
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in domain.lower())
    return kept.strip("-") or "domain"
