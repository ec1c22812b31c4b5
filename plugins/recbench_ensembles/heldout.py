"""What components say about rows that they were not fitted to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset
from recbench_ensembles.components import fitted, ranks, rates, scores_of
from recbench_ensembles.features import fold_masks
from recbench_ensembles.ratings import BoolArray, FloatArray, IntArray

CANDIDATES = 100
USERS_AT_ONCE = 256
MOST_USERS = 3000
"""Users of a part that the weights for ranking are learned from, drawn by lot where there are more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """Rows to fit to, and rows held out of them."""

    rest: Dataset
    held_out: Dataset


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """What the raters predicted for held-out rows; (n, c) and (n,)."""

    predictions: FloatArray
    rating: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lists:
    """Candidates of users with held-out positives, user by user.

    Attributes:
        standings: (p, c) see `standings`.
        starts: (n_users,) where each user's candidates begin.
        is_positive: (p,) whether the user turned out to have the item.
    """

    standings: FloatArray
    starts: IntArray
    is_positive: BoolArray


def parts_of(train: Dataset, validation: Dataset | None, *, folds: int, rng: np.random.Generator) -> Iterator[Part]:
    """Yield the protocol's own validation part where there is one, else each fold of train, cut by lot."""
    if validation is not None and len(validation.interactions):
        yield Part(rest=train, held_out=validation)
        return
    rows = train.interactions
    for held_out in fold_masks(len(rows), folds, rng):
        rest, out = (train.with_interactions(rows.take(mask)) for mask in (~held_out, held_out))
        yield Part(rest=rest, held_out=out)


def ask(
    names: Sequence[str], part: Part, *, seed: int, build: Callable[..., Any], rng: np.random.Generator
) -> tuple[Answers, Lists]:
    """Fit the components to the rest of a part, and ask them about what is held out."""
    algorithms = [fitted(build, name, part.rest, seed=seed) for name in names]
    rows = part.held_out.interactions
    users, items = rows.user.astype(np.int64), rows.item.astype(np.int64)
    rating = rows.rating.astype(np.float64)
    predictions = predictions_of([each for each in algorithms if rates(each)], users, items)
    rankers = [each for each in algorithms if ranks(each)]
    return Answers(predictions=predictions, rating=rating), _lists(rankers, part, rng)


def predictions_of(raters: Sequence[Any], users: IntArray, items: IntArray) -> FloatArray:
    """(n, c) predicted ratings, NaN where a rater cannot say."""
    columns = [np.asarray(rater.predict(users, items), dtype=np.float64) for rater in raters]
    return np.column_stack(columns) if columns else np.empty((len(users), 0))


def standings(scores: FloatArray) -> FloatArray:
    """(m, n_items) scores less their row's mean, over the row's standard deviation; 0 where a row's are equal.

    What is never to be recommended (NaN, -inf) stands as low as the lowest other.
    """
    known = np.isfinite(scores)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    rest = np.where(known, scores, 0.0)
    size = np.abs(rest).sum(axis=1, keepdims=True) / count
    rest = np.where(known, scores - rest.sum(axis=1, keepdims=True) / count, 0.0)
    spread = np.sqrt((rest**2).sum(axis=1, keepdims=True) / count)
    varies = spread > 1e-9 * size
    rest = np.where(varies, rest / np.where(varies, spread, 1.0), 0.0)
    return np.where(known, rest, rest.min(axis=1, keepdims=True, initial=0.0))


def _lists(rankers: Sequence[Any], part: Part, rng: np.random.Generator) -> Lists:
    relevant = part.held_out.user_item("one", positives_only=True)
    seen = part.rest.user_item("one")
    users = np.flatnonzero(np.diff(relevant.indptr))
    if len(users) > MOST_USERS:
        users = np.sort(rng.permutation(users)[:MOST_USERS])
    found = []
    for first in range(0, len(users), USERS_AT_ONCE):
        block = users[first : first + USERS_AT_ONCE].astype(np.int64)
        is_relevant = relevant[block].toarray() > 0
        found.append(_block(rankers, block, is_relevant, seen[block].toarray() > 0))
    n_rankers = len(rankers)
    counts = np.concatenate([counts for _, counts, _ in found]) if found else np.empty(0, dtype=np.int64)
    return Lists(
        standings=np.concatenate([each for each, _, _ in found]) if found else np.empty((0, n_rankers)),
        starts=np.cumsum(counts) - counts,
        is_positive=np.concatenate([each for _, _, each in found]) if found else np.empty(0, dtype=np.bool_),
    )


def _block(
    rankers: Sequence[Any], users: IntArray, is_relevant: BoolArray, is_seen: BoolArray
) -> tuple[FloatArray, NDArray[np.int64], BoolArray]:
    """Standings of the candidates of some users, how many each has, and which are relevant.

    Candidates are what is relevant and the best of each ranker.
    """
    n_items = is_relevant.shape[1]
    layers = [standings(scores_of(ranker, users, n_items)) for ranker in rankers]
    chosen = is_relevant.copy()
    for layer in layers:
        best = np.argsort(np.where(is_seen, np.inf, -layer), axis=1, kind="stable")[:, :CANDIDATES]
        np.put_along_axis(chosen, best, values=True, axis=1)
    chosen &= ~is_seen
    return np.stack([layer[chosen] for layer in layers], axis=1), chosen.sum(axis=1), is_relevant[chosen]
