"""Settings that fit somebody's recordings, searched with Optuna's TPE (Bergstra et al. 2011).

Sound is decoded once for each set of settings that it depends on; thresholds are judged on what
was decoded. Every fourth recording takes no part in the search: it tells what the settings are
worth on recordings that they were not chosen for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from models.errors import ConfigurationError
from models.metrics import Cost, McNemar, Rate, mcnemar, share
from pipeline.configuration import Configuration
from pipeline.evaluation.figures import Figures, figures
from pipeline.evaluation.outcome import Outcome, at_threshold
from pipeline.evaluation.running import Prepared
from pipeline.evaluation.working import Journal, work
from pipeline.understanding import threshold_of

HELD_OUT: Final = 4
"""Each so-manieth recording, sorted by name, is kept for the test."""

LEAST: Final = 8
"""Recordings without which a search would only learn them by heart."""

SECOND: Final = 0.05
"""What a second of waiting for the answer costs, where a failed command costs 1: settings that
are equally right are chosen for speed."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One number in the configuration that is searched."""

    key: str
    low: float
    high: float
    step: float

    @property
    def section(self) -> str:
        """``segmenter``, ``transcriber`` or ``understanders``."""
        return self.key.partition(".")[0]


ENDPOINT: Final = Setting(key="segmenter.endpoint_silence", low=0.4, high=1.6, step=0.1)
SPEECH: Final = Setting(key="segmenter.threshold", low=0.2, high=0.8, step=0.1)
BEAM: Final = Setting(key="transcriber.beam", low=7.0, high=15.0, step=1.0)
GRAMMAR: Final = Setting(key="transcriber.grammar_weight", low=0.5, high=2.0, step=0.1)
THRESHOLD: Final = Setting(key="understanders.0.threshold", low=0.05, high=0.95, step=0.05)
SETTINGS: Final = (ENDPOINT, SPEECH, BEAM, GRAMMAR, THRESHOLD)

NEGLIGIBLE: Final = 1e-3
"""A price difference that is no reason to change a setting: 20 ms of waiting."""

Values = dict[str, float]


