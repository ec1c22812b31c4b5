"""What ensembles of trees share: features, a shortlist to rank, and saying why."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recbench.api import Dataset, greatest, written_out
from recbench_ensembles.components import fitted
from recbench_ensembles.features import Features, Table, out_of_fold
from recbench_ensembles.parameters import at_least
from recbench_ensembles.paths import Tree, contributions
from recbench_ensembles.ratings import FloatArray, IntArray, Ratings
from recbench_ensembles.shortlist import Listed, Shortlist, standardised
from recbench_ensembles.tables import Tables

ROWS_AT_ONCE = 1 << 16
USERS_AT_ONCE = 256
FEWEST = 10
"""Ratings below which there is nothing to learn beyond the offsets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How features are made and how items are ranked; see `TreeEnsemble`."""

    folds: int
    first_stage: str
    shortlist: int
    weight: float

    def __post_init__(self) -> None:
        at_least("folds", self.folds, 2)
        at_least("shortlist", self.shortlist, 1)
        at_least("weight", self.weight, 0)


class TreeEnsemble(ABC):
    """Predicts a rating as the regularised bias plus what an ensemble of trees makes of the features of the pair.

    The features: offsets, means, counts and spreads of user and item; the user's taste for the item's tags and what
    users of the same group think of the item; similar items and similar users; the product of factors; recency; the
    tables' own columns. Those of a training row, its bias included, come from the folds that the row is not in.

    Ranking by predicted ratings is poor, since most of what gets high ratings is known to few; and trees are slow. So
    a first stage lists items, all others are never recommended, and on the list
    score(u, i) = standing of the first stage's score + weight * standing of the predicted rating,
    a standing being the distance from the mean over the user's list in standard deviations.

    Which trees is up to the children.
    """

    _plan: Plan
    _model: Any

    def fit(self, train: Dataset, *, seed: int, build: Callable[..., Any]) -> None:
        """Fit the first stage, compute features, and grow the trees."""
        rng = np.random.default_rng(seed)
        ratings, tables = Ratings.of(train), Tables.of(train)
        first_stage = fitted(build, self._plan.first_stage, train, seed=seed)
        self._shortlist = Shortlist(first_stage, train, size=self._plan.shortlist, rng=rng)
        self._n_items = train.n_items
        self._features = Features(ratings, tables, rng)
        self._model = None
        if len(ratings) >= FEWEST:
            self._model = self._grown(out_of_fold(ratings, tables, folds=self._plan.folds, rng=rng), seed)

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> FloatArray:
        """Predict ratings for pairs: (m,), (m,) -> (m,), not clipped."""
        predictions = np.empty(len(users))
        # What similar users say costs by the user, so pairs of one user stay together.
        order = np.argsort(users, kind="stable")
        for first in range(0, len(order), ROWS_AT_ONCE):
            part = order[first : first + ROWS_AT_ONCE]
            predictions[part] = self._ratings(users[part], items[part])
        return predictions

    def score(self, users: NDArray[np.int64]) -> FloatArray:
        """Score the shortlists: (m,) -> (m, n_items), -inf for what is on none."""
        scores = np.full((len(users), self._n_items), -np.inf)
        for rows, listed in self._lists(users):
            _, standing = self._standings(users[rows], listed)
            scores[rows[listed.row], listed.item] = listed.standing + self._plan.weight * standing
        return scores

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Write out the score, and the predicted rating as the sum of what each feature adds to the bias."""
        users = np.array([user], dtype=np.int64)
        listed = self._shortlist.of(users)
        _, standing = self._standings(users, listed)
        places = {item: place for place, item in enumerate(listed.item.tolist())}
        ratings = self._explained_ratings(np.full(len(items), user), np.asarray(items, dtype=np.int64))
        return [
            f"{self._explained_score(listed, standing, places.get(item))}; predicted rating {rating}"
            for item, rating in zip(items.tolist(), ratings, strict=True)
        ]

    @abstractmethod
    def _grown(self, table: Table, seed: int) -> Any:
        """A fitted scikit-learn regressor of the table's residuals."""

    @abstractmethod
    def _trees(self) -> tuple[float, list[Tree]]:
        """What all rows start from, and trees whose sum is added to it."""

    def _lists(self, users: IntArray) -> Iterator[tuple[IntArray, Listed]]:
        for first in range(0, len(users), USERS_AT_ONCE):
            rows = np.arange(first, min(first + USERS_AT_ONCE, len(users)))
            yield rows, self._shortlist.of(users[rows])

    def _ratings(self, users: IntArray, items: IntArray) -> FloatArray:
        bias = self._features.bias(users, items)
        if self._model is None or not len(users):
            return bias
        return np.asarray(bias + self._model.predict(self._features.matrix(users, items)))

    def _standings(self, users: IntArray, listed: Listed) -> tuple[FloatArray, FloatArray]:
        """(p,) predicted ratings of what is listed, and (p,) how far each stands from the mean of its list."""
        ratings = self._ratings(users[listed.row], listed.item)
        return ratings, standardised(ratings, listed.row, len(users))

    def _explained_score(self, listed: Listed, standing: FloatArray, place: int | None) -> str:
        plan = self._plan
        if place is None:
            return f"never recommended: not among the {plan.shortlist} best items of {plan.first_stage}"
        parts = [float(listed.standing[place]), plan.weight * float(standing[place])]
        by_rating = f"{plan.weight:g} times the standing of the predicted rating"
        return written_out(sum(parts), [(parts[0], f"standing in {plan.first_stage}"), (parts[1], by_rating)])

    def _explained_ratings(self, users: IntArray, items: IntArray) -> list[str]:
        ratings, bias = self._ratings(users, items), self._features.bias(users, items)
        if self._model is None:
            return [written_out(float(rating), [(float(rating), "bias")]) for rating in ratings]
        start, trees = self._trees()
        root, added = contributions(trees, self._features.matrix(users, items))
        return [
            written_out(
                float(ratings[row]),
                [
                    (float(bias[row]), "bias"),
                    *greatest(added[row], self._features.names, rest="features", shown=4),
                    (start + root, "what the trees start from"),
                ],
            )
            for row in range(len(items))
        ]
