"""Random search over an algorithm's space."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from typing import Protocol as Interface
from urllib.parse import quote

from recbench import metrics
from recbench.cache import Cache
from recbench.errors import BadProtocol, RecbenchError
from recbench.execution import Job, Outcome, Runner
from recbench.lookup import row_named
from recbench.protocols.spec import Protocol, as_json, fingerprint
from recbench.recording import job_of
from recbench.records import Status
from recbench.registry import Registry
from recbench.scene import Scene, prepare
from recbench.trials import Row, Trial, plan
from recbench.tuning.inner import on_validation
from recbench.tuning.log import Log
from recbench.tuning.points import changes

Parameters = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to tune.

    Attributes:
        budget: trials for each algorithm; fewer where its whole grid is smaller.
        seed: of the draw of grid points. The model's seed is the protocol's first.
        log: folder of what was tried, so that the same search goes on where it stopped.
        cache: where data that was read and split is kept; None: it is read and split in any case.
    """

    log: Path
    budget: int = 30
    seed: int = 0
    data_dir: Path | None = None
    cache: Cache | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One grid point.

    Attributes:
        number: 1, 2, ...; the first is what the algorithm has now.
        point: values out of the space; empty for the first.
        score: by the protocol's primary metric, averaged over folds; None where a fold was not ok.
        reason: why it was not.
        seconds: from start to end, over all folds.
    """

    number: int
    point: Parameters
    score: float | None
    reason: str | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuned:
    """What came of one algorithm's search.

    Attributes:
        best: the trial with the best score, the earlier one among equals; None where nothing was ok.
        parameters: what the protocol has to say of the algorithm for the best trial.
    """

    row: Row
    trials: tuple[Tried, ...]
    best: Tried | None
    parameters: Parameters


class Listener(Interface):
    """Hears how the search goes."""

    def begins(self, label: str, n_trials: int, primary: str) -> None:
        """The search of an algorithm begins."""

    def tried(self, label: str, trial: Tried) -> None:
        """A trial is done, or was there already."""


def tune(
    labels: Sequence[str], protocol: Protocol, registry: Registry, options: Options, listener: Listener
) -> tuple[Tuned, ...]:
    """Search for good parameters of each algorithm. The test part is never looked at.

    Raises:
        RecbenchError: no validation part, no space, or a name that nobody goes by.
    """
    if not protocol.split.validation:
        raise BadProtocol(
            f"protocol {protocol.name!r} has no validation part to tune on",
            fix="add `validation = 0.1` to [split] in a copy of the protocol",
        )
    rows = [row_named(label, protocol, registry) for label in labels]
    for row in rows:
        _require_space(row)
    scene = on_validation(prepare(protocol, registry, data_dir=options.data_dir, cache=options.cache))
    with Runner(threads=protocol.trials.threads) as runner:
        return tuple(_Search(row, scene, options, runner, listener).carry_out() for row in rows)


class _Search:
    """The search of one algorithm."""

    def __init__(self, row: Row, scene: Scene, options: Options, runner: Runner, listener: Listener) -> None:
        self.row = row
        self.scene = scene
        self.options = options
        self.runner = runner
        self.listener = listener
        protocol = scene.protocol
        folder = options.log / f"{protocol.name}-{fingerprint(protocol.deciding())[:8]}"
        self.log = Log(folder / f"{quote(row.label, safe='')}.jsonl")

    def carry_out(self) -> Tuned:
        space, now = self.row.offered.value.space, self.row.parameters
        wanted = changes(space, now, self.options.budget, seed=self.options.seed)
        self.listener.begins(self.row.label, len(wanted), self.scene.primary)
        trials = tuple(self._try(number, point) for number, point in enumerate(wanted, start=1))
        best = self._best(trials)
        given = {**_said(self.scene.protocol, self.row), **(best.point if best else {})}
        return Tuned(row=self.row, trials=trials, best=best, parameters=given)

    def _try(self, number: int, point: Parameters) -> Tried:
        row = replace(self.row, parameters={**self.row.parameters, **point})
        trials = plan(self.scene.protocol, [row], self.scene.splits, self.scene.protocol.trials.seeds[:1])
        entries = [self._entry(trial, number, point) for trial in trials]
        scores = [entry["score"] for entry in entries]
        tried = Tried(
            number=number,
            point=point,
            score=None if None in scores else math.fsum(scores) / len(scores),
            reason=next((entry["reason"] for entry in entries if entry["reason"]), None),
            seconds=math.fsum(entry["seconds"] for entry in entries),
        )
        self.listener.tried(self.row.label, tried)
        return tried

    def _entry(self, trial: Trial, number: int, point: Parameters) -> Mapping[str, Any]:
        """What the log says of one fold of a trial; runs it where the log says nothing."""
        evaluation = as_json(self.scene.protocol.evaluation)
        key = fingerprint(
            {"trial": trial.identity, "evaluation": evaluation, "metrics_version": metrics.METRICS_VERSION}
        )
        if (known := self.log.find(key)) is not None:
            return known
        start = time.monotonic()
        outcome = self.runner.run(self._job(trial), trial.split)
        if outcome is None:
            raise KeyboardInterrupt
        score, reason = self._score(trial, outcome)
        entry = {
            "key": key,
            "algorithm": self.row.label,
            "trial": number,
            "fold": trial.split.fold,
            "parameters": as_json(trial.row.parameters),
            "point": as_json(point),
            "metric": self.scene.primary,
            "score": score,
            "reason": reason,
            "seconds": round(time.monotonic() - start, 3),
        }
        self.log.add(entry)
        return entry

    def _job(self, trial: Trial) -> Job:
        asked = job_of(trial, self.scene, self.scene.candidates(trial.split))
        (metric,) = self.scene.metrics.values()
        return replace(asked, predictions=metric.kind == "pair", latencies=False)

    def _score(self, trial: Trial, outcome: Outcome) -> tuple[float | None, str | None]:
        if outcome.status is not Status.OK or outcome.lists is None:
            return None, f"{outcome.status}: {outcome.reason}"
        protocol = self.scene.protocol
        try:
            found = metrics.score(
                lists=outcome.lists,
                predictions=outcome.predictions,
                split=trial.split,
                evaluation=protocol.evaluation,
                metrics=self.scene.metrics,
                kind=protocol.split.kind,
            )
        except metrics.MetricFault as fault:
            return None, str(fault)
        scores = found.scores if found.scores_warm is None else found.scores_warm  # as boards are sorted
        score = scores.get(self.scene.primary)
        return score, None if score is not None else f"{self.scene.primary} is not defined for it"

    def _best(self, trials: Sequence[Tried]) -> Tried | None:
        (metric,) = self.scene.metrics.values()
        sign = 1 if metric.best == "low" else -1
        scored = [(sign * trial.score, trial.number, trial) for trial in trials if trial.score is not None]
        return min(scored, key=lambda each: each[:2])[2] if scored else None


def _said(protocol: Protocol, row: Row) -> Parameters:
    """What the protocol says of the row already."""
    if row.label == row.offered.value.name:
        return protocol.parameters.get(row.label, {})
    return next(each.parameters for each in protocol.rows if each.label == row.label)


def _require_space(row: Row) -> None:
    algorithm = row.offered.value
    if not algorithm.space or not all(algorithm.space.values()):
        raise RecbenchError(
            f"{algorithm.name!r} says nothing of what to try: it has no space",
            fix="tune others, or offer it with Algorithm(space={parameter: (value, ...)}) in its plugin",
        )
