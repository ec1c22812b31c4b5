"""Recommending what a group of users has, and predicting as the group rates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from recbench.api import Dataset, item_names
from recbench_clusters.grouping import Groups, assign, groups_of, k_means
from recbench_clusters.offsets import offsets
from recbench_clusters.profiles import Features, projection
from recbench_clusters.ward import ward

SAMPLE_SEED = 0

Values: TypeAlias = Literal["one", "rating"]


class Clusters(ABC):
    """Puts users into groups. How they are grouped is up to the children.

    Users are points: rows of ratings, centred, through a truncated SVD. For a user of group c:

    - score(u, i) = (sum of what c gives item i + shrink * mean of what all give i) / (users of c + shrink)
    - predict(u, i) = mean + b_u + b_i + sum over ratings of i in c of (r - mean - b_v - b_i) / (their number + damping)

    Who has an item gives it 1, or the rating, with the scale's ends at 0 and 1 (see `values`); who lacks it gives it 0.
    A user without ratings belongs to no group and gets the global profile: what all give i, and the offsets alone.

    Args:
        n_clusters: groups; fewer where there are fewer users.
        features: "ratings", what each rating is above or below the mean and the offsets of user and item, or
            "interactions", what the user has. Data without ratings has the latter only.
        factors: dimensions of the points.
        values: what ranking sums up: the "rating" that users give, or "one" for each that has the item.
        shrink: users with the habits of all that are added to each group when ranking. Few: items that everybody
            has sink in a group that happens to lack them.
        damping: ratings at their expected level that are added to those of each group and item.
    """

    _labels: NDArray[np.int64]
    _sizes: NDArray[np.float64]
    _given: NDArray[np.float64]
    _means: NDArray[np.float64]
    _deviations: NDArray[np.float64]

    def __init__(
        self,
        *,
        n_clusters: int = 50,
        features: Features = "ratings",
        factors: int = 20,
        values: Values = "rating",
        shrink: float = 1000.0,
        damping: float = 30.0,
    ) -> None:
        for name, count in (("n_clusters", n_clusters), ("factors", factors)):
            if count < 1:
                raise ValueError(f"{name} must be at least 1, not {count!r}")
        for name, value, allowed in (("features", features, Features), ("values", values, Values)):
            if value not in get_args(allowed):
                raise ValueError(f"{name} must be one of {', '.join(map(repr, get_args(allowed)))}, not {value!r}")
        if not shrink >= 0:
            raise ValueError(f"shrink must be 0 or more, not {shrink!r}")
        if not damping > 0:
            raise ValueError(f"damping must be above 0, not {damping!r}")
        self._n_clusters = n_clusters
        self._features: Features = features
        self._factors = factors
        self._rates = values == "rating"
        self._shrink = shrink
        self._damping = damping

    def fit(self, train: Dataset, *, seed: int) -> None:
        """Group the users, then count and average over each group."""
        self._names = item_names(train)
        self._level = offsets(train.interactions, train.n_users, train.n_items)
        self._projection = projection(train, self._level, self._features, self._factors)
        points = self._projection.points(train, self._level)
        rated = np.bincount(train.interactions.user, minlength=train.n_users) > 0
        self._labels = np.full(train.n_users, self._n_clusters)
        self._groups = self._group(points[rated], seed) if rated.any() else groups_of(points[:1], np.array([0]))
        self._labels[rated] = self._groups.labels
        self._count(train, rated)
        self._deviations = self._rated_by_groups(train)

    def score(self, users: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the shrunken mean of what the group gives each item: (m,) -> (m, n_items) in [0, 1]."""
        return self._means[self._labels[users]]

    def score_new(self, histories: Dataset) -> NDArray[np.float64]:
        """Score for users who were not there in `fit`: each joins the group with the nearest centre."""
        rows = histories.interactions
        points = self._projection.points(histories, self._level.for_new_users(rows, histories.n_users))
        labels = assign(points, self._groups.centres)
        labels[np.bincount(rows.user, minlength=histories.n_users) == 0] = self._n_clusters
        return self._means[labels]

    def predict(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> NDArray[np.float64]:
        """Predict ratings for pairs: (m,), (m,) -> (m,), not clipped."""
        return self._level.of(users, items) + self._deviations[self._labels[users], items]

    def explain(self, user: int, items: NDArray[np.int64]) -> Sequence[str]:
        """Write the score as what the group adds and what everybody adds."""
        group = int(self._labels[user])
        return [self._reason(group, item) for item in items.tolist()]

    @abstractmethod
    def _group(self, points: NDArray[np.float64], seed: int) -> Groups:
        """Group points (n, factors), n at least 1."""

    def _count(self, train: Dataset, rated: NDArray[np.bool_]) -> None:
        """Sum up what users give, group by group; the last row is the global profile."""
        self._given = (self._members(train.n_users) @ self._gifts(train)).toarray()
        self._sizes = np.bincount(self._labels[rated], minlength=self._n_clusters + 1).astype(np.float64)
        self._total = max(float(self._sizes.sum()), 1.0)
        mean = self._given.sum(axis=0) / self._total
        weight = self._sizes[:, None] + self._shrink
        # A group that nobody is in, without shrinkage, has no profile of its own either.
        self._means = np.divide(
            self._given + self._shrink * mean, weight, out=np.tile(mean, (len(weight), 1)), where=weight > 0
        )
        self._means[-1] = mean

    def _rated_by_groups(self, train: Dataset) -> NDArray[np.float64]:
        """(n_clusters + 1, n_items) how far each group rates an item above or below its level."""
        rows = train.interactions
        cell = self._labels[rows.user] * train.n_items + rows.item
        rest = rows.rating - self._level.of(rows.user, rows.item)
        n_cells = (self._n_clusters + 1) * train.n_items
        sums = np.bincount(cell, weights=rest, minlength=n_cells)
        deviations: NDArray[np.float64] = sums / (np.bincount(cell, minlength=n_cells) + self._damping)
        return deviations.reshape(-1, train.n_items)

    def _members(self, n_users: int) -> csr_matrix:
        """(n_clusters + 1, n_users) ones where a user is in a group."""
        return csr_matrix((np.ones(n_users), (self._labels, np.arange(n_users))), shape=(self._n_clusters + 1, n_users))

    def _gifts(self, train: Dataset) -> csr_matrix:
        """(n_users, n_items) what each user gives each item, from 0 to 1."""
        if not self._rates or train.scale is None or train.scale[0] == train.scale[1]:
            return train.user_item("one", positives_only=True)
        gifts = train.user_item("rating", positives_only=True)
        least, greatest = train.scale
        gifts.data = np.clip((gifts.data - least) / (greatest - least), 0.0, 1.0)
        return gifts

    def _reason(self, group: int, item: int) -> str:
        mean = round(float(self._means[group, item]), 4)
        everybody = f"all {self._total:.0f} users give {self._names[item]} {self._given[:, item].sum():.1f}"
        if group == self._n_clusters:
            return f"{mean:.4f}: {everybody}; nothing is known of this user"
        own = round(float(self._given[group, item] / (self._sizes[group] + self._shrink)), 4)
        return (
            f"{mean:.4f} = {own:.4f} (the {self._sizes[group]:.0f} users of group {group} give it "
            f"{self._given[group, item]:.1f}) + {mean - own:.4f} ({everybody})"
        )


class KMeans(Clusters):
    """Groups users by K-means; all parameters are those of `Clusters`.

    Source: MacQueen 1967; Ungar and Foster, Clustering Methods for Collaborative Filtering, AAAI workshop 1998.
    """

    def _group(self, points: NDArray[np.float64], seed: int) -> Groups:
        return k_means(points, self._n_clusters, seed=seed)


class Hierarchical(Clusters):
    """Groups users by Ward's hierarchical clustering; the rest is as in `Clusters`.

    Of more than `max_points` users that many are drawn and merged, and the others join the group with the nearest
    centre: time and memory stay bounded, and no matrix of users by users is ever made.

    Args:
        max_points: users that are merged one by one.
        n_clusters: as in `Clusters`, like all the others.
    """

    def __init__(
        self,
        *,
        n_clusters: int = 50,
        features: Features = "ratings",
        factors: int = 20,
        values: Values = "rating",
        shrink: float = 1000.0,
        damping: float = 30.0,
        max_points: int = 5000,
    ) -> None:
        super().__init__(
            n_clusters=n_clusters, features=features, factors=factors, values=values, shrink=shrink, damping=damping
        )
        if max_points < n_clusters:
            raise ValueError(f"max_points must be at least n_clusters, {n_clusters}, not {max_points!r}")
        self._max_points = max_points

    def _group(self, points: NDArray[np.float64], seed: int) -> Groups:
        if len(points) <= self._max_points:
            return groups_of(points, ward(points, self._n_clusters))
        # A fixed seed: the seed of the trial shall not matter to an algorithm that is called deterministic.
        sample = np.random.default_rng(SAMPLE_SEED).choice(len(points), self._max_points, replace=False)
        sampled = groups_of(points[sample], ward(points[sample], self._n_clusters))
        return Groups(labels=assign(points, sampled.centres), centres=sampled.centres)
