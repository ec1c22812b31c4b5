"""From the outcome of a trial to its record, and from a record's lists to scores under another evaluation."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from recbench import metrics, provenance
from recbench.data import FloatArray, Int32Array, Split
from recbench.distribution import distribution
from recbench.execution import Component, Job, Outcome
from recbench.protocols.spec import EvaluationSpec, as_json
from recbench.records import EXTERNAL, Costs, Record, Status, trial_id
from recbench.registry import Plugin
from recbench.scene import Scene
from recbench.trials import Row, Trial, ranked_how

TRACEBACK_LENGTH = 20_000
MADE_ELSEWHERE = "made elsewhere, scored here and not run, costs as stated"
PAIRS_VISIBLE = "pairs visible in training"
OF_LISTS = ("users_without_list", "users_short_list")
"""Counts that say nothing where there are no lists."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MadeElsewhere:
    """Lists or predictions, or both, of something that recbench does not run.

    Attributes:
        name: the row's name.
        lists: (n_users, depth) int32, -1 for an empty place; None where there are none.
        predictions: (n_test,) float64 in the order of `split.test()`; None where there are none.
        costs: as whoever made them states them.
        files: sha256 of each file by its name.
    """

    name: str
    lists: Int32Array | None = None
    predictions: FloatArray | None = None
    costs: Costs = field(default_factory=Costs)
    files: Mapping[str, str] = field(default_factory=dict)

    def to_keep(self, n_users: int, depth: int) -> Int32Array:
        """The lists; empty ones where there are none."""
        return np.full((n_users, depth), -1, dtype=np.int32) if self.lists is None else self.lists


def job_of(trial: Trial, scene: Scene, candidates: Int32Array | None) -> Job:
    """What the trial's process is asked to do. `candidates`: as `Scene.candidates` gives them."""
    row, evaluation, limits = trial.row, scene.protocol.evaluation, scene.protocol.trials
    return Job(
        target=row.offered.value.target,
        plugin_file=row.offered.plugin.file,
        python=None if row.interpreter is None else row.interpreter.path,
        parameters=row.parameters
        if row.program is None
        else row.program.arguments(scene.protocol, trial.split.fingerprint),
        components={
            name: Component(target=offered.value.target, parameters=parameters, plugin_file=offered.plugin.file)
            for name, (offered, parameters) in row.components.items()
        },
        requires=tuple(sorted(_modules(row))),
        needs_gpu=row.needs_gpu,
        seed=trial.seed,
        depth=evaluation.depth,
        exclude_seen=evaluation.exclude_seen,
        train_at_least=evaluation.train_at_least,
        candidates=candidates,
        users_at_most=evaluation.users_at_most,
        predictions=trial.split.dataset.scale is not None,
        latencies=row.program is None,
        seconds=limits.seconds,
        memory_mb=limits.memory_mb,
        output_mb=limits.output_mb,
    )


def _modules(row: Row) -> set[str]:
    """What a row's algorithm and its components import."""
    return {module for each in row.all_offered for module in each.value.requires}


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
        provenance=_provenance(plugin, trial, scene, outcome, jobs=jobs),
        traceback=(outcome.traceback or "")[-TRACEBACK_LENGTH:] or None,
        output=outcome.output,
    )
    if outcome.status is not Status.OK or outcome.lists is None:
        return record
    counted = replace(record, counts={"never_recommended": outcome.n_never})
    return _scored(counted, scene, trial.split, outcome.lists, outcome.predictions)


def record_of_external(made: MadeElsewhere, scene: Scene, split: Split) -> Record:
    """The record of what was made elsewhere.

    The same lists and predictions have the same id, whatever file they were in. Scores out of their range make it
    `invalid`.
    """
    identity = _identify(made, scene, split)
    record = Record(
        trial_id=trial_id(identity),
        identity=identity,
        label=made.name,
        algorithm=made.name,
        distribution=EXTERNAL,
        version="",
        deterministic=True,
        baseline=False,
        seed=0,
        fold=split.fold,
        status=Status.OK,
        protocol=_describe_protocol(scene, made.name, {}),
        split=describe_split(split),
        data=scene.data,
        metrics_version=metrics.METRICS_VERSION,
        marks=(MADE_ELSEWHERE, *([] if made.predictions is None else [PAIRS_VISIBLE])),
        measured=made.costs,
        provenance={
            "recorded": provenance.now(),
            "recbench": distribution().version,
            "files": dict(made.files),
        },
    )
    lists = made.to_keep(split.dataset.n_users, scene.protocol.evaluation.depth)
    return _scored(record, scene, split, lists, made.predictions)


