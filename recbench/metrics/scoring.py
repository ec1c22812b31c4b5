"""From the lists and predictions of a trial to its scores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from recbench.api import Catalogue, Metric
from recbench.data import BoolArray, FloatArray, Int32Array, Int64Array, Split, owned
from recbench.metrics.calling import load, resolve, value_of, values_of, within
from recbench.metrics.counting import counts_of
from recbench.metrics.inputs import checked_lists, pairs_of
from recbench.metrics.population import blocks, cut, population_of, with_history
from recbench.protocols.spec import EvaluationSpec, Kind

METRICS_VERSION: Final = 1
"""What the numbers mean. Raised whenever a definition changes; no table mixes two."""

# Splits in which users or items without a history are the point, so that both populations are shown.
_SHOWS_WARM: Final = frozenset({"time", "cold-user", "cold-item"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a trial is worth.

    Attributes:
        scores: by key, "mse" or "ndcg@10" or "recall@10~uni99", in the protocol's order. A score that is defined for
            nobody is left out.
        scores_warm: the same over users with a history, where the kind of split shows both; else None.
        counts: how many users, pairs and so on stand behind the scores; see `docs/metrics.md`.
    """

    scores: Mapping[str, float]
    scores_warm: Mapping[str, float] | None
    counts: Mapping[str, int] = field(default_factory=dict)


def score(
    *,
    lists: Int32Array,
    predictions: FloatArray | None,
    split: Split,
    evaluation: EvaluationSpec,
    metrics: Mapping[str, Metric],
    kind: Kind,
) -> Scores:
    """Score one trial.

    Args:
        lists: (n_users, depth or more) int32, best first; -1 for an empty place, and empty places come last.
        predictions: (n_test,) ratings in the order of `split.test()`, NaN where the algorithm could not say; None
            where it predicts none.
        metrics: what is on offer, by name; `evaluation.metrics` says which are asked for.
        kind: how the split was made.

    Raises:
        UnknownName: a metric that is not on offer is asked for.
        MetricFault: a metric's function fails, or gives a value out of its range.
        ValueError: lists or predictions are not of this form.
    """
    return _Trial(lists, predictions, split, evaluation, metrics).scored(kind)


def per_user(
    *, lists: Int32Array, split: Split, evaluation: EvaluationSpec, metrics: Mapping[str, Metric]
) -> Mapping[str, FloatArray]:
    """The values behind each score that is a mean over users: by key, (n,) in the order of `evaluated_users`.

    NaN where a value is undefined; the score is the mean of the others.
    """
    return _Trial(lists, None, split, evaluation, metrics).user_values


def per_pair(
    *, predictions: FloatArray | None, split: Split, evaluation: EvaluationSpec, metrics: Mapping[str, Metric]
) -> Mapping[str, FloatArray]:
    """The values behind each rating metric: by key, (n,) in the order of those rows of `split.test()` that count.

    All of them count, unless `users = "warm"`. For `rmse` these are squared errors.
    """
    empty = np.full((split.dataset.n_users, evaluation.depth), -1, dtype=np.int32)
    return _Trial(empty, predictions, split, evaluation, metrics).pair_values


def evaluated_users(split: Split, evaluation: EvaluationSpec) -> Int64Array:
    """(n,) int64, ascending: the users over whom ranking metrics are averaged."""
    return population_of(split, evaluation).users


def key_of(metric: Metric, cutoff: int, evaluation: EvaluationSpec) -> str:
    """How a score is called: "mse", "ndcg@10"; over sampled or given candidates "ndcg@10~uni99", "ndcg@10~given"."""
    if metric.kind == "pair":
        return metric.name
    candidates = evaluation.candidates
    if candidates == "all":
        return f"{metric.name}@{cutoff}"
    mark = f"uni{candidates.partition(':')[2]}" if isinstance(candidates, str) else "given"
    return f"{metric.name}@{cutoff}~{mark}"