class Tuned(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found."""

    values: Values
    """The recommended settings that differ from those of the configuration, by key."""

    before: dict[str, Figures]
    after: dict[str, Figures]
    """Figures over all conditions: ``search`` and ``held out``."""

    held_out: McNemar
    """Whether the difference on the recordings that were held out is more than chance."""

    trials: int
    decodings: int


class Tuner:
    """Evaluates settings. ``tell`` gets a line for each new decoding."""

    def __init__(
        self, prepared: Prepared, *, jobs: int, cost: Cost, tell: Callable[[str], None]
    ) -> None:
        if len(prepared.job.recordings) < LEAST:
            raise ConfigurationError(
                f"{prepared.data}: {len(prepared.job.recordings)} recordings are too few to tune "
                f"with; record at least {LEAST} (intentd record)"
            )
        self._job = prepared.job
        self._jobs = jobs
        self._cost = cost
        self._tell = tell
        names = [recording.name for recording in prepared.job.recordings]
        self._held_out = set(names[HELD_OUT - 1 :: HELD_OUT])
        self._decoded: dict[str, tuple[Outcome, ...]] = {}
        self._journals: list[Journal] = []
        # With several understanders a threshold decides who answers, not only whether.
        single = len(prepared.job.configuration.understanders) == 1
        self.settings = tuple(s for s in SETTINGS if s is not THRESHOLD or single)

    def tune(self, trials: int, seed: int) -> Tuned:
        """Search. A search that was broken off finds what it had decoded."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        study.enqueue_trial({})

        def objective(trial: Any) -> float:
            values = {s.key: self._suggest(trial, s) for s in self.settings}
            first = trial.number == 0
            return self._price(self.evaluate({} if first else values), {} if first else values)

        study.optimize(objective, n_trials=trials)
        first = study.best_trial.number == 0
        best = {} if first else {k: round(v, 4) for k, v in study.best_trial.params.items()}
        best = self._without_needless(best)
        # Thresholds of single intents may stand in the domain's file: the figures that are told
        # are those of the very configuration that is recommended.
        before, after = self.evaluate({}), self._decode(best)
        tuned = Tuned(
            values=best,
            before=self._figures(before),
            after=self._figures(after),
            held_out=mcnemar(
                [not o.failed for o in before if o.audio in self._held_out],
                [not o.failed for o in after if o.audio in self._held_out],
            ),
            trials=trials,
            decodings=len(self._decoded),
        )
        for journal in self._journals:
            journal.remove()
        return tuned

    def _without_needless(self, values: Values) -> Values:
        """``values`` without those that gain nothing: what isn't needed stays as it was."""
        kept = {k: v for k, v in values.items() if v != current(self._job.configuration, k)}
        price = self._price(self.evaluate(kept), kept)
        for key in list(kept):
            fewer = {k: v for k, v in kept.items() if k != key}
            without = self._price(self.evaluate(fewer), fewer)
            if without <= price + NEGLIGIBLE:
                kept, price = fewer, without
        return kept

    def _suggest(self, trial: Any, setting: Setting) -> float:
        value = trial.suggest_float(setting.key, setting.low, setting.high, step=setting.step)
        return round(float(value), 4)

    def evaluate(self, values: Values) -> tuple[Outcome, ...]:
        """Outcomes of all recordings under all conditions with these settings."""
        outcomes = self._decode({k: v for k, v in values.items() if k != THRESHOLD.key})
        if THRESHOLD.key not in values:
            return outcomes
        return tuple(at_threshold(outcome, values[THRESHOLD.key]) for outcome in outcomes)

    def _decode(self, values: Values) -> tuple[Outcome, ...]:
        settings = with_values(self._job.configuration, values)
        key = msgspec.json.encode(settings).decode()
        if key not in self._decoded:
            job = msgspec.structs.replace(self._job, configuration=settings)
            journal = Journal.of(job)
            self._journals.append(journal)
            self._decoded[key] = work(
                job, journal, jobs=self._jobs, on_done=lambda _: None, on_warning=lambda _: None
            )
            told = ", ".join(f"{k.partition('.')[2]} {v:g}" for k, v in values.items())
            right = share(not o.failed for o in self._decoded[key])
            self._tell(f"{told or 'as configured'}: {right} right")
        return self._decoded[key]

    def _price(self, outcomes: Sequence[Outcome], values: Values) -> float:
        """Mean cost of a recording of the search."""
        searched = [o for o in outcomes if o.audio not in self._held_out]
        failures = sum(_price(outcome, self._cost) for outcome in searched)
        silence = values.get(ENDPOINT.key, self._job.configuration.segmenter.endpoint_silence)
        working = [sum(t.values()) - t.get("endpoint", 0.0) for o in searched for t in o.timings_ms]
        waiting = silence + (sum(working) / len(working) / 1000 if working else 0.0)
        return failures / len(searched) + SECOND * waiting

    def _figures(self, outcomes: Sequence[Outcome]) -> dict[str, Figures]:
        parts = {
            "search": [o for o in outcomes if o.audio not in self._held_out],
            "held out": [o for o in outcomes if o.audio in self._held_out],
        }
        return {name: figures(name, part, self._cost) for name, part in parts.items()}


def _price(outcome: Outcome, cost: Cost) -> float:
    if not outcome.failed:
        return 0.0
    if outcome.actual.intent is None:
        return cost.false_reject
    return cost.false_accept


def current(settings: Configuration, key: str) -> float | None:
    """The value of a setting in the configuration."""
    section, _, name = key.partition(".")
    if section == "understanders":
        return threshold_of(settings.understanders[0])
    value: float | None = getattr(getattr(settings, section), name)
    return value


def with_values(settings: Configuration, values: Values) -> Configuration:
    """The configuration with other settings."""
    replace = msgspec.structs.replace
    for key, value in values.items():
        section, _, name = key.partition(".")
        if section == "understanders":
            first, *others = settings.understanders
            changed = replace(first, threshold=value, thresholds={})
            settings = replace(settings, understanders=(changed, *others))
        else:
            old = getattr(settings, section)
            settings = replace(settings, **{section: replace(old, **{name: value})})
    return settings


def rates(found: Figures) -> dict[str, Rate]:
    """The figures that justify a recommendation."""
    return {
        "accepted": found.acceptance,
        "accepted strictly": found.acceptance_strict,
        "false accepts": found.false_accept_rate,
        "false rejects": found.false_reject_rate,
    }