def _identify(made: MadeElsewhere, scene: Scene, split: Split) -> dict[str, Any]:
    parts = {"lists": made.lists, "predictions": made.predictions}
    return {
        "algorithm": {
            "name": made.name,
            "distribution": EXTERNAL,
            "target": EXTERNAL,
            "parameters": {},
            "source": source_of_parts(made.lists, made.predictions),
        },
        "parts": [name for name, values in parts.items() if values is not None],
        "split": split.fingerprint,
        "seed": 0,
        **ranked_how(scene.protocol),
    }


def source_of_parts(lists: Int32Array | None, predictions: FloatArray | None) -> str:
    """What stands for a source where recbench did not run it: sha256 in hexadecimal over what was made."""
    digest = hashlib.sha256()
    for name, values, dtype in (("lists", lists, "<i4"), ("predictions", predictions, "<f8")):
        if values is not None:
            digest.update(f"{name} {values.shape}\n".encode() + values.astype(dtype).tobytes())
    return digest.hexdigest()


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
            evaluation=_evaluation(record, scene),
            metrics=scene.metrics,
            kind=scene.protocol.split.kind,
        )
    except (metrics.MetricFault, ValueError) as fault:
        return replace(record, status=Status.INVALID, reason=str(fault), scores={}, scores_warm=None)
    return replace(
        record,
        scores=found.scores,
        scores_warm=found.scores_warm,
        counts={
            "never_recommended": record.counts.get("never_recommended", 0),
            **{name: n for name, n in found.counts.items() if record.has_lists or name not in OF_LISTS},
        },
    )


def _evaluation(record: Record, scene: Scene) -> EvaluationSpec:
    """The protocol's; without the metrics of lists where there are none."""
    evaluation = scene.protocol.evaluation
    if record.has_lists:
        return evaluation
    of_pairs = tuple(name for name, metric in scene.metrics.items() if metric.kind == "pair")
    return replace(evaluation, metrics=of_pairs)


def _describe_protocol(scene: Scene, label: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    protocol = scene.protocol
    return {
        "name": protocol.name,
        "title": protocol.title,
        **({"file": protocol.file} if protocol.file else {}),
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


def _provenance(plugin: Plugin, trial: Trial, scene: Scene, outcome: Outcome, *, jobs: int) -> Mapping[str, Any]:
    here = provenance.machine() if trial.row.interpreter is None else trial.row.interpreter.machine
    where = outcome.where or here
    return {
        **where,
        "recorded": provenance.now(),
        "recbench": distribution().version,
        "threads": scene.protocol.trials.threads,
        "jobs": jobs,
        "sandboxed": outcome.sandboxed,
        "memory_limited": where["platform"].startswith("Linux"),
        "git": None if trial.row.interpreter else _git_commit(plugin, trial.row.offered.value.target),
        **({"other_python": plugin.name} if _is_asked_for(trial, scene) else {}),
        **({"tuned_on": trial.row.offered.value.tuned_on} if trial.row.offered.value.tuned_on else {}),
    }


def _is_asked_for(trial: Trial, scene: Scene) -> bool:
    """Whether the row ran under another interpreter, and not because the protocol says so."""
    plugin, said = trial.row.offered.plugin, scene.protocol.python
    return trial.row.interpreter is not None and plugin.name not in said and plugin.distribution not in said


@functools.lru_cache(maxsize=256)
def _git_commit(plugin: Plugin, target: str) -> str | None:
    """The commit of what is run from where its author edits it; an installed version says enough."""
    if plugin.file is not None:
        return provenance.git_commit(plugin.file.parent)
    spec = importlib.util.find_spec(target.partition(":")[0].partition(".")[0]) if plugin.editable else None
    return provenance.git_commit(Path(spec.origin).parent) if spec and spec.origin else None