class _Trial:
    """One trial on the way to its scores; each part is worked out once."""

    def __init__(
        self,
        lists: Int32Array,
        predictions: FloatArray | None,
        split: Split,
        evaluation: EvaluationSpec,
        metrics: Mapping[str, Metric],
    ) -> None:
        self.split = split
        self.evaluation = evaluation
        self.metrics = resolve(evaluation.metrics, metrics)
        self.lists = checked_lists(lists, split, evaluation)
        self.population = population_of(split, evaluation)
        self.pairs = pairs_of(predictions, split, evaluation)
        self.user_values = self._user_values()
        self.pair_values = self._pair_values()

    def scored(self, kind: Kind) -> Scores:
        everybody = np.ones(len(self.population.users), dtype=np.bool_)
        scores = self._means(everybody, None)
        scores_warm = None
        if kind in _SHOWS_WARM and self.evaluation.users == "all":
            scores_warm = self._means(self.population.warm, with_history(self.split))
        n_keys = sum(1 if metric.kind == "pair" else len(self.evaluation.cutoffs) for metric in self._applicable())
        counts = {
            **counts_of(self.lists, self.split, self.population, self.pairs),
            "scores_left_out": n_keys - len(scores),
            **self._undefined(),
        }
        return Scores(scores=scores, scores_warm=scores_warm, counts=counts)

    def _applicable(self) -> Iterator[Metric]:
        """Those that can be had: rating metrics want predictions, and ratings to compare them with."""
        return (metric for metric in self.metrics if metric.kind != "pair" or self.pairs is not None)

    def _user_values(self) -> Mapping[str, FloatArray]:
        asked = [(metric, load(metric)) for metric in self.metrics if metric.kind == "user"]
        cutoffs = self.evaluation.cutoffs
        parts: dict[str, list[FloatArray]] = {
            key_of(metric, k, self.evaluation): [np.empty(0)] for metric, _ in asked for k in cutoffs
        }
        catalogue = Catalogue(split=self.split, users=self.population.users)
        for block in blocks(self.lists, self.population, catalogue) if asked else ():
            for k in cutoffs:
                short = cut(block, k)
                for metric, function in asked:
                    key = key_of(metric, k, self.evaluation)
                    values = values_of(metric, function, short, len(short.users))
                    parts[key].append(within(metric, key, values))
        return {key: owned(np.concatenate(part)) for key, part in parts.items()}

    def _pair_values(self) -> Mapping[str, FloatArray]:
        if self.pairs is None:
            return {}
        asked = [metric for metric in self.metrics if metric.kind == "pair"]
        return {m.name: owned(values_of(m, load(m), self.pairs, len(self.pairs.rating))) for m in asked}

    def _means(self, members: BoolArray, users_of_pairs: BoolArray | None) -> Mapping[str, float]:
        """The scores over some of the population; over the test pairs of some users (None: all)."""
        found: dict[str, float] = {}
        catalogue = Catalogue(split=self.split, users=self.population.users[members])
        recommended = self._recommended(catalogue.users)
        for metric in self._applicable():
            if metric.kind == "pair":
                found[metric.name] = self._mean_over_pairs(metric, users_of_pairs)
                continue
            for k in self.evaluation.cutoffs:
                key = key_of(metric, k, self.evaluation)
                if metric.kind == "user":
                    found[key] = _mean(self.user_values[key][members])
                else:
                    value = value_of(metric, load(metric), recommended[k], len(catalogue.users), catalogue)
                    found[key] = float(within(metric, key, np.array([value]))[0])
        return {key: value for key, value in found.items() if not math.isnan(value)}

    def _mean_over_pairs(self, metric: Metric, users: BoolArray | None) -> float:
        assert self.pairs is not None
        values = self.pair_values[metric.name]
        mean = _mean(values if users is None else values[users[self.pairs.users]])
        if metric.root:
            mean = math.sqrt(mean)
        return float(within(metric, metric.name, np.array([mean]))[0])

    def _recommended(self, users: Int64Array) -> Mapping[int, Int64Array]:
        """By cut-off, (n_items,) how many of the users' lists an item is in; nothing where no metric asks."""
        if not any(metric.kind == "catalogue" for metric in self.metrics):
            return {}
        n_items = self.split.dataset.n_items
        total = np.zeros(n_items, dtype=np.int64)
        counts, done = {}, 0
        for k in sorted(self.evaluation.cutoffs):
            height = max(1, max(n_items, 1 << 20) // (k - done))
            for first in range(0, len(users), height):
                listed = self.lists[users[first : first + height], done:k]
                total += np.bincount(listed.ravel() + 1, minlength=n_items + 1)[1:]  # at 0 are empty places
            counts[k], done = owned(total.copy()), k
        return counts

    def _undefined(self) -> Mapping[str, int]:
        """By "undefined KEY", for how many evaluated users a score is undefined, where there are any."""
        n_undefined = {key: int(np.isnan(values).sum()) for key, values in self.user_values.items()}
        return {f"undefined {key}": n for key, n in n_undefined.items() if n}


def _mean(values: FloatArray) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else math.nan
