"""Scores by user, made anew from lists and predictions, and held against the records they come from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from recbench import metrics
from recbench.comparing.rows import Row, differing
from recbench.data import BoolArray, FloatArray, Int32Array, Split
from recbench.errors import BadRecord, RecbenchError
from recbench.metrics.population import with_history
from recbench.protocols.spec import EvaluationSpec
from recbench.records import Record, read_lists
from recbench.scene import Scene
from recbench.statistics import by_user

SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """A trial by user.

    Attributes:
        values: by key, (n_users,) float64, NaN where a user is not evaluated or a value is undefined.
        sums: by key of a rating metric, (n_users,) float64, each user's errors summed.
        counts: (n_users,) float64, each user's test pairs.
    """

    record: Record
    lists: Int32Array
    values: Mapping[str, FloatArray]
    sums: Mapping[str, FloatArray]
    counts: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ByUser:
    """A row by user, its seeds and folds averaged; as `Scored`."""

    name: str
    trials: tuple[Scored, ...]
    values: Mapping[str, FloatArray]
    sums: Mapping[str, FloatArray]
    counts: FloatArray

    def per_trial(self, key: str) -> list[float]:
        """The score of each trial, as the records say."""
        return [_scores(each.record)[key] for each in self.trials]


def check_ground(row: Row, scene: Scene) -> None:
    """Refuse to look at records on another ground than the one they were made on.

    Raises:
        RecbenchError: the protocol or the data at hand are not those of the records.
    """
    record = row.first
    if record.metrics_version != metrics.METRICS_VERSION:
        raise RecbenchError(
            f"the records' metrics are of version {record.metrics_version}, and this recbench has "
            f"{metrics.METRICS_VERSION}",
            fix=f"`recbench rescore FOLDER -p {record.protocol['name']}`",
        )
    if record.protocol["fingerprint"] == scene.fingerprint:
        return
    places = list(differing(record.protocol["deciding"], scene.protocol.deciding()))
    what = "; ".join(f"{place} was {one} and is {two}" for place, one, two in places[:4])
    raise RecbenchError(
        f"the records are of another {scene.protocol.name!r}: {what or 'the data at hand gives other splits'}",
        fix="give the protocol's file with -p, and the data they were made from with --data-dir",
    )


def score_row(row: Row, scene: Scene, keys: Sequence[str]) -> ByUser:
    """The row's scores by user, for those of `keys` that it has.

    Raises:
        BadRecord: lists are missing or damaged, or the record's scores do not follow from them.
        MetricFault: a metric's function fails.
    """
    trials = tuple(_score(record, scene, keys, *read_lists(path, record)) for record, path in row.trials)
    has = [key for key in keys if all(key in each.values for each in trials)]
    has_errors = [key for key in keys if all(key in each.sums for each in trials)]
    return ByUser(
        name=row.name,
        trials=trials,
        values={key: by_user(np.stack([each.values[key] for each in trials])) for key in has},
        sums={key: _over_folds(trials, [each.sums[key] for each in trials]) for key in has_errors},
        counts=_over_folds(trials, [each.counts for each in trials]),
    )


def population(record: Record) -> str:
    """Over whom the scores are that rank a board."""
    return "users with a history" if record.scores_warm else "evaluated users"


def _scores(record: Record) -> Mapping[str, float]:
    return record.scores_warm or record.scores


def _score(
    record: Record, scene: Scene, keys: Sequence[str], lists: Int32Array, predictions: FloatArray | None
) -> Scored:
    split = next(each for each in scene.splits if each.fingerprint == record.split["fingerprint"])
    wanted = _only(scene.protocol.evaluation, keys, scene)
    counting = counting_users(record, split)
    values = dict(values_by_user(lists, split, wanted, scene, counting)) if record.has_lists else {}
    found = metrics.per_pair(predictions=predictions, split=split, evaluation=wanted, metrics=scene.metrics)
    users = _users_of_pairs(split, wanted)
    sums = {key: np.where(counting, np.bincount(users, errors, len(counting)), 0.0) for key, errors in found.items()}
    counts = np.where(counting, np.bincount(users, minlength=len(counting)), 0).astype(np.float64)
    scored = Scored(record=record, lists=lists, values=values, sums=sums, counts=counts)
    _check_follows(scored, scene)
    return scored


def _only(evaluation: EvaluationSpec, keys: Sequence[str], scene: Scene) -> EvaluationSpec:
    """The evaluation cut down to what `keys` need: metrics over the catalogue have no values by user."""
    names = {key.partition("@")[0] for key in keys}
    chosen = tuple(m for m in evaluation.metrics if m in names and scene.metrics[m].kind != "catalogue")
    return replace(evaluation, metrics=chosen)


def counting_users(record: Record, split: Split) -> BoolArray:
    """(n_users,) bool, over whom the scores are that rank a board."""
    return with_history(split) if record.scores_warm else np.ones(split.dataset.n_users, dtype=np.bool_)


def values_by_user(
    lists: Int32Array, split: Split, evaluation: EvaluationSpec, scene: Scene, counting: BoolArray
) -> Iterator[tuple[str, FloatArray]]:
    """Each score with its values by user: (n_users,) float64, NaN where a user does not count or has no value."""
    users = metrics.evaluated_users(split, evaluation)
    found = metrics.per_user(lists=lists, split=split, evaluation=evaluation, metrics=scene.metrics)
    for key, values in found.items():
        spread = np.full(len(counting), np.nan)
        spread[users] = values
        yield key, np.where(counting, spread, np.nan)


def _users_of_pairs(split: Split, evaluation: EvaluationSpec) -> Int32Array:
    """The user of each test pair that counts."""
    users = split.test().user
    return users if evaluation.users == "all" else users[with_history(split)[users]]


def _over_folds(trials: Sequence[Scored], sums: Sequence[FloatArray]) -> FloatArray:
    """The seeds of each fold averaged, then summed over folds: there the pairs are others."""
    folds = [each.record.fold for each in trials]
    total = np.zeros(len(sums[0]))
    for fold in sorted(set(folds)):
        total += np.mean([each for each, mine in zip(sums, folds, strict=True) if mine == fold], axis=0)
    return total


def _check_follows(scored: Scored, scene: Scene) -> None:
    """Hold the record's scores against what the lists give."""
    said = _scores(scored.record)
    means = {key: float(np.nanmean(v)) for key, v in scored.values.items() if not np.isnan(v).all()}
    n_pairs = scored.counts.sum()
    for key, sums in scored.sums.items():
        mean = float(sums.sum() / n_pairs) if n_pairs else math.nan
        means[key] = math.sqrt(mean) if scene.metrics[key].root else mean
    for key, mean in means.items():
        if key in said and not math.isclose(said[key], mean, rel_tol=SAME, abs_tol=SAME):
            raise BadRecord(
                f"the record {scored.record.trial_id} of {scored.record.label!r} says {key} {said[key]:.6g}, and its "
                f"lists give {mean:.6g}",
                fix=f"`recbench rescore FOLDER -p {scene.protocol.name}`, or get the record from where it came",
            )
