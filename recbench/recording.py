"""From the outcome of a trial to its record, and from a record's lists to scores under another evaluation."""

from __future__ import annotations

import functools
import importlib.util
import math
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from recbench import metrics, provenance
from recbench.data import FloatArray, Int32Array, Split
from recbench.distribution import distribution
from recbench.execution import Component, Job, Outcome
from recbench.protocols.spec import as_json
from recbench.records import Record, Status
from recbench.registry import Plugin
from recbench.scene import Scene
from recbench.trials import Trial

TRACEBACK_LENGTH = 20_000


def job_of(trial: Trial, scene: Scene, candidates: Int32Array | None) -> Job:
    """What the trial's process is asked to do. `candidates`: as `Scene.candidates` gives them."""
    row, evaluation, limits = trial.row, scene.protocol.evaluation, scene.protocol.trials
    return Job(
        target=row.offered.value.target,
        plugin_file=row.offered.plugin.file,
        parameters=row.parameters,
        components={
            name: Component(target=offered.value.target, parameters=parameters, plugin_file=offered.plugin.file)
            for name, (offered, parameters) in row.components.items()
        },
        seed=trial.seed,
        depth=evaluation.depth,
        exclude_seen=evaluation.exclude_seen,
        train_at_least=evaluation.train_at_least,
        candidates=candidates,
        predictions=trial.split.dataset.scale is not None,
        seconds=limits.seconds,
        memory_mb=limits.memory_mb,
        output_mb=limits.output_mb,
    )


def record_of(trial: Trial, scene: Scene, outcome: Outcome, *, jobs: int) -> Record:
    """The record of a trial that ran. Scores out of their range make it `invalid`."""
    plugin = trial.row.offered.plugin
    record = Record(
        trial_id=trial.id,
        identity=trial.identity,
        label=trial.row.label,
        algorithm=trial.row.offered.value.name,
        distribution=plugin.distribution,
        version=plugin.version,
        deterministic=trial.row.offered.value.deterministic,
        baseline=trial.row.offered.value.baseline,
        seed=trial.seed,
        fold=trial.split.fold,
        status=outcome.status,
        reason=outcome.reason,
        protocol=_describe_protocol(scene, trial.row.label, trial.row.settings),
        split=describe_split(trial.split),
        data=scene.data,
        metrics_version=metrics.METRICS_VERSION,
        marks=outcome.marks,
        measured=outcome.costs,
        provenance=_provenance(plugin, trial, scene, sandboxed=outcome.sandboxed, jobs=jobs),
        traceback=(outcome.traceback or "")[-TRACEBACK_LENGTH:] or None,
        output=outcome.output,
    )
    if outcome.status is not Status.OK or outcome.lists is None:
        return record
    counted = replace(record, counts={"never_recommended": outcome.n_never})
    return _scored(counted, scene, trial.split, outcome.lists, outcome.predictions)


def rescored(record: Record, scene: Scene, split: Split, lists: Int32Array, predictions: FloatArray | None) -> Record:
    """The record of the same lists and predictions under this scene's evaluation. Nothing is trained."""
    moved = replace(
        record,
        protocol=_describe_protocol(scene, record.label, record.protocol.get("settings", {})),
        split=describe_split(split),
        data=scene.data,
        metrics_version=metrics.METRICS_VERSION,
    )
    return _scored(moved, scene, split, lists, predictions)


def _scored(record: Record, scene: Scene, split: Split, lists: Int32Array, predictions: FloatArray | None) -> Record:
    try:
        found = metrics.score(
            lists=lists,
            predictions=predictions,
            split=split,
            evaluation=scene.protocol.evaluation,
            metrics=scene.metrics,
            kind=scene.protocol.split.kind,
        )
    except (metrics.MetricFault, ValueError) as fault:
        return replace(record, status=Status.INVALID, reason=str(fault), scores={}, scores_warm=None)
    return replace(
        record,
        scores=found.scores,
        scores_warm=found.scores_warm,
        counts={"never_recommended": record.counts.get("never_recommended", 0), **found.counts},
    )


def _describe_protocol(scene: Scene, label: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    protocol = scene.protocol
    return {
        "name": protocol.name,
        "title": protocol.title,
        "fingerprint": scene.fingerprint,
        "is_pinned": bool(protocol.pinned.splits),
        "deciding": protocol.deciding(),
        "trials": as_json(protocol.trials),
        "tuned": None if settings else protocol.tuned.get(label),
        "settings": as_json(settings),
        "metrics": {
            name: {
                "definition": metric.definition,
                "best": metric.best,
                "range": [_finite(bound) for bound in metric.range],
            }
            for name, metric in scene.metrics.items()
        },
    }


def _finite(bound: float) -> float | None:
    """JSON knows no infinity; None stands for a range that is open on that side."""
    return bound if math.isfinite(bound) else None


def describe_split(split: Split) -> dict[str, Any]:
    """Counts, fingerprint and the mark for a leak of the future."""
    train = len(split.train_rows) + len(split.validation_rows)
    return {
        "fold": split.fold,
        "fingerprint": split.fingerprint,
        "leaks_future": split.leaks_future,
        "users": split.dataset.n_users,
        "items": split.dataset.n_items,
        "train": train,
        "validation": len(split.validation_rows),
        "history": len(split.history_rows),
        "test": len(split.test_rows),
        "density": train / (split.dataset.n_users * split.dataset.n_items),
    }


def _provenance(plugin: Plugin, trial: Trial, scene: Scene, *, sandboxed: bool, jobs: int) -> Mapping[str, Any]:
    return {
        **provenance.machine(),
        "recorded": provenance.now(),
        "recbench": distribution().version,
        "threads": scene.protocol.trials.threads,
        "jobs": jobs,
        "sandboxed": sandboxed,
        "memory_limited": sys.platform.startswith("linux"),
        "git": _git_commit(plugin, trial.row.offered.value.target),
    }


@functools.lru_cache(maxsize=256)
def _git_commit(plugin: Plugin, target: str) -> str | None:
    """The commit of what is run from where its author edits it; an installed version says enough."""
    if plugin.file is not None:
        return provenance.git_commit(plugin.file.parent)
    spec = importlib.util.find_spec(target.partition(":")[0].partition(".")[0]) if plugin.editable else None
    return provenance.git_commit(Path(spec.origin).parent) if spec and spec.origin else None
